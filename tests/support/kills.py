"""Syncs that are killed at a call number, and the sweep over all of them: the run that follows heals everything."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.ledger import RunStatus
from tests.support.org import Mirror

ROOT = Path(__file__).parents[2]
Syncer = subprocess.Popen[str]
Settings = dict[str, Any]
"""Values of our modules by their place ("connectors.hubspot.searching.PAGE"), for the process that is killed."""


@contextmanager
def started() -> Iterator[Syncer]:
    """A process that forks a sync for each line."""
    command = [sys.executable, "-m", "tests.support.syncer"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:  # type: ignore[call-overload]
        yield process
        process.stdin.close()


def killed(syncer: Syncer, mirror: Mirror, store: str, at: int, values: Settings) -> bool:
    """Start a sync and kill its process when its call number `at` comes in; False when it was over before."""
    server = mirror.server
    due, pid = server.calls + at, list[int]()

    def kill(call: int, _request: object) -> None:
        if call == due:
            os.kill(pid[0], signal.SIGKILL)

    job = {"kind": mirror.kind, "options": mirror.options, "landing": str(mirror.rules.landing), "store": store,
           "now": mirror.clock().isoformat(), "set": values}  # fmt: skip
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


def sweep(syncer: Syncer, make: Callable[[int], tuple[Mirror, str]], values: Settings | None = None) -> int:
    """Kill at call 1, 2, 3 ... until a run is over first; each time a run follows that has to heal everything."""
    at = 1
    while True:
        mirror, store = make(at)
        died = killed(syncer, mirror, store, at, values or {})
        report = mirror.sync(allow_removals=10**6)
        assert mirror.differences() == [], f"killed at call {at}"
        assert report.status is RunStatus.SUCCESS, f"killed at call {at}: {report.message}"
        mirror.engine.dispose()
        if not died:
            return at - 1
        at += 1
