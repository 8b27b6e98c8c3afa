"""The fiscal calendar in force: years are only added, another one takes its place when told to, and the past stays."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select, update

from models import CalendarVersion, Deal, Period, Person, Reject, ScorecardSnapshot, SourceTotal
from models.base import core
from models.errors import UserError
from models.ledger import RunStatus
from models.period import FiscalCalendar, NoPeriod, Weeks, in_force, period_of
from sync.adoption import adopt
from sync.calendar import difference, ensure_periods, period_ids, replace, stored_periods
from sync.lease import Locked, held
from sync.report import RunReport
from sync.rules import Rules
from sync.run import run_sync
from tests.support.memory import Memory, deal, user

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
DEEP = settings().max_examples >= 500
MONTHS, FEBRUARY = FiscalCalendar(), FiscalCalendar(2)
WEEKS = FiscalCalendar(2, "ending", Weeks("4-4-5"))
OFF = FiscalCalendar(2, "starting", Weeks("4-5-4", "sat", "nearest"))  # the same ids for other days
CRM = FiscalCalendar(source="crm")


def days(*texts: str) -> "pd.Series[Any]":
    return pd.Series([pd.Timestamp(text) for text in texts])


def go(store: Engine, folder: Path, source: Memory, calendar: FiscalCalendar, **kwargs: Any) -> RunReport:
    """Run a source once, with these settings."""
    rules = Rules("EUR", "UTC", folder / "landing", calendar)
    return run_sync(store, "crm", source, rules, **({"clock": lambda: NOW} | kwargs))


def some_deals() -> list[dict[str, Any]]:
    """A deal on each edge of quarters that calendars disagree about."""
    texts = ("2026-01-31", "2026-02-01", "2026-04-26", "2026-07-25", "2026-07-26", "2026-10-24", "2026-11-01")
    return [deal(f"d{n}", close_day=text, amount_minor=100 * (n + 1)) for n, text in enumerate(texts)]


def quarters_of_deals(store: Engine) -> dict[str, str | None]:
    table = core(Deal).c
    with store.connect() as connection:
        return {r.external_id: r.period_id for r in connection.execute(select(table.external_id, table.period_id))}


def page(connection: Any, period: str, as_of: date) -> None:
    """A page that was made with a period."""
    person = connection.scalar(select(core(Person).c.id))
    row = {"person_id": person, "period_id": period, "as_of": as_of, "profile": "", "computed_at": NOW, "body": period}
    connection.execute(core(ScorecardSnapshot).insert(), [row])


def hold_well(store: Engine, calendar: FiscalCalendar) -> None:
    """Periods in force follow on each other as the calendar makes them, and deals lie in them by their days."""
    with store.connect() as connection:
        now = stored_periods(connection)
        made = calendar.periods(min(p.first_day for p in now), max(p.end_day for p in now) - timedelta(days=1))
        found = connection.execute(select(core(Deal).c.close_day, core(Deal).c.period_id)).all()
    assert {(p.kind, p.first_day, p.end_day) for p in now} == {(p.kind, p.first_day, p.end_day) for p in made}
    for kind in ("month", "quarter", "year"):
        assert all(a.end_day == b.first_day for a, b in pairwise([p for p in now if p.kind == kind]))
    ids = {p.id for p in now}
    assert {p.quarter_id for p in now if p.kind == "month"} | {p.year_id for p in now} <= ids
    assert [row.period_id for row in found] == [period_of(now, row.close_day).id for row in found]


def test_other_settings_change_nothing_until_they_are_put_in_force(store: Engine, tmp_path: Path) -> None:
    source = Memory({"people": [user("u1")], "deals": some_deals()})
    go(store, tmp_path, source, MONTHS)
    before = quarters_of_deals(store)
    source.rows["deals"].append(deal("d9", close_day="2027-05-05"))
    go(store, tmp_path, source, WEEKS)
    assert quarters_of_deals(store) == before | {"d9": "2027-Q2"}
    hold_well(store, MONTHS)
    change = adopt(store, WEEKS, lambda: NOW, "test")
    assert (change.before, change.after) == (MONTHS.words, WEEKS.words)
    assert change.deals == 8
    assert not change.retired
    hold_well(store, WEEKS)
    assert quarters_of_deals(store)["d0"] == "FY2026-Q4"
    with store.connect() as connection:
        versions = connection.execute(select(core(CalendarVersion)).order_by(core(CalendarVersion).c.number)).all()
        assert not difference(connection, WEEKS)
    assert [(v.number, v.adopted_at, v.adopted_by) for v in versions] == [(1, None, "settings"), (2, NOW, "test")]


def test_the_next_run_asks_the_source_for_its_totals_of_the_new_quarters(store: Engine, tmp_path: Path) -> None:
    source = Memory({"people": [user("u1")], "deals": some_deals()})
    go(store, tmp_path, source, MONTHS)
    adopt(store, WEEKS, lambda: NOW, "test")
    report = go(store, tmp_path, source, WEEKS)
    assert report.status is RunStatus.SUCCESS, report.message
    table = core(SourceTotal).c
    with store.connect() as connection:
        asked = {(r.first_day, r.end_day) for r in connection.execute(select(table.first_day, table.end_day))}
        now = {(p.first_day, p.end_day) for p in stored_periods(connection) if p.kind == "quarter"}
        close = set(connection.scalars(select(core(Deal).c.close_day)))
    assert asked == {span for span in now if any(span[0] <= day < span[1] for day in close)}


def test_nothing_is_put_in_force_while_a_sync_runs(store: Engine, tmp_path: Path) -> None:
    go(store, tmp_path, Memory({"people": [user("u1")], "deals": some_deals()}), MONTHS)
    with held(store, "sync:crm", lambda: NOW), pytest.raises(Locked):
        adopt(store, WEEKS, lambda: NOW, "test")
    hold_well(store, MONTHS)


def test_a_new_quarter_with_the_id_of_one_that_pages_were_made_with_is_called_r2(store: Engine, tmp_path: Path) -> None:
    go(store, tmp_path, Memory({"people": [user("u1")], "deals": some_deals()}), WEEKS)
    with store.begin() as connection:
        page(connection, "FY2026-Q4", date(2026, 1, 5))
    change = adopt(store, OFF, lambda: NOW, "test")
    assert change.retired == ("FY2026-Q4",)
    hold_well(store, OFF)
    with store.connect() as connection:
        rows = {r.id: r for r in connection.execute(select(core(Period)))}
    assert (rows["FY2026-Q4"].first_day, rows["FY2026-Q4"].retired_at) == (date(2025, 10, 26), NOW)
    assert (rows["FY2026-Q4-r2"].first_day, rows["FY2026-Q4-r2"].retired_at) == (date(2026, 11, 1), None)
    assert rows["FY2026-P12"].quarter_id == "FY2026-Q4-r2"
    back = adopt(store, WEEKS, lambda: NOW, "test")
    assert back.revived == ("FY2026-Q4",)
    hold_well(store, WEEKS)


CALENDARS = st.sampled_from([MONTHS, FEBRUARY, WEEKS, OFF, FiscalCalendar(2, "starting"), FiscalCalendar(7)])


@settings(
    max_examples=200 if DEEP else 12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(CALENDARS, st.lists(st.integers(0, 40), max_size=3)), min_size=2, max_size=5))
def test_after_any_changes_pages_find_the_period_that_they_were_made_with(
    emptied: Callable[[], Engine], history: list[tuple[FiscalCalendar, list[int]]]
) -> None:
    store, made = emptied(), {}
    for number, (calendar, pages) in enumerate(history):
        with store.begin() as connection:
            if number == 0:
                ensure_periods(connection, calendar, days("2024-06-01", "2027-06-01"))
            replace(connection, calendar, NOW, "test")
            quarters = [p for p in stored_periods(connection) if p.kind == "quarter"]
            for at in pages:
                period = quarters[at % len(quarters)]
                if (period.id, number) not in made:
                    page(connection, period.id, date(2026, 1, 1) + timedelta(days=number))
                    made[period.id, number] = (period.first_day, period.end_day)
        hold_well(store, calendar)
        with store.connect() as connection:
            assert not difference(connection, calendar)
            rows = {r.id: (r.first_day, r.end_day) for r in connection.execute(select(core(Period)))}
            ensure_periods(connection, calendar, days("2031-01-01"))  # years to come find free ids, too
            hold = stored_periods(connection)
            connection.rollback()
        assert len({p.id for p in hold}) == len(hold)
        assert {key[0]: span for key, span in made.items()}.items() <= rows.items()


@pytest.fixture
def emptied(lite: Engine, tmp_path: Path) -> Callable[[], Engine]:
    """One store with a few deals, put back to its beginning for each history."""
    go(lite, tmp_path, Memory({"people": [user("u1")], "deals": some_deals()}), MONTHS)

    def fresh() -> Engine:
        with lite.begin() as connection:
            for model in (ScorecardSnapshot, Period, CalendarVersion):
                connection.execute(delete(core(model)))
            connection.execute(update(core(Deal)).values(period_id=None))
        return lite

    return fresh


def test_a_store_from_before_calendars_were_kept_takes_over_the_one_of_its_settings(
    store: Engine, tmp_path: Path
) -> None:
    """Until then, other settings added their own periods beside the old ones."""
    go(store, tmp_path, Memory({"people": [user("u1")], "deals": some_deals()}), MONTHS)
    with store.begin() as connection:
        connection.execute(delete(core(CalendarVersion)))
        mixed = FEBRUARY.periods(date(2026, 1, 1), date(2026, 12, 1))
        connection.execute(core(Period).insert(), [p.model_dump() for p in mixed])
        page(connection, "2026-Q1", date(2026, 1, 5))
        ensure_periods(connection, FEBRUARY, days("2026-11-24"))
    hold_well(store, FEBRUARY)
    with store.connect() as connection:
        retired = connection.execute(select(core(Period)).where(~in_force())).all()
    assert [(r.id, r.retired_at) for r in retired] == [("2026-Q1", NOW)]


def fiscal(calendar: FiscalCalendar, first: int, last: int) -> list[dict[str, Any]]:
    """A CRM's own fiscal periods of some years."""
    periods = calendar.periods(date(first, 6, 1), date(last, 6, 1))
    return [{"external_id": p.id.lower(), "kind": p.kind, "label": p.label, "first_day": p.first_day.isoformat(),
             "end_day": p.end_day.isoformat()} for p in periods]  # fmt: skip


