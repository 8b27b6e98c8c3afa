"""kill -9 at every call number of a first run and of a later one: the next run loses nothing and doubles nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from models.database import open_store, upgrade
from models.ledger import RunStatus
from sandbox.salesforce.data import advance
from sandbox.salesforce.server import SalesforceServer
from tests.support.org import Mirror, small_org, split

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def syncer() -> Iterator[subprocess.Popen[str]]:
    """A process that forks a sync for each line."""
    command = [sys.executable, "-m", "tests.support.syncer"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:  # type: ignore[call-overload]
        yield process
        process.stdin.close()


@pytest.fixture
def server() -> Iterator[SalesforceServer]:
    org = small_org(16, 3)
    for deal in org.deals[:6]:
        split(org, deal, deal["OwnerId"], Decimal(60))
    with SalesforceServer(org, page=9) as server:
        yield server


def killed(syncer: subprocess.Popen[str], mirror: Mirror, store: str, at: int) -> bool:
    """Start a sync and kill its process when its call number `at` comes in; False when it was over before."""
    server = mirror.server
    due, pid = server.calls + at, list[int]()

    def kill(call: int, _request: object) -> None:
        if call == due:
            os.kill(pid[0], signal.SIGKILL)

    job = {"kind": mirror.kind, "options": mirror.options, "landing": str(mirror.rules.landing), "store": store,
           "now": mirror.clock().isoformat()}  # fmt: skip
    assert syncer.stdin is not None
    assert syncer.stdout is not None
    with server._lock:  # no call is answered before it is known whom to kill
        server.before = kill
        syncer.stdin.write(json.dumps(job) + "\n")
        syncer.stdin.flush()
        pid.append(int(syncer.stdout.readline()))
    ended = int(syncer.stdout.readline())
    server.before = None
    return ended == -signal.SIGKILL


def sweep(syncer: subprocess.Popen[str], make: Callable[[int], tuple[Mirror, str]]) -> int:
    """Kill at call 1, 2, 3 ... until a run is over first; each time a run follows that has to heal everything."""
    at = 1
    while True:
        mirror, store = make(at)
        died = killed(syncer, mirror, store, at)
        report = mirror.sync(allow_removals=10**6)
        assert mirror.differences() == [], f"killed at call {at}"
        assert report.status is RunStatus.SUCCESS, f"killed at call {at}: {report.message}"
        mirror.engine.dispose()
        if not died:
            return at - 1
        at += 1


@pytest.mark.parametrize("bulk_from", [20_000, 5])
def test_a_first_run_may_be_killed_at_any_call(
    syncer: Any, server: SalesforceServer, tmp_path: Path, bulk_from: int, monkeypatch: pytest.MonkeyPatch
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


def test_a_later_run_may_be_killed_at_any_call(syncer: Any, server: SalesforceServer, tmp_path: Path) -> None:
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
