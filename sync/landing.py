"""Source rows as received, kept as Parquet: landing/<connection>/<stream>/<run>/<number>.parquet.

A mapping fix can be replayed from them without asking the source again, and a number opens to the row as received.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.base import Batch

ROWS = 5000  # rows stored in one transaction


@dataclass(frozen=True)
class Landed:
    """One landed batch: `begins` is the first one of a whole read, `ends` the last one of any read."""

    path: Path
    begins: bool
    ends: bool


def land(folder: Path, connection: str, run_id: str, number: int, batch: Batch, begins: bool = False) -> Path:
    """Write one batch durably, its facts with it; a half-written file never has the final name."""
    place = folder / connection / batch.stream / run_id
    place.mkdir(parents=True, exist_ok=True)
    target = place / f"{number:05}.parquet"
    about = {"facts": batch.facts, "part": {"begins": begins, "ends": batch.last}}
    said = {key.encode(): json.dumps(value, default=str).encode() for key, value in about.items()}
    table = batch.table.replace_schema_metadata({**(batch.table.schema.metadata or {}), **said})
    draft = target.with_suffix(".part")
    pq.write_table(table, draft, compression="zstd")
    os.replace(draft, target)
    return target


def open_batch(landed: Landed) -> Batch:
    """A landed batch as it was received."""
    table = pq.read_table(landed.path)
    facts = json.loads((table.schema.metadata or {}).get(b"facts", b"{}"))
    return Batch(landed.path.parent.parent.name, table, {}, facts)


def since_whole(
    folder: Path, connection: str, stream: str, started: Mapping[str, datetime]
) -> tuple[list[Landed], bool]:
    """What was landed of a stream, the newest first, back to the beginning of its newest whole read.

    `started` says when each run did. False: no whole read is kept, so that these are not all of its rows.
    """
    found: list[Landed] = []
    ended = False
    for path in _newest_first(folder, connection, stream, started):
        said = json.loads((pq.read_schema(path).metadata or {}).get(b"part", b"{}"))
        found.append(Landed(path, bool(said.get("begins")), bool(said.get("ends"))))
        ended |= found[-1].ends
        if found[-1].begins and ended:
            return found, True
    return found, False


def prune(folder: Path, connection: str, started: Mapping[str, datetime], before: datetime) -> int:
    """Let go of what was landed before a moment and is older than its stream's newest whole read; answers how many."""
    gone = 0
    for place in sorted(p for p in (folder / connection).glob("*") if p.is_dir()):
        old = [p for p in place.iterdir() if p.is_dir() and not (p.name in started and started[p.name] >= before)]
        kept, whole = since_whole(folder, connection, place.name, started) if old else ([], False)
        if not whole:  # most runs end here, and no file is opened for them
            continue
        needed = {landed.path for landed in kept}
        for run in old:
            for path in [p for p in run.glob("*.parquet") if p not in needed]:
                path.unlink()
                gone += 1
            if not any(run.iterdir()):
                run.rmdir()
    return gone


def _newest_first(folder: Path, connection: str, stream: str, started: Mapping[str, datetime]) -> list[Path]:
    paths = [p for p in (folder / connection / stream).glob("*/*.parquet") if p.parent.name in started]
    # Runs of the same moment, as with --now, are told apart by when their files were written.
    return sorted(paths, key=lambda p: (started[p.parent.name], p.stat().st_mtime_ns, p.name), reverse=True)


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
