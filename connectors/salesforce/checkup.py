"""The connection test: sign-in, calls left, then every object and field, and what works without those missing."""

from typing import TYPE_CHECKING

from connectors.base import Finding
from connectors.salesforce.objects import OBJECTS, chosen
from connectors.salesforce.signin import SOAP_ENDS

if TYPE_CHECKING:
    from connectors.salesforce.connector import Salesforce

WITHOUT = {
    "people": "nobody can be matched with their deals",
    "roles": "managers are read from the user record",
    "territories": "no territories are shown",
    "territory_members": "no territories are shown",
    "stages": "stages have no order; won and lost are still read from the deal",
    "fiscal_periods": "quotas count for the calendar month they begin in",
    "rates": "rates of other connections or of a spreadsheet are used",
    "quotas": "give quotas by a custom object (quota.object) or by spreadsheet",
    "deals": "no attainment and no pipeline",
    "splits": "the whole deal counts for its owner",
    "deal_history": "changes are seen from night to night only",
    "deal_field_history": "changes of owner are seen from night to night only",
    "activities": "meetings and calls are not counted",
}
RIGHTS = {
    "quotas": 'the permission "View All Forecasts"',
    "people": 'the permission "View All Users"',
    "fiscal_periods": 'the permission "View Setup and Configuration"',
}


def findings(source: "Salesforce") -> list[Finding]:
    """One finding each, needed ones first said to be so."""
    options, client = source.options, source.client
    _ = source.facts
    found = [Finding("sign-in", True, f"{options.sign_in.replace('_', ' ')}, API {options.api_version}")]
    if options.sign_in == "password":
        found.append(Finding("sign-in by password", False, SOAP_ENDS, "works until then", needed=False))
    if not source.facts["currency"]:
        words = "the org does not tell its currency; set currency in the settings of this connection"
        found.append(Finding("currency", False, words, "amounts cannot be read"))
    for used, allowed in client.usage[:1]:
        fine = used < options.call_ceiling * allowed
        found.append(Finding("calls", fine, f"{used:,} of {allowed:,} used today", "a run would stop", needed=False))
    for stream in OBJECTS:
        if stream not in options.leave_out:
            found += _stream(source, stream)
    return found


def _stream(source: "Salesforce", stream: str) -> list[Finding]:
    things, thing = chosen(stream, source.options), source.object(stream)
    if thing is None:
        feature, right = things[0].feature, RIGHTS.get(stream, "the right to read it")
        words = (
            f"{feature} not enabled, or the run-as user lacks {right}" if feature else f"give the run-as user {right}"
        )
        names = " and ".join(o.name for o in things)
        return [Finding(f"object {names}", False, words, WITHOUT[stream], needed=not feature)]
    seen = source.client.fields(thing.name) or {}
    lacking = [f for f in thing.needed.values() if f not in seen]
    found = [Finding(f"object {thing.name}", not lacking, ", ".join(lacking), WITHOUT[stream])]
    for word, field in thing.wanted.items():
        if field not in seen:
            detail, without = (
                "not there or not visible",
                f"{word.removeprefix('extra.').replace('_', ' ')} is left empty",
            )
            found.append(Finding(f"field {thing.name}.{field}", False, detail, without, needed=False))
    for word in ("amount", "owner"):
        field = thing.words.get(word, "")
        if seen.get(field, {}).get("calculated"):
            words = "a formula: its changes move no time stamp"
            without = "they are seen when the org's own sums are compared"
            found.append(Finding(f"field {thing.name}.{field}", False, words, without, needed=False))
    return found
