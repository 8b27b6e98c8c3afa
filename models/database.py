"""The store: SQLite (WAL) by default, PostgreSQL in production, one schema by Alembic on both."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL

MIGRATIONS = Path(__file__).parent / "migrations"


def open_store(url: str) -> Engine:
    """Connect to `sqlite:///file` or `postgresql://...`; nothing is made or changed yet."""
    target = _driver(make_url(url))
    if target.get_backend_name() == "sqlite" and target.database:
        Path(target.database).parent.mkdir(parents=True, exist_ok=True)
    # Bound values would otherwise stand in every error text: names, feedback, pay.
    engine = create_engine(target, hide_parameters=True, pool_pre_ping=target.get_backend_name() != "sqlite")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _pragmas)
        event.listen(engine, "begin", _begin)
    return engine


def _driver(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg") if url.get_backend_name() == "postgresql" else url


def _pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:
    # pysqlite begins late, so that what was read first could change before the write; BEGIN makes it one snapshot.
    connection.exec_driver_sql("BEGIN")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to this revision; a store that is there already is left as it is."""
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), revision)


def alembic_config(connection: Any) -> Config:
    """Alembic's settings for this open connection, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
