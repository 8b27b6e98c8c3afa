"""Bulk API 2.0 query jobs: a query runs in the background, and its rows come as pages of CSV."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sandbox.http import Request, Response


@dataclass
class Job:
    """One job: the rows as they were when it was begun, and how often it was asked after."""

    id: str
    operation: str
    query: str
    object: str
    names: list[str]
    rows: list[tuple[Any, ...]]
    failed: bool = False
    asked: int = 0


@dataclass
class Jobs:
    """Every job of the org. `polls` is how often one says that it still works; `failing` how many will come to nothing.

    `cut` is how many pages of results will say that they are the last although more rows follow.
    """

    polls: int = 1
    cut: int = 0
    failing: int = 0
    kept: dict[str, Job] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def start(self, operation: str, query: str, name: str, names: list[str], rows: list[Any]) -> Job:
        """Begin a job over rows found now."""
        job = Job(
            f"750Sa{next(self.numbers):013}", operation, query, name, names, [tuple(map(r.get, names)) for r in rows]
        )
        if self.failing:
            self.failing -= 1
            job.failed = True
        self.kept[job.id] = job
        return job

    def expire(self) -> None:
        """Seven days later: nothing of a job is kept."""
        self.kept.clear()

    def facts(self, job: Job, now: datetime, asked: bool = True) -> dict[str, Any]:
        """What the service says of a job."""
        job.asked += asked
        state = "InProgress" if job.asked <= self.polls else ("Failed" if job.failed else "JobComplete")
        facts: dict[str, Any] = {
            "id": job.id, "operation": job.operation, "object": job.object, "createdById": "005000000000000AAA",
            "createdDate": now, "systemModstamp": now, "state": "UploadComplete" if not asked else state,
            "concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": 66.0, "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }  # fmt: skip
        if state == "JobComplete" and asked:
            facts |= {"numberRecordsProcessed": len(job.rows), "retries": 0, "totalProcessingTime": 1}
        if state == "Failed" and asked:
            facts["errorMessage"] = "InternalServerError: the job was tried 15 times"
        return facts

    def results(self, job: Job, request: Request) -> Response:
        """One page of CSV; the header says how many rows it has and where the next one begins."""
        at = int(request.one("locator") or 0)
        size = int(request.one("maxRecords") or 50_000)
        part = job.rows[at : at + size]
        text = io.StringIO()
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(job.names)
        writer.writerows([map(_spelt, row) for row in part])
        more = at + size < len(job.rows)
        after = str(at + size) if more and not self.cut else "null"
        self.cut -= bool(more and self.cut)
        headers = {"Sforce-Locator": after, "Sforce-NumberOfRecords": str(len(part))}
        return Response(200, text.getvalue().encode(), "text/csv; charset=UTF-8", headers)


FORMS: dict[type, Callable[[Any], str]] = {
    bool: lambda v: "true" if v else "false",
    datetime: lambda v: v.astimezone(UTC).isoformat(timespec="seconds")[:19] + ".000Z",
}
"""How values are spelt in CSV, where that is not how Python spells them; nothing is an empty field."""


def _spelt(value: Any) -> Any:
    form = FORMS.get(type(value))
    return value if form is None else form(value)


def fewer(body: bytes, duplicate: bool) -> bytes:
    """CSV with its last row missing, or its first row in the place of the last."""
    lines = body.decode().splitlines(keepends=True)
    if len(lines) < 2:
        return body
    return "".join([*lines[:-1], *([lines[1]] if duplicate else [])]).encode()
