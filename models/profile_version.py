"""Versions of the working groups' profiles as they were put in force: dated, kept, never overwritten."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import Field

from models.base import Table, core, text_field
from models.profile import Profile


class ProfileVersion(Table, table=True):
    """A profile from a day on, as its author wrote it; the version before it holds until that day."""

    key: str = Field(primary_key=True)
    version: date = Field(primary_key=True)
    body: str = text_field()
    applied_at: datetime
    applied_by: str = ""


def stored_versions(connection: Connection) -> dict[str, list[Profile]]:
    """Every stored version by profile, the oldest first."""
    table = core(ProfileVersion)
    found: dict[str, list[Profile]] = {}
    for row in connection.execute(select(table).order_by(table.c.key, table.c.version)):
        found.setdefault(row.key, []).append(Profile.model_validate_json(row.body))
    return found


def in_force(files: Mapping[str, Profile], stored: Mapping[str, Iterable[Profile]], day: date) -> dict[str, Profile]:
    """The profiles that hold on a day: the newest stored version begun by then, else the file's.

    A file that differs from what is stored changes nothing until it is applied.
    """
    found = dict(files)
    for key, versions in stored.items():
        begun = [v for v in versions if v.version <= day]
        if begun:
            found[key] = begun[-1]
    return found


def to_come(stored: Mapping[str, Iterable[Profile]], key: str, day: date) -> Profile | None:
    """The next version of a profile that begins after a day, if one has been put in force."""
    return next((v for v in stored.get(key, ()) if v.version > day), None)


def changes(old: Profile, new: Profile) -> list[str]:
    """What differs between two versions, one plain line a field: "weight of attainment: 0.5 -> 0.4"."""
    before, after = _flat(old.model_dump(mode="json")), _flat(new.model_dump(mode="json"))
    lines = []
    for path in sorted({*before, *after} - {"version", "key"}):
        if before.get(path) != after.get(path):
            lines.append(f"{_words(path)}: {_shown(before.get(path))} → {_shown(after.get(path))}")
    return lines


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {path: value}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= _flat(inner, f"{path}.{key}" if path else str(key))
    return found


def _words(path: str) -> str:
    parts = path.split(".")
    if parts[:2] == ["blend", "parts"] and len(parts) == 4:
        return f"{parts[3]} of {parts[2].replace('_', ' ')} in the blend"
    return " ".join(parts).replace("_", " ")


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
