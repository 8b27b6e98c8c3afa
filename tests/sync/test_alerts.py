"""Alerts: once per change of state, to real channels on loopback, again when a channel failed, never twice."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from beyond_quota.alerting import look_after
from beyond_quota.wiring import Installation
from models import Alert, Heartbeat, Schedule
from models.base import core
from models.slots import put
from sync.alerts import Watched, notice, send_waiting, to_webhook

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


class Listener:
    """A webhook's receiver that can be told to refuse."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if outer.status == 200:
                    outer.got.append(body)
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/hook-secret"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hook() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.server.shutdown()


def see(store: Engine, state: str, minutes: int = 0) -> None:
    with store.begin() as connection:
        item = Watched("source crm", state, f"CRM: {state}")
        notice(connection, [item], ["hook"], NOW + timedelta(minutes=minutes))


def test_each_change_is_told_once_and_a_refused_one_again(store: Engine, hook: Listener) -> None:
    senders = {"hook": to_webhook(hook.address)}
    for minute, state in enumerate(["fresh", "late", "late", "late"]):
        see(store, state, minute)
        send_waiting(store, senders)
    assert [m["text"] for m in hook.got] == ["CRM: late"]
    hook.status = 500
    see(store, "stale", 5)
    assert send_waiting(store, senders) == 0
    with store.connect() as connection:
        errors = list(connection.scalars(select(core(Alert).c.error).where(core(Alert).c.error != "")))
    assert errors == ["hook: HTTPError"]
    hook.status = 200
    see(store, "fresh", 6)
    send_waiting(store, senders)
    send_waiting(store, senders)
    assert [m["text"] for m in hook.got] == ["CRM: late", "CRM: stale", "CRM: fresh"]


def test_a_dead_worker_is_told_from_another_process_and_so_is_its_return(tmp_path: Path, hook: Listener) -> None:
    file = tmp_path / "beyond-quota.toml"
    file.write_text(f'database = "sqlite:///s.sqlite3"\n[alerts]\nwebhook = "{hook.address}"\n')
    here = Installation.open(file, NOW)
    with here.engine.begin() as connection:
        put(connection, Schedule(connection="crm"), NOW)
        connection.execute(core(Heartbeat).insert(), [{"name": "worker", "at": NOW, "says": ""}])
    look_after(here)
    assert hook.got == []
    for minutes in (6, 7, 8):
        look_after(Installation.open(file, NOW + timedelta(minutes=minutes)))
    assert [m["text"] for m in hook.got] == [
        "no worker has been at work since 2026-11-24 09:00 UTC; start: beyond-quota worker"
    ]
    with here.engine.begin() as connection:
        connection.execute(core(Heartbeat).update().values(at=NOW + timedelta(minutes=9)))
    look_after(Installation.open(file, NOW + timedelta(minutes=9)))
    assert [m["text"] for m in hook.got][1:] == ["a worker is at work"]


def test_a_channel_that_is_away_holds_nothing_up(store: Engine, hook: Listener) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = to_webhook(f"http://127.0.0.1:{free.getsockname()[1]}/")
    with store.begin() as connection:
        notice(connection, [Watched("worker", "late", "no worker")], ["away", "hook"], NOW)
    assert send_waiting(store, {"away": away, "hook": to_webhook(hook.address)}) == 1
    assert send_waiting(store, {"away": away, "hook": to_webhook(hook.address)}) == 0
    assert len(hook.got) == 1
