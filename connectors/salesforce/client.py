"""Signs in to Salesforce and runs SOQL page by page, each page proven."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from simple_salesforce.api import Salesforce as Sdk
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError

from connectors.errors import BadAnswer, NotAllowed, SignInAgain, SourceError, TryAgainLater
from connectors.guard import guarded_session, proven_json, proven_list

API_VERSION = "66.0"
"""Ours to set: the SDK's own default is years old, and old versions hide quota rows."""


@dataclass(frozen=True)
class Page:
    """One page of a query: its records, how many the whole query has, and the server's time."""

    records: list[dict[str, Any]]
    total: int
    served_at: datetime
    last: bool


class Client:
    """One signed-in session; a session that ran out is renewed once a call."""

    def __init__(self, name: str, options: Mapping[str, Any], address: str | None) -> None:
        self.name, self.options = name, options
        self.session, self.adapter = guarded_session(address)
        self.version = str(options.get("api_version", API_VERSION))
        self._sdk: Sdk | None = None
        self._described: dict[str, dict[str, Any] | None] = {}

    @property
    def calls(self) -> int:
        """Requests made so far."""
        return self.adapter.calls

    @property
    def sdk(self) -> Sdk:
        """The signed-in SDK."""
        if self._sdk is None:
            self._sdk = self._sign_in()
        return self._sdk

    def _sign_in(self) -> Sdk:
        where = f"{self.name}: sign-in"
        common: dict[str, Any] = {"session": self.session, "version": self.version, "parse_float": Decimal}
        try:
            if self.options.get("access_token"):
                host = str(self.options.get("my_domain", "pretend.my")) + ".salesforce.com"
                return Sdk(session_id=self.options["access_token"], instance=host, **common)
            return Sdk(
                consumer_key=self.options["client_id"],
                consumer_secret=self.options["client_secret"],
                domain=self.options.get("my_domain", "pretend.my"),
                **common,
            )
        except SourceError:
            raise
        except SalesforceAuthenticationFailed as error:
            raise SignInAgain(
                f"{where}: Salesforce does not take client_id and client_secret ({error.code}); check both, and that "
                "the external client app allows the client credentials flow with a run-as user"
            ) from None
        except (ValueError, LookupError, AttributeError, TypeError):  # what the SDK makes of an answer of another shape
            raise BadAnswer(f"{where}: the server did not answer with a token; check my_domain") from None
        except requests.RequestException as error:
            raise self._unreachable(where, error) from None

    def get(
        self, path: str, where: str, headers: Mapping[str, str] | None = None, **params: str
    ) -> tuple[Any, datetime]:
        """GET below /services/data/vNN.0/ and the server's time; a session that ran out is renewed once."""
        for attempt in (1, 2):
            sdk = self.sdk
            url = f"https://{sdk.sf_instance}/services/data/v{self.version}/{path}"
            head = {**sdk.headers, "X-PrettyPrint": "0", **(headers or {})}
            try:
                response = self.session.get(url, headers=head, params=params or None)
            except requests.RequestException as error:
                raise self._unreachable(where, error) from None
            if response.status_code == 401 and attempt == 1 and not self.options.get("access_token"):
                self._sdk = None
                continue
            break
        if response.status_code != 200:
            raise self._refused(where, response)
        served = response.headers.get("Date")
        if served is None:
            raise BadAnswer(f"{where}: the answer carries no Date, so changes could not be followed from it")
        return self._json(where, response), parsedate_to_datetime(served)

    def _json(self, where: str, response: requests.Response) -> Any:
        proven_json(where, response.status_code, response.content)
        return response.json(parse_float=Decimal)

    def pages(self, soql: str, what: str, everything: bool = False) -> Iterator[Page]:
        """Every page of a query; `everything` shows deleted rows too. BadAnswer when rows are missing at the end."""
        verb = "queryAll" if everything else "query"
        where, path, got, number = f"{self.name}: {what}", verb, 0, 1
        page, served = self.get(path, f"{where}, page 1", {"Sforce-Query-Options": "batchSize=2000"}, q=soql)
        while True:
            place = f"{where}, page {number}"
            records = proven_list(place, page, "records")
            total, done = page.get("totalSize"), page.get("done")
            if not isinstance(total, int) or not isinstance(done, bool):
                raise BadAnswer(f"{place}: the answer does not say how many rows there are; try again later")
            got += len(records)
            if done and got != total:
                raise BadAnswer(f"{place}: {total} rows were promised and {got} came; nothing of this page was kept")
            yield Page(records, total, served, done)
            if done:
                return
            locator = str(page.get("nextRecordsUrl", "")).rsplit("/", 1)[-1]
            number += 1
            if not locator or not records:
                raise BadAnswer(f"{place}: more rows were promised, but the page does not lead to them")
            page, served = self.get(
                f"{verb}/{locator}", f"{where}, page {number}", {"Sforce-Query-Options": "batchSize=2000"}
            )

    def rows(self, soql: str, what: str) -> list[dict[str, Any]]:
        """Every row of a small query."""
        return [record for page in self.pages(soql, what) for record in page.records]

    def fields(self, name: str) -> frozenset[str] | None:
        """The fields of an object that we may see; None when the object is not there for us."""
        if name not in self._described:
            try:
                self._described[name], _ = self.get(f"sobjects/{name}/describe", f"{self.name}: describe {name}")
            except NotAllowed:
                self._described[name] = None
        found = self._described[name]
        return None if found is None else frozenset(f["name"] for f in found["fields"])

    def _refused(self, where: str, response: requests.Response) -> SourceError:
        try:
            body = response.json()
            code, message = str(body[0]["errorCode"]), str(body[0]["message"]).split("\n")[0][:160]
        except (ValueError, LookupError, TypeError):
            code, message = "", "no readable reason"
        status = response.status_code
        if status == 401:
            return SignInAgain(f"{where}: the session is no longer valid; check the sign-in of this connection")
        if code == "REQUEST_LIMIT_EXCEEDED":
            return TryAgainLater(f"{where}: the org's API calls are used up; they come back within 24 hours")
        if code in ("INVALID_FIELD", "INVALID_TYPE", "NOT_FOUND", "INSUFFICIENT_ACCESS", "API_DISABLED_FOR_ORG"):
            return NotAllowed(f"{where}: {message} ({code}); give the run-as user the right to see it")
        if status == 429 or status >= 500:
            return TryAgainLater(
                f"{where}: Salesforce is busy ({status}) and stayed so; the next run goes on from here"
            )
        return BadAnswer(f"{where}: Salesforce refused the request ({status} {code}): {message}")

    def _unreachable(self, where: str, error: Exception) -> SourceError:
        if isinstance(error, SalesforceError):
            return BadAnswer(f"{where}: {type(error).__name__}")
        return TryAgainLater(
            f"{where}: the server cannot be reached or broke off ({type(error).__name__}); try again later"
        )

    def close(self) -> None:
        """Let go of connections."""
        self.session.close()
