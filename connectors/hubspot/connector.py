"""The HubSpot connector: which records are read, and from when on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from connectors.base import Account, Batch, Drafts, Finding, Part, SourceTotalDraft, Stream
from connectors.errors import NotAllowed, SourceError
from connectors.guard import Moving, address_problem, proven_options
from connectors.hubspot.client import PATHS, Client
from connectors.hubspot.translate import translate
from models.money import to_minor

OVERLAP = timedelta(minutes=15)
"""The search index lags behind; each run searches this much again and merges by id."""

CAP, PAGE, SEARCH_PAGE = 10_000, 100, 200
DEAL = (
    "dealname", "amount", "deal_currency_code", "dealstage", "pipeline", "closedate", "createdate",
    "hs_lastmodifieddate", "hubspot_owner_id", "hs_is_closed", "hs_is_closed_won", "hs_deal_stage_probability",
    "hs_manual_forecast_category", "hs_merged_object_ids",
)  # fmt: skip
GOAL = (
    "hs_goal_name", "hs_target_amount", "hs_start_datetime", "hs_end_datetime", "hs_milestone", "hs_goal_type",
    "hs_goal_target_currency_code", "hs_kpi_property_name", "hs_kpi_object_type_id", "hubspot_owner_id",
    "hs_assignee_team_id", "hs_lastmodifieddate",
)  # fmt: skip
OWNER = ("id", "email", "firstName", "lastName", "type", "archived")


class HubSpot:
    """Reads one HubSpot portal with a service key (or an existing private app token)."""

    kind: ClassVar[str] = "hubspot"

    def __init__(self, name: str, options: Mapping[str, Any], *, loopback: bool = False) -> None:
        address = str(options.get("address") or "https://api.hubapi.com").rstrip("/")
        version = str(options.get("api_version", "v3"))
        problems = [p for p in [address_problem(self.kind, address, loopback)] if p]
        if not options.get("token"):
            problems.append("token is missing: a service key, or an existing private app token")
        if version not in PATHS:
            problems.append(f"api_version {version!r} is not one of {', '.join(PATHS)}")
        known = {"address", "token", "api_version"}
        problems += [f"{key} is not an option of a HubSpot connection" for key in sorted(set(options) - known)]
        proven_options(name, problems)
        self.name = name
        self.client = Client(name, address, str(options["token"]), version)

    @property
    def calls(self) -> int:
        """Requests made so far."""
        return self.client.calls

    @cached_property
    def _details(self) -> dict[str, Any]:
        details, _ = self.client.call("account", "account")
        if not isinstance(details, dict) or "companyCurrency" not in details:
            raise SourceError(f"{self.name}: the account does not tell its currency, so amounts cannot be read")
        return details

    @cached_property
    def _zone(self) -> str:
        zone = str(self._details.get("timeZone") or "UTC")
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise SourceError(f"{self.name}: the account's time zone {zone!r} is not known on this machine") from None
        return zone

    @cached_property
    def _stages(self) -> list[dict[str, Any]]:
        pages = self.client.pages("pipelines", "pipelines", {})
        found: list[dict[str, Any]] = []
        for rows, _, _ in pages:
            for pipeline in rows:
                for stage in pipeline["stages"]:
                    own = stage.get("metadata") or {}
                    closed, probability = str(own.get("isClosed")).lower() == "true", own.get("probability")
                    share = float(probability) if closed and probability is not None else None
                    status = {1.0: "won", 0.0: "lost"}.get(-1.0 if share is None else share, "open")
                    row = {"id": stage["id"], "name": stage["label"], "pipeline": pipeline["id"], "status": status}
                    found.append(row | {"position": stage.get("displayOrder"), "probability": probability})
        return found

    def account(self) -> Account:
        """The portal's currency, zone and links."""
        link = f"https://app.hubspot.com/contacts/{self._details.get('portalId')}/record/0-3/{{id}}"
        return Account(str(self._details["companyCurrency"]), self._zone, link)

    def streams(self) -> list[Stream]:
        """What is read; goals are left out where the account has none to give."""
        return [
            Stream("people", True),
            Stream("stages", True),
            *([Stream("quotas", True)] if self._goals else []),
            Stream("deals"),
        ]

    @cached_property
    def _goals(self) -> bool:
        try:
            self.client.call("goals", "objects", {"limit": 1}, kind="goal_targets")
        except NotAllowed:
            return False
        return True

    def check(self) -> list[Finding]:
        """Every kind of record that is read, one call each."""
        details = self._details
        found = [
            Finding("sign-in", True, f"portal {details.get('portalId')}, {details['companyCurrency']}, {self._zone}")
        ]
        tries: Sequence[tuple[str, str, str, str, bool]] = (
            ("owners", "owners", "", "no people", True),
            ("pipelines", "pipelines", "", "no deals", True),
            ("deals", "objects", "deals", "no deals", True),
            ("goals", "objects", "goal_targets", "no quotas: bring them by spreadsheet", False),
        )
        for what, path, kind, without, needed in tries:
            try:
                self.client.call(what, path, {"limit": 1} if path != "pipelines" else None, kind=kind)
                found.append(Finding(what, True))
            except NotAllowed as error:
                found.append(Finding(what, False, error.message, without, needed))
        names, _ = self.client.call("properties", "properties")
        there = {p["name"] for p in names.get("results", [])}
        for name in DEAL:
            if name not in there:
                found.append(Finding(f"property deals.{name}", False, "not there", "left empty", needed=False))
        return found

    def ready(self, cursors: Mapping[str, Mapping[str, Any]]) -> None:
        """Nothing to ask for ahead."""

    def survey(self, stream: str) -> list[Part] | None:
        """Nothing is counted."""
        return None

    def recheck(self, stream: str, part: Part, known: Sequence[str]) -> Iterator[Batch]:
        """Nothing is read in parts."""
        yield from ()

    def pull(self, stream: str, cursor: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Read a stream; deals by list at first, then by search of what changed and the list of archived ones."""
        if stream == "stages":
            yield Batch(
                "stages",
                _table(self._stages, ("id", "name", "pipeline", "status", "position", "probability")),
                {},
                last=True,
            )
        elif stream == "people":
            rows = [
                r
                for archived in ("false", "true")
                for p in self._list("owners", {"limit": 100, "archived": archived})
                for r in p
            ]
            yield Batch("people", _table(rows, OWNER), {}, last=True)
        elif stream == "quotas":
            rows = [r for p in self._list("objects", {"limit": PAGE, "properties": GOAL}, "goal_targets") for r in p]
            yield Batch("quotas", _records(rows, GOAL), {}, self._facts(), last=True)
        else:
            yield from self._deals(cursor or {})

    def _list(self, path: str, query: Mapping[str, Any], kind: str = "") -> Iterator[list[Any]]:
        for rows, _, _ in self.client.pages(kind or path, path, query, kind):
            yield rows

    def _facts(self) -> dict[str, Any]:
        stages = {s["id"]: [s["status"], s["name"]] for s in self._stages}
        return {"currency": str(self._details["companyCurrency"]), "zone": self._zone, "stages": stages}

    def _deals(self, cursor: Mapping[str, Any]) -> Iterator[Batch]:
        facts = self._facts()
        if "since" in cursor and "listing" not in cursor:
            now = self._now()
            since = datetime.fromisoformat(str(cursor["since"])) - OVERLAP
            state = {"since": now.isoformat()}
            for rows in self._changed(since, now + timedelta(seconds=1)):
                yield Batch("deals", _records(rows, DEAL), {"since": cursor["since"]}, facts)
        else:
            began, after = str(cursor.get("since") or ""), str(cursor.get("listing") or "")
            query = {"limit": PAGE, "properties": DEAL, "archived": "false"}
            for rows, following, served in self.client.pages("deals", "objects", query, "deals", after):
                began = began or served.isoformat()
                yield Batch("deals", _records(rows, DEAL), {"since": began, "listing": following or "end"}, facts)
            state = {"since": began}
        # Searches never show archived deals; they stay in this list for about ninety days.
        gone = [
            r
            for p in self._list("objects", {"limit": PAGE, "properties": DEAL, "archived": "true"}, "deals")
            for r in p
        ]
        yield Batch("deals", _records(gone, DEAL), state, facts, last=True)

    def _now(self) -> datetime:
        _, served = self.client.call("account", "account")
        return served

    def _changed(self, first: datetime, end: datetime) -> Iterator[list[Any]]:
        """Deals changed in [first, end): windows are halved until a search shows all; one moment walks by id."""
        low, high = int(first.timestamp() * 1000), int(end.timestamp() * 1000)
        window = {
            "propertyName": "hs_lastmodifieddate",
            "operator": "BETWEEN",
            "value": str(low),
            "highValue": str(high - 1),
        }
        yield from self._search([window], lambda: self._halves(low, high))

    def _halves(self, low: int, high: int) -> Iterator[list[Any]]:
        if high - low > 1:
            middle = (low + high) // 2
            for a, b in ((low, middle), (middle, high)):
                yield from self._changed(datetime.fromtimestamp(a / 1000, UTC), datetime.fromtimestamp(b / 1000, UTC))
            return
        last = "0"
        moment = {"propertyName": "hs_lastmodifieddate", "operator": "EQ", "value": str(low)}
        while True:
            rows, _, _, _ = self.client.search("deals of one moment", self._body([moment, _above(last)]))
            if not rows:
                return
            yield rows
            last = str(rows[-1]["id"])

    def _search(
        self, filters: list[dict[str, str]], too_many: Callable[[], Iterator[list[Any]]]
    ) -> Iterator[list[Any]]:
        moving, after, number = Moving(f"{self.name}: changed deals"), "", 1
        while True:
            body = self._body(filters) | ({"after": after} if after else {})
            rows, total, after, _ = self.client.search(f"changed deals, page {number}", body)
            if total > CAP:
                yield from too_many()
                return
            yield rows
            if not after:
                return
            moving.next(after)
            number += 1

    def _body(self, filters: list[dict[str, str]]) -> dict[str, Any]:
        sorts = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
        return {"filterGroups": [{"filters": filters}], "properties": list(DEAL), "sorts": sorts, "limit": SEARCH_PAGE}

    def translate(self, batch: Batch) -> Drafts:
        """Put a batch into our own words."""
        return translate(batch)

    def totals(self, spans: Sequence[tuple[date, date]]) -> list[SourceTotalDraft]:
        """Added up from searches by close date; HubSpot has no sum to ask for."""
        zone, found = ZoneInfo(self._zone), []
        for first, end in spans:
            sums: dict[tuple[str, str], list[int]] = {}
            read = 0
            low, high = (int(datetime.combine(d, time(), zone).timestamp() * 1000) for d in (first, end))
            for rows in self._closing(low, high):
                read += len(rows)
                for row in rows:
                    own = row["properties"]
                    closed, won = own.get("hs_is_closed") == "true", own.get("hs_is_closed_won") == "true"
                    code = own.get("deal_currency_code") or str(self._details["companyCurrency"])
                    bucket = sums.setdefault(("won" if won else ("lost" if closed else "open"), code), [0, 0])
                    bucket[0] += _cents(own.get("amount"), code)
                    bucket[1] += 1
            how = f"added up from {read} search results"
            found += [SourceTotalDraft(first, end, s, c, minor, n, how) for (s, c), (minor, n) in sorted(sums.items())]
        return found

    def _closing(self, low: int, high: int) -> Iterator[list[Any]]:
        def halves() -> Iterator[list[Any]]:
            middle = (low + high) // 2
            yield from self._closing(low, middle)
            yield from self._closing(middle, high)

        window = {"propertyName": "closedate", "operator": "BETWEEN", "value": str(low), "highValue": str(high - 1)}
        yield from self._search([window], halves)

    def close(self) -> None:
        """Let go of connections."""
        self.client.close()


def _above(last: str) -> dict[str, str]:
    return {"propertyName": "hs_object_id", "operator": "GT", "value": last}


def _cents(amount: str | None, currency: str) -> int:
    try:
        return to_minor(amount, currency) if amount else 0
    except ValueError:
        return 0  # the CRM itself could not add it up either


def _table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pa.Table:
    return pa.table(
        {n: pa.array([None if (v := r.get(n)) is None else str(v) for r in rows], pa.string()) for n in names}
    )


def _records(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pa.Table:
    own = [r["properties"] for r in rows]
    columns = {n: pa.array([p.get(n) for p in own], pa.string()) for n in names}
    columns["id"] = pa.array([str(r["id"]) for r in rows], pa.string())
    columns["archived"] = pa.array([bool(r.get("archived")) for r in rows], pa.bool_())
    return pa.table(columns)
