"""The pretend company's Salesforce org: its records, told as the stories that a sync has to get right."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sandbox.cast import CAST, Member
from sandbox.salesforce import settings
from sandbox.salesforce.org import Record, SalesforceOrg, make_id

CUSTOMERS = ("Pretend Harbour", "Sample Orchards", "Placeholder Print", "Mock Mills", "Dummy Dairies", "Example Lines",
             "Specimen Glass", "Draft Breweries", "Template Tiles", "Fictional Ferries", "Invented Ironworks")  # fmt: skip
WANTED = ("renewal", "extension", "first order", "pilot", "service contract", "spare parts", "second site")
STAGES = (
    ("Prospecting", False, False, 10, "Pipeline"),
    ("Qualification", False, False, 25, "Pipeline"),
    ("Proposal", False, False, 50, "BestCase"),
    ("Negotiation", False, False, 75, "Forecast"),
    ("Closed Won", True, True, 100, "Closed"),
    ("Closed Lost", True, False, 0, "Omitted"),
)


def _stage(index: int) -> Record:
    name, closed, won, probability, category = STAGES[index]
    shown = {"Forecast": "Commit", "BestCase": "Best Case"}.get(category, category)
    return {"StageName": name, "IsClosed": closed, "IsWon": won, "Probability": Decimal(probability),
            "ForecastCategory": category, "ForecastCategoryName": shown}  # fmt: skip


def _opportunity(
    org: SalesforceOrg,
    rng: random.Random,
    owner: str,
    stage: int,
    close: date,
    currency: str,
    created: date,
    **more: Any,
) -> Record:
    amount = Decimal(rng.randrange(180_000, 2_600_000)).scaleb(-2)
    customer = rng.choice(CUSTOMERS)
    fields = {
        "Name": f"{customer} {rng.choice(WANTED)}", "AccountId": f"001{customer[:3]}", "OwnerId": owner, "Amount": amount,
        "CurrencyIsoCode": currency, **_stage(stage), "CloseDate": close, "IsDeleted": False, "Type": "New Business",
        "CreatedDate": datetime.combine(created, time(9), UTC), "PushCount": 0, "NextStep": None,
        "LastStageChangeDate": None, "RecordTypeId": None, **settings.own_fields(org, amount),
    }  # fmt: skip
    if "Amount" in more:
        more |= settings.own_fields(org, more["Amount"])
    return org.add("Opportunity", **(fields | more))


def advance(org: SalesforceOrg, seed: int, day: int) -> None:
    """One day's work: deals won, pushed, changed, handed over, one deleted, one new."""
    rng = random.Random(f"{seed}-salesforce-{day}")
    org.today += timedelta(days=1)
    org.clock += timedelta(days=1)
    live = [d for d in org.deals if not d["IsDeleted"] and not d["IsClosed"]]
    picks = rng.sample(live, min(6, len(live)))
    for deal, what in zip(picks, ("won", "pushed", "dearer", "handed over", "deleted", "won"), strict=False):
        if what == "won":
            org.change(deal, **_stage(4), CloseDate=org.today)
        elif what == "pushed":
            org.change(deal, CloseDate=deal["CloseDate"] + timedelta(days=30), PushCount=deal["PushCount"] + 1)
        elif what == "dearer":
            org.change(deal, Amount=(deal["Amount"] or Decimal(1000)) + Decimal("250.50"))
        elif what == "handed over":
            owners = [u for u in org.objects["User"].values() if u["IsActive"] and u["UserType"] == "Standard"]
            org.change(deal, OwnerId=rng.choice(owners)["Id"])
        else:
            org.delete(deal)
    owner = rng.choice([d["OwnerId"] for d in live])
    _opportunity(org, rng, owner, 0, org.today + timedelta(days=20), "EUR", org.today)


