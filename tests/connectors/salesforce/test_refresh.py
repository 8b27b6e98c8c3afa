"""A refresh token is used once: the new one is on disk before anything uses it, and one process trades at a time."""

import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import SignInAgain, TryAgainLater
from sandbox.http import Request
from sandbox.salesforce.server import SalesforceServer
from tests.connectors.salesforce.kit import Connect, watch
from tests.support.contract import one_sentence

TOKEN = "/services/oauth2/token"
SCRIPT = """
import sys
from connectors.salesforce import Salesforce
options = {"address": sys.argv[1], "sign_in": "refresh_token", "client_id": "sandbox-client"}
Salesforce("crm", {**options, "refresh_token_file": sys.argv[2]}, loopback=True).account()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file that holds the grant."""
    path = tmp_path / "refresh-token"
    path.write_text("sandbox-refresh-0\n")
    return path


@pytest.fixture
def by_token(file: Path) -> dict[str, Any]:
    """Options of a sign-in by refresh token."""
    return {"sign_in": "refresh_token", "refresh_token_file": str(file)}


def another_process(server: SalesforceServer, file: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SCRIPT, server.address, str(file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_each_token_is_used_once_and_the_next_one_kept(
    server: Any, connect: Connect, file: Path, by_token: Any
) -> None:
    seen, kept = watch(server), []
    for _ in range(3):
        kept.append(file.read_text().strip())
        connect(**by_token).account()
    assert [r.form["refresh_token"] for r in seen if r.path == TOKEN] == kept
    assert len(set(kept)) == 3
    assert {file.read_text().strip()} == server.tokens.refresh


def test_the_new_token_is_on_disk_before_the_session_is_used(
    server: Any, connect: Connect, file: Path, by_token: Any
) -> None:
    kept: list[tuple[str, str]] = []
    server.before = lambda _, request: kept.append((request.path, file.read_text().strip()))
    connect(**by_token).account()
    assert kept[0] == (TOKEN, "sandbox-refresh-0")
    assert {token for _, token in kept[1:]} == server.tokens.refresh


def test_only_its_owner_may_read_the_token(connect: Connect, file: Path, by_token: Any) -> None:
    file.chmod(0o644)
    connect(**by_token).account()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_process_killed_between_the_trade_and_its_use_loses_no_grant(
    server: Any, connect: Connect, file: Path, by_token: Any
) -> None:
    process = another_process(server, file)

    def kill(_: int, request: Request) -> None:
        if request.path != TOKEN:
            os.kill(process.pid, signal.SIGKILL)

    server.before = kill
    assert process.wait(30) == -signal.SIGKILL
    assert server.requests[TOKEN] == 1
    server.before = None
    connect(**by_token).account()
    assert server.tokens.refresh == {file.read_text().strip()}


def test_a_process_killed_while_it_wrote_the_token_leaves_the_old_one(
    server: Any, connect: Connect, file: Path, by_token: Any
) -> None:
    file.with_name(file.name + ".new").write_text("sandbox-ref")
    connect(**by_token).account()
    assert {file.read_text().strip()} == server.tokens.refresh


def test_processes_that_refresh_at_once_wait_for_each_other(server: Any, file: Path) -> None:
    server.before = lambda _, request: time.sleep(0.1)
    processes = [another_process(server, file) for _ in range(2)]
    told = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    assert server.tokens.refresh == {file.read_text().strip()}
    assert server.requests[TOKEN] == 2


def test_threads_that_refresh_at_once_wait_for_each_other(
    server: Any, connect: Connect, file: Path, by_token: Any
) -> None:
    server.before = lambda _, request: time.sleep(0.05)
    with ThreadPoolExecutor(4) as pool:
        accounts = list(pool.map(lambda _: connect(**by_token).account(), range(4)))
    assert [account.currency for account in accounts] == ["EUR"] * 4
    assert server.tokens.refresh == {file.read_text().strip()}


def test_who_waits_too_long_for_another_process_comes_back_later(
    connect: Connect, file: Path, by_token: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from filelock import FileLock

    monkeypatch.setattr("connectors.salesforce.signin.LOCK_WAIT", 0.05)
    with FileLock(f"{file}.lock"), pytest.raises(TryAgainLater, match="another process holds"):
        connect(**by_token).account()


def test_a_token_that_was_used_up_asks_for_a_new_grant(
    server: Any, connect: Connect, file: Path, by_token: Any
) -> None:
    connect(**by_token).account()
    file.write_text("sandbox-refresh-0")
    with pytest.raises(SignInAgain) as caught:
        connect(**by_token).account()
    assert "authorise the app again" in one_sentence(caught.value)
    assert "sandbox-refresh" not in str(caught.value)


@pytest.mark.parametrize("kind", ["503", "429", "reset", "truncate"])
def test_a_trade_is_never_repeated_by_itself(server: Any, connect: Connect, by_token: Any, kind: str) -> None:
    server.fault(kind, times=9, path=TOKEN)
    with pytest.raises(TryAgainLater):
        connect(**by_token).account()
    assert server.requests[TOKEN] == 1


def test_a_grant_that_does_not_rotate_is_kept_as_it_is(
    server: Any, connect: Connect, file: Path, by_token: Any
) -> None:
    server.tokens.rotation = False
    connect(**by_token).account()
    connect(**by_token).account()
    assert file.read_text() == "sandbox-refresh-0\n"


def test_a_file_that_is_not_there_is_named(server: Any, connect: Connect, file: Path, by_token: Any) -> None:
    file.unlink()
    with pytest.raises(SignInAgain, match=f"{file.name} cannot be read"):
        connect(**by_token).account()
    assert server.calls == 0


def test_a_session_that_runs_out_is_renewed_by_another_trade(
    server: Any, connect: Connect, file: Path, by_token: Any
) -> None:
    source = connect(**by_token)
    source.account()
    server.tokens.sessions.clear()
    assert len(list(source.pull("people", None))) == 1
    assert server.tokens.refresh == {file.read_text().strip()}
    assert server.requests[TOKEN] == 2
