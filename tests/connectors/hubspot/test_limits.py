"""HubSpot's limits: obeyed by all threads together, used nearly in full, and never the end of what was read."""

import time
from typing import Any

import pytest

from connectors.errors import BudgetSpent, TryAgainLater
from connectors.hubspot import HubSpot
from connectors.hubspot.client import SEARCHES, Client
from sandbox.hubspot.limits import DOCUMENTED
from sandbox.hubspot.portal import Portal
from sandbox.hubspot.server import HubSpotServer
from tests.connectors.hubspot.kit import Connect, read, until_it_breaks
from tests.connectors.hubspot.test_changes import live, many
from tests.connectors.hubspot.test_pace import Time


def on_one_clock(server: HubSpotServer, source: HubSpot) -> Time:
    """Both sides go by a clock that goes on only while somebody waits: how fast the machine is does not count."""
    ours = Time()
    ours.now = time.monotonic()  # from which both have counted so far
    server.limits.clock = ours
    server.before = lambda _, request: ours.sleep(0.02)  # a network's latency
    for pace in (source.client.pace, source.client.searches):
        pace.clock, pace.sleep = ours, ours.sleep
    return ours


def test_nine_tenths_of_the_documented_rate_are_used_and_none_refused(
    server: HubSpotServer, portal: Portal, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.hubspot.connector.PAGE", 10)
    many(portal, 8_000)
    server.limits.burst = DOCUMENTED["burst"]
    source = connect(at_once=1)
    source.batch_facts()
    _ = source.words
    clock, calls = on_one_clock(server, source), server.calls
    began = clock()
    ids = {i for batch in source.pull("deals", None) for i in batch.table["id"].to_pylist()}
    assert live(portal) <= ids
    assert server.limits.refused == 0
    assert (server.calls - calls) / (clock() - began) >= 0.9 * 19


def test_threads_together_are_hardly_ever_refused(server: HubSpotServer, portal: Portal, connect: Connect) -> None:
    """Real time and real threads; how fast the machine is can only make them slower."""
    many(portal, 12_000)
    server.limits.burst, server.latency = (60, 1.0), 0.02
    source, calls = connect(), server.calls
    ids = {i for batch in source.pull("deals", None) for i in batch.table["id"].to_pylist()}
    assert live(portal) <= ids
    assert server.calls - calls > 120
    assert server.limits.refused <= (server.calls - calls) * 0.01


def test_searches_keep_to_a_rate_of_their_own(server: HubSpotServer, portal: Portal, connect: Connect) -> None:
    cursor = read(connect(), "deals").cursor
    many(portal, 2400)
    server.limits.search = DOCUMENTED["search"]
    source = connect()
    source.client.searches.most = SEARCHES
    clock = on_one_clock(server, source)
    began = clock()
    read(source, "deals", cursor)
    assert server.limits.refused == 0
    assert 1.9 < clock() - began < 4


@pytest.mark.parametrize("path", ["/search", "/deals?", "/owners"])
def test_a_429_is_waited_for(server: HubSpotServer, connect: Connect, path: str) -> None:
    source = connect()
    cursor = read(source, "deals").cursor
    server.fault("429", times=3, path=path)
    read(source, "deals", cursor)
    list(source.pull("people", None))
    list(source.pull("deals", None))


def busy(server: HubSpotServer, **headers: str) -> None:
    answer = server.error(429, "RATE_LIMITS", "too many", policyName="TEN_SECONDLY_ROLLING")
    answer.headers |= {k.replace("_", "-"): v for k, v in headers.items()}
    server.handle = lambda request: answer  # type: ignore[method-assign]


def test_a_server_that_stays_busy_is_asked_five_times(server: HubSpotServer, connect: Connect) -> None:
    busy(server)
    with pytest.raises(TryAgainLater, match="stayed so"):
        connect().account()
    assert server.calls == 5


def test_a_server_that_asks_to_wait_for_hours_is_not_waited_for(server: HubSpotServer, connect: Connect) -> None:
    busy(server, Retry_After="7200")
    with pytest.raises(TryAgainLater):
        connect().account()
    assert server.calls == 1


def test_nothing_is_sent_before_the_time_that_was_named_is_over(server: HubSpotServer, connect: Connect) -> None:
    source, handle, times = connect(), server.handle, list[float]()

    def once(request: Any) -> Any:
        times.append(time.monotonic())
        answer = server.error(429, "RATE_LIMITS", "too many")
        answer.headers["Retry-After"] = "1"
        return answer if len(times) == 1 else handle(request)

    server.handle = once  # type: ignore[method-assign]
    source.account()
    assert times[1] - times[0] >= 1.0


def test_the_daily_limit_ends_the_run_and_keeps_what_was_read(server: HubSpotServer, connect: Connect) -> None:
    source = connect()
    source.account()
    answer = server.error(429, "RATE_LIMITS", "daily", policyName="DAILY")
    server.do_owners = lambda request, route: answer  # type: ignore[method-assign]
    with pytest.raises(BudgetSpent, match="begin anew at midnight"):
        read(source, "people")


@pytest.mark.parametrize(("options", "used", "word"), [
    ({"call_share": 0.00001}, 0, "set call_share"),
    ({"call_ceiling": 0.5}, 400_000, "set call_ceiling"),
])  # fmt: skip
def test_a_share_of_the_day_is_kept_to(
    server: HubSpotServer, portal: Portal, connect: Connect, options: dict[str, Any], used: int, word: str
) -> None:
    many(portal, 2000)
    server.limits.used = used
    source = connect(**options, at_once=1)
    kept = until_it_breaks(source, "deals")
    with pytest.raises(BudgetSpent, match=word):
        source.client.call("one more", "account")
    server.limits.used = 0
    if kept:
        rest = read(connect(), "deals", kept[-1].cursor)
        before = {i for b in kept for i in b.table["id"].to_pylist()}
        assert before | set(rest.ids) >= live(portal)


def test_a_server_that_never_answers_ends_in_time(
    server: HubSpotServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.hubspot.client.TIMEOUT", (0.2, 0.2))
    monkeypatch.setattr("connectors.hubspot.client.TRIES", 2)
    server.slowness = 30.0
    server.fault("slow", times=20)
    began = time.monotonic()
    with pytest.raises(TryAgainLater):
        connect().account()
    assert server.calls == 2
    assert time.monotonic() - began < 15


def test_one_connection_pool_serves_every_call(server: HubSpotServer, portal: Portal, connect: Connect) -> None:
    source: Client = connect(at_once=4).client
    first = source._api
    for _ in range(5):
        source.call("account", "account")
    assert source._api is first
    assert len(first.rest_client.pool_manager.pools) == 1
    pool = first.rest_client.pool_manager.connection_from_url(server.address)
    assert pool.num_connections == 1
