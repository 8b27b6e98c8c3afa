"""Our totals beside the source's own, to the cent, per period and currency."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select

from connectors.base import SourceTotalDraft
from metrics.credit import credit, totals
from metrics.history import owner_at_close, owner_moves
from models import Deal, Period, Reject, SourceTotal
from models.base import core
from models.frames import load, rows
from models.money import plain
from models.period import in_force

Span = tuple[date, date]


def keep_source_totals(
    connection: Connection,
    source: str,
    spans: Sequence[Span],
    totals: Sequence[SourceTotalDraft],
    run_id: str,
    now: datetime,
) -> None:
    """Store what the source itself says of these spans, in place of what it said before."""
    table = core(SourceTotal)
    for first, end in spans:
        here = (table.c.connection == source, table.c.first_day == first, table.c.end_day == end)
        connection.execute(delete(table).where(*here))
    if totals:
        seen = {"connection": source, "asked_at": now, "run_id": run_id}
        connection.execute(table.insert(), [{**vars(t), **seen} for t in totals])


def our_totals(
    connection: Connection, source: str, spans: Sequence[Span]
) -> dict[tuple[Span, str, str], tuple[int, int]]:
    """(span, status, currency) to (cents, deals): what we hold, with rejected rows whose money could be read."""
    found: dict[tuple[Span, str, str], tuple[int, int]] = {}
    for model in (Deal, Reject):
        table = core(model).c
        here = [
            table.connection == source,
            table.close_day >= min(first for first, _ in spans),
            table.close_day < max(end for _, end in spans),
            table.status.is_not(None),
        ]
        here.append(table.removed_at.is_(None) if model is Deal else table.stream == "deals")
        groups = (table.close_day, table.status, table.currency)
        query = select(*groups, func.sum(table.amount_minor), func.count()).where(*here).group_by(*groups)
        for day, status, currency, cents, deals in connection.execute(query):
            for span in (s for s in spans if s[0] <= day < s[1]):
                before = found.get((span, status, currency or ""), (0, 0))
                found[span, status, currency or ""] = (before[0] + int(cents or 0), before[1] + deals)
    return found


def lately_added_up(connection: Connection, source: str) -> tuple[set[Span], set[Span]]:
    """The spans that a source has told of: those whose money was added up, and those that were only counted since."""
    table = core(SourceTotal).c
    query = select(table.first_day, table.end_day, table.amount_minor).where(table.connection == source)
    told = [((row.first_day, row.end_day), row.amount_minor) for row in connection.execute(query)]
    counted = {span for span, amount in told if amount is None}
    return {span for span, _ in told} - counted, counted


def differences(
    connection: Connection, source: str, spans: Sequence[Span], totals: Sequence[SourceTotalDraft]
) -> list[tuple[Span, str]]:
    """One sentence for each place where the source's own total and ours are not equal: to the cent, or in number where
    the source only counted.

    What a source says nothing of is 0 there: it was asked for the whole of each span.
    """
    if not spans:
        return []
    ours = our_totals(connection, source, spans)
    counted = {((t.first_day, t.end_day), t.status): t.deals for t in totals if t.amount_minor is None}
    theirs = {((t.first_day, t.end_day), t.status, t.currency): t.amount_minor for t in totals}
    found: list[tuple[Span, str]] = []
    for span, status in sorted(counted):
        told, held = counted[span, status], sum(n for (s, w, _), (_, n) in ours.items() if (s, w) == (span, status))
        if told != held:
            found.append((span, f"{_where(span, status)}: {source} counts {told}, we hold {held}"))
    for key in sorted({*ours, *theirs}):
        span, status, currency = key
        money, cents = theirs.get(key, 0), ours.get(key, (0, 0))[0]
        if money is not None and (span, status) not in counted and money != cents:
            said, kept = plain(money, currency), plain(cents, currency)
            found.append((span, f"{_where(span, status)}: {source} says {said} {currency}, we hold {kept}"))
    return found


def _where(span: Span, status: str) -> str:
    return f"{status} deals closing from {span[0]} to before {span[1]}"


@dataclass
class Line:
    """One connection's deals of one status, quarter and currency, in cents of that currency: every cent is somewhere.

    `total` is people + unmatched + rejected + uncredited; `source_total` is None where the source was not asked.
    """

    connection: str
    period: str
    currency: str
    status: str
    people: dict[str, int] = field(default_factory=dict)
    unmatched: int = 0
    rejected: int = 0
    uncredited: int = 0
    deals: int = 0
    without_amount: int = 0
    source_total: int | None = None
    source_deals: int | None = None
    how: str = ""

    @property
    def total(self) -> int:
        """Everything together."""
        return sum(self.people.values()) + self.unmatched + self.rejected + self.uncredited


def breakdown(engine: Engine, status: str, period: str | None = None, zone: str = "UTC") -> list[Line]:
    """Who is credited with what, beside the source's own total, for every quarter (or one) and currency."""
    lines: dict[tuple[str, str, str], Line] = {}

    def line(connection: str, quarter: str, currency: str) -> Line:
        key = (connection, quarter, currency)
        return lines.setdefault(key, Line(connection, quarter, currency, status))

    deals = load(engine, "deals", core(Deal).c.status == status)
    for row in rows(deals.groupby(["connection", "period_id", "currency"], dropna=False).agg(
        n=("external_id", "size"), known=("amount_minor", "count")
    ).reset_index()):  # fmt: skip
        found = line(row.connection, _name(row.period_id), _name(row.currency))
        found.deals, found.without_amount = int(row.n), int(row.n - row.known)
    owned = owner_at_close(deals, owner_moves(engine, zone), load(engine, "identities"))
    for row in rows(totals(credit(owned, load(engine, "splits")))):
        found, cents = line(row.connection, _name(row.period_id), _name(row.currency)), int(row.minor)
        if row.kind == "person":
            found.people[row.person_id] = found.people.get(row.person_id, 0) + cents
        elif row.kind == "unmatched":
            found.unmatched += cents
        else:
            found.uncredited += cents
    with engine.connect() as connection:
        quarters = connection.execute(select(core(Period)).where(core(Period).c.kind == "quarter", in_force())).all()
        _add_rejects(connection, status, quarters, line)
        _add_source(connection, status, quarters, line)
    chosen = [found for (_, quarter, _), found in sorted(lines.items()) if period in (None, quarter)]
    return chosen


def _name(value: object) -> str:
    return value if isinstance(value, str) else "none"


def _add_rejects(
    connection: Connection, status: str, quarters: Sequence[Any], line: Callable[[str, str, str], Line]
) -> None:
    table = core(Reject)
    for row in connection.execute(select(table).where(table.c.stream == "deals", table.c.status == status)):
        inside = [q.id for q in quarters if row.close_day is not None and q.first_day <= row.close_day < q.end_day]
        found = line(row.connection, inside[0] if inside else "none", _name(row.currency))
        found.rejected += row.amount_minor or 0
        found.deals += 1


def _add_source(
    connection: Connection, status: str, quarters: Sequence[Any], line: Callable[[str, str, str], Line]
) -> None:
    names = {(q.first_day, q.end_day): q.id for q in quarters}
    table = core(SourceTotal)
    for row in connection.execute(select(table).where(table.c.status == status)):
        if (row.first_day, row.end_day) in names and row.amount_minor is not None:  # else its deals were counted only
            found = line(row.connection, names[row.first_day, row.end_day], row.currency)
            found.source_total, found.source_deals, found.how = row.amount_minor, row.deals, row.how
