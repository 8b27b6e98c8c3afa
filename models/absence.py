"""Leave: days on which nothing was asked of somebody, or on which everything was."""

from datetime import date, datetime

from sqlmodel import Field

from models.base import Table, id_field, natural_key, new_id


class Absence(Table, table=True):
    """A person was away for [first_day, end_day); `relieved` says that the quota did not run on meanwhile."""

    __table_args__ = (natural_key(),)

    id: str = id_field()
    connection: str = ""
    external_id: str = Field(default_factory=new_id)
    person_id: str = Field(foreign_key="person.id", index=True)
    first_day: date
    end_day: date  # the day after the last
    relieved: bool = True
    removed_at: datetime | None = None
