"""The people of the pretend company. Every one of them is plainly fictional.

Two small teams came together in a merger, so the north team sells out of Salesforce and the south team out of
HubSpot; Ana and Ben have a user in both. Office, municipal and education people have no CRM at all.
"""

from dataclasses import dataclass
from datetime import date, timedelta

TODAY = date(2026, 11, 24)
"""The pretend company's own first day in the demo; every generated date hangs on the `today` given to it."""

ZONE = "Europe/London"
DOMAIN = "example.com"


@dataclass(frozen=True)
class Member:
    """One pretend person: who they are, whom they report to, and which CRM they have a user in."""

    key: str
    name: str
    title: str
    group: str  # sales, office, municipal, education: the working group's profile
    team: str
    manager: str | None
    crms: tuple[str, ...] = ()
    hired_days_ago: int = 1200
    left_days_ago: int | None = None
    rehired_days_ago: int | None = None
    has_employee_id: bool = True  # in the CRM's user record; without it the e-mail must do

    @property
    def email(self) -> str:
        return f"{self.key}@{DOMAIN}"

    @property
    def employee_id(self) -> str:
        return f"E{100 + [m.key for m in CAST].index(self.key)}"

    def hired(self, today: date) -> date:
        return today - timedelta(days=self.hired_days_ago)

    def left(self, today: date) -> date | None:
        return None if self.left_days_ago is None else today - timedelta(days=self.left_days_ago)

    def rehired(self, today: date) -> date | None:
        return None if self.rehired_days_ago is None else today - timedelta(days=self.rehired_days_ago)


BOTH, NORTH, SOUTH = ("salesforce", "hubspot"), ("salesforce",), ("hubspot",)

CAST: tuple[Member, ...] = (
    Member("dana.director", "Dana Director", "Sales director", "sales", "Sales", None, BOTH, 2600),
    Member("mo.manager", "Mo Manager", "Team lead north", "sales", "North", "dana.director", NORTH, 2100),
    Member("lin.lead", "Lin Lead", "Team lead south", "sales", "South", "dana.director", SOUTH, 1900),
    Member("ana.sample", "Ana Sample", "Account executive", "sales", "North", "mo.manager", BOTH, 1400),
    Member(
        "ben.example",
        "Ben Example",
        "Account executive",
        "sales",
        "North",
        "mo.manager",
        BOTH,
        900,
        has_employee_id=False,
    ),
    Member("cleo.placeholder", "Cleo Placeholder", "Account executive", "sales", "North", "mo.manager", NORTH, 700),
    Member("dev.specimen", "Dev Specimen", "Account executive", "sales", "North", "mo.manager", NORTH, 110),
    Member(
        "eve.pretend", "Eve Pretend", "Account executive", "sales", "North", "mo.manager", NORTH, 1600, left_days_ago=40
    ),
    Member("finn.dummy", "Finn Dummy", "Account executive", "sales", "South", "lin.lead", SOUTH, 1100),
    Member(
        "gus.template",
        "Gus Template",
        "Account executive",
        "sales",
        "South",
        "lin.lead",
        SOUTH,
        800,
        has_employee_id=False,
    ),
    Member(
        "hana.mockup",
        "Hana Mockup",
        "Account executive",
        "sales",
        "South",
        "lin.lead",
        SOUTH,
        2000,
        left_days_ago=400,
        rehired_days_ago=150,
    ),
    Member("ivo.draft", "Ivo Draft", "Account executive", "sales", "South", "lin.lead", SOUTH, 500),
    Member("oli.ops", "Oli Ops", "Sales operations", "office", "Operations", "dana.director", (), 1500),
    Member("pia.paper", "Pia Paper", "Office administrator", "office", "Operations", "oli.ops", (), 1000),
    Member("quin.council", "Quin Council", "Service officer", "municipal", "Town desk", None, (), 1300),
    Member("rae.lesson", "Rae Lesson", "Teacher trainer", "education", "School desk", None, (), 950),
)


def member(key: str) -> Member:
    """The member with this key; a KeyError names a key that is not in the cast."""
    found = {m.key: m for m in CAST}
    return found[key]
