"""A company whose traffic goes through an authority of its own: it is trusted where the settings name it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors import connector_class
from connectors.errors import TryAgainLater
from models.errors import UserError
from sandbox.company import Company
from sandbox.http import LoopbackServer
from sandbox.hubspot.server import HubSpotServer
from sandbox.salesforce.server import SalesforceServer
from tests.support.tls import speak_https

SIGN_IN: dict[str, dict[str, Any]] = {
    "salesforce": {"client_id": "sandbox-client", "client_secret": "sandbox-secret"},
    "hubspot": {"token": "sandbox-token"},
}
Https = tuple[str, dict[str, Any], Path]


@pytest.fixture(params=list(SIGN_IN))
def https(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Https]:
    """A kind of system, the options of a connection to it, and the authority that its certificate is signed by."""
    monkeypatch.setattr("connectors.guard.PAUSE", 0)
    company = Company.generate()
    made: dict[str, Any] = {
        "salesforce": lambda: SalesforceServer(company.salesforce), "hubspot": lambda: HubSpotServer(company.hubspot),
    }  # fmt: skip
    server: LoopbackServer = made[request.param]()
    address, ca_file = speak_https(server, tmp_path)
    with server:
        yield request.param, {"address": address, **SIGN_IN[request.param]}, ca_file


def test_a_companys_own_authority_is_trusted_where_it_is_named(https: Https) -> None:
    kind, options, ca_file = https
    source = connector_class(kind)("crm", options | {"ca_file": str(ca_file)}, loopback=True)
    assert source.account().currency
    assert sum(batch.table.num_rows for batch in source.pull("people", None)) > 5
    source.close()


def test_it_is_not_trusted_where_it_is_not_named(https: Https) -> None:
    kind, options, _ = https
    source = connector_class(kind)("crm", options, loopback=True)
    with pytest.raises(TryAgainLater, match="certificate is not trusted"):
        source.account()
    source.close()


@pytest.mark.parametrize("kind", list(SIGN_IN))
def test_a_file_that_holds_no_authority_is_named_before_any_call(kind: str, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    place = {"my_domain": "acme.my"} if kind == "salesforce" else {}
    for file, word in (("empty.pem", "holds no certificate"), ("missing.pem", "cannot be read")):
        with pytest.raises(UserError) as error:
            connector_class(kind)("crm", SIGN_IN[kind] | place | {"ca_file": str(tmp_path / file)})
        assert word in str(error.value)
