"""The pretend company, from its servers into the store: nothing lost, nothing doubled, its truth to the cent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from beyond_quota.alerting import look_after
from beyond_quota.demo import SETTINGS
from beyond_quota.wiring import Installation
from models import Deal, DealChange, Feedback, Person, Reject, ScorecardSnapshot, SyncRun
from models.base import core
from models.ledger import RunStatus
from sandbox.cast import TODAY
from sandbox.company import Company
from sandbox.hubspot.server import HubSpotServer
from sandbox.salesforce.server import SalesforceServer
from sandbox.sheets import write_sheets
from sandbox.truth import hubspot_truth, salesforce_truth
from sync.totals import breakdown


class Office:
    """The company's servers, its spreadsheets, and an installation that reads them."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.company = Company.generate()
        self.servers = (SalesforceServer(self.company.salesforce), HubSpotServer(self.company.hubspot))
        for server in self.servers:
            server.start()
        write_sheets(folder / "spreadsheets", TODAY, 7)
        self.file = folder / "beyond-quota.toml"
        text = SETTINGS.format(salesforce=self.servers[0].address, hubspot=self.servers[1].address)
        if url:
            text = text.replace('"sqlite:///company.sqlite3"', f'"{url}"')
        self.file.write_text(text)
        self.day = 0

    def open(self) -> Installation:
        """The installation, at nine in the morning of the company's day."""
        now = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC) + timedelta(days=self.day)
        return Installation.open(self.file, now)

    def sync(self) -> dict[str, Any]:
        """Sync everything once; reports by connection."""
        here = self.open()
        reports = {name: here.sync(name) for name in here.settings.connections}
        touched = set().union(*(r.touched for r in reports.values()))
        spans: dict[Any, set[str]] = {}
        for report in reports.values():
            for span, people in report.spans.items():
                spans.setdefault(span, set()).update(people)
        here.refresh(touched, spans=spans)
        return reports

    def __enter__(self) -> "Office":
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            server.stop()

    def ours(self, name: str, engine: Engine) -> dict[tuple[str, str, str], tuple[Decimal, int]]:
        """Our totals in the shape of the truth."""
        found = {}
        for status in ("won", "open", "lost"):
            for line in breakdown(engine, status):
                if line.connection == name:
                    found[line.period, line.currency, status] = (Decimal(line.total) / 100, line.deals)
        return found


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = None
    if request.param == "postgresql":
        store: Engine = request.getfixturevalue("store_postgres")
        url = store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with Office(tmp_path, url) as office:
        yield office


@pytest.fixture
def lite_office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path) as office:
        yield office


def test_every_total_is_the_companys_own_over_five_days(office: Office) -> None:
    for day in range(5):
        if day:
            office.company.advance()
            office.day += 1
        reports = office.sync()
        engine = office.open().engine
        assert office.ours("salesforce", engine) == salesforce_truth(office.company)
        assert office.ours("hubspot", engine) == hubspot_truth(office.company)
        assert reports["salesforce"].status is RunStatus.SUCCESS, reports["salesforce"].message
        assert reports["hubspot"].message == "2 rows are rejected, each with its reason"


def test_a_second_run_writes_nothing_and_makes_few_calls(office: Office) -> None:
    office.sync()
    reports = office.sync()
    assert {name: r.wrote for name, r in reports.items()} == {"office": 0, "salesforce": 0, "hubspot": 0}
    assert reports["hubspot"].calls < 20
    assert reports["salesforce"].calls <= 8


def test_one_day_of_changes_is_kept_in_history(lite_office: Office) -> None:
    office = lite_office
    office.sync()
    office.company.advance()
    office.day = 1
    reports = office.sync()
    deals = next(s for s in reports["salesforce"].streams if s.stream == "deals")
    assert 5 <= deals.created + deals.changed + deals.removed <= 12
    history = {s.stream: s.created for s in reports["salesforce"].streams}
    assert history["deal_history"] >= 3
    assert history["deal_field_history"] >= 3
    wrote = {s.stream: s.created + s.changed + s.removed for s in reports["hubspot"].streams}
    assert 5 <= wrote["deals"] <= 14
    assert 5 <= wrote["deal_history"] <= 14
    with office.open().engine.connect() as connection:
        assert (connection.scalar(select(func.count()).select_from(core(DealChange))) or 0) >= 8


def test_people_of_both_crms_and_the_rehired_are_one_person_each(lite_office: Office) -> None:
    office = lite_office
    office.sync()
    with office.open().engine.connect() as connection:
        names = list(connection.scalars(select(core(Person).c.name)))
        pages = core(ScorecardSnapshot)
        running = select(func.count()).select_from(pages).where(pages.c.period_id == "2026-Q4")
        snapshots = connection.scalar(running)
    assert len(names) == len(set(names)) == 16
    assert snapshots == 15  # Eve has left; her deals stay in the totals


