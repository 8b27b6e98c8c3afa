"""The command line as its user meets it: real processes, exit codes, one sentence instead of a traceback."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from beyond_quota.cli import app
from models import Schedule
from models.base import core
from tests.sync.test_company import Office

ROOT = Path(__file__).parents[2]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path) as office:
        yield office


def run(*words: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run beyond-quota in a folder."""
    command = [sys.executable, "-m", "beyond_quota", *words]
    full = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    done = subprocess.run(command, cwd=folder, env=full, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_help_is_quick_and_lists_every_command() -> None:
    started = time.monotonic()
    done = run("--help", folder=ROOT)
    assert done.returncode == 0
    assert time.monotonic() - started < 5  # the bar is 0.3 s on an idle machine; this only catches a slow import
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        assert name in done.stdout


def test_help_imports_neither_pandas_nor_a_crm() -> None:
    slow = ("pandas", "simple_salesforce", "hubspot", "fastapi", "sqlalchemy")
    code = f"import sys; import beyond_quota.cli; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_settings_it_says_how_to_begin(tmp_path: Path) -> None:
    done = run("sync", folder=tmp_path)
    assert done.returncode == 1
    assert (
        done.stderr == "beyond-quota: there is no settings file beyond-quota.toml; make one with: beyond-quota init\n"
    )
    assert run("init", folder=tmp_path).returncode == 0
    assert run("init", folder=tmp_path).returncode == 1
    assert run("frobnicate", folder=tmp_path).returncode == 2


def test_the_whole_way_in_json(office: Office) -> None:
    folder, now = office.file.parent, ("--now", "2026-11-24T09:00+00:00")
    done = run("sync", *now, "--json", folder=folder)
    assert done.returncode == 3, done.stderr  # rows were rejected
    runs = {r["connection"]: r for r in json.loads(done.stdout)["runs"]}
    assert runs["salesforce"]["status"] == "success"
    totals = json.loads(run("totals", "--json", folder=folder).stdout)
    assert totals
    for line in totals:
        parts = [*line["people"].values(), line["unmatched"], line["rejected"], line["uncredited"]]
        assert round(sum(float(p) for p in parts), 2) == float(line["total"])
        assert line["difference"] == "0.00"
    card = json.loads(run("score", "Ana Sample", "--as-of", "2026-11-24", "--json", folder=folder).stdout)
    assert card["results"]["attainment"]["state"] == "ok"
    team = json.loads(run("team", "--as-of", "2026-11-24", "--manager", "Mo Manager", "--json", folder=folder).stdout)
    assert [c["name"] for c in team] == ["Ana Sample", "Ben Example", "Cleo Placeholder", "Dev Specimen", "Eve Pretend"]
    with office.open().engine.connect() as connection:
        stored = {r.connection: (r.at, r.time_zone) for r in connection.execute(select(core(Schedule)))}
    assert stored == {"salesforce": ("02:00", "Europe/London"), "hubspot": ("02:30", "Europe/London")}
    rejects = json.loads(run("rejects", "--json", folder=folder).stdout)
    assert len(rejects) == 5
    assert len(json.loads(run("runs", "--json", folder=folder).stdout)) == 3
    assert run("status", *now, "--json", folder=folder).returncode == 0
    late = run("status", "--now", "2026-12-24", "--json", folder=folder)
    assert late.returncode == 3
    assert {s["state"] for s in json.loads(late.stdout)} == {"stale"}
    assert run("check", folder=folder).returncode == 0


def test_reading_again(office: Office) -> None:
    folder, now = office.file.parent, ("--now", "2026-11-24T09:00+00:00")
    dry = run("sync", "office", "salesforce", *now, "--dry-run", "--json", folder=folder)
    assert [r["status"] for r in json.loads(dry.stdout)["runs"]] == ["partial", "success"]
    assert json.loads(run("runs", "--json", folder=folder).stdout) == []
    run("sync", *now, folder=folder)
    again = run("replay", "salesforce", *now, "--json", folder=folder)
    assert again.returncode == 0, again.stderr
    assert sum(s["created"] + s["changed"] for s in json.loads(again.stdout)["runs"][0]["streams"]) == 0
    text = run("replay", "office", "--stream", "people", "--dry-run", folder=folder).stdout
    assert "dry run: nothing was written" in text
    filled = run("backfill", "salesforce", "--from", "2026-10-01", "--to", "2026-11-01", *now, folder=folder)
    assert filled.returncode == 0, filled.stderr
    assert "salesforce: success" in filled.stdout
    assert (
        "is not before"
        in run("backfill", "hubspot", "--from", "2026-10-01", "--to", "2026-10-01", folder=folder).stderr
    )
    files = run("backfill", "office", "--from", "2026-10-01", "--to", "2026-11-01", folder=folder)
    assert files.returncode == 1
    assert "office is read whole each time" in files.stderr
    kinds = [(r["connection"], r["trigger"]) for r in json.loads(run("runs", "--json", folder=folder).stdout)]
    assert ("salesforce", "replay") in kinds
    assert ("salesforce", "backfill") in kinds


def test_a_wrong_token_is_one_sentence_and_the_others_go_on(office: Office) -> None:
    office.file.write_text(office.file.read_text().replace("sandbox-token", "wrong-token"))
    done = run("sync", folder=office.file.parent)
    assert done.returncode == 3
    assert "HubSpot does not take the token; make a new service key" in done.stderr
    assert "wrong-token" not in done.stderr + done.stdout
    assert "salesforce: success" in done.stdout
    assert run("check", "hubspot", folder=office.file.parent).returncode == 1


def test_a_stopped_sandbox_is_one_sentence(office: Office) -> None:
    office.servers[0].stop()
    done = run("sync", "salesforce", folder=office.file.parent)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot be reached" in done.stderr


def test_a_missing_column_is_named(office: Office) -> None:
    file = office.file.parent / "spreadsheets" / "check_ins.csv"
    file.write_text(file.read_text().replace("held_on", "held_at", 1))
    done = run("sync", "office", folder=office.file.parent)
    assert done.returncode == 1
    assert "check_ins.csv has no column 'held_on' for check_ins.held_on; did you mean 'held_at'?" in done.stderr


def test_two_at_once_one_is_told_that_it_runs_elsewhere(office: Office) -> None:
    from sync.lease import take

    here = office.open()
    take(here.engine, "sync:salesforce", here.clock().replace(year=2126))
    done = run("sync", "salesforce", folder=office.file.parent)
    assert done.returncode == 4
    assert "sync:salesforce is held by" in done.stderr


def test_import_writes_a_connection_that_every_command_knows(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "teams.csv").write_text("agent,boss\nAnna,Dustin\nBo,Dustin\n")
    (data / "deals.csv").write_text(
        "id,agent,stage,worth,closed\n1,Anna,Won,10.50,05-11-26\n2,Bo,Won,x,05-11-26\n3,,Won,4,05-11-26\n"
    )
    (tmp_path / "map.toml").write_text(
        'currency = "USD"\ndates = "dd-mm-yy"\n'
        '[people]\nfile = "teams.csv"\nexternal_id = "agent"\nname = "agent"\nmanager = "boss"\n'
        '[deals]\nfile = "deals.csv"\nexternal_id = "id"\nowner = "agent"\nstage = "stage"\n'
        'amount = "worth"\nclose = "closed"\n'
        '[deals.status]\nWon = "won"\n'
    )
    done = run("import", "data", "-m", "map.toml", "--name", "files", "--now", "2026-11-24", folder=tmp_path)
    assert done.returncode == 3, done.stderr
    line = json.loads(run("totals", "--json", folder=tmp_path).stdout)[0]
    assert (line["people"], line["uncredited"], line["total"], line["source_total"]) == (
        {"Anna": "10.50"},
        "4.00",
        "14.50",
        "14.50",
    )
    assert run("sync", "files", folder=tmp_path).returncode == 3
    assert len(json.loads(run("team", "--as-of", "2026-11-24", "--json", folder=tmp_path).stdout)) == 3
