"""Writes a plan: rows, history, rejects and the cursor in one transaction, so that a kill leaves all of it or none."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import repeat
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, Table, bindparam, delete, func, select, update

from connectors.base import RejectDraft
from models import Objective, Reject, StreamCursor
from models.base import core, insert_into, new_id
from models.frames import Frame, typed
from sync.plan import Plan
from sync.targets import TARGETS, Target

CHUNK = 5000  # ids in one IN list; SQLite takes at most 32,766 bound values
INSTANTS = ["modified_at", "changed_at", "removed_at"]
ROWS = 1000  # rows handed to the driver at a time


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
    if not ids:
        return _none_of(target)
    table = core(target.table)
    names = ("external_id", *target.columns)
    rows: list[Any] = []
    for start in range(0, len(ids), CHUNK):
        wanted = table.c.external_id.in_(ids[start : start + CHUNK])
        query = select(*(table.c[n] for n in names)).where(table.c.connection == source, wanted)
        rows += connection.execute(query).all()
    return _typed(pd.DataFrame(rows, columns=list(names), dtype="object"), target)


@cache
def _none_of(target: Target) -> pd.DataFrame:
    return _typed(pd.DataFrame(columns=["external_id", *target.columns], dtype="object"), target)


def _typed(raw: pd.DataFrame, target: Target) -> pd.DataFrame:
    frame = typed(raw, Frame(target.table, tuple(raw.columns)))
    for name in frame.columns.intersection(INSTANTS):  # to the microsecond and with their zone, unlike days
        frame[name] = pd.to_datetime(raw[name], utc=True).astype("datetime64[us, UTC]")
    return frame


def live_ids(connection: Connection, source: str, target: Target) -> set[str]:
    """The ids of every row of a source that is not gone."""
    return set(connection.scalars(select(core(target.table).c.external_id).where(*_live(source, target))))


def removed_ids(connection: Connection, source: str, target: Target) -> set[str]:
    """The ids of the rows of a source that are stored as gone."""
    table = core(target.table).c
    if "removed_at" not in table:
        return set()
    here = (table.connection == source, table.removed_at.is_not(None))
    return set(connection.scalars(select(table.external_id).where(*here)))


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


def written_here(connection: Connection, source: str, target: Target, rows: pd.DataFrame) -> set[str]:
    """The ids of a source's rows that their owner has changed here since: they are the owner's, and no import
    touches them. A key result is its objective's."""
    table = core(target.table).c
    if "written_here" not in table:
        return set()
    own = select(table.external_id).where(table.connection == source, table.written_here.is_(True))
    found = set(connection.scalars(own))
    if "objective_id" in rows:
        goals = core(Objective).c
        taken = set(
            connection.scalars(select(goals.id).where(goals.connection == source, goals.written_here.is_(True)))
        )
        found |= set(rows.loc[rows["objective_id"].isin(taken), "external_id"])
    return found


def apply(connection: Connection, source: str, stream: str, plan: Plan, run_id: str, now: datetime) -> None:
    """Write what a plan says; the caller's transaction also holds the cursor."""
    target = TARGETS[stream]
    table = core(target.table)
    rows = pd.concat([plan.create, plan.change]) if len(plan.change) else plan.create
    if len(rows):
        _write(connection, source, table, target.columns, rows)
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


def set_indexes_aside(connection: Connection, target: Target) -> None:
    """Before the first rows of an empty table: its indexes are made once at the end instead of row by row, which takes
    a third of the time of writing. SQLite only: there it is part of the batch's own transaction and locks nobody out.
    """
    table = core(target.table)
    if connection.dialect.name == "sqlite" and connection.execute(select(table).limit(1)).first() is None:
        for index in table.indexes:
            if not index.unique:
                index.drop(connection, checkfirst=True)


def make_indexes(connection: Connection, target: Target) -> None:
    """With the last batch of any pull: the indexes that are not there, also those that a killed run set aside."""
    if connection.dialect.name == "sqlite":
        for index in core(target.table).indexes:
            index.create(connection, checkfirst=True)


