"""The whole list of a kind of record, several ranges of ids at once, as fast as the rate limit allows.

A list goes on after an id: its cursor is the id of the last row, or the number after it. Where the first page proves
that, the ids are cut into ranges that are read side by side; a range that is done takes over half of the longest one
left. Where it does not, the list is read page by page.
"""

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from connectors.errors import BadAnswer, SourceError
from connectors.guard import Moving
from connectors.hubspot.client import Client, Query
from connectors.hubspot.searching import find

WORTH = 4  # pages that a range has to have for another thread to take half of it

Rows = list[dict[str, Any]]
Ranges = list[list[str]]
"""What is still to be read: from which cursor on, and up to which id ("" for the end of the list)."""


@dataclass
class Range:
    """Ids from the cursor `after` on, up to `end`; None is the end of the list."""

    after: int
    end: int | None


@dataclass
class Listing:
    """What to list: a kind of record, with which properties, how many a page."""

    client: Client
    what: str
    kind: str
    query: Query
    limit: int
    step: int | None = None  # from a page's last id to its cursor, 0 or 1, as soon as a page tells it

    def page(self, after: str) -> tuple[Rows, str]:
        """One page, and where the next one begins."""
        where = f"{self.what}, after {after}" if after else self.what
        rows, following, _ = self.client.page(
            where, "objects", [("limit", str(self.limit)), *self.query], self.kind, after
        )
        if following and not rows:
            raise BadAnswer(f"{self.client.name}: {where}: more rows were promised and none came; try again later")
        return rows, following

    def read(self, left: Ranges | None = None) -> Iterator[tuple[Rows, Ranges]]:
        """Every record, page by page in any order, and what is still to be read after each page."""
        if left is None:
            rows, following = self.page("")
            self._once(rows, following)
            if not following:
                yield rows, []
                return
            self.step = _step(rows, following)
            if self.step is None:
                yield rows, [[following, "page"]]
                left = [[following, "page"]]
            else:
                left = self._ranges(int(following))
                yield rows, left
        if left and left[0][1] == "page":
            yield from self._page_by_page(left[0][0])
        elif left:
            yield from self._side_by_side([Range(int(a), int(e) if e else None) for a, e in left])

    def _page_by_page(self, after: str) -> Iterator[tuple[Rows, Ranges]]:
        moving = Moving(f"{self.client.name}: {self.what}")
        while after:
            rows, following = self.page(moving.next(after))
            yield rows, [[following, "page"]] if following else []
            after = following

    def _ranges(self, after: int) -> Ranges:
        """Cut what comes after an id into ranges; one where that is not worth it, or nothing is known of its end."""
        client = self.client
        try:
            rows, total = find(client, f"{self.what}, the last one", self.kind, [], [], 1, down=True)
        except SourceError:
            return [[str(after), ""]]
        top = int(rows[0]["id"]) if rows else after
        number = min(client.options.at_once, max(total // (self.limit * WORTH), 1))
        if number == 1 or top <= after:
            return [[str(after), ""]]
        cuts = [after + (top - after) * n // number for n in range(number + 1)]
        return [[str(a), str(e)] for a, e in pairwise(cuts)] + [[str(top), ""]]

    def _side_by_side(self, left: list[Range]) -> Iterator[tuple[Rows, Ranges]]:
        seen = [1.0]  # ids a row, as seen on the last page
        with ThreadPoolExecutor(self.client.options.at_once) as pool:
            running: dict[Future[tuple[Rows, str]], Range] = {}
            waiting = list(left)
            while waiting or running:
                while waiting and len(running) < self.client.options.at_once:
                    span = waiting.pop(0)
                    running[pool.submit(self.page, str(span.after))] = span
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    span = running.pop(future)
                    rows, following = future.result()
                    ids = self._proven(span, rows, following)
                    if len(ids) > 1:
                        seen[0] = max((ids[-1] - ids[0]) / len(ids), 1.0)
                    end = None if span.end is None else span.end - (self.step or 0)
                    inside = [r for r, i in zip(rows, ids, strict=True) if end is None or i <= end]
                    if following and (end is None or ids[-1] < end):
                        span.after = int(following)
                        waiting.append(span)
                    else:
                        left.remove(span)
                        waiting += _half(left, seen[0] * self.limit * WORTH)
                    yield inside, [[str(r.after), "" if r.end is None else str(r.end)] for r in left]

    def _once(self, rows: Rows, following: str) -> None:
        """BadAnswer when the first page has a row twice, or lacks the one that it leads on from."""
        ids = [int(row["id"]) for row in rows if str(row["id"]).isdecimal()]
        beyond = following.isdecimal() and bool(ids) and int(following) > max(ids) + 1
        if len(set(ids)) < len(ids) or beyond:
            raise BadAnswer(
                f"{self.client.name}: {self.what}: a row of the first page came twice or is missing; try again later"
            )

    def _proven(self, span: Range, rows: Rows, following: str) -> list[int]:
        """The ids of a page; BadAnswer unless they go up from where it begins and lead to the next one."""
        ids = [int(row["id"]) for row in rows]
        step = _step(rows, following) if following else self.step
        lowest = span.after + (1 if self.step == 0 else 0)
        if ids and (ids[0] < lowest or ids != sorted(set(ids))):
            raise BadAnswer(
                f"{self.client.name}: {self.what}, after {span.after}: rows came twice or in no order, so others may "
                "be missing; try again later"
            )
        if following and (step is None or self.step not in (None, step)):
            raise BadAnswer(
                f"{self.client.name}: {self.what}, after {span.after}: the page does not lead on from its last row; "
                "try again later"
            )
        self.step = step
        return ids


def _step(rows: Rows, following: str) -> int | None:
    """How far a page's cursor is from its last id; None where the list does not go on after ids, in their order."""
    ids = [int(r["id"]) for r in rows if str(r["id"]).isdecimal()]
    if len(ids) != len(rows) or ids != sorted(set(ids)) or not following.isdecimal():
        return None
    step = int(following) - ids[-1]
    return step if step in (0, 1) else None


def _half(left: list[Range], worth: float) -> list[Range]:
    """The second half of the longest range that has an end, as a range of its own; none where it is too short."""
    ended = [r for r in left if r.end is not None]
    if not ended:
        return []
    longest = max(ended, key=lambda r: (r.end or 0) - r.after)
    assert longest.end is not None
    if longest.end - longest.after <= worth:
        return []
    half = Range((longest.after + longest.end) // 2, longest.end)
    longest.end = half.after
    left.append(half)
    return [half]
