"""The pretend company's HubSpot portal: owners, deals, goals, told as the stories that a sync has to get right."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.cast import CAST, Member

Record = dict[str, Any]
ZONE = ZoneInfo("America/New_York")
CUSTOMERS = (
    "Make-Believe Motors",
    "Pretend Plumbing",
    "Sample Stationery",
    "Fictitious Foods",
    "Imaginary Inns",
    "Mock Marine",
)
WANTED = ("roll-out", "renewal", "trial", "add-on", "training", "support plan")
STAGES = {
    "appointment": ("Appointment", False, "0.2", "default"),
    "decisionmaker": ("Decision maker in", False, "0.5", "default"),
    "contractsent": ("Contract sent", False, "0.8", "default"),
    "closedwon": ("Closed won", True, "1.0", "default"),
    "closedlost": ("Closed lost", True, "0.0", "default"),
    "70010001": ("Renewal due", False, "0.6", "70010000"),
    "70010002": ("Renewed", True, "1.0", "70010000"),
    "70010003": ("Lapsed", True, "0.0", "70010000"),
}
OPEN, WON, LOST = (
    ("appointment", "decisionmaker", "contractsent", "70010001"),
    ("closedwon", "70010002"),
    ("closedlost", "70010003"),
)


def stamp(moment: datetime) -> str:
    """An instant as the service writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


@dataclass
class Portal:
    """A portal's records by id, and its own clock."""

    today: date
    rng: random.Random
    owners: dict[str, Record] = field(default_factory=dict)
    deals: dict[str, Record] = field(default_factory=dict)
    goals: dict[str, Record] = field(default_factory=dict)
    clock: datetime = field(default=datetime(2026, 1, 1, tzinfo=UTC))
    numbers: int = 1000
    version: int = 0  # grows with every change, so that a server may keep what it worked out

    account = {"portalId": 4242, "timeZone": "US/Eastern", "companyCurrency": "USD", "additionalCurrencies": ["EUR"]}  # noqa: RUF012

    def now(self) -> datetime:
        """The portal's own time."""
        return self.clock

    @property
    def stages(self) -> dict[str, dict[str, Any]]:
        """Stage id to its metadata."""
        return {
            s: {"isClosed": closed, "probability": p, "label": label} for s, (label, closed, p, _) in STAGES.items()
        }

    @property
    def pipelines(self) -> list[Record]:
        """The deal pipelines as the API gives them; metadata values are strings."""
        names = {"default": "Sales pipeline", "70010000": "Renewals"}
        found = []
        for order, (key, label) in enumerate(names.items()):
            stages = [
                {"id": s, "label": name, "displayOrder": n, "archived": False,
                 "metadata": {"isClosed": str(closed).lower(), "probability": p}}
                for n, (s, (name, closed, p, pipeline)) in enumerate(STAGES.items()) if pipeline == key
            ]  # fmt: skip
            found.append({"id": key, "label": label, "displayOrder": order, "stages": stages, "archived": False})
        return found

    def next_id(self) -> str:
        """A new record id."""
        self.numbers += 1
        return str(self.numbers)

    def change(self, deal: Record, **properties: str | None) -> None:
        """Change a deal's properties, as a person would."""
        deal["properties"] |= properties | {"hs_lastmodifieddate": stamp(self.clock)}
        deal["updatedAt"] = stamp(self.clock)
        self.version += 1

    def archive(self, deal: Record) -> None:
        """Move a deal to the recycling bin."""
        deal |= {"archived": True, "archivedAt": stamp(self.clock)}
        self.version += 1

    def advance(self, seed: int, day: int) -> None:
        """One day's work: deals won, pushed, changed, handed over, archived, merged, and a new one."""
        rng = random.Random(f"{seed}-hubspot-{day}")
        self.today += timedelta(days=1)
        self.clock += timedelta(days=1)
        live = [d for d in self.deals.values() if not d["archived"] and d["properties"]["dealstage"] in OPEN]
        picks = rng.sample(live, min(7, len(live)))
        for deal, what in zip(
            picks, ("won", "pushed", "dearer", "handed over", "archived", "merged", "won"), strict=False
        ):
            if what == "won":
                self.change(deal, **set_stage("closedwon"), closedate=closing(self.today))
            elif what == "pushed":
                self.change(deal, closedate=closing(self.today + timedelta(days=35)))
            elif what == "dearer":
                amount = Decimal(deal["properties"]["amount"] or "1000") + Decimal("99.95")
                self.change(deal, amount=str(amount))
            elif what == "handed over":
                owners = [o for o in self.owners.values() if not o["archived"] and o["type"] == "PERSON"]
                self.change(deal, hubspot_owner_id=rng.choice(owners)["id"])
            elif what == "archived":
                self.archive(deal)
            else:
                self.merge(live[0] if live[0] is not deal else live[1], deal)
        make_deal(self, rng, picks[0]["properties"]["hubspot_owner_id"], "appointment", self.today + timedelta(days=25))

    def merge(self, survivor: Record, loser: Record) -> None:
        """Merge one deal into another: the loser is gone from every list."""
        before = survivor["properties"].get("hs_merged_object_ids")
        self.change(survivor, hs_merged_object_ids=";".join(p for p in (before, loser["id"]) if p))
        del self.deals[loser["id"]]


