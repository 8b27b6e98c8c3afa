"""Check-ins: the talks a person and somebody they trust with it actually held."""

from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Field

from models.base import Table, id_field, natural_key, new_id, one_of, text_field


class AskedBy(StrEnum):
    """Which side asked; counted apart, because a rep asking is the sign that it is worth something."""

    REP = "rep"
    MANAGER = "manager"


class CheckInStatus(StrEnum):
    """A cancelled or moved check-in is kept as such."""

    PLANNED = "planned"
    HELD = "held"
    CANCELLED = "cancelled"


class CheckIn(Table, table=True):
    """A check-in, planned or held."""

    __table_args__ = (natural_key(), one_of("asked_by", AskedBy), one_of("status", CheckInStatus))

    id: str = id_field()
    connection: str = ""
    external_id: str = Field(default_factory=new_id)
    person_id: str = Field(foreign_key="person.id", index=True)
    with_person_id: str | None = Field(default=None, foreign_key="person.id")
    asked_by: str = AskedBy.REP
    status: str = CheckInStatus.PLANNED
    planned_on: date | None = None
    held_on: date | None = None
    topic: str = text_field()
    removed_at: datetime | None = None
