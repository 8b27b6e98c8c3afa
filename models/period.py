"""Fiscal periods as stored rows, and the calendars that they are made by: of months, of whole weeks, or a CRM's own.

Every metric takes a period row, never a month number. A fiscal year is its edges: the first days of its months and
the day after its last; everything else follows from them, so that months, quarters and years always fit together.
When rows are stored, and what a change of calendar does: sync.calendar.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field

from models.base import Table, core
from models.errors import UserError


class Period(Table, table=True):
    """A fiscal month, quarter or year: [first_day, end_day).

    Those in force follow on each other without a gap. One that another calendar took the place of is kept, retired,
    while a page was made with it; no new figure is.
    """

    id: str = Field(primary_key=True)  # 2026-07, 2026-Q3, 2026; FY2027-M07, FY2027-Q3, FY2027; of weeks FY2027-P07
    kind: str = Field(index=True)  # month, quarter, year
    label: str
    first_day: date
    end_day: date
    quarter_id: str
    year_id: str
    retired_at: datetime | None = None


class CalendarVersion(Table, table=True):
    """A fiscal calendar that was put in force; the newest one is. The first one is that of the first settings."""

    number: int = Field(primary_key=True)
    body: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)  # the fields of FiscalCalendar
    words: str = ""
    adopted_at: datetime | None = None  # null: since the beginning
    adopted_by: str = ""


def in_force() -> Any:
    """The condition that a period's row is one of today's calendar."""
    return core(Period).c.retired_at.is_(None)


class NoPeriod(UserError, LookupError):
    """No stored period holds a day."""


def holding(periods: Iterable[Period], day: date, kind: str = "quarter") -> Period | None:
    """The period of this kind that a day lies in; None where none does."""
    return next((p for p in periods if p.kind == kind and p.first_day <= day < p.end_day), None)


def period_of(periods: Sequence[Period], day: date, kind: str = "quarter") -> Period:
    """The period of this kind that a day lies in; an error says which days are known."""
    if found := holding(periods, day, kind):
        return found
    known = sorted((p for p in periods if p.kind == kind), key=lambda p: p.first_day)
    span = f"{known[0].first_day} to {known[-1].end_day}" if known else "none at all"
    raise NoPeriod(
        f"no {kind} holds {day}: the stored periods cover {span}; run a sync, it adds the missing ones; where the "
        "calendar is read from a CRM, its fiscal year has to be defined there first"
    )


def month_start(day: date, after: int = 0) -> date:
    """The first day of the calendar month that a day lies in, or of one so many months after it."""
    number = day.year * 12 + day.month - 1 + after
    return date(number // 12, number % 12 + 1, 1)


PATTERNS = {"4-4-5": (4, 4, 5), "4-5-4": (4, 5, 4), "5-4-4": (5, 4, 4)}
WEEKDAYS = {
    "mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday", "sat": "Saturday",
    "sun": "Sunday",
}  # fmt: skip
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November"),
    "December",
)


@dataclass(frozen=True)
class Weeks:
    """A fiscal year of 52 whole weeks, and of 53 in every fifth or sixth year.

    It ends on a weekday: the last one of its closing month, or the one nearest to that month's end. The 53rd week goes
    into `long_month`.
    """

    pattern: str = "4-4-5"
    ends_on: str = "sat"
    ends: str = "last"  # last, nearest
    long_month: int = 12

    def end(self, month_end: date) -> date:
        """The day after the last day of the year whose closing month ends before `month_end`."""
        last = month_end - timedelta(days=1)
        before = last - timedelta(days=(last.weekday() - [*WEEKDAYS].index(self.ends_on)) % 7)
        if self.ends == "nearest" and (last - before).days > 3:
            before += timedelta(days=7)
        return before + timedelta(days=1)


@dataclass(frozen=True)
class FiscalCalendar:
    """How an installation's fiscal years are cut: by month, by week, or as the CRM of a connection has them."""

    start_month: int = 1
    named_by: str = "ending"  # ending, starting: after which calendar year a fiscal year is called
    weeks: Weeks | None = None
    source: str = ""  # the connection whose CRM's own fiscal periods are followed

    @classmethod
    def stored(cls, body: dict[str, Any]) -> "FiscalCalendar":
        """A calendar from what `body` gave."""
        weeks = body.get("weeks")
        return cls(**{**body, "weeks": Weeks(**weeks) if weeks else None})

    @property
    def body(self) -> dict[str, Any]:
        """The calendar as it is stored."""
        return asdict(self)

    @property
    def words(self) -> str:
        """The calendar in a sentence's words."""
        if self.source:
            return f"as {self.source} has its fiscal periods"
        year = "" if self._plain else f", named after the calendar year it {self.named_by.removesuffix('ing')}s in"
        if self.weeks is None:
            return f"by month, the year begins in {MONTHS[self.start_month - 1]}{year}"
        closing, day = MONTHS[self.start_month - 2], WEEKDAYS[self.weeks.ends_on]
        where = f"the last {day} of" if self.weeks.ends == "last" else f"the {day} nearest to the end of"
        extra = f", a 53rd week in month {self.weeks.long_month}"
        return f"{self.weeks.pattern} weeks, the year ends on {where} {closing}{extra}{year}"

    @property
    def _plain(self) -> bool:
        return self.start_month == 1

    def edges(self, year: int) -> list[date]:
        """The first days of the twelve months of a fiscal year, and the day after its last."""
        started = year if self._plain or self.named_by == "starting" else year - 1
        first = date(started, self.start_month, 1)
        if self.weeks is None:
            return [month_start(first, n) for n in range(13)]
        begin, end = self.weeks.end(first), self.weeks.end(month_start(first, 12))
        lengths = [*PATTERNS[self.weeks.pattern] * 4]
        lengths[self.weeks.long_month - 1] += (end - begin).days // 7 - 52
        return [begin + timedelta(weeks=n) for n in accumulate(lengths, initial=0)]

    def year_of(self, day: date) -> int:
        """The fiscal year's number that a day lies in."""
        nearly = range(day.year - 1, day.year + 3)
        return next(year for year in nearly if day < self.edges(year)[12])

    def periods(self, first: date, last: date) -> list[Period]:
        """Every period of the fiscal years from the one that `first` lies in to that of `last`, both whole."""
        years = range(self.year_of(first), self.year_of(last) + 1)
        return [p for year in years for p in year_periods(year, self.edges(year), (0, 3, 6, 9, 12))]


