"""What can be written over HTTP: records, merges, shares of credit, custom objects, and rows by a unique property."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from sandbox.http import Request, Response
from sandbox.hubspot.pipelines import STAGES, set_stage
from sandbox.hubspot.portal import Record
from sandbox.hubspot.routes import Route

if TYPE_CHECKING:
    from sandbox.hubspot.server import HubSpotServer

MOST = 100  # rows of one batch
EVERY = {"hubspot_owner_id", "hubspot_team_id"}
"""Properties that every object has."""


def create(server: "HubSpotServer", request: Request, route: Route) -> Response:
    """A new record."""
    properties = request.json.get("properties") or {}
    if route.kind == "deals":
        stage = properties.get("dealstage", "appointment")
        if stage not in STAGES:
            return server.error(400, "VALIDATION_ERROR", f"{stage} was not one of the allowed options")
        blank = {"amount": None, "deal_currency_code": "USD", "dealname": "", "hubspot_owner_id": None}
        properties = {**blank, **set_stage(stage), **properties}
    record = server.portal.add(route.kind, **properties)
    return server.answer(server.shown(record, list(properties), []), 201)


def change(server: "HubSpotServer", request: Request, record: Record) -> Response:
    """Some properties of a record."""
    properties = request.json.get("properties") or {}
    stage = properties.get("dealstage")
    if stage is not None and stage not in STAGES:
        return server.error(400, "VALIDATION_ERROR", f"{stage} was not one of the allowed options")
    server.portal.change(record, **properties)
    return server.answer(server.shown(record, list(properties), []))


def merge(server: "HubSpotServer", request: Request, route: Route) -> Response:
    """Two deals into a new one."""
    live = {i: r for i, r in server.portal.objects[route.kind].items() if not r["archived"]}
    one, two = (live.get(str(request.json.get(k))) for k in ("primaryObjectId", "objectIdToMerge"))
    if one is None or two is None or one is two:
        return server.error(400, "VALIDATION_ERROR", "both records have to be there, and be two")
    return server.answer(server.shown(server.portal.merge(one, two, anew=True), [], []))


def share(server: "HubSpotServer", request: Request, route: Route) -> Response:
    """Deals' credit in parts that are 1 together, in place of how it was shared before."""
    rows, errors = [], []
    for given in request.json["inputs"]:
        deal = server.portal.deals.get(str(given["id"]))
        parts = [(str(s["ownerId"]), str(s["percentage"])) for s in given["splits"]]
        if deal is None or deal["archived"]:
            errors.append(server.lost([str(given["id"])]))
        elif parts and sum(Decimal(percentage) for _, percentage in parts) != 1:
            errors.append(_wrong(str(given["id"]), "Deal split percentages must sum up to 1.0"))
        else:
            server.portal.split(deal, parts)
            rows.append({"id": deal["id"], "splits": server.portal.splits[deal["id"]]})
    return server.batch(rows, errors)


def schemas(server: "HubSpotServer", request: Request, route: Route) -> Response:
    """The custom objects, or one more."""
    portal = server.portal
    if request.method == "GET":
        return server.answer({"results": portal.schemas})
    body = request.json
    lacking = [k for k in ("name", "labels", "properties", "requiredProperties") if not body.get(k)]
    if lacking:
        return server.error(400, "VALIDATION_ERROR", f"Some required fields were not set: {lacking}")
    if any(s["name"] == body["name"] for s in portal.schemas):
        return server.error(409, "OBJECT_ALREADY_EXISTS", f"{body['name']} exists already")
    number = portal.next_id()
    made = {**body, "id": number, "objectTypeId": f"2-{number}", "archived": False, "associations": [],
            "fullyQualifiedName": f"p{portal.account['portalId']}_{body['name']}"}  # fmt: skip
    portal.schemas.append(made)
    portal.objects[made["objectTypeId"]] = {}
    return server.answer(made, 201)


def upsert(server: "HubSpotServer", request: Request, route: Route) -> Response:
    """Rows of a custom object, known by a unique property; each that is refused is named, and stops no other."""
    inputs = request.json["inputs"]
    if not 0 < len(inputs) <= MOST:
        return server.error(400, "VALIDATION_ERROR", f"inputs: between 1 and {MOST}")
    schema = next((s for s in server.portal.schemas if s["objectTypeId"] == route.kind), None)
    if schema is None:
        return server.error(400, "VALIDATION_ERROR", f"{route.kind} cannot be upserted")
    known = {p["name"]: p for p in schema["properties"]}
    wrong = {g["id"]: why for g in inputs if (why := _problem(server, known, g))}
    if wrong and server.whole_batch:
        return server.error(400, "VALIDATION_ERROR", next(iter(wrong.values())))
    rows = [_upserted(server, route.kind, given) for given in inputs if given["id"] not in wrong]
    return server.batch(rows, [_wrong(given, why) for given, why in wrong.items()])


def _problem(server: "HubSpotServer", known: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    key = given.get("idProperty", "hs_object_id")
    if not known.get(key, {}).get("hasUniqueValue"):
        return f"{key} is no unique property"
    for name, value in given["properties"].items():
        if name not in known and name not in EVERY:
            return f'Property "{name}" does not exist'
        if known.get(name, {}).get("type") == "number" and value and not _is_number(value):
            return f"{value} was not a valid number"
    return server.refused_rows.get(given["id"], "")


def _is_number(value: str) -> bool:
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _upserted(server: "HubSpotServer", kind: str, given: Mapping[str, Any]) -> Record:
    portal, key = server.portal, given["idProperty"]
    properties = {**given["properties"], key: given["id"]}
    there = [r for r in portal.ordered(kind, archived=False) if r["properties"].get(key) == given["id"]]
    if there:
        portal.change(there[0], **properties)
    record = there[0] if there else portal.add(kind, **properties)
    trace = {"objectWriteTraceId": given["objectWriteTraceId"]} if "objectWriteTraceId" in given else {}
    return {**record, "new": not there, **trace}


def _wrong(row: str, why: str) -> Record:
    context = {"objectWriteTraceId": [row], "ids": [row]}
    return {"status": "error", "category": "VALIDATION_ERROR", "message": why, "context": context}


WRITES: dict[str, Callable[["HubSpotServer", Request, Route], Response]] = {
    "merge": merge, "share": share, "schemas": schemas, "upsert": upsert,
}  # fmt: skip
