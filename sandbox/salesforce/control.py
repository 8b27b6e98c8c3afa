"""The sandbox's own paths, for programs that test a connector from outside; no real org has them.

GET  /sandbox/truth     what a sync should find: deals by quarter, currency and status, and live records per object
GET  /sandbox/calls     {"calls", "used", "log_ins"}
POST /sandbox/grant     {"refresh_token"}: one more, as after a person authorised one more app
POST /sandbox/clock     {"days": 1} or {"seconds": 90}: the org's clock goes on
POST /sandbox/advance   {"days": 1}: days pass, with the work of the company
POST /sandbox/fault     {"kind": "503", "nth": 3, "times": 2, "path": "query"}
POST /sandbox/later     {"nth": 2, "path": "query", "do": "change", "given": {...}}: just before that request, one of these
POST /sandbox/settings  {"daily": 5000, "page": 500, "polls": 3, "failing": 1, "slowness": 0.2, "rotation": false}
POST /sandbox/features  {"off": ["splits"]}
POST /sandbox/change    {"id": "006...", "fields": {"StageName": "Proposal"}}
POST /sandbox/touch     {"share": 0.01}: so many of the opportunities get dearer, twenty are deleted, fifteen are new
POST /sandbox/delete    {"id": "006...", "how": "soft" | "hard" | "hide" | "undelete" | "show"}
"""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.http import Request, Response
from sandbox.salesforce.data import advance
from sandbox.salesforce.org import OPTIONAL, SalesforceOrg
from sandbox.salesforce.truth import truth

if TYPE_CHECKING:
    from sandbox.salesforce.server import SalesforceServer


def control(server: "SalesforceServer", name: str, request: Request) -> Response:
    """Answer one of the sandbox's own paths."""
    org, given = server.org, request.json if request.method == "POST" else {}
    if name == "truth":
        rows = [
            {"quarter": q, "currency": c, "status": s, "amount": str(amount), "deals": number}
            for (q, c, s), (amount, number) in sorted(truth(org).items())
        ]
        live = {k: sum(not r.get("IsDeleted") for r in found.values()) for k, found in org.objects.items()}
        return _json({"deals": rows, "records": live, "now": org.clock.isoformat()})
    if name == "grant":
        return _json({"refresh_token": server.tokens.grant()})
    if name == "clock":
        org.clock += timedelta(days=given.get("days", 0), seconds=given.get("seconds", 0))
    elif name == "advance":
        for day in range(int(given.get("days", 1))):
            advance(org, 7, 1000 + day + org.numbers)
    elif name == "fault":
        server.fault(given["kind"], int(given.get("nth", 1)), int(given.get("times", 1)), given.get("path", ""))
    elif name == "later":
        inner = replace(request, body=json.dumps(given.get("given", {})).encode())
        server.later(lambda: control(server, given["do"], inner), int(given.get("nth", 1)), given.get("path", ""))
    elif name == "settings":
        _set(server, given)
    elif name == "features":
        org.features = set(OPTIONAL) - set(given.get("off", []))
    elif name == "change":
        record = _record(org, given["id"])
        org.change(record, **{k: _like(record.get(k), v) for k, v in given["fields"].items()})
    elif name == "touch":
        _touch(org, float(given.get("share", 0.01)))
    elif name == "delete":
        _delete(org, given["id"], given.get("how", "soft"))
    elif name != "calls":
        return Response(404, b"{}")
    return _json({"now": org.clock.isoformat(), "calls": server.calls, "used": server.used, "log_ins": server.log_ins})


def _set(server: "SalesforceServer", given: dict[str, Any]) -> None:
    server.daily = int(given.get("daily", server.daily))
    server.page = int(given.get("page", server.page))
    server.jobs.polls = int(given.get("polls", server.jobs.polls))
    server.jobs.failing = int(given.get("failing", server.jobs.failing))
    server.slowness = float(given.get("slowness", server.slowness))
    server.tokens.rotation = bool(given.get("rotation", server.tokens.rotation))


def _record(org: SalesforceOrg, name: str) -> dict[str, Any]:
    return next(found[name] for found in org.objects.values() if name in found)


def _delete(org: SalesforceOrg, name: str, how: str) -> None:
    if how == "show":
        org.show(name)
        return
    {"soft": org.delete, "hard": org.hard_delete, "hide": org.hide, "undelete": org.undelete}[how](_record(org, name))


def _touch(org: SalesforceOrg, share: float) -> None:
    live = [d for d in org.deals if not d["IsDeleted"]]
    for deal in live[:: max(round(1 / share), 1)]:
        org.change(deal, Amount=(deal["Amount"] or Decimal(0)) + Decimal("0.50"))
    for number, deal in enumerate(live[1:21]):
        (org.delete if number % 2 else org.hard_delete)(deal)
    for deal in live[30:45]:
        org.add(
            "Opportunity", **{k: v for k, v in deal.items() if k not in ("Id", "SystemModstamp", "LastModifiedDate")}
        )


def _like(old: Any, value: Any) -> Any:
    """A JSON value in the type that the field has."""
    if isinstance(old, Decimal) and value is not None:
        return Decimal(str(value))
    return date.fromisoformat(value) if isinstance(old, date) and isinstance(value, str) else value


def _json(facts: Any) -> Response:
    return Response(200, json.dumps(facts).encode())
