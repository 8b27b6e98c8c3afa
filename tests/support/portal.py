"""A small pretend portal, and a store that follows it: what histories, faults and kills are tried on."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, ClassVar

from sqlalchemy import select

from models import ActivityCount, Deal, DealHistory, DealSplit, Quota
from models.base import core
from sandbox.cast import TODAY
from sandbox.hubspot.data import generate, make_deal
from sandbox.hubspot.pipelines import STAGES
from sandbox.hubspot.portal import ZONE, Portal, Record, closing, stamp
from sync.report import RunReport
from tests.support.org import Mirror, deal_facts, quota_facts, share_facts

FOLLOWED = {"dealstage": "stage", "amount": "amount", "closedate": "close_day", "hubspot_owner_id": "owner_external_id"}
"""Properties whose history is kept, and what they are called in the store."""

PAGES = ("connector.PAGE", "searching.PAGE", "history.PAGE", "splits.AT_ONCE")
"""Where the connector says how many rows it asks for at a time."""

FAULTS = ("503", "429", "401", "html401", "html", "truncate", "empty", "reset", "redirect", "limit", "short",
          "duplicate", "no_results", "repeating_cursor")  # fmt: skip
"""What goes wrong with one call or some."""


def small_portal(deals: int = 8, reps: int = 3) -> Portal:
    """A portal with a few deals and owners, and quotas of three months."""
    portal = generate(7, TODAY, deals, reps)
    people = [o["id"] for o in portal.owners.values() if o["type"] == "PERSON"]
    for month in (9, 10, 11):
        first = datetime(2026, month, 1, tzinfo=ZONE)
        last = (first + timedelta(days=32)).replace(day=1) - timedelta(minutes=1)
        portal.add(
            "goal_targets", hs_goal_name=f"Quota {month}", hs_target_amount="9000.00", hs_start_datetime=stamp(first),
            hs_end_datetime=stamp(last), hs_goal_type="sales_quota", hs_goal_target_currency_code="USD",
            hubspot_owner_id=people[month % len(people)], hs_milestone="monthly",
        )  # fmt: skip
    return portal


def new_deal(portal: Portal, owner: str, days: int, amount: str | None) -> Record:
    """One more deal, which closes so many days from the portal's today."""
    rng = random.Random(portal.numbers)
    day = portal.today + timedelta(days=days)
    return make_deal(portal, rng, owner, rng.choice(list(STAGES)), day, amount=amount, closedate=closing(day))


class PortalMirror(Mirror):
    """A store that follows a portal. `silent` says that something was done which neither stamp nor number tells of."""

    kind: ClassVar[str] = "hubspot"
    usual: ClassVar[dict[str, Any]] = {"token": "sandbox-token"}
    silent = False

    def heal(self) -> RunReport:
        """A run with nothing in its way, when counts are due; after something silent, when everything is read whole."""
        self.server.faults.clear()
        self.server.before = None
        self.server.portal.wait(timedelta(days=8) if self.silent else timedelta(hours=21))
        self.silent = False
        return self.sync(allow_removals=10**6)

    def pairs(self) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Deals, splits, quotas, histories and counts of activities: stored by id, and true by id."""
        portal: Portal = self.server.portal
        live = {i: d for i, d in portal.deals.items() if not d["archived"]}
        shares = {s["id"]: _share(i, s) for i in live for s in portal.splits.get(i, [])}
        quotas = {i: _quota(g) for i, g in portal.goals.items() if not g["archived"]}
        return [
            ("deal", self._stored(Deal, deal_facts), {i: _deal(d) for i, d in live.items()}),
            ("split", self._stored(DealSplit, share_facts), shares),
            ("quota", self._stored(Quota, quota_facts), quotas),
            ("history of deal", self._told(set(live)), {i: sorted(_changes(portal, d)) for i, d in live.items()}),
            ("activities", self._stored(ActivityCount, lambda row: row.number), _counts(portal)),
        ]

    def _told(self, live: set[str]) -> dict[str, Any]:
        """The stored history of each live deal."""
        found: dict[str, Any] = {i: [] for i in live}
        table = core(DealHistory)
        with self.engine.connect() as connection:
            for row in connection.execute(select(table).where(table.c.connection == "crm")):
                if row.deal_external_id in live:
                    change = (row.field, row.old_value or "", row.new_value or "", stamp(row.changed_at))
                    found[row.deal_external_id].append(change)
        return {deal: sorted(changes) for deal, changes in found.items()}


def _day(text: str) -> Any:
    return datetime.fromisoformat(text).astimezone(ZONE).date()


def _money(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def _deal(record: Record) -> Any:
    own = record["properties"]
    return (own["dealname"], own["hubspot_owner_id"] or None, STAGES[own["dealstage"]][0], _money(own["amount"]),
            own["deal_currency_code"], _day(own["closedate"]))  # fmt: skip


def _share(deal: str, split: Record) -> Any:
    own = split["properties"]
    return deal, own["hubspot_owner_id"], int(Decimal(own["hs_deal_split_percentage"]) * 1_000_000)


def _quota(record: Record) -> Any:
    own = record["properties"]
    return own["hubspot_owner_id"], _day(own["hs_start_datetime"]), int(Decimal(own["hs_target_amount"]) * 100)


def _changes(portal: Portal, deal: Record) -> Iterator[tuple[str, str, str, str]]:
    """Every change of what is followed: what it was, what it became, and when."""
    for name, field in FOLLOWED.items():
        versions = [{"value": None, "timestamp": ""}, *reversed(portal.history(deal, name))]
        for before, after in pairwise(versions):
            if (before["value"] or None) != (after["value"] or None):
                told = (_word(name, before["value"]), _word(name, after["value"]))
                yield field, *told, after["timestamp"]


def _word(name: str, value: str | None) -> str:
    if not value:
        return ""
    return STAGES[value][0] if name == "dealstage" else (str(_day(value)) if name == "closedate" else value)


def _counts(portal: Portal) -> dict[str, int]:
    found: dict[str, int] = {}
    for kind, word in (("meetings", "meeting"), ("calls", "call")):
        for record in portal.ordered(kind, archived=False):
            own = record["properties"]
            key = f"{word}:{own['hubspot_owner_id']}:{_day(own['hs_timestamp']):%Y-%m}"
            found[key] = found.get(key, 0) + 1
    return found
