"""Objectives on pages: written by their owner, private until shared, every move kept, and no import undoes them."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from models import AuditEvent, KeyResult, LearningItem, Objective, ObjectiveUpdate
from models.base import core
from tests.web.conftest import SignIn
from tests.web.growth import put

NEW = {
    "why": "I want to lead the large accounts next year.", "title": "Speak up in reviews", "kind": "personal",
    "serves": "Negotiation", "due": "2027-02-01", "step_id": ["", ""], "step_title": ["Ask one question", ""],
    "result_id": ["", ""], "result_title": ["Talks", ""], "result_baseline": ["10", ""], "result_target": ["2", ""],
    "result_current": ["6", ""], "learn_id": [""], "learn_title": ["A book"],
    "learn_link": ["https://books.example.com/1"], "learn_due": [""], "learn_status": ["open"],
}  # fmt: skip


def token(client: TestClient) -> str:
    """The token that the forms of this session carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text + client.get("/people/ana/objectives").text)
    assert found
    return found[1]


def send(client: TestClient, path: str, **data: Any) -> Any:
    """Send a form as the page would."""
    return client.post(path, data={**data, "csrf": token(client)})


def rows(store: Engine, model: Any, *conditions: Any) -> list[Any]:
    """Rows of a table."""
    with store.connect() as connection:
        return list(connection.execute(select(core(model)).where(*conditions)))


def made(client: TestClient, **more: Any) -> str:
    """A new objective of Ana's; its id."""
    answer = send(client, "/people/ana/objectives", **{**NEW, **more})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"].rsplit("/", 1)[1])


def test_a_new_objective_is_private_and_complete(browser: SignIn, company: Engine) -> None:
    client = browser("rep")
    name = made(client)
    row = rows(company, Objective, core(Objective).c.id == name)[0]
    assert (row.title, row.why_it_matters, row.shared, row.written_here) == (NEW["title"], NEW["why"], False, True)
    keys = {k.title: k for k in rows(company, KeyResult, core(KeyResult).c.objective_id == name)}
    assert (keys["Ask one question"].step, keys["Ask one question"].current) == (True, "0")
    assert (keys["Talks"].baseline, keys["Talks"].target, keys["Talks"].current) == ("10", "2", "6")
    assert rows(company, LearningItem, core(LearningItem).c.objective_id == name)[0].link == NEW["learn_link"][0]
    page = client.get(f"/people/ana/objectives/{name}").text
    assert page.index(str(NEW["why"])) < page.index("<h1>")
    assert "Only you see this until you share it." in page
    assert "50% of the way; from 10, now 6, aiming at 2" in page
    told = rows(company, AuditEvent, core(AuditEvent).c.action == "write_objective")
    assert [(t.subject_person_id, t.subject) for t in told] == [("ana", name)]
    assert str(NEW["why"]) in client.get("/people/ana").text  # the scorecard was made again


@pytest.mark.parametrize("who", ["manager", "director", "colleague", "other-manager", "ops", "hr", "admin"])
def test_nobody_else_sees_it_until_it_is_shared(browser: SignIn, company: Engine, who: str) -> None:
    client = browser("rep")
    name = made(client)
    reader = browser(who)
    places = ["/people/ana", "/people/ana.json", "/people/ana/objectives", "/people/ana/objectives.json", "/team",
              "/team.json", f"/people/ana/objectives/{name}", "/people/ana/check-ins/talkone"]  # fmt: skip
    for place in places:
        assert "Speak up" not in reader.get(place).text, place
    send(client, f"/people/ana/objectives/{name}/share", shared="yes")
    allowed = who in ("manager", "director")
    assert ("Speak up" in reader.get("/people/ana").text) == allowed
    assert reader.get(f"/people/ana/objectives/{name}").status_code == (200 if allowed else 404)
    assert reader.get("/people/ana/objectives/new").status_code == 404
    page = client.get(f"/people/ana/objectives/{name}").text
    assert "what was seen until then stays seen" in page
    send(client, f"/people/ana/objectives/{name}/share", shared="no")
    for place in places:
        assert "Speak up" not in reader.get(place).text, place
    told = rows(company, ObjectiveUpdate, core(ObjectiveUpdate).c.objective_id == name)
    assert sorted(t.new_value for t in told) == ["private", "shared"]


def test_taken_back_it_is_gone_from_pages_of_earlier_days_too(browser: SignIn, company: Engine) -> None:
    """Sharing is decided by today: a stored page of a day on which it was shared does not show it any more."""
    with company.begin() as connection:
        put(connection, Objective, {"id": "ana-shared", "person_id": "ana", "title": "x", "shared": False})
    old = "/people/ana?period=2026-Q4&as_of=2026-11-23"
    assert "giving away margin when it gets quiet" in browser("rep").get(old).text
    assert "giving away margin when it gets quiet" not in browser("director").get(old).text
    assert "giving away margin when it gets quiet" not in browser("director").get("/team.json").text


