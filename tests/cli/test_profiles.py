"""Profiles are checked all at once, compared in words, and put in force from a day on that people can see coming."""

import json
from pathlib import Path

import pytest

from config.profile import load_profiles
from models.errors import UserError
from tests.cli.test_cli import run

SETTINGS = 'database = "sqlite:///store.sqlite3"\n'
SALES = Path(__file__).parents[2] / "config" / "profiles" / "sales.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "beyond-quota.toml").write_text(SETTINGS + 'profiles = "ours"\n')
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "sales.toml").write_text(SALES.read_text())
    return tmp_path


def write(folder: Path, version: str, **swaps: str) -> None:
    """Our sales profile with another version and some other texts."""
    text = SALES.read_text().replace("version = 2026-01-01", f"version = {version}")
    for old, new in swaps.items():
        assert old in text
        text = text.replace(f"{old} = ", f"{old} = {new} # ", 1)
    (folder / "ours" / "sales.toml").write_text(text)


def test_every_problem_of_every_file_is_named_at_once(folder: Path) -> None:
    (folder / "ours" / "sales.toml").write_text(
        'title = "x"\nversion = 2026-01-01\nblocks = ["number"]\nmetrics = ["nope"]\n'
    )
    (folder / "ours" / "town.toml").write_text("title = \n")
    (folder / "ours" / "school.toml").write_text(
        'title = "x"\nversion = 2026-01-01\nblocks = ["development", "feedback", "check_in"]\nmetrics = ["nope"]\n'
    )
    done = run("profile", "check", "ours", folder=folder)
    assert done.returncode == 1
    for word in ("sales.toml", "town.toml", "school.toml", "cannot be switched off", "there is no metric nope"):
        assert word in done.stderr


def test_a_new_version_is_shown_then_put_in_force_from_its_day(folder: Path) -> None:
    write(folder, "2027-01-01", check_in_every_days="21")
    seen = run("profile", "diff", "--now", "2026-11-24", folder=folder)
    assert "sales, from 1 January 2027 on: changes from the version of 1 January 2026" in seen.stdout
    assert "check in every days: 14 → 21" in seen.stdout
    assert run("profile", "apply", "--now", "2026-11-24", folder=folder).returncode == 0
    assert "nothing would change" in run("profile", "diff", "--now", "2026-11-24", folder=folder).stdout
    told = json.loads(run("profile", "history", "sales", "--json", folder=folder).stdout)
    assert [t["version"] for t in told] == ["2027-01-01"]


@pytest.mark.parametrize(
    ("version", "swaps", "why"),
    [
        ("2026-11-01", {"behind_by": "0.3"}, "has begun"),
        ("2026-12-01", {"behind_by": "0.3"}, "is inside a quarter"),
    ],
)
def test_figures_change_only_with_a_period_to_come(folder: Path, version: str, swaps: dict[str, str], why: str) -> None:
    write(folder, version)
    file = folder / "ours" / "sales.toml"
    file.write_text("".join(f"{k} = {v}\n" for k, v in swaps.items()) + file.read_text())
    done = run("profile", "apply", "--now", "2026-11-24", folder=folder)
    assert done.returncode == 1
    assert why in done.stderr
    assert "nothing was put in force" in done.stderr


def test_a_version_that_is_in_force_is_not_rewritten(folder: Path) -> None:
    write(folder, "2027-01-01", check_in_every_days="21")
    run("profile", "apply", "--now", "2026-11-24", folder=folder)
    write(folder, "2027-01-01", check_in_every_days="28")
    done = run("profile", "apply", "--now", "2026-11-24", folder=folder)
    assert done.returncode == 1
    assert "give the file a later `version`" in done.stderr


def test_the_threshold_promised_to_givers_never_falls(folder: Path) -> None:
    write(folder, "2027-01-01")
    file = folder / "ours" / "sales.toml"
    file.write_text("release_from = 5\n" + file.read_text())
    assert run("profile", "apply", "--now", "2026-11-24", folder=folder).returncode == 0
    file.write_text(
        file.read_text().replace("release_from = 5", "release_from = 4").replace("2027-01-01", "2027-04-01")
    )
    done = run("profile", "apply", "--now", "2026-11-24", folder=folder)
    assert "never falls" in done.stderr


def test_the_core_cannot_be_switched_off(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('title = "x"\nversion = 2026-01-01\nblocks = ["number"]\nmetrics = []\n')
    with pytest.raises(UserError, match="cannot be switched off"):
        load_profiles(tmp_path)
