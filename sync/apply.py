"""Writes a plan: rows, history, rejects and the cursor in one transaction, so that a kill leaves all of it or none."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Insert, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from connectors.base import RejectDraft
from models import Reject, StreamCursor
from models.base import core, new_id
from models.frames import Frame, typed
from sync.plan import Plan
from sync.targets import TARGETS, Target

CHUNK = 5000  # ids in one IN list; SQLite takes at most 32,766 bound values


def filled(rows: pd.DataFrame, target: Target) -> pd.DataFrame:
    """Where a column may not be unknown, what the source left out is the column's own default: no title is ""."""
    table = core(target.table)
    defaults = {
        name: table.c[name].default.arg  # type: ignore[union-attr]
        for name in target.columns
        if name in rows and not table.c[name].nullable and table.c[name].default is not None
    }
    return rows.fillna({name: value for name, value in defaults.items() if not callable(value)})


def stored_rows(connection: Connection, source: str, target: Target, ids: Sequence[str]) -> pd.DataFrame:
    """What is stored of these rows of a source, typed like drafts."""
    table = core(target.table)
    names = ("external_id", *target.columns)
    rows: list[Any] = []
    for start in range(0, len(ids), CHUNK):
        wanted = table.c.external_id.in_(ids[start : start + CHUNK])
        query = select(*(table.c[n] for n in names)).where(table.c.connection == source, wanted)
        rows += connection.execute(query).all()
    return _instants(typed(pd.DataFrame(rows, columns=list(names), dtype="object"), Frame(target.table, names)))


def _instants(frame: pd.DataFrame) -> pd.DataFrame:
    """Instants keep their second and zone, unlike days."""
    for column in ("modified_at", "changed_at", "removed_at"):
        if column in frame:
            frame[column] = pd.to_datetime(frame[column], utc=True).astype("datetime64[us, UTC]")
    return frame


def live_ids(connection: Connection, source: str, target: Target) -> set[str]:
    """The ids of every row of a source that is not gone."""
    return set(connection.scalars(select(core(target.table).c.external_id).where(*_live(source, target))))


def live_count(connection: Connection, source: str, target: Target) -> int:
    """How many rows of a source are not gone."""
    query = select(func.count()).select_from(core(target.table)).where(*_live(source, target))
    return connection.scalar(query) or 0


def is_empty(connection: Connection, source: str, target: Target) -> bool:
    """Whether nothing of a source was ever stored, gone rows included."""
    table = core(target.table).c
    return connection.execute(select(table.external_id).where(table.connection == source).limit(1)).first() is None


def _live(source: str, target: Target) -> list[Any]:
    table = core(target.table).c
    return [table.connection == source, *([table.removed_at.is_(None)] if "removed_at" in table else [])]


def apply(connection: Connection, source: str, stream: str, plan: Plan, run_id: str, now: datetime) -> None:
    """Write what a plan says; the caller's transaction also holds the cursor."""
    target = TARGETS[stream]
    table = core(target.table)
    rows = pd.concat([plan.create, plan.change]) if len(plan.change) else plan.create
    for start in range(0, len(rows), CHUNK):
        records = to_records(rows.iloc[start : start + CHUNK], table)
        for record in records:
            record["connection"] = source
            if "id" in table.c:
                record["id"] = new_id()
            if "removed_at" in table.c:
                record["removed_at"] = None
        connection.execute(upsert(connection, table, target.columns), records)
    for start in range(0, len(plan.remove), CHUNK):
        here = (table.c.connection == source, table.c.external_id.in_(plan.remove[start : start + CHUNK]))
        if "removed_at" in table.c:
            connection.execute(update(table).where(*here).values(removed_at=now))
        else:  # an identity that left the source keeps its row: its deals still point at it
            connection.execute(update(table).where(*here).values(active=False))
    if target.changes is not None and len(plan.history):
        seen = {"connection": source, "seen_at": now, "run_id": run_id}
        history = [{**record, **seen} for record in plan.history.to_dict("records")]
        connection.execute(core(target.changes).insert(), history)


def upsert(connection: Connection, table: Any, columns: Sequence[str]) -> Insert:
    """Insert, or change the row with the same connection and external id; the same statement on both databases."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    changed = {name: statement.excluded[name] for name in columns}
    return statement.on_conflict_do_update(index_elements=["connection", "external_id"], set_=changed)


def to_records(frame: pd.DataFrame, table: Any) -> list[dict[str, Any]]:
    """Rows as the database driver takes them: plain Python values, None where unknown."""
    columns: dict[str, list[Any]] = {}
    for name in frame.columns:
        if name not in table.c:
            continue
        series = frame[name]
        if series.dtype.kind == "M":
            plain = series.dt.to_pydatetime() if "UTC" in str(series.dtype) else series.dt.date
        else:
            plain = series.astype("object")
        missing = series.isna().to_numpy()
        columns[name] = [None if gone else value for gone, value in zip(missing, plain, strict=True)]
    names = list(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def keep_cursor(
    connection: Connection, source: str, stream: str, cursor: Mapping[str, Any], run_id: str, now: datetime
) -> None:
    """Remember where a stream stopped, in the transaction of the rows it stands for."""
    table = core(StreamCursor)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {"cursor": dict(cursor), "run_id": run_id, "updated_at": now}
    statement = insert(table).values(connection=source, stream=stream, checks={}, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["connection", "stream"], set_=row))


def keep_checks(connection: Connection, source: str, stream: str, checks: Mapping[str, str]) -> None:
    """Remember when a stream's lost rows were last looked for, and in which way."""
    table = core(StreamCursor)
    here = (table.c.connection == source, table.c.stream == stream)
    known = connection.scalar(select(table.c.checks).where(*here)) or {}
    if checks and {**known, **checks} != known:
        connection.execute(update(table).where(*here).values(checks={**known, **checks}))


def stored_cursors(connection: Connection, source: str) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
    """Where each stream of a source stopped, and when its lost rows were last looked for."""
    table = core(StreamCursor).c
    rows = connection.execute(select(table.stream, table.cursor, table.checks).where(table.connection == source))
    return {row.stream: (row.cursor, row.checks or {}) for row in rows}


def keep_rejects(
    connection: Connection,
    source: str,
    stream: str,
    rejects: Iterable[RejectDraft],
    mended: Iterable[str],
    run_id: str,
    now: datetime,
) -> None:
    """Keep each rejected row once, with when it was first and last seen; drop those that came in well since."""
    table = core(Reject)
    done = list(mended)
    for start in range(0, len(done), CHUNK):
        here = (table.c.connection == source, table.c.stream == stream)
        connection.execute(delete(table).where(*here, table.c.external_id.in_(done[start : start + CHUNK])))
    rows = {
        reject.external_id: {
            **vars(reject),
            "raw_value": reject.raw_value[:500],
            "connection": source,
            "stream": stream,
        }
        for reject in rejects
    }
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    kept = {
        name: statement.excluded[name] for name in next(iter(rows.values())) if name not in ("connection", "stream")
    }
    kept |= {"last_seen_at": statement.excluded.last_seen_at, "run_id": statement.excluded.run_id}
    statement = statement.on_conflict_do_update(index_elements=["connection", "stream", "external_id"], set_=kept)
    seen = {"first_seen_at": now, "last_seen_at": now, "run_id": run_id}
    connection.execute(statement, [{**row, **seen} for row in rows.values()])
