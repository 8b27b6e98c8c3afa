"""Calls HubSpot through its SDK: every call timed, counted, paced, within the budget, and its answer proven.

Only the SDK's transport is used. Its iterators can loop for ever, its models turn a broken answer into an empty one,
and each of its modules has exceptions of its own; here there is one door with one kind of error.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import urllib3
from hubspot import HubSpot as Sdk
from urllib3.util import Retry

from connectors import guard
from connectors.errors import BadAnswer, BudgetSpent, SourceError, TryAgainLater
from connectors.guard import Moving, proven_json, proven_list
from connectors.hubspot.options import Options
from connectors.hubspot.pace import Pace, daily
from connectors.hubspot.paths import PATHS
from connectors.hubspot.refusals import NotRead, refused
from connectors.hubspot.signin import SignIn

TRIES = 5  # of a read
TIMEOUT: tuple[float, float] = guard.TIMEOUT
SEARCHES = 5  # a second; their answers do not tell it

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """A proven answer: its status (207: look for errors), its facts and the server's time."""

    status: int
    body: Any
    served_at: datetime


class Client:
    """One portal, one kept connection pool, used by several threads."""

    def __init__(self, name: str, options: Options) -> None:
        self.name, self.options, self.paths = name, options, PATHS[options.api_version]
        never = Retry(total=False, redirect=False)  # tries are counted here, where the pace is kept
        trusted = {"ssl_ca_cert": str(options.ca_file)} if options.ca_file else {}
        sdk = Sdk(host=options.address, retry=never, connection_pool_maxsize=options.at_once + 1, **trusted)
        self._api = sdk.crm.objects.basic_api.api_client  # made anew at each access, with a new pool: so it is kept
        self.sign_in = SignIn(name, options, self._trade)
        self.pace, self.searches = Pace(100, 10.0), Pace(SEARCHES, 1.0)
        self.usage: tuple[int, int] | None = None  # calls used and allowed today
        self.calls = 0
        self._lock = threading.Lock()

    def call(
        self, what: str, path: str, query: Query = (), body: Any = None, *, kind: str = "", repeat: bool = True
    ) -> Answer:
        """Make one call and prove its answer: GET, or POST where there is a body.

        Reads, searches and upserts are tried again; with `repeat` off (a create) only what was turned away unread is.
        """
        where = f"{self.name}: {what}"
        for attempt in range(1, TRIES + 1):
            try:
                return self._once(where, path, query, body, kind, attempt)
            except SourceError as error:
                if attempt == TRIES or not error.again or not (repeat or isinstance(error, NotRead)):
                    raise
                if not isinstance(error, NotRead):
                    time.sleep(guard.PAUSE * 2 ** (attempt - 1))
        raise AssertionError("unreachable")

    def _once(self, where: str, path: str, query: Query, body: Any, kind: str, attempt: int) -> Answer:
        url = self.paths[path].format(kind=kind)
        for last in (False, True):
            self._within_budget(where)
            token = self.sign_in.token()
            try:
                if path == "search":
                    with self.searches.turn(), self.pace.turn():
                        return self._send(where, url, query, body, token)
                with self.pace.turn():
                    return self._send(where, url, query, body, token)
            except _Status as answer:
                if answer.status == 401 and not last and self.sign_in.renew(token):
                    continue
                raise self._error(where, answer, path, attempt) from None
        raise AssertionError("unreachable")

    def _send(self, where: str, url: str, query: Query, body: Any, token: str) -> Answer:
        head = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        response = self._through_sdk(where, "GET" if body is None else "POST", url, query, head, body)
        self._note(response.headers)
        served = response.headers.get("Date")
        if served is None:
            raise BadAnswer(f"{where}: the answer carries no Date, so changes could not be followed from it")
        try:
            facts = proven_json(where, response.status, response.data)
        except BadAnswer as error:
            error.again = True
            raise
        return Answer(response.status, facts, parsedate_to_datetime(served))

    def _through_sdk(
        self, where: str, method: str, url: str, query: Query, head: dict[str, str], body: Any, form: Query = ()
    ) -> Any:
        """The one place where the SDK is called: its answer read to the end, its many exceptions as few of ours."""
        with self._lock:
            self.calls += 1
        try:
            response = self._api.call_api(
                url, method, query_params=list(query), header_params=head, body=body, post_params=list(form),
                _preload_content=False, _request_timeout=TIMEOUT,
            )  # fmt: skip
            _ = response.data
            return response
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(where, error) from None
        except Exception as error:  # each module of the SDK has an ApiException of its own, with nothing in common
            status = getattr(error, "status", None)
            if getattr(error.__context__, "status", None) == 0:  # the SDK trips over the answer that never came
                raise TryAgainLater(
                    f"{where}: the server's certificate is not trusted; check address and ca_file"
                ) from None
            if not isinstance(status, int):
                if isinstance(error, UnicodeDecodeError):
                    raise BadAnswer(f"{where}: the server answered with no readable text; try again later") from None
                raise
            headers = getattr(error, "headers", None) or {}
            raise _Status(status, dict(headers), getattr(error, "body", None)) from None

    def _error(self, where: str, answer: "_Status", path: str, attempt: int) -> SourceError:
        error = refused(where, answer.status, answer.body, self.options.api_version, self.sign_in.way)
        if isinstance(error, NotRead):
            text = str(_header(answer.headers, "Retry-After"))
            wait = float(text) if text.isdecimal() else guard.PAUSE * 10 * 2 ** (attempt - 1)
            if wait > guard.LONGEST:
                error.again = False
            else:
                (self.searches if path == "search" else self.pace).hold(wait)
        return error

    def _trade(self, form: Mapping[str, str]) -> Any:
        """Send a form to the token endpoint, once: a refresh token may be good for one time only."""
        return self.form("sign-in", "token", form)

    def form(self, what: str, path: str, form: Mapping[str, str]) -> Any:
        """POST a form without a token, once; the JSON."""
        where = f"{self.name}: {what}"
        head = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            response = self._through_sdk(where, "POST", self.paths[path], (), head, None, list(form.items()))
        except _Status as answer:
            raise refused(where, answer.status, answer.body, self.options.api_version, "oauth") from None
        return proven_json(where, response.status, response.data)

    def _within_budget(self, where: str) -> None:
        options, usage = self.options, self.usage
        if usage is None:
            return
        used, allowed = usage
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

    def _note(self, headers: Mapping[str, str]) -> None:
        self.pace.told(headers)
        self.usage = daily(headers) or self.usage

    def pages(
        self, what: str, path: str, query: Query, kind: str = "", after: str = ""
    ) -> Iterator[tuple[list[Any], str, datetime]]:
        """Every page of a list: its rows, the cursor of the next page ("" at the end), and the server's time."""
        moving, number = Moving(f"{self.name}: {what}"), 1
        while True:
            rows, following, served = self.page(f"{what}, page {number}", path, query, kind, after)
            yield rows, following, served
            if not following:
                return
            after, number = moving.next(following), number + 1

    def page(self, what: str, path: str, query: Query, kind: str, after: str) -> tuple[list[Any], str, datetime]:
        """One page of a list."""
        answer = self.call(what, path, [*query, *([("after", after)] if after else [])], kind=kind)
        return (
            proven_list(f"{self.name}: {what}", answer.body, "results"),
            following_page(answer.body),
            answer.served_at,
        )

    def rows(self, what: str, path: str, query: Query = (), kind: str = "") -> list[dict[str, Any]]:
        """Every row of a list, each once."""
        found = [row for rows, _, _ in self.pages(what, path, query, kind) for row in rows]
        names = [row.get("id") or row.get("name") for row in found if isinstance(row, Mapping)]
        if len(set(names)) < len(names):
            raise BadAnswer(f"{self.name}: {what}: a row came twice, so another may be missing; try again later")
        return found

    def close(self) -> None:
        """Let go of connections."""
        self._api.rest_client.pool_manager.clear()


class _Status(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status: int, headers: Mapping[str, str], body: Any) -> None:
        super().__init__(status)
        self.status, self.headers, self.body = status, headers, body


def following_page(page: Mapping[str, Any]) -> str:
    """The cursor of the next page; "" at the end."""
    return str(((page.get("paging") or {}).get("next") or {}).get("after") or "")


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def _unreachable(where: str, error: Exception) -> SourceError:
    kind = type(error).__name__
    found = TryAgainLater(f"{where}: the server cannot be reached or broke off ({kind}); try again later")
    found.again = True
    return found
