"""The pretend portal's server with everything a large account has.

OAuth, histories, splits, activities, custom objects, a rate limit in real time, and a search index that lags behind.
"""

import json
import re
import time
from bisect import bisect_right
from collections import deque
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sandbox.http import Request, Response
from sandbox.hubspot.data import Portal, Record, stamp
from sandbox.hubspot.search import SearchError, search
from sandbox.hubspot.server import TOKEN, HubSpotServer, cut, wanted

V = r"(v3|2026-03|2026-09)"
ROUTES = (
    (rf"/oauth/{V}/token", "token"),
    (rf"/oauth/{V}/token/introspect", "introspect"),
    (rf"/crm-object-schemas/{V}/schemas", "schemas"),
    (rf"/crm/(?:{V}/objects|objects/{V})/deals/splits/batch/read", "splits"),
    (rf"/crm/(?:{V}/objects|objects/{V})/deals/batch/read", "read"),
    (rf"/crm/(?:{V}/objects|objects/{V})/2-77/batch/upsert", "upsert"),
    (rf"/crm/(?:{V}/objects|objects/{V})/(?:meetings|calls)", "activities"),
    (rf"/crm/(?:{V}/objects|objects/{V})/(?:meetings|calls)/search", "activities"),
)
KEY = "scorecard_key"


