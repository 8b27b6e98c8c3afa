"""One signed-in session with Salesforce: every call timed, counted, within the budget, and its answer proven."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import requests

from connectors.errors import BadAnswer, BudgetSpent, SourceError, TryAgainLater
from connectors.guard import guarded_session, proven_json, proven_list
from connectors.salesforce.options import Options
from connectors.salesforce.refusals import RowsMissing, refused
from connectors.salesforce.signin import Signed, sign_in, unreachable

TRIES = 3  # of a read whose answer could not be proven
TOGETHER, QUERIES = 25, 5
"""A composite call takes 25 requests, of which 5 may be queries; it counts as one call."""

USAGE = re.compile(r"(?:^|[;,\s])(?:per-app-)?api-usage=(\d+)/(\d+)")


@dataclass(frozen=True)
class Answer:
    """A proven answer: its status, its facts or text, and what its headers say."""

    status: int
    body: Any
    served_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """One page of a query: its records, how many the whole query has, and the server's time."""

    records: list[dict[str, Any]]
    total: int
    served_at: datetime
    last: bool


class Client:
    """Calls one org. A session that ran out is renewed once a call, in the middle of anything."""

    def __init__(self, name: str, options: Options) -> None:
        self.name, self.options = name, options
        self.session, self.adapter = guarded_session(options.address, options.ca_file)
        self.usage: list[tuple[int, int]] = []  # calls used and allowed today, of the org and of the app
        self.served_at: datetime | None = None
        self._signed: Signed | None = None
        self._described: dict[str, dict[str, Any] | None] = {}
        self._ahead: dict[str, tuple[Any, datetime]] = {}

    @property
    def calls(self) -> int:
        """Requests made so far."""
        return self.adapter.calls

    @property
    def signed(self) -> Signed:
        """The session, signed in when first needed."""
        if self._signed is None:
            self._signed = sign_in(self.name, self.options, self.session)
        return self._signed

    def path(self, rest: str, **params: str) -> str:
        """A path below /services/data/vNN.0/."""
        return f"/services/data/v{self.options.api_version}/{rest}" + (f"?{urlencode(params)}" if params else "")

    def call(self, method: str, path: str, where: str, body: Any = None, *, text: bool = False) -> Answer:
        """Make one call and prove its answer; reads that cannot be proven are tried again.

        Raises BudgetSpent before a call that the budget does not allow, and the other SourceErrors after it.
        """
        for attempt in range(1, TRIES + 1):
            try:
                return self._once(method, path, where, body, text)
            except (BadAnswer, TryAgainLater) as error:
                if attempt == TRIES or not error.again:
                    raise
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, where: str, body: Any, text: bool) -> Answer:
        self._within_budget(where)
        response = self._send(method, path, where, body)
        if response.status_code == 401 and self.options.sign_in != "access_token":
            self._signed = None
            response = self._send(method, path, where, body)
        self._note(response)
        if not 200 <= response.status_code < 300:
            raise refused(where, response.status_code, _body(response), self.options.sign_in)
        served = response.headers.get("Date")
        if served is None:
            raise BadAnswer(f"{where}: the answer carries no Date, so changes could not be followed from it")
        self.served_at = parsedate_to_datetime(served)
        facts: Any = response.content
        if not text and response.status_code != 204:
            try:
                facts = proven_json(where, response.status_code, response.content, Decimal)
            except BadAnswer as error:
                raise _again(error) from None
        return Answer(response.status_code, facts, self.served_at, response.headers)

    def _send(self, method: str, path: str, where: str, body: Any) -> requests.Response:
        head = {"Authorization": f"Bearer {self.signed.token}", "X-PrettyPrint": "0"}
        if "query" in path:
            head["Sforce-Query-Options"] = "batchSize=2000"
        try:
            return self.session.request(method, f"https://{self.signed.host}{path}", headers=head, json=body)
        except BadAnswer as error:  # sent on to another host
            raise BadAnswer(f"{where}: {error}") from None
        except requests.ConnectionError as error:
            raise unreachable(where, error) from None
        except requests.RequestException as error:  # broke off within the answer
            raise _again(unreachable(where, error)) from None

    def _within_budget(self, where: str) -> None:
        options = self.options
        for used, allowed in self.usage:
            if self.calls >= options.call_share * allowed:
                raise BudgetSpent(
                    f"{where}: stopped after {self.calls} calls, the share of a run ({options.call_share:.0%} of "
                    f"{allowed:,} a day); the next run goes on from here. To change it, set call_share"
                )
            if used >= options.call_ceiling * allowed:
                raise BudgetSpent(
                    f"{where}: stopped, because {used:,} of today's {allowed:,} calls are used by everything together; "
                    f"the next run goes on from here. To change it, set call_ceiling (now {options.call_ceiling:.0%})"
                )

    def _note(self, response: requests.Response) -> None:
        found = USAGE.findall(response.headers.get("Sforce-Limit-Info", ""))
        if found:
            self.usage = [(int(used), int(allowed)) for used, allowed in found]

    def get(self, rest: str, where: str, **params: str) -> Answer:
        """GET below /services/data/vNN.0/."""
        return self.call("GET", self.path(rest, **params), where)

    def together(self, paths: Sequence[str], where: str) -> list[tuple[int, Any]]:
        """Several reads as one call, status and facts of each; no more than 25, and 5 queries."""
        asked = [{"method": "GET", "url": path, "referenceId": f"r{n}"} for n, path in enumerate(paths)]
        body = {"allOrNone": False, "compositeRequest": asked}
        answer = self.call("POST", self.path("composite"), where, body)
        parts = proven_list(where, answer.body, "compositeResponse")
        found = {p.get("referenceId"): (int(p.get("httpStatusCode", 0)), p.get("body")) for p in parts}
        if set(found) != {a["referenceId"] for a in asked}:
            raise BadAnswer(f"{where}: {len(asked)} things were asked together and {len(found)} were answered")
        return [found[a["referenceId"]] for a in asked]

    def ahead(self, paths: Sequence[str], where: str) -> None:
        """Ask for the first pages of what is read next in as few calls as possible; they wait until they are wanted."""
        queries = [p for p in paths if "/query" in p]
        others = [p for p in paths if p not in queries]
        while queries or others:
            batch, queries = queries[:QUERIES], queries[QUERIES:]
            room = TOGETHER - len(batch)
            batch, others = batch + others[:room], others[room:]
            for path, (status, body) in zip(batch, self.together(batch, where), strict=True):
                if status == 200 and self.served_at is not None:
                    self._ahead[path] = (body, self.served_at)

    def first(self, path: str, where: str) -> Answer:
        """GET, unless the answer was asked for ahead."""
        waiting = self._ahead.pop(path, None)
        return self.call("GET", path, where) if waiting is None else Answer(200, *waiting)

    def pages(self, verb: str, soql: str, what: str) -> Iterator[Page]:
        """Every page of a query or queryAll; BadAnswer when rows are missing or come twice."""
        where, got, number, seen, lacking = f"{self.name}: {what}", 0, 1, set[str](), BadAnswer
        answer = self.first(self.path(verb, q=soql), f"{where}, page 1")
        while True:
            place, page = f"{where}, page {number}", answer.body
            records = proven_list(place, page, "records")
            total, done = page.get("totalSize"), page.get("done")
            if not isinstance(total, int) or not isinstance(done, bool):
                raise BadAnswer(f"{place}: the answer does not say how many rows there are; try again later")
            got += len(records)
            if done and got != total:
                raise lacking(f"{place}: {total} rows were promised and {got} came; nothing of this page was kept")
            ids = {r["Id"] for r in records if "Id" in r}
            if ids and (len(ids) != len(records) or ids & seen):
                raise BadAnswer(f"{place}: a row came twice, so another is missing; nothing of this page was kept")
            locator = str(page.get("nextRecordsUrl", "")).rsplit("/", 1)[-1]
            reached = locator.rpartition("-")[2]  # it ends in how many rows come before it
            if not reached.isdecimal():
                lacking = RowsMissing
            elif not done and int(reached) != got:
                raise lacking(f"{place}: {reached} rows were promised and {got} came; nothing of this page was kept")
            seen = ids
            yield Page(records, total, answer.served_at, done)
            if done:
                return
            number += 1
            if not locator or not records:
                raise BadAnswer(f"{place}: more rows were promised, but the page does not lead to them")
            answer = self.get(f"{verb}/{locator}", f"{where}, page {number}")

    def rows(self, soql: str, what: str) -> list[dict[str, Any]]:
        """Every row of a small query."""
        return [record for page in self.pages("query", soql, what) for record in page.records]

    def count(self, verb: str, soql: str, what: str) -> int:
        """How many rows a query would give."""
        answer = self.get(verb, f"{self.name}: {what}, counted", q=soql)
        total = answer.body.get("totalSize") if isinstance(answer.body, Mapping) else None
        if not isinstance(total, int):
            raise BadAnswer(f"{self.name}: {what}: the count came without a number; try again later")
        return total

    def describe(self, names: Sequence[str], queries: Sequence[str] = ()) -> list[list[dict[str, Any]] | None]:
        """Look at objects and run small queries in one call; the rows of each query, None where it is refused."""
        missing = [n for n in names if n not in self._described]
        paths = [self.path(f"sobjects/{n}/describe") for n in missing]
        paths += [self.path("query", q=soql) for soql in queries]
        answers: list[tuple[int, Any]] = []
        for start in range(0, len(paths), TOGETHER):
            answers += self.together(paths[start : start + TOGETHER], f"{self.name}: what there is")
        for name, (status, body) in zip(missing, answers, strict=False):
            if status not in (200, 403, 404):
                raise refused(f"{self.name}: describe {name}", status, body, self.options.sign_in)
            self._described[name] = body if status == 200 else None
        found: list[list[dict[str, Any]] | None] = []
        for soql, (status, body) in zip(queries, answers[len(missing) :], strict=True):
            if status == 200 and self.served_at is not None:
                self._ahead[self.path("query", q=soql)] = (body, self.served_at)
            found.append(self.rows(soql, soql.split(" FROM ")[1].split()[0]) if status == 200 else None)
        return found

    def forget(self, name: str) -> None:
        """Look at an object anew when it is next asked about: its fields have changed."""
        self._described.pop(name, None)
        self._ahead.clear()

    def fields(self, name: str) -> dict[str, dict[str, Any]] | None:
        """The fields of an object that we may see, by name; None when the object is not there for us."""
        if name not in self._described:
            self.describe([name])
        found = self._described[name]
        return None if found is None else {f["name"]: f for f in found["fields"]}

    def close(self) -> None:
        """Let go of connections."""
        self.session.close()


def _again(error: SourceError) -> SourceError:
    """Mark an error as worth another try at once."""
    error.again = True
    return error


def _body(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
