"""What is in the way: written by its owner, private until shared, resolved by name, and counted without names."""

from datetime import date

import pytest
from sqlalchemy import Engine

from models import AuditEvent, Obstacle, ReportingLine
from models.base import core
from tests.web.conftest import SignIn
from tests.web.growth import put
from tests.web.test_objectives import rows, send

HERE = "/people/ana/obstacles"
NEW = {
    "what": "Approval takes nine days", "kind": "time", "effect": "two deals wait", "who_can_remove": "Legal",
}  # fmt: skip


def mine(store: Engine) -> Obstacle:
    """The obstacle that Ana has just written down."""
    found: Obstacle = rows(store, Obstacle, core(Obstacle).c.what == NEW["what"])[0]
    return found


def test_a_new_one_is_private_and_on_the_own_page(browser: SignIn, company: Engine) -> None:
    client = browser("rep")
    assert send(client, HERE, **NEW).status_code == 303
    row = mine(company)
    assert (row.kind, row.effect, row.who_can_remove, row.shared) == ("time", "two deals wait", "Legal", False)
    assert (row.written_here, row.opened_on) == (True, date(2026, 11, 24))
    assert NEW["what"] in client.get("/people/ana").text  # the scorecard was made again
    assert "only you see this until you share it" in client.get(HERE).text
    told = rows(company, AuditEvent, core(AuditEvent).c.action == "write_obstacle")
    assert [(t.subject_person_id, t.subject) for t in told] == [("ana", row.id)]


@pytest.mark.parametrize("who", ["manager", "director", "colleague", "other-manager", "ops", "hr", "admin"])
def test_nobody_else_reads_it_until_it_is_shared(browser: SignIn, company: Engine, who: str) -> None:
    client, reader = browser("rep"), browser(who)
    send(client, HERE, **NEW)
    places = ["/people/ana", "/people/ana.json", HERE, f"{HERE}.json", "/team", "/team.json", "/obstacles"]
    for place in places:
        assert "nine days" not in reader.get(place).text, place
    send(client, f"{HERE}/{mine(company).id}", doing="share")
    above = who in ("manager", "director")
    assert ("nine days" in reader.get(HERE).text) == above
    assert ("nine days" in reader.get("/people/ana").text) == above
    send(client, f"{HERE}/{mine(company).id}", doing="unshare")
    for place in places:
        assert "nine days" not in reader.get(place).text, place
    if above:
        assert reader.get(f"{HERE}.json").json()["not_shared"] == 1


def test_it_goes_through_somebody_and_can_come_back(browser: SignIn, company: Engine) -> None:
    client = browser("rep")
    send(client, HERE, **NEW)
    name = mine(company).id
    answer = send(client, f"{HERE}/{name}", doing="resolve", resolved_by=" ")
    assert answer.status_code == 422
    assert "Say who or what removed it" in answer.text
    assert mine(company).resolved_on is None
    send(client, f"{HERE}/{name}", doing="resolve", resolved_by="Mo asked Legal")
    assert (mine(company).resolved_on, mine(company).resolved_by) == (date(2026, 11, 24), "Mo asked Legal")
    assert "through Mo asked Legal" in client.get(HERE).text
    assert NEW["what"] not in client.get("/people/ana").text
    send(client, f"{HERE}/{name}", doing="reopen")
    assert (mine(company).resolved_on, mine(company).resolved_by) == (None, "")


def test_words_are_asked_for_and_kept_when_wrong(browser: SignIn, company: Engine) -> None:
    answer = send(browser("rep"), HERE, **{**NEW, "what": " ", "effect": "hours are lost"})
    assert answer.status_code == 422
    assert "Say in a sentence what is in the way" in answer.text
    assert 'value="hours are lost"' in answer.text
    assert len(rows(company, Obstacle)) == 1


def test_what_came_from_a_list_is_its_owners_once_they_change_it(browser: SignIn, company: Engine) -> None:
    send(browser("rep"), f"{HERE}/wallone", doing="change", what="Quotes wait three days", kind="pricing")
    row = rows(company, Obstacle, core(Obstacle).c.id == "wallone")[0]
    assert (row.what, row.written_here) == ("Quotes wait three days", True)


@pytest.mark.parametrize("who", ["manager", "director", "colleague", "ops", "hr", "admin"])
def test_only_the_owner_writes(browser: SignIn, company: Engine, who: str) -> None:
    client = browser(who)
    assert send(client, HERE, **NEW).status_code in (403, 404)
    for doing in ("change", "share", "unshare", "resolve", "reopen"):
        answer = send(client, f"{HERE}/wallone", doing=doing, resolved_by="me", what="x")
        assert answer.status_code in (403, 404), doing
    assert [r.what for r in rows(company, Obstacle)] == ["Quotes wait four days"]
    assert rows(company, Obstacle)[0].resolved_on is None


def test_those_who_lead_see_kinds_and_no_names(browser: SignIn, company: Engine) -> None:
    opened = date(2026, 10, 12)
    with company.begin() as connection:
        put(
            connection, Obstacle,
            {"id": "two", "person_id": "ben", "kind": "Pricing", "what": "secret two", "opened_on": opened,
             "shared": False},
            {"id": "three", "person_id": "cleo", "kind": "pricing", "what": "secret three", "opened_on": opened},
            {"id": "four", "person_id": "finn", "kind": "tools", "what": "secret four", "opened_on": opened},
            {"id": "five", "person_id": "finn", "kind": "pricing", "what": "new", "opened_on": date(2026, 11, 2)},
        )  # fmt: skip
    assert browser("director").get("/obstacles.json").json() == {
        "people": 7, "day": "2026-10-31", "kinds": {"pricing": 3},
    }  # fmt: skip
    page = browser("director").get("/obstacles").text
    assert "3 obstacles" in page
    assert "secret" not in page
    assert "tools" not in page
    assert "too few people to tell" in browser("manager").get("/obstacles").text  # three reports
    with company.begin() as connection:
        connection.execute(core(ReportingLine).delete())
    assert browser("director").get("/obstacles.json").json()["kinds"] is None