class FullServer(HubSpotServer):
    """Everything; `lacking` names what this account does not have."""

    def __init__(self, portal: Portal) -> None:
        super().__init__(portal)
        self.lacking: set[str] = set()
        self.given: list[str] = []  # access tokens so far
        self.lives = 1800
        self.grant = "sandbox-grant"
        self.rotates = False
        self.histories: dict[tuple[str, str], list[Record]] = {}
        self.splits: dict[str, list[tuple[str, str]]] = {}
        self.activities: dict[str, list[Record]] = {"meetings": [], "calls": []}
        self.schemas: list[Record] = []
        self.written: dict[str, Record] = {}
        self.refused_rows: dict[str, str] = {}
        self.whole_batch = False  # one wrong row refuses the whole batch
        self.limit: tuple[int, float] | None = None
        self.searches: tuple[int, float] | None = None
        self.daily, self.used = 650_000, 0
        self.lag = timedelta(0)
        self.refused = 0
        self.latency = 0.0
        self._seen: dict[str, deque[float]] = {"all": deque(), "search": deque()}

    def handle(self, request: Request) -> Response:
        if self.latency:
            time.sleep(self.latency)
        route = next((what for pattern, what in ROUTES if re.fullmatch(pattern, request.path)), "")
        if route in ("token", "introspect"):
            answer: Response = getattr(self, f"do_{route}")(request)
            return answer
        if (busy := self._too_fast(request)) is not None:
            return busy
        self.used += 1
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in (TOKEN, *self.given[-1:]):
            return self.unauthorised()
        request = replace(request, headers={**request.headers, "authorization": f"Bearer {TOKEN}"})
        if not route:
            return super().handle(request)
        if self.v3_off and "/v3/" in request.path:
            return self.error(404, "OBJECT_NOT_FOUND", "this version is no longer served")
        if route in self.lacking:
            return self.error(403, "MISSING_SCOPES", "not granted", errors=[])
        answer = getattr(self, f"do_{route}")(request)
        return answer

    def _too_fast(self, request: Request) -> Response | None:
        for name, limit in (("search", self.searches), ("all", self.limit)):
            if limit is None or (name == "search" and not request.path.endswith("/search")):
                continue
            with self._lock:
                now, seen = time.monotonic(), self._seen[name]
                while seen and seen[0] <= now - limit[1]:
                    seen.popleft()
                if len(seen) >= limit[0]:
                    self.refused += 1
                    policy = "SECONDLY" if name == "search" else "TEN_SECONDLY_ROLLING"
                    return self.error(429, "RATE_LIMITS", "too many", errorType="RATE_LIMIT", policyName=policy)
                seen.append(now)
        return None

    def answer(self, facts: Any, status: int = 200) -> Response:
        headers = {
            "X-HubSpot-RateLimit-Daily": str(self.daily),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(self.daily - self.used, 0)),
        }
        if self.limit is not None:
            headers |= {
                "X-HubSpot-RateLimit-Max": str(self.limit[0]),
                "X-HubSpot-RateLimit-Remaining": str(self.limit[0] - len(self._seen["all"])),
                "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(self.limit[1] * 1000)),
            }
        else:
            headers |= {
                "X-HubSpot-RateLimit-Max": "100000", "X-HubSpot-RateLimit-Remaining": "99999",
                "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            }  # fmt: skip
        return Response(status, json.dumps(facts).encode(), headers=headers)

    def page(self, request: Request, records: list[Record], most: int, names: list[str] | None = None) -> Response:
        """A list goes on after an id."""
        limit, after = int(request.one("limit", "10")), int(request.one("after", "0") or 0)
        if limit > most:
            return self.error(400, "VALIDATION_ERROR", f"limit must be at most {most}")
        start = bisect_right(records, after, key=lambda r: int(r["id"])) if after else 0
        rows = records[start : start + limit]
        shown = [r if names is None else self.with_history(cut(r, names), request) for r in rows]
        facts: dict[str, Any] = {"results": shown}
        if start + limit < len(records):
            facts["paging"] = {"next": {"after": str(shown[-1]["id"]), "link": "?"}}
        return self.answer(facts)

    def records(self, kind: str, archived: bool) -> list[Record]:
        found = super().records(kind, archived)
        return sorted(found, key=lambda r: int(r["id"])) if kind == "goal_targets" else found

    def with_history(self, record: Record, request: Request) -> Record:
        names = [n for part in request.query.get("propertiesWithHistory", []) for n in part.split(",")]
        return (
            record | {"propertiesWithHistory": {n: self.history(record["id"], n) for n in names}} if names else record
        )

    def history(self, deal: str, name: str) -> list[Record]:
        own = self.portal.deals[deal]
        first = {"value": own["properties"].get(name), "timestamp": own["createdAt"], "sourceType": "CRM_UI"}
        return self.histories.get((deal, name)) or [first]

    def do_properties(self, request: Request, kind: str) -> Response:
        facts = json.loads(super().do_properties(request, kind).body)
        more = ["amount_in_home_currency", "hs_forecast_amount"]
        more += [] if "splits" in self.lacking else ["hs_is_deal_split"]
        names = dict.fromkeys([p["name"] for p in facts["results"]] + more)
        return self.answer({"results": [{"name": n, "type": "string", "label": n} for n in names]})

    def do_search(self, request: Request, kind: str) -> Response:
        before = self.portal.now() - self.lag
        for deal, shares in self.splits.items():
            self.portal.deals[deal]["properties"]["hs_is_deal_split"] = "true" if shares else "false"
        found = self.records(kind, archived=False)
        if self.lag:
            found = [r for r in found if r["properties"]["hs_lastmodifieddate"] <= stamp(before)]
        return self._found(request, found)

    def _found(self, request: Request, records: list[Record]) -> Response:
        body = request.json
        try:
            rows, total, following = search(body, records)
        except SearchError as error:
            return self.error(400, "VALIDATION_ERROR", str(error))
        facts: dict[str, Any] = {"total": total, "results": [cut(r, body.get("properties") or []) for r in rows]}
        if following:
            facts["paging"] = {"next": {"after": following}}
        return Response(200, json.dumps(facts).encode())

    def do_read(self, request: Request) -> Response:
        body = request.json
        history, inputs = body.get("propertiesWithHistory") or [], [i["id"] for i in body["inputs"]]
        if len(inputs) > (50 if history else 100) or not inputs:
            return self.error(400, "VALIDATION_ERROR", "inputs: between 1 and 100 (50 with history)")
        rows, errors = [], []
        for i in inputs:
            if i not in self.portal.deals or self.portal.deals[i]["archived"]:
                errors.append({"status": "error", "category": "OBJECT_NOT_FOUND", "context": {"ids": [i]}})
                continue
            row = cut(self.portal.deals[i], body.get("properties") or [])
            rows.append(row | {"propertiesWithHistory": {n: self.history(i, n) for n in history}})
        facts: dict[str, Any] = {"status": "COMPLETE", "results": rows}
        if errors:
            facts |= {"errors": errors, "numErrors": len(errors)}
        return self.answer(facts, 207 if errors else 200)

    def do_splits(self, request: Request) -> Response:
        rows = [
            {"id": i, "splits": [
                {"id": f"{i}0{n}", "properties": {"hubspot_owner_id": o, "hs_deal_split_percentage": share}}
                for n, (o, share) in enumerate(self.splits.get(i, []))
            ]}
            for i in (given["id"] for given in request.json["inputs"])
        ]  # fmt: skip
        return self.answer({"status": "COMPLETE", "results": rows})

    def do_activities(self, request: Request) -> Response:
        kind = "meetings" if "/meetings" in request.path else "calls"
        if kind in self.lacking:
            return self.error(403, "MISSING_SCOPES", "not granted", errors=[])
        if request.method == "GET":
            return self.page(request, self.activities[kind], 100, wanted(request))
        return self._found(request, self.activities[kind])

    def do_token(self, request: Request) -> Response:
        form = request.form
        if form.get("refresh_token") != self.grant or form.get("client_secret") != "sandbox-secret":
            return self.error(400, "BAD_REFRESH_TOKEN", "missing or invalid refresh token")
        if self.rotates:
            self.grant = f"sandbox-grant-{len(self.given) + 1}"
        self.given.append(f"sandbox-secret-session-{len(self.given) + 1}")
        facts = {"access_token": self.given[-1], "refresh_token": self.grant, "expires_in": self.lives}
        return Response(200, json.dumps(facts).encode())

    def do_introspect(self, request: Request) -> Response:
        if request.form.get("token") not in (TOKEN, *self.given):
            return self.error(404, "OBJECT_NOT_FOUND", "no such token")
        return Response(200, json.dumps({"active": True, "scopes": sorted(self.scopes)}).encode())

    def do_schemas(self, request: Request) -> Response:
        if request.method == "GET":
            return self.answer({"results": self.schemas})
        self.schemas.append(request.json | {"objectTypeId": "2-77", "id": "77"})
        return Response(201, json.dumps(self.schemas[-1]).encode())

    def do_upsert(self, request: Request) -> Response:
        inputs = request.json["inputs"]
        if len(inputs) > 100:
            return self.error(400, "VALIDATION_ERROR", "at most 100 inputs")
        wrong = {i["id"]: self.refused_rows[i["id"]] for i in inputs if i["id"] in self.refused_rows}
        if wrong and self.whole_batch:
            return self.error(400, "VALIDATION_ERROR", next(iter(wrong.values())))
        rows = []
        for given in inputs:
            if given["id"] not in wrong:
                new = given["id"] not in self.written
                self.written[given["id"]] = {**given["properties"], KEY: given["id"]}
                rows.append({"id": "9", "properties": self.written[given["id"]], "new": new})
        errors = [
            {
                "status": "error",
                "category": "VALIDATION_ERROR",
                "message": why,
                "context": {"objectWriteTraceId": [key]},
            }
            for key, why in wrong.items()
        ]
        facts = {
            "status": "COMPLETE",
            "results": rows,
            **({"errors": errors, "numErrors": len(errors)} if errors else {}),
        }
        return self.answer(facts, 207 if errors else 200)
