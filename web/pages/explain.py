"""One figure, opened: formula, parts, the rows behind it with their links, and the same value worked out again."""

import json
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import TypeAdapter

from metrics.explain import Explanation, explain
from metrics.inputs import unpack
from metrics.registry import METRICS
from models.errors import UserError
from web import audit
from web.access import Action, can
from web.cards import kept_inputs
from web.site import Asking, Missing, NotAllowed, Reader

router = APIRouter()
_ADAPTER: TypeAdapter[Explanation] = TypeAdapter(Explanation)


@dataclass(frozen=True)
class ExplainPage:
    """What the page shows."""

    told: Explanation
    back: str
    json: str


@router.get("/people/{person_id}/explain/{metric}.json")
def explain_json(
    reader: Asking, person_id: str, metric: str, period: str | None = None, as_of: date | None = None
) -> Response:
    """The same explanation for a machine."""
    told = _told(reader, person_id, metric, period, as_of)
    return JSONResponse(json.loads(_ADAPTER.dump_json(told)))


@router.get("/people/{person_id}/explain/{metric}")
def explain_page(
    reader: Asking, person_id: str, metric: str, period: str | None = None, as_of: date | None = None
) -> HTMLResponse:
    """The page."""
    told = _told(reader, person_id, metric, period, as_of)
    query = f"?period={told.period_id}&as_of={told.as_of}"
    page = ExplainPage(told, f"/people/{person_id}{query}", f"/people/{person_id}/explain/{metric}.json{query}")
    return reader.html("explain.html", f"{told.result.label}, {told.name}", page)


def _told(reader: Reader, person_id: str, metric: str, period: str | None, as_of: date | None) -> Explanation:
    if not can(reader.actor, Action.READ_SCORECARD, person_id):
        raise Missing
    if metric not in METRICS:
        raise Missing
    if METRICS[metric].personal and reader.actor.person_id != person_id:
        raise NotAllowed("What this figure is made of is the person's own; they can open it and show it to you.")
    with reader.site.engine.begin() as connection:
        audit.record(
            connection, reader.actor, "read_scorecard", reader.now, person_id, detail={"as": f"explain {metric}"}
        )
        packed = kept_inputs(connection, person_id, period, as_of)
    if packed is None:
        raise UserError("What this page was made of was not kept then, so it cannot be worked out again.")
    return explain(unpack(packed), metric)