def year_periods(year: int, edges: Sequence[date], quarters: Sequence[int]) -> list[Period]:
    """The rows of one fiscal year: `edges` of its months, and at which of them the quarters meet.

    A year of calendar months from January on is called 2026; every other one FY2026, and its months M07 where they
    are calendar months, P07 where they are not.
    """
    monthly = all(edge.day == 1 for edge in edges)
    plain = monthly and edges[0] == date(year, 1, 1) and edges[-1] == date(year + 1, 1, 1) and len(edges) == 13
    whole, found = f"{year}" if plain else f"FY{year}", list[Period]()
    ids = [f"{whole}-Q{n + 1}" for n in range(len(quarters) - 1)]
    of = {m: ids[q] for q, (a, b) in enumerate(pairwise(quarters)) for m in range(a, b)}
    for m, (first, end) in enumerate(pairwise(edges)):
        name = f"{whole}-{m + 1:02}" if plain else f"{whole}-{'M' if monthly else 'P'}{m + 1:02}"
        label = f"{first:%B %Y}" if monthly else f"P{m + 1} {whole}"
        found.append(_row(name, "month", label, first, end, of[m], whole))
    weeks = (edges[-1] - edges[0]).days / 7
    for name, (a, b) in zip(ids, pairwise(quarters), strict=True):
        long = f" ({(edges[b] - edges[a]).days // 7} weeks)" if weeks == 53 and (edges[b] - edges[a]).days > 91 else ""
        found.append(_row(name, "quarter", f"{name.rsplit('-')[-1]} {whole}{long}", edges[a], edges[b], name, whole))
    found.append(_row(whole, "year", whole + (" (53 weeks)" if weeks == 53 else ""), edges[0], edges[-1], "", whole))
    return found


def _row(name: str, kind: str, label: str, first: date, end: date, quarter: str, year: str) -> Period:
    return Period(id=name, kind=kind, label=label, first_day=first, end_day=end, quarter_id=quarter, year_id=year)


@dataclass(frozen=True)
class Given:
    """A fiscal period as a CRM has it."""

    id: str
    kind: str  # month, quarter, year
    label: str
    first_day: date
    end_day: date


def given_periods(rows: Iterable[Given]) -> tuple[list[Period], dict[str, str]]:
    """The years that a CRM's own periods make, and by the id of a year's row what is wrong with those that do not.

    A year is taken as it is or not at all: its quarters must fill it, its months must fill the quarters, and no other
    year may hold a day of it. Nothing that the CRM does not say is made up.
    """
    every = sorted(rows, key=lambda r: (r.first_day, r.end_day, r.id))
    found: list[Period] = []
    wrong: dict[str, str] = {}
    end, names = date.min, set[str]()
    for year in (r for r in every if r.kind == "year"):
        inside = [r for r in every if r.first_day >= year.first_day and r.end_day <= year.end_day]
        months, quarters = ([r for r in inside if r.kind == kind] for kind in ("month", "quarter"))
        edges, meets = _edges(year, months), _edges(year, quarters)
        shown = f"fiscal year {year.label!r} from {year.first_day} to before {year.end_day}"
        number = _number(year)
        if edges is None or meets is None:
            parts = "months" if edges is None else "quarters"
            wrong[year.id] = f"{shown}: its {parts} do not fill it without a gap or an overlap"
        elif not set(meets) <= set(edges):
            wrong[year.id] = f"{shown}: its quarters do not begin where months do"
        elif year.first_day < end:
            wrong[year.id] = f"{shown}: the year before it ends later, on {end}"
        else:
            made = year_periods(number, edges, [edges.index(edge) for edge in meets])
            if made[-1].id in names:
                wrong[year.id] = f"{shown}: another year is called {made[-1].id} too"
                continue
            names.add(made[-1].id)
            found += made
            end = year.end_day
    return found, wrong


def _edges(year: Given, parts: Sequence[Given]) -> list[date] | None:
    """First days and end of parts that fill a year one after the other; None when they do not."""
    if not parts or parts[0].first_day != year.first_day or parts[-1].end_day != year.end_day:
        return None
    if any(a.end_day != b.first_day for a, b in pairwise(parts)):
        return None
    return [*(p.first_day for p in parts), year.end_day]


def _number(year: Given) -> int:
    """The year's number in the CRM's own words, else the calendar year it ends in."""
    named = re.findall(r"(?<!\d)(?:19|20|21)\d\d(?!\d)", year.label)
    return int(named[-1]) if named else (year.end_day - timedelta(days=1)).year


def renamed(period: Period, names: dict[str, str]) -> Period:
    """The same period under other ids, where its own are taken."""
    fields = {k: getattr(period, k) for k in Period.model_fields}
    return Period(**fields | {k: names.get(fields[k], fields[k]) for k in ("id", "quarter_id", "year_id")})
