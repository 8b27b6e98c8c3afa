"""A scorecard as it was on its day, with its inputs, so that any past page can be rebuilt."""

from datetime import date, datetime

from sqlalchemy import LargeBinary, Text
from sqlmodel import Field

from models.base import Table


class ScorecardSnapshot(Table, table=True):
    """One person's scorecard for one period as of one day. `body` is the scorecard's own JSON."""

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    period_id: str = Field(primary_key=True)
    as_of: date = Field(primary_key=True)
    profile: str = ""
    computed_at: datetime
    body: str = Field(sa_type=Text)
    inputs: bytes | None = Field(default=None, sa_type=LargeBinary)  # what it was made of: metrics.inputs
