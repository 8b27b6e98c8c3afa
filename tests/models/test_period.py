"""Fiscal periods: every day lies in exactly one month, quarter and year, of months, of weeks or as a CRM has them."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.period import PATTERNS, WEEKDAYS, FiscalCalendar, Given, Weeks, given_periods, period_of

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))
WEEKS = st.builds(
    Weeks, st.sampled_from([*PATTERNS]), st.sampled_from([*WEEKDAYS]), st.sampled_from(["last", "nearest"]),
    st.integers(1, 12),
)  # fmt: skip
CALENDARS = st.builds(
    FiscalCalendar, st.integers(1, 12), st.sampled_from(["ending", "starting"]), st.one_of(st.none(), WEEKS)
)
NRF = FiscalCalendar(2, "starting", Weeks("4-5-4", "sat", "nearest"))


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


@settings(max_examples=300 if settings().max_examples >= 500 else 15)
@given(CALENDARS, st.integers(1970, 2060))
def test_sixty_years_are_cut_without_gap_or_overlap_and_each_id_is_one_period(
    calendar: FiscalCalendar, year: int
) -> None:
    periods = calendar.periods(date(year, 6, 15), date(year + 60, 6, 15))
    assert len({p.id for p in periods}) == len(periods)
    ends = set()
    for kind, number in (("month", 12), ("quarter", 4), ("year", 1)):
        row = [p for p in periods if p.kind == kind]
        assert len(row) == 61 * number
        assert all(a.end_day == b.first_day for a, b in pairwise(row))
        ends.add((row[0].first_day, row[-1].end_day))
    assert len(ends) == 1
    by_id = {p.id: p for p in periods}
    for p in periods:
        whole = by_id[p.quarter_id or p.year_id]
        assert whole.first_day <= p.first_day < p.end_day <= whole.end_day
    days = Counter({p.id: (p.first_day - p.end_day).days for p in periods if p.kind == "quarter"})
    for p in (p for p in periods if p.kind == "month"):
        days[p.quarter_id] += (p.end_day - p.first_day).days
    assert not any(days.values())  # the months of a quarter are its days


@settings(max_examples=60)
@given(WEEKS, st.integers(1, 12), st.integers(1970, 2035))
def test_a_year_of_weeks_has_52_of_them_or_53_every_fifth_or_sixth_year(weeks: Weeks, start: int, year: int) -> None:
    calendar = FiscalCalendar(start, "ending", weeks)
    lengths = []
    for number in range(year, year + 60):
        edges = calendar.edges(number)
        months = [(b - a).days / 7 for a, b in pairwise(edges)]
        lengths.append(sum(months))
        usual = [*PATTERNS[weeks.pattern] * 4]
        usual[weeks.long_month - 1] += int(lengths[-1]) - 52
        assert months == usual
        assert (edges[-1] - timedelta(days=1)).weekday() == [*WEEKDAYS].index(weeks.ends_on)
    assert set(lengths) == {52, 53}
    long = [n for n, length in enumerate(lengths) if length == 53]
    assert {b - a for a, b in pairwise(long)} <= {5, 6}


@pytest.mark.parametrize("ends", ["last", "nearest"])
@pytest.mark.parametrize("weekday", range(7))
@pytest.mark.parametrize("month", [1, 6, 12])
def test_years_of_weeks_end_where_pandas_says(ends: str, weekday: int, month: int) -> None:
    own: Any = pd.offsets
    theirs = own.FY5253(weekday=weekday, startingMonth=month, variation=ends)
    calendar = FiscalCalendar(month % 12 + 1, "ending", Weeks(ends_on=[*WEEKDAYS][weekday], ends=ends))
    for year in range(1990, 2050):
        last = calendar.edges(year)[12] - timedelta(days=1)
        assert theirs.is_on_offset(pd.Timestamp(last))


@pytest.mark.parametrize(("year", "first", "end"), [
    (2011, date(2011, 1, 30), date(2012, 1, 29)), (2012, date(2012, 1, 29), date(2013, 2, 3)),
    (2013, date(2013, 2, 3), date(2014, 2, 2)), (2017, date(2017, 1, 29), date(2018, 2, 4)),
    (2023, date(2023, 1, 29), date(2024, 2, 4)), (2024, date(2024, 2, 4), date(2025, 2, 2)),
])  # fmt: skip
def test_retail_years_are_those_that_the_national_retail_federation_published(
    year: int, first: date, end: date
) -> None:
    edges = NRF.edges(year)
    assert (edges[0], edges[12]) == (first, end)


def test_the_retail_years_of_53_weeks_are_the_published_ones_and_say_so() -> None:
    periods = NRF.periods(date(2000, 6, 1), date(2029, 6, 1))
    long = [p.id for p in periods if p.kind == "year" and "53 weeks" in p.label]
    assert long == ["FY2000", "FY2006", "FY2012", "FY2017", "FY2023", "FY2028"]
    assert [p.label for p in periods if p.id == "FY2023-Q4"] == ["Q4 FY2023 (14 weeks)"]
    assert period_of(periods, date(2024, 2, 3), "month").id == "FY2023-P12"
    assert period_of(periods, date(2024, 2, 4), "month").id == "FY2024-P01"


def test_the_53rd_week_makes_six_weeks_of_the_month_that_takes_it() -> None:
    """The reference's golden case: a 4-4-5 year that ends on the last Saturday of January 2026."""
    edges = FiscalCalendar(2, "ending", Weeks()).edges(2026)
    assert (edges[0], edges[11], edges[12]) == (date(2025, 1, 26), date(2025, 12, 21), date(2026, 2, 1))
    assert FiscalCalendar(2, "ending", Weeks(long_month=3)).edges(2026)[3] == date(2025, 5, 4)


