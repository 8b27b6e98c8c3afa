"""What the pages say: the number, the words around it, other days, the team, and states without data."""

from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from metrics.credit import credit
from models.database import open_store, upgrade
from models.frames import load
from tests.web.company import NOW, PASSWORD, people
from tests.web.conftest import SignIn
from web.app import DemoLogin, create_app
from web.reconcile import reconcile

PUNITIVE = (
    "underperform",
    "low performer",
    "at risk",
    "ranked",
    "rank ",
    "failing",
    "leaderboard",
    "below target",
    "!</",
)


def test_the_number_comes_first_and_in_words(browser: SignIn) -> None:
    page = browser("rep").get("/people/ana").text
    assert "€124,000.50 won of €200,000 quota." in page
    assert "62% of quota with 60% of the period gone; 2 points ahead of pace." in page
    places = [
        page.index(f'id="h-{part}"')
        for part in ("number", "deals", "dev", "feedback", "checkin", "obstacles", "people", "learning", "seen")
    ]
    assert places == sorted(places)


def test_every_figure_opens(browser: SignIn) -> None:
    page = browser("rep").get("/people/ana").text
    assert page.count('class="tile"') == page.count("How this was computed<") - 2  # and two for the objectives
    for part in ("Formula", "Numerator", "Denominator", "As of", "Read from", "version 1"):
        assert part in page
    assert '<a class="record" href="https://crm.example.com/006A1"' in page


def test_a_page_without_a_crm_is_complete(browser: SignIn) -> None:
    page = browser("director").get("/people/pia").text
    assert "No figure from a CRM belongs to this page. What Pia is working on is all of it." in page
    assert "Chair the Monday meeting" in page
    assert "How the blend was made" in page
    assert "quota" not in page.lower().replace("beyond quota", "").replace("/quota", "")


def test_no_quota_is_a_sentence_and_never_zero(browser: SignIn) -> None:
    page = browser("director").get("/people/mo").text
    assert "There is no quota for this period." in page
    assert "0% of quota" not in page


def test_another_period_and_another_day(browser: SignIn) -> None:
    client = browser("rep")
    assert "Q3 2026" in client.get("/people/ana?period=2026-Q3").text
    older = client.get("/people/ana?as_of=2026-11-23").text
    assert "This is an earlier page" in older
    assert client.get("/people/ana.json?as_of=2026-11-23").json()["as_of"] == "2026-11-23"
    for address in ("?period=1999-Q1", "?as_of=1999-01-01", "?as_of=yesterday"):
        assert client.get(f"/people/ana{address}").status_code == 404


def test_conversations_are_three_with_reasons(browser: SignIn) -> None:
    page = browser("director").get("/team").text
    talk = page[page.index('id="h-talk"') : page.index('id="h-everybody"')]
    assert talk.count("<li>") == 3
    assert "asked for a check-in, planned for Thursday 26 November." in talk
    assert "with 0.8× pipeline" in talk


def test_the_table_is_alphabetical_until_the_address_says_otherwise(browser: SignIn) -> None:
    client = browser("director")

    def names(query: str) -> list[str]:
        return [m["name"].split()[0] for m in client.get(f"/team.json{query}").json()["members"]]

    assert names("") == ["Ana", "Ben", "Cleo", "Finn", "Mo", "Pia"]
    assert names("?sort=attainment&order=down") == ["Ben", "Ana", "Finn", "Cleo", "Mo", "Pia"]
    assert names("?sort=attainment") == ["Cleo", "Finn", "Ana", "Ben", "Mo", "Pia"]
    assert names("?team=South") == ["Finn"]
    assert names("?find=ANA%20S") == ["Ana"]
    assert names("?sort=nonsense") == names("")


