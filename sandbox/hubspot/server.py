"""The HubSpot-shaped paths: sign-in, scopes, limits, lists, searches, batches, histories, splits, and what can go wrong."""

import json
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sandbox.http import LoopbackServer, Request, Response
from sandbox.hubspot import writes
from sandbox.hubspot.control import control
from sandbox.hubspot.limits import Limits
from sandbox.hubspot.pipelines import pipelines
from sandbox.hubspot.portal import ZONE, Portal, Record, stamp
from sandbox.hubspot.routes import Route, find
from sandbox.hubspot.schema import described
from sandbox.hubspot.search import OPERATORS, SearchError, search
from sandbox.hubspot.tokens import KEY, Tokens

PLAIN = {
    "owners": "crm.objects.owners.read", "pipelines": "crm.objects.deals.read", "properties": "crm.schemas.deals.read",
    "teams": "settings.users.teams.read", "team_tree": "settings.users.teams.read", "splits": "crm.dealsplits.read_write", "share": "crm.dealsplits.read_write",
}  # fmt: skip
KINDS = {"deals": "deals", "goal_targets": "goals", "meetings": "contacts", "calls": "contacts"}
WRITING = {"upsert", "merge"}
SCOPES = {*PLAIN.values(), *(f"crm.objects.{k}.{w}" for k in (*KINDS.values(), "custom") for w in ("read", "write")),
          "crm.schemas.custom.read", "crm.schemas.custom.write"}  # fmt: skip


