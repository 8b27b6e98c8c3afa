"""How the CRM itself is set up: its role hierarchy, sales territories and fiscal periods, as read."""

from datetime import date, datetime

from sqlmodel import Field

from models.base import Table


class Role(Table, table=True):
    """A place in the CRM's role hierarchy; it need not be the line of managers."""

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    name: str = ""
    parent_external_id: str | None = None
    removed_at: datetime | None = None


class Territory(Table, table=True):
    """A sales territory."""

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    name: str = ""
    parent_external_id: str | None = None
    removed_at: datetime | None = None


class TerritoryMember(Table, table=True):
    """A user works in a territory."""

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    territory_external_id: str
    owner_external_id: str
    person_id: str | None = None
    active: bool = True
    removed_at: datetime | None = None


class FiscalPeriod(Table, table=True):
    """A fiscal month, quarter, week or year as the CRM has it, custom fiscal years included: [first_day, end_day)."""

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    kind: str
    label: str = ""
    number: int | None = None
    first_day: date
    end_day: date
    fiscal_year: str | None = None
    removed_at: datetime | None = None
