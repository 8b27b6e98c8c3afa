"""Check-ins: the talks a person and somebody they trust with it plan and hold, and what each of them wrote."""

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
    """A check-in, planned or held. Asked for without a day yet: `planned_on` is empty."""

    __table_args__ = (natural_key(), one_of("asked_by", AskedBy), one_of("status", CheckInStatus))

    id: str = id_field()
    connection: str = ""
    external_id: str = Field(default_factory=new_id)
    person_id: str = Field(foreign_key="person.id", index=True)
    with_person_id: str | None = Field(default=None, foreign_key="person.id", index=True)
    with_name: str = ""  # somebody who is not among the people here
    asked_by: str = AskedBy.REP
    asked_on: date | None = None
    status: str = CheckInStatus.PLANNED
    planned_on: date | None = None
    planned_at: str = ""  # local time of day, 14:30; empty: some time that day
    minutes: int = 30
    held_on: date | None = None
    topic: str = text_field()
    written_here: bool = False
    removed_at: datetime | None = None


class CheckInNote(Table, table=True):
    """What one side brings and writes down; both of them read it, and only its author changes it."""

    check_in_id: str = Field(primary_key=True, foreign_key="check_in.id")
    author_id: str = Field(primary_key=True, foreign_key="person.id", index=True)
    points: str = text_field()  # for the agenda
    notes: str = text_field()
    by_next_time: str = text_field()  # what will be different


class PrivateNote(Table, table=True):
    """What somebody writes about a check-in for themselves. Only its author ever reads it, whatever their role."""

    check_in_id: str = Field(primary_key=True, foreign_key="check_in.id")
    author_id: str = Field(primary_key=True, foreign_key="person.id", index=True)
    words: str = text_field()


class CheckInAction(Table, table=True):
    """Something to do until next time: whose, and by when. What is open stands on the next agenda."""

    __table_args__ = (one_of("owner", AskedBy),)

    id: str = id_field()
    check_in_id: str = Field(foreign_key="check_in.id", index=True)
    what: str = text_field()
    owner: str = AskedBy.REP  # which side's
    due_on: date | None = None
    done_on: date | None = None


class CheckInChange(Table, table=True):
    """A check-in was asked for, moved, cancelled or held: by which side, and why. Never overwritten."""

    id: str = id_field()
    check_in_id: str = Field(foreign_key="check_in.id", index=True)
    at: datetime
    what: str  # asked, moved, cancelled, held
    by: str = AskedBy.REP
    old_day: date | None = None
    new_day: date | None = None
    reason: str = text_field()
