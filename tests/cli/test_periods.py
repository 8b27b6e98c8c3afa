"""Periods from the command line; a company goes over to another calendar: its past stays, the rest follows."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from typer.testing import CliRunner

from beyond_quota.cli import app
from config.settings import load_settings
from metrics.inputs import unpack
from metrics.serial import dump
from models import Person, ScorecardSnapshot
from models.base import core
from models.errors import UserError
from models.period import FiscalCalendar, Weeks
from sandbox.salesforce.org import SalesforceOrg
from tests.sync.test_company import Office
from tests.web.company import PASSWORD
from web.app import create_app
from web.session import create_account

WEEKS = '[fiscal]\nstart_month = 2\nnamed_by = "starting"\nweeks = "4-5-4"\nends = "nearest"\n'
RETAIL = FiscalCalendar(2, "starting", Weeks("4-5-4", "sat", "nearest"))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path) as office:
        yield office


def run(office: Office, *words: str, code: int = 0) -> str:
    now = office.open().clock().isoformat()
    done = CliRunner().invoke(app, [*words, "-c", str(office.file), "--now", now], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.stdout


def settle(office: Office, fiscal: str) -> None:
    """Write the fiscal part of the settings."""
    office.file.write_text(re.sub(r"\[fiscal\][^\[]*", "", office.file.read_text()) + "\n" + fiscal)


def browser(office: Office) -> tuple[str, TestClient]:
    """Dana's id, who leads everybody, and a browser in which she is signed in."""
    here = office.open()
    with here.engine.begin() as connection:
        rows = {r.name: r.id for r in connection.execute(select(core(Person)))}
        dana = rows[next(n for n in rows if n.startswith("Dana"))]
        create_account(connection, "dana@example.com", PASSWORD, "director", dana)
    pages = create_app(here.engine, now=here.clock, currency="EUR", zone="Europe/London", profiles=here.profiles())
    client = TestClient(pages, base_url="http://pages.test")
    client.post("/sign-in", data={"email": "dana@example.com", "password": PASSWORD})
    return rows["Ana Sample"], client


def test_a_running_company_goes_over_to_weeks_and_its_past_pages_are_the_same_bytes(office: Office) -> None:
    office.sync()
    office.day += 1
    here = office.open()
    here.refresh(set(), spans={})
    ana, client = browser(office)
    yesterday = here.today - timedelta(days=1)
    old = [f"/people/{ana}.json?as_of={yesterday}", f"/people/{ana}?as_of={yesterday}",
           f"/people/{ana}.json?period=2026-Q3", f"/people/{ana}.json?period=2026-Q4&as_of={here.today}"]  # fmt: skip
    kept = select(core(ScorecardSnapshot))
    with here.engine.connect() as connection:
        rows = connection.execute(kept).all()
    before = [client.get(address) for address in old]
    assert {answer.status_code for answer in before} == {200}

    settle(office, WEEKS)
    said = run(office, "periods", code=3)
    assert "fiscal calendar: by month, the year begins in January (since the beginning)" in said
    assert (
        "the settings ask for another calendar: 4-5-4 weeks, the year ends on the Saturday nearest to the end" in said
    )
    asked = json.loads(run(office, "score", "Ana Sample", "--json"))
    assert asked["period_id"] == "2026-Q4"  # nothing has changed yet
    adopted = json.loads(run(office, "periods", "--adopt", "--json"))
    assert set(adopted["adopted"]["retired"]) >= {"2026-Q3", "2026-Q4"}
    assert adopted["scorecards"] > 0
    assert "in force already" in run(office, "periods", "--adopt")

    def same(answer: Any, again: Any) -> bool:
        strip = rb'name="csrf" value="[^"]*"|<nav.*?</nav>|<select.*?</select>|<li.*?</li>'
        cut = [re.sub(strip, b"", a.content, flags=re.DOTALL) for a in (answer, again)]
        return cut[0] == cut[1] if "html" in answer.headers["content-type"] else answer.content == again.content

    with here.engine.connect() as connection:
        now = {(r.person_id, r.period_id, r.as_of): r for r in connection.execute(kept)}
    for row in rows:  # every page of before stands as it was
        assert now[row.person_id, row.period_id, row.as_of].body == row.body
    for row in rows[::6]:  # and can be made again
        assert dump(unpack(row.inputs).rebuild()) == row.body
    assert all(same(a, client.get(address)) for a, address in zip(before, old, strict=True))

    quarter = next(p for p in RETAIL.periods(here.today, here.today) if p.kind == "quarter"
                   and p.first_day <= here.today < p.end_day)  # fmt: skip
    assert quarter.id == "FY2026-Q4"
    page = client.get(f"/people/{ana}.json").json()
    card = json.loads(run(office, "score", "Ana Sample", "--json"))
    for told in (page, card):
        assert (told["period_id"], told["first_day"], told["end_day"]) == ("FY2026-Q4", "2026-11-01", "2027-01-31")
    told = json.loads(run(office, "explain", "Ana Sample", "elapsed", "--json"))
    assert told["period_id"] == "FY2026-Q4"
    assert (page["results"]["elapsed"]["numerator"], page["results"]["elapsed"]["denominator"]) == (25, 91)
    assert {u["period"] for u in json.loads(run(office, "rollup", "--json"))} == {"FY2026-Q4"}
    assert client.get("/team").status_code == 200
    with pytest.raises(UserError, match="2026-Q4 is a period of the fiscal calendar that another one took the place"):
        run(office, "score", "Ana Sample", "--period", "2026-Q4")

    reports = office.sync()  # by the new calendar: nothing is written anew, and every source is asked for its totals
    assert {name: r.wrote for name, r in reports.items()} == {"office": 0, "salesforce": 0, "hubspot": 0}
    found = json.loads(run(office, "totals", "--json"))
    assert {f["period"] for f in found} <= {p.id for p in RETAIL.periods(date(2023, 1, 1), date(2028, 1, 1))}
    told = {f["period"]: f["difference"] for f in found if f["connection"] == "salesforce"}
    assert set(told.values()) == {"0.00"}


