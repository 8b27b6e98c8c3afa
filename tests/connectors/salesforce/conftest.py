"""The pretend org, its server, and connectors to it that do not wait."""

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.salesforce import Salesforce
from sandbox.company import Company
from sandbox.salesforce.org import SalesforceOrg
from sandbox.salesforce.server import SalesforceServer
from tests.connectors.salesforce.kit import CLIENT, Connect


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause before another try or another look."""
    monkeypatch.setattr("connectors.guard.PAUSE", 0)
    monkeypatch.setattr("connectors.salesforce.bulk.WAIT", 0.001)


@pytest.fixture
def server() -> Iterator[SalesforceServer]:
    """The cast's org with 190 opportunities, eight of them deleted; fifty rows a page."""
    with SalesforceServer(Company.generate().salesforce, page=50) as server:
        yield server


@pytest.fixture
def org(server: SalesforceServer) -> SalesforceOrg:
    """Its records and its clock."""
    return server.org


@pytest.fixture
def connect(server: SalesforceServer) -> Iterator[Connect]:
    """Make a connector of a process of its own, with client credentials unless told otherwise."""
    made: list[Salesforce] = []

    def make(**options: Any) -> Salesforce:
        made.append(Salesforce("crm", {"address": server.address, **CLIENT, **options}, loopback=True))
        return made[-1]

    yield make
    for connector in made:
        connector.close()
