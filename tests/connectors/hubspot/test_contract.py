"""What holds for every connector, with each API version, and the first things that have to be true of this one."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from connectors.errors import BadAnswer, NotAllowed, SignInAgain, SourceError, TryAgainLater
from connectors.hubspot import HubSpot
from models.period import FiscalCalendar
from sandbox.company import Company
from sandbox.hubspot import data
from sandbox.hubspot.server import HubSpotServer
from sandbox.truth import hubspot_truth
from tests.connectors.hubspot.kit import Connect, read
from tests.support.contract import ConnectorContract, each_fault, one_sentence


@pytest.mark.parametrize("api_version", ["v3", "2026-03", "2026-09"])
class TestHubSpot(ConnectorContract):
    """The HubSpot connector; where a dated version is read, v3 is switched off."""

    @pytest.fixture
    def connect(self, server: HubSpotServer, connect: Connect, api_version: str) -> Callable[[], HubSpot]:
        server.v3_off = api_version != "v3"
        return lambda: connect(api_version=api_version)


@pytest.mark.parametrize("many", [4, 1000])
def test_totals_are_the_truth_by_the_list_and_by_searches(
    server: HubSpotServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr("connectors.hubspot.surveys.MANY", many)
    truth = hubspot_truth(Company(7, None, server.portal))  # type: ignore[arg-type]
    years = [int(q[:4]) for q, _, _ in truth]
    first, last = (pd.Timestamp(y, 1, 1).date() for y in (min(years), max(years)))
    quarters = {p.id: (p.first_day, p.end_day) for p in FiscalCalendar().periods(first, last) if p.kind == "quarter"}
    found = {
        (t.first_day, t.currency, t.status): (t.amount_minor, t.deals)
        for t in connect().totals(list(quarters.values()))
    }
    assert found == {(quarters[q][0], c, s): (int(a * 100), n) for (q, c, s), (a, n) in truth.items()}


def test_changed_archived_and_merged_deals_are_seen(server: HubSpotServer, connect: Connect) -> None:
    before = read(connect(), "deals")
    data.advance(server.portal, 7, 1)
    rows = read(connect(), "deals", before.cursor).rows
    gone_before = set(before.rows.loc[before.rows["removed"].astype(bool), "external_id"])
    assert len(set(rows.loc[rows["removed"].astype(bool), "external_id"]) - gone_before) == 2


def test_rows_that_cannot_be_taken_over_keep_their_money(connect: Connect) -> None:
    rejects = {r.rule: r for r in read(connect(), "deals").rejects}
    assert rejects["amount is no number"].amount_minor is None
    assert rejects["stage is not known"].amount_minor == 880_40
    assert rejects["stage is not known"].status == "won"


def test_a_close_date_is_the_portals_local_day(server: HubSpotServer, connect: Connect) -> None:
    rows = read(connect(), "deals").rows
    late = next(d for d in server.portal.deals.values() if d["properties"]["closedate"] == "2026-10-01T03:00:00.000Z")
    assert str(rows.loc[late["id"], "close_day"].date()) == "2026-09-30"


def test_a_missing_scope_is_named_and_what_works_without_it(server: HubSpotServer, connect: Connect) -> None:
    server.scopes.remove("crm.objects.goals.read")
    assert "quotas" not in [s.name for s in connect().streams()]
    finding = next(f for f in connect().check() if f.what == "goals")
    assert "the scope crm.objects.goals.read is missing" in finding.detail
    assert "by spreadsheet" in finding.without
    server.scopes.clear()
    with pytest.raises(NotAllowed, match=r"crm\.objects\.owners\.read"):
        read(connect(), "people")


PATHS = (
    *("deals/search", "deals?", "owners", "pipelines", "goal_targets", "details", "properties", "deals/batch/read"),
    *("splits/batch/read", "meetings?", "meetings/search", "calls/search"),
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", ["503", "429", "reset", "html", "empty"])
def test_a_read_that_goes_wrong_is_tried_again(server: HubSpotServer, connect: Connect, kind: str, path: str) -> None:
    split = next(i for i, d in server.portal.deals.items() if not d["archived"])
    server.portal.split(server.portal.deals[split], [(next(iter(server.portal.owners)), "1.0")])
    whole = {s.name: read(connect(), s.name) for s in connect().streams()}
    server.fault(kind, times=2, path=path)
    source = connect()
    for name, found in whole.items():
        cursor = {"since": "2026-01-01T00:00:00+00:00"} if name in ("deals", "deal_history") else None
        again = read(source, name, cursor)
        assert set(again.rows.index) <= set(found.rows.index)
    if "deals?" not in path:
        assert not server.faults


@each_fault
@pytest.mark.parametrize("stream", ["people", "stages", "quotas", "deals"])
def test_what_cannot_be_proven_is_an_error(
    server: HubSpotServer, connect: Connect, fault: str, word: str, stream: str
) -> None:
    source = connect()
    source.account()
    server.fault(fault, nth=1, times=50)
    with pytest.raises(SourceError) as caught:
        read(source, stream)
    assert word in one_sentence(caught.value)


@pytest.mark.parametrize(("fault", "word"), [("no_results", "no list `results`"), ("repeating_cursor", "twice")])
def test_a_page_that_leads_nowhere_is_an_error(server: Any, connect: Connect, fault: str, word: str) -> None:
    source = connect()
    source.account()
    read(source, "stages")
    _ = source.words
    server.fault(fault, nth=1, times=50)
    with pytest.raises(BadAnswer, match=word):
        read(source, "deals")


def test_wrong_token(connect: Connect) -> None:
    with pytest.raises(SignInAgain) as caught:
        connect(token="wrong").check()
    assert "does not take the token" in one_sentence(caught.value)


def test_a_stopped_server(server: HubSpotServer, connect: Connect) -> None:
    server.stop()
    with pytest.raises(TryAgainLater):
        connect().account()


def test_calls_are_counted(server: HubSpotServer, connect: Connect) -> None:
    source = connect()
    for stream in source.streams():
        read(source, stream.name)
    assert source.calls == server.calls
