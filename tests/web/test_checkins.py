"""Check-ins: either side asks, every move is kept, and only the two people in one read it; a private note only one."""

from datetime import date

import icalendar
import pytest
from sqlalchemy import Engine, select

from models import AuditEvent, CheckIn, CheckInAction, CheckInChange, PrivateNote
from models.base import core
from tests.web.conftest import SignIn
from tests.web.growth import MINE, THEIRS
from tests.web.test_objectives import rows, send
from tests.web.test_roles import EXPECTED, filled

HERE = "/people/ana/check-ins"
TALK = f"{HERE}/talkone"
EVERYBODY = ["rep", "manager", "director", "colleague", "other-manager", "ops", "hr", "admin"]


def test_either_side_asks_and_it_is_counted_apart(browser: SignIn, company: Engine) -> None:
    rep, manager = browser("rep"), browser("manager")
    made = send(rep, HERE, with_person="dana", topic="My next role", planned_on="2026-12-02", planned_at="14:30")
    assert made.status_code == 303, made.text
    assert send(manager, HERE, topic="The quarter").status_code == 303
    found = {r.topic: r for r in rows(company, CheckIn)}
    asked = found["My next role"]
    assert (asked.asked_by, asked.with_person_id, asked.planned_on, asked.planned_at) == (
        "rep", "dana", date(2026, 12, 2), "14:30",
    )  # fmt: skip
    assert (found["The quarter"].asked_by, found["The quarter"].with_person_id) == ("manager", "mo")
    assert found["The quarter"].planned_on is None  # no day yet
    told = rows(company, CheckInChange)
    assert sorted((t.what, t.by) for t in told) == [("asked", "manager"), ("asked", "rep")]
    assert len(rows(company, AuditEvent, core(AuditEvent).c.action == "ask_check_in")) == 2
    assert send(rep, HERE, with_name="A mentor outside").status_code == 303


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "Say with whom"),
        ({"with_person": "ben"}, "choose one of those offered"),  # a colleague is asked by name, not from this list
        ({"with_person": "mo", "planned_on": "2026-11-23"}, "is over"),
        ({"with_person": "mo", "planned_on": "soon"}, "soon is no day"),
        ({"with_person": "mo", "planned_at": "10:00"}, "A time needs its day"),
        ({"with_person": "mo", "planned_on": "2026-12-01", "planned_at": "25:00"}, "is no time of day"),
        ({"with_person": "mo", "minutes": "0"}, "no whole number from 5 to 480"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    browser: SignIn, company: Engine, wrong: dict[str, str], words: str
) -> None:
    answer = send(browser("rep"), HERE, topic="kept words", **wrong)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="kept words"' in answer.text
    assert len(rows(company, CheckIn)) == 1


@pytest.mark.parametrize("who", ["colleague", "other-manager", "ops", "hr", "admin"])
def test_who_is_not_above_cannot_ask(browser: SignIn, company: Engine, who: str) -> None:
    assert send(browser(who), HERE, topic="x").status_code in (403, 404)
    assert len(rows(company, CheckIn)) == 1


@pytest.mark.parametrize("who", EVERYBODY)
def test_a_private_note_is_read_by_its_author_alone(browser: SignIn, company: Engine, who: str) -> None:
    """On every page, JSON and file there is, for every role."""
    reader = browser(who)
    own = {"rep": MINE, "manager": THEIRS}
    for path in EXPECTED:
        text = reader.get(filled(path)).text
        for author, words in own.items():
            assert (words in text) == (who == author and path.endswith("/check-ins/{check_in_id}")), (path, author)


@pytest.mark.parametrize("who", ["director", "colleague", "other-manager", "ops", "hr", "admin"])
def test_only_the_two_in_it_read_or_change_it(browser: SignIn, company: Engine, who: str) -> None:
    send(browser("rep"), TALK, doing="notes", notes="We spoke of the blockade", private=MINE)
    send(browser("rep"), TALK, doing="agree", what="Send the offer", owner="rep")
    reader = browser(who)
    for path in ("/people/ana", "/people/ana.json", HERE, f"{HERE}.json", TALK, f"{TALK}/calendar.ics", "/team.json"):
        text = reader.get(path).text
        for words in ("blockade", "Send the offer", MINE):
            assert words not in text, path
    before = rows(company, CheckIn)
    for doing in ("move", "cancel", "hold", "notes", "agree", "done"):
        answer = send(reader, TALK, doing=doing, what="x", notes="x", planned_on="2026-12-24")
        assert answer.status_code in (403, 404), doing
    assert rows(company, CheckIn) == before
    assert len(rows(company, CheckInAction)) == 1


