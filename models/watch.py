"""What ops watch: slots that never ran, and a sign of life of the worker."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select
from sqlmodel import Field

from models.base import Table, core, text_field

WORKER = "worker"
QUIET = timedelta(minutes=5)
"""A process that was silent for so long is taken for dead: ten signs of life are missing."""


class MissedSlot(Table, table=True):
    """A slot of a schedule that did not run within its catch-up time, and why; counted once."""

    connection: str = Field(primary_key=True)
    slot: str = Field(primary_key=True)
    due_at: datetime
    counted_at: datetime
    reason: str = text_field()


class Heartbeat(Table, table=True):
    """When a process last said that it is alive and at work."""

    name: str = Field(primary_key=True)
    at: datetime
    says: str = text_field()


class Alert(Table, table=True):
    """A change of state of something that is watched, and which channels still have to be told."""

    about: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    state: str
    sentence: str = text_field()
    at: datetime
    waiting: str = ""  # channels, by comma
    tries: int = 0
    error: str = text_field()


def last_seen(connection: Connection, name: str = WORKER) -> datetime | None:
    """When a process last gave a sign of life; None when it never did."""
    table = core(Heartbeat).c
    found: datetime | None = connection.scalar(select(table.at).where(table.name == name))
    return found


def silent(last: datetime | None, now: datetime) -> bool:
    """Whether a process that was last seen then is taken for dead."""
    return last is None or now - last > QUIET


def missed(connection: Connection) -> dict[str, int]:
    """How many slots of each connection were missed, ever."""
    table = core(MissedSlot).c
    query = select(table.connection, func.count()).group_by(table.connection)
    return {row[0]: int(row[1]) for row in connection.execute(query)}
