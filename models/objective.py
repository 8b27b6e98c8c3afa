"""Objectives: what a person works on, why it matters to them, and how they will know."""

from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Field

from models.base import Table, id_field, natural_key, new_id, one_of, text_field


class ObjectiveKind(StrEnum):
    """Personal development objectives belong to the person; organisational ones to the organisation."""

    PERSONAL = "personal"
    ORGANISATIONAL = "organisational"


class ObjectiveStatus(StrEnum):
    """Where an objective stands."""

    ACTIVE = "active"
    DONE = "done"
    CANCELLED = "cancelled"


class Objective(Table, table=True):
    """Something a person wants to get better at; private until they share it."""

    __table_args__ = (natural_key(), one_of("kind", ObjectiveKind), one_of("status", ObjectiveStatus))

    id: str = id_field()
    connection: str = ""  # empty: written here by its owner
    external_id: str = Field(default_factory=new_id)
    person_id: str = Field(foreign_key="person.id", index=True)
    title: str
    kind: str = ObjectiveKind.PERSONAL
    why_it_matters: str = text_field()
    serves: str = ""  # the competency or role step it serves
    starts_on: date | None = None
    due_on: date | None = None
    status: str = ObjectiveStatus.ACTIVE
    shared: bool = False
    weight: int = 1
    updated_on: date | None = None
    removed_at: datetime | None = None


class KeyResult(Table, table=True):
    """How the person will know: from a baseline to a target, either of which may be the larger. Decimal text."""

    __table_args__ = (natural_key(),)

    id: str = id_field()
    connection: str = ""
    external_id: str = Field(default_factory=new_id)
    objective_id: str = Field(foreign_key="objective.id", index=True)
    title: str
    baseline: str | None = None
    target: str | None = None
    current: str | None = None
    weight: int = 1
    measured_on: date | None = None
    removed_at: datetime | None = None


class ObjectiveUpdate(Table, table=True):
    """A note, a piece of evidence or a moved target; never overwritten."""

    id: str = id_field()
    objective_id: str = Field(foreign_key="objective.id", index=True)
    day: date
    field: str = "note"  # note, evidence, target, due, status
    old_value: str | None = None
    new_value: str = text_field()
