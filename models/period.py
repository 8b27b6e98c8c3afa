"""Fiscal periods as stored rows: months, quarters and years with their first day and the day after their last.

Every metric takes a period row, never a month number, so that a fiscal year may begin in any month.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Field

from models.base import Table


class Period(Table, table=True):
    """A fiscal month, quarter or year: [first_day, end_day)."""

    id: str = Field(primary_key=True)  # 2026-07, 2026-Q3, 2026; with a fiscal start: FY2027-M07, FY2027-Q3, FY2027
    kind: str = Field(index=True)  # month, quarter, year
    label: str
    first_day: date
    end_day: date
    quarter_id: str
    year_id: str


@dataclass(frozen=True)
class FiscalCalendar:
    """Which month the fiscal year begins in, and whether it is named after the year it ends or starts in."""

    start_month: int = 1
    named_by: str = "ending"  # ending, starting

    def year_of(self, day: date) -> int:
        """The fiscal year's number that a day lies in."""
        started = day.year if day.month >= self.start_month else day.year - 1
        return started if self.start_month == 1 or self.named_by == "starting" else started + 1

    def periods(self, first: date, last: date) -> list[Period]:
        """Every period of the fiscal years from the one that `first` lies in to that of `last`, both whole."""
        found: list[Period] = []
        for year in range(self.year_of(first), self.year_of(last) + 1):
            started = year if self.start_month == 1 or self.named_by == "starting" else year - 1
            months = [
                date(started + (self.start_month - 1 + m) // 12, (self.start_month - 1 + m) % 12 + 1, 1)
                for m in range(13)
            ]
            prefix = f"{year}" if self.start_month == 1 else f"FY{year}"
            for m in range(12):
                quarter = f"{prefix}-Q{m // 3 + 1}"
                name = f"{year}-{m + 1:02}" if self.start_month == 1 else f"{prefix}-M{m + 1:02}"
                label = f"{months[m]:%B %Y}"
                found.append(_row(name, "month", label, months[m], months[m + 1], quarter, prefix))
            for q in range(4):
                name = f"{prefix}-Q{q + 1}"
                found.append(
                    _row(name, "quarter", f"Q{q + 1} {prefix}", months[q * 3], months[q * 3 + 3], name, prefix)
                )
            found.append(_row(prefix, "year", prefix, months[0], months[12], "", prefix))
        return found


def _row(name: str, kind: str, label: str, first: date, end: date, quarter: str, year: str) -> Period:
    return Period(id=name, kind=kind, label=label, first_day=first, end_day=end, quarter_id=quarter, year_id=year)


def period_of(periods: Sequence[Period], day: date, kind: str = "quarter") -> Period:
    """The period of this kind that a day lies in; a LookupError says which days are known."""
    for period in periods:
        if period.kind == kind and period.first_day <= day < period.end_day:
            return period
    known = [p for p in periods if p.kind == kind]
    span = f"{known[0].first_day} to {known[-1].end_day}" if known else "none at all"
    raise LookupError(f"no {kind} holds {day}: the stored periods cover {span}; run a sync, it adds the missing ones")


def month_start(day: date, after: int = 0) -> date:
    """The first day of the calendar month that a day lies in, or of one so many months after it."""
    number = day.year * 12 + day.month - 1 + after
    return date(number // 12, number % 12 + 1, 1)
