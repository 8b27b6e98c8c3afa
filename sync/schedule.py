"""The schedules as stored rows, so that pages can show them; the settings file says what they are."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, delete
from sqlalchemy.dialects import postgresql, sqlite

from models import Schedule
from models.base import core


def keep_schedules(engine: Engine, wanted: Mapping[str, Mapping[str, Any]]) -> None:
    """Make the stored schedules those of the settings: connection -> at, weekdays, time_zone, catch_up_hours."""
    table = core(Schedule)
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    with engine.begin() as connection:
        connection.execute(delete(table).where(table.c.connection.not_in(list(wanted))))
        for name, fields in wanted.items():
            row = {**fields, "enabled": True}
            fresh = insert(table).values(connection=name, **row)
            connection.execute(fresh.on_conflict_do_update(index_elements=["connection"], set_=row))
