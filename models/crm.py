"""What the CRM says: deals, who is credited, stages, quotas and exchange rates.

Money is integer minor units of `currency`; `reporting_minor` is the same in the installation's reporting currency
at the rate of the close date, and null when that rate is missing (never 1, never 0).
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field

from models.base import Table, money_field, one_of, serial_field, text_field


def handed_on(table: str) -> Index:
    """Finds the deals that somebody once owned; it holds changes of owner only, so that writing stays cheap."""
    owners = text("field = 'owner_external_id'")
    return Index(f"ix_{table}_former_owner", "old_value", sqlite_where=owners, postgresql_where=owners)


class DealStatus(StrEnum):
    """What a stage means, whatever its name is."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class ForecastCategory(StrEnum):
    """Forecast category of a deal, mapped from each CRM's own words; join on this, show the CRM's name."""

    OMITTED = "omitted"
    PIPELINE = "pipeline"
    BEST_CASE = "best_case"
    MOST_LIKELY = "most_likely"
    COMMIT = "commit"
    CLOSED = "closed"


class Stage(Table, table=True):
    """A sales stage of one pipeline: open, won or lost is read from the CRM, never guessed from the name."""

    __table_args__ = (one_of("status", DealStatus),)

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    pipeline: str = ""
    name: str = ""
    position: int = 0
    status: str = DealStatus.OPEN
    probability_bp: int | None = None  # basis points: 6500 is 65 %
    forecast_category: str | None = None
    removed_at: datetime | None = None


class Deal(Table, table=True):
    """An opportunity (Salesforce) or deal (HubSpot) as it stands now; `removed_at` says it is gone from the CRM."""

    __table_args__ = (
        one_of("status", DealStatus),
        Index("ix_deal_person_period", "person_id", "period_id", "status"),
        Index("ix_deal_close_day", "close_day"),
    )

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    name: str = ""
    account: str | None = None
    product: str | None = None
    pipeline: str = ""
    stage: str = ""
    status: str = DealStatus.OPEN
    forecast_category: str | None = None
    probability_bp: int | None = None
    owner_external_id: str | None = None
    person_id: str | None = None  # filled from Identity; null with an owner means unmatched
    amount_minor: int | None = money_field()
    currency: str | None = None
    reporting_minor: int | None = money_field()
    close_day: date | None = None
    period_id: str | None = None
    created_day: date | None = None
    modified_at: datetime | None = None
    extra: str = text_field()  # further fields that the installation keeps, as JSON by their own names
    removed_at: datetime | None = None


class DealSplit(Table, table=True):
    """A share of a deal's credit. Revenue splits replace the owner's credit; overlay splits are only shown apart."""

    __table_args__ = (Index("ix_deal_split_person_id", "person_id"),)

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    deal_external_id: str = Field(index=True)
    owner_external_id: str | None = None
    person_id: str | None = None
    share_ppm: int = 0  # parts per million: 333,333 is 33.3333 %
    overlay: bool = False
    removed_at: datetime | None = None


class DealChange(Table, table=True):
    """One field of a deal changed, as seen by a sync: owner, stage, amount, close date or status."""

    __table_args__ = (handed_on("deal_change"),)

    id: int | None = serial_field()
    connection: str
    external_id: str = Field(index=True)
    field: str
    old_value: str | None = None
    new_value: str | None = None
    seen_at: datetime
    run_id: str


class DealHistory(Table, table=True):
    """One field of a deal changed, as the CRM's own history of stages, amounts and close dates tells it."""

    __table_args__ = (handed_on("deal_history"),)

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    deal_external_id: str = Field(index=True)
    field: str
    old_value: str | None = None  # null where the CRM does not tell
    new_value: str | None = None
    changed_at: datetime
    changed_by_external_id: str | None = None
    removed_at: datetime | None = None


class DealFieldHistory(Table, table=True):
    """One tracked field of a deal changed, as the CRM's field history tells it: who had it before, above all."""

    __table_args__ = (handed_on("deal_field_history"),)

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    deal_external_id: str = Field(index=True)
    field: str
    old_value: str | None = None
    new_value: str | None = None
    changed_at: datetime
    changed_by_external_id: str | None = None
    removed_at: datetime | None = None


class ActivityCount(Table, table=True):
    """How many meetings, calls or tasks a person had in [first_day, end_day); their content is never read."""

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    owner_external_id: str | None = Field(default=None, index=True)
    person_id: str | None = Field(default=None, index=True)
    kind: str  # meeting, call, task, email
    first_day: date
    end_day: date
    number: int = 0
    removed_at: datetime | None = None


class Quota(Table, table=True):
    """The number somebody is judged by, for [first_day, end_day); a person's, or a team's when it has no owner."""

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    owner_external_id: str | None = Field(default=None, index=True)
    team_external_id: str | None = None
    person_id: str | None = Field(default=None, index=True)
    first_day: date
    end_day: date  # the day after the last
    amount_minor: int | None = money_field()
    currency: str | None = None
    reporting_minor: int | None = money_field()
    reason: str = ""
    modified_at: datetime | None = None
    removed_at: datetime | None = None


class QuotaChange(Table, table=True):
    """A quota moved: from what to what, and when we saw it; printed on the page of the person it concerns."""

    id: int | None = serial_field()
    connection: str
    external_id: str = Field(index=True)
    field: str
    old_value: str | None = None
    new_value: str | None = None
    seen_at: datetime
    run_id: str


class ExchangeRate(Table, table=True):
    """From `first_day` on, one unit of `base` is worth so many units of `currency`, until the next row begins."""

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    base: str
    currency: str = Field(index=True)
    first_day: date
    units_per_base: str  # decimal text: a float would lose the last digit of the vendor's rate
    removed_at: datetime | None = None
