"""A pull that breaks off goes on from the last batch that was kept: by pages or jobs, every row comes once."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest

from connectors.base import Batch
from connectors.errors import BudgetSpent, SourceError
from connectors.salesforce import Salesforce
from sandbox.http import Request
from tests.connectors.salesforce.kit import Connect, ids, stored

PAGES, JOBS = {"bulk_from": 10_000}, {"bulk_from": 1}


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five pages of results."""
    monkeypatch.setattr("connectors.salesforce.bulk.ROWS", 40)


def some(source: Salesforce, number: int, cursor: Any = None) -> tuple[list[Batch], dict[str, Any]]:
    """The first batches of a pull that ends there, and the cursor that was kept."""
    pull = source.pull("deals", cursor)
    batches = list(islice(pull, number))
    assert isinstance(pull, Iterator)
    pull.close()  # type: ignore[attr-defined]
    return batches, stored(batches[-1].cursor)


def assert_whole(server: Any, *parts: list[Batch]) -> None:
    came = [i for part in parts for i in ids(part)]
    assert sorted(came) == sorted(d["Id"] for d in server.org.deals)


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("ways", [(PAGES, PAGES), (JOBS, JOBS), (PAGES, JOBS), (JOBS, PAGES)])
def test_from_any_batch_the_rest_comes(server: Any, connect: Connect, number: int, ways: Any) -> None:
    first, cursor = some(connect(**ways[0]), number)
    server.org.clock += timedelta(hours=3)
    rest = list(connect(**ways[1]).pull("deals", cursor))
    assert_whole(server, first, rest)
    assert rest[-1].cursor["since"] == cursor["began"], "what changed since the beginning would be lost"


@pytest.mark.parametrize(("stream", "name"), [("quotas", "ForecastingQuota"), ("deal_history", "OpportunityHistory")])
@pytest.mark.parametrize("ways", [PAGES, JOBS])
def test_every_stream_that_follows_a_stamp_goes_on_alike(
    server: Any, connect: Connect, stream: str, name: str, ways: Any
) -> None:
    server.page = 15
    pull = connect(**ways).pull(stream, None)
    first = next(pull)
    if not first.last:
        rest = list(connect(**ways).pull(stream, stored(first.cursor)))
        assert sorted(ids([first, *rest])) == sorted(server.org.objects[name])
    else:
        assert sorted(ids([first])) == sorted(server.org.objects[name])


def test_a_job_that_still_runs_is_gone_on_with(server: Any, connect: Connect) -> None:
    first, cursor = some(connect(**JOBS), 2)
    assert_whole(server, first, list(connect(**JOBS).pull("deals", cursor)))
    assert [line for line in server.log if line.endswith("/jobs/query")] == ["POST /services/data/v66.0/jobs/query"]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_job_whose_rows_are_no_longer_kept_is_replaced(server: Any, connect: Connect, number: int) -> None:
    first, cursor = some(connect(**JOBS), number)
    server.jobs.expire()
    server.org.clock += timedelta(days=8)
    assert_whole(server, first, list(connect(**JOBS).pull("deals", cursor)))


@pytest.mark.parametrize("failing", [1, 2, 5])
def test_jobs_that_fail_are_replaced_and_at_last_done_without(server: Any, connect: Connect, failing: int) -> None:
    first, cursor = some(connect(**JOBS), 2)
    server.jobs.expire()
    server.jobs.failing = failing
    rest = list(connect(**JOBS).pull("deals", cursor))
    assert_whole(server, first, rest)
    assert len([line for line in server.log if line.endswith("/jobs/query")]) == 2  # then page by page


@pytest.mark.parametrize("failing", [1, 2])
def test_a_first_job_that_fails_costs_no_row(server: Any, connect: Connect, failing: int) -> None:
    server.jobs.failing = failing
    assert_whole(server, list(connect(**JOBS).pull("deals", None)))


def test_a_job_that_is_gone_in_the_middle_is_replaced_from_there(server: Any, connect: Connect) -> None:
    def forget(_: int, request: Request) -> None:
        if request.one("locator") == "80":
            server.before = None
            server.jobs.expire()

    server.before = forget
    assert_whole(server, list(connect(**JOBS).pull("deals", None)))


@pytest.mark.parametrize("ways", [PAGES, JOBS])
def test_a_window_that_breaks_off_keeps_its_borders(server: Any, connect: Connect, ways: Any) -> None:
    cursor = stored(list(connect().pull("deals", None))[-1].cursor)
    server.org.clock += timedelta(days=1)
    for deal in server.org.deals:
        server.org.change(deal, NextStep="call")
    began = server.org.clock + timedelta(minutes=1)
    server.org.clock = began
    first, middle = some(connect(**ways), 2, cursor)
    server.org.clock += timedelta(hours=5)
    rest = list(connect(**ways).pull("deals", middle))
    assert_whole(server, first, rest)
    assert rest[-1].cursor["since"] == began.isoformat()


def test_what_is_deleted_while_a_pull_lies_broken_is_seen_by_the_next_one(server: Any, connect: Connect) -> None:
    first, cursor = some(connect(), 2)
    late, early = server.org.deals[-1], next(d for d in server.org.deals if d["Id"] in ids(first))
    server.org.clock += timedelta(hours=1)
    server.org.hard_delete(early)
    server.org.hard_delete(late)
    rest = list(connect().pull("deals", cursor))
    after = ids(connect().pull("deals", stored(rest[-1].cursor)))
    assert set(after) == {early["Id"], late["Id"]}


@pytest.mark.parametrize("kind", ["503", "limit", "truncate"])
@pytest.mark.parametrize("ways", [PAGES, JOBS])
def test_every_page_that_came_whole_is_kept_when_the_next_one_fails(
    server: Any, connect: Connect, kind: str, ways: Any
) -> None:
    server.fault(kind, nth=3, times=99, path="/queryAll" if ways is PAGES else "/results")
    kept: list[Batch] = []
    with pytest.raises(SourceError):
        kept.extend(_until_it_fails(connect(**ways), kept))
    assert [b.table.num_rows for b in kept] == ([50] if ways is PAGES else [40, 40])
    server.faults.clear()
    assert_whole(server, kept, list(connect(**ways).pull("deals", stored(kept[-1].cursor))))


def _until_it_fails(source: Salesforce, kept: list[Batch]) -> list[Batch]:
    for batch in source.pull("deals", None):
        kept.append(batch)
    return []


def test_a_budget_for_one_page_a_night_gets_there_at_last(server: Any, connect: Connect) -> None:
    server.daily = 16  # a quarter of it: four calls a run, of which three are for signing in, looking and counting
    kept: list[Batch] = []
    for _ in range(10):
        server.used = 0
        try:
            for batch in connect().pull("deals", stored(kept[-1].cursor) if kept else None):
                kept.append(batch)
            break
        except BudgetSpent:
            continue
    assert kept[-1].last
    assert_whole(server, kept)


@pytest.mark.parametrize(("cursor", "word"), [
    ({"stamp": "2026-11-24T02:00:00.000Z", "id": "x' OR Id != '"}, "no record id"),
    ({"stamp": "soon", "id": "006Sa0000AAAAAXIQ5"}, "no instant"),
])  # fmt: skip
def test_a_stored_cursor_that_is_none_is_named_before_it_is_asked_with(
    connect: Connect, cursor: Any, word: str
) -> None:
    with pytest.raises(SourceError, match=word):
        list(connect().pull("deals", cursor | {"began": "2026-11-24T01:00:00+00:00", "since": None}))
