"""What stands in somebody's way, whom they want to know better, and what they are learning."""

from datetime import date, datetime

from sqlmodel import Field

from models.base import Table, id_field, natural_key, new_id, text_field


class Obstacle(Table, table=True):
    """Something in the way: its kind, its effect, who can remove it, and when it was."""

    __table_args__ = (natural_key(),)

    id: str = id_field()
    connection: str = ""
    external_id: str = Field(default_factory=new_id)
    person_id: str = Field(foreign_key="person.id", index=True)
    kind: str = ""
    what: str = text_field()
    effect: str = text_field()
    who_can_remove: str = ""
    opened_on: date
    resolved_on: date | None = None
    resolved_by: str = ""
    # What stands in a list of the company is known there; what is written here is private until its owner shares it.
    shared: bool = True
    written_here: bool = False
    removed_at: datetime | None = None


class Relationship(Table, table=True):
    """Somebody worth knowing better: who, why, and the next contact."""

    __table_args__ = (natural_key(),)

    id: str = id_field()
    connection: str = ""
    external_id: str = Field(default_factory=new_id)
    person_id: str = Field(foreign_key="person.id", index=True)
    who: str
    why: str = text_field()
    next_contact: date | None = None
    removed_at: datetime | None = None


class LearningItem(Table, table=True):
    """A course, book or shadowing day: due when, done when, or waived; on its own or for an objective."""

    __table_args__ = (natural_key(),)

    id: str = id_field()
    connection: str = ""
    external_id: str = Field(default_factory=new_id)
    person_id: str = Field(foreign_key="person.id", index=True)
    title: str
    due_on: date | None = None
    done_on: date | None = None
    status: str = "open"  # open, done, waived
    objective_id: str | None = Field(default=None, foreign_key="objective.id", index=True)
    link: str = ""
    removed_at: datetime | None = None
