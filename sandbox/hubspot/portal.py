"""A HubSpot portal in memory: its records, its clock, and what becomes of a record that is changed, archived or merged."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sandbox.hubspot.pipelines import STAGES, set_stage

Record = dict[str, Any]
ZONE = ZoneInfo("America/New_York")
HOME, EURO = "USD", Decimal("1.12")  # the home currency, and what a euro is worth in it
KEPT = timedelta(days=90)
"""How long archived records stay in the recycling bin."""


def stamp(moment: datetime) -> str:
    """An instant as the service writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def closing(day: date, hour: int = 12) -> str:
    """A close date as an instant: some hour of that day in the portal's zone."""
    return stamp(datetime.combine(day, time(hour), ZONE))


def worth(own: Record) -> dict[str, str | None]:
    """A deal's amount in the home currency, and weighted by its probability; nothing without a readable amount."""
    try:
        home = Decimal(own["amount"] or "") * (1 if own["deal_currency_code"] == HOME else EURO)
    except (InvalidOperation, KeyError):
        return {"amount_in_home_currency": None, "hs_forecast_amount": None}
    weighted = home * Decimal(own["hs_deal_stage_probability"] or 0)
    return {"amount_in_home_currency": f"{home:.2f}", "hs_forecast_amount": f"{weighted:.2f}"}


