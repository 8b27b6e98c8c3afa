"""What the org's objects are made of: fields of objects that may be empty, the type of each field, and references."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

SCHEMA: dict[str, str] = {
    "OpportunityHistory": "Id OpportunityId StageName Amount PrevAmount CloseDate PrevCloseDate Probability "
    "ForecastCategory CreatedById CreatedDate SystemModstamp IsDeleted",
    "OpportunityFieldHistory": "Id OpportunityId Field OldValue NewValue CreatedById CreatedDate IsDeleted",
    "Event": "Id OwnerId WhatId ActivityDate Subject IsDeleted CreatedDate SystemModstamp LastModifiedDate",
    "Task": "Id OwnerId WhatId ActivityDate Subject TaskSubtype Status IsClosed IsDeleted CreatedDate SystemModstamp "
    "LastModifiedDate",
    "Territory2": "Id Name DeveloperName ParentTerritory2Id SystemModstamp LastModifiedDate",
    "UserTerritory2Association": "Id UserId Territory2Id IsActive SystemModstamp LastModifiedDate",
    "OpportunitySplit": "Id OpportunityId SplitOwnerId SplitTypeId SplitPercentage SplitAmount IsDeleted "
    "CurrencyIsoCode SystemModstamp LastModifiedDate",
    "OpportunitySplitType": "Id MasterLabel DeveloperName IsTotalValidated IsActive SystemModstamp LastModifiedDate",
    "Beyond_Quota_Scorecard__c": "Id Name Key__c Person__c Period__c Attainment__c Pace__c Coverage__c As_Of__c "
    "Link__c IsDeleted SystemModstamp LastModifiedDate",
}
"""Objects that may have no record yet, and their fields."""

REFERENCES = {
    "OwnerId": "User", "ManagerId": "User", "CreatedById": "User", "QuotaOwnerId": "User", "SplitOwnerId": "User",
    "UserId": "User", "Rep__c": "User", "Person__c": "User", "OpportunityId": "Opportunity", "UserRoleId": "UserRole",
    "RecordTypeId": "RecordType", "ForecastingTypeId": "ForecastingType", "SplitTypeId": "OpportunitySplitType",
    "Territory2Id": "Territory2", "ParentTerritory2Id": "Territory2", "ParentRoleId": "UserRole", "PeriodId": "Period",
    "FiscalYearSettingsId": "FiscalYearSettings", "AccountId": "Account", "MasterRecordId": "Account",
    "WhatId": "Opportunity",
}  # fmt: skip
"""Fields that hold the id of another record, and the object that it is of."""

EXTERNAL = {"Key__c"}
"""Fields by which records are written from outside."""

NAMES: dict[str, str] = {
    "id": "Id",
    "date": "CloseDate PrevCloseDate StartDate EndDate NextStartDate ActivityDate As_Of__c Month__c",
    "datetime": "CreatedDate LastModifiedDate SystemModstamp LastStageChangeDate",
    "currency": "Amount PrevAmount QuotaAmount SplitAmount ARR__c Target__c",
    "percent": "Probability DefaultProbability SplitPercentage Attainment__c Pace__c",
    "double": "ConversionRate QuotaQuantity Coverage__c",
    "int": "Number SortOrder PushCount DecimalPlaces FiscalYearStartMonth",
    "picklist": "StageName ForecastCategory ForecastCategoryName Type CurrencyIsoCode DefaultCurrencyIsoCode UserType "
    "TaskSubtype Status YearType TimeZoneSidKey SobjectType ProductFamily",
    "email": "Email",
    "url": "Link__c",
    "anyType": "OldValue NewValue",
}
TYPES = {name: kind for kind, names in NAMES.items() for name in names.split()}
TYPES |= dict.fromkeys(REFERENCES, "reference")

NUMBERS = {"currency": 2, "percent": 2, "double": 6, "int": 0}
"""Types of numbers, and their digits behind the point."""


def kind(name: str, values: Iterable[Any] = ()) -> str:
    """A field's type, by its name; that of a field which only one org has, by what stands in it."""
    if name in TYPES:
        return TYPES[name]
    if name.startswith("Is"):
        return "boolean"
    value = next((v for v in values if v is not None), None)
    own = {bool: "boolean", datetime: "datetime", date: "date", Decimal: "double", int: "int", float: "double"}
    if isinstance(value, str) and len(value) > 255:
        return "textarea"
    return own.get(type(value), "string")


def related(path: str, objects: Mapping[str, Any]) -> tuple[str, str, str]:
    """The reference field, its object and the rest of a path such as Owner.Name; empty texts when it leads nowhere."""
    first, _, rest = path.partition(".")
    name = first[:-1] + "c" if first.endswith("__r") else f"{first}Id"
    target = REFERENCES.get(name, "")
    return (name, target, rest) if rest and target in objects else ("", "", "")


def relationship(name: str) -> str | None:
    """What the record that a field refers to is called in queries: Owner for OwnerId, Rep__r for Rep__c."""
    if name not in REFERENCES:
        return None
    return name[:-1] + "r" if name.endswith("__c") else name.removesuffix("Id")


def stored(name: str, value: Any) -> Any:
    """A JSON value as the org keeps it; ValueError when it is not of the field's type."""
    found = kind(name)
    if value is None:
        return None
    if found in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(value)
        return int(value) if found == "int" else Decimal(str(value))
    if found == "date":
        return date.fromisoformat(value)
    if found == "datetime":
        return datetime.fromisoformat(value)
    if isinstance(value, bool) != (found == "boolean") or (found != "boolean" and not isinstance(value, str)):
        raise ValueError(value)
    return value
