"""What is not the reader's is not in the answer, in any form; and who looked is written down."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine, select

from metrics.result import State
from models import AuditEvent, Reject, ReportingLine
from models.base import core
from tests.web.company import NOW, SECRET, ana, others
from tests.web.conftest import SignIn
from web.access import Actor, can, for_reader, managers_of, reports_of, visible_people

DANA = Actor("a1", "director", "dana", frozenset({"ana"}))


@pytest.mark.parametrize("who", ["director", "manager"])
@pytest.mark.parametrize("form", ["/people/ana", "/people/ana.json", "/people/ana/deals.csv", "/team", "/team.json"])
def test_what_is_not_shared_is_nowhere(browser: SignIn, who: str, form: str) -> None:
    text = browser(who).get(form).text
    for private in (
        SECRET,
        "ana-private",
        "whether it suits me",
        "let the silence work",
        "how I open a negotiation",
        "Cedar Labs blockade",
    ):
        assert private not in text


def test_a_locked_line_says_why(browser: SignIn) -> None:
    page = browser("director").get("/people/ana").text
    assert "1 objective is not shared: only Ana sees them until Ana shares them." in page
    assert "4 replies received." in page
    assert set(browser("director").get("/people/ana.json").json()["locked"]) == {"objectives", "feedback", "check_ins"}


def test_the_person_sees_everything(browser: SignIn) -> None:
    page = browser("rep").get("/people/ana").text
    assert SECRET in page
    assert "let the silence work" in page


def test_a_sum_with_unshared_parts_is_not_shown() -> None:
    reading = for_reader(ana(), DANA)
    assert reading.card.results["objective_progress"].state is State.SUPPRESSED
    assert reading.card.results["attainment"] == ana().results["attainment"]


def test_the_blend_is_locked_when_it_is_made_of_unshared_objectives() -> None:
    pia = next(c for c in others() if c.person_id == "pia")
    hidden = replace(pia, objectives=tuple(replace(o, shared=False) for o in pia.objectives))
    assert for_reader(pia, DANA).card.blend is not None
    assert for_reader(hidden, DANA).card.blend is None
    assert "blend" in for_reader(hidden, DANA).locked


def test_every_read_is_written_down_and_shown(browser: SignIn, company: Engine) -> None:
    director = browser("director")
    director.get("/people/ana")
    director.get("/people/ana.json")
    page = browser("rep").get("/people/ana").text
    assert "Dana Director (director): 2 times, last 24 Nov 2026, 09:00" in page
    assert "You, Dana Director (director) and Mo Manager (manager)." in page
    table = core(AuditEvent).c
    with company.connect() as connection:
        rows = connection.execute(select(table.actor, table.detail).where(table.subject_person_id == "ana")).all()
    assert [(r.actor, r.detail) for r in rows] == [
        ("director", {"as": "page"}),
        ("director", {"as": "json"}),
        ("rep", {"as": "page"}),
    ]


def test_a_read_that_cannot_be_written_down_does_not_happen(browser: SignIn, company: Engine) -> None:
    client = browser("director")
    with company.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    answer = client.get("/people/ana")
    assert answer.status_code == 500
    assert "Ana" not in answer.text


def test_operations_do_not_read_what_somebody_wrote(browser: SignIn, company: Engine) -> None:
    row = {
        "connection": "office", "stream": "feedback", "external_id": "F1 · the hidden title", "rule": "too long",
        "field": "what_happened", "raw_value": "You told me in confidence", "message": "'You told me in confidence'",
        "fix": "Shorten it.", "first_seen_at": NOW, "last_seen_at": NOW, "run_id": "runone",
    }  # fmt: skip
    dated = {**row, "external_id": "F2", "field": "given_week", "raw_value": "2026-02-31", "message": "no such day"}
    with company.begin() as connection:
        connection.execute(core(Reject).insert(), [row, dated])
    for address in ("/rejects", "/runs/runone"):
        page = browser("ops").get(address).text
        assert "in confidence" not in page
        assert "hidden title" not in page
        assert "2026-02-31" in page


def test_reporting_lines_are_dated_and_circles_end(company: Engine) -> None:
    lines = core(ReportingLine)
    with company.begin() as connection:
        connection.execute(
            lines.insert(),
            [
                {"person_id": "dana", "from_day": date(2026, 1, 1), "to_day": None, "manager_id": "ana"},
                {"person_id": "oli", "from_day": date(2026, 1, 1), "to_day": NOW.date(), "manager_id": "dana"},
            ],
        )
        below = reports_of(connection, "dana", NOW.date())
        assert below == {"mo", "lin", "ana", "ben", "cleo", "finn", "pia"}
        assert "oli" in reports_of(connection, "dana", date(2026, 11, 23))
        assert managers_of(connection, "finn", NOW.date()) >= {"lin", "dana"}


def test_what_is_not_named_is_refused() -> None:
    for role in ("rep", "manager", "director", "hr", "ops", "admin"):
        actor = Actor("a", role, "me", frozenset({"you"}))
        assert not can(actor, "delete_everything", "me")
        assert not can(actor, "read_scorecard", None)
        assert visible_people(actor) == ({"me", "you"} if role in ("manager", "director") else {"me"})
