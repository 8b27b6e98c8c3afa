"""The pages in a real browser: wide and narrow, light and dark, without script, on paper, by accessibility rules."""

import os
import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.web.company import PASSWORD

pytestmark = pytest.mark.browser

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}
PLACES = {
    "sign-in": (None, "/sign-in"),
    "own page": ("rep", "/people/ana"),
    "page of a report": ("director", "/people/ana"),
    "page without a CRM": ("director", "/people/pia"),
    "own objectives": ("rep", "/people/ana/objectives"),
    "own objective": ("rep", "/people/ana/objectives/objone"),
    "objective of a report": ("manager", "/people/ana/objectives/objone"),
    "own obstacles": ("rep", "/people/ana/obstacles"),
    "obstacles by kind": ("director", "/obstacles"),
    "own check-ins": ("rep", "/people/ana/check-ins"),
    "own check-in": ("rep", "/people/ana/check-ins/talkone"),
    "check-in with a report": ("manager", "/people/ana/check-ins/talkone"),
    "what comes next": ("rep", "/people/ana/career"),
    "next roles": ("director", "/next-roles"),
    "team": ("director", "/team"),
    "syncs": ("ops", "/runs"),
    "one run": ("ops", "/runs/runone"),
    "rejected rows": ("ops", "/rejects"),
    "schedules": ("ops", "/schedules"),
    "not for this role": ("rep", "/team"),
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, or the one that BEYOND_QUOTA_CHROMIUM names."""
    path = os.environ.get("BEYOND_QUOTA_CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=root)
        yield browser
        browser.close()


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """The pages, served on a free port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(5)
    listener.close()


def open_page(
    chromium: Browser, address: str, place: str, width: int = 1280, scheme: str = "light", script: bool = True
) -> Page:
    """A page as somebody of the right role sees it."""
    who, path = PLACES[place]
    context = chromium.new_context(
        viewport=ViewportSize(width=width, height=900),
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    if who:
        page.goto(f"{address}/sign-in")
        page.fill("#email", f"{who}@example.com")
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
    page.goto(address + path)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("place", list(PLACES))
def test_accessible_and_no_wider_than_the_screen(
    chromium: Browser, address: str, place: str, width: int, scheme: str
) -> None:
    page = open_page(chromium, address, place, width, scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "policy" in message.text.lower() else None)
    page.reload()
    for details in page.query_selector_all("details"):
        details.evaluate("element => element.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
    assert page.evaluate("window.xss") is None
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    page.context.close()


def test_everything_works_without_script(chromium: Browser, address: str) -> None:
    page = open_page(chromium, address, "team", script=False)
    page.select_option("#sort", "attainment")
    page.click(".filter button")
    assert "sort=attainment" in page.url
    assert page.inner_text("tbody tr >> nth=0").startswith("Cleo Placeholder")
    page.click("tbody a:has-text('Ana Sample')")
    page.click("summary:has-text('What this number is made of')")
    assert page.is_visible("dt:has-text('Quota attainment')")
    page.click("text=Sign out")
    assert page.url.endswith("/sign-in")


def test_the_keyboard_reaches_everything(chromium: Browser, address: str) -> None:
    page = open_page(chromium, address, "team")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent")
        )
    assert any("of pace" in (label or "") for label in reached)
    assert "Sign out" in reached


def test_a_persons_page_is_one_sheet_of_a4(chromium: Browser, address: str) -> None:
    for place in ("own page", "page of a report", "page without a CRM"):
        page = open_page(chromium, address, place)
        paper = page.pdf(prefer_css_page_size=True)
        boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)
        assert len(re.findall(rb"/Type /Page\b(?!s)", paper)) == 1, place
        assert [(round(float(w)), round(float(h))) for w, h in boxes] == [(595, 842)]
        page.context.close()
