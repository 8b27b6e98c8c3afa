"""A small pretend org, a store, and syncs of one into the other: what histories, faults and kills are tried on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import settings
from sqlalchemy import Engine, select

from connectors import connector_class
from models import Deal, DealSplit, Quota
from models.base import core
from models.money import plain
from sandbox.cast import TODAY
from sandbox.salesforce.data import generate
from sandbox.salesforce.org import Record, SalesforceOrg
from sync.replay import replay
from sync.report import RunReport
from sync.rules import Rules
from sync.run import run_sync

DEEP = settings().max_examples >= 500
"""Whether the profile `deep` asks for everything: 500 histories, every fault at every call."""

CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}


def small_org(deals: int = 8, reps: int = 3) -> SalesforceOrg:
    """An org with a few deals, quotas of nine quarters, and a split type for credit and one for overlay."""
    org = generate(7, TODAY, deals, reps)
    for name, counts in (("Revenue", True), ("Overlay", False)):
        org.add("OpportunitySplitType", MasterLabel=name, DeveloperName=name, IsTotalValidated=counts, IsActive=True)
    for quota in list(org.objects["ForecastingQuota"].values())[12:]:
        del org.objects["ForecastingQuota"][quota["Id"]]
    return org


def split(org: SalesforceOrg, deal: Record, owner: str, percent: Decimal, credit: bool = True) -> Record:
    """A share of a deal."""
    kind = next(t["Id"] for t in org.objects["OpportunitySplitType"].values() if t["IsTotalValidated"] == credit)
    return org.add(
        "OpportunitySplit", OpportunityId=deal["Id"], SplitOwnerId=owner, SplitTypeId=kind, SplitPercentage=percent,
        SplitAmount=Decimal(0), IsDeleted=False, CurrencyIsoCode=deal["CurrencyIsoCode"],
    )  # fmt: skip


class Mirror:
    """A store that follows an org. The store's own clock is days off: only the org's may count."""

    kind: ClassVar[str] = "salesforce"
    usual: ClassVar[dict[str, Any]] = {"api_version": "66.0", **CLIENT}

    def __init__(
        self,
        server: Any,
        engine: Engine,
        landing: Path,
        off: timedelta = timedelta(days=-4),
        **options: Any,
    ) -> None:
        self.server, self.engine, self.off = server, engine, off
        self.rules = Rules("EUR", "Europe/London", landing)
        self.options = {"address": server.address, **self.usual, **options}

    def clock(self) -> datetime:
        """The store's clock, which goes wrong by the same time always."""
        now: datetime = self.server.now()
        return now.astimezone(UTC) + self.off

    def sync(self, **kwargs: Any) -> RunReport:
        """One run, with a connector of its own as in a process of its own."""
        connector = connector_class(self.kind)("crm", self.options, loopback=True)
        try:
            return run_sync(self.engine, "crm", connector, self.rules, clock=self.clock, **kwargs)
        finally:
            connector.close()

    def replay(self, engine: Engine | None = None, **kwargs: Any) -> RunReport:
        """What was landed, read again with the options of now."""
        connector = connector_class(self.kind)("crm", self.options, loopback=True)
        try:
            return replay(engine or self.engine, "crm", connector, self.rules, clock=self.clock, **kwargs)
        finally:
            connector.close()

    def heal(self) -> RunReport:
        """Every fault is over, a day has passed in the org, and a run follows."""
        self.server.faults.clear()
        self.server.before = None
        self.server.org.clock += timedelta(hours=21)
        return self.sync(allow_removals=10**6)

    def differences(self) -> list[str]:
        """Where the store is not what the org is, record by record; empty when nothing is lost, doubled or undead."""
        found = []
        for name, ours, theirs in self.pairs():
            found += [f"{name} {i} is lost: {theirs[i]}" for i in theirs.keys() - ours.keys()]
            found += [f"{name} {i} is undead: {ours[i]}" for i in ours.keys() - theirs.keys()]
            both = ours.keys() & theirs.keys()
            found += [f"{name} {i}: {ours[i]} is stored, {theirs[i]} is true" for i in both if ours[i] != theirs[i]]
        return sorted(found)

    def pairs(self) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
        """What is compared: its name, what is stored by id, and what is true by id."""
        org = self.server.org.objects
        return [
            ("deal", self._stored(Deal, deal_facts), _live(org["Opportunity"], _opportunity)),
            ("split", self._stored(DealSplit, share_facts), _live(org.get("OpportunitySplit", {}), _org_share)),
            ("quota", self._stored(Quota, quota_facts), _live(self._counted(), _org_quota)),
        ]

    def _counted(self) -> dict[str, Record]:
        return {i: q for i, q in self.server.org.objects["ForecastingQuota"].items() if q["IsAmount"]}

    def _stored(self, model: Any, shown: Callable[[Any], Any]) -> dict[str, Any]:
        table = core(model)
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(table).where(table.c.connection == "crm", table.c.removed_at.is_(None))
            ).all()
        found = {row.external_id: shown(row) for row in rows}
        assert len(found) == len(rows), "a record is stored twice"
        return found


def _live(records: dict[str, Record], shown: Callable[[Record], Any]) -> dict[str, Any]:
    return {i: shown(r) for i, r in records.items() if not r.get("IsDeleted")}


def deal_facts(row: Any) -> Any:
    """What is compared of a stored deal."""
    amount = None if row.amount_minor is None else Decimal(plain(row.amount_minor, row.currency) or "")
    return row.name, row.owner_external_id, row.stage, amount, row.currency, row.close_day


def _opportunity(record: Record) -> Any:
    shown = ("Name", "OwnerId", "StageName", "Amount", "CurrencyIsoCode", "CloseDate")
    return tuple(record[f] for f in shown)


def share_facts(row: Any) -> Any:
    """What is compared of a stored split."""
    return row.deal_external_id, row.owner_external_id, row.share_ppm


def _org_share(record: Record) -> Any:
    return record["OpportunityId"], record["SplitOwnerId"], int(record["SplitPercentage"] * 10_000)


def quota_facts(row: Any) -> Any:
    """What is compared of a stored quota."""
    return row.owner_external_id, row.first_day, row.amount_minor


def _org_quota(record: Record) -> Any:
    return record["QuotaOwnerId"], record["StartDate"], int(record["QuotaAmount"] * 100)
