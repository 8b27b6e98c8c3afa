"""The portal's limits: calls in any ten seconds by token, searches a second, calls a day. Off unless they are set."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

DOCUMENTED = {"burst": (190, 10.0), "search": (5, 1.0)}
"""What a professional or enterprise account may do; an app that signs in by OAuth has 110 calls in ten seconds."""

UNLIMITED = (100_000, 10.0)


@dataclass
class Limits:
    """Real time (or the `clock` of a test) counts for the first two, the portal's own day for the third."""

    burst: tuple[int, float] | None = None
    search: tuple[int, float] | None = None
    daily: int = 650_000
    used: int = 0
    refused: int = 0
    clock: Callable[[], float] = time.monotonic
    _day: date | None = None
    _seen: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, token: str, searching: bool, today: date) -> str | None:
        """Count a call; the name of the policy that turns it away."""
        with self._lock:
            if self._day not in (None, today):
                self.used = 0
            self._day = today
            if self.used >= self.daily:
                return "DAILY"
            own = [(token, self.burst, "TEN_SECONDLY_ROLLING")]
            own += [("", self.search, "SECONDLY")] if searching else []
            now = self.clock()
            for name, limit, policy in own:
                if limit is not None and self._full(self._seen[name], limit, now):
                    self.refused += 1
                    return policy
            for name, limit, _ in own:
                if limit is not None:
                    self._seen[name].append(now)
            self.used += 1
            return None

    @staticmethod
    def _full(seen: deque[float], limit: tuple[int, float], now: float) -> bool:
        while seen and seen[0] <= now - limit[1]:
            seen.popleft()
        return len(seen) >= limit[0]

    def headers(self, token: str, key: bool) -> dict[str, str]:
        """What an answer tells of the limits; that of the day is told to keys only, not under OAuth."""
        most, seconds = self.burst or UNLIMITED
        found = {
            "X-HubSpot-RateLimit-Max": str(most),
            "X-HubSpot-RateLimit-Remaining": str(max(most - len(self._seen[token]), 0)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(seconds * 1000)),
        }
        if key:
            found |= {
                "X-HubSpot-RateLimit-Daily": str(self.daily),
                "X-HubSpot-RateLimit-Daily-Remaining": str(max(self.daily - self.used, 0)),
            }
        return found
