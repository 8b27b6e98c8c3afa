"""Scorecards as JSON and back, without loss: snapshots, `--json` and the page's own JSON are this text."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from metrics.scorecard import Scorecard

_ADAPTER: TypeAdapter[Scorecard] = TypeAdapter(Scorecard)


def plain(card: Scorecard) -> dict[str, Any]:
    """A scorecard as lists, dicts, text and numbers; days and instants as ISO text."""
    found: dict[str, Any] = _ADAPTER.dump_python(card, mode="json")
    return found


def dump(card: Scorecard) -> str:
    """A scorecard as JSON text; the same scorecard gives the same bytes."""
    return _ADAPTER.dump_json(card).decode()


DAYS = {"planned_on", "held_on", "opened_on", "resolved_on", "next_contact", "due_on", "done_on"}
LISTS = ("check_ins", "obstacles", "relationships", "learning")


def parse(text: str) -> Scorecard:
    """A scorecard from its JSON text; days of its lists are days again."""
    card = _ADAPTER.validate_json(text)
    fresh: dict[str, Any] = {name: tuple(_days(row) for row in getattr(card, name)) for name in LISTS}
    return replace(card, **fresh)


def _days(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: date.fromisoformat(v) if k in DAYS and isinstance(v, str) else v for k, v in row.items()}
