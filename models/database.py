"""The store: SQLite (WAL) by default, PostgreSQL in production, one schema by Alembic on both."""

import re
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect, make_url
from sqlalchemy.engine import URL

MIGRATIONS = Path(__file__).parent / "migrations"
DOWN = re.compile(r'^down_revision = "(\w+)"', re.MULTILINE)


def open_store(url: str, *, for_runs: bool = False) -> Engine:
    """Connect to `sqlite:///file` or `postgresql://...`; nothing is made or changed yet.

    What people write is on the disk when they are told so. `for_runs` waits less on SQLite: a killed process loses
    nothing either way, but a power cut may take a run's last batches back, and their cursor with them, so that the
    next run reads them again (docs/adr/0007).
    """
    target = _driver(make_url(url))
    if target.get_backend_name() == "sqlite" and target.database:
        Path(target.database).parent.mkdir(parents=True, exist_ok=True)
    # Bound values would otherwise stand in every error text: names, feedback, pay.
    engine = create_engine(target, hide_parameters=True, pool_pre_ping=target.get_backend_name() != "sqlite")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", partial(_pragmas, "NORMAL" if for_runs else "FULL"))
        event.listen(engine, "begin", _begin)
    return engine


def _driver(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg") if url.get_backend_name() == "postgresql" else url


def _pragmas(synchronous: str, connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "busy_timeout=30000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:
    # pysqlite begins late, so that what was read first could change before the write; BEGIN makes it one snapshot.
    connection.exec_driver_sql("BEGIN")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to this revision; a store that is there already is left as it is."""
    if revision == "head" and _revision(engine) == head():
        return  # without importing Alembic, which costs every command a quarter of a second
    from alembic import command

    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), revision)


def head() -> str:
    """The newest revision: the one that no other comes after. Migrations are numbered by their file names."""
    files = list((MIGRATIONS / "versions").glob("[0-9]*.py"))
    before = {found[1] for file in files if (found := DOWN.search(file.read_text(encoding="utf-8")))}
    return max({file.name[:4] for file in files} - before)


def is_current(engine: Engine) -> bool:
    """Whether the store has the schema that this version of the program needs."""
    return (_revision(engine) or "")[:4] == head()


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return found


def alembic_config(connection: Any) -> Any:
    """Alembic's settings for this open connection, without an ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
