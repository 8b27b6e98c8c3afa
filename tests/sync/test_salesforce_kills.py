"""kill -9 at every call number of a first run and of a later one: the next run loses nothing and doubles nothing."""

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from models.database import open_store, upgrade
from sandbox.salesforce.data import advance
from sandbox.salesforce.server import SalesforceServer
from tests.support.kills import Syncer, started, sweep
from tests.support.org import Mirror, small_org, split


@pytest.fixture(scope="module")
def syncer() -> Iterator[Syncer]:
    """A process that forks a sync for each line."""
    with started() as process:
        yield process


@pytest.fixture
def server() -> Iterator[SalesforceServer]:
    org = small_org(16, 3)
    for deal in org.deals[:6]:
        split(org, deal, deal["OwnerId"], Decimal(60))
    with SalesforceServer(org, page=9) as server:
        yield server


@pytest.mark.parametrize("bulk_from", [20_000, 5])
def test_a_first_run_may_be_killed_at_any_call(
    syncer: Syncer, server: SalesforceServer, tmp_path: Path, bulk_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.salesforce.bulk.WAIT", 0.001)
    empty = tmp_path / "empty.sqlite3"
    engine = open_store(f"sqlite:///{empty}")
    upgrade(engine)
    engine.dispose()

    def fresh(at: int) -> tuple[Mirror, str]:
        store = f"sqlite:///{shutil.copy(empty, tmp_path / f'{at}.sqlite3')}"
        return Mirror(server, open_store(store), tmp_path / "landing", bulk_from=bulk_from), store

    assert sweep(syncer, fresh) >= 15


def test_a_later_run_may_be_killed_at_any_call(syncer: Syncer, server: SalesforceServer, tmp_path: Path) -> None:
    first = tmp_path / "first.sqlite3"
    engine = open_store(f"sqlite:///{first}")
    upgrade(engine)
    mirror = Mirror(server, engine, tmp_path / "landing")
    mirror.sync()
    engine.dispose()
    for day in range(3):
        advance(server.org, 7, day)
    server.org.hard_delete(server.org.deals[0])

    def again(at: int) -> tuple[Mirror, str]:
        store = f"sqlite:///{shutil.copy(first, tmp_path / f'{at}.sqlite3')}"
        return Mirror(server, open_store(store), tmp_path / "landing"), store

    assert sweep(syncer, again) >= 6
