"""Ops read and change schedules on a page: next runs in both times, wrong fields named, the change written down."""

import re

import pytest
from sqlalchemy import Engine, select

from models import AuditEvent
from models.base import core
from models.slots import stored_schedules
from tests.web.conftest import SignIn

GOOD = {
    "at": "02:00",
    "weekdays": ["mon", "fri"],
    "time_zone": "Europe/London",
    "catch_up_hours": "6",
    "enabled": "yes",
}


def csrf(page: str) -> str:
    """The token that the page's forms carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_schedule_is_changed_and_its_next_runs_are_in_both_times(browser: SignIn, company: Engine) -> None:
    client = browser("ops")
    page = client.get("/schedules").text
    name = re.findall(r'action="/schedules/([^"]+)"', page)[0]
    answer = client.post(f"/schedules/{name}", data={**GOOD, "csrf": csrf(page)})
    assert answer.status_code == 303
    with company.connect() as connection:
        kept = stored_schedules(connection)[name]
        told = connection.execute(select(core(AuditEvent)).where(core(AuditEvent).c.action == "change_schedule")).one()
    assert (kept.at, kept.weekdays, kept.set_by) == ("02:00", "mon,fri", "ops")
    assert (told.subject, told.actor) == (name, "ops")
    page = client.get("/schedules").text
    assert "Every Monday, Friday at 02:00 Europe/London, catch up within 6 h, never overlap." in page
    assert page.count('data-label="In UTC"') >= 5
    assert "Changed here or on the command line" in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"at": "25:00"}, "is no time of day"),
        ({"weekdays": []}, "name at least one weekday"),
        ({"weekdays": ["funday"]}, "funday: weekdays are named"),
        ({"time_zone": "Mars/Base"}, "is no time zone"),
        ({"catch_up_hours": "-1"}, "is no number of hours"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    browser: SignIn, company: Engine, change: dict[str, object], words: str
) -> None:
    client = browser("ops")
    page = client.get("/schedules").text
    name = re.findall(r'action="/schedules/([^"]+)"', page)[0]
    with company.connect() as connection:
        before = stored_schedules(connection)
    answer = client.post(f"/schedules/{name}", data={**GOOD, "at": "03:33", **change, "csrf": csrf(page)})
    assert answer.status_code == 422
    assert words in answer.text
    assert str(change.get("at", "03:33")) in answer.text
    with company.connect() as connection:
        assert stored_schedules(connection) == before


def test_a_schedule_can_be_switched_off(browser: SignIn, company: Engine) -> None:
    client = browser("ops")
    page = client.get("/schedules").text
    name = re.findall(r'action="/schedules/([^"]+)"', page)[0]
    data = {k: v for k, v in GOOD.items() if k != "enabled"}
    assert client.post(f"/schedules/{name}", data={**data, "csrf": csrf(page)}).status_code == 303
    assert "No schedule; started by hand." in client.get("/schedules").text


def test_a_connection_that_is_not_there_has_no_schedule(browser: SignIn) -> None:
    client = browser("ops")
    page = client.get("/schedules").text
    assert client.post("/schedules/nothing", data={**GOOD, "csrf": csrf(page)}).status_code == 404
