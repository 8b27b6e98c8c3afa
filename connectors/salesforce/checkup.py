"""The connection test: sign-in, calls left, then every object and field, and what works without those missing."""

from typing import TYPE_CHECKING

from connectors.base import Finding
from connectors.errors import NotAllowed
from connectors.salesforce.objects import OBJECTS, Object, chosen
from connectors.salesforce.signin import SOAP_ENDS
from connectors.salesforce.writeback import targets

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
    "Event": "meetings are not counted",
    "Task": "calls, e-mails and tasks are not counted",
    "DatedConversionRate": "one rate for each currency holds for every day",
}
RIGHTS = {
    "ForecastingQuota": 'the permission "View All Forecasts"',
    "User": 'the permission "View All Users"',
    "Period": 'the permission "View Setup and Configuration"',
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
    return found + _write_back(source)


def _stream(source: "Salesforce", stream: str) -> list[Finding]:
    things, facts = chosen(stream, source.options), source.facts
    seen = [o for o in things if source.client.fields(o.name) is not None]
    if not seen:
        feature, right = things[0].feature, RIGHTS.get(things[0].name, "the right to read it")
        words = (
            f"{feature} not enabled, or the run-as user lacks {right}" if feature else f"give the run-as user {right}"
        )
        names = " and ".join(o.name for o in things)
        return [Finding(f"object {names}", False, words, WITHOUT[stream], needed=not feature)]
    if stream == "activities":  # each counts for itself
        found = [_unseen(o, WITHOUT[o.name]) for o in things if o not in seen]
    else:  # the first one that is there is read
        found = [_unseen(o, WITHOUT[o.name]) for o in things[: things.index(seen[0])]]
        seen = seen[:1]
    problem = {"quotas": facts["quota_problem"], "splits": facts["split_problem"]}.get(stream)
    if problem:
        found.append(Finding(stream, False, problem, WITHOUT[stream]))
    return [*found, *(line for thing in seen for line in _fields(source, stream, thing))]


def _unseen(thing: Object, without: str) -> Finding:
    words = f"{thing.feature} not enabled, or the run-as user lacks the right to read it"
    return Finding(f"object {thing.name}", False, words, without, needed=False)


def _fields(source: "Salesforce", stream: str, thing: Object) -> list[Finding]:
    seen = source.client.fields(thing.name) or {}
    lacking = [f for f in thing.needed.values() if f not in seen]
    found = [Finding(f"object {thing.name}", not lacking, ", ".join(lacking), WITHOUT[stream])]
    for word, field in thing.wanted.items():
        if field not in seen:
            detail, without = (
                "not there or not visible",
                f"{word.removeprefix('extra.').replace('_', ' ')} is left empty",
            )
            if word.startswith("only."):
                found.append(
                    Finding(f"field {thing.name}.{field}", False, detail, f"{stream} cannot be filtered by it")
                )
                continue
            found.append(Finding(f"field {thing.name}.{field}", False, detail, without, needed=False))
    for word in ("amount", "owner"):
        field = thing.words.get(word, "")
        if seen.get(field, {}).get("calculated"):
            words = "a formula: its changes move no time stamp"
            without = "they are seen when the org's own sums are compared"
            found.append(Finding(f"field {thing.name}.{field}", False, words, without, needed=False))
    return found


def _write_back(source: "Salesforce") -> list[Finding]:
    """The object that scorecards are written to, where that is enabled."""
    thing = source.options.write_back
    if not thing.enabled:
        return []
    try:
        targets(source)
    except NotAllowed as error:
        return [Finding(f"object {thing.object}", False, str(error), "everything but writing scorecards")]
    return [Finding(f"object {thing.object}", True, "scorecards can be written")]
