"""HubSpot, read through its real SDK from a server shaped like it."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from connectors.errors import BadAnswer, NotAllowed, SignInAgain, SourceError, TryAgainLater
from connectors.hubspot import HubSpot
from models.errors import UserError
from models.period import FiscalCalendar
from sandbox.company import Company
from sandbox.hubspot.server import HubSpotServer
from sandbox.truth import hubspot_truth
from tests.support.contract import ConnectorContract, each_fault, one_sentence


def spans(keys: Any) -> dict[str, Any]:
    """Quarter id to its span, for every quarter of a truth."""
    years = [int(q[:4]) for q, _, _ in keys]
    first, last = (pd.Timestamp(y, 1, 1).date() for y in (min(years), max(years)))
    return {p.id: (p.first_day, p.end_day) for p in FiscalCalendar().periods(first, last) if p.kind == "quarter"}


class TestHubSpot(ConnectorContract):
    """The HubSpot connector."""

    @pytest.fixture
    def server(self) -> Iterator[HubSpotServer]:
        with HubSpotServer(Company.generate().hubspot) as server:
            yield server

    @pytest.fixture(params=["v3", "2026-03", "2026-09"])
    def connect(self, server: HubSpotServer, request: pytest.FixtureRequest) -> Callable[[], HubSpot]:
        server.v3_off = request.param != "v3"
        options = {"address": server.address, "token": "sandbox-token", "api_version": request.param}
        return lambda: HubSpot("crm", options, loopback=True)

    @pytest.fixture
    def v3(self, server: HubSpotServer) -> Callable[[], HubSpot]:
        return lambda: HubSpot("crm", {"address": server.address, "token": "sandbox-token"}, loopback=True)

    def test_totals_are_the_truth(self, server: HubSpotServer, v3: Callable[[], HubSpot]) -> None:
        company = Company(7, None, server.portal)  # type: ignore[arg-type]
        truth = hubspot_truth(company)
        quarters = spans(truth)
        found = {
            (t.first_day, t.currency, t.status): (t.amount_minor, t.deals) for t in v3().totals(list(quarters.values()))
        }
        assert found == {(quarters[q][0], c, s): (int(a * 100), n) for (q, c, s), (a, n) in truth.items()}

    def test_changed_archived_and_merged_deals_are_seen(self, server: Any, v3: Any) -> None:
        before, _, cursor = self.read(v3(), "deals")
        server.portal.advance(7, 1)
        rows, _, _ = self.read(v3(), "deals", cursor)
        gone = set(rows.loc[rows["removed"].astype(bool), "external_id"]) - set(
            before.loc[before["removed"], "external_id"]
        )
        assert len(gone) == 2  # one archived, one merged away

    def test_rows_that_cannot_be_taken_over_keep_their_money(self, v3: Any) -> None:
        rejects = {r.rule: r for d in self.read(v3(), "deals")[1] for r in d.rejects}
        assert rejects["amount is no number"].amount_minor is None
        assert rejects["stage is not known"].amount_minor == 880_40
        assert rejects["stage is not known"].status == "won"

    def test_a_close_date_is_the_portals_local_day(self, server: Any, v3: Any) -> None:
        rows = self.read(v3(), "deals")[0].set_index("external_id")
        late = next(
            d for d in server.portal.deals.values() if d["properties"]["closedate"] == "2026-10-01T03:00:00.000Z"
        )
        assert str(rows.loc[late["id"], "close_day"].date()) == "2026-09-30"

    def test_more_changes_than_a_search_shows_are_all_read(self, server: Any, v3: Any, monkeypatch: Any) -> None:
        for where in ("sandbox.hubspot.search.CAP", "connectors.hubspot.connector.CAP"):
            monkeypatch.setattr(where, 30)
        monkeypatch.setattr("connectors.hubspot.connector.SEARCH_PAGE", 10)
        monkeypatch.setattr("connectors.hubspot.connector.OVERLAP", pd.Timedelta(days=400))
        _, _, cursor = self.read(v3(), "deals")
        rows, drafts, _ = self.read(v3(), "deals", cursor)  # sixty of them share one moment
        live = {i for i, d in server.portal.deals.items() if not d["archived"]}
        assert live <= {*rows["external_id"], *(r.external_id for d in drafts for r in d.rejects)}

    def test_a_missing_scope_is_named_and_what_works_without_it(self, server: Any, v3: Any) -> None:
        server.scopes.remove("crm.objects.goals.read")
        connector = v3()
        assert "quotas" not in [s.name for s in connector.streams()]
        finding = next(f for f in connector.check() if f.what == "goals")
        assert "the scope crm.objects.goals.read is missing" in finding.detail
        assert "by spreadsheet" in finding.without
        server.scopes.clear()
        with pytest.raises(NotAllowed, match=r"crm\.objects\.owners\.read"):
            self.read(v3(), "people")

    def test_a_busy_server_is_tried_again_for_searches_too(self, server: Any, v3: Any) -> None:
        _, _, cursor = self.read(v3(), "deals")
        connector = v3()
        connector.account()
        server.fault("503", nth=3, times=2)
        self.read(connector, "deals", cursor)

    @each_fault
    def test_what_cannot_be_proven_is_an_error(self, server: Any, v3: Any, fault: str, word: str) -> None:
        connector = v3()
        connector.account()
        server.fault(fault, nth=2, times=20)
        with pytest.raises(SourceError) as caught:
            self.read(connector, "deals")
        assert word in one_sentence(caught.value)

    @pytest.mark.parametrize(("fault", "word"), [("no_results", "no list `results`"), ("repeating_cursor", "twice")])
    def test_a_page_that_leads_nowhere_is_an_error(self, server: Any, v3: Any, fault: str, word: str) -> None:
        connector = v3()
        connector.account()
        list(connector.pull("stages", None))
        server.fault(fault, nth=1, times=20)
        with pytest.raises(BadAnswer, match=word):
            self.read(connector, "deals")

    def test_wrong_token(self, server: Any) -> None:
        with pytest.raises(SignInAgain) as caught:
            HubSpot("crm", {"address": server.address, "token": "wrong"}, loopback=True).check()
        assert "does not take the token" in one_sentence(caught.value)

    def test_a_stopped_server(self, server: Any, v3: Any) -> None:
        server.stop()
        with pytest.raises(TryAgainLater):
            v3().account()


@pytest.mark.parametrize("address", ["http://localhost:1", "https://api.hubapi.com.evil.example"])
def test_a_foreign_address_is_refused_before_any_call(address: str) -> None:
    with pytest.raises(UserError, match="address"):
        HubSpot("crm", {"address": address, "token": "x"})


def test_amounts_are_exact_decimals_never_floats() -> None:
    from connectors.amounts import amounts, basis_points

    texts = pd.Series(["0.1", "1234567890.12", None, "", "12,5"])
    minor, wrong = amounts(texts, pd.Series(["EUR"] * 5))
    assert minor.tolist()[:2] == [10, 123_456_789_012]
    assert list(wrong) == [4]
    assert basis_points(pd.Series(["33.33", Decimal("12.5"), None]), 100).tolist()[:2] == [3333, 1250]
