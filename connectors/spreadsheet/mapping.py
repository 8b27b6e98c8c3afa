"""Which column is what: the mapping file, checked against the files it speaks of, every problem at once."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from connectors.base import DRAFTS
from models.errors import UserError
from models.money import known_currencies

ALIASES: dict[str, dict[str, str]] = {
    "people": {"manager": "manager_external_id", "hired": "hired_on", "left": "left_on"},
    "deals": {
        "owner": "owner_external_id",
        "created": "created_day",
        "close": "close_day",
        "amount": "amount_minor",
        "probability": "probability_bp",
    },
    "quotas": {
        "owner": "owner_external_id",
        "team": "team_external_id",
        "amount": "amount_minor",
        "first": "first_day",
        "last": "end_day",
    },
    "rates": {"from": "first_day", "rate": "units_per_base"},
    "objectives": {"starts": "starts_on", "due": "due_on"},
    "check_ins": {"planned": "planned_on", "held": "held_on"},
    "learning": {"due": "due_on", "done": "done_on"},
    "absences": {"first": "first_day", "last": "end_day"},
    "obstacles": {"opened": "opened_on", "resolved": "resolved_on"},
}
EXTRA = {"people": {"default_group"}, "quotas": {"period"}, "deals": set[str]()}
TABLES = {"status", "known", "words"}
TOP = {"title", "currency", "dates", "decimal", "working_group"}
DATES = {
    "yyyy-mm-dd": "%Y-%m-%d", "dd-mm-yy": "%d-%m-%y", "dd-mm-yyyy": "%d-%m-%Y", "mm-dd-yy": "%m-%d-%y",
    "mm-dd-yyyy": "%m-%d-%Y", "dd/mm/yy": "%d/%m/%y", "dd/mm/yyyy": "%d/%m/%Y", "mm/dd/yy": "%m/%d/%y",
    "mm/dd/yyyy": "%m/%d/%Y", "dd.mm.yy": "%d.%m.%y", "dd.mm.yyyy": "%d.%m.%Y", "yyyy/mm/dd": "%Y/%m/%d",
    "yyyymmdd": "%Y%m%d",
}  # fmt: skip
NEEDED = {
    "people": ("name",), "deals": ("external_id", "status"), "quotas": ("amount_minor",),
    "rates": ("base", "currency", "first_day", "units_per_base"), "objectives": ("external_id", "person", "title"),
    "key_results": ("objective", "title"), "check_ins": ("external_id", "person"), "feedback": ("person", "batch"),
    "feedback_requests": ("external_id", "person"), "obstacles": ("external_id", "person", "opened_on"),
    "relationships": ("person", "who"), "learning": ("person", "title"), "leavers": ("person", "left_on"),
    "absences": ("person", "first_day", "end_day"),
}  # fmt: skip
STANDARD: dict[str, dict[str, Any]] = {
    "people": {
        "file": "people.csv",
        "external_id": "employee_id",
        "employee_id": "employee_id",
        "name": "name",
        "email": "email",
        "title": "title",
        "team": "team",
        "team_parent": "team_parent",
        "manager_external_id": "manager_employee_id",
        "working_group": "working_group",
        "hired_on": "hired",
        "left_on": "left",
    },
    "rates": {
        "file": "rates.csv",
        "base": "base",
        "currency": "currency",
        "first_day": "from",
        "units_per_base": "units_per_base",
    },
    "quotas": {
        "file": "quotas.csv",
        "owner_external_id": "employee_id",
        "period": "period",
        "amount_minor": "amount",
        "currency": "currency",
    },
    "objectives": {
        "file": "objectives.csv",
        "external_id": "objective_id",
        "person": "employee_id",
        "title": "title",
        "kind": "kind",
        "why_it_matters": "why_it_matters",
        "serves": "serves",
        "starts_on": "starts",
        "due_on": "due",
        "status": "status",
        "shared": "shared",
    },
    "key_results": {
        "file": "objectives.csv",
        "objective": "objective_id",
        "title": "key_result",
        "baseline": "baseline",
        "target": "target",
        "current": "current",
        "measured_on": "measured_on",
    },
    "check_ins": {
        "file": "check_ins.csv",
        "external_id": "check_in_id",
        "person": "employee_id",
        "with_person": "with_employee_id",
        "asked_by": "asked_by",
        "planned_on": "planned_on",
        "held_on": "held_on",
        "status": "status",
        "topic": "topic",
    },
    "feedback": {
        "file": "feedback.csv",
        "external_id": "feedback_id",
        "person": "about_employee_id",
        "asked": "asked",
        "batch": "given_week",
        "what_happened": "what_happened",
        "effect": "effect",
        "suggestion": "suggestion",
        "signed_by": "named_giver",
    },
    "feedback_requests": {
        "file": "feedback_requests.csv",
        "external_id": "request_id",
        "person": "employee_id",
        "about": "about",
        "asked_of": "asked_of",
        "asked_on": "asked_on",
        "answered": "answered",
    },
    "obstacles": {
        "file": "obstacles.csv",
        "external_id": "obstacle_id",
        "person": "employee_id",
        "kind": "kind",
        "what": "what",
        "who_can_remove": "who_can_remove",
        "opened_on": "opened",
        "resolved_on": "resolved",
    },
    "relationships": {
        "file": "relationships.csv",
        "person": "employee_id",
        "who": "who",
        "why": "why",
        "next_contact": "next_contact",
    },
    "learning": {
        "file": "learning.csv",
        "person": "employee_id",
        "title": "title",
        "due_on": "due",
        "done_on": "done_on",
        "status": "status",
    },
    "absences": {
        "file": "leave.csv",
        "person": "employee_id",
        "first_day": "first",
        "end_day": "last",
        "relieved": "relieved",
    },
    "leavers": {
        "file": "leavers.csv",
        "person": "employee_id",
        "left_on": "left_on",
        "reason": "reason",
        "regretted": "regretted",
    },
}
"""Our own layout, used when there is no mapping file: docs/how-to/spreadsheets.md."""


@dataclass(frozen=True)
class Sheet:
    """One stream of a mapping: its file, our field -> their column(s), and what their words mean."""

    stream: str
    file: Path
    columns: Mapping[str, str | list[str]]
    status: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, tuple[Path, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class ColumnMapping:
    """A whole mapping: its sheets in reading order and how dates and amounts are written."""

    title: str
    sheets: Mapping[str, Sheet]
    currency: str | None = None
    dates: str = "yyyy-mm-dd"
    decimal: str = "."
    working_group: str | None = None


def load_mapping(folder: Path, path: Path | None) -> ColumnMapping:
    """Read a mapping file, or take our own layout for the files that are there; a UserError lists every problem."""
    if path is None:
        sheets = {
            s: Sheet(s, folder / d["file"], _columns(s, d))
            for s, d in STANDARD.items()
            if (folder / d["file"]).is_file()
        }
        if not sheets:
            raise UserError(
                f"{folder} has none of {', '.join(sorted({d['file'] for d in STANDARD.values()}))}; give a mapping file"
            )
        return ColumnMapping(folder.name, sheets)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"the mapping {path} cannot be read: {error}") from None
    wrong = [
        f"{key}: not a stream; use one of {', '.join(DRAFTS)}" for key in data if key not in TOP and key not in DRAFTS
    ]
    dates, currency = str(data.get("dates", "yyyy-mm-dd")), data.get("currency")
    if dates not in DATES:
        wrong.append(f"dates: {dates!r} is none of {', '.join(DATES)}")
    if data.get("decimal", ".") not in (".", ","):
        wrong.append('decimal: it is "." or ","')
    if currency is not None and currency not in known_currencies():
        wrong.append(f"currency: {currency!r} is no ISO 4217 code, such as EUR or USD")
    sheets = {}
    for stream in DRAFTS:
        if isinstance(data.get(stream), dict):
            sheets[stream] = _sheet(stream, data[stream], folder, wrong)
    if not sheets and not wrong:
        wrong.append("it maps no file; begin with [deals]")
    if wrong:
        raise UserError(f"the mapping {path.name} has problems:", wrong)
    return ColumnMapping(
        str(data.get("title", path.stem)),
        sheets,
        currency,
        dates,
        str(data.get("decimal", ".")),
        data.get("working_group"),
    )


def _columns(stream: str, table: Mapping[str, Any]) -> dict[str, str | list[str]]:
    aliases = ALIASES.get(stream, {})
    return {aliases.get(k, k): v for k, v in table.items() if k != "file" and not (k in TABLES and isinstance(v, dict))}


def _sheet(stream: str, table: Mapping[str, Any], folder: Path, wrong: list[str]) -> Sheet:
    columns = _columns(stream, table)
    for key in columns:
        if key not in DRAFTS[stream] and key not in EXTRA.get(stream, ()):
            near = difflib.get_close_matches(key, [*DRAFTS[stream], *ALIASES.get(stream, {})], 1)
            wrong.append(f"{stream}.{key}: not a field" + (f"; did you mean {near[0]}?" if near else ""))
    given = {*columns, *(["status"] if "stage" in columns and table.get("status") else [])}
    wrong += [f"{stream}: {need} is missing" for need in NEEDED.get(stream, ()) if need not in given]
    file = folder / str(table.get("file", ""))
    if not table.get("file"):
        wrong.append(f"{stream}: file is missing")
    elif not file.is_file():
        wrong.append(f"{stream}: there is no file {table['file']} in {folder}")
    known = {}
    for name, place in (table.get("known") or {}).items():
        known[name] = (folder / str(place.get("file")), str(place.get("column")))
        if not known[name][0].is_file():
            wrong.append(f"{stream}.known.{name}: there is no file {place.get('file')} in {folder}")
    status = (
        {str(k): str(v) for k, v in (table.get("status") or {}).items()}
        if isinstance(table.get("status"), dict)
        else {}
    )
    wrong += [
        f"{stream}.status.{k}: {v!r} is none of won, open, lost"
        for k, v in status.items()
        if stream == "deals" and v not in ("won", "open", "lost")
    ]
    return Sheet(stream, file, columns, status, known)


def missing_columns(sheet: Sheet, frame: pd.DataFrame) -> list[str]:
    """Each mapped column that the file does not have, with the closest that it has."""
    there, lines = [c for c in frame.columns if c != "_row"], []
    for name, wanted in sheet.columns.items():
        for column in wanted if isinstance(wanted, list) else [wanted]:
            if column not in there:
                near = difflib.get_close_matches(column, there, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(there)}"
                lines.append(f"{sheet.file.name} has no column {column!r} for {sheet.stream}.{name}; {hint}")
    return lines
