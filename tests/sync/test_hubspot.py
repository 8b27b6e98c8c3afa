"""A large HubSpot account, and a second portal of the same people, from their servers into the store."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from beyond_quota.wiring import Installation
from models import ActivityCount, Deal, DealHistory, DealSplit, Identity, SourceTotal
from models.base import core
from models.ledger import RunStatus
from sandbox.cast import TODAY
from sandbox.company import Company
from sandbox.hubspot import data
from sandbox.hubspot.server import HubSpotServer
from sandbox.truth import hubspot_truth
from sync.totals import breakdown

SETTINGS = """\
database = "sqlite:///store.sqlite3"
zone = "Europe/London"
currency = "EUR"
loopback = true
"""
PORTAL = """
[connections.{name}]
kind = "hubspot"
people = "{people}"
address = "{address}"
token = "sandbox-token"
"""
REJECTED = "2 rows are rejected, each with its reason"


class Portals:
    """Two portals and an installation that reads them."""

    def __init__(self, folder: Path) -> None:
        self.companies = {"south": Company.generate(), "west": Company.generate(8)}
        self.servers = {name: HubSpotServer(company.hubspot) for name, company in self.companies.items()}
        for server in self.servers.values():
            server.start()
        self.file = folder / "beyond-quota.toml"
        ways = {"south": "create", "west": "match"}
        parts = [PORTAL.format(name=n, address=s.address, people=ways[n]) for n, s in self.servers.items()]
        self.file.write_text(SETTINGS + "".join(parts))
        self.hours = 0

    def open(self) -> Installation:
        """The installation, so many hours after nine in the morning."""
        now = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC) + timedelta(hours=self.hours)
        return Installation.open(self.file, now)

    def sync(self, name: str) -> Any:
        """Sync one portal."""
        return self.open().sync(name)

    def is_the_truth(self, name: str) -> bool:
        """Whether every total is the portal's own."""
        found = {
            (line.period, line.currency, status): (Decimal(line.total) / 100, line.deals)
            for status in ("won", "open", "lost")
            for line in breakdown(self.open().engine, status)
            if line.connection == name
        }
        return found == hubspot_truth(self.companies[name])


@pytest.fixture
def portals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Portals]:
    """No pause before another search."""
    monkeypatch.setattr("connectors.hubspot.client.SEARCHES", 100_000)
    monkeypatch.setattr("connectors.guard.PAUSE", 0)
    portals = Portals(tmp_path)
    yield portals
    for server in portals.servers.values():
        server.stop()


def number(engine: Engine, table: type[Any]) -> int:
    """Live rows of a table."""
    with engine.connect() as connection:
        live = core(table)
        return connection.scalar(select(func.count()).select_from(live).where(live.c.removed_at.is_(None))) or 0


def counted(engine: Engine) -> int:
    """Meetings and calls of all months together."""
    with engine.connect() as connection:
        return connection.scalar(select(func.sum(core(ActivityCount).c.number))) or 0


def test_two_portals_of_the_same_people_are_both_whole_and_their_people_are_one(portals: Portals) -> None:
    for name in portals.servers:
        assert portals.sync(name).message == REJECTED
        assert portals.is_the_truth(name)
    with portals.open().engine.connect() as connection:
        identity = core(Identity).c
        found = connection.execute(select(identity.connection, identity.email, identity.person_id)).all()
    south = {row.email: row.person_id for row in found if row.connection == "south"}
    west = [row for row in found if row.connection == "west" and row.person_id]
    assert len(west) >= 6
    for row in west:
        assert row.person_id == south[row.email]


def test_a_second_run_writes_nothing_and_makes_few_calls(portals: Portals) -> None:
    portals.sync("south")
    again = portals.sync("south")
    assert (again.wrote, again.message) == (0, REJECTED)
    assert again.calls < 20


