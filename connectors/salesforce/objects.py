"""What is read from Salesforce: each stream's objects, and which of their fields hold which of our words."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from connectors.salesforce.options import Options, QuotaMap

STAMP = "SystemModstamp"


@dataclass(frozen=True)
class Object:
    """One object of a stream. `needed` and `wanted` map our words to its fields; without a needed one it is not read.

    stamp    the time stamp that changes are followed by; empty when it is small and read whole each time
    bin      deleted rows are shown by queryAll for some 15 days
    log      deletions are in the log of getDeleted
    feature  the optional feature that it hangs on
    """

    name: str
    needed: Mapping[str, str]
    wanted: Mapping[str, str] = field(default_factory=dict)
    stamp: str = ""
    bin: bool = False
    log: bool = False
    feature: str = ""
    only: tuple[str, ...] = ()  # conditions

    @property
    def words(self) -> dict[str, str]:
        """Our words to its fields."""
        return {**self.needed, **self.wanted}


OBJECTS: dict[str, tuple[Object, ...]] = {
    "people": (
        Object(
            "User",
            {"id": "Id", "name": "Name", "active": "IsActive"},
            {
                "email": "Email", "employee_id": "EmployeeNumber", "federation_id": "FederationIdentifier",
                "title": "Title", "manager": "ManagerId", "role": "UserRoleId", "user_type": "UserType",
            },
        ),
    ),
    "roles": (
        Object("UserRole", {"id": "Id", "name": "Name"}, {"parent": "ParentRoleId"}, feature="roles"),
    ),
    "territories": (
        Object("Territory2", {"id": "Id", "name": "Name"}, {"parent": "ParentTerritory2Id"}, feature="territories"),
    ),
    "territory_members": (
        Object(
            "UserTerritory2Association", {"id": "Id", "user": "UserId", "territory": "Territory2Id"},
            {"active": "IsActive"}, feature="territories",
        ),
    ),
    "stages": (
        Object(
            "OpportunityStage",
            {"id": "Id", "name": "MasterLabel", "closed": "IsClosed", "won": "IsWon"},
            {
                "position": "SortOrder", "probability": "DefaultProbability", "forecast_category": "ForecastCategory",
                "api_name": "ApiName",
            },
        ),
    ),
    "fiscal_periods": (
        Object(
            "Period",
            {"id": "Id", "kind": "Type", "first_day": "StartDate", "last_day": "EndDate"},
            {
                "number": "Number", "label": "FullyQualifiedLabel", "fiscal_year": "FiscalYearSettingsId",
                "forecast": "IsForecastPeriod",
            },
            feature="fiscal periods",
        ),
    ),
    "rates": (
        Object(
            "DatedConversionRate",
            {"id": "Id", "currency": "IsoCode", "first_day": "StartDate", "rate": "ConversionRate"},
            feature="dated exchange rates",
        ),
        Object(
            "CurrencyType", {"id": "Id", "currency": "IsoCode", "rate": "ConversionRate"}, {"active": "IsActive"},
            feature="multiple currencies",
        ),
    ),
    "quotas": (
        Object(
            "ForecastingQuota",
            {"id": "Id", "owner": "QuotaOwnerId", "first_day": "StartDate", "amount": "QuotaAmount"},
            {
                "type": "ForecastingTypeId", "is_amount": "IsAmount", "currency": "CurrencyIsoCode",
                "period": "PeriodId", "product_family": "ProductFamily", "territory": "Territory2Id",
                "modified_at": STAMP,
            },
            stamp=STAMP, log=True, feature="forecasting with quotas",
        ),
    ),
    "deals": (
        Object(
            "Opportunity",
            {
                "id": "Id", "name": "Name", "owner": "OwnerId", "amount": "Amount", "stage": "StageName",
                "closed": "IsClosed", "won": "IsWon", "close_day": "CloseDate", "removed": "IsDeleted",
                "modified_at": STAMP,
            },
            {
                "currency": "CurrencyIsoCode", "probability": "Probability", "forecast_category": "ForecastCategory",
                "created_day": "CreatedDate", "pipeline": "RecordTypeId",
            },
            stamp=STAMP, bin=True, log=True,
        ),
    ),
    "splits": (
        Object(
            "OpportunitySplit",
            {
                "id": "Id", "deal": "OpportunityId", "owner": "SplitOwnerId", "percent": "SplitPercentage",
                "type": "SplitTypeId", "modified_at": STAMP,
            },
            {"removed": "IsDeleted"},
            stamp=STAMP, bin=True, log=True, feature="opportunity splits",
        ),
    ),
    "deal_history": (
        Object(
            "OpportunityHistory",
            {"id": "Id", "deal": "OpportunityId", "changed_at": "CreatedDate", "stage": "StageName"},
            {
                "amount": "Amount", "amount_before": "PrevAmount", "close_day": "CloseDate",
                "close_day_before": "PrevCloseDate", "by": "CreatedById", "removed": "IsDeleted",
            },
            stamp="CreatedDate", feature="opportunity history",
        ),
    ),
    "deal_field_history": (
        Object(
            "OpportunityFieldHistory",
            {"id": "Id", "deal": "OpportunityId", "changed_at": "CreatedDate", "field": "Field"},
            {"before": "OldValue", "after": "NewValue", "by": "CreatedById", "removed": "IsDeleted"},
            stamp="CreatedDate", feature="field history tracking of opportunities",
        ),
    ),
    "activities": (
        Object("Event", {"id": "Id", "owner": "OwnerId", "day": "ActivityDate"}, feature="events"),
        Object(
            "Task", {"id": "Id", "owner": "OwnerId", "day": "ActivityDate"}, {"kind": "TaskSubtype"}, feature="tasks"
        ),
    ),
}  # fmt: skip
"""Stream to its objects, in reading order; rates use the first that is there."""

WRITTEN = {
    "person": "Person__c", "period": "Period__c", "attainment": "Attainment__c", "pace": "Pace__c",
    "coverage": "Coverage__c", "as_of": "As_Of__c", "link": "Link__c",
}  # fmt: skip
"""What is written back, and into which fields of the custom object; the package in the docs makes them."""

FLAGS = {"IsActive", "IsClosed", "IsWon", "IsDeleted", "IsAmount", "IsForecastPeriod"}
"""Fields of true and false; everything else is kept as its source wrote it."""


def chosen(stream: str, options: Options) -> tuple[Object, ...]:
    """A stream's objects as this installation maps them: its own fields, quota object, extra fields and filters."""
    if stream == "quotas" and options.quota is not None:
        return (_own_quota(options.quota),)
    own = options.fields.get(stream, {})
    found = []
    for thing in OBJECTS[stream]:
        needed = {w: own.get(w, f) for w, f in thing.needed.items()}
        wanted = {w: own.get(w, f) for w, f in thing.wanted.items()}
        wanted |= {f"extra.{name}": name for name in options.extra.get(stream, [])}
        wanted |= {f"only.{name}": name for name in options.only.get(stream, {}) if name != "RecordType"}
        found.append(replace(thing, needed=needed, wanted=wanted))
    return tuple(found)


def _own_quota(quota: QuotaMap) -> Object:
    needed = {"id": "Id", "owner": quota.owner, "amount": quota.amount, "modified_at": STAMP}
    if quota.first_day:
        needed["first_day"] = quota.first_day
    wanted = {"removed": "IsDeleted"} if quota.object != "User" else {}
    if quota.currency:
        wanted["currency"] = quota.currency
    wanted |= {f"only.{name}": name for name in quota.only}
    dated = quota.first_day is not None
    return Object(quota.object, needed, wanted, stamp=STAMP, bin=dated and quota.object != "User", log=dated)
