"""Every past page can be made again, byte for byte, whatever happened since; and every number on it opens."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select, update

from metrics.explain import explain
from metrics.inputs import unpack
from metrics.serial import dump
from models import Deal, Objective, Person, ProfileVersion, Quota, ScorecardSnapshot, TeamMembership
from models.base import core
from tests.sync.test_company import Office
from tests.web.company import PASSWORD
from web.app import create_app
from web.session import create_account


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path) as office:
        yield office


def signed_in(office: Office) -> tuple[str, TestClient]:
    """Ana's id, and a browser in which she is signed in."""
    here = office.open()
    with here.engine.begin() as connection:
        ana = str(connection.scalar(select(core(Person).c.id).where(core(Person).c.name == "Ana Sample")))
        create_account(connection, "ana@example.com", PASSWORD, "rep", ana)
    app = create_app(here.engine, now=here.clock, currency="EUR", zone="Europe/London", profiles=here.profiles())
    client = TestClient(app, base_url="http://pages.test")
    client.post("/sign-in", data={"email": "ana@example.com", "password": PASSWORD})
    return ana, client


def test_past_pages_are_rebuilt_byte_for_byte_after_edits_a_reorganisation_and_a_new_profile(office: Office) -> None:
    for day in range(3):
        if day:
            office.company.advance()
            office.day += 1
        office.sync()
    here = office.open()
    engine = here.engine
    ana, client = signed_in(office)
    addresses = [f"/people/{ana}.json?as_of={here.today - timedelta(days=n)}" for n in (0, 1, 2)]
    before = [client.get(address).content for address in addresses]
    sales = here.profiles()["sales"].model_copy(update={"version": here.today, "check_in_every_days": 99})
    row = {"key": "sales", "version": here.today, "body": sales.model_dump_json(), "applied_at": here.clock()}
    with engine.begin() as connection:
        connection.execute(core(ProfileVersion).insert(), [{**row, "applied_by": "test"}])
        connection.execute(update(core(Deal)).values(amount_minor=1, reporting_minor=1, status="lost"))
        connection.execute(update(core(Quota)).values(amount_minor=7, reporting_minor=7))
        connection.execute(update(core(Objective)).values(title="renamed", shared=True))
        connection.execute(update(core(Person)).values(name="Somebody Else"))
        connection.execute(delete(core(TeamMembership)))
        kept = connection.execute(select(core(ScorecardSnapshot))).all()
    days = {row.as_of for row in kept}
    assert len(days) == 3
    assert len(kept) > 40
    for page in kept:
        assert dump(unpack(page.inputs).rebuild()) == page.body
    assert len(set(before)) == 3
    assert [client.get(address).content for address in addresses] == before


def test_every_number_of_every_page_opens_and_comes_out_the_same_again(office: Office) -> None:
    office.sync()
    with office.open().engine.connect() as connection:
        pages = core(ScorecardSnapshot)
        query = select(pages).where(pages.c.period_id == "2026-Q4").order_by(pages.c.person_id)
        kept = connection.execute(query).all()
    opened = 0
    for row in kept[:8]:
        inputs = unpack(row.inputs)
        for key, shown in inputs.rebuild().results.items():
            told = explain(inputs, key)
            assert told.equal, (row.person_id, key)
            assert told.result == shown
            if key == "bookings" and shown.value is not None:
                assert sum(d.credit_minor or 0 for d in told.deals) == shown.value
                assert all(d.link.startswith("https://") for d in told.deals)
                opened += len(told.deals)
    assert opened > 5


def test_unreleased_feedback_is_in_no_inputs(office: Office) -> None:
    """A snapshot a day that held an answer of the running month would say on which day it came."""
    office.sync()
    here = office.open()
    with here.engine.connect() as connection:
        kept = connection.scalars(select(core(ScorecardSnapshot).c.inputs)).all()
    running = f"{here.today:%Y-%m}"
    batches = {b for packed in kept for b in unpack(packed).frames.get("feedback", {"batch": []})["batch"]}
    assert batches
    assert running not in batches
    assert all(b < f"{here.today + timedelta(days=1):%Y-%m}" for b in batches)