def _write(connection: Connection, source: str, table: Table, columns: Sequence[str], rows: pd.DataFrame) -> None:
    """Insert rows, or change those with the same connection and external id, some at a time.

    The statement is compiled once and the values go to the driver as columns of text and numbers: a third of the time
    of handing over one dict a row.
    """
    given = [name for name in rows.columns if name in table.c and name != "removed_at"]
    always = {c.name: c.default.arg for c in table.columns if c.default is not None and c.name not in given}  # type: ignore[attr-defined]
    always = {name: value for name, value in always.items() if not callable(value)}
    always |= {"connection": source} | ({"removed_at": None} if "removed_at" in table.c else {})
    names = [*given, *always, *(["id"] if "id" in table.c else [])]
    statement = insert_into(connection, table).values({name: bindparam(name) for name in names})
    changed = {name: statement.excluded[name] for name in columns}
    statement = statement.on_conflict_do_update(index_elements=["connection", "external_id"], set_=changed)
    style = "format" if connection.dialect.name == "postgresql" else "qmark"
    dialect: Any = type(connection.dialect)
    compiled: Any = statement.compile(dialect=dialect(paramstyle=style))
    for start in range(0, len(rows), ROWS):
        part = rows.iloc[start : start + ROWS]
        values: dict[str, Iterable[Any]] = {name: plain(part[name]) for name in given}
        values |= {name: repeat(value) for name, value in always.items()}
        values["id"] = (new_id() for _ in range(len(part)))
        ordered = [values[name] for name in compiled.positiontup]
        connection.exec_driver_sql(compiled.string, list(zip(*ordered, strict=False)))


def plain(series: "pd.Series[Any]") -> list[Any]:
    """A column as both drivers take it: text, numbers, days and instants in UTC as ISO text, None where unknown."""
    if series.dtype.kind == "M":
        instants = series.dt.tz is not None
        column = pa.array(series.dt.tz_localize(None) if instants else series, from_pandas=True)
        column = column.cast(pa.timestamp("us") if instants else pa.date32()).cast(pa.string())
    else:
        column = pa.array(series, from_pandas=True)
    found: list[Any] = column.to_pylist()
    return found


def keep_cursor(
    connection: Connection, source: str, stream: str, cursor: Mapping[str, Any], run_id: str, now: datetime
) -> None:
    """Remember where a stream stopped, in the transaction of the rows it stands for."""
    table = core(StreamCursor)
    row = {"cursor": dict(cursor), "run_id": run_id, "updated_at": now}
    statement = insert_into(connection, table).values(connection=source, stream=stream, checks={}, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["connection", "stream"], set_=row))


def keep_checks(connection: Connection, source: str, stream: str, checks: Mapping[str, str]) -> None:
    """Remember when a stream's lost rows were last looked for, and in which way."""
    table = core(StreamCursor)
    here = (table.c.connection == source, table.c.stream == stream)
    known = connection.scalar(select(table.c.checks).where(*here)) or {}
    if checks and {**known, **checks} != known:
        connection.execute(update(table).where(*here).values(checks={**known, **checks}))


def forget_check(connection: Connection, source: str, stream: str, check: str) -> None:
    """Have a check made again by the next run, whenever it was made last."""
    table = core(StreamCursor)
    here = (table.c.connection == source, table.c.stream == stream)
    known = connection.scalar(select(table.c.checks).where(*here)) or {}
    if check in known:
        left = {name: when for name, when in known.items() if name != check}
        connection.execute(update(table).where(*here).values(checks=left))


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
    here = (table.c.connection == source, table.c.stream == stream)
    done = list(mended) if connection.execute(select(table.c.external_id).where(*here).limit(1)).first() else []
    for start in range(0, len(done), CHUNK):
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
    statement = insert_into(connection, table)
    kept = {
        name: statement.excluded[name] for name in next(iter(rows.values())) if name not in ("connection", "stream")
    }
    kept |= {"last_seen_at": statement.excluded.last_seen_at, "run_id": statement.excluded.run_id}
    statement = statement.on_conflict_do_update(index_elements=["connection", "stream", "external_id"], set_=kept)
    seen = {"first_seen_at": now, "last_seen_at": now, "run_id": run_id}
    connection.execute(statement, [{**row, **seen} for row in rows.values()])
