"""Writes a scorecard's figures to a custom object, so that they stand beside the record in the CRM. Off by default.

Only figures about the number are written: attainment, pace, coverage, the day and a link. Never what anybody said
about anybody, and never an objective. Rows are known by an external id: writing twice changes nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from connectors.base import Figure, Outcome
from connectors.errors import BadAnswer, NotAllowed
from connectors.guard import proven_list
from connectors.salesforce.objects import WRITTEN

if TYPE_CHECKING:
    from connectors.salesforce.connector import Salesforce

AT_ONCE = 200  # records of one call


def publish(source: "Salesforce", figures: Sequence[Figure]) -> list[Outcome]:
    """Upsert by external id, 200 rows a call; one outcome each, in order. A row that is refused stops no other."""
    found: list[Outcome] = []
    fields = targets(source)
    thing = source.options.write_back
    for start in range(0, len(figures), AT_ONCE):
        part = figures[start : start + AT_ONCE]
        where = f"{source.name}: writing scorecards {start + 1} to {start + len(part)}"
        records = [_record(thing.object, thing.key, fields, figure) for figure in part]
        path = source.client.path(f"composite/sobjects/{thing.object}/{thing.key}")
        answer = source.client.call("PATCH", path, where, {"allOrNone": False, "records": records})
        results = proven_list(where, {"results": answer.body}, "results")
        if len(results) != len(part):
            raise BadAnswer(f"{where}: {len(part)} rows were sent and {len(results)} answered for; try again later")
        for figure, result in zip(part, results, strict=True):
            found.append(Outcome(figure.key, _error(result)))
    return found


def targets(source: "Salesforce") -> dict[str, str]:
    """Our words to the object's fields; NotAllowed names everything that is missing."""
    thing = source.options.write_back
    seen = source.client.fields(thing.object)
    if seen is None:
        raise NotAllowed(
            f"{source.name}: there is no object {thing.object}, or the run-as user may not see it; deploy the package "
            "and give the user its permission set (docs/how-to/salesforce.md)"
        )
    fields = {**WRITTEN, **thing.fields}
    missing = [f for f in [thing.key, *fields.values()] if not seen.get(f, {}).get("updateable")]
    if missing:
        raise NotAllowed(f"{source.name}: {thing.object} has no {', '.join(missing)} that the run-as user may write")
    return fields


def _record(name: str, key: str, fields: dict[str, str], figure: Figure) -> dict[str, Any]:
    """A row as the CRM takes it: percent as percent, unknown as null, never 0."""
    values = {
        "person": figure.owner_external_id,
        "period": figure.period,
        "attainment": None if figure.attainment is None else round(figure.attainment * 100, 2),
        "pace": None if figure.pace is None else round(figure.pace * 100, 2),
        "coverage": None if figure.coverage is None else round(figure.coverage, 2),
        "as_of": figure.as_of.isoformat(),
        "link": figure.link or None,
    }
    return {"attributes": {"type": name}, key: figure.key, **{fields[word]: value for word, value in values.items()}}


def _error(result: Any) -> str:
    """Why a row was refused, in the CRM's words; "" when it went in."""
    if isinstance(result, dict) and result.get("success") is True:
        return ""
    errors = result.get("errors") if isinstance(result, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    fields = ", ".join(map(str, first.get("fields") or []))
    code, message = first.get("statusCode", "UNKNOWN"), str(first.get("message", "no reason given"))[:200]
    return f"{code}: {message}" + (f" ({fields})" if fields else "")
