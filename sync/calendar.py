"""The fiscal calendar in force, the rows of its periods, and what putting another one in its place does.

The settings ask for a calendar; the store says which one holds. Stored periods never change by themselves: years are
only added. A change is made by `replace`, and what it does to the past is nothing: periods that a page was made with
are kept, retired, under their ids.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

import numpy as np
import pandas as pd
from sqlalchemy import Connection, delete, func, select, update

from connectors.base import RejectDraft
from models import CalendarVersion, Deal, FiscalPeriod, Period, Publication, ScorecardSnapshot, SourceTotal
from models.base import core, insert_into
from models.errors import UserError
from models.period import FiscalCalendar, Given, given_periods, in_force, renamed

DAWN = pd.Timestamp("1970-01-01")
DUSK = pd.Timestamp("2200-01-01")
"""Days outside of these are slips of a pen: no fiscal years are made for them."""


@dataclass(frozen=True)
class Change:
    """What another calendar does to the stored periods; empty when the stored ones are as it makes them."""

    before: str  # the calendars in words
    after: str
    added: tuple[Period, ...] = ()
    retired: tuple[str, ...] = ()  # kept, because pages were made with them
    removed: tuple[str, ...] = ()
    revived: tuple[str, ...] = ()
    deals: int = 0  # that are in another period now

    def __bool__(self) -> bool:
        return bool(self.added or self.retired or self.removed or self.revived)


def current(connection: Connection) -> FiscalCalendar | None:
    """The calendar in force; None in a store that has none yet."""
    version = newest(connection)
    return FiscalCalendar.stored(version.body) if version else None


def newest(connection: Connection) -> Any:
    """The version in force, with when it was put there; None in a store that has none yet."""
    table = core(CalendarVersion)
    return connection.execute(select(table).order_by(table.c.number.desc()).limit(1)).first()


def stored_periods(connection: Connection) -> list[Period]:
    """Every period in force, each kind by its first day."""
    table = core(Period)
    rows = connection.execute(select(table).where(in_force()).order_by(table.c.kind, table.c.first_day)).all()
    return cast(list[Period], rows)  # rows have the same fields; making objects of them takes longer than reading


def retired_periods(connection: Connection) -> list[Period]:
    """The periods that are kept because pages were made with them."""
    return sorted(cast(list[Period], list(_retired(connection).values())), key=lambda p: (p.kind, p.first_day, p.id))


def given(connection: Connection, source: str) -> list[Period]:
    """The fiscal periods that a CRM itself has, as far as its years fit."""
    return given_periods(_given(connection, source))[0]


def ensure_periods(connection: Connection, wanted: FiscalCalendar, days: "pd.Series[Any]") -> list[Period]:
    """Store the fiscal years that these days lie in, where they are not stored yet; gives back every period in force.

    `wanted` is what the settings ask for: the first of them is put in force, a later one waits for `replace`. A day
    that a CRM's own fiscal years do not hold lies in no period.
    """
    calendar = current(connection)
    if calendar is None:
        replace(connection, wanted, None, "settings", first=True)
        calendar = wanted
    stored = stored_periods(connection)
    sane = days[(days >= DAWN) & (days < DUSK)]
    if sane.empty:
        return stored
    # One unbroken row of years: a gap would leave days without a period.
    begin, end = min((p.first_day for p in stored), default=None), max((p.end_day for p in stored), default=None)
    first, last = sane.min().date(), sane.max().date()
    if begin is not None and end is not None:
        if begin <= first and last < end:
            return stored
        first, last = min(first, begin), max(last, end - timedelta(days=1))
    made = _made(connection, calendar, first, last)
    fresh = [p for p in made if begin is None or end is None or p.end_day <= begin or p.first_day >= end]
    if not fresh:
        return stored
    names = _names(fresh, _retired(connection))
    fresh = [renamed(p, names) for p in fresh]
    _store(connection, fresh)
    _assign(connection, fresh, only_blank=True)
    return sorted([*stored, *fresh], key=lambda p: (p.kind, p.first_day))


def period_ids(days: "pd.Series[Any]", periods: Sequence[Period]) -> "pd.Series[Any]":
    """The fiscal quarter each day lies in; unknown for a day outside the stored periods."""
    quarters = sorted((p for p in periods if p.kind == "quarter"), key=lambda p: p.first_day)
    names = np.array([*(p.id for p in quarters), None], dtype=object)
    starts, ends = (
        np.array([getattr(p, n) for p in quarters], dtype="datetime64[D]") for n in ("first_day", "end_day")
    )
    asked = days.to_numpy(dtype="datetime64[D]")
    at = np.searchsorted(starts, asked, side="right") - 1
    inside = days.notna().to_numpy() & (at >= 0)
    if quarters:
        inside &= asked < ends[at]  # a CRM's own years may have gaps
    return pd.Series(names[np.where(inside, at, -1)], index=days.index).astype("str")


def difference(connection: Connection, wanted: FiscalCalendar, first: bool = False) -> Change:
    """What `replace` would do, without doing it; deals are not counted."""
    old = stored_periods(connection)
    held = current(connection)
    before = held.words if held else "none yet"
    if not old:
        return Change(before, wanted.words)
    made = _made(connection, wanted, old[0].first_day, max(p.end_day for p in old) - timedelta(days=1))
    if wanted.source and not made and not first:
        raise UserError(f"{wanted.source} has no fiscal years stored yet; run: beyond-quota sync {wanted.source}")
    used, retired = _used(connection), _retired(connection)
    plain = {(p.id, p.kind, *_span(p)) for p in made}
    taken = {**retired, **{p.id: p for p in old if p.id in used and (p.id, p.kind, *_span(p)) not in plain}}
    names = _names(made, taken)
    new = {p.id: p for p in (renamed(p, names) for p in made)}
    gone = [p.id for p in old if p.id not in new or _span(new[p.id]) != _span(p)]
    kept = {p.id for p in old} - set(gone)
    return Change(
        before,
        wanted.words,
        added=tuple(p for i, p in new.items() if i not in kept and i not in taken),
        retired=tuple(i for i in gone if i in used),
        removed=tuple(i for i in gone if i not in used),
        revived=tuple(i for i in new if i not in kept and i in taken),
    )


def replace(
    connection: Connection, wanted: FiscalCalendar, now: datetime | None, by: str, first: bool = False
) -> Change:
    """Put a calendar in force, for every day that is stored, in the caller's transaction.

    Pages of the past stay what they are: the periods that they were made with are retired, not changed, and where a
    new period would have the id of one of those, it is called FY2027-Q3-r2. Deals come into their new quarters.
    `first` is for a store without a calendar: there a CRM's fiscal years may come later.
    """
    held = newest(connection)
    change = difference(connection, wanted, first)
    table = core(Period)
    if change.retired and now is None:  # an upgrade from before calendars were stored
        now = connection.scalar(select(func.max(core(ScorecardSnapshot).c.computed_at)))
    if change.removed:
        connection.execute(delete(table).where(table.c.id.in_(change.removed)))
    if change.retired:
        connection.execute(update(table).where(table.c.id.in_(change.retired)).values(retired_at=now))
    if change.revived:
        connection.execute(update(table).where(table.c.id.in_(change.revived)).values(retired_at=None))
    _store(connection, change.added)
    row = {"number": held.number + 1 if held else 1, "body": wanted.body, "words": wanted.words}
    row |= {"adopted_at": now, "adopted_by": by}
    if held is None or held.body != wanted.body or change:
        connection.execute(insert_into(connection, core(CalendarVersion)).values(row).on_conflict_do_nothing())
    deals = _assign(connection, stored_periods(connection)) if change else 0
    if change:  # what a source said of quarters that there are no more is asked anew
        quarters = select(table.c.id).where(
            in_force(), table.c.kind == "quarter", table.c.first_day == core(SourceTotal).c.first_day,
            table.c.end_day == core(SourceTotal).c.end_day,
        )  # fmt: skip
        connection.execute(delete(core(SourceTotal)).where(~quarters.exists()))
    return Change(**{**vars(change), "deals": deals})


def misfits(connection: Connection, source: str, wanted: FiscalCalendar) -> list[RejectDraft]:
    """A CRM's fiscal years that cannot be followed, where its calendar is: each with what is wrong in it."""
    if (current(connection) or wanted).source != source:
        return []
    _, wrong = given_periods(_given(connection, source))
    fix = "correct the fiscal year in the CRM's settings (Salesforce: Setup, Fiscal Year), then sync again"
    return [
        RejectDraft(i, "fiscal year does not fit", "first_day", "", f"{source}: {words}; it was not taken over", fix)
        for i, words in wrong.items()
    ]


