"""Small companies out of literals: frames as the store gives them, from rows that name only what matters."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from metrics.facts import Facts
from models.frames import FRAMES, typed
from models.period import FiscalCalendar, Period
from models.profile import Profile

USUAL: dict[str, dict[str, Any]] = {
    "deals": {
        "connection": "crm",
        "owner_external_id": "u",
        "status": "won",
        "currency": "EUR",
        "close_day": "2026-08-10",
    },
    "quotas": {"connection": "crm", "currency": "EUR", "first_day": "2026-07-01", "end_day": "2026-10-01"},
    "splits": {"connection": "crm", "owner_external_id": "u", "overlay": False},
    "objectives": {"title": "x", "kind": "personal", "status": "active", "shared": True, "weight": 1},
    "key_results": {"title": "x", "weight": 1, "step": False, "position": 0},
    "check_ins": {"asked_by": "rep", "status": "held"},
    "feedback": {"asked": True},
    "identities": {"connection": "crm", "state": "matched", "active": True},
}
PROFILE = Profile.model_validate({
    "key": "sales", "title": "Sales", "version": "2026-01-01", "blocks": ["development", "feedback", "check_in"],
    "metrics": [], "check_in_every_days": 14,
})  # fmt: skip


def frames(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, pd.DataFrame]:
    """Frames from rows; a deal's reporting amount is its amount unless it says otherwise."""
    found = {}
    for name, rows in tables.items():
        full = []
        for number, row in enumerate(rows):
            usual = {"id": f"{name}{number}", "external_id": f"{name}{number}", **USUAL.get(name, {})}
            merged = {**usual, **row}
            if name in ("deals", "quotas") and merged.get("currency") == "EUR":
                merged.setdefault("reporting_minor", merged.get("amount_minor"))
            full.append({c: merged.get(c) for c in FRAMES[name].columns})
        found[name] = typed(pd.DataFrame(full, columns=list(FRAMES[name].columns), dtype="object"), FRAMES[name])
    return found


def quarter(day: date) -> Period:
    """The calendar quarter of a day."""
    periods = FiscalCalendar().periods(day, day)
    return next(p for p in periods if p.kind == "quarter" and p.first_day <= day < p.end_day)


def facts(
    tables: Mapping[str, Sequence[Mapping[str, Any]]], as_of: date = date(2026, 9, 15), people: Sequence[str] = ("R1",)
) -> Facts:
    """Facts about the quarter of a day."""
    return Facts(frames(tables), quarter(as_of), as_of, "EUR", pd.Index(list(people), dtype="str"))
