"""Schedules from the command line: set, listed, switched off, and refused with the reason."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from beyond_quota.cli import app
from beyond_quota.wiring import Installation
from models import AuditEvent
from models.base import core

SETTINGS = """
database = "sqlite:///store.sqlite3"
zone = "Europe/London"
[connections.crm]
kind = "spreadsheet"
folder = "sheets"
[connections.crm.schedule]
at = "02:00"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "beyond-quota.toml"
    file.write_text(SETTINGS)
    return file


def run(config: Path, *words: str) -> str:
    done = CliRunner().invoke(app, ["schedule", *words, "-c", str(config)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_the_next_five_runs_show_the_clock_change_in_both_times(config: Path) -> None:
    found = json.loads(run(config, "next", "crm", "--now", "2026-10-23T12:00+00:00", "--json"))
    assert [r["local"] for r in found[0]["next"]][:3] == [
        "Sat 2026-10-24 02:00 BST", "Sun 2026-10-25 02:00 GMT", "Mon 2026-10-26 02:00 GMT",
    ]  # fmt: skip
    assert [r["utc"][11:16] for r in found[0]["next"]] == ["01:00", "02:00", "02:00", "02:00", "02:00"]


def test_ops_set_and_switch_off_and_the_settings_do_not_undo_it(config: Path) -> None:
    said = run(config, "set", "crm", "--at", "03:30", "--days", "mon,fri", "--zone", "America/New_York")
    assert said == "crm: Every Monday, Friday at 03:30 America/New_York, catch up within 6 h, never overlap.\n"
    assert "03:30 America/New_York" in run(config, "list")
    run(config, "off", "crm")
    assert run(config, "list") == "crm: No schedule; started by hand.\n"
    with Installation.open(config).engine.connect() as connection:
        events = connection.execute(core(AuditEvent).select()).all()
    assert [e.action for e in events] == ["change_schedule"] * 2


@pytest.mark.parametrize(("words", "sentence"), [
    (("--at", "25:00"), "'25:00' is no time of day"),
    (("--days", "mon,0"), "0: weekdays are named mon"),
    (("--zone", "Mars/Base"), "'Mars/Base' is no time zone"),
    (("--catch-up-hours", "99"), "'99' is no number of hours"),
])  # fmt: skip
def test_a_wrong_schedule_is_refused_with_what_to_write(config: Path, words: tuple[str, str], sentence: str) -> None:
    done = CliRunner().invoke(app, ["schedule", "set", "crm", *words, "-c", str(config)])
    assert sentence in str(done.exception)
    assert "at 02:00 Europe/London" in run(config, "list")
