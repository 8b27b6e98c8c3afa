"""Bulk API 2.0 queries: a job runs in the org, its rows come as CSV and are kept as columns.

The SDK's own bulk client keeps a session for ever and never renews it; here every call goes through the client.
Jobs are ordered like every other query, so that a job that fails or runs out is gone on with after the last row
that was kept, by another job or page by page.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv

from connectors.errors import BadAnswer, NotAllowed, SourceError, TryAgainLater
from connectors.guard import Moving
from connectors.salesforce.client import Client
from connectors.salesforce.soql import Reading

ROWS = 10_000  # of one result page; about 3 MB of text
WAIT, PATIENCE = 0.2, 3600.0
"""Seconds to the first look at a job, and how long a job may take altogether."""


class JobFailed(SourceError):
    """A job that came to nothing in the org; what it would have read can be read otherwise."""


@dataclass(frozen=True)
class Part:
    """One page of a job's rows, all as text, and where the next one begins ("" at the end)."""

    table: pa.Table
    job: str
    locator: str


def start(client: Client, reading: Reading, what: str) -> str:
    """Begin a job; its id."""
    body = {"operation": reading.verb, "query": reading.soql, "contentType": "CSV"}
    answer = client.call("POST", client.path("jobs/query"), f"{client.name}: {what}, bulk job", body)
    job = answer.body.get("id") if isinstance(answer.body, dict) else None
    if not isinstance(job, str) or not job.isalnum():
        raise BadAnswer(f"{client.name}: {what}: the bulk job was begun without an id; try again later")
    return job


def parts(
    client: Client, job: str, locator: str, what: str, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Part]:
    """Wait for a job and give its rows from a locator on. JobFailed when it failed, was stopped or is gone.

    Read from its beginning, it gives as many rows as the job itself counted, or the last of them are not given.
    """
    where = f"{client.name}: {what}, bulk job {job}"
    counted = _wait(client, job, where, sleep)
    moving, seen, whole = Moving(where), 0, not locator
    while True:
        params = {"maxRecords": str(ROWS)} | ({"locator": locator} if locator else {})
        try:
            answer = client.call("GET", client.path(f"jobs/query/{job}/results", **params), where, text=True)
        except NotAllowed as error:
            raise JobFailed(f"{where}: its rows are no longer kept ({error})") from None
        promised, locator = answer.headers.get("Sforce-NumberOfRecords"), answer.headers.get("Sforce-Locator", "null")
        table = as_columns(answer.body, where)
        if promised is None or int(promised) != table.num_rows:
            raise BadAnswer(
                f"{where}: {promised} rows were promised and {table.num_rows} came; nothing of them was kept"
            )
        locator = "" if locator == "null" else moving.next(locator)
        seen += table.num_rows
        if whole and not locator and counted is not None and seen != counted:
            raise BadAnswer(f"{where}: the job counted {counted} rows and {seen} came; it is read again")
        yield Part(table, job, locator)
        if not locator:
            return


def drop(client: Client, job: str, what: str) -> None:
    """Let the org forget a job that was read; it would do so by itself after seven days."""
    try:
        client.call("DELETE", client.path(f"jobs/query/{job}"), f"{client.name}: {what}, bulk job {job}", text=True)
    except SourceError:
        return  # nothing hangs on it


def _wait(client: Client, job: str, where: str, sleep: Callable[[float], None]) -> int | None:
    """Wait until a job has ended well; how many rows it says that it has."""
    pause, waited = WAIT, 0.0
    while True:
        try:
            answer = client.get(f"jobs/query/{job}", where).body
        except NotAllowed:
            raise JobFailed(f"{where}: it is not there any more") from None
        facts: dict[str, Any] = answer if isinstance(answer, dict) else {}
        state = facts.get("state")
        if state == "JobComplete":
            rows = facts.get("numberRecordsProcessed")
            return rows if isinstance(rows, int) else None
        if state not in ("UploadComplete", "InProgress"):
            raise JobFailed(f"{where}: it ended as {state}: {str(facts.get('errorMessage', ''))[:120]}")
        if waited > PATIENCE:
            raise TryAgainLater(f"{where}: it has not ended after {waited:.0f} s; the next run looks again")
        sleep(pause)
        waited += pause
        pause = min(pause * 1.6, 10.0)


def as_columns(body: bytes, where: str) -> pa.Table:
    """CSV as columns of text; an empty field is unknown. BadAnswer when it is not CSV."""
    if body.lstrip()[:1] == b"<":
        raise BadAnswer(f"{where}: the server answered with a web page instead of rows; try again later")
    if not body.strip():
        raise BadAnswer(f"{where}: the server answered with nothing instead of rows; try again later")
    names = [name.strip('"') for name in body.split(b"\n", 1)[0].decode("utf-8", "replace").strip().split(",")]
    try:
        return pc_csv.read_csv(
            pa.BufferReader(body),
            read_options=pc_csv.ReadOptions(block_size=max(len(body), 1 << 20), use_threads=False),
            parse_options=pc_csv.ParseOptions(newlines_in_values=True),
            convert_options=pc_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
    except pa.ArrowInvalid as error:
        raise BadAnswer(f"{where}: the rows cannot be read ({str(error)[:80]}); try again later") from None


def flags(table: pa.Table, names: set[str]) -> pa.Table:
    """The columns of true and false as such; everything else stays text."""
    for index, name in enumerate(table.column_names):
        if name in names:
            table = table.set_column(index, name, pc.equal(table[name], "true"))
    return table
