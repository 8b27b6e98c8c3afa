"""Backfill, full reads and single streams: what is read, what is removed, and that no cursor moves."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from connectors import connector_class
from models import Connection, Deal, StreamCursor, SyncRun
from models.base import core
from models.ledger import RunStatus
from sandbox.hubspot.server import HubSpotServer
from sandbox.salesforce.server import SalesforceServer
from sync.backfill import backfill
from sync.lease import held, take
from sync.report import RunReport
from tests.support.org import Mirror, small_org
from tests.support.portal import PortalMirror, small_portal


@pytest.fixture(params=["salesforce", "hubspot"])
def mirror(request: pytest.FixtureRequest, store: Engine, tmp_path: Path) -> Iterator[Mirror]:
    """A store that has followed a CRM once."""
    if request.param == "salesforce":
        with SalesforceServer(small_org(14, 3), page=5) as server:
            mirror = Mirror(server, store, tmp_path / "landing")
            mirror.sync()
            yield mirror
    else:
        with HubSpotServer(small_portal(14, 3)) as portal:
            mirror = PortalMirror(portal, store, tmp_path / "landing")
            mirror.sync()
            yield mirror


def fill(mirror: Mirror, first: date, end: date, **kwargs: Any) -> RunReport:
    connector = connector_class(mirror.kind)("crm", mirror.options, loopback=True)
    try:
        how = {"clock": mirror.clock, "allow_removals": 10**6, **kwargs}
        return backfill(mirror.engine, "crm", connector, mirror.rules, first, end, **how)
    finally:
        connector.close()


def closing(mirror: Mirror) -> dict[str, date]:
    """The close date of each live stored deal."""
    table = core(Deal).c
    with mirror.engine.connect() as connection:
        rows = connection.execute(select(table.external_id, table.close_day).where(table.removed_at.is_(None)))
        return {row.external_id: row.close_day for row in rows}


def silent_edit(mirror: Mirror, deal: str) -> None:
    """An amount that moves without any time stamp."""
    if mirror.kind == "salesforce":
        mirror.server.org.objects["Opportunity"][deal]["Amount"] = Decimal("777.77")
    else:
        mirror.server.portal.deals[deal]["properties"]["amount"] = "777.77"


def stored_amount(mirror: Mirror, deal: str) -> int | None:
    table = core(Deal).c
    with mirror.engine.connect() as connection:
        return connection.scalar(select(table.amount_minor).where(table.external_id == deal))


def test_a_range_of_days_is_read_anew_and_nothing_else(mirror: Mirror) -> None:
    days = closing(mirror)
    inside, outside = min(days, key=lambda i: (days[i], i)), max(days, key=lambda i: (days[i], i))
    assert days[inside] < days[outside]
    for deal in (inside, outside):
        silent_edit(mirror, deal)
    table = core(StreamCursor).c
    with mirror.engine.connect() as connection:
        before = {r.stream: r.cursor for r in connection.execute(select(table.stream, table.cursor))}
    report = fill(mirror, days[inside], days[inside] + timedelta(days=1))
    assert report.streams[0].stream in ("deals", "quotas")
    assert stored_amount(mirror, inside) == 777_77
    assert stored_amount(mirror, outside) != 777_77
    with mirror.engine.connect() as connection:
        assert {r.stream: r.cursor for r in connection.execute(select(table.stream, table.cursor))} == before


def test_what_is_gone_from_those_days_is_removed(mirror: Mirror) -> None:
    days = closing(mirror)
    deal = min(days, key=lambda i: (days[i], i))
    if mirror.kind == "salesforce":
        mirror.server.org.hard_delete(mirror.server.org.objects["Opportunity"][deal])
    else:
        portal = mirror.server.portal
        portal.archive(portal.deals[deal])
        portal.wait(timedelta(minutes=10))  # until the search index has it
    fill(mirror, days[deal], days[deal] + timedelta(days=1))
    assert deal not in closing(mirror)
    assert len(closing(mirror)) == len(days) - 1


def test_a_full_read_finds_what_no_time_stamp_tells(mirror: Mirror) -> None:
    deal = next(iter(closing(mirror)))
    silent_edit(mirror, deal)
    assert mirror.sync().streams != []
    report = mirror.sync(full=True)
    assert stored_amount(mirror, deal) == 777_77
    assert report.status is RunStatus.SUCCESS, report.message
    assert mirror.differences() == []


def test_one_stream_is_read_alone_and_does_not_make_the_source_fresh(mirror: Mirror) -> None:
    table = core(Connection).c
    with mirror.engine.connect() as connection:
        before = connection.execute(select(table.last_success_at, table.last_success_run)).one()
    report = mirror.sync(streams=["stages"])
    assert [s.stream for s in report.streams] == ["stages"]
    with mirror.engine.connect() as connection:
        assert connection.execute(select(table.last_success_at, table.last_success_run)).one() == before
    wrong = mirror.sync(streams=["stage"])
    assert wrong.status is RunStatus.FAILED
    assert "crm has no stream stage; it has people" in wrong.message


def test_a_stream_that_another_run_reads_is_skipped_and_the_others_go_on(mirror: Mirror) -> None:
    take(mirror.engine, "sync:crm:stages", mirror.clock())
    report = mirror.sync()
    found = {s.stream: s.status for s in report.streams}
    assert found.pop("stages") is RunStatus.SKIPPED
    assert set(found.values()) == {RunStatus.SUCCESS}
    assert report.status is RunStatus.PARTIAL
    assert "sync:crm:stages is held by" in report.message


def test_a_single_stream_runs_beside_a_whole_run(mirror: Mirror) -> None:
    with held(mirror.engine, "sync:crm", mirror.clock):
        assert mirror.sync(streams=["stages"]).status is RunStatus.SUCCESS


def test_a_run_whose_process_is_gone_is_called_stale(mirror: Mirror) -> None:
    table = core(SyncRun)
    row = {"id": "dead", "connection": "crm", "slot": "s", "trigger": "schedule", "status": RunStatus.RUNNING}
    with mirror.engine.begin() as connection:
        connection.execute(table.insert().values(**row, started_at=mirror.clock(), calls=0, message=""))
    with held(mirror.engine, "sync:crm", mirror.clock):
        mirror.sync(streams=["stages"])
        assert _status(mirror, "dead") == RunStatus.RUNNING  # somebody alive holds the connection
    mirror.sync(streams=["stages"])
    assert _status(mirror, "dead") == RunStatus.STALE


def _status(mirror: Mirror, run: str) -> str | None:
    table = core(SyncRun).c
    with mirror.engine.connect() as connection:
        return connection.scalar(select(table.status).where(table.id == run))
