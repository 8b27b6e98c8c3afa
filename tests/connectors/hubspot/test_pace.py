"""How fast HubSpot is called: close to what is allowed, and no faster, however many threads there are."""

import threading
from collections import deque
from typing import Any

import pytest

from connectors.hubspot.pace import Pace, daily


class Time:
    """A clock that goes on only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Limit:
    """A server's own count: so many in any window, rolling or fixed."""

    def __init__(self, most: int, seconds: float, rolling: bool) -> None:
        self.most, self.seconds, self.rolling = most, seconds, rolling
        self.seen, self.refused = deque[float](), 0

    def call(self, at: float) -> dict[str, str]:
        start = at - self.seconds if self.rolling else at // self.seconds * self.seconds
        while self.seen and self.seen[0] <= start - (0 if self.rolling else 1e-9):
            self.seen.popleft()
        if len(self.seen) >= self.most:
            self.refused += 1
        else:
            self.seen.append(at)
        return {
            "X-HubSpot-RateLimit-Max": str(self.most),
            "X-HubSpot-RateLimit-Remaining": str(self.most - len(self.seen)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(self.seconds * 1000)),
        }


@pytest.mark.parametrize("rolling", [True, False])
@pytest.mark.parametrize("latency", [0.0, 0.02, 0.05])
def test_nine_tenths_of_what_is_allowed_is_used_and_none_refused(rolling: bool, latency: float) -> None:
    time, limit = Time(), Limit(190, 10.0, rolling)
    pace = Pace(100, 10.0, time, time.sleep)
    calls = 0
    while time.now < 300:
        with pace.turn():
            time.now += latency / 2
            headers = limit.call(time.now)
            time.now += latency / 2
            pace.told(headers)
        calls += 1
    assert limit.refused == 0
    assert calls / (time.now / 10.0) >= 0.9 * 190


def test_threads_share_one_budget() -> None:
    pace, seen, lock = Pace(40, 0.2), list[float](), threading.Lock()

    def work() -> None:
        for _ in range(20):
            with pace.turn(), lock:
                seen.append(pace.clock())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 160
    for first in seen:
        assert sum(1 for at in seen if first <= at < first + 0.2) <= 40


def test_what_another_program_uses_of_the_limit_is_left_to_it() -> None:
    time = Time()
    pace = Pace(100, 10.0, time, time.sleep)
    for number in range(30):
        with pace.turn():
            pace.told(told(100, max(100 - 60 - number - 1, 0)))
    assert time.now == 0
    for _ in range(10):
        with pace.turn():
            pace.told(told(100, 0))
    assert time.now > 9


def told(most: int, left: int) -> dict[str, str]:
    return {
        "X-HubSpot-RateLimit-Max": str(most), "X-HubSpot-RateLimit-Remaining": str(left),
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
    }  # fmt: skip


def test_nobody_calls_before_the_time_that_the_server_named() -> None:
    time = Time()
    pace = Pace(100, 10.0, time, time.sleep)
    pace.hold(7.0)
    with pace.turn():
        assert time.now >= 7.0


@pytest.mark.parametrize(("headers", "expected"), [
    ({"X-HubSpot-RateLimit-Daily": "650000", "X-HubSpot-RateLimit-Daily-Remaining": "649000"}, (1000, 650_000)),
    ({"X-HubSpot-RateLimit-Daily": "650000"}, None),
    ({}, None),
])  # fmt: skip
def test_the_calls_of_the_day_are_told_unless_the_answer_does_not(headers: Any, expected: Any) -> None:
    assert daily(headers) == expected
