"""Reads a query slice by slice, by pages or as a bulk job, and goes on after the last good row when a slice fails."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.errors import BadAnswer
from connectors.salesforce import bulk
from connectors.salesforce.bulk import JobFailed
from connectors.salesforce.client import Client, LocatorGone, QueryTimeout
from connectors.salesforce.objects import FLAGS
from connectors.salesforce.soql import Place, Reading

MISSES = 3  # slices in a row that bring nothing before a stream gives up for this run
BITE, SMALLEST = 40_000, 200
"""Rows of the first smaller bite after a query that took too long, and of the smallest."""


@dataclass(frozen=True)
class Slice:
    """Some rows as columns, the place after them, and whether they are the last ones."""

    table: pa.Table
    place: Place | None
    last: bool
    job: str = ""
    locator: str = ""


def slices(
    client: Client, reading: Reading, what: str, job: str = "", locator: str = "", large: bool | None = None
) -> Iterator[Slice]:
    """Every row of a query, each once. A job that was begun earlier is gone on with.

    Large ones run as bulk jobs, small ones page by page. After an answer that cannot be proven whole (rows missing,
    rows twice, a web page) nothing of it is kept, and a new query goes on after the last row that was.
    """
    large = large if large is not None else bool(job) or _is_large(client, reading, what)
    if large:
        place, done = reading.after, False
        for attempt in (1, 2):
            try:
                for found in _bulk(client, reading, what, job, locator):
                    place, done = found.place or place, found.last
                    yield found
            except (JobFailed, BadAnswer, LocatorGone):
                reading = reading if place is None else reading.on_from(place)
                job = locator = ""
                if attempt == 2:
                    break  # page by page, then
                continue
            break
        if done:
            return
    yield from _paged(client, reading, what, not large)


def _is_large(client: Client, reading: Reading, what: str) -> bool:
    if reading.limit or not reading.stamp:
        return False
    if reading.since is not None and reading.after is None:
        return False  # a window: usually small, and its first page tells how large it is
    return client.count(reading.verb, reading.count, what) >= client.options.bulk_from


def _bulk(client: Client, reading: Reading, what: str, job: str, locator: str) -> Iterator[Slice]:
    job = job or bulk.start(client, reading, what)
    misses, place = 0, reading.after
    while True:
        try:
            for part in bulk.parts(client, job, locator, what):
                table = bulk.flags(part.table, FLAGS)
                if pc.count_distinct(table["Id"]).as_py() != table.num_rows:
                    raise BadAnswer(f"{client.name}: {what}: a row came twice, so another is missing")
                place = _place(table, reading.stamp) or place
                misses, locator = 0, part.locator
                yield Slice(table, place, not locator, job, locator)
        except BadAnswer:
            misses += 1
            if misses == MISSES:
                raise
            continue
        bulk.drop(client, job, what)
        return


def _place(table: pa.Table, stamp: str) -> Place | None:
    if not table.num_rows:
        return None
    return Place(str(table[stamp][-1].as_py()) if stamp else "", str(table["Id"][-1].as_py()))


def _paged(client: Client, reading: Reading, what: str, bulk_next: bool) -> Iterator[Slice]:
    misses = 0
    while True:
        got = 0
        try:
            for page in client.pages(reading.verb, reading.soql, what):
                if bulk_next and reading.stamp and page.total >= client.options.bulk_from:
                    yield from slices(client, reading, what, large=True)
                    return
                bulk_next = False
                table = columns(page.records, reading.fields)
                got += len(page.records)
                more = page.last and reading.limit is not None and got >= reading.limit
                place = _place(table, reading.stamp) or reading.after
                if page.records:
                    misses = 0
                yield Slice(table, place, page.last and not more)
                if place is not None:
                    reading = replace(reading, after=place)
                if page.last and not more:
                    return
        except QueryTimeout:
            if reading.limit is not None and reading.limit <= SMALLEST:
                raise
            reading = replace(reading, limit=max((reading.limit or 2 * BITE) // 2, SMALLEST))
        except (BadAnswer, LocatorGone):
            misses += 1
            if misses == MISSES:
                raise


def columns(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pa.Table:
    """Records as columns of text, numbers as their source wrote them; an empty text is unknown, as in a bulk job."""
    found: dict[str, pa.Array] = {}
    for name in names:
        if name in FLAGS:
            found[name] = pa.array([r.get(name) for r in records], pa.bool_())
        else:
            values = [r.get(name) for r in records]
            found[name] = pa.array([None if v is None or v == "" else str(v) for v in values], pa.string())
    return pa.table(found)