def _made(connection: Connection, calendar: FiscalCalendar, first: date, last: date) -> list[Period]:
    """The periods of a calendar: of these days' years, or all that its CRM has."""
    if not calendar.source:
        return calendar.periods(first, last)
    return given_periods(_given(connection, calendar.source))[0]


def _given(connection: Connection, source: str) -> list[Given]:
    table = core(FiscalPeriod).c
    here = (table.connection == source, table.removed_at.is_(None), table.kind != "week")
    names = (table.external_id, table.kind, table.label, table.first_day, table.end_day)
    return [Given(*row) for row in connection.execute(select(*names).where(*here))]


def _span(period: Any) -> tuple[date, date]:
    return period.first_day, period.end_day


def _retired(connection: Connection) -> dict[str, Any]:
    rows = connection.execute(select(core(Period)).where(~in_force()))
    return {row.id: row for row in rows}


def _used(connection: Connection) -> set[str]:
    """Periods that a page was made with, or a figure written into a CRM."""
    pages, written = core(ScorecardSnapshot).c.period_id, core(Publication).c.period_id
    return {*connection.scalars(select(pages).distinct()), *connection.scalars(select(written).distinct())}


def _names(made: Sequence[Period], taken: Mapping[str, Any]) -> dict[str, str]:
    """New ids for periods whose own is that of a retired one with other days."""
    names: dict[str, str] = {}
    for period in made:
        name, n = period.id, 2
        while name in taken and _span(taken[name]) != _span(period):
            name, n = f"{period.id}-r{n}", n + 1
        if name != period.id:
            names[period.id] = name
    return names


def _store(connection: Connection, periods: Sequence[Period]) -> None:
    if periods:
        # Another process may add the same year just now.
        statement = insert_into(connection, core(Period)).on_conflict_do_nothing()
        connection.execute(statement, [p.model_dump() for p in periods])


def _assign(connection: Connection, periods: Sequence[Period], only_blank: bool = False) -> int:
    """Put stored deals into the quarter that their close date lies in; answers how many were in another one."""
    table, moved = core(Deal), 0
    quarters = [p for p in periods if p.kind == "quarter"]
    for quarter in quarters:
        wrong = table.c.period_id.is_(None) if only_blank else table.c.period_id.is_distinct_from(quarter.id)
        here = (table.c.close_day >= quarter.first_day, table.c.close_day < quarter.end_day, wrong)
        moved += connection.execute(update(table).where(*here).values(period_id=quarter.id)).rowcount
    if not only_blank:
        nowhere = (table.c.period_id.is_not(None), table.c.period_id.not_in([q.id for q in quarters]))
        moved += connection.execute(update(table).where(*nowhere).values(period_id=None)).rowcount
    return moved
