"""What the pretend portal adds to the sandbox's own paths (sandbox/control.py).

GET  /sandbox/truth     {"deals": by quarter, currency and status, "records": live ones by kind, "now"}
POST /sandbox/settings  {"burst": [190, 10], "search": [5, 1], "daily": 650000, "lag": 30, "v3_off": true, "most": 20,
                         "after": "position", "slowness": 0.2, "latency": 0.02, "lives": 60, "rotation": true}
POST /sandbox/limits    {"on": true}: the documented limits, or none
POST /sandbox/features  {"off": ["splits", "meetings"]}: kinds of record, or what is asked, that the account lacks
POST /sandbox/scopes    {"off": ["crm.objects.goals.read"]}: scopes that the key or app has not been given
POST /sandbox/change    {"id": "1234", "properties": {"dealstage": "closedwon"}}
POST /sandbox/split     {"id": "1234", "parts": [["1001", "0.6"], ["1003", "0.4"]]}
POST /sandbox/merge     {"id": "1234", "other": "1235", "anew": false}
POST /sandbox/delete    {"id": "1234", "how": "archive" | "restore" | "silent" | "forget"}
POST /sandbox/touch     {"share": 0.01}: so many of the deals get dearer, twenty are archived or forgotten, fifteen are new
"""

import random
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from sandbox import control as common
from sandbox.http import Request, Response
from sandbox.hubspot.data import advance, make_deal
from sandbox.hubspot.limits import DOCUMENTED
from sandbox.hubspot.portal import Portal, Record
from sandbox.hubspot.truth import truth

if TYPE_CHECKING:
    from sandbox.hubspot.server import HubSpotServer


def _rate(value: Any) -> tuple[int, float] | None:
    return None if value is None else (int(value[0]), float(value[1]))


def _seconds(value: Any) -> timedelta:
    return timedelta(seconds=float(value))


SETTINGS: common.Settings = {
    "burst": ("limits.burst", _rate), "search": ("limits.search", _rate), "daily": ("limits.daily", int),
    "lag": ("portal.lag", _seconds), "v3_off": ("v3_off", bool), "most": ("most", int),
    "after": ("after", str), "slowness": ("slowness", float), "latency": ("latency", float),
    "lives": ("tokens.lives", int), "rotation": ("tokens.rotation", bool),
}  # fmt: skip


def control(server: "HubSpotServer", request: Request) -> Response:
    """Answer one of the sandbox's own paths."""
    portal, limits = server.portal, server.limits
    verbs: dict[str, common.Verb] = {
        "truth": lambda given: _truth(portal),
        "clock": lambda given: portal.wait(timedelta(days=given.get("days", 0), seconds=given.get("seconds", 0))),
        "advance": lambda given: _advance(portal, int(given.get("days", 1))),
        "limits": lambda given: _limit(server, bool(given.get("on", True))),
        "features": lambda given: setattr(server, "lacking", set(given.get("off", []))),
        "scopes": lambda given: server.scopes.difference_update(given.get("off", [])),
        "change": lambda given: portal.change(_record(portal, given["id"]), **given["properties"]),
        "split": lambda given: portal.split(_record(portal, given["id"]), given["parts"]),
        "merge": lambda given: _merge(portal, given),
        "delete": lambda given: _delete(portal, given["id"], given.get("how", "archive")),
        "touch": lambda given: _touch(portal, float(given.get("share", 0.01))),
    }
    facts = {"used": limits.used, "refused": limits.refused, "log_ins": server.tokens.log_ins}
    return common.control(server, request, verbs, SETTINGS, **facts)


def _truth(portal: Portal) -> dict[str, Any]:
    rows = [
        {"quarter": q, "currency": c, "status": s, "amount": str(amount), "deals": number}
        for (q, c, s), (amount, number) in sorted(truth(portal).items())
    ]
    live = {kind: len(portal.ordered(kind, archived=False)) for kind in portal.objects}
    return {"deals": rows, "records": live, "now": portal.clock.isoformat()}


def _advance(portal: Portal, days: int) -> None:
    for day in range(days):
        advance(portal, 7, 1000 + day + portal.numbers)


def _limit(server: "HubSpotServer", on: bool) -> None:
    server.limits.burst = DOCUMENTED["burst"] if on else None
    server.limits.search = DOCUMENTED["search"] if on else None


def _record(portal: Portal, name: str) -> Record:
    return next(found[name] for found in portal.objects.values() if name in found)


def _merge(portal: Portal, given: dict[str, Any]) -> None:
    one, two = portal.deals[given["id"]], portal.deals[given["other"]]
    portal.merge(one, two, bool(given.get("anew", False)))


def _delete(portal: Portal, name: str, how: str) -> None:
    record = _record(portal, name)
    if how == "silent":
        portal.restore(record, silent=True)
        return
    {"archive": portal.archive, "restore": portal.restore, "forget": portal.forget}[how](record)


def _touch(portal: Portal, share: float) -> None:
    live = list(portal.ordered("deals", archived=False))
    for deal in live[:: max(round(1 / share), 1)]:
        portal.change(deal, amount=_dearer(deal["properties"]["amount"]))
    for number, deal in enumerate(live[1:21]):
        (portal.archive if number % 2 else portal.forget)(deal)
    rng = random.Random(portal.numbers)
    for deal in live[30:45]:
        make_deal(portal, rng, deal["properties"]["hubspot_owner_id"], "appointment", portal.today)


def _dearer(amount: str | None) -> str:
    try:
        return str(Decimal(amount or "0") + Decimal("0.50"))
    except InvalidOperation:
        return "0.50"