def crm(calendar: FiscalCalendar, first: date, last: date) -> list[Given]:
    """A calendar's periods as a CRM would hand them out, by ids of its own."""
    return [Given(f"026{n}", p.kind, p.label, p.first_day, p.end_day)
            for n, p in enumerate(calendar.periods(first, last))]  # fmt: skip


@settings(max_examples=40)
@given(CALENDARS, st.integers(1990, 2060), st.randoms())
def test_a_crms_own_years_are_taken_as_they_are_in_whatever_order_they_come(
    calendar: FiscalCalendar, year: int, random: Any
) -> None:
    rows = crm(calendar, date(year, 6, 1), date(year + 3, 6, 1))
    random.shuffle(rows)
    found, wrong = given_periods(rows)
    assert not wrong
    own = calendar.periods(date(year, 6, 1), date(year + 3, 6, 1))
    assert {(p.id, p.first_day, p.end_day) for p in found} == {(p.id, p.first_day, p.end_day) for p in own}


def test_thirteen_periods_in_unequal_quarters_are_taken_as_they_are() -> None:
    first = date(2026, 2, 1)
    edges = [first + timedelta(weeks=4 * n) for n in range(14)]
    meets = [0, 3, 6, 9, 13]
    rows = [Given(f"m{n}", "month", f"P{n + 1}", a, b) for n, (a, b) in enumerate(pairwise(edges))]
    rows += [Given(f"q{n}", "quarter", "", edges[a], edges[b]) for n, (a, b) in enumerate(pairwise(meets))]
    rows.append(Given("y", "year", "FY 2026", first, edges[-1]))
    found, wrong = given_periods(rows)
    assert not wrong
    assert [p.quarter_id for p in found if p.kind == "month"][-4:] == ["FY2026-Q4"] * 4
    assert [p.id for p in found if p.kind == "month"][-1] == "FY2026-P13"


@pytest.mark.parametrize(("spoil", "words"), [
    (lambda rows: rows.pop(3), "its months do not fill it"),
    (lambda rows: rows.pop(13), "its quarters do not fill it"),
    (lambda rows: rows.append(replace(rows[-1], id="again", label="Year 1 FY 2031")), "the year before it ends later"),
    (lambda rows: rows.__setitem__(12, replace(rows[12], end_day=date(2026, 4, 2))), "its quarters do not fill it"),
])  # fmt: skip
def test_a_crms_year_that_does_not_fit_is_left_out_with_the_reason(spoil: Any, words: str) -> None:
    rows = crm(FiscalCalendar(), date(2026, 1, 1), date(2026, 1, 1))
    good = crm(FiscalCalendar(), date(2028, 1, 1), date(2028, 1, 1))
    spoil(rows)
    found, wrong = given_periods([*rows, *(replace(r, id=f"good{r.id}") for r in good)])
    assert [w for w in wrong.values() if words in w]
    assert "2028-Q1" in {p.id for p in found}  # the other years are not held up