def set_stage(stage: str) -> dict[str, str]:
    """The properties that follow from a stage."""
    _, closed, probability, pipeline = STAGES[stage]
    won = closed and probability == "1.0"
    return {"dealstage": stage, "pipeline": pipeline, "hs_is_closed": str(closed).lower(), "hs_is_closed_won": str(won).lower(),
            "hs_is_closed_lost": str(closed and not won).lower(), "hs_deal_stage_probability": probability,
            "hs_manual_forecast_category": "CLOSED" if won else ("OMIT" if closed else "PIPELINE")}  # fmt: skip


def closing(day: date, hour: int = 12) -> str:
    """A close date as an instant: some hour of that day in the portal's zone."""
    return stamp(datetime.combine(day, time(hour), ZONE))


def make_deal(
    portal: Portal, rng: random.Random, owner: str | None, stage: str, close: date, **more: str | None
) -> Record:
    """A new deal of this owner."""
    number = portal.next_id()
    # Late in the evening in New York it is the next day in UTC, and at a quarter's end the next quarter.
    hour = rng.choice((9, 12, 17, 21, 23))
    made = stamp(datetime.combine(close - timedelta(days=rng.randrange(15, 120)), time(10), ZONE))
    properties: dict[str, str | None] = {
        "amount": str(Decimal(rng.randrange(90_000, 1_800_000)).scaleb(-2)), "deal_currency_code": rng.choice(("USD", "USD", "EUR")),
        "dealname": f"{rng.choice(CUSTOMERS)} {rng.choice(WANTED)}", "dealtype": "newbusiness", "closedate": closing(close, hour),
        "createdate": made, "hs_lastmodifieddate": stamp(portal.clock), "hs_object_id": number, "hubspot_owner_id": owner,
        "hs_next_step": None, "hs_merged_object_ids": None, "closed_lost_reason": None, **set_stage(stage),
    }  # fmt: skip
    record: Record = {
        "id": number,
        "properties": properties | more,
        "createdAt": made,
        "updatedAt": stamp(portal.clock),
        "archived": False,
    }
    portal.deals[number] = record
    portal.version += 1
    return record


def generate(seed: int, today: date, deals: int | None = None, reps: int | None = None) -> Portal:
    """The portal as it stands on a day: the cast's own, or `deals` deals over `reps` numbered owners."""
    portal = Portal(today, random.Random(f"{seed}-hubspot"))
    portal.clock = datetime.combine(today, time(1), UTC) - timedelta(days=30)
    if deals is None:
        owners = _owners(portal, [m for m in CAST if "hubspot" in m.crms])
        _stories(portal, owners)
    else:
        crowd = [Member(f"rep{n:04}.sample", f"Rep {n:04} Sample", "", "sales", "", None) for n in range(reps or 50)]
        _bulk(portal, list(_owners(portal, crowd).values()), deals)
    portal.clock = datetime.combine(today, time(1), UTC)
    return portal


def _owners(portal: Portal, members: list[Member]) -> dict[str, str]:
    found = {}
    for member in members:
        if member.rehired_days_ago is not None:  # their first stay: an archived owner with the same e-mail
            _owner(portal, member.name, member.email, archived=True)
        found[member.key] = _owner(portal, member.name, member.email, archived=False)
    _owner(portal, "South Queue", "", archived=False, kind="QUEUE")
    found["stranger"] = _owner(portal, "Nobody Known", "nobody.known@elsewhere.example", archived=False)
    return found


def _owner(portal: Portal, name: str, email: str, archived: bool, kind: str = "PERSON") -> str:
    number, user = portal.next_id(), int(portal.next_id())
    first, _, last = name.partition(" ")
    portal.owners[number] = {
        "id": number, "email": email or None, "firstName": first, "lastName": last, "type": kind, "archived": archived,
        "userId": None if archived else user, "userIdIncludingInactive": user, "createdAt": stamp(portal.clock),
        "updatedAt": stamp(portal.clock), "teams": [{"id": "11", "name": "South", "primary": True}],
    }  # fmt: skip
    return number


