"""A closed quarter keeps what it closed with; what changes later is shown beside it, with the deals that are why."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from metrics.serial import parse
from models import Deal, Person, ScorecardSnapshot
from models.base import core
from tests.sync.test_company import Office
from tests.web.company import PASSWORD
from web.app import create_app
from web.session import create_account

QUARTER = (date(2026, 7, 1), date(2026, 10, 1))
SNAPSHOTS = core(ScorecardSnapshot)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path) as office:
        yield office


def closed_pages(office: Office, person: str) -> list[Any]:
    """Pages of the third quarter, the oldest first."""
    query = select(SNAPSHOTS).where(SNAPSHOTS.c.person_id == person, SNAPSHOTS.c.period_id == "2026-Q3")
    with office.open().engine.connect() as connection:
        return list(connection.execute(query.order_by(SNAPSHOTS.c.as_of)).all())


def test_a_closed_quarter_is_restated_in_the_open(office: Office) -> None:
    office.sync()
    engine = office.open().engine
    deals, people = core(Deal).c, core(Person).c
    with engine.begin() as connection:
        query = select(deals.person_id, deals.external_id, deals.name, deals.reporting_minor).where(
            deals.status == "won", deals.period_id == "2026-Q3", deals.person_id.is_not(None),
            deals.reporting_minor > 0,
        )  # fmt: skip
        deal = connection.execute(query.order_by(deals.external_id)).first()
        assert deal is not None
        person = deal.person_id
        email = "them@example.com"
        create_account(connection, email, PASSWORD, "rep", person)
        name = connection.scalar(select(people.name).where(people.id == person))
    (closed,) = closed_pages(office, person)
    office.day += 1
    office.open().refresh({person}, spans={QUARTER: {person}})
    assert len(closed_pages(office, person)) == 1  # the same number is no news
    with engine.begin() as connection:
        connection.execute(update(core(Deal)).where(deals.external_id == deal.external_id).values(status="lost"))
    office.day += 1
    here = office.open()
    here.refresh({person}, spans={QUARTER: {person}})
    first, second = closed_pages(office, person)
    assert first.body == closed.body  # what it closed with is never rewritten
    was, now = (parse(row.body).results["bookings"].value or 0 for row in (first, second))
    assert was - now == deal.reporting_minor
    app = create_app(here.engine, now=here.clock, currency="EUR", zone="Europe/London", profiles=here.profiles())
    client = TestClient(app, base_url="http://pages.test")
    client.post("/sign-in", data={"email": email, "password": PASSWORD})
    page = client.get(f"/people/{person}?period=2026-Q3").text
    assert str(name) in page
    assert "Changed since the period closed" in page
    assert f'<b>{deal.name}</b> <span class="note">status: won → lost</span>' in page
    assert "Changed since the period closed" not in client.get(f"/people/{person}").text


def test_only_people_with_a_number_in_it_get_a_closing_page(office: Office) -> None:
    office.sync()
    with office.open().engine.connect() as connection:
        query = select(SNAPSHOTS.c.period_id, func.count()).group_by(SNAPSHOTS.c.period_id)
        by_period = {str(row[0]): int(row[1]) for row in connection.execute(query)}
    assert 0 < by_period["2026-Q3"] < by_period["2026-Q4"]
