"""The Salesforce-shaped REST paths: sign-in, query, queryAll, describe, deleted, limits."""

import base64
import json
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.http import LoopbackServer, Request, Response
from sandbox.salesforce.data import Record, SalesforceOrg
from sandbox.salesforce.soql import Parser, Query, SoqlError, run

CLIENT = ("sandbox-client", "sandbox-secret")
OPTIONAL = {
    "multicurrency": {"CurrencyType", "DatedConversionRate"},
    "forecasting": {"ForecastingQuota", "ForecastingType"},
    "splits": {"OpportunitySplit", "OpportunitySplitType"},
}
PAGE = 2000


class SalesforceServer(LoopbackServer):
    """Serves an org. Client credentials are sandbox-client and sandbox-secret."""

    def __init__(self, org: SalesforceOrg, port: int = 0, page: int = PAGE) -> None:
        super().__init__(port)
        self.org = org
        self.page = page
        self.tokens: set[str] = set()
        self.locators: dict[str, tuple[Query, list[Record]]] = {}
        self.log_ins = 0

    def __enter__(self) -> "SalesforceServer":
        self.start()
        return self

    def now(self) -> datetime:
        return self.org.now()

    def unauthorised(self) -> Response:
        self.tokens.clear()
        return self.error(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def error(self, status: int, code: str, message: str) -> Response:
        """An error as the service words it."""
        return Response(status, json.dumps([{"message": message, "errorCode": code}]).encode())

    def answer(self, facts: Any) -> Response:
        """A good answer, with the header that tells how many calls are left."""
        usage = {"Sforce-Limit-Info": f"api-usage={self.calls}/100000"}
        return Response(200, "".join(_json(facts)).encode(), headers=usage)

    def objects(self) -> dict[str, dict[str, Record]]:
        """The objects that the org's features let be seen."""
        hidden = {name for feature, names in OPTIONAL.items() if feature not in self.org.features for name in names}
        return {name: records for name, records in self.org.objects.items() if name not in hidden}

    def fields(self, name: str) -> list[str]:
        """The field names of an object."""
        record = next(iter(self.objects()[name].values()))
        return [f for f in record if f != "CurrencyIsoCode" or "multicurrency" in self.org.features]

    def handle(self, request: Request) -> Response:
        if request.path == "/services/oauth2/token":
            return self.token(request)
        match = re.fullmatch(r"/services/data/v(\d+\.0)(/.*)?", request.path)
        if match is None:
            return self.error(404, "NOT_FOUND", "The requested resource does not exist")
        if not 31 <= float(match[1]) <= 68:
            return self.error(404, "NOT_FOUND", "The requested resource does not exist")
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return self.error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        try:
            return self.rest(match[2] or "", request)
        except SoqlError as error:
            return self.error(400, error.code, error.message)

    def token(self, request: Request) -> Response:
        form = request.form
        given = (form.get("client_id", ""), form.get("client_secret", ""))
        basic = request.headers.get("authorization", "")
        if basic.startswith("Basic "):
            name, _, secret = base64.b64decode(basic[6:]).decode().partition(":")
            given = (name, secret)
        if form.get("grant_type") != "client_credentials" or given != CLIENT:
            body = {"error": "invalid_client", "error_description": "invalid client credentials"}
            return Response(400, json.dumps(body).encode())
        self.log_ins += 1
        token = f"00D!{secrets.token_hex(12)}"
        self.tokens.add(token)
        body = {"access_token": token, "instance_url": "https://pretend.my.salesforce.com", "token_type": "Bearer",
                "issued_at": str(int(self.now().timestamp() * 1000)), "id": "https://login.salesforce.com/id/x/y"}  # fmt: skip
        return Response(200, json.dumps(body).encode())

    def rest(self, path: str, request: Request) -> Response:
        parts = [unquote(p) for p in path.strip("/").split("/")]
        if parts[0] in ("query", "queryAll"):
            return self.query(parts, request)
        if parts == ["sobjects"]:
            return self.answer({"sobjects": [{"name": n, "queryable": True} for n in self.objects()]})
        if parts == ["composite"]:
            return self.composite(request)
        if parts == ["limits"]:
            return self.answer({"DailyApiRequests": {"Max": 100000, "Remaining": 100000 - self.calls}})
        if parts[0] == "sobjects" and len(parts) == 3:
            if parts[1] not in self.objects():
                return self.error(404, "NOT_FOUND", "The requested resource does not exist")
            if parts[2] == "describe":
                fields = [
                    {"name": f, "type": "string", "calculated": False, "custom": f.endswith("__c")}
                    for f in self.fields(parts[1])
                ]
                return self.answer({"name": parts[1], "fields": fields})
            if parts[2] == "deleted":
                return self.deleted(parts[1], request)
        return self.error(404, "NOT_FOUND", "The requested resource does not exist")

    def composite(self, request: Request) -> Response:
        answers = []
        for one in request.json["compositeRequest"]:
            url = urlsplit(one["url"])
            inner = Request(one["method"], url.path, parse_qs(url.query, keep_blank_values=True), {}, b"")
            try:
                found = self.rest(url.path.split("/", 4)[-1], inner)
            except SoqlError as error:
                found = self.error(400, error.code, error.message)
            answers.append('{"body":%s,"httpHeaders":{},"httpStatusCode":%d,"referenceId":"%s"}' % (
                found.body.decode(), found.status, one["referenceId"]))
        return Response(200, ('{"compositeResponse":[%s]}' % ",".join(answers)).encode())

    def deleted(self, name: str, request: Request) -> Response:
        start, end = (datetime.fromisoformat(request.one(k).replace(" ", "+")) for k in ("start", "end"))
        gone = [r for r in self.objects()[name].values() if r.get("IsDeleted") and start <= r["SystemModstamp"] < end]
        facts = {"deletedRecords": [{"id": r["Id"], "deletedDate": r["SystemModstamp"]} for r in gone]}
        return self.answer(facts | {"earliestDateAvailable": start, "latestDateCovered": end})

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
        query = Parser(request.one("q"), {n: self.fields(n) for n in self.objects()}).parse()
        records = list(self.objects()[query.table].values())
        if parts[0] == "query":
            records = [r for r in records if not r.get("IsDeleted")]
        found: list[Any] = run(query, records)
        if query.select == [("COUNT", "", "")]:
            return self.answer({"totalSize": len(found), "done": True, "records": []})
        name = f"0r8{secrets.token_hex(7)}"
        self.locators[name] = (query, found)
        return self.answer(self.shown(parts[0], name, query, found, 0, size))

    def shown(self, verb: str, name: str, query: Query, found: list[Record], at: int, size: int) -> dict[str, Any]:
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


def _json(value: Any) -> "list[str]":
    """JSON with exact decimals and dates as the service writes them."""
    return [json.dumps(_plain(value), ensure_ascii=False).replace('"\\u0000', "").replace('\\u0000"', "")]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"\0{value}\0"  # unquoted afterwards: a float would add digits that nobody entered
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value