@pytest.mark.parametrize("action", ["", "/evidence", "/share", "/status", "/scale"])
def test_only_the_owner_writes(browser: SignIn, company: Engine, action: str) -> None:
    for who in ("manager", "director", "colleague", "ops", "hr", "admin"):
        client = browser(who)
        csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/sign-out").text + client.get("/nowhere").text)
        assert csrf
        answer = client.post(f"/people/ana/objectives/objone{action}", data={**NEW, "csrf": csrf[1], "words": "x"})
        assert answer.status_code == 404, who
    assert [r.title for r in rows(company, Objective, core(Objective).c.id == "objone")] == ["Hold the price"]
    assert rows(company, ObjectiveUpdate) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"why": ""}, "Write one line on why it matters to you"),
        ({"title": " "}, "Give it a title"),
        ({"due": "2026-02-31"}, "2026-02-31 is no day"),
        ({"kind": "relationship"}, "Name the person"),
        ({"result_target": ["10", ""]}, "it starts where it should get to"),
        ({"result_target": ["ten", ""]}, "ten is no number"),
        ({"result_baseline": ["", ""]}, "say where it starts"),
        ({"learn_link": ["javascript:alert(1)"]}, "is no link"),
        ({"weight": "9"}, "no whole number from 1 to 4"),
        ({"title": "x" * 201}, "201 signs are more than"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    browser: SignIn, company: Engine, wrong: dict[str, Any], words: str
) -> None:
    answer = send(browser("rep"), "/people/ana/objectives", **{**NEW, "step_title": ["My own step", ""], **wrong})
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="My own step"' in answer.text  # what was typed is still there
    assert [r.id for r in rows(company, Objective)] == ["objone"]


def test_a_moved_target_and_date_are_kept_and_shown(browser: SignIn, company: Engine) -> None:
    client = browser("rep")
    form = {
        **NEW, "title": "Hold the price", "due": "2027-03-01", "step_id": ["stepone", "steptwo"],
        "step_title": ["Write my opening", ""], "step_done": ["stepone"], "result_id": ["keyone"],
        "result_title": ["Discount in percent"], "result_baseline": ["12"], "result_target": ["6"],
        "result_current": ["9,5"],
    }  # fmt: skip
    assert send(client, "/people/ana/objectives/objone", **form).status_code == 303
    told = {(t.field, t.old_value, t.new_value, t.about) for t in rows(company, ObjectiveUpdate)}
    assert told == {
        ("due", "2026-12-18", "2027-03-01", ""),
        ("target", "12 to 4", "12 to 6", "Discount in percent"),
        ("target", "1", "taken out", "Lead one"),
    }
    page = client.get("/people/ana/objectives/objone").text
    assert "Discount in percent, 12 to 4 became 12 to 6" in page
    assert "due date, 2026-12-18 became 2027-03-01" in page
    key = rows(company, KeyResult, core(KeyResult).c.id == "keyone")[0]
    assert (key.current, str(key.measured_on)) == ("9.5", "2026-11-24")


def test_evidence_and_closing(browser: SignIn, company: Engine) -> None:
    client = browser("rep")
    here = "/people/ana/objectives/objone"
    assert send(client, f"{here}/evidence", words="", link="").status_code == 422
    send(client, f"{here}/evidence", words="Birch Mill signed at list price", link="https://notes.example.com/7")
    page = client.get(here).text
    assert "Birch Mill signed at list price" in page
    assert 'href="https://notes.example.com/7"' in page
    send(client, f"{here}/status", status="done", words="I can do it when it is quiet")
    assert send(client, f"{here}/status", status="nonsense").status_code == 422
    page = client.get(here).text
    assert "done: I can do it when it is quiet" in page
    assert client.get("/people/ana.json").json()["objectives"][0]["evidence"] == 1
    send(client, f"{here}/status", status="active")
    assert rows(company, Objective)[0].status == "active"


def test_a_template_fills_the_form_but_not_why(browser: SignIn) -> None:
    client = browser("rep")
    assert "Hold the price in a negotiation" in client.get("/people/ana/objectives").text
    page = client.get("/people/ana/objectives/new?template=0").text
    assert 'value="Practise with a colleague"' in page
    assert 'name="why" type="text" value=""' in page
    assert client.get("/people/ana/objectives/new?template=999").status_code == 200


def test_a_relationship_names_somebody(browser: SignIn) -> None:
    client = browser("rep")
    name = made(client, kind="relationship", who="The buyer at Elm Schools", next_contact="2026-12-01")
    assert "with The buyer at Elm Schools, next contact 1 Dec 2026" in client.get(f"/people/ana/objectives/{name}").text
    found = {o["id"]: o for o in client.get("/people/ana/objectives.json").json()["objectives"]}
    assert (found[name]["kind"], found[name]["who"]) == ("relationship", "The buyer at Elm Schools")
    assert "The buyer at Elm Schools" in client.get("/people/ana").text
    assert "The buyer at Elm Schools" not in browser("director").get("/people/ana").text


def test_a_scale_is_written_before_it_is_rated_and_then_stands(browser: SignIn, company: Engine) -> None:
    with company.begin() as connection:
        put(
            connection,
            Objective,
            {"id": "scaled", "person_id": "ana", "title": "x", "levels": ["a", "b", "c", "d", "e"]},
        )
    client = browser("rep")
    assert send(client, "/people/ana/objectives/objone/scale", level="1").status_code == 422
    assert send(client, "/people/ana/objectives/objone/scale", words=["a", "b", "", "d", "e"]).status_code == 422
    send(client, "/people/ana/objectives/scaled/scale", level="1")
    assert rows(company, Objective, core(Objective).c.id == "scaled")[0].level == 1
    again = send(client, "/people/ana/objectives/scaled/scale", words=["z", "b", "c", "d", "e"])
    assert again.status_code == 422
    assert rows(company, Objective, core(Objective).c.id == "scaled")[0].levels == ["a", "b", "c", "d", "e"]
    assert "rated +1" in client.get("/people/ana/objectives/scaled").text