def test_both_sides_bring_points_and_see_each_others(browser: SignIn, company: Engine) -> None:
    rep, manager = browser("rep"), browser("manager")
    send(rep, TALK, doing="notes", points="Approval takes too long", notes="", by_next_time="", private=MINE)
    send(manager, TALK, doing="notes", points="The Elm renewal", notes="Agreed to ask Legal", private="")
    mine, theirs = rep.get(TALK).text, manager.get(TALK).text
    assert "The Elm renewal" in mine
    assert "Agreed to ask Legal" in mine
    assert "Approval takes too long" in theirs
    assert MINE not in theirs
    assert [r.author_id for r in rows(company, PrivateNote)] == ["ana"]  # an emptied one is gone


def test_the_agenda_begins_with_what_is_in_the_way(browser: SignIn, company: Engine) -> None:
    rep = browser("rep")
    send(rep, "/people/ana/obstacles", what="My laptop is slow", kind="tools")  # not shared; the card is made again
    agenda = rep.get(TALK).text
    order = [agenda.index(words) for words in ("Quotes wait four days", "Hold the price")]
    assert order == sorted(order)
    assert "My laptop is slow" in agenda
    assert "only you see this" in agenda
    theirs = browser("manager").get(TALK).text
    assert "Quotes wait four days" in theirs
    assert "My laptop is slow" not in theirs
    assert "The CRM says" in theirs


def test_moved_held_and_called_off_are_kept(browser: SignIn, company: Engine) -> None:
    rep, manager = browser("rep"), browser("manager")
    assert send(rep, TALK, doing="move", planned_on="2026-11-20").status_code == 422
    send(rep, TALK, doing="move", planned_on="2026-12-01", planned_at="09:15", minutes="45", reason="a customer calls")
    send(manager, TALK, doing="move", planned_on="2026-12-03")
    page = rep.get(TALK).text
    assert "moved by you, from 27 Nov 2026 to 1 Dec 2026: a customer calls" in page
    assert "moved by Mo Manager, from 1 Dec 2026 to 3 Dec 2026" in page
    assert send(rep, TALK, doing="hold", held_on="2026-11-25").status_code == 422
    send(manager, TALK, doing="hold", held_on="2026-11-24")
    row = rows(company, CheckIn, core(CheckIn).c.id == "talkone")[0]
    assert (row.status, row.held_on, row.written_here) == ("held", date(2026, 11, 24), True)
    assert send(rep, TALK, doing="cancel").status_code == 422  # it was held
    other = send(rep, HERE, with_person="mo", planned_on="2026-12-09").headers["location"]
    send(rep, other, doing="cancel", reason="ill")
    assert "called off by you: ill" in rep.get(other).text
    assert "called off by Ana Sample: ill" in manager.get(other).text
    assert [c.what for c in rows(company, CheckInChange, core(CheckInChange).c.by == "rep")].count("cancelled") == 1


def test_what_is_left_to_do_stands_on_the_next_agenda(browser: SignIn, company: Engine) -> None:
    rep, manager = browser("rep"), browser("manager")
    send(rep, TALK, doing="agree", what="Ask Legal for a template", owner="manager", due_on="2026-12-01")
    send(rep, TALK, doing="agree", what="Practise the opening", owner="rep")
    send(rep, TALK, doing="hold", held_on="2026-11-24")
    later = send(manager, HERE, planned_on="2026-12-08").headers["location"]
    assert "Ask Legal for a template" in manager.get(later).text
    with_dana = send(rep, HERE, with_person="dana", planned_on="2026-12-09").headers["location"]
    assert "Ask Legal for a template" not in rep.get(with_dana).text  # what two agree on is not for a third
    ask = rows(company, CheckInAction, core(CheckInAction).c.owner == "manager")[0]
    assert send(rep, with_dana, doing="done", action=ask.id).status_code == 404
    send(manager, later, doing="done", action=ask.id)
    assert "Ask Legal for a template" not in manager.get(later).text.split("To do until next time")[0]
    with company.connect() as connection:
        done = connection.scalar(select(core(CheckInAction).c.done_on).where(core(CheckInAction).c.id == ask.id))
    assert done == date(2026, 11, 24)


def test_a_calendar_file_says_when_and_with_whom_and_no_more(browser: SignIn, company: Engine) -> None:
    rep = browser("rep")
    send(rep, TALK, doing="move", planned_on="2027-06-01", planned_at="14:30", minutes="45")
    answer = rep.get(f"{TALK}/calendar.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    event = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")[0]
    assert event.decoded("dtstart").isoformat() == "2027-06-01T13:30:00+00:00"  # summer time in London
    assert (event.decoded("duration").total_seconds(), event["status"], event["sequence"]) == (2700, "CONFIRMED", 1)
    assert str(event["summary"]) == "Check-in with Mo Manager"
    assert "blockade" not in answer.text
    send(rep, TALK, doing="cancel")
    event = icalendar.Calendar.from_ical(rep.get(f"{TALK}/calendar.ics").content).walk("VEVENT")[0]
    assert (event["status"], event["sequence"]) == ("CANCELLED", 2)
