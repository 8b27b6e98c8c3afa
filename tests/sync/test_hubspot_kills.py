"""kill -9 at every call number of a first run and of a later one: the next run loses nothing and doubles nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.database import open_store, upgrade
from sandbox.hubspot.data import advance
from sandbox.hubspot.server import HubSpotServer
from tests.support.kills import Syncer, started, sweep
from tests.support.org import DEEP, Mirror
from tests.support.portal import PAGES, PortalMirror, small_portal

SMALL = {f"connectors.hubspot.{place}": 9 for place in PAGES}
QUICK = {"connectors.guard.PAUSE": 0, "connectors.hubspot.client.SEARCHES": 100_000}


@pytest.fixture(scope="module")
def syncer() -> Iterator[Syncer]:
    """A process that forks a sync for each line."""
    with started() as process:
        yield process


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubSpotServer]:
    for place, value in {**SMALL, **QUICK}.items():
        monkeypatch.setattr(place, value)
    portal = small_portal(16, 3)
    for deal in list(portal.deals.values())[:6]:
        portal.split(deal, [(deal["properties"]["hubspot_owner_id"], "1.0")])
    with HubSpotServer(portal) as server:
        yield server


@pytest.mark.parametrize("at_once", [1, 3] if DEEP else [3])
def test_a_first_run_may_be_killed_at_any_call(
    syncer: Syncer, server: HubSpotServer, tmp_path: Path, at_once: int
) -> None:
    empty = tmp_path / "empty.sqlite3"
    engine = open_store(f"sqlite:///{empty}")
    upgrade(engine)
    engine.dispose()

    def fresh(at: int) -> tuple[Mirror, str]:
        store = f"sqlite:///{shutil.copy(empty, tmp_path / f'{at}.sqlite3')}"
        return PortalMirror(server, open_store(store), tmp_path / "landing", at_once=at_once), store

    assert sweep(syncer, fresh, {**SMALL, **QUICK}) >= 20


def test_a_later_run_may_be_killed_at_any_call(syncer: Syncer, server: HubSpotServer, tmp_path: Path) -> None:
    first = tmp_path / "first.sqlite3"
    engine = open_store(f"sqlite:///{first}")
    upgrade(engine)
    PortalMirror(server, engine, tmp_path / "landing").sync()
    engine.dispose()
    for day in range(3):
        advance(server.portal, 7, day)
    server.portal.forget(server.portal.ordered("deals", archived=False)[0])

    def again(at: int) -> tuple[Mirror, str]:
        store = f"sqlite:///{shutil.copy(first, tmp_path / f'{at}.sqlite3')}"
        return PortalMirror(server, open_store(store), tmp_path / "landing"), store

    assert sweep(syncer, again, {**SMALL, **QUICK}) >= 15
