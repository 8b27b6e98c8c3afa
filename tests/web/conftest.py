"""A filled store, copied for each test, and browsers signed in as each role."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from config.profile import load_profiles
from metrics.catalogue import METRICS
from models.database import open_store, upgrade
from models.period import FiscalCalendar
from sync.scorecards import refresh as refresh_cards
from tests.web.company import NOW, PASSWORD, fill
from web.app import create_app

SignIn = Callable[..., TestClient]


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with the whole company in it; hashing eight passwords for every test would be slow."""
    file = tmp_path_factory.mktemp("company") / "store.sqlite3"
    engine = open_store(f"sqlite:///{file}")
    upgrade(engine)
    fill(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return file


@pytest.fixture
def company(filled: Path, tmp_path: Path) -> Iterator[Engine]:
    """The store of the company."""
    file = shutil.copy(filled, tmp_path / "store.sqlite3")
    engine = open_store(f"sqlite:///{file}")
    yield engine
    engine.dispose()


@pytest.fixture
def app(company: Engine) -> FastAPI:
    """The pages of the company."""
    profiles = load_profiles(known_metrics=set(METRICS))

    def refresh(people: set[str]) -> int:
        zone, today = ZoneInfo("Europe/London"), NOW.date()
        return refresh_cards(
            company, profiles, people, currency="EUR", calendar=FiscalCalendar(), zone=zone, as_of=today, now=NOW
        )

    return create_app(
        company, now=lambda: NOW, currency="EUR", zone="Europe/London", profiles=profiles, refresh=refresh
    )


@pytest.fixture
def browser(app: FastAPI) -> SignIn:
    """A function that gives a browser, signed in as somebody or not."""

    def start(who: str | None = None) -> TestClient:
        client = TestClient(app, base_url="http://pages.test", follow_redirects=False, raise_server_exceptions=False)
        if who:
            answer = client.post("/sign-in", data={"email": f"{who}@example.com", "password": PASSWORD})
            assert answer.status_code == 303, answer.text
        return client

    return start
