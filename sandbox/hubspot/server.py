"""The HubSpot-shaped paths, v3 and date-versioned, with scopes and the documented page sizes."""

import json
import re
from datetime import datetime
from typing import Any

from sandbox.http import LoopbackServer, Request, Response
from sandbox.hubspot.data import Portal, Record
from sandbox.hubspot.search import OPERATORS, SearchError, search

TOKEN = "sandbox-token"
SCOPES = {"crm.objects.deals.read", "crm.objects.owners.read", "crm.objects.goals.read", "crm.schemas.deals.read"}
VERSION = r"(v3|2026-03|2026-09)"
PATHS = (
    (rf"/crm/{VERSION}/owners/?", "owners"),
    (rf"/crm/owners/{VERSION}/?", "owners"),
    (rf"/crm/{VERSION}/pipelines/deals/?", "pipelines"),
    (rf"/crm/pipelines/{VERSION}/deals/?", "pipelines"),
    (rf"/crm/{VERSION}/properties/(?:deals|0-3)/?", "properties"),
    (rf"/crm/properties/{VERSION}/(?:deals|0-3)/?", "properties"),
    (rf"/crm/{VERSION}/objects/(deals|0-3|goal_targets)/search/?", "search"),
    (rf"/crm/objects/{VERSION}/(deals|0-3|goal_targets)/search/?", "search"),
    (rf"/crm/{VERSION}/objects/(deals|0-3|goal_targets)/?", "list"),
    (rf"/crm/objects/{VERSION}/(deals|0-3|goal_targets)/?", "list"),
    (rf"/account-info/{VERSION}/details/?", "account"),
)
NEEDS = {
    "owners": "crm.objects.owners.read",
    "pipelines": "crm.objects.deals.read",
    "properties": "crm.schemas.deals.read",
}


class HubSpotServer(LoopbackServer):
    """Serves a portal. The token is sandbox-token."""

    def __init__(self, portal: Portal, port: int = 0, v3_off: bool = False) -> None:
        super().__init__(port)
        self.portal = portal
        self.v3_off = v3_off
        self.scopes = set(SCOPES)
        self._kept: tuple[list[Record], list[Record]] = ([], [])
        self._kept_at = -1

    def __enter__(self) -> "HubSpotServer":
        self.start()
        return self

    def now(self) -> datetime:
        return self.portal.now()

    def unauthorised(self) -> Response:
        return self.error(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired")

    def error(self, status: int, category: str, message: str, **more: Any) -> Response:
        """An error in the documented shape."""
        body = {"status": "error", "message": message, "correlationId": "0000-sandbox", "category": category, **more}
        return Response(status, json.dumps(body).encode())

    def answer(self, facts: Any) -> Response:
        limits = {"X-HubSpot-RateLimit-Max": "190", "X-HubSpot-RateLimit-Remaining": "189",
                  "X-HubSpot-RateLimit-Interval-Milliseconds": "10000", "X-HubSpot-RateLimit-Daily": "650000"}  # fmt: skip
        return Response(200, json.dumps(facts).encode(), headers=limits)

    def handle(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found or invalid")
        routes = ((re.fullmatch(pattern, request.path), what) for pattern, what in PATHS)
        match, what = next((route for route in routes if route[0]), (None, ""))
        if match is None:
            return self.error(404, "OBJECT_NOT_FOUND", "resource not found")
        if match[1] == "v3" and self.v3_off:
            return self.error(404, "OBJECT_NOT_FOUND", "this version is no longer served")
        kind = match[2] if match.re.groups > 1 else ""
        scope = NEEDS.get(what) or ("crm.objects.goals.read" if kind == "goal_targets" else "crm.objects.deals.read")
        if scope not in self.scopes and what != "account":
            context = [{"message": "missing scope", "context": {"requiredGranularScopes": [scope]}}]
            return self.error(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes", errors=context)
        answer: Response = getattr(self, f"do_{what}")(request, kind)
        return answer

    def do_account(self, request: Request, kind: str) -> Response:
        return self.answer(self.portal.account)

    def do_owners(self, request: Request, kind: str) -> Response:
        archived = request.one("archived", "false").lower() == "true"
        owners = [o for o in self.portal.owners.values() if o["archived"] is archived]
        return self.page(request, owners, 500)

    def do_pipelines(self, request: Request, kind: str) -> Response:
        return self.answer({"results": self.portal.pipelines})

    def do_properties(self, request: Request, kind: str) -> Response:
        names = dict.fromkeys(n for d in list(self.portal.deals.values())[:50] for n in d["properties"])
        return self.answer({"results": [{"name": n, "type": "string", "label": n} for n in names]})

    def records(self, kind: str, archived: bool) -> list[Record]:
        """Records in id order; worked out again only after a change."""
        if kind == "goal_targets":
            return [] if archived else list(self.portal.goals.values())
        if self._kept_at != self.portal.version:
            ordered = sorted(self.portal.deals.values(), key=lambda d: int(d["id"]))
            parts = [d for d in ordered if not d["archived"]], [d for d in ordered if d["archived"]]
            self._kept, self._kept_at = parts, self.portal.version
        return self._kept[1 if archived else 0]

    def do_list(self, request: Request, kind: str) -> Response:
        most = 50 if "propertiesWithHistory" in request.query else 100
        records = self.records(kind, request.one("archived", "false").lower() == "true")
        return self.page(request, records, most, wanted(request))

    def page(self, request: Request, records: list[Record], most: int, names: list[str] | None = None) -> Response:
        """One page of a list; `after` is where it begins."""
        limit, after = int(request.one("limit", "10")), int(request.one("after", "0") or 0)
        if limit > most:
            return self.error(400, "VALIDATION_ERROR", f"limit must be at most {most}")
        shown = [r if names is None else cut(r, names) for r in records[after : after + limit]]
        facts: dict[str, Any] = {"results": shown}
        if after + limit < len(records):
            facts["paging"] = {"next": {"after": str(after + limit), "link": "?"}}
        return self.answer(facts)

    def do_search(self, request: Request, kind: str) -> Response:
        body = request.json
        operators = {f.get("operator") for g in body.get("filterGroups") or [] for f in g["filters"]}
        if operators - set(OPERATORS):
            return self.error(400, "VALIDATION_ERROR", f"unknown operator {operators - set(OPERATORS)}")
        try:
            found, total, following = search(body, self.records(kind, archived=False))
        except SearchError as error:
            return self.error(400, "VALIDATION_ERROR", str(error))
        facts: dict[str, Any] = {"total": total, "results": [cut(r, body.get("properties") or []) for r in found]}
        if following:
            facts["paging"] = {"next": {"after": following}}
        return Response(200, json.dumps(facts).encode())  # searches carry no rate limit headers


def wanted(request: Request) -> list[str]:
    """The properties asked for, repeated or joined by commas."""
    return [name for part in request.query.get("properties", []) for name in part.split(",") if name]


def cut(record: Record, names: list[str]) -> Record:
    """A record with the properties asked for and the usual ones; unknown names are silently null."""
    own = record["properties"]
    usual = ("hs_object_id", "hs_lastmodifieddate", "createdate")
    return {**record, "properties": {n: own.get(n) for n in (*names, *usual) if n in own or n in names}}