class HubSpotServer(LoopbackServer):
    """Serves a portal. The service key is sandbox-token; an app is sandbox-client with sandbox-secret.

    `lacking` names what this account does not have: a kind of record ("meetings") or what is asked ("splits", "read").
    `refused_rows` are ids whose rows cannot be written, and why; with `whole_batch` one of them refuses all.
    `after` is what the cursor of a list is: the "id" of the last row, the "next" number after it, or a "position".
    `most` rows come on a page at the most.
    """

    def __init__(self, portal: Portal, port: int = 0, v3_off: bool = False) -> None:
        super().__init__(port)
        self.portal = portal
        self.v3_off = v3_off
        self.scopes = set(SCOPES)
        self.tokens = Tokens(self.now, self.scopes)
        self.limits = Limits()
        self.lacking: set[str] = set()
        self.refused_rows: dict[str, str] = {}
        self.whole_batch = False
        self.after = "id"
        self.most = 500
        self.latency = 0.0

    def __enter__(self) -> "HubSpotServer":
        self.start()
        return self

    def now(self) -> datetime:
        return self.portal.clock

    def unauthorised(self) -> Response:
        self.tokens.end_all()
        return self.error(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired")

    def error(self, status: int, category: str, message: str, **more: Any) -> Response:
        """An error in the documented shape."""
        body = {"status": "error", "message": message, "correlationId": "0000-sandbox", "category": category, **more}
        return Response(status, json.dumps(body).encode())

    def busy(self, policy: str) -> Response:
        """A call too many."""
        words = f"You have reached your {policy.lower()} limit."
        return self.error(429, "RATE_LIMITS", words, errorType="RATE_LIMIT", policyName=policy, requestId="0000")

    def answer(self, facts: Any, status: int = 200) -> Response:
        """A good answer."""
        return Response(status, json.dumps(facts).encode())

    def handle(self, request: Request) -> Response:
        if request.path.startswith("/sandbox/"):
            return control(self, request)
        if self.latency:
            time.sleep(self.latency)
        route = find(request.path)
        if route is None:
            return self.error(404, "OBJECT_NOT_FOUND", "resource not found")
        if route.version == "v3" and self.v3_off:
            return self.error(404, "OBJECT_NOT_FOUND", "this version is no longer served")
        signing_in = {"token": self.tokens.trade, "introspect": self.tokens.introspect, "revoke": self.tokens.revoke}
        if route.what in signing_in:
            return signing_in[route.what](request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        state = self.tokens.state(token)
        if state != "good":
            category = "EXPIRED_AUTHENTICATION" if state == "expired" else "INVALID_AUTHENTICATION"
            return self.error(401, category, "Authentication credentials not found, expired or invalid")
        policy = self.limits.take(token, route.what == "search", self.now().astimezone(ZONE).date())
        response = self.busy(policy) if policy else self.allowed(route, request)
        if route.what != "search":  # their answers tell nothing of the limits
            response.headers |= self.limits.headers(token, key=token == KEY)
        return response

    def allowed(self, route: Route, request: Request) -> Response:
        """What is asked, where the account has it and the token may see it."""
        scope = self.scope(route, request.method)
        if (scope and scope not in self.scopes) or {route.what, route.kind} & self.lacking:
            context = [{"message": "missing scope", "context": {"requiredGranularScopes": [scope]}}]
            return self.error(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes", errors=context)
        if route.kind and route.kind not in self.portal.objects:
            return self.error(400, "VALIDATION_ERROR", f"Unable to infer object type from: {route.kind}")
        own: Callable[[Request, Route], Response] | None = getattr(self, f"do_{route.what}", None)
        if own is not None:
            return own(request, route)
        return writes.WRITES[route.what](self, request, route)

    def scope(self, route: Route, method: str) -> str:
        """The scope that a request needs; none for what everybody may see."""
        if route.what == "schemas":
            return f"crm.schemas.custom.{'read' if method == 'GET' else 'write'}"
        if route.what in PLAIN or not route.kind:
            return PLAIN.get(route.what, "")
        write = route.what in WRITING or (route.what in ("objects", "object") and method != "GET")
        return f"crm.objects.{KINDS.get(route.kind, 'custom')}.{'write' if write else 'read'}"

    def do_account(self, request: Request, route: Route) -> Response:
        return self.answer(self.portal.account)

    def do_usage(self, request: Request, route: Route) -> Response:
        now = stamp(self.now())
        usage = {"name": "private-apps-api-calls-daily", "usageLimit": self.limits.daily, "collectedAt": now,
                 "currentUsage": self.limits.used, "fetchStatus": "SUCCESS", "resetsAt": now}  # fmt: skip
        return self.answer({"results": [usage]})

    def do_owners(self, request: Request, route: Route) -> Response:
        archived = request.one("archived", "false").lower() == "true"
        return self.page(request, [o for o in self.portal.owners.values() if o["archived"] is archived], 500)

    def do_teams(self, request: Request, route: Route) -> Response:
        return self.answer({"results": self.portal.teams})

    def do_team_tree(self, request: Request, route: Route) -> Response:
        """The newer list, which also names the team above each team, and teams that nobody is in."""
        above = self.portal.teams_above
        rows = [
            {"id": t["id"], "name": t["name"], "parentTeamId": above.get(t["id"], (None,))[0]}
            for t in self.portal.teams
        ]
        named = {row["id"] for row in rows}
        rows += [{"id": i, "name": name, "parentTeamId": None} for i, name in above.values() if i not in named]
        return self.page(request, rows, 100)

    def do_pipelines(self, request: Request, route: Route) -> Response:
        return self.answer({"results": pipelines()})

    def do_old_properties(self, request: Request, route: Route) -> Response:
        """The same as a plain list, as the service had it before v3."""
        return self.answer(json.loads(self.do_properties(request, route).body)["results"])

    def do_properties(self, request: Request, route: Route) -> Response:
        names = dict.fromkeys(n for r in list(self.portal.objects[route.kind].values())[:50] for n in r["properties"])
        if "splits" in self.lacking:
            names.pop("hs_is_deal_split", None)
        return self.answer({"results": [described(name) for name in names]})

    def do_objects(self, request: Request, route: Route) -> Response:
        """A list, or something new in it."""
        if request.method != "GET":
            return writes.create(self, request, route)
        histories = _names(request, "propertiesWithHistory")
        records = self.portal.ordered(route.kind, request.one("archived", "false").lower() == "true")
        return self.page(request, records, 50 if histories else 100, _names(request, "properties"), histories)

    def do_object(self, request: Request, route: Route) -> Response:
        """One record, read, changed or archived."""
        record = self.portal.objects[route.kind].get(self.portal.survivor(route.id))
        if record is None or (record["archived"] and request.one("archived").lower() != "true"):
            return self.error(404, "OBJECT_NOT_FOUND", "resource not found")
        if request.method == "DELETE":
            self.portal.archive(record)
            return Response(204)
        if request.method == "PATCH":
            return writes.change(self, request, record)
        return self.answer(self.shown(record, _names(request, "properties"), _names(request, "propertiesWithHistory")))

    def page(
        self, request: Request, records: list[Record], limit_most: int, names: list[str] | None = None,
        histories: list[str] | None = None,
    ) -> Response:  # fmt: skip
        """One page of a list, which goes on after an id; of owners everything is shown."""
        limit, after = int(request.one("limit", "10")), int(request.one("after", "0") or 0)
        if limit > limit_most:
            return self.error(400, "VALIDATION_ERROR", f"limit must be at most {limit_most}")
        limit = min(limit, self.most)
        first = after - 1 if self.after == "next" else after
        start = after if self.after == "position" else bisect_right(records, first, key=lambda r: int(r["id"]))
        rows = records[start : start + limit]
        facts: dict[str, Any] = {
            "results": [r if names is None else self.shown(r, names, histories or []) for r in rows]
        }
        if start + limit < len(records):
            last = int(rows[-1]["id"])
            following = str({"id": last, "next": last + 1, "position": start + limit}[self.after])
            facts["paging"] = {"next": {"after": following, "link": f"?after={following}"}}
        return self.answer(facts)

    def shown(self, record: Record, names: list[str], histories: list[str]) -> Record:
        """A record with the properties asked for and the usual ones; unknown names are silently null."""
        own = record["properties"]
        usual = ("hs_object_id", "hs_lastmodifieddate", "createdate" if "createdate" in own else "hs_createdate")
        found = {**record, "properties": {n: own.get(n) for n in (*usual, *names)}}
        if histories:
            found["propertiesWithHistory"] = {n: self.portal.history(record, n) for n in histories}
        return found

    def do_search(self, request: Request, route: Route) -> Response:
        body = request.json
        operators = {f.get("operator") for g in body.get("filterGroups") or [] for f in g["filters"]}
        if operators - set(OPERATORS):
            return self.error(400, "VALIDATION_ERROR", f"unknown operator {operators - set(OPERATORS)}")
        try:
            found, total, following = search(body, self.portal.indexed(route.kind))
        except SearchError as error:
            return self.error(400, "VALIDATION_ERROR", str(error))
        facts: dict[str, Any] = {"total": total, "results": [self.shown(r, body.get("properties") or [], []) for r in found]}  # fmt: skip
        if following:
            facts["paging"] = {"next": {"after": following}}
        return self.answer(facts)

    def do_read(self, request: Request, route: Route) -> Response:
        """Records by their ids; those merged away answer with their survivor."""
        body, archived = request.json, request.one("archived", "false").lower() == "true"
        histories, inputs = body.get("propertiesWithHistory") or [], [str(i["id"]) for i in body["inputs"]]
        most = 50 if histories else 100
        if not 0 < len(inputs) <= most:
            return self.error(400, "VALIDATION_ERROR", f"inputs: between 1 and {most}")
        rows, lost = [], []
        for number in inputs:
            record = self.portal.objects[route.kind].get(self.portal.survivor(number))
            if record is None or record["archived"] is not archived:
                lost.append(number)
            else:
                rows.append(self.shown(record, body.get("properties") or [], histories))
        return self.batch(rows, [self.lost(lost)] if lost else [])

    def do_splits(self, request: Request, route: Route) -> Response:
        """The parts of each deal's credit."""
        rows, lost = [], []
        inputs = [str(i["id"]) for i in request.json["inputs"]]
        if len(inputs) > 100:
            return self.error(400, "VALIDATION_ERROR", "inputs: at most 100")
        for number in inputs:
            deal = self.portal.deals.get(self.portal.survivor(number))
            if deal is None or deal["archived"]:
                lost.append(number)
            else:
                rows.append({"id": deal["id"], "splits": self.portal.splits.get(deal["id"], [])})
        return self.batch(rows, [self.lost(lost)] if lost else [])

    def lost(self, numbers: list[str]) -> Record:
        """What a batch says of records that are not there."""
        words = "Could not get some objects, they may be deleted or not exist."
        return {"status": "error", "category": "OBJECT_NOT_FOUND", "message": words, "context": {"ids": numbers}}

    def batch(self, rows: list[Record], errors: list[Record]) -> Response:
        """The answer to a batch: 207 where some of it went wrong."""
        now = stamp(self.now())
        facts: dict[str, Any] = {"status": "COMPLETE", "results": rows, "startedAt": now, "completedAt": now}
        if errors:
            facts |= {"errors": errors, "numErrors": len(errors)}
        return self.answer(facts, 207 if errors else 200)

    def spoil(self, kind: str, request: Request, good: Response) -> Response:
        if kind == "html401":
            self.tokens.end_all()
        if kind == "limit":
            return self.busy("DAILY")
        if kind in ("short", "duplicate", "no_results", "repeating_cursor"):
            return _spoilt_page(kind, good)
        return super().spoil(kind, request, good)


def _spoilt_page(kind: str, good: Response) -> Response:
    """A page that is well-formed and wrong; what has no rows stays as it is.

    Rows are left out only where they were promised: by a total, by a page that follows, or by being asked for by id.
    """
    page = json.loads(good.body or b"{}")
    rows = page.get("results") if isinstance(page, Mapping) else None
    promised = isinstance(page, Mapping) and {"total", "paging", "status"} & set(page)
    if not isinstance(rows, list) or (kind == "short" and not promised):
        return good
    if kind == "no_results":
        del page["results"]
    elif kind == "repeating_cursor":
        page["paging"] = {"next": {"after": "1"}}
    elif rows:
        page["results"] = [*rows[:-1], *([rows[0]] if kind == "duplicate" else [])]
    return replace(good, body=json.dumps(page).encode())


def _names(request: Request, parameter: str) -> list[str]:
    """Properties asked for, repeated or joined by commas."""
    return [name for part in request.query.get(parameter, []) for name in part.split(",") if name]
