"""Career: the dossier that a person composes for their next role, and whether they want to be listed as ready."""

from datetime import date

from sqlalchemy import JSON
from sqlmodel import Field

from models.base import Table, id_field, text_field


class Dossier(Table, table=True):
    """What a person puts together about themselves: their own words, and which parts of their page they chose."""

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    role: str = ""  # the role they are going for
    words: str = text_field()
    periods: list[str] = Field(default_factory=list, sa_type=JSON)
    objectives: list[str] = Field(default_factory=list, sa_type=JSON)
    feedback: list[str] = Field(default_factory=list, sa_type=JSON)  # released items only
    shared: bool = False
    changed_on: date


class ReadyConsent(Table, table=True):
    """A person wants to be listed as ready for a role, from a day on; withdrawn, it counts no more from that moment."""

    id: str = id_field()
    person_id: str = Field(foreign_key="person.id", index=True)
    role: str
    given_on: date
    withdrawn_on: date | None = None
