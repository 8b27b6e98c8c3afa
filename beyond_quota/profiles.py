"""The commands for working-group profiles: check the files, say what would change, put them in force from their day."""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import typer

from beyond_quota.answers import DONE, show
from beyond_quota.wiring import Installation, moment
from config.profile import load_profiles
from metrics.catalogue import METRICS
from models.base import core
from models.errors import UserError
from models.profile import Profile
from models.profile_version import ProfileVersion, changes, in_force, stored_versions
from sync.calendar import ensure_periods


def check_files(folder: Path | None, as_json: bool) -> int:
    """Every problem of every file at once; nothing is stored."""
    found = load_profiles(folder, known_metrics=set(METRICS))
    if as_json:
        show([{"profile": key, "title": p.title, "version": p.version.isoformat()} for key, p in found.items()])
    else:
        for key, profile in found.items():
            typer.echo(f"{key}: {profile.title}, version of {profile.version:%-d %B %Y}: nothing wrong")
    return DONE


def print_diff(config: Path, folder: Path | None, now: str | None, as_json: bool) -> int:
    """What `apply` would change, profile by profile, from which day on."""
    here = Installation.open(config, moment(now))
    todo = [(new, old, changes(old, new) if old else []) for new, old in _pending(here, folder)]
    if as_json:
        show([_fact(new, old, lines) for new, old, lines in todo])
        return DONE
    for new, old, lines in todo:
        head = "is new" if old is None else f"changes from the version of {old.version:%-d %B %Y}"
        typer.echo(f"{new.key}, from {new.version:%-d %B %Y} on: {head}")
        for line in lines:
            typer.echo(f"  {line}")
    if not todo:
        typer.echo("nothing would change: the files are what is in force")
    return DONE


def apply_files(config: Path, folder: Path | None, now: str | None, as_json: bool) -> int:
    """Put new versions in force from their day; people see what changes on their page until then."""
    here = Installation.open(config, moment(now))
    todo = _pending(here, folder)
    wrong = [problem for new, old in todo for problem in _refused(here, new, old)]
    if wrong:
        raise UserError("nothing was put in force:", wrong)
    rows = [
        {"key": new.key, "version": new.version, "body": new.model_dump_json(), "applied_at": here.clock(),
         "applied_by": "command line"}
        for new, _ in todo
    ]  # fmt: skip
    if rows:
        with here.engine.begin() as connection:
            connection.execute(core(ProfileVersion).insert(), rows)
    if as_json:
        show([_fact(new, old, changes(old, new) if old else []) for new, old in todo])
    for new, _ in [] if as_json else todo:
        typer.echo(f"{new.key}: in force from {new.version:%-d %B %Y} on")
    if not todo and not as_json:
        typer.echo("nothing to do: the files are what is in force")
    return DONE


def print_history(config: Path, key: str | None, as_json: bool) -> int:
    """Every version that was put in force, and what changed with each."""
    here = Installation.open(config)
    with here.engine.connect() as connection:
        stored = stored_versions(connection)
    facts = []
    for name, versions in stored.items():
        for old, new in zip([None, *versions], versions, strict=False):
            if key in (None, name):
                facts.append(_fact(new, old, changes(old, new) if old else []))
    if as_json:
        show(facts)
    for fact in [] if as_json else facts:
        typer.echo(f"{fact['profile']} · {fact['version']}" + ("" if fact["changes"] else " · the first, or the same"))
        for line in fact["changes"]:
            typer.echo(f"  {line}")
    if not facts and not as_json:
        typer.echo("nothing was put in force yet: the files that are shipped (or in your `profiles` folder) hold")
    return DONE


def _pending(here: Installation, folder: Path | None) -> list[tuple[Profile, Profile | None]]:
    """Files that are not stored as they are, each with the version that holds before it."""
    files = load_profiles(folder or here.settings.profiles, known_metrics=set(METRICS))
    with here.engine.connect() as connection:
        stored = stored_versions(connection)
    shipped = load_profiles(known_metrics=set(METRICS))
    found: list[tuple[Profile, Profile | None]] = []
    for key, new in files.items():
        same_day = [v for v in stored.get(key, ()) if v.version == new.version]
        if same_day and same_day[0] == new:
            continue
        if same_day:
            raise UserError(
                f"{key}: a version of {new.version} is in force already and differs; give the file a later `version`"
            )
        before = in_force({k: p for k, p in shipped.items() if k == key}, stored, new.version).get(key)
        if before != new:
            found.append((new, before))
    return found


NUMBERS = ("metrics", "blend", "quota", "working_days", "behind_by", "projection_from", "stalled_after_days")
"""What figures are made by: it changes only with a period, and only when people could see it before."""


def _refused(here: Installation, new: Profile, old: Profile | None) -> list[str]:
    if old is None:
        return []
    wrong = []
    if new.release_from < old.release_from:
        wrong.append(
            f"{new.key}: release_from is {old.release_from}; it was promised to those who wrote, so it never falls"
        )
    if any(getattr(new, name) != getattr(old, name) for name in NUMBERS):
        if new.version <= here.today:
            wrong.append(
                f"{new.key}: version {new.version} has begun; figures change only from a day to come, so that people "
                "see it before"
            )
        elif not _begins_a_quarter(here, new.version):
            wrong.append(
                f"{new.key}: version {new.version} is inside a quarter; figures change only with one (its first day)"
            )
    return wrong


def _begins_a_quarter(here: Installation, day: date) -> bool:
    with here.engine.begin() as connection:
        periods = ensure_periods(connection, here.settings.calendar, pd.Series([pd.Timestamp(day)]))
    return any(p.kind == "quarter" and p.first_day == day for p in periods)


def _fact(new: Profile, old: Profile | None, lines: list[str]) -> dict[str, Any]:
    return {
        "profile": new.key,
        "version": new.version.isoformat(),
        "before": old.version.isoformat() if old else None,
        "changes": lines,
    }
