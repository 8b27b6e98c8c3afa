"""The rest of the pretend org: roles, record types, fiscal periods, territories, activities, and its own objects."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.salesforce.org import SalesforceOrg

TYPES = (("New business", "New_Business"), ("Renewal", "Renewal"))


def own_fields(org: SalesforceOrg, amount: Decimal | None) -> dict[str, Any]:
    """Custom fields of an opportunity: its yearly worth and its region. They use no chance, so that amounts stay."""
    number = org.numbers + 1
    types = list(org.objects.get("RecordType", {}))
    yearly = None if amount is None else (amount * 12 / 10).quantize(Decimal("0.01"))
    found = {"ARR__c": yearly, "Region__c": "North" if number % 2 else "South"}
    return found | ({"RecordTypeId": types[number % 3 == 0]} if types else {})


def first(org: SalesforceOrg) -> None:
    """What the opportunities need to be there already."""
    for name, developer_name in TYPES:
        org.add("RecordType", Name=name, DeveloperName=developer_name, SobjectType="Opportunity", IsActive=True)


def add(org: SalesforceOrg, whole: bool) -> None:
    """Everything else; activities and territories only in the cast's own org."""
    users = [u for u in org.objects["User"].values() if u["UserType"] == "Standard"]
    top = org.add("UserRole", Name="Sales direction", DeveloperName="Sales_Direction", ParentRoleId=None)
    team = org.add("UserRole", Name="Sales team", DeveloperName="Sales_Team", ParentRoleId=top["Id"])
    for user in users:
        user["UserRoleId"] = (top if user["ManagerId"] is None else team)["Id"]
        user["FederationIdentifier"] = user["Email"].lower() if user["EmployeeNumber"] else None
    _periods(org)
    for quota in list(org.objects["ForecastingQuota"].values()):
        if quota["IsAmount"]:
            org.add("Sales_Target__c", Name="Target", Rep__c=quota["QuotaOwnerId"], Month__c=quota["StartDate"],
                    Target__c=quota["QuotaAmount"], CurrencyIsoCode="EUR", IsDeleted=False)  # fmt: skip
    if not whole:
        return
    north = org.add("Territory2", Name="North", DeveloperName="North", ParentTerritory2Id=None)
    for user in users[:4]:
        org.add("UserTerritory2Association", UserId=user["Id"], Territory2Id=north["Id"], IsActive=True)
    for number, deal in enumerate(d for d in org.deals if not d["IsDeleted"]):
        day = org.today - timedelta(days=number % 60)
        common = {"OwnerId": deal["OwnerId"], "WhatId": deal["Id"], "ActivityDate": day, "IsDeleted": False}
        org.add("Event", **common, Subject="Meeting", CreatedDate=org.clock)
        kind = ("Call", "Task", "Email")[number % 3]
        org.add(
            "Task", **common, Subject=kind, TaskSubtype=kind, Status="Completed", IsClosed=True, CreatedDate=org.clock
        )
        if number % 5 == 0:
            org.add("OpportunityHistory", OpportunityId=deal["Id"], StageName=deal["StageName"], Amount=deal["Amount"],
                    PrevAmount=None, CloseDate=deal["CloseDate"], PrevCloseDate=None, Probability=deal["Probability"],
                    ForecastCategory=deal["ForecastCategory"], CreatedById=deal["OwnerId"], CreatedDate=deal["CreatedDate"],
                    IsDeleted=False)  # fmt: skip


def _periods(org: SalesforceOrg) -> None:
    for year in range(org.today.year - 2, org.today.year + 2):
        own = org.add("FiscalYearSettings", Name=str(year), StartDate=date(year, 1, 1), EndDate=date(year, 12, 31),
                      IsStandardYear=True, YearType="Standard")  # fmt: skip
        for kind, months in (("Month", 1), ("Quarter", 3), ("Year", 12)):
            for number in range(12 // months):
                start = date(year, number * months + 1, 1)
                after = year * 12 + (number + 1) * months
                end = date(after // 12, after % 12 + 1, 1) - timedelta(days=1)
                org.add("Period", Type=kind, StartDate=start, EndDate=end, Number=number + 1,
                        FullyQualifiedLabel=f"{kind} {number + 1} FY {year}", FiscalYearSettingsId=own["Id"],
                        IsForecastPeriod=kind == "Month")  # fmt: skip
