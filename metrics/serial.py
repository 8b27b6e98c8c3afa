"""Scorecards as JSON and back, without loss: snapshots, `--json` and the page's own JSON are this text."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Any

from pydantic import TypeAdapter

from metrics.scorecard import Scorecard

_ADAPTER: TypeAdapter[Scorecard] = TypeAdapter(Scorecard)


def plain(value: Any) -> Any:
    """Any part of a scorecard as lists, dicts, text and numbers; days and instants as ISO text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def dump(card: Scorecard) -> str:
    """A scorecard as JSON text; the same scorecard gives the same bytes."""
    import json

    return json.dumps(plain(card), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


DAYS = {"planned_on", "held_on", "opened_on", "resolved_on", "next_contact", "due_on", "done_on"}
LISTS = ("check_ins", "obstacles", "relationships", "learning")


def parse(text: str) -> Scorecard:
    """A scorecard from its JSON text; days of its lists are days again."""
    card = _ADAPTER.validate_json(text)
    fresh: dict[str, Any] = {name: tuple(_days(row) for row in getattr(card, name)) for name in LISTS}
    return replace(card, **fresh)


def _days(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: date.fromisoformat(v) if k in DAYS and isinstance(v, str) else v for k, v in row.items()}