def test_days_of_work_are_followed_with_histories_splits_and_activities(portals: Portals) -> None:
    server = portals.servers["south"]
    owner = next(i for i, o in server.portal.owners.items() if not o["archived"])
    split = next(i for i, d in server.portal.deals.items() if not d["archived"])
    server.portal.split(server.portal.deals[split], [(owner, "0.6"), (owner, "0.4")])
    server.portal.add("calls", hubspot_owner_id=owner, hs_timestamp="2026-11-03T10:00:00Z")
    portals.sync("south")
    engine = portals.open().engine
    before = number(engine, DealHistory)
    portal = server.portal
    assert number(engine, DealSplit) == sum(len(parts) for parts in portal.splits.values()) >= 2
    assert counted(engine) == len(portal.objects["meetings"]) + len(portal.objects["calls"])
    assert before >= 4 * number(engine, Deal)
    for _ in range(3):
        data.advance(server.portal, 7, portals.hours // 24 + 1)
        portals.hours += 24
        assert portals.sync("south").message == REJECTED
        assert portals.is_the_truth("south")
    assert number(engine, DealHistory) > before


def test_a_deal_that_vanished_without_a_trace_is_found_when_counts_are_compared(portals: Portals) -> None:
    portals.sync("south")
    server = portals.servers["south"]
    engine = portals.open().engine
    before = number(engine, Deal)
    lost = next(
        i for i, d in server.portal.deals.items() if not d["archived"] and d["properties"]["dealstage"] == "closedlost"
    )
    del server.portal.deals[lost]
    server.portal.version += 1
    portals.hours = 24 * 8
    portals.sync("south")
    assert number(engine, Deal) == before - 1
    assert portals.is_the_truth("south")


def test_a_run_after_a_few_changes_costs_calls_in_proportion_to_them(
    portals: Portals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One deal of each of many quarters is touched: the quarters are counted, not listed again."""
    monkeypatch.setattr("connectors.hubspot.surveys.FEW", 0)
    monkeypatch.setattr("connectors.hubspot.surveys.MANY", 1000)
    portals.sync("south")
    server = portals.servers["south"]
    quarters: dict[Any, Any] = {}
    for deal in server.portal.deals.values():
        month = str(deal["properties"]["closedate"])[:7]
        if not deal["archived"] and month < "2026-09":
            quarters[month[:4], (int(month[5:]) - 1) // 3] = deal
    server.portal.wait(timedelta(hours=1))
    for deal in quarters.values():
        server.portal.change(deal, amount="12.00")
    portals.hours = 1
    quiet = server.calls
    assert portals.sync("south").message == REJECTED
    assert server.calls - quiet <= 25 + 3 * len(quarters)
    portals.hours = 30  # the daily comparison adds up what was only counted
    assert portals.sync("south").message == REJECTED
    assert portals.is_the_truth("south")
    with portals.open().engine.connect() as connection:
        told = connection.execute(select(core(SourceTotal))).all()
    assert told
    assert all(row.amount_minor is not None for row in told)


def test_a_closed_quarter_with_a_deal_too_few_is_partial_until_it_is_proven(
    portals: Portals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.hubspot.surveys.FEW", 0)
    portals.sync("south")
    portal = portals.servers["south"].portal
    old = [d for d in portal.deals.values() if not d["archived"] and d["properties"]["closedate"].startswith("2026-05")]
    lost, touched = [d for d in old if d["properties"]["dealstage"] in ("closedwon", "closedlost")][:2]
    del portal.deals[lost["id"]]
    portal.wait(timedelta(hours=1))
    portal.change(touched, amount="12.00")
    for hours in (1, 2):  # nothing more changes before the second run
        portals.hours = hours
        report = portals.sync("south")
        assert report.status is RunStatus.PARTIAL
        assert "south counts" in report.message
    portals.hours = 24 * 8
    assert portals.sync("south").message == REJECTED
    assert portals.is_the_truth("south")


@pytest.mark.parametrize("nth", [1, 2, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23])
@pytest.mark.parametrize("kind", ["html", "truncate"])
def test_a_fault_at_any_call_is_healed_by_the_next_run(portals: Portals, nth: int, kind: str) -> None:
    server = portals.servers["south"]
    server.fault(kind, nth=nth, times=6)
    report = portals.sync("south")
    assert report.status is not RunStatus.SUCCESS
    server.faults.clear()
    portals.sync("south")
    assert portals.is_the_truth("south")
