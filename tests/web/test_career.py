"""Career: the dossier is its owner's, holds what they chose, and nobody is called ready but by their own word."""

import pytest
from sqlalchemy import Engine

from models import AuditEvent, Dossier, Objective, ReadyConsent
from tests.web.conftest import SignIn
from tests.web.growth import put
from tests.web.test_objectives import rows, send

HERE = "/people/ana/career"
PAPER = "/people/ana/dossier"
OTHERS = ["manager", "director", "colleague", "other-manager", "ops", "hr", "admin"]


def done(company: Engine) -> None:
    """Ana has finished a private objective."""
    with company.begin() as connection:
        put(connection, Objective, {"id": "over", "person_id": "ana", "title": "Lead a negotiation", "status": "done"})


def replies(text: str) -> list[str]:
    """The names of what was said to the person, as the form offers it."""
    return [part.split('"')[0] for part in text.split('name="feedback" value="')[1:]]


def test_what_is_asked_for_stands_beside_what_shows_it(browser: SignIn) -> None:
    client = browser("rep")
    made = send(
        client,
        "/people/ana/objectives",
        why="I want to lead.",
        title="Negotiate",
        serves="Negotiation",
        kind="personal",
    ).headers["location"]
    send(client, f"{made}/evidence", words="Held the list price at Birch Mill", link="https://notes.example.com/1")
    page = client.get(HERE).text
    assert "Negotiate" in page
    assert "Held the list price at Birch Mill" in page
    assert "not added up into a grade" in page


def test_a_dossier_holds_what_was_chosen_and_no_more(browser: SignIn, company: Engine) -> None:
    done(company)
    client = browser("rep")
    assert client.get(PAPER).status_code == 404
    offered = replies(client.get(HERE).text)
    assert len(offered) > 1
    answer = send(
        client, HERE, for_role="Team lead", words="I bring calm.", periods=["2026-Q4"], objectives=["over"],
        feedback=[offered[0]],
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    paper = client.get(PAPER).text
    assert all(words in paper for words in ("Team lead", "I bring calm.", "2026-Q4", "Lead a negotiation"))
    assert "Hold the price" not in paper
    row = rows(company, Dossier)[0]
    assert (row.feedback, row.shared) == ([offered[0]], False)
    assert paper.count("<blockquote>") == 1


@pytest.mark.parametrize("wrong", [{"periods": ["1999-Q1"]}, {"objectives": ["objone"]}, {"feedback": ["made-up"]}])
def test_only_what_is_offered_can_be_chosen(browser: SignIn, company: Engine, wrong: dict[str, list[str]]) -> None:
    answer = send(browser("rep"), HERE, words="x", **wrong)
    assert answer.status_code == 422
    assert "choose from what is offered" in answer.text
    assert rows(company, Dossier) == []


@pytest.mark.parametrize("who", OTHERS)
def test_others_see_it_while_it_is_shared_and_never_the_rest(browser: SignIn, company: Engine, who: str) -> None:
    done(company)
    client, reader = browser("rep"), browser(who)
    send(client, HERE, words="I bring calm.", objectives=["over"])
    assert reader.get(PAPER).status_code == 404
    send(client, f"{HERE}/share", shared="yes")
    assert (reader.get(PAPER).status_code == 200) == (who in ("manager", "director"))
    assert reader.get(HERE).status_code == 404
    send(client, f"{HERE}/share", shared="no")
    assert reader.get(PAPER).status_code == 404
    for path in ("", "/share", "/ready"):
        assert send(reader, f"{HERE}{path}", words="x", shared="yes", role="x").status_code in (403, 404)
    assert rows(company, Dossier)[0].words == "I bring calm."
    assert rows(company, ReadyConsent) == []


def test_nobody_is_listed_but_by_their_own_word_and_gone_when_they_take_it_back(
    browser: SignIn, company: Engine
) -> None:
    client, director = browser("rep"), browser("director")
    assert director.get("/next-roles.json").json() == {"ready": []}
    assert send(client, f"{HERE}/ready", role=" ").status_code == 422
    for _ in range(2):
        send(client, f"{HERE}/ready", role="Team lead")
    listed = director.get("/next-roles.json").json()["ready"]
    assert listed == [{"id": "ana", "name": "Ana Sample", "role": "Team lead", "since": "2026-11-24"}]
    assert browser("other-manager").get("/next-roles.json").json() == {"ready": []}  # not her people
    assert browser("hr").get("/next-roles").status_code == 403
    name = rows(company, ReadyConsent)[0].id
    assert send(browser("colleague"), "/people/ben/career/ready", withdraw=name).status_code == 404
    send(client, f"{HERE}/ready", withdraw=name)
    for path in ("/next-roles.json", "/next-roles", "/team", "/team.json", "/people/ana.json"):
        assert 'Team lead"' not in director.get(path).text.replace("Team lead north", ""), path
    assert director.get("/next-roles.json").json() == {"ready": []}
    told = [t.action for t in rows(company, AuditEvent) if t.action.endswith("_ready")]
    assert sorted(set(told)) == ["consent_ready", "read_ready", "withdraw_ready"]
