"""What the org says of its objects and fields: names, types, and what may be done with them."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

SCHEMA: dict[str, str] = {
    "OpportunityHistory": "Id OpportunityId StageName Amount PrevAmount CloseDate PrevCloseDate Probability "
    "ForecastCategory CreatedById CreatedDate SystemModstamp IsDeleted",
    "OpportunityFieldHistory": "Id OpportunityId Field OldValue NewValue CreatedById CreatedDate IsDeleted",
    "Event": "Id OwnerId WhatId ActivityDate Subject IsDeleted CreatedDate SystemModstamp LastModifiedDate",
    "Task": "Id OwnerId WhatId ActivityDate Subject TaskSubtype Status IsClosed IsDeleted CreatedDate SystemModstamp",
    "Territory2": "Id Name DeveloperName ParentTerritory2Id SystemModstamp",
    "UserTerritory2Association": "Id UserId Territory2Id IsActive SystemModstamp",
    "OpportunitySplit": "Id OpportunityId SplitOwnerId SplitTypeId SplitPercentage SplitAmount IsDeleted "
    "CurrencyIsoCode SystemModstamp",
    "OpportunitySplitType": "Id MasterLabel DeveloperName IsTotalValidated IsActive",
    "Beyond_Quota_Scorecard__c": "Id Name Key__c Person__c Period__c Attainment__c Pace__c Coverage__c As_Of__c "
    "Link__c SystemModstamp IsDeleted",
}
"""Objects that may have no record yet, and their fields."""

REFERENCES = {
    "OwnerId": "User", "ManagerId": "User", "CreatedById": "User", "QuotaOwnerId": "User", "SplitOwnerId": "User",
    "UserId": "User", "Rep__c": "User", "Person__c": "User", "OpportunityId": "Opportunity", "UserRoleId": "UserRole",
    "RecordTypeId": "RecordType", "ForecastingTypeId": "ForecastingType", "SplitTypeId": "OpportunitySplitType",
    "Territory2Id": "Territory2", "ParentTerritory2Id": "Territory2", "ParentRoleId": "UserRole",
    "FiscalYearSettingsId": "FiscalYearSettings", "AccountId": "Account", "WhatId": "Opportunity",
}  # fmt: skip


def kind(name: str, values: Iterable[Any]) -> str:
    """A field's type, from its name and what stands in it."""
    if name == "Id":
        return "id"
    if name in REFERENCES:
        return "reference"
    if name in ("Email", "Username"):
        return "email"
    if (name.endswith("Date") and name not in ("CreatedDate", "LastModifiedDate")) or name in ("As_Of__c", "Month__c"):
        return "date"
    if name in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
        return "datetime"
    value = next((v for v in values if v is not None), None)
    if isinstance(value, bool) or name.startswith("Is"):
        return "boolean"
    if isinstance(value, datetime):
        return "datetime"
    if isinstance(value, date):
        return "date"
    if isinstance(value, Decimal):
        percent = "Probability" in name or "Percent" in name
        return "percent" if percent else ("double" if "Rate" in name or "Quantity" in name else "currency")
    return "int" if isinstance(value, int) else ("picklist" if name in ("StageName", "ForecastCategory") else "string")


def field(name: str, values: Iterable[Any], formula: bool) -> dict[str, Any]:
    """One field as describe tells it."""
    found = kind(name, values)
    number = found in ("currency", "double", "percent", "int")
    return {
        "name": name, "label": name, "type": found, "soapType": f"xsd:{found}", "custom": name.endswith("__c"),
        "calculated": formula, "nillable": name != "Id", "createable": name != "Id", "updateable": name != "Id",
        "referenceTo": [REFERENCES[name]] if name in REFERENCES else [], "length": 18 if found == "id" else 255,
        "precision": 18 if number else 0, "scale": 2 if number else 0, "digits": 0, "byteLength": 255,
        "filterable": True, "sortable": True, "groupable": not number, "aggregatable": True, "compoundFieldName": None,
        "relationshipName": None, "picklistValues": [], "deprecatedAndHidden": False, "defaultedOnCreate": False,
        "idLookup": name in ("Id", "Key__c"), "externalId": name == "Key__c", "unique": name in ("Id", "Key__c"),
    }  # fmt: skip


def summary(name: str, prefix: str) -> dict[str, Any]:
    """One object as the list of all objects tells it."""
    return {
        "name": name, "label": name, "labelPlural": name, "custom": name.endswith("__c"), "keyPrefix": prefix,
        "queryable": True, "retrieveable": True, "replicateable": True, "searchable": True, "createable": True,
        "updateable": True, "deletable": True, "undeletable": True, "layoutable": True, "triggerable": True,
        "mergeable": False, "activateable": False, "deprecatedAndHidden": False, "customSetting": False,
        "feedEnabled": False, "associateEntityType": None, "associateParentEntity": None, "urls": {},
    }  # fmt: skip
