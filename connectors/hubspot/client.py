"""Calls HubSpot through its SDK, each answer proven; every path stands in one table by API version."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import urllib3
from hubspot import HubSpot as Sdk

from connectors.errors import BadAnswer, NotAllowed, SignInAgain, SourceError, TryAgainLater
from connectors.guard import TIMEOUT, Moving, proven_json, proven_list, retries

PATHS: dict[str, dict[str, str]] = {
    "v3": {
        "owners": "/crm/v3/owners/",
        "pipelines": "/crm/v3/pipelines/deals",
        "properties": "/crm/v3/properties/deals",
        "objects": "/crm/v3/objects/{kind}",
        "search": "/crm/v3/objects/{kind}/search",
        "account": "/account-info/v3/details",
    },
    **{
        version: {
            "owners": f"/crm/owners/{version}",
            "pipelines": f"/crm/pipelines/{version}/deals",
            "properties": f"/crm/properties/{version}/deals",
            "objects": f"/crm/objects/{version}/{{kind}}",
            "search": f"/crm/objects/{version}/{{kind}}/search",
            "account": f"/account-info/{version}/details",
        }
        for version in ("2026-03", "2026-09")
    },
}
"""v3 goes unsupported in September 2027; the dated versions are one setting away."""


class Client:
    """One token and one kept connection pool; no SDK iterator, since those can loop for ever."""

    def __init__(self, name: str, address: str, token: str, version: str) -> None:
        self.name, self.version, self.calls = name, version, 0
        sdk = Sdk(access_token=token, host=address, base_url=address, retry=retries())
        # One API client for all: the SDK makes a new one with a new pool at each access.
        self._api = sdk.crm.deals.basic_api.api_client
        self._auth = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self.address = address

    def call(
        self, what: str, path: str, query: Mapping[str, Any] | None = None, body: Any = None, kind: str = ""
    ) -> tuple[Any, datetime]:
        """One request through the SDK's own transport: the JSON and the server's time."""
        where = f"{self.name}: {what}"
        url = self.address + PATHS[self.version][path].format(kind=kind)
        if query:
            url += "?" + urlencode(query, doseq=True)
        self.calls += 1
        headers = self._auth | ({"Content-Type": "application/json"} if body is not None else {})
        try:
            response = self._api.rest_client.pool_manager.request(
                "POST" if body is not None else "GET", url, headers=headers,
                body=None if body is None else json.dumps(body),
                timeout=urllib3.Timeout(*TIMEOUT), redirect=False, retries=retries(),
            )  # fmt: skip
        except urllib3.exceptions.HTTPError as error:
            words = f"{where}: the server cannot be reached or broke off ({type(error).__name__}); try again later"
            raise TryAgainLater(words) from None
        if 300 <= response.status < 400:
            raise BadAnswer(f"{where}: the server sent us on to another address, which was not followed")
        if response.status != 200:
            raise self._refused(where, response.status, response.data)
        page = proven_json(where, response.status, response.data)
        served = response.headers.get("Date")
        if served is None:
            raise BadAnswer(f"{where}: the answer carries no Date, so changes could not be followed from it")
        return page, parsedate_to_datetime(served)

    def pages(
        self, what: str, path: str, query: Mapping[str, Any], kind: str = "", after: str = ""
    ) -> Iterator[tuple[list[Any], str, datetime]]:
        """Every page of a list: its rows, the cursor of the next page ("" at the end), and the server's time."""
        moving, number = Moving(f"{self.name}: {what}"), 1
        while True:
            page, served = self.call(
                f"{what}, page {number}", path, {**query, **({"after": after} if after else {})}, kind=kind
            )
            rows = proven_list(f"{self.name}: {what}, page {number}", page, "results")
            following = str(((page.get("paging") or {}).get("next") or {}).get("after") or "")
            yield rows, following, served
            if not following:
                return
            after, number = moving.next(following), number + 1

    def search(self, what: str, body: Mapping[str, Any], kind: str = "deals") -> tuple[list[Any], int, str, datetime]:
        """One page of a search: its rows, the total, the next page's cursor, and the server's time."""
        page, served = self.call(what, "search", body=body, kind=kind)
        rows, total = proven_list(f"{self.name}: {what}", page, "results"), page.get("total")
        if not isinstance(total, int):
            raise BadAnswer(f"{self.name}: {what}: the answer does not say how many rows there are; try again later")
        return rows, total, str(((page.get("paging") or {}).get("next") or {}).get("after") or ""), served

    def _refused(self, where: str, status: int, body: bytes) -> SourceError:
        try:
            facts = json.loads(body)
            category, message = str(facts.get("category", "")), str(facts.get("message", ""))[:160]
            needed = [
                s for e in facts.get("errors") or [] for s in (e.get("context") or {}).get("requiredGranularScopes", [])
            ]
        except (ValueError, AttributeError):
            category, message, needed = "", "no readable reason", []
        if status == 401:
            return SignInAgain(
                f"{where}: HubSpot does not take the token; make a new service key and set `token` to it"
            )
        if status == 403:
            scopes = f"the scope {', '.join(needed)} is missing" if needed else message
            return NotAllowed(f"{where}: {scopes}; add it to the service key")
        if status == 429 or status >= 500:
            return TryAgainLater(f"{where}: HubSpot is busy ({status}) and stayed so; the next run goes on from here")
        if status == 404:
            return NotAllowed(f"{where}: not found; check address and api_version (now {self.version})")
        return BadAnswer(f"{where}: HubSpot refused the request ({status} {category}): {message}")

    def close(self) -> None:
        """Let go of connections."""
        self._api.rest_client.pool_manager.clear()
