"""The Salesforce connector: which objects and fields are read, and from when on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import pyarrow as pa

from connectors.base import Account, Batch, Drafts, Finding, SourceTotalDraft, Stream
from connectors.errors import NotAllowed, SourceError
from connectors.guard import address_problem, proven_options
from connectors.salesforce.client import Client
from connectors.salesforce.translate import translate
from models.money import to_minor

OVERLAP = timedelta(minutes=10)
"""Rows may become visible minutes after their time stamp; each run reads this much again and merges by id."""


FLAGS = {"IsActive", "IsClosed", "IsWon", "IsDeleted", "IsAmount"}


@dataclass(frozen=True)
class Object:
    """What a stream reads: its object, the fields it cannot do without, and those it can."""

    name: str
    needed: tuple[str, ...]
    wanted: tuple[str, ...] = ()
    feature: str = ""  # the optional feature it hangs on
    moving: bool = False  # read by time stamp, deleted rows included
    only: str = ""  # a condition


OBJECTS: dict[str, Object] = {
    "people": Object("User", ("Id", "Name", "IsActive"), ("Email", "EmployeeNumber", "Title", "ManagerId", "UserType")),
    "stages": Object(
        "OpportunityStage",
        ("Id", "MasterLabel", "IsClosed", "IsWon"),
        ("SortOrder", "DefaultProbability", "ForecastCategory", "ApiName"),
    ),
    "rates": Object(
        "DatedConversionRate", ("Id", "IsoCode", "StartDate", "ConversionRate"), (), "dated exchange rates"
    ),
    "quotas": Object(
        "ForecastingQuota",
        ("Id", "QuotaOwnerId", "StartDate", "QuotaAmount"),
        ("ForecastingTypeId", "IsAmount", "CurrencyIsoCode", "SystemModstamp"),
        "forecasting with quotas",
    ),
    "deals": Object(
        "Opportunity",
        (
            "Id",
            "Name",
            "OwnerId",
            "Amount",
            "StageName",
            "IsClosed",
            "IsWon",
            "CloseDate",
            "IsDeleted",
            "SystemModstamp",
        ),
        ("CurrencyIsoCode", "Probability", "ForecastCategory", "CreatedDate"),
        moving=True,
    ),
    "splits": Object(
        "OpportunitySplit",
        ("Id", "OpportunityId", "SplitOwnerId", "SplitPercentage", "SplitTypeId", "SystemModstamp"),
        ("IsDeleted",),
        "opportunity splits",
        moving=True,
    ),
}


class Salesforce:
    """Reads one Salesforce org with a read-only integration user (client credentials)."""

    kind: ClassVar[str] = "salesforce"

    def __init__(self, name: str, options: Mapping[str, Any], *, loopback: bool = False) -> None:
        address = options.get("address")
        problems = [p for p in [address_problem(self.kind, str(address), loopback) if address else None] if p]
        if not options.get("access_token"):
            problems += [f"{key} is missing" for key in ("client_id", "client_secret") if not options.get(key)]
        if not address and not options.get("my_domain"):
            problems.append('my_domain is missing; it is "acme.my" for https://acme.my.salesforce.com')
        known = {"address", "client_id", "client_secret", "access_token", "my_domain", "api_version", "quota_type"}
        problems += [f"{key} is not an option of a Salesforce connection" for key in sorted(set(options) - known)]
        proven_options(name, problems)
        self.name, self.options = name, options
        self.client = Client(name, options, str(address) if address else None)
        self._facts: dict[str, Any] | None = None

    @property
    def calls(self) -> int:
        """Requests made so far."""
        return self.client.calls

    def account(self) -> Account:
        """The org's corporate currency and zone, and its links."""
        row = self.client.rows("SELECT Id, DefaultCurrencyIsoCode, TimeZoneSidKey FROM Organization", "organisation")[0]
        host = str(self.client.sdk.sf_instance)
        link = f"https://{host}/lightning/r/Opportunity/{{id}}/view"
        return Account(row.get("DefaultCurrencyIsoCode"), row.get("TimeZoneSidKey"), link)

    def streams(self) -> list[Stream]:
        """What this org has; optional features that are not enabled are left out, never read as empty."""
        return [
            Stream(s, snapshot=not o.moving) for s, o in OBJECTS.items() if not o.feature or self.client.fields(o.name)
        ]

    def check(self) -> list[Finding]:
        """Sign in, then every object and field."""
        found = [Finding("sign-in", True, f"API {self.client.version}", "")]
        _ = self.client.sdk
        for stream, thing in OBJECTS.items():
            fields = self.client.fields(thing.name)
            if fields is None:
                words = f"{thing.feature} not enabled, or no right to see it" if thing.feature else "no right to see it"
                found.append(Finding(f"object {thing.name}", False, words, f"no {stream}", needed=not thing.feature))
                continue
            lacking = [f for f in thing.needed if f not in fields]
            missing = [f for f in thing.wanted if f not in fields]
            found.append(Finding(f"object {thing.name}", not lacking, ", ".join(lacking), f"no {stream}"))
            for name in missing:
                found.append(
                    Finding(f"field {thing.name}.{name}", False, "not there or not visible", "left empty", needed=False)
                )
        return found

    def facts(self) -> dict[str, Any]:
        """What translate has to know: the corporate currency and which types of quota and split count."""
        if self._facts is None:
            facts: dict[str, Any] = {
                "currency": self.account().currency,
                "quota_type": None,
                "quota_note": "",
                "overlay": [],
            }
            if self.client.fields("ForecastingType"):
                rows = self.client.rows(
                    "SELECT Id, DeveloperName, IsActive, IsAmount FROM ForecastingType", "quota types"
                )
                facts |= self._quota_type(rows)
            if self.client.fields("OpportunitySplitType"):
                rows = self.client.rows("SELECT Id, IsTotalValidated FROM OpportunitySplitType", "split types")
                facts["overlay"] = [r["Id"] for r in rows if not r["IsTotalValidated"]]
            self._facts = facts
        return self._facts

    def _quota_type(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Quotas of several types are never added: one counts, the one that is set or the only one of money."""
        named = self.options.get("quota_type")
        money = sorted((r for r in rows if r["IsAmount"] and r["IsActive"]), key=lambda r: str(r["DeveloperName"]))
        chosen = [r for r in rows if r["DeveloperName"] == named] if named else money[:1]
        if named and not chosen:
            known = ", ".join(str(r["DeveloperName"]) for r in rows)
            raise SourceError(f"{self.name}: there is no quota type {named!r}; the org has {known}")
        note = ""
        if not named and len(money) > 1:
            note = f"of {len(money)} quota types, {chosen[0]['DeveloperName']} counts; set quota_type to choose another"
        return {"quota_type": chosen[0]["Id"] if chosen else None, "quota_note": note}

    def pull(self, stream: str, cursor: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Read a stream; deals and splits by (SystemModstamp, Id) from the last server time minus the overlap."""
        thing = OBJECTS[stream]
        fields = self.client.fields(thing.name) or frozenset()
        lacking = [f for f in thing.needed if f not in fields]
        if lacking:
            what = f"the fields {', '.join(lacking)} of {thing.name}" if fields else f"the object {thing.name}"
            raise NotAllowed(
                f"{self.name}: {stream} need {what}, not there or not visible; give the run-as user the right"
            )
        names = [f for f in (*thing.needed, *thing.wanted) if f in fields]
        soql = f"SELECT {', '.join(names)} FROM {thing.name}"  # noqa: S608  (names from describe)
        where, began = _window(cursor) if thing.moving else ("", None)
        if where:
            soql += f" WHERE {where}"
        soql += " ORDER BY SystemModstamp, Id" if thing.moving else " ORDER BY Id"
        facts = self.facts()
        if stream == "rates":
            facts = facts | {"base": facts["currency"]}
        for page in self.client.pages(soql, stream, everything=thing.moving):
            began = began or page.served_at.isoformat()
            state: dict[str, Any] = {"since": began}
            if thing.moving and not page.last and page.records:
                final = page.records[-1]
                state = {"began": began, "stamp": final["SystemModstamp"], "id": final["Id"]}
            yield Batch(stream, _columns(page.records, names), state, facts, page.last)

    def translate(self, batch: Batch) -> Drafts:
        """Put a batch into our own words."""
        return translate(batch)

    def totals(self, spans: Sequence[tuple[date, date]]) -> list[SourceTotalDraft]:
        """SUM(Amount) by the org itself, per span, status and currency."""
        currency = "CurrencyIsoCode" in (self.client.fields("Opportunity") or ())
        columns = "IsWon, IsClosed" + (", CurrencyIsoCode" if currency else "")
        usual = None if currency else self.facts()["currency"]
        found: list[SourceTotalDraft] = []
        for first, end in spans:
            soql = (
                f"SELECT {columns}, SUM(Amount) total, COUNT(Id) deals FROM Opportunity "  # noqa: S608  (dates)
                f"WHERE CloseDate >= {first.isoformat()} AND CloseDate < {end.isoformat()} GROUP BY {columns}"
            )
            for row in self.client.rows(soql, "totals"):
                status = "won" if row["IsWon"] else ("lost" if row["IsClosed"] else "open")
                code = str(row.get("CurrencyIsoCode") or usual)
                minor = to_minor(row["total"], code) if row["total"] is not None else 0
                found.append(
                    SourceTotalDraft(first, end, status, code, minor, int(row["deals"]), "SUM(Amount) by the CRM")
                )
        return found

    def close(self) -> None:
        """Let go of connections."""
        self.client.close()


def _window(cursor: Mapping[str, Any] | None) -> tuple[str, str | None]:
    """The condition that a cursor stands for, and when the pull that it belongs to began."""
    if cursor is None:
        return "", None
    if "stamp" in cursor:  # a pull that broke off: on from the last row that was kept
        stamp = _literal(datetime.fromisoformat(str(cursor["stamp"]).replace("+0000", "+00:00")))
        last = str(cursor["id"])
        if not last.isalnum():
            raise SourceError(f"the stored cursor holds {last!r}, which is no record id; reset this stream")
        return f"(SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{last}'))", str(cursor["began"])
    since = datetime.fromisoformat(str(cursor["since"])) - OVERLAP
    return f"SystemModstamp >= {_literal(since)}", None


def _literal(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _columns(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pa.Table:
    """Records as columns of text, numbers as their source wrote them."""
    columns = {
        n: [None if (v := r.get(n)) is None else (v if isinstance(v, bool) else str(v)) for r in records] for n in names
    }
    return pa.table({n: pa.array(v, pa.bool_() if n in FLAGS else pa.string()) for n, v in columns.items()})