@dataclass
class Portal:
    """A portal's records by kind and id, and its own clock.

    `lag` is the time after which its search index shows what was done. Archived deals are kept for ninety days, merged
    ones answer under their old ids as their survivor, and splits are kept beside their deal.
    """

    today: date
    rng: random.Random
    owners: dict[str, Record] = field(default_factory=dict)
    objects: dict[str, dict[str, Record]] = field(
        default_factory=lambda: {kind: {} for kind in ("deals", "goal_targets", "meetings", "calls")}
    )
    histories: dict[tuple[str, str], list[Record]] = field(default_factory=dict)  # deal and property to its versions
    splits: dict[str, list[Record]] = field(default_factory=dict)  # deal to its parts
    merged: dict[str, str] = field(default_factory=dict)  # id to the id of its survivor
    teams_above: dict[str, tuple[str, str]] = field(default_factory=dict)  # a team's id to the id and name above it
    schemas: list[Record] = field(default_factory=list)
    clock: datetime = field(default=datetime(2026, 1, 1, tzinfo=UTC))
    lag: timedelta = timedelta(0)
    numbers: int = 1000
    version: int = 0  # grows with every change, so that what was worked out can be kept until the next one
    _past: dict[tuple[str, str], list[tuple[datetime, Record | None]]] = field(default_factory=dict, repr=False)
    _ordered: dict[tuple[str, bool], tuple[int, list[Record]]] = field(default_factory=dict, repr=False)

    account: ClassVar[Record] = {"portalId": 4242, "accountType": "SANDBOX", "timeZone": "US/Eastern", "companyCurrency": HOME,
               "additionalCurrencies": ["EUR"], "utcOffset": "-05:00", "utcOffsetMilliseconds": -18_000_000,
               "uiDomain": "app.hubspot.com", "dataHostingLocation": "na1"}  # fmt: skip

    @property
    def deals(self) -> dict[str, Record]:
        """Every deal, archived ones too."""
        return self.objects["deals"]

    @property
    def goals(self) -> dict[str, Record]:
        """Every goal."""
        return self.objects["goal_targets"]

    @property
    def teams(self) -> list[Record]:
        """The teams that owners name, with the users in them."""
        found: dict[str, Record] = {}
        for owner in self.owners.values():
            for team in owner["teams"]:
                here = {"id": team["id"], "name": team["name"], "userIds": [], "secondaryUserIds": []}
                users = found.setdefault(team["id"], here)["userIds" if team["primary"] else "secondaryUserIds"]
                users += [str(owner["userId"])] if owner["userId"] else []
        return list(found.values())

    def next_id(self) -> str:
        """A new record id; there are gaps between them."""
        self.numbers += 3
        return str(self.numbers)

    def add(self, kind: str, made: str | None = None, **properties: str | None) -> Record:
        """A new record with its id and stamps."""
        number, now = self.next_id(), stamp(self.clock)
        made = made or now
        usual = {"hs_object_id": number, "hs_lastmodifieddate": now, "hs_createdate": made}
        record: Record = {"id": number, "properties": {**usual, **properties}, "createdAt": made, "updatedAt": now, "archived": False}  # fmt: skip
        if kind == "deals":
            own = record["properties"]
            del own["hs_createdate"]
            own |= {"createdate": made} | worth(own) | properties
        self._before(kind, number, None)
        self.objects[kind][number] = record
        return record

    def change(self, record: Record, **properties: str | None) -> None:
        """Change a record's properties, as its owner would; their histories tell of it."""
        kind, own = self.kind(record), record["properties"]
        self._before(kind, record["id"], record)
        stage = properties.get("dealstage")
        if stage in STAGES and "hs_is_closed" not in properties:
            properties = set_stage(str(stage)) | properties
        if kind == "deals":
            properties |= {n: v for n, v in worth({**own, **properties}).items() if n not in properties}
        for name, value in properties.items():
            if own.get(name) != value:
                versions = self.histories.setdefault((record["id"], name), self.history(record, name))
                versions.insert(0, self._version(own, value))
        own |= properties | {"hs_lastmodifieddate": stamp(self.clock)}
        record["updatedAt"] = stamp(self.clock)

    def _version(self, own: Record, value: str | None) -> Record:
        user = self.owners.get(own.get("hubspot_owner_id") or "", {}).get("userIdIncludingInactive")
        by = {"sourceId": f"userId:{user}", "updatedByUserId": user} if user else {}
        return {"value": value, "timestamp": stamp(self.clock), "sourceType": "CRM_UI", **by}

    def history(self, record: Record, name: str) -> list[Record]:
        """The versions of a property, newest first; the first one is from when the record was made."""
        kept = self.histories.get((record["id"], name))
        first = {"value": record["properties"].get(name), "timestamp": record["createdAt"], "sourceType": "CRM_UI"}
        return kept if kept is not None else [first]

    def archive(self, record: Record) -> None:
        """Move a record to the recycling bin."""
        self._before(self.kind(record), record["id"], record)
        record |= {"archived": True, "archivedAt": stamp(self.clock)}

    def restore(self, record: Record, silent: bool = False) -> None:
        """Out of the recycling bin; the stamp moves, unless this is done silently."""
        self._before(self.kind(record), record["id"], record)
        record["archived"] = False
        record.pop("archivedAt", None)
        if not silent:
            self.change(record)

    def forget(self, record: Record) -> None:
        """Delete a record for good, as privacy laws ask for: nothing tells that it ever was."""
        kind, number = self.kind(record), record["id"]
        self._before(kind, number, record)
        del self.objects[kind][number]
        self.splits.pop(number, None)

    def wait(self, time: timedelta) -> None:
        """Time passes; what was archived too long ago is gone."""
        self.clock += time
        for found in self.objects.values():
            for record in [r for r in found.values() if r["archived"]]:
                if record["archivedAt"] < stamp(self.clock - KEPT):
                    self.forget(record)

    def merge(self, survivor: Record, loser: Record, anew: bool = False) -> Record:
        """Merge one deal into another: the loser is gone from every list. What is left.

        With `anew` both are gone, and a new record has the survivor's values: so it is done since 2025.
        """
        gone = [loser["id"], *([survivor["id"]] if anew else [])]
        told = (survivor["properties"].get("hs_merged_object_ids"), loser["properties"].get("hs_merged_object_ids"))
        every = ";".join(dict.fromkeys(p for p in (*told, *gone) if p))
        left = survivor
        if anew:
            own = {**survivor["properties"], "hs_merged_object_ids": every}
            left = self.add("deals", survivor["createdAt"], **{k: v for k, v in own.items() if k not in STAMPS})
            for (deal, name), versions in list(self.histories.items()):
                if deal == survivor["id"]:
                    self.histories[left["id"], name] = list(versions)
            if survivor["id"] in self.splits:
                self.splits[left["id"]] = self.splits[survivor["id"]]
        else:
            self.change(survivor, hs_merged_object_ids=every)
        for number in gone:
            self.forget(self.deals[number])
            self.merged[number] = left["id"]
        return left

    def survivor(self, number: str) -> str:
        """The id under which a record is found now."""
        while number in self.merged:
            number = self.merged[number]
        return number

    def split(self, deal: Record, parts: Iterable[tuple[str, str]]) -> None:
        """Share a deal's credit among owners, in place of how it was shared before; with no parts it is whole again."""
        shares = [
            {"id": self.next_id(), "properties": {"hubspot_owner_id": owner, "hs_deal_split_percentage": share},
             "createdAt": stamp(self.clock), "updatedAt": stamp(self.clock), "archived": False}
            for owner, share in parts
        ]  # fmt: skip
        self.change(deal, hs_is_deal_split="true" if shares else "false")
        self.splits[deal["id"]] = shares

    def kind(self, record: Record) -> str:
        """The kind that a record is of."""
        return next(kind for kind, found in self.objects.items() if found.get(record["id"]) is record)

    def ordered(self, kind: str, archived: bool) -> list[Record]:
        """Records in the order of their ids; worked out again only after a change."""
        at, found = self._ordered.get((kind, archived), (-1, []))
        if at != self.version:
            at, every = self.version, self.objects[kind].values()
            found = sorted((r for r in every if r["archived"] is archived), key=lambda r: int(r["id"]))
            self._ordered[kind, archived] = at, found
        return found

    def indexed(self, kind: str) -> list[Record]:
        """What searches see: live records in the order of their ids, as they were `lag` ago."""
        if not self.lag:
            return self.ordered(kind, archived=False)
        now = self.objects[kind]
        names = {*now, *(name for of, name in self._past if of == kind)}
        seen = [self._as_of(self.clock - self.lag, kind, name, now.get(name)) for name in names]
        return sorted((r for r in seen if r is not None and not r["archived"]), key=lambda r: int(r["id"]))

    def _as_of(self, moment: datetime, kind: str, name: str, now: Record | None) -> Record | None:
        return next((was for ended, was in self._past.get((kind, name), []) if ended > moment), now)

    def _before(self, kind: str, number: str, record: Record | None) -> None:
        """Something is about to change: an index that lags shows how it was until now."""
        self.version += 1
        if self.lag:
            was = None if record is None else {**record, "properties": dict(record["properties"])}
            self._past.setdefault((kind, number), []).append((self.clock, was))


STAMPS = {"hs_object_id", "hs_lastmodifieddate", "createdate", "hs_createdate"}
"""Properties that the service itself gives a record."""
