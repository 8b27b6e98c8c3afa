"""Who works in the company of the page tests, and what stands in their way into the pages."""

from datetime import UTC, date, datetime

from sqlalchemy import Connection

import models
from models.base import core
from models.period import FiscalCalendar
from web.session import create_account

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
QUARTER, BEFORE = "2026-Q4", "2026-Q3"
PASSWORD = "a long enough password"
XSS = "<script>window.xss=1</script><img src=x onerror=window.xss=1>"
SECRET = "Prepare to lead a team of my own"

PEOPLE = {  # id: (name, title, team, manager)
    "dana": ("Dana Director", "Sales director", "Sales", None),
    "mo": ("Mo Manager", "Team lead north", "North", "dana"),
    "lin": ("Lin Lead", "Team lead south", "South", "dana"),
    "ana": ("Ana Sample", "Account executive", "North", "mo"),
    "ben": ("Ben Example", "Account executive", "North", "mo"),
    "cleo": ("Cleo Placeholder", "Account executive", "North", "mo"),
    "finn": ("Finn Dummy", "Account executive", "South", "lin"),
    "pia": ("Pia Paper", "Office administrator", "Operations", "dana"),
    "oli": ("Oli Ops", "Sales operations", "Operations", None),
}
ACCOUNTS = {  # e-mail before the @: (role, person)
    "rep": ("rep", "ana"),
    "colleague": ("rep", "ben"),
    "manager": ("manager", "mo"),
    "other-manager": ("manager", "lin"),
    "director": ("director", "dana"),
    "ops": ("ops", "oli"),
    "hr": ("hr", None),
    "admin": ("admin", None),
}


def people(connection: Connection) -> None:
    """People, reporting lines, periods and one account of every role."""
    rows = [
        {
            "id": k,
            "employee_id": None,
            "name": n,
            "email": f"{k}@example.com",
            "title": t,
            "time_zone": None,
            "source": "",
        }
        for k, (n, t, _, _) in PEOPLE.items()
    ]
    connection.execute(core(models.Person).insert(), rows)
    lines = [
        {"person_id": k, "from_day": date(2025, 1, 1), "to_day": None, "manager_id": m}
        for k, (_, _, _, m) in PEOPLE.items()
        if m
    ]
    connection.execute(core(models.ReportingLine).insert(), lines)
    periods = FiscalCalendar().periods(date(2026, 1, 1), date(2026, 12, 31))
    connection.execute(core(models.Period).insert(), [p.model_dump() for p in periods])
    for email, (role, person) in ACCOUNTS.items():
        create_account(connection, f"{email}@example.com", PASSWORD, role, person)