def _quarter(day: date, back: int) -> date:
    month = day.year * 12 + (day.month - 1) // 3 * 3 - 3 * back
    return date(month // 12, month % 12 + 1, 1)


def _stories(portal: Portal, owners: dict[str, str]) -> None:
    rng, today = portal.rng, portal.today
    sellers = [k for k in owners if k not in ("stranger", "dana.director", "lin.lead", "ben.example")]
    for key in sellers:
        count = 2 if key == "ana.sample" else 6
        for back in range(6):
            for _ in range(rng.randint(max(1, count - 2), count)):
                close = _quarter(today, back) + timedelta(days=rng.randrange(0, 91))
                if close > today:
                    continue
                portal.clock = datetime.combine(
                    today - timedelta(days=rng.randrange(20, 300)), time(9, rng.randrange(60)), UTC
                )
                make_deal(portal, rng, owners[key], rng.choice(WON if rng.random() < 0.55 else LOST), close)
        for _ in range(count):
            portal.clock = datetime.combine(
                today - timedelta(days=rng.randrange(1, 20)), time(14, rng.randrange(60)), UTC
            )
            make_deal(portal, rng, owners[key], rng.choice(OPEN), today + timedelta(days=rng.randrange(-6, 100)))
    _oddities(portal, owners)
    _goals(portal, owners, sellers)


def _oddities(portal: Portal, owners: dict[str, str]) -> None:
    """Ties, unowned, unmatched, amount-less, archived, merged; and two deals that cannot be taken over."""
    rng, today = portal.rng, portal.today
    close = _quarter(today, 0) + timedelta(days=12)
    finn, archived = owners["finn.dummy"], next(o["id"] for o in portal.owners.values() if o["archived"])
    for owner, more in (
        (None, {"amount": "3100.00"}), ("", {"amount": "450.75"}), (owners["stranger"], {"amount": "5200.10"}),
        (finn, {"amount": ""}), (archived, {"amount": "2500.00"}), (finn, {"amount": "1234;5678"}),
        (finn, {"amount": "880.40", "dealstage": "99999999"}),
    ):  # fmt: skip
        make_deal(portal, rng, owner, "closedwon", close, deal_currency_code="USD", **more)
    make_deal(portal, rng, finn, "appointment", today + timedelta(days=10), amount=None)
    make_deal(
        portal,
        rng,
        finn,
        "closedwon",
        _quarter(today, 0) - timedelta(days=1),
        closedate=closing(_quarter(today, 0) - timedelta(days=1), 23),
    )
    records = list(portal.deals.values())
    tie = stamp(datetime.combine(today - timedelta(days=9), time(23), UTC))
    for record in records[:60]:
        record["properties"]["hs_lastmodifieddate"] = record["updatedAt"] = tie
    for record in rng.sample(records[60:100], 5):
        portal.archive(record)
    live = [r for r in records[20:60] if not r["archived"]]
    portal.merge(live[0], live[1])


def _goals(portal: Portal, owners: dict[str, str], sellers: list[str]) -> None:
    """Monthly quotas for most, quarterly ones for Gus; a team's goal and a goal of meetings that are no person's quota."""
    now = _quarter(portal.today, 0)
    for key in sellers:
        if key == "ana.sample":
            continue  # her quota is in Salesforce
        quarterly = key == "gus.template"
        for n in range(9 if quarterly else 27):
            months = now.year * 12 + now.month - 1 - 24 + n * (3 if quarterly else 1)
            first = date(months // 12, months % 12 + 1, 1)
            months += 3 if quarterly else 1
            last = date(months // 12, months % 12 + 1, 1) - timedelta(days=1)
            _goal(
                portal,
                first,
                last,
                "27000" if quarterly else "9000.00",
                "quarterly" if quarterly else "monthly",
                owner=owners[key],
            )
    _goal(portal, now, now + timedelta(days=88), "90000", "quarterly", team="11")
    _goal(portal, now, now + timedelta(days=88), "40", "quarterly", owner=owners["finn.dummy"], kpi="hs_meetings")


def _goal(
    portal: Portal,
    first: date,
    last: date,
    amount: str,
    milestone: str,
    owner: str | None = None,
    team: str | None = None,
    kpi: str = "amount_in_home_currency",
) -> None:
    number = portal.next_id()
    meetings = kpi != "amount_in_home_currency"
    properties = {
        "hs_goal_name": f"{'Meetings' if meetings else 'Sales quota'} {first:%b %Y}", "hs_target_amount": amount,
        "hs_start_datetime": stamp(datetime.combine(first, time(0), ZONE)), "hs_end_datetime": stamp(datetime.combine(last, time(23, 59), ZONE)),
        "hs_milestone": milestone, "hs_goal_type": "meetings" if meetings else "sales_quota", "hs_goal_target_currency_code": "USD",
        "hs_kpi_property_name": kpi, "hs_kpi_object_type_id": "0-47" if meetings else "0-3", "hubspot_owner_id": owner,
        "hs_assignee_team_id": team, "hs_object_id": number, "hs_lastmodifieddate": stamp(portal.clock), "hs_createdate": stamp(portal.clock),
    }  # fmt: skip
    portal.goals[number] = {
        "id": number,
        "properties": properties,
        "createdAt": stamp(portal.clock),
        "updatedAt": stamp(portal.clock),
        "archived": False,
    }


def _bulk(portal: Portal, owners: list[str], deals: int) -> None:
    rng, first = portal.rng, portal.today - timedelta(days=900)
    begin = datetime.combine(first, time(8), UTC)
    for number in range(deals):
        portal.clock = begin + timedelta(seconds=int(number / deals * 860 * 86400))
        close = first + timedelta(days=rng.randrange(0, 1000))
        stage = rng.choice((*WON, *LOST)) if close <= portal.today else rng.choice(OPEN)
        make_deal(portal, rng, owners[rng.randrange(len(owners))], stage, close)
