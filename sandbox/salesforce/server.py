"""The Salesforce-shaped REST paths: sign-in, queries, bulk jobs, describe, deletions, limits, and writing by external id."""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.http import LoopbackServer, Request, Response
from sandbox.salesforce import describe, jobs
from sandbox.salesforce.control import control
from sandbox.salesforce.org import OPTIONAL, PREFIX, Record, SalesforceOrg
from sandbox.salesforce.schema import SCHEMA
from sandbox.salesforce.soql import Parser, Query, SoqlError, run
from sandbox.salesforce.tokens import Tokens
from sandbox.salesforce.upserts import upsert

PAGE, LONGEST, GROUPS = 2000, 16_384, 2000
"""Rows of a page, signs of an address, and groups of a grouped query."""

REACH = timedelta(days=15)
UNAUTHORISED = ("INVALID_SESSION_ID", "Session expired or invalid")


class SalesforceServer(LoopbackServer):
    """Serves an org. Client credentials are sandbox-client and sandbox-secret.

    `hidden` are objects ("Event") and fields ("Opportunity.Amount") that our user may not see; `formulas` are fields
    that describe calls calculated; `locked` are external ids whose rows cannot be written now.
    """

    def __init__(self, org: SalesforceOrg, port: int = 0, page: int = PAGE) -> None:
        super().__init__(port)
        self.org = org
        self.page = page
        self.tokens = Tokens(self.now)
        self.jobs = jobs.Jobs()
        self.locators: dict[str, tuple[Query, list[Record]]] = {}
        self.daily, self.used, self.per_app = 100_000, 0, False
        self.hidden: set[str] = set()
        self.formulas: set[str] = set()
        self.locked: set[str] = set()

    def __enter__(self) -> "SalesforceServer":
        self.start()
        return self

    def now(self) -> datetime:
        return self.org.now()

    @property
    def log_ins(self) -> int:
        """How often somebody signed in."""
        return self.tokens.log_ins

    def unauthorised(self) -> Response:
        self.tokens.sessions.clear()
        return self.error(401, *UNAUTHORISED)

    def error(self, status: int, code: str, message: str) -> Response:
        """An error as the service words it."""
        return Response(status, json.dumps([{"message": message, "errorCode": code}]).encode())

    def answer(self, facts: Any) -> Response:
        """A good answer."""
        return Response(200, as_json(facts))

    def usage(self) -> dict[str, str]:
        """The header that tells how many calls are used, in either of its forms."""
        found = f"api-usage={self.used}/{self.daily}"
        app = f"; per-app-api-usage={self.used}/{self.daily}(appName=sample-app)"
        return {"Sforce-Limit-Info": found + (app if self.per_app else "")}

    def objects(self) -> dict[str, dict[str, Record]]:
        """The objects that the org's features and our user's rights let be seen."""
        hidden = {n for feature, names in OPTIONAL.items() if feature not in self.org.features for n in names}
        every = {**{name: {} for name in SCHEMA}, **self.org.objects}
        return {name: records for name, records in every.items() if name not in hidden | self.hidden}

    def fields(self, name: str) -> list[str]:
        """The field names of an object that our user may see."""
        first = next(iter(self.objects()[name].values()), {})
        every = [*first] if first else SCHEMA[name].split()
        seen = [f for f in every if f != "CurrencyIsoCode" or "multicurrency" in self.org.features]
        seen = [f for f in seen if f != "RecordTypeId" or "record_types" in self.org.features]
        return [f for f in seen if f"{name}.{f}" not in self.hidden]

    def handle(self, request: Request) -> Response:
        if request.path.startswith("/sandbox/"):
            return control(self, request)
        if request.path == "/services/oauth2/token":
            return self.tokens.oauth(request)
        soap = re.fullmatch(r"/services/Soap/u/(\d+\.0)(/.*)?", request.path)
        if soap:
            return self.tokens.soap(soap[1], request)
        if request.path.rstrip("/") == "/services/data":
            return self.answer(describe.versions())
        match = re.fullmatch(r"/services/data/v(\d+\.0)(/.*)?", request.path)
        if match is None or not describe.OLDEST <= float(match[1]) <= describe.NEWEST:
            return self.error(404, "NOT_FOUND", "The requested resource does not exist")
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens.sessions:
            return self.error(401, *UNAUTHORISED)
        self.used += 1
        if self.used > self.daily:
            return self.error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        bare = (match[2] or "/") == "/"
        response = self.answer(describe.resources(match[1])) if bare else self.guarded(match[2], request)
        response.headers |= self.usage()
        return response

    def guarded(self, path: str, request: Request) -> Response:
        """A path below the version, with the query language's own refusals."""
        try:
            return self.rest(path, request)
        except SoqlError as error:
            return self.error(400, error.code, error.message)

    def rest(self, path: str, request: Request) -> Response:
        """A path below the version."""
        parts = [unquote(p) for p in path.strip("/").split("/")]
        if parts[0] in ("query", "queryAll"):
            return self.query(parts, request)
        if parts == ["composite"]:
            return self.composite(request)
        if parts[0] == "jobs":
            return self.job(parts, request)
        if parts[:2] == ["composite", "sobjects"] and request.method == "PATCH":
            return upsert(self, parts[2], parts[3], request)
        if parts == ["sobjects"]:
            shown = [describe.summary(n, PREFIX.get(n, "000")) for n in self.objects()]
            return self.answer({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown})
        if parts == ["limits"]:
            left = {"Max": self.daily, "Remaining": max(self.daily - self.used, 0)}
            jobs_left = {"Max": 10_000, "Remaining": 10_000 - len(self.jobs.kept)}
            return self.answer({"DailyApiRequests": left, "DailyBulkV2QueryJobs": jobs_left})
        if parts[0] == "sobjects" and len(parts) == 3:
            return self.about(parts[1], parts[2], request)
        return self.error(404, "NOT_FOUND", "The requested resource does not exist")

    def composite(self, request: Request) -> Response:
        """Up to 25 requests as one call, at most 5 of them queries."""
        asked = request.json["compositeRequest"]
        queries = sum("/query" in one["url"] and "/jobs/" not in one["url"] for one in asked)
        if len(asked) > 25 or queries > 5:
            return self.error(400, "LIMIT_EXCEEDED", f"{len(asked)} requests with {queries} queries are too many")
        answers = []
        for one in asked:
            url = urlsplit(one["url"])
            headers = {k.lower(): v for k, v in one.get("httpHeaders", {}).items()}
            inner = Request(one["method"], url.path, parse_qs(url.query, keep_blank_values=True), headers, b"")
            found = self.guarded(url.path.split("/", 4)[-1], inner)
            facts = f'"httpHeaders":{{}},"httpStatusCode":{found.status},"referenceId":{json.dumps(one["referenceId"])}'
            answers.append(f'{{"body":{found.body.decode()},{facts}}}')
        return Response(200, f'{{"compositeResponse":[{",".join(answers)}]}}'.encode())

    def about(self, name: str, what: str, request: Request) -> Response:
        """What is told of one object: its fields, and which records were deleted or changed."""
        if name not in self.objects():
            return self.error(404, "NOT_FOUND", "The requested resource does not exist")
        if what == "describe":
            records = list(self.objects()[name].values())[:50]
            fields = [
                describe.field(f, [r.get(f) for r in records], f"{name}.{f}" in self.formulas)
                for f in self.fields(name)
            ]
            return self.answer({**describe.summary(name, PREFIX.get(name, "000")), "fields": fields})
        if what not in ("deleted", "updated"):
            return self.error(404, "NOT_FOUND", "The requested resource does not exist")
        start, end = (
            datetime.fromisoformat(request.one(k).replace(" ", "+")).replace(second=0, microsecond=0)
            for k in ("start", "end")
        )
        if start >= end:
            return self.error(400, "INVALID_REPLICATION_DATE", "endDate must be later than startDate")
        if start < self.now() - REACH:
            return self.error(400, "INVALID_REPLICATION_DATE", "startDate cannot be more than 15 days ago")
        until = {"latestDateCovered": end}
        if what == "updated":
            changed = [i for i, r in self.objects()[name].items() if start <= r["SystemModstamp"] < end]
            return self.answer({"ids": changed} | until)
        log = self.org.deletions.get(name, {})
        gone = [{"id": i, "deletedDate": when} for i, when in log.items() if start <= when < end]
        return self.answer({"deletedRecords": gone, "earliestDateAvailable": self.now() - REACH} | until)

    def records(self, query: Query, everything: bool) -> list[Any]:
        """What a query finds."""
        records = list(self.objects()[query.table].values())
        return run(query, records if everything else [r for r in records if not r.get("IsDeleted")])

    def parsed(self, text: str) -> Query:
        """A query, checked against what our user may see."""
        return Parser(text, {n: self.fields(n) for n in self.objects()}).parse()

    def query(self, parts: list[str], request: Request) -> Response:
        size = self.page
        wanted = re.search(r"batchSize=(\d+)", request.headers.get("sforce-query-options", ""))
        if wanted:
            size = min(max(int(wanted[1]), 200), 2000, self.page)
        if len(parts) == 2:
            name, _, at = parts[1].rpartition("-")
            if name not in self.locators:
                return self.error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
            query, kept = self.locators[name]
            return self.answer(self.shown(parts[0], name, query, kept, int(at), size))
        if len(request.one("q")) > LONGEST:
            return Response(414, b"<h1>URI Too Long</h1>", "text/html")
        query = self.parsed(request.one("q"))
        found = self.records(query, parts[0] == "queryAll")
        if query.select == [("COUNT", "", "")]:
            return self.answer({"totalSize": len(found), "done": True, "records": []})
        if query.aggregate and len(found) > GROUPS:
            return self.error(400, "OPERATION_TOO_LARGE", "too many query results, LIMIT or additional filters needed")
        name = f"0r8{secrets.token_hex(7)}"
        if len(found) > size:
            self.locators[name] = (query, found)
        return self.answer(self.shown(parts[0], name, query, found, 0, size))

    def shown(self, verb: str, name: str, query: Query, found: list[Record], at: int, size: int) -> dict[str, Any]:
        """One page of a query."""
        part, kind = found[at : at + size], "AggregateResult" if query.aggregate else query.table
        url = f"/services/data/v66.0/sobjects/{kind}/"
        if query.aggregate:
            rows = [{"attributes": {"type": kind}, **r} for r in part]
        else:
            names = [n for _, n, _ in query.select]
            rows = [{"attributes": {"type": kind, "url": url + r["Id"]}, **{n: r.get(n) for n in names}} for r in part]
        page = {"totalSize": len(found), "done": at + size >= len(found), "records": rows}
        if not page["done"]:
            page["nextRecordsUrl"] = f"/services/data/v66.0/{verb}/{name}-{at + size}"
        return page

    def job(self, parts: list[str], request: Request) -> Response:
        """Bulk API 2.0 query jobs."""
        if parts[1:2] != ["query"]:
            return self.error(404, "NOT_FOUND", "The requested resource does not exist")
        if request.method == "POST":
            given = request.json
            query = self.parsed(given["query"])
            if query.aggregate:
                return self.error(400, "API_ERROR", "Aggregate functions are not supported in Bulk Query")
            names = [n for _, n, _ in query.select]
            rows = self.records(query, given["operation"] == "queryAll")
            job = self.jobs.start(given["operation"], given["query"], query.table, names, rows)
            return self.answer(self.jobs.facts(job, self.now(), asked=False))
        if len(parts) < 3 or parts[2] not in self.jobs.kept:
            return self.error(404, "NOT_FOUND", "The requested resource does not exist")
        job = self.jobs.kept[parts[2]]
        if request.method == "DELETE":
            del self.jobs.kept[job.id]
            return Response(204, b"")
        if parts[3:] == ["results"]:
            return self.jobs.results(job, request)
        return self.answer(self.jobs.facts(job, self.now()))

    def spoil(self, kind: str, request: Request, good: Response) -> Response:
        if kind == "html401":
            self.tokens.sessions.clear()
        if kind == "limit":
            return self.error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        if kind == "query_timeout":
            return self.error(400, "QUERY_TIMEOUT", "Your query request was running for too long.")
        if kind == "locator":
            return self.error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        if kind in ("short", "duplicate"):
            return self.cut(good, kind == "duplicate")
        return super().spoil(kind, request, good)

    def cut(self, good: Response, duplicate: bool) -> Response:
        """A page whose last row is missing, or is its first one again; everything else stays as promised."""
        if good.content_type.startswith("text/csv"):
            return replace(good, body=jobs.fewer(good.body, duplicate))
        page = json.loads(good.body, parse_float=Decimal)
        pages = [p.get("body") for p in page.get("compositeResponse", [])] or [page]
        for one in pages:
            if isinstance(one, dict) and one.get("records"):
                one["records"] = [*one["records"][:-1], *([one["records"][0]] if duplicate else [])]
        return replace(good, body=as_json(page))


def as_json(value: Any) -> bytes:
    """JSON with exact decimals and dates as the service writes them."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=plain)
    return text.replace('"\\u0000', "").replace('\\u0000"', "").encode()


def plain(value: Any) -> Any:
    """A value that JSON does not have as it has it."""
    if isinstance(value, Decimal):
        return f"\0{value}\0"  # unquoted afterwards: a float would add digits that nobody entered
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")[:19] + ".000+0000"
    return dict(value) if isinstance(value, Mapping) else value.isoformat()
