"""Our totals beside the source's own, to the cent, per period and currency."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection, delete, func, select

from connectors.base import SourceTotalDraft
from models import Deal, Reject, SourceTotal
from models.base import core
from models.money import plain

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


def our_totals(connection: Connection, source: str, span: Span) -> dict[tuple[str, str], tuple[int, int]]:
    """(status, currency) to (cents, deals): what we hold of a span, with rejected rows whose money could be read."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for model in (Deal, Reject):
        table = core(model).c
        here = [
            table.connection == source,
            table.close_day >= span[0],
            table.close_day < span[1],
            table.status.is_not(None),
        ]
        here.append(table.removed_at.is_(None) if model is Deal else table.stream == "deals")
        query = select(table.status, table.currency, func.sum(table.amount_minor), func.count())
        for status, currency, cents, deals in connection.execute(
            query.where(*here).group_by(table.status, table.currency)
        ):
            before = found.get((status, currency or ""), (0, 0))
            found[status, currency or ""] = (before[0] + int(cents or 0), before[1] + deals)
    return found


def differences(connection: Connection, source: str, totals: Sequence[SourceTotalDraft]) -> list[str]:
    """One sentence for each place where the source's own total and ours are not equal to the cent."""
    found: list[str] = []
    by_span: dict[Span, list[SourceTotalDraft]] = {}
    for total in totals:
        by_span.setdefault((total.first_day, total.end_day), []).append(total)
    for span, theirs in sorted(by_span.items()):
        ours = our_totals(connection, source, span)
        for total in theirs:
            cents, _ = ours.get((total.status, total.currency), (0, 0))
            if total.amount_minor is not None and cents != total.amount_minor:
                said, held = (plain(minor, total.currency) for minor in (total.amount_minor, cents))
                found.append(
                    f"{total.status} deals closing from {span[0]} to before {span[1]}: "
                    f"{source} says {said} {total.currency}, we hold {held}"
                )
    return found
