"""Replay: landed rows with a mended map give what a fresh pull with that map would, without a call to the source."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from models import Deal, DealChange, StreamCursor, SyncRun
from models.base import core
from models.database import open_store, upgrade
from models.ledger import RunStatus
from sandbox.hubspot.server import HubSpotServer
from sandbox.salesforce.data import advance
from sandbox.salesforce.server import SalesforceServer
from sync.landing import prune
from sync.replay import replay
from sync.report import RunReport
from sync.rules import Rules
from sync.run import run_starts, run_sync
from tests.support.memory import Memory, deal, user
from tests.support.org import Mirror, small_org
from tests.support.portal import PortalMirror, new_deal, small_portal


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib3.util.retry.Retry.sleep", lambda *_: None)


@pytest.fixture(params=["salesforce", "hubspot"])
def mirror(request: pytest.FixtureRequest, lite: Engine, tmp_path: Path) -> Iterator[Mirror]:
    """A store that has followed a CRM over three days of edits, deletions and a hard deletion."""
    if request.param == "salesforce":
        org = small_org(14, 3)
        with SalesforceServer(org, page=5) as server:
            mirror = Mirror(server, lite, tmp_path / "landing")
            mirror.sync()
            for day in range(3):
                advance(org, 7, day)
                org.hard_delete(org.deals[day])
                mirror.heal()
            yield mirror
        return
    portal = small_portal(14, 3)
    with HubSpotServer(portal) as server:
        mirror = PortalMirror(server, lite, tmp_path / "landing")
        mirror.sync()
        for day in range(3):
            live = [d for d in portal.deals.values() if not d["archived"]]
            portal.change(live[day], dealname=f"Renamed {day}", amount=str(700 + day))
            portal.archive(live[day + 3])
            new_deal(portal, live[0]["properties"]["hubspot_owner_id"], day, "321.00")
            mirror.heal()
        yield mirror


def again(mirror: Mirror, **kwargs: Any) -> tuple[RunReport, int]:
    """A replay with the mirror's options of now, and the calls that it made."""
    before = mirror.server.calls
    report = mirror.replay(**kwargs)
    return report, mirror.server.calls - before


def deals(engine: Engine) -> dict[str, tuple[Any, ...]]:
    """Live deals as they are stored, without what only this store knows."""
    table = core(Deal)
    names = ("external_id", "name", "stage", "owner_external_id", "amount_minor", "currency", "reporting_minor",
             "close_day", "status", "pipeline", "forecast_category", "probability_bp", "extra")  # fmt: skip
    kept = [table.c[name] for name in names]
    with engine.connect() as connection:
        rows = connection.execute(select(*kept).where(table.c.removed_at.is_(None)))
        return {row.external_id: tuple(row) for row in rows}


def cursors(engine: Engine) -> dict[str, Any]:
    table = core(StreamCursor).c
    with engine.connect() as connection:
        return {row.stream: row.cursor for row in connection.execute(select(table.stream, table.cursor))}


def empty_store(folder: Path) -> Engine:
    engine = open_store(f"sqlite:///{folder / 'fresh.sqlite3'}")
    upgrade(engine)
    return engine


def test_the_same_map_writes_nothing_and_makes_no_call(mirror: Mirror) -> None:
    before, places = deals(mirror.engine), cursors(mirror.engine)
    report, calls = again(mirror)
    assert report.status is RunStatus.SUCCESS, report.message
    assert (report.wrote, calls) == (0, 0)
    assert sum(s.read for s in report.streams) > 0
    assert deals(mirror.engine) == before
    assert cursors(mirror.engine) == places
    assert mirror.differences() == []


def test_a_mended_map_gives_what_a_fresh_pull_gives(mirror: Mirror, tmp_path: Path) -> None:
    mended: dict[str, Any]
    if mirror.kind == "salesforce":
        mended = {"fields": {"deals": {"name": "StageName"}}, "only": {"deals": {"IsWon": [True]}}}
    else:
        owner = sorted(row[3] for row in deals(mirror.engine).values() if row[3])[0]
        mended = {"fields": {"deals": {"name": "dealstage"}}, "only": {"deals": {"hubspot_owner_id": [owner]}}}
    mirror.options |= mended
    report, calls = again(mirror, allow_removals=10**6)
    assert report.status is RunStatus.SUCCESS, report.message
    assert calls == 0
    fresh = empty_store(tmp_path)
    other = type(mirror)(mirror.server, fresh, tmp_path / "other", **mended)
    assert other.sync().status is RunStatus.SUCCESS
    assert deals(mirror.engine) == deals(fresh)
    assert len(deals(fresh)) > 0
    following = mirror.sync(allow_removals=10**6)
    assert following.wrote == 0
    assert following.status is RunStatus.SUCCESS, following.message


