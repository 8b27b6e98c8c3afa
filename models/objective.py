"""Objectives: what a person works on, why it matters to them, and how they will know.

A row that came from a source belongs to that source until its owner changes it here: then it is theirs
(`written_here`), and no import changes or removes it any more.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON
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


LEVELS = (-2, -1, 0, 1, 2)
"""The levels of goal attainment scaling: 0 is what was hoped for, 2 much more, -2 much less."""


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
    who: str = ""  # of a relationship to develop: with whom; empty for every other objective
    next_contact: date | None = None
    starts_on: date | None = None
    due_on: date | None = None
    status: str = ObjectiveStatus.ACTIVE
    shared: bool = False
    weight: int = 1
    percent: int | None = None  # how far, as its owner says; used where nothing is measured
    levels: list[str] | None = Field(default=None, sa_type=JSON)  # in words, from -2 to 2
    level: int | None = None
    updated_on: date | None = None
    written_here: bool = False
    removed_at: datetime | None = None


class KeyResult(Table, table=True):
    """How the person will know: from a baseline to a target, either of which may be the larger. Decimal text.

    A step is a key result from 0 to 1 that is either taken or not.
    """

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
    step: bool = False
    position: int = 0
    written_here: bool = False
    removed_at: datetime | None = None


class ObjectiveUpdate(Table, table=True):
    """A note, a piece of evidence, a moved target or date, a change of who sees it; never overwritten."""

    id: str = id_field()
    objective_id: str = Field(foreign_key="objective.id", index=True)
    day: date
    field: str = "note"  # note, evidence, target, due, status, shared, level
    old_value: str | None = None
    new_value: str = text_field()
    about: str = ""  # of a target: which key result
    link: str = ""  # of evidence: where it can be seen
