"""Writing by external id: up to 200 records a call, each with its own result, and none held up by another."""

import json
from typing import TYPE_CHECKING, Any

from sandbox.http import Request, Response

if TYPE_CHECKING:
    from sandbox.salesforce.server import SalesforceServer


def upsert(server: "SalesforceServer", name: str, key: str, request: Request) -> Response:
    """PATCH composite/sobjects/{object}/{external id field}"""
    if name not in server.objects() or key not in server.fields(name):
        return server.error(404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {key}")
    records = request.json["records"]
    if len(records) > 200:
        return server.error(400, "EXCEEDED_ID_LIMIT", "record limit reached, cannot submit more than 200 records")
    seen: set[str] = set()
    results: list[dict[str, Any]] = []
    for given in records:
        results.append(_one(server, name, key, {k: v for k, v in given.items() if k != "attributes"}, seen))
    return Response(200, json.dumps(results).encode())


def _one(server: "SalesforceServer", name: str, key: str, fields: dict[str, Any], seen: set[str]) -> dict[str, Any]:
    value = str(fields.get(key) or "")
    unknown = [f for f in fields if f not in server.fields(name)]
    person = fields.get("Person__c")
    if unknown:
        return _no("INVALID_FIELD", f"No such column '{unknown[0]}' on sobject of type {name}", unknown)
    if not value:
        return _no("MISSING_ARGUMENT", f"{key} not specified", [])
    if value in seen:
        return _no("DUPLICATE_VALUE", f"duplicate external id specified: {value}", [key])
    if value in server.locked:
        return _no("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", [])
    if person is not None and person not in server.org.objects["User"]:
        return _no("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ["Person__c"])
    seen.add(value)
    stored = next((r for r in server.org.objects.get(name, {}).values() if r.get(key) == value), None)
    if stored is None:
        made = server.org.add(name, Name=value, IsDeleted=False, **fields)
        return {"id": made["Id"], "success": True, "created": True, "errors": []}
    server.org.change(stored, **fields)
    return {"id": stored["Id"], "success": True, "created": False, "errors": []}


def _no(code: str, message: str, fields: list[str]) -> dict[str, Any]:
    return {"success": False, "created": False, "errors": [{"statusCode": code, "message": message, "fields": fields}]}
