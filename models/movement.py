"""People leaving, changing role, and posts to fill: what the retention page is made of."""

from datetime import date, datetime

from sqlmodel import Field

from models.base import Table, id_field, natural_key, new_id


class Leaver(Table, table=True):
    """A person left: when, of their own will or not, and whether that was marked as a loss at notice."""

    __table_args__ = (natural_key(),)

    id: str = id_field()
    connection: str = ""
    external_id: str = Field(default_factory=new_id)
    person_id: str = Field(foreign_key="person.id", index=True)
    left_on: date
    reason: str = "other"  # voluntary, involuntary, other
    regretted: bool | None = None
    removed_at: datetime | None = None


class RoleChange(Table, table=True):
    """A person changed role; a promotion is one."""

    __table_args__ = (natural_key(),)

    id: str = id_field()
    connection: str = ""
    external_id: str = Field(default_factory=new_id)
    person_id: str = Field(foreign_key="person.id", index=True)
    on_day: date
    from_title: str = ""
    to_title: str = ""
    promotion: bool = False
    removed_at: datetime | None = None


class Vacancy(Table, table=True):
    """A post that was open: from when, until when, and whether somebody from within filled it."""

    __table_args__ = (natural_key(),)

    id: str = id_field()
    connection: str = ""
    external_id: str = Field(default_factory=new_id)
    title: str
    team_id: str | None = Field(default=None, foreign_key="team.id")
    opened_on: date
    filled_on: date | None = None
    filled_internally: bool | None = None
    removed_at: datetime | None = None
