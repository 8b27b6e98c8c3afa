"""What can go wrong with an answer, at every place of the service: healed or named, and never taken as fewer rows."""

from typing import Any

import pytest

from connectors.errors import SourceError
from sandbox.salesforce.server import SalesforceServer
from tests.connectors.salesforce.kit import Connect, read
from tests.support.contract import FAULTS, each_fault, one_sentence

WORDS = dict(FAULTS)
EVER = 10**6
PLACES = {
    "page": ("/queryAll?q=SELECT+Id", 1000),
    "locator": ("/queryAll/", 1000),
    "bulk job": ("/jobs/query", 1),
    "bulk status": ("/jobs/query/750", 1),
    "bulk results": ("/results", 1),
}
each_place = pytest.mark.parametrize("place", PLACES)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five pages of results."""
    monkeypatch.setattr("connectors.salesforce.bulk.ROWS", 40)


@each_place
@pytest.mark.parametrize("kind", [*WORDS, "503", "429", "reset", "short", "duplicate"])
def test_a_fault_that_passes_costs_no_row(server: SalesforceServer, connect: Connect, place: str, kind: str) -> None:
    path, bulk_from = PLACES[place]
    server.fault(kind, path=path)
    found = read(connect(bulk_from=bulk_from), "deals")
    assert len(found.ids) == len(set(found.ids)) == 190
    assert server.faults == [], "the fault was never met"


@pytest.mark.parametrize("kind", [*WORDS, "short", "duplicate"])
def test_a_fault_that_stays_is_named(server: SalesforceServer, connect: Connect, kind: str) -> None:
    server.fault(kind, times=EVER, path="/queryAll?q=SELECT+Id")
    with pytest.raises(SourceError) as caught:
        read(connect(), "deals")
    words = {**WORDS, "short": "were promised", "duplicate": "came twice"}
    assert words[kind] in one_sentence(caught.value)


@pytest.mark.parametrize("kind", ["html", "empty", "redirect", "locator", "short", "duplicate"])
def test_pages_that_never_follow_are_done_without(server: SalesforceServer, connect: Connect, kind: str) -> None:
    server.fault(kind, times=EVER, path="/queryAll/")
    found = read(connect(), "deals")
    assert len(found.ids) == len(set(found.ids)) == 190


@pytest.mark.parametrize("hidden", [{50}, {0, 50, 100, 150}])
def test_a_row_that_is_missing_is_looked_for_when_no_page_says_where(
    server: Any, connect: Connect, hidden: set[int]
) -> None:
    shown, cut = server.shown, list[Any]()

    def short(verb: str, name: str, query: Any, found: Any, at: int, size: int) -> Any:
        page = shown(verb, name, query, found, at, size)
        if at == 50 and not cut:
            cut.append(page["records"].pop(10))
        if at in hidden and not page["done"]:
            page["nextRecordsUrl"] += "#"  # without the number that proves a page by itself
        return page

    server.shown = short
    found = read(connect(), "deals")
    assert cut[0]["Id"] in found.ids
    assert set(found.ids) == {d["Id"] for d in server.org.deals}


@pytest.mark.parametrize("place", ["bulk job", "bulk status", "bulk results"])
@pytest.mark.parametrize("kind", ["html", "empty", "redirect", "short", "duplicate"])
def test_a_job_that_never_answers_well_is_read_page_by_page(
    server: SalesforceServer, connect: Connect, place: str, kind: str
) -> None:
    server.fault(kind, times=EVER, path=PLACES[place][0])
    found = read(connect(bulk_from=1), "deals")
    assert len(found.ids) == len(set(found.ids)) == 190


@pytest.mark.parametrize("place", ["bulk job", "bulk status", "bulk results"])
def test_a_job_that_always_breaks_off_is_for_later(server: SalesforceServer, connect: Connect, place: str) -> None:
    server.fault("truncate", times=EVER, path=PLACES[place][0])
    with pytest.raises(SourceError) as caught:
        read(connect(bulk_from=1), "deals")
    assert WORDS["truncate"] in one_sentence(caught.value)


@each_fault
def test_what_there_is_cannot_be_guessed_from_a_bad_answer(
    server: SalesforceServer, connect: Connect, fault: str, word: str
) -> None:
    server.fault(fault, times=EVER, path="/composite")
    source = connect()
    for ask in (source.account, source.streams, source.check):
        with pytest.raises(SourceError) as caught:
            ask()
        assert word in one_sentence(caught.value)


@pytest.mark.parametrize("kind", ["html", "empty", "truncate", "503", "reset"])
def test_what_there_is_is_asked_again_when_a_fault_passes(
    server: SalesforceServer, connect: Connect, kind: str
) -> None:
    server.fault(kind, path="/composite")
    assert len(connect().streams()) == 13


@each_fault
def test_first_pages_asked_together_are_not_guessed_either(
    server: SalesforceServer, connect: Connect, fault: str, word: str
) -> None:
    cursor = read(connect(), "deals").cursor
    source = connect()
    source.account()
    server.fault(fault, times=EVER, path="/composite")
    with pytest.raises(SourceError) as caught:
        source.ready({"deals": cursor})
    assert word in one_sentence(caught.value)


@pytest.mark.parametrize("kind", ["short", "duplicate"])
def test_a_page_asked_for_ahead_is_proven_like_every_other(server: Any, connect: Connect, kind: str) -> None:
    cursor = read(connect(), "deals").cursor
    for deal in server.org.deals[:30]:
        server.org.change(deal, NextStep="call")
    source = connect()
    source.account()
    server.fault(kind, path="/composite")
    source.ready({"deals": cursor})
    found = read(source, "deals", cursor)
    assert len(found.ids) == len(set(found.ids)) == 30


@each_fault
def test_a_survey_is_never_taken_as_nothing(server: SalesforceServer, connect: Connect, fault: str, word: str) -> None:
    source = connect()
    source.account()
    server.fault(fault, times=EVER, path="/query?")
    with pytest.raises(SourceError) as caught:
        source.survey("deals")
    assert word in one_sentence(caught.value)
