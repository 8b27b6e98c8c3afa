"""Sessions, foreign forms, guessing, headers, and payloads that stay text."""

import csv
import io
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select, update

from models import Account, Session
from models.base import core
from tests.web.company import NOW, PASSWORD, XSS
from tests.web.conftest import SignIn
from web.app import create_app
from web.session import create_account, digest
from web.sheet import neutral

PAGES = {
    None: ("/sign-in", "/nowhere"),
    "rep": ("/people/ana", "/people/ana?period=2026-Q3", "/team", "/people/nobody"),
    "director": (
        "/people/ana",
        "/people/pia",
        "/people/mo",
        "/team",
        "/team?sort=pace&order=down&find=a",
        "/team?find=zz",
    ),
    "ops": ("/runs", "/runs/runone", "/runs/runtwo", "/rejects", "/people/oli"),
    "hr": ("/",),
}


class Reader(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def read(html: str) -> Reader:
    """Parse a page."""
    reader = Reader()
    reader.feed(html)
    return reader


def csrf(html: str) -> str:
    """The token that a page's forms carry."""
    return next(str(a["value"]) for t, a in read(html).tags if t == "input" and a.get("name") == "csrf")


@pytest.mark.parametrize("who", list(PAGES))
def test_pages_hold_no_script_no_style_and_one_heading(browser: SignIn, who: str | None) -> None:
    client = browser(who)
    for address in PAGES[who]:
        answer = client.get(address)
        tags = read(answer.text).tags
        names = [t for t, _ in tags]
        assert names.count("h1") == 1, address
        assert "script" not in names, address
        assert "style" not in names, address
        for tag, attrs in tags:
            assert "style" not in attrs, (address, tag)
            assert not any(name.startswith("on") for name in attrs), (address, tag)
            assert not (attrs.get("href") or "").lower().startswith(("javascript:", "data:")), address
        assert next(a for t, a in tags if t == "html")["lang"] == "en-GB"


def test_payloads_are_text(browser: SignIn) -> None:
    page = browser("rep").get("/people/ana").text
    assert XSS not in page
    assert "&lt;script&gt;window.xss=1&lt;/script&gt;" in page
    assert "&lt;script&gt;" in browser("ops").get("/rejects").text
    assert XSS not in browser("rep").get("/sign-in?next=" + XSS).text


@pytest.mark.parametrize(
    "address",
    ["/sign-in", "/nowhere", "/people/ana", "/people/ana.json", "/people/ana/deals.csv", "/health", "/static/page.css"],
)
def test_every_answer_carries_the_headers(browser: SignIn, address: str) -> None:
    found = browser("rep").get(address).headers
    assert "default-src 'self'" in found["content-security-policy"]
    assert "frame-ancestors 'none'" in found["content-security-policy"]
    assert "unsafe" not in found["content-security-policy"]
    assert found["x-content-type-options"] == "nosniff"
    assert found["referrer-policy"] == "same-origin"
    assert found["cache-control"] == ("public, max-age=300" if "static" in address else "no-store")


def test_a_broken_page_says_so_and_tells_nothing(app: FastAPI, browser: SignIn, company: Engine) -> None:
    client = browser("director")
    with company.begin() as connection:
        connection.exec_driver_sql("UPDATE scorecard_snapshot SET body = 'not a scorecard of Ana'")
    answer = client.get("/people/ana")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert "not a scorecard" not in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_sign_out_needs_the_forms_token_and_our_own_page(browser: SignIn) -> None:
    client = browser("rep")
    token = csrf(client.get("/people/ana").text)
    assert client.post("/sign-out").status_code == 403
    assert client.post("/sign-out", data={"csrf": "guessed"}).status_code == 403
    for foreign in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert client.post("/sign-out", data={"csrf": token}, headers=foreign).status_code == 403
    assert client.get("/people/ana").status_code == 200
    ours = {"Origin": "http://pages.test", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/sign-out", data={"csrf": token}, headers=ours).status_code == 303


def test_a_foreign_sign_in_form_is_refused(browser: SignIn) -> None:
    answer = browser().post(
        "/sign-in", data={"email": "rep@example.com", "password": PASSWORD}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_signing_out_ends_the_session_in_the_store(browser: SignIn, app: FastAPI) -> None:
    client = browser("rep")
    kept = client.cookies["session"]
    client.post("/sign-out", data={"csrf": csrf(client.get("/people/ana").text)})
    thief = TestClient(app, base_url="http://pages.test", follow_redirects=False, cookies={"session": kept})
    assert thief.get("/people/ana").status_code == 303


def test_signing_in_again_ends_the_session_before(browser: SignIn, app: FastAPI) -> None:
    client = browser("rep")
    before = client.cookies["session"]
    client.post("/sign-in", data={"email": "rep@example.com", "password": PASSWORD})
    assert client.cookies["session"] != before
    old = TestClient(app, base_url="http://pages.test", follow_redirects=False, cookies={"session": before})
    assert old.get("/people/ana").status_code == 303


def test_only_a_digest_of_the_token_is_stored(browser: SignIn, company: Engine) -> None:
    token = browser("rep").cookies["session"]
    with company.connect() as connection:
        stored = list(connection.scalars(select(core(Session).c.token_digest)))
    assert stored == [digest(token)]
    assert token not in stored


def test_a_session_ends_by_itself_and_with_its_account(browser: SignIn, company: Engine) -> None:
    client = browser("rep")
    later = TestClient(
        create_app(company, now=lambda: NOW + timedelta(hours=13), currency="EUR"),
        base_url="http://pages.test",
        follow_redirects=False,
        cookies=dict(client.cookies),
    )
    assert later.get("/people/ana").status_code == 303
    with company.begin() as connection:
        connection.execute(
            update(core(Account)).where(core(Account).c.email == "rep@example.com").values(disabled=True)
        )
    assert client.get("/people/ana").status_code == 303
    answer = browser().post("/sign-in", data={"email": "rep@example.com", "password": PASSWORD})
    assert answer.status_code == 401


def test_the_cookie_is_for_this_host_over_https(company: Engine) -> None:
    client = TestClient(
        create_app(company, now=lambda: NOW, currency="EUR", secure_cookies=True),
        base_url="https://pages.test",
        follow_redirects=False,
    )
    answer = client.post("/sign-in", data={"email": "rep@example.com", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    for part in ("__Host-session=", "HttpOnly", "SameSite=lax", "Secure", "Path=/"):
        assert part in cookie
    assert "max-age" in answer.headers["strict-transport-security"]


def test_unknown_e_mail_and_wrong_password_are_one_answer(browser: SignIn) -> None:
    wrong = browser().post("/sign-in", data={"email": "rep@example.com", "password": "no"})
    unknown = browser().post("/sign-in", data={"email": "who@example.com", "password": "no"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("rep@", "who@") == unknown.text


def test_guessing_is_slowed_down(browser: SignIn) -> None:
    client = browser()
    answers = [client.post("/sign-in", data={"email": "Rep@example.com ", "password": f"guess {n}"}) for n in range(6)]
    assert [a.status_code for a in answers] == [401] * 5 + [429]
    assert "Wait a quarter of an hour" in answers[-1].text
    assert client.post("/sign-in", data={"email": "rep@example.com", "password": PASSWORD}).status_code == 429
    assert browser("director").get("/team").status_code == 200


def test_an_account_has_one_of_the_roles(company: Engine) -> None:
    with company.begin() as connection, pytest.raises(ValueError, match="emperor"):
        create_account(connection, "new@example.com", PASSWORD, "emperor", None)


def test_cells_are_no_formulas(browser: SignIn) -> None:
    rows = list(csv.reader(io.StringIO(browser("rep").get("/people/ana/deals.csv").text.lstrip("\ufeff"))))
    assert len(rows) == 16
    assert not [c for row in rows for c in row if c.startswith(("=", "+", "-", "@"))]
    credit = rows[0].index("credit")
    won = [row[credit] for row in rows[1:] if row[rows[0].index("status")] == "won"]
    assert sum(float(c) for c in won) == 124_000.50


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+44 20", "'+44 20"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t=1"),
        ("-12.50", "-12.50"),
        ("+3", "+3"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_neutral(cell: str, kept: str) -> None:
    assert neutral(cell) == kept