def custom_years(org: SalesforceOrg, calendar: FiscalCalendar) -> None:
    """Custom fiscal years in the pretend org, as Salesforce stores them."""
    org.objects["Period"].clear()
    org.objects["FiscalYearSettings"].clear()
    for p in calendar.periods(date(org.today.year - 3, 6, 1), date(org.today.year + 1, 6, 1)):
        kind = p.kind.capitalize()
        if p.kind == "year":
            own = org.add("FiscalYearSettings", Name=p.id.removeprefix("FY"), StartDate=p.first_day,
                          EndDate=p.end_day - timedelta(days=1), IsStandardYear=False, YearType="Custom")  # fmt: skip
        year = own["Id"] if p.kind == "year" else None
        org.add("Period", Type=kind, StartDate=p.first_day, EndDate=p.end_day - timedelta(days=1), Number=1,
                FullyQualifiedLabel=f"{p.id.rsplit('-')[-1]} FY {p.year_id.removeprefix('FY')}",
                FiscalYearSettingsId=year, IsForecastPeriod=p.kind == "month")  # fmt: skip


def test_the_fiscal_years_of_salesforce_are_those_of_every_page(office: Office) -> None:
    custom_years(office.company.salesforce, RETAIL)
    settle(office, '[fiscal]\nsource = "salesforce"\n')
    reports = office.sync()
    assert reports["salesforce"].status == "success", reports["salesforce"].message
    told = json.loads(run(office, "periods", "--json"))
    assert told["current"]["quarter"] == "FY2026-Q4"
    assert told["crms"][0]["same"]
    own = {(p.id, p.first_day, p.end_day) for p in RETAIL.periods(date(2023, 6, 1), date(2027, 6, 1))}
    assert {
        (p["id"], date.fromisoformat(p["first_day"]), date.fromisoformat(p["end_day"])) for p in told["periods"]
    } <= own
    assert json.loads(run(office, "score", "Ana Sample", "--json"))["period_id"] == "FY2026-Q4"
    custom_years(office.company.salesforce, FiscalCalendar(2, "starting"))  # an admin sets them up otherwise
    office.open().sync("salesforce", allow_removals=200)  # Salesforce makes all periods of a year anew
    assert "it would bring" in run(office, "periods", code=3)


@pytest.mark.parametrize(("fiscal", "problem"), [
    ('ends_on = "sun"', "ends_on: only years of weeks have that"),
    ('weeks = "4-4-4"', "fiscal.weeks: Input should be '4-4-5', '4-5-4' or '5-4-4'"),
    ('source = "salesforce"\nstart_month = 2', "start_month: with source, the CRM says all of that"),
    ('source = "crm"', "fiscal.source: there is no connection 'crm'; there is: salesforce"),
])  # fmt: skip
def test_a_calendar_that_contradicts_itself_is_refused(tmp_path: Path, fiscal: str, problem: str) -> None:
    file = tmp_path / "beyond-quota.toml"
    file.write_text(f'[fiscal]\n{fiscal}\n[connections.salesforce]\nkind = "salesforce"\n')
    with pytest.raises(UserError) as caught:
        load_settings(file)
    assert problem in str(caught.value)
