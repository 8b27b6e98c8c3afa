"""The pretend portal, its server, and connectors to it that do not wait."""

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.hubspot import HubSpot
from sandbox.company import Company
from sandbox.hubspot.portal import Portal
from sandbox.hubspot.server import HubSpotServer
from tests.connectors.hubspot.kit import TOKEN, Connect


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause before another try, and as many searches as there are."""
    monkeypatch.setattr("connectors.guard.PAUSE", 0)
    monkeypatch.setattr("connectors.hubspot.client.SEARCHES", 100_000)


@pytest.fixture
def server() -> Iterator[HubSpotServer]:
    """The cast's portal, with everything a large account has."""
    server = HubSpotServer(Company.generate().hubspot)
    with server:
        yield server


@pytest.fixture
def portal(server: HubSpotServer) -> Portal:
    """Its records and its clock."""
    return server.portal


@pytest.fixture
def connect(server: HubSpotServer) -> Iterator[Connect]:
    """Make a connector of a process of its own, with a service key unless told otherwise."""
    made: list[HubSpot] = []

    def make(**options: Any) -> HubSpot:
        made.append(HubSpot("crm", {"address": server.address, **TOKEN, **options}, loopback=True))
        return made[-1]

    yield make
    for connector in made:
        connector.close()
