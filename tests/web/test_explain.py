"""A number on a page opens into everything behind it, for whom it may; and a page says what its profile will change."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from models import Person, ProfileVersion
from models.base import core
from tests.sync.test_company import Office
from tests.web.company import PASSWORD
from web.app import create_app
from web.session import create_account


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[tuple[Office, TestClient, str]]:
    """The pretend company after a sync, a browser signed in as Ana, and her id."""
    office = Office(tmp_path)
    office.sync()
    here = office.open()
    with here.engine.begin() as connection:
        ana = str(connection.scalar(select(core(Person).c.id).where(core(Person).c.name == "Ana Sample")))
        create_account(connection, "ana@example.com", PASSWORD, "rep", ana)
        dana = connection.scalar(select(core(Person).c.id).where(core(Person).c.name == "Dana Director"))
        create_account(connection, "dana@example.com", PASSWORD, "director", dana)
    app = create_app(here.engine, now=here.clock, currency="EUR", zone="Europe/London", profiles=here.profiles())
    client = TestClient(app, base_url="http://pages.test")
    client.post("/sign-in", data={"email": "ana@example.com", "password": PASSWORD})
    yield office, client, ana
    for server in office.servers:
        server.stop()


def test_every_figure_of_a_page_opens_and_its_deals_add_up(pages: tuple[Office, TestClient, str]) -> None:
    _, client, ana = pages
    page = client.get(f"/people/{ana}").text
    card = client.get(f"/people/{ana}.json").json()
    for metric in card["results"]:
        if metric in ("elapsed",):
            continue
        link = f"/people/{ana}/explain/{metric}?period={card['period_id']}&amp;as_of={card['as_of']}"
        assert link in page, metric
        opened = client.get(link.replace("&amp;", "&"))
        assert opened.status_code == 200
        assert "the same value comes out" in opened.text
    told = client.get(f"/people/{ana}/explain/bookings.json").json()
    assert told["equal"]
    assert sum(d["credit_minor"] or 0 for d in told["deals"]) == told["result"]["value"]


def test_others_open_the_number_but_not_what_somebody_works_on(pages: tuple[Office, TestClient, str]) -> None:
    _, client, ana = pages
    client.post("/sign-in", data={"email": "dana@example.com", "password": PASSWORD})
    assert client.get(f"/people/{ana}/explain/attainment").status_code == 200
    refused = client.get(f"/people/{ana}/explain/objective_progress")
    assert refused.status_code == 403
    assert client.get(f"/people/{ana}/explain/nonsense").status_code == 404


def test_a_page_says_what_its_profile_will_change_and_from_when(pages: tuple[Office, TestClient, str]) -> None:
    office, client, ana = pages
    here = office.open()
    sales = here.profiles()["sales"]
    new = sales.model_copy(update={"version": date(2027, 1, 1), "check_in_every_days": 7})
    row = {"key": "sales", "version": new.version, "body": new.model_dump_json(), "applied_at": here.clock()}
    with here.engine.begin() as connection:
        connection.execute(core(ProfileVersion).insert(), [{**row, "applied_by": "test"}])
    page = client.get(f"/people/{ana}").text
    assert "From 1 Jan 2027 on this page is made by a new version of the profile" in page
    assert "check in every days: 14 → 7" in page