def quarter_start(day: date, back: int = 0) -> date:
    """The first day of the calendar quarter that lies `back` quarters before that of a day."""
    month = day.year * 12 + (day.month - 1) // 3 * 3 - 3 * back
    return date(month // 12, month % 12 + 1, 1)


def generate(seed: int, today: date, deals: int | None = None, reps: int | None = None) -> SalesforceOrg:
    """The org as it stands on a day: the cast's own, or `deals` opportunities over `reps` numbered reps."""
    org = SalesforceOrg(today, random.Random(f"{seed}-salesforce"))
    org.clock = datetime.combine(today, time(1), UTC) - timedelta(days=40)
    members = [m for m in CAST if "salesforce" in m.crms] if deals is None else _crowd(reps or 50)
    settings.first(org)
    _settings(org)
    users = _users(org, members)
    if deals is None:
        _stories(org, users)
    else:
        _bulk(org, list(users.values()), deals)
    _quotas(org, users)
    settings.add(org, whole=deals is None)
    org.clock = datetime.combine(today, time(1), UTC)
    org.forget_deletions()
    return org


def _crowd(reps: int) -> list[Member]:
    return [
        Member(f"rep{n:04}.sample", f"Rep {n:04} Sample", "Account executive", "sales", f"Team {n // 8}", None)
        for n in range(reps)
    ]


def _settings(org: SalesforceOrg) -> None:
    org.add("Organization", Name="Pretend Trading", DefaultCurrencyIsoCode="EUR", TimeZoneSidKey="Europe/London",
            FiscalYearStartMonth=1, IsSandbox=True)  # fmt: skip
    for position, (name, closed, won, probability, category) in enumerate(STAGES):
        org.add("OpportunityStage", MasterLabel=name, ApiName=name, IsActive=True, SortOrder=position + 1, IsClosed=closed,
                IsWon=won, ForecastCategory=category, DefaultProbability=Decimal(probability))  # fmt: skip
    org.add("CurrencyType", IsoCode="EUR", ConversionRate=Decimal(1), IsActive=True, IsCorporate=True, DecimalPlaces=2)
    org.add(
        "CurrencyType", IsoCode="USD", ConversionRate=Decimal("1.12"), IsActive=True, IsCorporate=False, DecimalPlaces=2
    )
    steps = ((900, "1.08"), (300, "1.10"), (50, "1.12"))
    for index, (days, rate) in enumerate(steps):
        until = org.today - timedelta(days=steps[index + 1][0]) if index < 2 else date(9999, 12, 31)
        start = date(1900, 1, 1) if index == 0 else org.today - timedelta(days=days)
        org.add(
            "DatedConversionRate", IsoCode="USD", StartDate=start, NextStartDate=until, ConversionRate=Decimal(rate)
        )


def _users(org: SalesforceOrg, members: Sequence[Member]) -> dict[str, Record]:
    users: dict[str, Record] = {}
    for member in members:
        shout = member.key == "mo.manager"
        email = member.email.upper() if shout else member.email
        number = member.employee_id if member.has_employee_id and member in CAST else None
        boss = users[member.manager]["Id"] if member.manager in users else None
        users[member.key] = _user(
            org, member.name, email, member.left_days_ago is None, boss, number, member.title, "Standard"
        )
    _user(org, "Integration User", "integration@example.com", True, None, None, "", "AutomatedProcess")
    return users


def _user(
    org: SalesforceOrg, name: str, email: str, active: bool, boss: str | None, number: str | None, title: str, kind: str
) -> Record:
    return org.add("User", Name=name, Email=email, Username=f"{email.lower()}.pretend", IsActive=active, ManagerId=boss,
                   UserType=kind, EmployeeNumber=number, FederationIdentifier=None, Title=title, Department="Sales",
                   CreatedDate=org.clock, TimeZoneSidKey="Europe/London", DefaultCurrencyIsoCode="EUR",
                   CurrencyIsoCode="EUR", UserRoleId=None)  # fmt: skip


def _stories(org: SalesforceOrg, users: dict[str, Record]) -> None:
    rng, today = org.rng, org.today
    sellers = [k for k in users if k not in ("dana.director", "mo.manager")]
    hired = {m.key: m.hired(today) for m in CAST}
    left = {m.key: m.left(today) for m in CAST}
    for key in sellers:
        for back in range(6):
            for _ in range(rng.randint(5, 8)):
                close = quarter_start(today, back) + timedelta(days=rng.randrange(0, 90))
                if close <= hired[key] or close > min(today, left[key] or today):
                    continue
                good = 0.75 if key == "ana.sample" else 0.5
                stage = 4 if rng.random() < good else 5
                org.clock = datetime.combine(
                    today - timedelta(days=rng.randrange(30, 400)), time(10, rng.randrange(60)), UTC
                )
                created = close - timedelta(days=rng.randrange(20, 150))
                _opportunity(org, rng, users[key]["Id"], stage, close, rng.choice(["EUR", "EUR", "USD"]), created)
        for _ in range(rng.randint(6, 9)):
            org.clock = datetime.combine(today - timedelta(days=rng.randrange(1, 25)), time(15, rng.randrange(60)), UTC)
            close = today + timedelta(days=rng.randrange(-9, 110))
            created = today - timedelta(days=rng.randrange(5, 100))
            _opportunity(
                org, rng, users[key]["Id"], rng.randrange(4), close, rng.choice(["EUR", "EUR", "USD"]), created
            )
    _oddities(org, users)


def _oddities(org: SalesforceOrg, users: dict[str, Record]) -> None:
    """Ties, splits, amount-less, deleted, unmatched, unseen owner, and a win that is dated in the future."""
    rng, today = org.rng, org.today
    tie = datetime.combine(today - timedelta(days=12), time(18), UTC)
    for record in org.deals[:40]:
        record |= {"SystemModstamp": tie, "LastModifiedDate": tie}
    org.clock = tie + timedelta(days=1)
    ana, ben, cleo = (users[k]["Id"] for k in ("ana.sample", "ben.example", "cleo.placeholder"))
    robot = next(u["Id"] for u in org.objects["User"].values() if u["UserType"] != "Standard")
    this_quarter = quarter_start(today) + timedelta(days=9)
    for owner, stage, amount in (
        (ana, 4, None),
        (ben, 1, None),
        (robot, 4, Decimal("7400.25")),
        (make_id("User", 90000), 4, Decimal("1999.99")),
    ):
        _opportunity(org, rng, owner, stage, this_quarter, "EUR", this_quarter - timedelta(days=40), Amount=amount)
    _opportunity(
        org, rng, cleo, 4, today + timedelta(days=6), "EUR", today - timedelta(days=30), Name="Mock Mills signed early"
    )
    for record in rng.sample(org.deals, 8):
        record["IsDeleted"] = True
    revenue = org.add(
        "OpportunitySplitType", MasterLabel="Revenue", DeveloperName="Revenue", IsTotalValidated=True, IsActive=True
    )
    overlay = org.add(
        "OpportunitySplitType", MasterLabel="Overlay", DeveloperName="Overlay", IsTotalValidated=False, IsActive=True
    )
    shared = [d for d in org.deals if d["OwnerId"] == ana and d["IsWon"] and d["Amount"] and not d["IsDeleted"]][-4:]
    for deal, parts in zip(
        shared,
        (
            ((ana, "60"), (ben, "40")),
            ((ana, "33.33"), (ben, "33.33"), (cleo, "33.34")),
            ((ana, "70"), (ben, "20")),
            ((ana, "100"),),
        ),
        strict=False,
    ):
        for owner, percent in parts:
            _split(org, deal, owner, revenue["Id"], Decimal(percent))
    _split(org, shared[0], users["mo.manager"]["Id"], overlay["Id"], Decimal(100))


def _split(org: SalesforceOrg, deal: Record, owner: str, kind: str, percent: Decimal) -> None:
    org.add("OpportunitySplit", OpportunityId=deal["Id"], SplitOwnerId=owner, SplitTypeId=kind, SplitPercentage=percent,
            SplitAmount=(deal["Amount"] * percent / 100).quantize(Decimal("0.01")), IsDeleted=False,
            CurrencyIsoCode=deal["CurrencyIsoCode"])  # fmt: skip


def _bulk(org: SalesforceOrg, users: list[Record], deals: int) -> None:
    rng, first = org.rng, org.today - timedelta(days=900)
    begin = datetime.combine(first, time(8), UTC)
    for number in range(deals):
        org.clock = begin + timedelta(seconds=int(number / deals * 860 * 86400))
        close = first + timedelta(days=rng.randrange(0, 1000))
        stage = rng.choice((4, 5)) if close <= org.today else rng.randrange(4)
        owner = users[rng.randrange(len(users))]["Id"]
        _opportunity(org, rng, owner, stage, close, rng.choice(("EUR", "USD")), close - timedelta(days=60))


def _quotas(org: SalesforceOrg, users: dict[str, Record]) -> None:
    """Monthly quotas in euros; a second type counts pieces and must not be added; Cleo has none, Ben's is 0 now."""
    money = org.add(
        "ForecastingType",
        DeveloperName="OpportunityRevenue",
        MasterLabel="Revenue",
        IsActive=True,
        IsAmount=True,
        IsQuantity=False,
    )
    pieces = org.add(
        "ForecastingType",
        DeveloperName="OpportunityQuantity",
        MasterLabel="Quantity",
        IsActive=True,
        IsAmount=False,
        IsQuantity=True,
    )
    now = quarter_start(org.today)
    for key, user in users.items():
        if key in ("cleo.placeholder", "dana.director", "mo.manager"):
            continue
        for month in _months(quarter_start(org.today, 8), 27):
            amount = Decimal(12000 if key != "dev.specimen" else 7000)
            if key == "ben.example" and quarter_start(month) == now:
                amount = Decimal(0)
            if key == "eve.pretend" and month > now:
                continue
            if key == "ana.sample" and month >= (now + timedelta(days=31)).replace(day=1):
                amount = Decimal(13500)
            common = {"QuotaOwnerId": user["Id"], "StartDate": month, "ProductFamily": None, "CurrencyIsoCode": "EUR"}
            org.add(
                "ForecastingQuota",
                **common,
                ForecastingTypeId=money["Id"],
                QuotaAmount=amount,
                QuotaQuantity=None,
                IsAmount=True,
                IsQuantity=False,
            )
            org.add(
                "ForecastingQuota",
                **common,
                ForecastingTypeId=pieces["Id"],
                QuotaAmount=None,
                QuotaQuantity=Decimal(5),
                IsAmount=False,
                IsQuantity=True,
            )


def _months(first: date, count: int) -> Iterator[date]:
    for n in range(count):
        month = first.year * 12 + first.month - 1 + n
        yield date(month // 12, month % 12 + 1, 1)
