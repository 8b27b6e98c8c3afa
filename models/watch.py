"""What ops watch: slots that never ran, and a sign of life of the worker."""

from datetime import datetime

from sqlmodel import Field

from models.base import Table, text_field


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
