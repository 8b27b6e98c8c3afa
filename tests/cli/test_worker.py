"""Schedules: each slot once, both clock-change nights, and catching up."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beyond_quota.worker import due, slots, work_once
from config.settings import Schedule
from tests.sync.test_company import Office

ZONES = st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"])
TIMES = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda t: f"{t[0]:02}:{t[1]:02}")


@given(TIMES, ZONES, st.dates(datetime(2026, 1, 1).date(), datetime(2027, 12, 1).date()))
def test_every_local_day_has_exactly_one_slot(at: str, name: str, day: object) -> None:
    zone = ZoneInfo(name)
    # Twenty local days, from just before the first midnight: a day of the autumn change is longer than 24 hours.
    start = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=zone)
    end = start + timedelta(days=20)
    second = timedelta(seconds=1)
    found = list(slots(Schedule(at=at), zone, start.astimezone(UTC) - second, end.astimezone(UTC) - second))
    assert [s.astimezone(zone).date() for s in found] == [(start + timedelta(days=n)).date() for n in range(20)]
    assert all(timedelta(hours=22) <= b - a <= timedelta(hours=26) for a, b in pairwise(found))


@pytest.mark.parametrize(("zone", "night"), [
    ("Europe/Brussels", "2026-03-29"), ("Europe/Brussels", "2026-10-25"), ("America/New_York", "2026-11-01"),
    ("America/New_York", "2026-03-08"), ("Australia/Sydney", "2026-10-04"), ("Australia/Sydney", "2026-04-05"),
])  # fmt: skip
def test_a_clock_change_night_has_one_slot(zone: str, night: str) -> None:
    tz = ZoneInfo(zone)
    start = datetime.fromisoformat(f"{night}T00:00").replace(tzinfo=tz).astimezone(UTC)
    end = start + timedelta(hours=24)
    for at in ("01:30", "02:00", "02:30", "03:00"):
        assert len([s for s in slots(Schedule(at=at), tz, start, end) if s < end]) == 1


def test_only_the_named_weekdays_have_slots() -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)  # a Sunday
    found = slots(Schedule(at="02:00", weekdays=("mon",)), ZoneInfo("UTC"), start, start + timedelta(days=14))
    assert [s.strftime("%a %d") for s in found] == ["Mon 23", "Mon 30"]


def test_a_slot_runs_once_and_one_missed_too_long_ago_is_left(tmp_path: Path) -> None:
    office = Office(tmp_path)
    try:
        here = office.open()  # 09:00; the slots were at 02:00 and 02:30, seven hours ago
        assert list(due(here, here.clock())) == []
        here.now = here.clock() - timedelta(hours=3)
        assert [name for name, _ in due(here, here.clock())] == ["salesforce", "hubspot"]
        assert work_once(here) == 2
        assert work_once(here) == 0
        assert work_once(office.open()) == 0
    finally:
        for server in office.servers:
            server.stop()
