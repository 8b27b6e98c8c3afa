"""Feedback, anonymous by construction.

A feedback row has no author key, no time finer than its batch (a calendar month) and a random id, so that somebody
with the whole database cannot tell who wrote it. `signed_by` is filled only when the author chose to be named,
before sending. Each row is one giver's answer. A batch is shown from RELEASE_FROM givers up; under that, only its
size can be.
"""

from datetime import datetime

from sqlmodel import Field

from models.base import Table, id_field, natural_key, new_id, text_field

RELEASE_FROM = 3
"""Fewest distinct givers before anonymous words are shown. A floor: a profile may ask for more, never for fewer."""


class Feedback(Table, table=True):
    """What one giver said about a person: what happened, its effect, what to try."""

    # Without a row number: SQLite's hidden one would keep the order in which people answered.
    __table_args__ = (natural_key(), {"sqlite_with_rowid": False})

    id: str = id_field()
    connection: str = ""
    external_id: str = Field(default_factory=new_id)  # a one-way digest of the file's own id: re-imports do not double
    person_id: str = Field(foreign_key="person.id", index=True)
    batch: str  # "2026-11"
    asked: bool = False  # the person asked for it
    what_happened: str = text_field()
    effect: str = text_field()
    suggestion: str = text_field()
    signed_by: str | None = None
    removed_at: datetime | None = None


class FeedbackRequest(Table, table=True):
    """A person asked for feedback: about what, of how many, and how many answered. Never of whom."""

    __table_args__ = (natural_key(),)

    id: str = id_field()
    connection: str = ""
    external_id: str = Field(default_factory=new_id)
    person_id: str = Field(foreign_key="person.id", index=True)
    about: str = text_field()
    asked_on: str  # the month, "2026-11"
    asked_of: int = 0
    answered: int = 0
    removed_at: datetime | None = None
