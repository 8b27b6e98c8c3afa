"""Few calls for few rows and few for many; smaller bites where a query takes too long; and never over the budget."""

import re
from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import BudgetSpent, SourceError, TryAgainLater
from tests.connectors.salesforce.kit import Connect, Found, read, soql, watch


def jobs(server: Any) -> int:
    return len([line for line in server.log if line.startswith("POST") and line.endswith("/jobs/query")])


def limits(server: Any) -> list[str]:
    return [found[1] for q in soql(server) if (found := re.search(r"LIMIT (\d+)$", q))]


def assert_whole(server: Any, found: Found) -> None:
    assert sorted(found.ids) == sorted(d["Id"] for d in server.org.deals)


def all_changed(server: Any, connect: Connect) -> dict[str, Any]:
    """The cursor before a night in which every opportunity was changed."""
    cursor = read(connect(), "deals").cursor
    server.org.clock += timedelta(days=1)
    for deal in server.org.deals:
        server.org.change(deal, NextStep="call")
    server.log.clear()
    return cursor


@pytest.mark.parametrize(("bulk_from", "number"), [(191, 0), (190, 1)])
def test_a_bulk_job_is_for_many_rows_pages_are_for_few(
    server: Any, connect: Connect, bulk_from: int, number: int
) -> None:
    assert_whole(server, read(connect(bulk_from=bulk_from), "deals"))
    assert jobs(server) == number


@pytest.mark.parametrize(("bulk_from", "number"), [(191, 0), (190, 1)])
def test_a_window_with_many_changes_is_read_by_a_job_too(
    server: Any, connect: Connect, bulk_from: int, number: int
) -> None:
    cursor = all_changed(server, connect)
    assert_whole(server, read(connect(bulk_from=bulk_from), "deals", cursor))
    assert jobs(server) == number


def test_pages_are_followed_to_the_last(server: Any, connect: Connect) -> None:
    found = read(connect(), "deals")
    assert_whole(server, found)
    assert [b.table.num_rows for b in found.batches] == [50, 50, 50, 40]
    assert sum("/queryAll/" in path for path in server.requests) == 3


def test_pages_are_asked_for_as_large_as_they_come(server: Any, connect: Connect) -> None:
    server.page = 2000
    seen = watch(server)
    assert_whole(server, read(connect(), "deals"))
    asked = [r for r in seen if r.path.endswith("/queryAll")]
    assert {r.headers["sforce-query-options"] for r in asked} == {"batchSize=2000"}
    assert {r.headers["x-prettyprint"] for r in asked} == {"0"}


def test_a_job_is_let_go_when_it_was_read(server: Any, connect: Connect) -> None:
    read(connect(bulk_from=1), "deals")
    assert server.jobs.kept == {}


