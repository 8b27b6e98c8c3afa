"""People, the teams they are in, whom they report to and which working group's profile they follow, all dated.

A dated row holds from `from_day` up to and not including `to_day`; `to_day` null means "until further notice".
"""

from datetime import date

from sqlmodel import Field

from models.base import Table, id_field


class Person(Table, table=True):
    """Somebody who works here or did; nothing says that they have a CRM user, a quota or a pipeline."""

    id: str = id_field()
    employee_id: str | None = Field(default=None, unique=True)
    name: str
    email: str | None = Field(default=None, index=True)
    title: str = ""
    time_zone: str | None = None
    source: str = ""  # the connection that first told us about them


class Employment(Table, table=True):
    """One stay of a person with the company; somebody rehired has two."""

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    hired_on: date = Field(primary_key=True)
    left_on: date | None = None


class Team(Table, table=True):
    """A team, office or department; teams stand in a tree."""

    id: str = id_field()
    name: str = Field(unique=True)
    parent_id: str | None = Field(default=None, foreign_key="team.id")


class TeamMembership(Table, table=True):
    """A person was in this team from that day on."""

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    from_day: date = Field(primary_key=True)
    to_day: date | None = None
    team_id: str = Field(foreign_key="team.id", index=True)


class ReportingLine(Table, table=True):
    """A person reported to this manager from that day on."""

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    from_day: date = Field(primary_key=True)
    to_day: date | None = None
    manager_id: str = Field(foreign_key="person.id", index=True)


class WorkingGroupMembership(Table, table=True):
    """A person followed this working group's profile (sales, office, municipal, education ...) from that day on."""

    person_id: str = Field(primary_key=True, foreign_key="person.id")
    from_day: date = Field(primary_key=True)
    to_day: date | None = None
    working_group: str = Field(index=True)
