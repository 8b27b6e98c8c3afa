"""What the pretend org adds to the sandbox's own paths (sandbox/control.py).

GET  /sandbox/truth     {"deals": by quarter, currency and status, "records": live ones per object, "now"}
POST /sandbox/grant     {"refresh_token"}: one more, as after a person authorised one more app
POST /sandbox/settings  {"daily": 5000, "page": 500, "polls": 3, "failing": 1, "slowness": 0.2, "rotation": false}
POST /sandbox/features  {"off": ["splits"]}
POST /sandbox/change    {"id": "006...", "fields": {"StageName": "Proposal"}}
POST /sandbox/touch     {"share": 0.01}: so many of the opportunities get dearer, twenty are deleted, fifteen are new
POST /sandbox/delete    {"id": "006...", "how": "soft" | "hard" | "hide" | "undelete" | "show"}
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox import control as common
from sandbox.http import Request, Response
from sandbox.salesforce.data import advance
from sandbox.salesforce.org import OPTIONAL, SalesforceOrg
from sandbox.salesforce.truth import truth

if TYPE_CHECKING:
    from sandbox.salesforce.server import SalesforceServer

SETTINGS: common.Settings = {
    "daily": ("daily", int), "page": ("page", int), "polls": ("jobs.polls", int), "failing": ("jobs.failing", int),
    "slowness": ("slowness", float), "rotation": ("tokens.rotation", bool),
}  # fmt: skip


def control(server: "SalesforceServer", request: Request) -> Response:
    """Answer one of the sandbox's own paths."""
    org = server.org
    verbs: dict[str, common.Verb] = {
        "truth": lambda given: _truth(org),
        "grant": lambda given: {"refresh_token": server.tokens.grant()},
        "clock": lambda given: _wait(org, given),
        "advance": lambda given: _advance(org, int(given.get("days", 1))),
        "features": lambda given: setattr(org, "features", set(OPTIONAL) - set(given.get("off", []))),
        "change": lambda given: _change(org, given["id"], given["fields"]),
        "touch": lambda given: _touch(org, float(given.get("share", 0.01))),
        "delete": lambda given: _delete(org, given["id"], given.get("how", "soft")),
    }
    return common.control(server, request, verbs, SETTINGS, used=server.used, log_ins=server.log_ins)


def _truth(org: SalesforceOrg) -> dict[str, Any]:
    rows = [
        {"quarter": q, "currency": c, "status": s, "amount": str(amount), "deals": number}
        for (q, c, s), (amount, number) in sorted(truth(org).items())
    ]
    live = {k: sum(not r.get("IsDeleted") for r in found.values()) for k, found in org.objects.items()}
    return {"deals": rows, "records": live, "now": org.clock.isoformat()}


def _wait(org: SalesforceOrg, given: dict[str, Any]) -> None:
    org.clock += timedelta(days=given.get("days", 0), seconds=given.get("seconds", 0))


def _advance(org: SalesforceOrg, days: int) -> None:
    for day in range(days):
        advance(org, 7, 1000 + day + org.numbers)


def _record(org: SalesforceOrg, name: str) -> dict[str, Any]:
    return next(found[name] for found in org.objects.values() if name in found)


def _change(org: SalesforceOrg, name: str, fields: dict[str, Any]) -> None:
    record = _record(org, name)
    org.change(record, **{k: _like(record.get(k), v) for k, v in fields.items()})


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
