"""How fast HubSpot may be called: one budget for all threads, as large as the answers' headers say."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

SHARE = 0.97  # of what is allowed; the rest is for the clocks of both sides


class Pace:
    """No more than `most` calls in any `seconds`. A call counts from when it is sent until `seconds` after its answer,
    so that however long it was on its way the server never sees too many at once.
    """

    def __init__(
        self,
        most: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.most, self.seconds, self.clock, self.sleep = most, seconds, clock, sleep
        self._lock = threading.Lock()
        self._open, self._answered = 0, deque[float]()
        self._not_before = 0.0
        self._others, self._others_until = 0, 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a call may be made, and count it."""
        while (pause := self._pause()) > 0:
            self.sleep(pause)
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1
                self._answered.append(self.clock())

    def _pause(self) -> float:
        """Seconds until there may be room; 0 takes the room."""
        with self._lock:
            now = self.clock()
            if now < self._not_before:
                return self._not_before - now
            while self._answered and self._answered[0] <= now - self.seconds:
                self._answered.popleft()
            others = self._others if now < self._others_until else 0
            if self._open + len(self._answered) + others < max(int(self.most * SHARE), 1):
                self._open += 1
                return 0.0
            if self._answered:
                return max(self._answered[0] + self.seconds - now, 0.001)
            return self.seconds / 50

    def hold(self, seconds: float) -> None:
        """Nobody calls for so long: the server said that it was too much."""
        with self._lock:
            self._not_before = max(self._not_before, self.clock() + seconds)

    def told(self, headers: Mapping[str, str]) -> None:
        """Take the limit from an answer, and how much of it somebody else with the same key uses."""
        most, left = _number(headers, "Max"), _number(headers, "Remaining")
        interval = _number(headers, "Interval-Milliseconds")
        if not most or not interval:
            return
        with self._lock:
            self.most, self.seconds = most, interval / 1000
            if left is not None:
                self._others = max(most - left - self._open - len(self._answered), 0)
                self._others_until = self.clock() + self.seconds


def daily(headers: Mapping[str, str]) -> tuple[int, int] | None:
    """Calls used and allowed today; None where the answer does not tell (as under OAuth)."""
    allowed, left = _number(headers, "Daily"), _number(headers, "Daily-Remaining")
    return None if not allowed or left is None else (allowed - left, allowed)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = str(headers.get(f"X-HubSpot-RateLimit-{name}", ""))
    return int(text) if text.isdecimal() else None
