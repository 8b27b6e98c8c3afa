"""The demo: a pretend company on this machine, from an empty folder to three pages in a browser.

The company lives in one folder between runs: its settings, store and spreadsheets. A second run lets a day pass in
the company, so that its sync has a few changes to find.
"""

import json
import secrets
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import typer

from beyond_quota.answers import FAILED
from beyond_quota.serve import listen, pages, run
from beyond_quota.sources import sync_all
from beyond_quota.terminal import render
from beyond_quota.wiring import Installation

SEED = 7
WAYS_IN = (
    ("ana.sample", "rep", "Ana, account executive: her own page"),
    ("dana.director", "director", "Dana, sales director: the team"),
    ("oli.ops", "ops", "Oli, sales operations: the sync runs"),
)
SETTINGS = """\
# The pretend company of `beyond-quota demo`. Its servers are on loopback and take a new port at each start.
database = "sqlite:///company.sqlite3"
zone = "Europe/London"
currency = "EUR"
loopback = true

[connections.office]
kind = "spreadsheet"
title = "Company spreadsheets"
folder = "spreadsheets"
people = "create"

[connections.salesforce]
kind = "salesforce"
title = "Salesforce (north)"
people = "match"
address = "{salesforce}"
client_id = "sandbox-client"
client_secret = "sandbox-secret"

[connections.salesforce.schedule]
at = "02:00"

[connections.hubspot]
kind = "hubspot"
title = "HubSpot (south)"
people = "match"
address = "{hubspot}"
token = "sandbox-token"

[connections.hubspot.schedule]
at = "02:30"
"""


def run_demo(folder: Path, port: int, serve: bool) -> int:
    """Start the company, sync it, print a scorecard, and serve the pages until Ctrl-C."""
    from sandbox.cast import TODAY
    from sandbox.company import Company
    from sandbox.hubspot.server import HubSpotServer
    from sandbox.salesforce.server import SalesforceServer
    from sandbox.sheets import write_sheets

    folder.mkdir(parents=True, exist_ok=True)
    state = _state(folder)
    company = Company.generate(seed=SEED, today=TODAY)
    write_sheets(folder / "spreadsheets", TODAY, SEED)
    if state["days"]:
        company.advance(days=state["days"])
    today = TODAY + timedelta(days=state["days"])
    typer.echo(f"The pretend company's day is {today:%A %-d %B %Y}. Everything stays on this machine, in {folder}/\n")
    with SalesforceServer(company.salesforce) as salesforce, HubSpotServer(company.hubspot) as hubspot:
        settings = folder / "beyond-quota.toml"
        settings.write_text(SETTINGS.format(salesforce=salesforce.address, hubspot=hubspot.address), encoding="utf-8")
        here = Installation.open(settings, datetime.combine(today, time(9), UTC))
        code = sync_all(here, list(here.settings.connections))
        if code == FAILED:
            return code
        logins = _logins(here, state)
        (folder / "company.json").write_text(json.dumps(state | {"days": state["days"] + 1}), encoding="utf-8")
        _scorecard(here, today)
        if not serve:
            return 0
        server = listen("127.0.0.1", port)
        _ways_in(server.getsockname()[1], state)
        run(pages(here, logins), server, announce=False)
        typer.echo("\nstopped; `beyond-quota demo` goes on from here, one day later")
    return 0


def _state(folder: Path) -> dict[str, Any]:
    """What the folder remembers: how many days have passed, and the demo's password."""
    file = folder / "company.json"
    if file.exists():
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found
    return {"days": 0, "password": f"demo-{secrets.token_hex(4)}"}


def _logins(here: Installation, state: dict[str, Any]) -> list[object]:
    from sqlalchemy import select

    from beyond_quota.people import find_person
    from models import Account
    from models.base import core
    from web.app import DemoLogin
    from web.session import create_account

    logins: list[object] = []
    with here.engine.begin() as connection:
        have = set(connection.scalars(select(core(Account).c.email)))
        for key, role, what in WAYS_IN:
            email = f"{key}@example.com"
            if email not in have:
                create_account(connection, email, str(state["password"]), role, find_person(here.engine, email))
            logins.append(DemoLogin(email, str(state["password"]), what))
    return logins


def _scorecard(here: Installation, today: date) -> None:
    from beyond_quota.figures import card_of

    typer.echo("\n" + render(card_of(here, "Ana Sample", today), here.settings.locale) + "\n")


def _ways_in(port: int, state: dict[str, Any]) -> None:
    typer.echo(
        f"Open http://127.0.0.1:{port} and sign in (Ctrl-C ends it). Three ways in, one password: {state['password']}"
    )
    for key, _, what in WAYS_IN:
        typer.echo(f"  {key + '@example.com':<26} {what}")
