"""Writes a scorecard's figures to a custom object, so that they stand beside the record in the CRM. Off by default.

Only figures about the number are written: attainment, pace, coverage, the day and a link. Never what anybody said
about anybody, and never an objective. Rows are known by a unique property: writing twice changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors.base import Figure, Outcome
from connectors.errors import BadAnswer, NotAllowed
from connectors.guard import proven_list
from connectors.hubspot.refusals import Refused

if TYPE_CHECKING:
    from connectors.hubspot.connector import HubSpot

AT_ONCE = 100  # rows of one call
KEY = "scorecard_key"
PROPERTIES = {
    KEY: ("Key", "string", "text"),
    "hubspot_owner_id": ("", "", ""),  # every object has it
    "period": ("Period", "string", "text"),
    "attainment": ("Attainment (%)", "number", "number"),
    "pace": ("Pace (%)", "number", "number"),
    "coverage": ("Coverage", "number", "number"),
    "as_of": ("As of", "date", "date"),
    "scorecard_link": ("Scorecard", "string", "text"),
}
"""The properties of the object: label, type and field type."""


def publish(source: "HubSpot", figures: Sequence[Figure]) -> list[Outcome]:
    """Upsert by the key, 100 rows a call; one outcome each, in order. A row that is refused stops no other."""
    if not figures:
        return []
    kind = find_object(source) or _made(source)
    found: dict[str, str] = {}
    for start in range(0, len(figures), AT_ONCE):
        found |= _written(source, kind, figures[start : start + AT_ONCE])
    return [Outcome(figure.key, found[figure.key]) for figure in figures]


def find_object(source: "HubSpot") -> str | None:
    """The type id of the scorecard object; None when it is not there. NotAllowed names what it lacks."""
    name = source.options.write_back.object
    where = f"{source.name}: custom objects"
    answer = source.client.call("custom objects", "schemas")
    for schema in proven_list(where, answer.body, "results"):
        if schema.get("name") == name:
            there = {p.get("name"): p for p in schema.get("properties") or []}
            missing = [n for n, (label, _, _) in PROPERTIES.items() if label and n not in there]
            if missing:
                raise NotAllowed(f"{source.name}: the object {name} has no property {', '.join(missing)}; make them")
            if not there[KEY].get("hasUniqueValue"):
                raise NotAllowed(f"{source.name}: {KEY} of {name} is not unique, which cannot be changed later; "
                                 "make the object anew, or name another one in write_back.object")  # fmt: skip
            return str(schema.get("objectTypeId") or schema.get("fullyQualifiedName"))
    return None


def _made(source: "HubSpot") -> str:
    """Make the object, where that was asked for. A create is never sent twice."""
    name = source.options.write_back.object
    if not source.options.write_back.create:
        raise NotAllowed(f"{source.name}: there is no object {name}; make it, or set write_back.create = true")
    properties = [
        {"name": n, "label": label, "type": kind, "fieldType": field, "hasUniqueValue": n == KEY}
        for n, (label, kind, field) in PROPERTIES.items()
        if label
    ]
    body = {
        "name": name, "labels": {"singular": "Scorecard", "plural": "Scorecards"}, "properties": properties,
        "requiredProperties": [KEY], "primaryDisplayProperty": KEY, "searchableProperties": [KEY],
        "secondaryDisplayProperties": ["period", "attainment"], "associatedObjects": [],
    }  # fmt: skip
    answer = source.client.call(f"making the object {name}", "schemas", body=body, repeat=False)
    made = answer.body.get("objectTypeId") if isinstance(answer.body, Mapping) else None
    if not made:
        raise BadAnswer(f"{source.name}: the object {name} was made without an id; run again")
    return str(made)


def _written(source: "HubSpot", kind: str, part: Sequence[Figure]) -> dict[str, str]:
    """What became of each row: its key to "" or the error. Where all are refused for one, halves are tried."""
    what = f"writing {len(part)} scorecards"
    inputs = [{"id": f.key, "idProperty": KEY, "objectWriteTraceId": f.key, "properties": _row(f)} for f in part]
    try:
        answer = source.client.call(what, "upsert", body={"inputs": inputs}, kind=kind)
    except Refused as error:
        if len(part) == 1:
            return {part[0].key: error.reason}
        middle = len(part) // 2
        return _written(source, kind, part[:middle]) | _written(source, kind, part[middle:])
    results = proven_list(f"{source.name}: {what}", answer.body, "results")
    found = {f.key: "HubSpot did not say what became of it" for f in part}
    errors = answer.body.get("errors") or []
    for wrong in errors:
        for key in _keys(wrong):
            found[key] = str(wrong.get("message") or wrong.get("category") or "refused")[:200]
    for row in results:
        own = row.get("properties") or {}
        key = str(own.get(KEY) or row.get("objectWriteTraceId") or "")
        if key in found:
            found[key] = ""
    if not errors and len(results) == len(part):
        found = dict.fromkeys(found, "")
    return found


def _keys(wrong: Mapping[str, Any]) -> list[str]:
    """The rows that an error is about."""
    context = wrong.get("context") or {}
    named = [*(context.get("objectWriteTraceId") or []), *(context.get("ids") or []), *(context.get("id") or [])]
    return [str(key) for key in named]


def _row(figure: Figure) -> dict[str, str]:
    """A row as the CRM takes it: percent as percent; "" clears a value that is unknown, and is never 0."""

    def spelt(value: float | None, factor: int) -> str:
        return "" if value is None else str(round(value * factor, 2))

    return {
        KEY: figure.key, "hubspot_owner_id": figure.owner_external_id, "period": figure.period,
        "attainment": spelt(figure.attainment, 100), "pace": spelt(figure.pace, 100),
        "coverage": spelt(figure.coverage, 1), "as_of": figure.as_of.isoformat(), "scorecard_link": figure.link,
    }  # fmt: skip
