"""A store in which nothing stays, so that a run can be watched before it is made."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pandas as pd
from sqlalchemy import Connection, Engine

from models.database import open_store
from sync.plan import Plan


@contextmanager
def rehearsal(engine: Engine) -> Iterator[tuple[Engine, Path]]:
    """A store that is as the real one is, and a folder for landed files; both are forgotten at the end.

    SQLite has one writer at a time, so it is copied and nobody has to wait. On PostgreSQL it is one transaction that
    is rolled back: readers and other writers go on, only another sync of the same connection waits.
    """
    folder = Path(tempfile.mkdtemp(prefix="beyond-quota-"))
    try:
        if engine.dialect.name == "sqlite":
            copy = open_store(f"sqlite:///{folder / 'store.sqlite3'}", for_runs=True)
            with closing(engine.raw_connection()) as real, closing(copy.raw_connection()) as twin:
                source, target = cast(Any, real.driver_connection), cast(Any, twin.driver_connection)
                source.backup(target)
            try:
                yield copy, folder
            finally:
                copy.dispose()
        else:
            with engine.connect() as connection, connection.begin() as everything:
                try:
                    yield cast(Engine, _OneTransaction(connection)), folder
                finally:
                    everything.rollback()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Samples:
    """The first few rows of each stream that a run would create, change or remove: handed to it as its `watch`."""

    each: int = 5
    streams: dict[str, dict[str, list[Any]]] = field(default_factory=dict)

    def __call__(self, stream: str, todo: Plan, stored: pd.DataFrame) -> None:
        kept = self.streams.setdefault(stream, {"create": [], "change": [], "remove": []})
        first = todo.change.head(self.each - len(kept["change"]))
        old = stored[stored["external_id"].isin(first["external_id"])].set_index("external_id").to_dict("index")
        changes = [self._change(row, old[row["external_id"]]) for row in first.to_dict("records")]
        found = {"create": todo.create["external_id"].tolist(), "change": changes, "remove": todo.remove}
        for kind, rows in found.items():
            kept[kind] += list(rows)[: self.each - len(kept[kind])]

    @staticmethod
    def _change(new: Mapping[Any, Any], old: Mapping[Any, Any]) -> dict[str, Any]:
        pairs = {str(name): (_shown(old[name]), _shown(value)) for name, value in new.items() if name in old}
        return {"external_id": new["external_id"], "fields": {n: list(p) for n, p in pairs.items() if p[0] != p[1]}}


def _shown(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value if isinstance(value, bool | int) else str(value)


class _OneTransaction:
    """As much of an engine as a run uses; each of its transactions is a savepoint of one that never ends well."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.dialect = connection, connection.dialect

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self.connection.begin_nested():
            yield self.connection

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        yield self.connection
