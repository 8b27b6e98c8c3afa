"""Source rows as received, kept as Parquet: landing/<connection>/<stream>/<run>/<number>.parquet.

A mapping fix can be replayed from them without asking the source again, and a number opens to the row as received.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.base import Batch

ROWS = 5000  # rows stored in one transaction


def land(folder: Path, connection: str, run_id: str, number: int, batch: Batch) -> Path:
    """Write one batch durably, its facts with it; a half-written file never has the final name."""
    place = folder / connection / batch.stream / run_id
    place.mkdir(parents=True, exist_ok=True)
    target = place / f"{number:05}.parquet"
    facts = {b"facts": json.dumps(batch.facts, default=str).encode()}
    table = batch.table.replace_schema_metadata({**(batch.table.schema.metadata or {}), **facts})
    draft = target.with_suffix(".part")
    pq.write_table(table, draft, compression="zstd")
    os.replace(draft, target)
    return target


def gather(batches: Iterator[Batch], rows: int = ROWS) -> Iterator[Batch]:
    """Join a source's small pages into batches worth a transaction each; the cursor is the last page's."""
    waiting: list[Batch] = []
    for batch in batches:
        waiting.append(batch)
        if batch.last or sum(b.table.num_rows for b in waiting) >= rows:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(pages: list[Batch]) -> Batch:
    if len(pages) == 1:
        return pages[0]
    filled = [page.table for page in pages if page.table.num_rows] or [pages[-1].table]
    return replace(pages[-1], table=pa.concat_tables(filled, promote_options="permissive"))
