"""Fiscal periods: every day lies in exactly one month, quarter and year, whatever month the year begins in."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.period import FiscalCalendar, period_of

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))
CALENDARS = st.builds(FiscalCalendar, st.integers(1, 12), st.sampled_from(["ending", "starting"]))


@given(DAYS, CALENDARS)
def test_a_day_lies_in_exactly_one_period_of_each_kind(day: date, calendar: FiscalCalendar) -> None:
    periods = calendar.periods(day - timedelta(days=400), day + timedelta(days=400))
    assert len({p.id for p in periods}) == len(periods)
    for kind in ("month", "quarter", "year"):
        holding = [p for p in periods if p.kind == kind and p.first_day <= day < p.end_day]
        assert len(holding) == 1
        assert period_of(periods, day, kind) == holding[0]


@given(DAYS, CALENDARS)
def test_the_parts_of_a_year_follow_on_without_a_gap(day: date, calendar: FiscalCalendar) -> None:
    periods = calendar.periods(day, day)
    year = next(p for p in periods if p.kind == "year")
    for kind, number in (("month", 12), ("quarter", 4)):
        parts = [p for p in periods if p.kind == kind]
        assert len(parts) == number
        assert parts[0].first_day == year.first_day
        assert parts[-1].end_day == year.end_day
        assert all(a.end_day == b.first_day for a, b in pairwise(parts))


@pytest.mark.parametrize(
    ("start", "named_by", "day", "quarter"),
    [
        (1, "ending", date(2026, 9, 15), "2026-Q3"),
        (2, "ending", date(2026, 9, 15), "FY2027-Q3"),
        (2, "starting", date(2026, 9, 15), "FY2026-Q3"),
        (2, "ending", date(2026, 5, 1), "FY2027-Q2"),
        (10, "ending", date(2026, 10, 1), "FY2027-Q1"),
    ],
)
def test_fiscal_quarters_are_named_as_the_setting_says(start: int, named_by: str, day: date, quarter: str) -> None:
    calendar = FiscalCalendar(start, named_by)
    assert period_of(calendar.periods(day, day), day).id == quarter


def test_a_day_outside_the_stored_periods_is_an_error_that_says_which_are_stored() -> None:
    periods = FiscalCalendar().periods(date(2026, 1, 1), date(2026, 12, 31))
    with pytest.raises(LookupError, match="2026-01-01 to 2027-01-01"):
        period_of(periods, date(2030, 1, 1))
