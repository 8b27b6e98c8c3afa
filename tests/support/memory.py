"""A source in a dict: the smallest connector there can be, for tests of the engine alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa

from connectors.base import (
    DRAFTS,
    Account,
    Batch,
    Drafts,
    Finding,
    Part,
    RejectDraft,
    SourceTotalDraft,
    Stream,
    draft_frame,
)
from connectors.errors import SourceError
from models.money import to_minor


def deal(external_id: str, **fields: Any) -> dict[str, Any]:
    """A won deal of 100.00 EUR by user u1, unless told otherwise."""
    usual: dict[str, Any] = {
        "name": external_id,
        "status": "won",
        "stage": "s",
        "pipeline": "p",
        "owner_external_id": "u1",
        "currency": "EUR",
    }
    usual |= {"amount_minor": 100_00, "close_day": "2026-11-03", "created_day": "2026-09-01", "removed": False}
    return {"external_id": external_id, **usual, **fields}


def user(external_id: str, **fields: Any) -> dict[str, Any]:
    """A CRM user with an e-mail of their own, unless told otherwise."""
    usual: dict[str, Any] = {"name": external_id.title(), "email": f"{external_id}@example.com", "active": True}
    return {"external_id": external_id, **usual, **fields}


@dataclass
class Memory:
    """A source whose rows are drafts already. `streams_` maps a stream to its rows by external id."""

    kind: ClassVar[str] = "memory"
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    page: int = 3
    broken: set[str] = field(default_factory=set)  # external ids that translate refuses
    fail_at: int | None = None  # the page at which the source stops answering
    error: SourceError = field(default_factory=lambda: SourceError("memory stopped answering; start it again"))
    calls: int = 0
    lie: int = 0  # cents by which the source's own total is off
    silent: set[str] = field(default_factory=set)  # statuses that the source's own totals leave out
    reads: list[Any] = field(default_factory=list)  # cursors that pulls began with

    def check(self) -> list[Finding]:
        """Always well."""
        return [Finding("memory", True)]

    def account(self) -> Account:
        """Euros."""
        return Account(currency="EUR", time_zone="UTC")

    def streams(self) -> list[Stream]:
        """Whatever there are rows of; everything but deals is a snapshot."""
        return [Stream(name, snapshot=name != "deals") for name in DRAFTS if name in self.rows]

    def ready(self, cursors: Mapping[str, Mapping[str, Any]]) -> None:
        """Nothing to ask for ahead."""

    def survey(self, stream: str) -> list[Part] | None:
        """Nothing is counted."""
        return None

    def recheck(self, stream: str, part: Part, known: Sequence[str]) -> Iterator[Batch]:
        """Nothing is read in parts."""
        yield from ()

    def pull(self, stream: str, cursor: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Page by page; deals after the cursor's change number only."""
        self.reads.append(cursor)
        rows = self.rows[stream]
        start = int(cursor["n"]) if cursor and stream == "deals" else 0
        pages = [rows[i : i + self.page] for i in range(start, len(rows), self.page)] or [[]]
        done = start
        for number, part in enumerate(pages):
            self.calls += 1
            if self.fail_at is not None and self.calls >= self.fail_at:
                raise self.error
            done += len(part)
            columns = {n: pa.array([r.get(n) for r in part]) for n in DRAFTS[stream]}
            yield Batch(stream, pa.table(columns), {"n": done}, last=number == len(pages) - 1)

    def translate(self, batch: Batch) -> Drafts:
        """The rows are drafts; the broken ones become rejects that keep their money."""
        rows = batch.table.to_pylist()
        bad = [r for r in rows if r["external_id"] in self.broken]
        good = [r for r in rows if r["external_id"] not in self.broken]
        columns = {n: [r[n] for r in good] for n in DRAFTS[batch.stream]}
        return Drafts(batch.stream, draft_frame(batch.stream, columns, len(good)), [_reject(r) for r in bad])

    def remap(self, batch: Batch) -> Batch:
        """There is no field map."""
        return batch

    def totals(
        self, spans: Sequence[tuple[date, date]], lately: Sequence[tuple[date, date]] = ()
    ) -> list[SourceTotalDraft]:
        """Added up from the latest version of every row, the dumb way."""
        latest = {r["external_id"]: r for r in self.rows.get("deals", [])}
        found: dict[tuple[Any, ...], list[int]] = {}
        for row in latest.values():
            for span in spans:
                told = not row["removed"] and row["status"] not in self.silent
                if told and span[0].isoformat() <= str(row["close_day"]) < span[1].isoformat():
                    key = (*span, row["status"], row["currency"])
                    found.setdefault(key, [0, 0])
                    found[key][0] += row["amount_minor"] or 0
                    found[key][1] += 1
        return [
            SourceTotalDraft(first, end, status, code, cents + self.lie, n, "added up")
            for (first, end, status, code), (cents, n) in found.items()
        ]

    def close(self) -> None:
        """Nothing to let go of."""


def _reject(row: dict[str, Any]) -> RejectDraft:
    day = pd.Timestamp(row["close_day"]).date() if row.get("close_day") else None
    return RejectDraft(
        row["external_id"], "broken on purpose", "name", str(row.get("name")), f"{row['external_id']} is broken",
        "mend it", row.get("status"), row.get("amount_minor"), row.get("currency"), day,
    )  # fmt: skip


def euros(amount: str) -> int:
    """Cents of an amount in euros."""
    return to_minor(amount, "EUR")
