"""What has to be known of an org before its rows can be understood: currency, zone, which types count, periods."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import SignInAgain
from connectors.salesforce.options import Options
from connectors.salesforce.signin import SOAP_ENDS

FACTS = {
    "organisation": "SELECT Id, DefaultCurrencyIsoCode, TimeZoneSidKey, FiscalYearStartMonth FROM Organization",
    "quota_types": "SELECT Id, DeveloperName, IsActive, IsAmount FROM ForecastingType",
    "split_types": "SELECT Id, IsTotalValidated FROM OpportunitySplitType",
    "record_types": "SELECT Id, DeveloperName, Name FROM RecordType WHERE SobjectType = 'Opportunity'",
    "periods": "SELECT Id, Type, StartDate, EndDate FROM Period WHERE IsForecastPeriod = true",
}
"""Five small queries, which fit into one call. What the org does not have is answered with None."""

UNSEEN = "{} need the object {}, which tells those that count from the others; give the run-as user the right to see it"
ONE_CURRENCY = "SELECT Id, TimeZoneSidKey, FiscalYearStartMonth FROM Organization"
"""An org of one currency may not have a field for it."""


def facts_of(options: Options) -> dict[str, str]:
    """The queries; quotas of an object of one's own are set for periods of the kind that the options say."""
    if options.quota is None:
        return FACTS
    kind = options.quota.period.capitalize()
    return FACTS | {"periods": f"SELECT Id, Type, StartDate, EndDate FROM Period WHERE Type = '{kind}'"}  # noqa: S608


Rows = Sequence[Mapping[str, Any]]


def read_facts(name: str, options: Options, answers: Mapping[str, Rows | None]) -> dict[str, Any]:
    """The answers as plain facts that travel with the batches."""
    if not answers["organisation"]:
        raise SignInAgain(f"{name}: the run-as user may not see the organisation's currency and time zone; give it "
                          "the permission View Setup and Configuration")  # fmt: skip
    own = answers["organisation"][0]
    facts: dict[str, Any] = {
        "currency": options.currency or own.get("DefaultCurrencyIsoCode"),
        "time_zone": own.get("TimeZoneSidKey"),
        "fiscal_start_month": own.get("FiscalYearStartMonth"),
        "overlay": [r["Id"] for r in answers["split_types"] or () if not r["IsTotalValidated"]],
        "split_problem": UNSEEN.format("splits", "OpportunitySplitType") if answers["split_types"] is None else "",
        "record_types": {r["Id"]: [r["Name"], r["DeveloperName"]] for r in answers["record_types"] or ()},
        "periods": {
            r["Id"]: [r["Type"], r["StartDate"], r["EndDate"]] for r in answers["periods"] or ()
        },
        "notes": [SOAP_ENDS] if options.sign_in == "password" else [],
    }  # fmt: skip
    return facts | quota_types(options, answers["quota_types"])


def quota_types(options: Options, rows: Rows | None) -> dict[str, Any]:
    """Quotas of several types are never added: one counts, the one that is set or the only one of money."""
    facts = {"quota_type": None, "quota_note": "", "quota_problem": ""}
    if options.quota is not None:
        return facts
    if rows is None:
        return facts | {"quota_problem": UNSEEN.format("quotas", "ForecastingType")}
    named = options.quota_type
    money = sorted((r for r in rows if r["IsAmount"] and r["IsActive"]), key=lambda r: str(r["DeveloperName"]))
    chosen = [r for r in rows if r["DeveloperName"] == named] if named else money[:1]
    if named and not chosen:
        known = ", ".join(str(r["DeveloperName"]) for r in rows) or "none"
        facts["quota_problem"] = f"there is no quota type {named!r}; the org has {known}"
    if not named and len(money) > 1:
        facts["quota_note"] = (
            f"of {len(money)} quota types, {chosen[0]['DeveloperName']} counts; set quota_type to choose another"
        )
    facts["quota_type"] = chosen[0]["Id"] if chosen else None
    return facts