def test_the_total_is_sum_over_sum_and_equals_the_crm(browser: SignIn) -> None:
    found = browser("director").get("/team.json").json()
    assert found["total"]["attainment"] == pytest.approx(49_000_050 / 76_000_000)
    ledger = found["ledgers"][0]
    assert ledger["difference"] == 0
    assert ledger["total"] == ledger["said"]
    assert (ledger["unmatched"], ledger["rejected"]) == (750_000, 500_000)
    assert "equal to the cent" in browser("director").get("/team").text


def test_a_manager_cannot_work_out_a_single_other_persons_number(browser: SignIn) -> None:
    page = browser("manager").get("/team").text
    assert "fewer than 3 people outside your team" in page
    assert "equal to the cent" not in page


def test_the_ledger_agrees_with_the_metrics(company: Engine) -> None:
    rows = credit(load(company, "deals"), load(company, "splits"))
    ours = rows[rows["status"] == "won"].groupby("kind")["native_minor"].sum()
    with company.connect() as connection:
        (ledger,) = reconcile(connection, date(2026, 10, 1), date(2027, 1, 1), ["ana", "ben", "finn"])
    assert (ledger.here, ledger.unmatched, ledger.uncredited) == (ours["person"], ours["unmatched"], ours["uncredited"])


def test_the_scatter_is_reachable_and_named(browser: SignIn) -> None:
    page = browser("director").get("/team").text
    for action in (
        "Growing and delivering",
        "Delivering: what next?",
        "Building: protect the time",
        "Needs a conversation",
    ):
        assert action in page
    assert 'aria-label="Cleo Placeholder: 58% of pace, 30% of shared objectives"' in page
    assert "Not drawn" in page


def test_syncs_in_words(browser: SignIn) -> None:
    client = browser("ops")
    page = client.get("/runs").text
    assert "Late, last run failed." in page
    assert "HubSpot refused the sign-in (401)." in page
    assert "Every day at 02:00 Europe/London" in page
    assert "runtwo" not in client.get("/runs?connection=salesforce").text
    one = client.get("/runs/runone").text
    assert "equal to the CRM&#39;s own total" in one
    assert "Correct the amount in the CRM" in one
    assert client.get("/runs/none").status_code == 404


@pytest.mark.parametrize(
    ("who", "address"),
    [("rep", "/people/ana"), ("director", "/team"), ("director", "/people/ben"), ("ops", "/runs"), ("ops", "/rejects")],
)
def test_no_page_labels_a_person(browser: SignIn, who: str, address: str) -> None:
    page = browser(who).get(address).text.lower()
    assert not [word for word in PUNITIVE if word in page]


def test_before_the_first_sync(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    upgrade(engine)
    with engine.begin() as connection:
        people(connection)
    app = create_app(engine, now=lambda: NOW, currency="EUR")
    for who, address in (("rep", "/people/ana"), ("director", "/team"), ("ops", "/runs")):
        client = TestClient(app)
        client.post("/sign-in", data={"email": f"{who}@example.com", "password": PASSWORD})
        answer = client.get(address)
        assert answer.status_code == 200
        assert "Nothing has been synced yet" in answer.text
    engine.dispose()


def test_demo_sign_ins_stand_only_in_a_demo(company: Engine, browser: SignIn) -> None:
    login = DemoLogin("rep@example.com", PASSWORD, "Ana: her own page")
    demo = TestClient(create_app(company, now=lambda: NOW, currency="EUR", demo_logins=[login]))
    assert "Ana: her own page" in demo.get("/sign-in").text
    assert "Ways into the demo" not in browser().get("/sign-in").text


@pytest.mark.parametrize(("locale", "said"), [("de_DE", "124.000,50\xa0€"), ("en_US", "€124,000.50")])
def test_numbers_follow_the_locale(company: Engine, locale: str, said: str) -> None:
    client = TestClient(create_app(company, now=lambda: NOW, currency="EUR", locale=locale))
    client.post("/sign-in", data={"email": "rep@example.com", "password": PASSWORD})
    page = client.get("/people/ana").text
    assert said in page
    assert f'lang="{locale.replace("_", "-")}"' in page
