"""Reads a query slice by slice, by pages or as a bulk job, and goes on after the last good row when a slice fails."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.errors import BadAnswer
from connectors.salesforce import bulk
from connectors.salesforce.bulk import JobFailed
from connectors.salesforce.client import Client
from connectors.salesforce.objects import FLAGS
from connectors.salesforce.refusals import LocatorGone, QueryTimeout, RowsMissing
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
            except (JobFailed, BadAnswer, LocatorGone, QueryTimeout):
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
    try:
        return client.count(reading.verb, reading.count, what) >= client.options.bulk_from
    except QueryTimeout:
        return True  # a job has more time


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
    misses = short = 0
    while True:
        begun, got, large = reading, 0, False
        try:
            for page in client.pages(reading.verb, reading.soql, what):
                large = bulk_next and bool(reading.stamp) and page.total >= client.options.bulk_from
                if large:
                    break
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
        except RowsMissing:  # perhaps of an earlier page: the whole query comes again
            reading, short = begun, short + 1
            if short == MISSES:
                raise
        except (BadAnswer, LocatorGone):
            misses += 1
            if misses == MISSES:
                raise
        if large:
            yield from slices(client, replace(reading, limit=None), what, large=True)
            return


def columns(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pa.Table:
    """Records as columns of text, numbers as their source wrote them; the rest is spelt as in a bulk job."""
    found: dict[str, pa.Array] = {}
    for name in names:
        if name in FLAGS:
            found[name] = pa.array([r.get(name) for r in records], pa.bool_())
        else:
            found[name] = pa.array([_text(r.get(name)) for r in records], pa.string())
    return pa.table(found)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or value == "" else str(value)
