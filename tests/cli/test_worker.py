"""Schedules: each slot once, both clock-change nights, catching up, and several workers at once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from beyond_quota.worker import work_once
from models import Heartbeat, MissedSlot, Schedule, SyncRun
from models.base import core
from models.slots import DAYS, put, seed, slots, stored_schedules
from sync.schedule import count_missed, due
from tests.sync.test_company import Office

ZONES = st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"])
TIMES = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda t: f"{t[0]:02}:{t[1]:02}")


def nightly(at: str, zone: str, **fields: Any) -> Schedule:
    return Schedule(connection="salesforce", at=at, time_zone=zone, **fields)


@given(TIMES, ZONES, st.dates(date(2025, 12, 1), date(2028, 1, 10)))
def test_every_local_day_has_exactly_one_slot(at: str, name: str, day: date) -> None:
    zone = ZoneInfo(name)
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    end = datetime.combine(day + timedelta(days=20), start.time(), zone)
    second = timedelta(seconds=1)
    found = list(slots(nightly(at, name), start.astimezone(UTC) - second, end.astimezone(UTC) - second))
    assert [s.astimezone(zone).date() for s in found] == [day + timedelta(days=n) for n in range(20)]
    assert all(timedelta(hours=22) <= b - a <= timedelta(hours=26) for a, b in pairwise(found))


@given(
    TIMES, ZONES, st.datetimes(datetime(2025, 12, 1), datetime(2028, 1, 1)), st.lists(st.integers(1, 5000), max_size=9)
)
def test_looking_often_finds_the_same_slots_as_looking_once(
    at: str, zone: str, start: datetime, steps: list[int]
) -> None:
    plan, begin = nightly(at, zone), start.replace(tzinfo=UTC)
    looks = [begin]
    for step in steps:
        looks.append(looks[-1] + timedelta(minutes=step))
    piece_by_piece = [s for a, b in pairwise(looks) for s in slots(plan, a, b)]
    assert piece_by_piece == list(slots(plan, begin, looks[-1]))


@pytest.mark.parametrize(("zone", "day", "at", "slot"), [
    ("Europe/London", "2026-03-29", "01:30", "2026-03-29T01:00"),
    ("Europe/London", "2026-10-25", "01:30", "2026-10-25T00:30"),
    ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:00"),
    ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30"),
    ("Australia/Lord_Howe", "2026-10-04", "02:10", "2026-10-03T15:30"),
    ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45"),
    ("America/Santiago", "2026-09-06", "00:30", "2026-09-06T04:00"),
])  # fmt: skip
def test_a_gap_runs_at_the_first_moment_after_it_and_a_fold_the_first_time(
    zone: str, day: str, at: str, slot: str
) -> None:
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    found = list(slots(nightly(at, zone), noon - timedelta(hours=14), noon))
    assert found == [datetime.fromisoformat(slot).replace(tzinfo=UTC)]


def test_a_day_that_a_zone_left_out_has_no_slot() -> None:
    start = datetime(2011, 12, 28, tzinfo=UTC)
    found = slots(nightly("02:00", "Pacific/Apia"), start, start + timedelta(days=4))
    assert [s.astimezone(ZoneInfo("Pacific/Apia")).day for s in found] == [28, 29, 31, 1]


@given(TIMES, st.sets(st.sampled_from(DAYS), min_size=1), ZONES)
def test_only_the_named_weekdays_have_slots(at: str, days: set[str], zone: str) -> None:
    start = datetime(2026, 10, 18, tzinfo=UTC)
    plan = nightly(at, zone, weekdays=",".join(days))
    found = {DAYS[s.astimezone(ZoneInfo(zone)).weekday()] for s in slots(plan, start, start + timedelta(days=15))}
    assert found == days


def test_what_ops_edited_is_not_overwritten_by_the_settings(store: Engine) -> None:
    now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    wanted = {"weekdays": ",".join(DAYS), "time_zone": "UTC", "catch_up_hours": 6}
    with store.begin() as connection:
        seed(connection, {"a": {"at": "02:00", **wanted}, "b": {"at": "02:00", **wanted}}, now)
        put(connection, Schedule(connection="a", at="04:00", time_zone="UTC"), now)
        seed(connection, {"a": {"at": "03:00", **wanted}, "b": {"at": "03:00", **wanted}}, now)
        assert {n: s.at for n, s in stored_schedules(connection).items()} == {"a": "04:00", "b": "03:00"}
        seed(connection, {}, now)
        assert list(stored_schedules(connection)) == ["a"]


@pytest.mark.parametrize("away_hours", [1, 7, 30, 100])
def test_a_slot_is_caught_up_or_counted_as_missed(store: Engine, away_hours: int) -> None:
    begin = datetime(2026, 11, 24, 1, tzinfo=UTC)
    now = begin + timedelta(hours=away_hours)
    with store.begin() as connection:
        put(connection, nightly("02:00", "UTC"), begin)
        all_slots = list(slots(stored_schedules(connection)["salesforce"], begin, now))
        for _ in range(2):  # counting again counts nothing twice
            count_missed(connection, {"salesforce"}, now)
        waiting = due(connection, {"salesforce"}, now)
        counted = connection.scalar(select(func.count()).select_from(core(MissedSlot))) or 0
    assert counted + len(waiting) == len(all_slots)
    assert all(now - slot <= timedelta(hours=6) for _, slot in waiting)


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("store_postgres").url.set(drivername="postgresql").render_as_string(False)
    with Office(tmp_path, url) as found:
        yield found


def start(office: Office, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "beyond_quota", "worker", "-c", str(office.file), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_slot_runs_once_and_one_missed_too_long_ago_is_counted(tmp_path: Path) -> None:
    office = Office(tmp_path)
    try:
        here = office.open()
        here.now = here.clock() - timedelta(hours=3)  # 06:00; the slots were at 02:00 and 02:30
        here.keep_schedules()
        assert work_once(here) == 2
        assert work_once(here) == 0
        later = office.open()
        later.now = here.clock() + timedelta(hours=27)  # the next night passed with no worker
        assert work_once(later) == 0
        with later.engine.connect() as connection:
            found = connection.execute(select(core(MissedSlot).c.connection, core(MissedSlot).c.reason)).all()
        assert sorted(found) == [(n, "no worker was running in time") for n in ("hubspot", "salesforce")]
    finally:
        for server in office.servers:
            server.stop()


@pytest.mark.parametrize("workers", [int(os.environ.get("RACERS", "3"))])
def test_workers_that_start_together_run_each_slot_once(office: Office, workers: int) -> None:
    racing = [start(office, "--once", "--now", "2026-11-24T03:00+00:00") for _ in range(workers)]
    said = [process.communicate(timeout=120)[0] for process in racing]
    assert [p.returncode for p in racing] == [0] * workers, said
    with office.open().engine.connect() as connection:
        runs = connection.execute(
            select(core(SyncRun).c.connection, core(SyncRun).c.slot, core(SyncRun).c.status)
        ).all()
    assert sorted(r[:2] for r in runs) == [("hubspot", "2026-11-24T02:30Z"), ("salesforce", "2026-11-24T02:00Z")]
    assert {r[2] for r in runs} <= {"success", "partial"}, said
    assert sum(int(words.split(" slot(s)")[0].rsplit("\n", 1)[-1]) for words in said) == 2, said


def test_sigterm_ends_the_worker_and_gives_the_lease_back(office: Office) -> None:
    process = start(office)
    engine = office.open().engine
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with engine.connect() as connection:
                if connection.scalar(select(core(Heartbeat).c.at)) is not None:
                    break
            time.sleep(0.1)
        else:
            pytest.fail("the worker left no sign of life")
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert "stopping" in said
    assert start(office, "--once").communicate(timeout=60)[0].count("standing by") == 0