class TestAsTheCrmHasIt:
    """The years of a CRM are taken as they are; nothing is made up beyond them."""

    def source(self, calendar: FiscalCalendar, first: int = 2026, last: int = 2026) -> Memory:
        rows = {"people": [user("u1")], "fiscal_periods": fiscal(calendar, first, last), "deals": some_deals()}
        return Memory(rows, page=500)

    def test_deals_lie_in_its_quarters_and_nowhere_outside_of_its_years(self, store: Engine, tmp_path: Path) -> None:
        source = self.source(OFF)
        report = go(store, tmp_path, source, CRM)
        assert report.status is RunStatus.SUCCESS, report.message
        found = quarters_of_deals(store)
        assert (found["d0"], found["d1"], found["d6"]) == (None, "FY2026-Q1", "FY2026-Q4")
        source.rows["fiscal_periods"] = fiscal(OFF, 2025, 2027)  # the year that was missing is set up in the CRM
        go(store, tmp_path, source, CRM, clock=lambda: NOW + timedelta(days=100))
        with store.begin() as connection:
            ensure_periods(connection, CRM, days("2026-01-31"))
        assert quarters_of_deals(store)["d0"] == "FY2025-Q4"
        hold_well(store, OFF)

    def test_a_day_without_a_year_is_an_error_that_says_what_to_do(self, store: Engine, tmp_path: Path) -> None:
        go(store, tmp_path, self.source(OFF, 2020, 2021), CRM)
        with store.begin() as connection, pytest.raises(NoPeriod, match="its fiscal year has to be defined there"):
            period_of(ensure_periods(connection, CRM, days("2026-11-24")), NOW.date())

    def test_another_source_that_is_synced_before_it_loses_nothing(self, store: Engine, tmp_path: Path) -> None:
        rules = Rules("EUR", "UTC", tmp_path / "landing", CRM)
        early = Memory({"people": [user("u1")], "deals": [deal("e1", close_day="2026-03-03")]})
        report = run_sync(store, "sheets", early, rules, clock=lambda: NOW)
        assert report.status is RunStatus.SUCCESS, report.message
        assert quarters_of_deals(store) == {"e1": None}
        go(store, tmp_path, self.source(OFF), CRM)
        assert quarters_of_deals(store)["e1"] == "FY2026-Q1"

    def test_a_year_that_does_not_fit_is_a_reject_and_the_others_hold(self, store: Engine, tmp_path: Path) -> None:
        source = self.source(OFF, 2026, 2027)
        (broken,) = [r for r in source.rows["fiscal_periods"] if r["external_id"] == "fy2027-q2"]
        broken["end_day"] = "2027-08-08"
        report = go(store, tmp_path, source, CRM)
        assert report.status is RunStatus.PARTIAL
        with store.connect() as connection:
            (told,) = connection.execute(select(core(Reject))).all()
        assert (told.stream, told.external_id) == ("fiscal_periods", "fy2027")
        assert "its quarters do not fill it without a gap or an overlap" in told.message
        assert quarters_of_deals(store)["d6"] == "FY2026-Q4"
        broken["end_day"] = "2027-07-31"
        source.rows["fiscal_periods"] = fiscal(OFF, 2026, 2027)
        assert go(store, tmp_path, source, CRM).status is RunStatus.SUCCESS

    def test_years_that_were_changed_in_the_crm_wait_until_they_are_put_in_force(
        self, store: Engine, tmp_path: Path
    ) -> None:
        source = self.source(OFF, 2025, 2026)
        go(store, tmp_path, source, CRM)
        before = quarters_of_deals(store)
        source.rows["fiscal_periods"] = fiscal(FiscalCalendar(2, "starting"), 2025, 2026)
        go(store, tmp_path, source, CRM, allow_removals=24)
        assert quarters_of_deals(store) == before
        with store.connect() as connection:
            assert difference(connection, CRM)
        adopt(store, CRM, lambda: NOW, "test")
        hold_well(store, FiscalCalendar(2, "starting"))

    def test_it_cannot_be_put_in_force_before_the_crm_was_read(self, store: Engine, tmp_path: Path) -> None:
        go(store, tmp_path, Memory({"people": [user("u1")], "deals": some_deals()}), MONTHS)
        with pytest.raises(UserError, match="has no fiscal years stored yet; run: beyond-quota sync crm"):
            adopt(store, CRM, lambda: NOW, "test")


@given(st.lists(st.dates(date(1969, 1, 1), date(2101, 1, 1)), max_size=20), CALENDARS)
def test_a_day_gets_the_quarter_that_holds_it_or_none(asked: list[date], calendar: FiscalCalendar) -> None:
    years = ((date(2020, 6, 1), date(2021, 6, 1)), (date(2025, 6, 1), date(2026, 6, 1)))
    periods = [p for first, last in years for p in calendar.periods(first, last)]
    found = period_ids(pd.Series(pd.to_datetime(asked), dtype="datetime64[s]"), periods)
    for day, name in zip(asked, found, strict=True):
        own = [p.id for p in periods if p.kind == "quarter" and p.first_day <= day < p.end_day]
        assert [name] == own if own else pd.isna(name)