def test_a_field_that_was_not_read_is_named_and_nothing_changes(mirror: Mirror) -> None:
    before = deals(mirror.engine)
    mirror.options |= {"fields": {"deals": {"amount": "booked_value"}}}
    report, _ = again(mirror, streams=["deals"])
    assert report.status is RunStatus.FAILED
    assert "deals were read without booked_value" in report.message
    assert "sync crm --full" in report.message
    assert deals(mirror.engine) == before


def test_a_filter_that_lets_in_more_is_named(mirror: Mirror, tmp_path: Path) -> None:
    field = {"salesforce": "StageName", "hubspot": "dealstage"}[mirror.kind]
    narrow = type(mirror)(
        mirror.server, empty_store(tmp_path), tmp_path / "narrow", only={"deals": {field: ["Closed Won", "closedwon"]}}
    )
    narrow.sync()
    narrow.options.pop("only")
    report, _ = again(narrow, streams=["deals"])
    assert report.status is RunStatus.FAILED
    assert f"deals were read only where {field} is" in report.message


def test_what_the_source_removed_stays_removed(mirror: Mirror) -> None:
    table = core(Deal).c
    with mirror.engine.connect() as connection:
        gone = set(connection.scalars(select(table.external_id).where(table.removed_at.is_not(None))))
    assert gone
    again(mirror)
    with mirror.engine.connect() as connection:
        assert gone <= set(connection.scalars(select(table.external_id).where(table.removed_at.is_not(None))))


def test_the_history_says_what_a_mended_map_changed(mirror: Mirror) -> None:
    other = {"salesforce": "Name", "hubspot": "dealname"}[mirror.kind]
    mirror.options |= {"fields": {"deals": {"owner": other}}}
    table = core(DealChange).c
    again(mirror, streams=["deals"])
    with mirror.engine.connect() as connection:
        told = select(func.count()).where(table.field == "owner_external_id")
        assert (connection.scalar(told) or 0) >= len(deals(mirror.engine))


def test_pruning_keeps_enough_for_a_replay(mirror: Mirror) -> None:
    mirror.rules.landing.joinpath("stray.txt").write_text("not ours")
    whole = mirror.sync(full=True)
    assert whole.status is RunStatus.SUCCESS, whole.message
    with mirror.engine.connect() as connection:
        started = run_starts(connection, "crm")
    before = len(list(mirror.rules.landing.rglob("*.parquet")))
    gone = prune(mirror.rules.landing, "crm", started, mirror.clock() + timedelta(days=1))
    left = list(mirror.rules.landing.rglob("*.parquet"))
    assert gone > 0
    assert len(left) == before - gone
    report, _ = again(mirror)
    assert report.status is RunStatus.SUCCESS, report.message
    assert report.wrote == 0


@pytest.fixture
def memory(store: Engine, tmp_path: Path) -> Callable[..., RunReport]:
    """Sync or replay a source in memory."""
    now, rules = datetime(2026, 11, 24, 9, tzinfo=UTC), Rules("EUR", "UTC", tmp_path / "landing")

    def run(source: Memory, how: Callable[..., RunReport] = run_sync, **kwargs: Any) -> RunReport:
        return how(store, "memory", source, rules, clock=lambda: now, **kwargs)

    return run


def test_rejects_that_a_mended_map_takes_are_mended(memory: Any, store: Engine) -> None:
    source = Memory({"people": [user("u1")], "deals": [deal(f"d{n}") for n in range(5)]}, broken={"d3"})
    assert memory(source).status is RunStatus.PARTIAL
    source.broken = set()
    report = memory(source, replay)
    assert report.status is RunStatus.SUCCESS, report.message
    assert set(deals(store)) == {f"d{n}" for n in range(5)}
    assert [s.created for s in report.streams if s.stream == "deals"] == [1]


def test_nothing_landed_is_one_sentence(memory: Any) -> None:
    report = memory(Memory({}), replay, streams=["deals"])
    assert report.status is RunStatus.FAILED
    assert report.message == "memory: nothing is landed of deals; run: beyond-quota sync memory --full"


def test_a_replay_does_not_make_figures_fresh(memory: Any, store: Engine) -> None:
    source = Memory({"people": [user("u1")], "deals": [deal("d1")]})
    memory(source)
    memory(source, replay)
    table = core(SyncRun).c
    with store.connect() as connection:
        triggers = list(connection.scalars(select(table.trigger).order_by(table.trigger)))
    assert triggers == ["hand", "replay"]
