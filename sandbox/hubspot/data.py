"""The pretend company's HubSpot portal: owners, deals, goals, activities, told as the stories that a sync has to get right."""

import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sandbox.cast import CAST, Member
from sandbox.hubspot.pipelines import LOST, OPEN, WON, set_stage
from sandbox.hubspot.portal import ZONE, Portal, Record, closing, stamp

CUSTOMERS = (
    "Make-Believe Motors",
    "Pretend Plumbing",
    "Sample Stationery",
    "Fictitious Foods",
    "Imaginary Inns",
    "Mock Marine",
)
WANTED = ("roll-out", "renewal", "trial", "add-on", "training", "support plan")


def advance(portal: Portal, seed: int, day: int) -> None:
    """One day's work: deals won, pushed, changed, handed over, archived, merged, and a new one."""
    rng = random.Random(f"{seed}-hubspot-{day}")
    portal.today += timedelta(days=1)
    portal.wait(timedelta(days=1))
    live = [d for d in portal.deals.values() if not d["archived"] and d["properties"]["dealstage"] in OPEN]
    picks = rng.sample(live, min(7, len(live)))
    for deal, what in zip(picks, ("won", "pushed", "dearer", "handed over", "archived", "merged", "won"), strict=False):
        if what == "won":
            portal.change(deal, **set_stage("closedwon"), closedate=closing(portal.today))
        elif what == "pushed":
            portal.change(deal, closedate=closing(portal.today + timedelta(days=35)))
        elif what == "dearer":
            amount = Decimal(deal["properties"]["amount"] or "1000") + Decimal("99.95")
            portal.change(deal, amount=str(amount))
        elif what == "handed over":
            owners = [o for o in portal.owners.values() if not o["archived"] and o["type"] == "PERSON"]
            portal.change(deal, hubspot_owner_id=rng.choice(owners)["id"])
        elif what == "archived":
            portal.archive(deal)
        else:
            portal.merge(live[0] if live[0] is not deal else live[1], deal)
    owner = picks[0]["properties"]["hubspot_owner_id"]
    make_deal(portal, rng, owner, "appointment", portal.today + timedelta(days=25))
    meet(portal, rng, owner, portal.clock + timedelta(hours=9))


def meet(portal: Portal, rng: random.Random, owner: str | None, at: datetime) -> None:
    """A meeting or a call of this owner."""
    kind, title = rng.choice((("meetings", "hs_meeting_title"), ("calls", "hs_call_title")))
    portal.add(kind, hubspot_owner_id=owner, hs_timestamp=stamp(at), **{title: f"About {rng.choice(CUSTOMERS)}"})


def make_deal(
    portal: Portal, rng: random.Random, owner: str | None, stage: str, close: date, **more: str | None
) -> Record:
    """A new deal of this owner."""
    # Late in the evening in New York it is the next day in UTC, and at a quarter's end the next quarter.
    hour = rng.choice((9, 12, 17, 21, 23))
    made = stamp(datetime.combine(close - timedelta(days=rng.randrange(15, 120)), time(10), ZONE))
    made = min(made, stamp(portal.clock))
    properties: dict[str, str | None] = {
        "amount": str(Decimal(rng.randrange(90_000, 1_800_000)).scaleb(-2)), "deal_currency_code": rng.choice(("USD", "USD", "EUR")),
        "dealname": f"{rng.choice(CUSTOMERS)} {rng.choice(WANTED)}", "dealtype": "newbusiness", "closedate": closing(close, hour),
        "createdate": made, "hubspot_owner_id": owner, "hs_next_step": None, "hs_merged_object_ids": None,
        "closed_lost_reason": None, "hs_is_deal_split": "false", **set_stage(stage),
    }  # fmt: skip
    return portal.add("deals", made, **properties | more)


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
    _work(portal, owners, sellers)


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


def _work(portal: Portal, owners: dict[str, str], sellers: list[str]) -> None:
    """Credit that is shared, deals on their way through the stages, and meetings and calls of the last months."""
    rng, today = random.Random("work"), portal.today
    finn, gus, ivo = (owners[k] for k in ("finn.dummy", "gus.template", "ivo.draft"))
    live = [d for d in portal.deals.values() if not d["archived"]]
    won = [d for d in live if d["properties"]["hubspot_owner_id"] == finn and _fine(d)]
    portal.clock = datetime.combine(today, time(1), UTC) - timedelta(days=8)
    for deal, parts in zip(
        won[-3:], (((finn, "0.6"), (gus, "0.4")), ((finn, "0.5"), (gus, "0.25"), (ivo, "0.25")), ((ivo, "1.0"),)), strict=True
    ):  # fmt: skip
        portal.split(deal, parts)
    on_their_way = [d for d in live if d["properties"]["dealstage"] in ("decisionmaker", "contractsent")]
    for days, deal in enumerate(on_their_way, 1):
        portal.clock = datetime.combine(today, time(1), UTC) - timedelta(days=7, hours=-days)
        if deal["createdAt"] >= stamp(portal.clock):
            continue
        stage, close = deal["properties"]["dealstage"], deal["properties"]["closedate"]
        earlier = datetime.fromisoformat(close) - timedelta(days=30)
        portal.histories[deal["id"], "dealstage"] = _told(deal, portal.clock, ("appointment", stage))
        portal.histories[deal["id"], "closedate"] = _told(deal, portal.clock, (stamp(earlier), close))
    for key in sellers:
        for _ in range(rng.randrange(15, 30)):
            day = today - timedelta(days=rng.randrange(1, 120))
            meet(portal, rng, owners[key], datetime.combine(day, time(rng.randrange(9, 18)), ZONE))


def _fine(deal: Record) -> bool:
    own = deal["properties"]
    return own["dealstage"] in WON and str(own["amount"]).replace(".", "").isdecimal()


def _told(deal: Record, at: datetime, values: tuple[str, str]) -> list[Record]:
    """Two versions of a property: as the deal was made, and since a moment."""
    times = (deal["createdAt"], stamp(at))
    return [{"value": v, "timestamp": t, "sourceType": "CRM_UI"} for v, t in zip(values, times, strict=True)][::-1]


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
    meetings = kpi != "amount_in_home_currency"
    portal.add(
        "goal_targets", hs_goal_name=f"{'Meetings' if meetings else 'Sales quota'} {first:%b %Y}", hs_target_amount=amount,
        hs_start_datetime=stamp(datetime.combine(first, time(0), ZONE)), hs_end_datetime=stamp(datetime.combine(last, time(23, 59), ZONE)),
        hs_milestone=milestone, hs_goal_type="meetings" if meetings else "sales_quota", hs_goal_target_currency_code="USD",
        hs_kpi_property_name=kpi, hs_kpi_object_type_id="0-47" if meetings else "0-3", hubspot_owner_id=owner,
        hs_assignee_team_id=team,
    )  # fmt: skip


def _bulk(portal: Portal, owners: list[str], deals: int) -> None:
    rng, first = portal.rng, portal.today - timedelta(days=900)
    begin = datetime.combine(first, time(8), UTC)
    for number in range(deals):
        portal.clock = begin + timedelta(seconds=int(number / deals * 860 * 86400))
        close = first + timedelta(days=rng.randrange(0, 1000))
        stage = rng.choice((*WON, *LOST)) if close <= portal.today else rng.choice(OPEN)
        make_deal(portal, rng, owners[rng.randrange(len(owners))], stage, close)