def test_broken_rows_are_rejects_with_their_place_and_nothing_else_stops(lite_office: Office) -> None:
    office = lite_office
    office.sync()
    with office.open().engine.connect() as connection:
        messages = set(connection.scalars(select(core(Reject).c.message)))
        assert connection.scalar(select(func.count()).select_from(core(Feedback))) == 11
    assert any("check_ins.csv row" in m and "'2026-02-31' is no date written yyyy-mm-dd" in m for m in messages)
    assert any("'E999'" in m for m in messages)
    assert len(messages) == 5


def test_a_stopped_source_keeps_the_last_good_figures(lite_office: Office) -> None:
    office = lite_office
    office.sync()
    with office.open().engine.connect() as connection:
        before = connection.scalar(select(func.sum(core(Deal).c.amount_minor)))
    office.servers[1].stop()
    report = office.open().sync("hubspot")
    assert report.status is RunStatus.FAILED
    assert "cannot be reached" in report.message
    with office.open().engine.connect() as connection:
        assert connection.scalar(select(func.sum(core(Deal).c.amount_minor))) == before


@pytest.mark.parametrize("nth", [1, 3, 5, 8, 12, 16, 20, 24])
def test_a_fault_at_any_call_is_healed_by_the_next_run(lite_office: Office, nth: int) -> None:
    office = lite_office
    office.open().sync("office")
    for name, server in zip(("salesforce", "hubspot"), office.servers, strict=True):
        server.fault("html", nth=nth)
        office.open().sync(name)
        server.faults.clear()
        office.open().sync(name)
    engine = office.open().engine
    assert office.ours("salesforce", engine) == salesforce_truth(office.company)
    assert office.ours("hubspot", engine) == hubspot_truth(office.company)


def hand_sync(office: Office, *names: str) -> "subprocess.Popen[str]":
    """A sync by hand in a process of its own, once it stands still at a call of Salesforce's for two seconds."""
    server = office.servers[0]
    server.fault("slow", nth=6)
    before = server.calls
    command = [sys.executable, "-m", "beyond_quota", "sync", *names, "-c", str(office.file)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], **pipes)  # type: ignore[call-overload]
    deadline = time.monotonic() + 30
    while server.calls < before + 6 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None, "the run was over before it could be ended"
    return process  # type: ignore[no-any-return]


def runs(office: Office) -> list[tuple[str, str]]:
    """Every run of the two CRMs: of which connection, and what became of it."""
    table = core(SyncRun).c
    with office.open().engine.connect() as connection:
        query = select(table.connection, table.status).where(table.connection != "office").order_by(table.started_at)
        return [(row[0], row[1]) for row in connection.execute(query)]


def test_sigterm_cancels_a_sync_after_its_batch_and_begins_no_other(lite_office: Office) -> None:
    office = lite_office
    office.open().sync("office")
    process = hand_sync(office, "salesforce", "hubspot")
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert runs(office) == [("salesforce", "cancelled")], said
    assert process.returncode == 3, said  # partly done
    assert "hubspot was not begun: this process was asked to end" in said
    report = office.open().sync("salesforce")
    assert report.status is RunStatus.SUCCESS, report.message
    assert office.ours("salesforce", office.open().engine) == salesforce_truth(office.company)


def test_whoever_looks_after_things_calls_a_killed_run_stale_and_not_one_at_work(lite_office: Office) -> None:
    office = lite_office
    here = replace(office.open(), now=datetime.now(UTC))
    process = hand_sync(office, "salesforce")
    look_after(here)
    assert runs(office) == [("salesforce", "running")]
    process.kill()
    process.communicate()
    look_after(here)
    assert runs(office) == [("salesforce", "stale")]


@pytest.mark.parametrize("calls", [4, 9, 14, 18])
def test_kill_9_in_a_run_loses_and_doubles_nothing(lite_office: Office, calls: int) -> None:
    office = lite_office
    office.open().sync("office")
    server = office.servers[0]
    server.fault("slow", nth=calls)  # it stands still there for two seconds, in which it is killed
    before = server.calls
    command = [sys.executable, "-m", "beyond_quota", "sync", "salesforce", "-c", str(office.file)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[2]
    )
    deadline = time.monotonic() + 30
    while server.calls < before + calls and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None, "the run was over before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    report = office.open().sync("salesforce")
    assert report.status is RunStatus.SUCCESS, report.message
    engine = office.open().engine
    assert office.ours("salesforce", engine) == salesforce_truth(office.company)
    with engine.connect() as connection:
        words = list(
            connection.scalars(select(core(SyncRun).c.message).where(core(SyncRun).c.status == RunStatus.STALE))
        )
    assert len(words) == 1
    assert "ended without a word" in words[0]