class TestSmallerBites:
    """Queries that take too long for the service."""

    @pytest.fixture(autouse=True)
    def bites(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.salesforce.reading.BITE", 80)
        monkeypatch.setattr("connectors.salesforce.reading.SMALLEST", 10)

    @pytest.mark.parametrize(("times", "asked"), [(1, ["80", "80", "80"]), (2, ["80", "40", "40", "40", "40", "40"])])
    def test_each_time_the_bite_is_halved(self, server: Any, connect: Connect, times: int, asked: list[str]) -> None:
        server.fault("query_timeout", times=times, path="/queryAll?q=SELECT+Id")
        assert_whole(server, read(connect(), "deals"))
        assert limits(server) == asked

    def test_a_query_that_is_late_in_the_middle_goes_on_from_there(self, server: Any, connect: Connect) -> None:
        server.fault("query_timeout", nth=2, path="/queryAll/")
        assert_whole(server, read(connect(), "deals"))
        assert limits(server) == ["80", "80"]

    def test_what_is_too_long_even_in_the_smallest_bite_is_named(self, server: Any, connect: Connect) -> None:
        server.fault("query_timeout", times=99, path="/queryAll?q=SELECT+Id")
        with pytest.raises(SourceError, match="took too long for Salesforce"):
            read(connect(), "deals")
        assert limits(server) == ["80", "40", "20", "10"]

    def test_a_bite_that_is_large_enough_for_a_job_is_not_all_that_the_job_reads(
        self, server: Any, connect: Connect
    ) -> None:
        cursor = all_changed(server, connect)
        server.fault("query_timeout", path="/queryAll?q=SELECT+Id")
        assert_whole(server, read(connect(bulk_from=60), "deals", cursor))
        assert jobs(server) == 1

    def test_a_count_that_takes_too_long_is_for_a_job(self, server: Any, connect: Connect) -> None:
        server.fault("query_timeout", path="COUNT")
        assert_whole(server, read(connect(), "deals"))
        assert jobs(server) == 1

    def test_a_job_that_is_refused_for_its_length_is_read_page_by_page(self, server: Any, connect: Connect) -> None:
        server.fault("query_timeout", times=2, path="/jobs/query")
        assert_whole(server, read(connect(bulk_from=1), "deals"))


def test_a_job_that_brings_a_bad_page_after_pages_is_not_begun_from_the_start(server: Any, connect: Connect) -> None:
    cursor = all_changed(server, connect)
    server.fault("html", times=99, path="/results?maxRecords")
    server.fault("html", nth=2, times=1, path="/queryAll/")
    assert_whole(server, read(connect(bulk_from=60), "deals", cursor))


def test_a_job_whose_last_page_comes_too_soon_is_read_again(
    server: Any, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page had the rows that it promised; only the job's own count tells that some are missing."""
    monkeypatch.setattr("connectors.salesforce.bulk.ROWS", 60)
    server.jobs.cut = 1
    assert_whole(server, read(connect(bulk_from=1), "deals"))
    assert jobs(server) == 1
    server.jobs.cut = 99  # for ever: then it is read page by page
    assert_whole(server, read(connect(bulk_from=1), "deals"))


def test_a_place_in_a_query_that_is_forgotten_is_found_again_after_the_last_row(server: Any, connect: Connect) -> None:
    server.fault("locator", nth=2, path="/queryAll/")
    assert_whole(server, read(connect(), "deals"))
    assert "(SystemModstamp > " in soql(server, "FROM Opportunity")[-1]


class TestBudget:
    """Calls that everybody shares."""

    @pytest.mark.parametrize("per_app", [False, True])
    def test_a_run_stops_at_its_share_and_says_which_setting_that_is(
        self, server: Any, connect: Connect, per_app: bool
    ) -> None:
        server.daily, server.per_app = 24, per_app
        source = connect()
        with pytest.raises(BudgetSpent, match=r"stopped after 6 calls.*25% of 24 a day.*set call_share"):
            read(source, "deals")
        assert source.calls == 6

    def test_the_share_can_be_set(self, server: Any, connect: Connect) -> None:
        server.daily = 24
        assert_whole(server, read(connect(call_share=0.5), "deals"))

    def test_a_run_stops_when_everybody_together_has_used_too_many(self, server: Any, connect: Connect) -> None:
        server.used = 79_998
        source = connect()
        with pytest.raises(BudgetSpent, match=r"80,000 of today's 100,000 calls.*set call_ceiling \(now 80%\)"):
            read(source, "deals")
        assert source.calls == 3  # sign-in, what there is, and one more
        assert_whole(server, read(connect(call_ceiling=1.0), "deals"))

    def test_a_job_stops_at_the_budget_too(
        self, server: Any, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connectors.salesforce.bulk.ROWS", 20)
        server.daily = 40
        with pytest.raises(BudgetSpent):
            read(connect(bulk_from=1), "deals")

    def test_calls_that_are_used_up_end_the_run_at_once(self, server: Any, connect: Connect) -> None:
        server.fault("limit", times=99, path="/queryAll")
        with pytest.raises(BudgetSpent, match="come back within 24 hours, the next run goes on from here"):
            read(connect(), "deals")
        assert server.requests["/services/data/v66.0/queryAll"] == 1

    def test_too_many_long_requests_at_once_are_for_later(self, server: Any, connect: Connect) -> None:
        source = connect()
        source.account()
        words = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
        server.rest = lambda path, request: server.error(403, "REQUEST_LIMIT_EXCEEDED", words)
        with pytest.raises(TryAgainLater, match="too many long requests run in the org at once"):
            read(source, "deals")
