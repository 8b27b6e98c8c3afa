"""The connection test: sign-in, scopes, calls left, then every kind of record, and what works without those missing."""

from typing import TYPE_CHECKING

from connectors.base import Finding
from connectors.errors import NotAllowed, SourceError
from connectors.hubspot.objects import NEEDED, SPLIT, words
from connectors.hubspot.refusals import Gone
from connectors.hubspot.signin import scopes

if TYPE_CHECKING:
    from connectors.hubspot.connector import HubSpot

SCOPES = {
    "people": ("owners", "owners", "", "crm.objects.owners.read", "nobody can be matched with their deals"),
    "teams": ("teams above teams", "teams", "", "settings.users.teams.read", "teams stand side by side"),
    "stages": ("pipelines", "pipelines", "", "crm.objects.deals.read", "no deals"),
    "deals": ("deals", "objects", "deals", "crm.objects.deals.read", "no attainment and no pipeline"),
    "quotas": ("goals", "objects", "goal_targets", "crm.objects.goals.read", "no quotas: bring them by spreadsheet"),
    "meetings": ("meetings", "objects", "meetings", "crm.objects.contacts.read", "meetings are not counted"),
    "calls": ("calls", "objects", "calls", "crm.objects.contacts.read", "calls are not counted"),
}
"""Stream to what is tried: its name, path and kind, the scope it needs, and what works without it."""

OPTIONAL = {"teams", "quotas", "meetings", "calls"}


def findings(source: "HubSpot") -> list[Finding]:
    """One finding each."""
    facts, options = source.facts, source.options
    signed = f"portal {facts['portal']}, {facts['currency']}, {facts['zone']}, API {options.api_version}"
    found = [Finding("sign-in", True, signed), *_scopes(source), *_calls(source)]
    left_out = {*options.leave_out, *({"meetings", "calls"} if "activities" in options.leave_out else ())}
    for stream, (what, path, kind, scope, without) in SCOPES.items():
        if stream in left_out:
            continue
        query = [("limit", "1")] if path != "pipelines" else []
        try:
            source.client.call(what, path, query, kind=kind)
            found.append(Finding(what, True))
        except NotAllowed as error:
            detail = error.message
            if isinstance(error, Gone):
                detail = f"not there, or not to be seen without the scope {scope}"
            elif "scope" not in detail:
                detail = f"{detail} (it needs the scope {scope})"
            found.append(Finding(what, False, detail, without, stream not in OPTIONAL))
    return [*found, *_properties(source), *_features(source), *_write_back(source)]


def _scopes(source: "HubSpot") -> list[Finding]:
    """The scopes of the token, where HubSpot tells them."""
    client = source.client
    form = {"token": client.sign_in.token(), "client_id": source.options.client_id}
    if source.options.client_secret:
        form["client_secret"] = source.options.client_secret
    try:
        named = scopes(client.form("token information", "scopes", form))
    except SourceError:
        named = None  # what is read below says by itself what is missing
    if named is None:
        return []
    return [Finding("scopes", True, ", ".join(named), needed=False)]


def _calls(source: "HubSpot") -> list[Finding]:
    if source.client.usage is None:
        return []
    used, allowed = source.client.usage
    fine = used < source.options.call_ceiling * allowed
    return [Finding("calls", fine, f"{used:,} of {allowed:,} used today", "a run would stop", needed=False)]


def _properties(source: "HubSpot") -> list[Finding]:
    """Properties that are read and not there; HubSpot ignores unknown names, so that they would look empty."""
    there = source.properties
    if there is None:
        detail = "the scope crm.schemas.deals.read is missing; add it to the service key or app"
        return [Finding("properties", False, detail, "a renamed property looks empty", needed=False)]
    found = []
    for word, name in words("deals", source.options).items():
        if name not in there:
            without = f"{word.replace('_', ' ')} is left empty"
            found.append(Finding(f"property {name}", False, "not in this account", without, word in NEEDED))
    for name in source.options.extra.get("deals", []):
        if name not in there:
            found.append(Finding(f"property {name}", False, "not in this account", "it is left empty", needed=False))
    for name in source.options.only.get("deals", {}):
        if name not in there:
            found.append(Finding(f"property {name}", False, "not in this account", "deals cannot be filtered by it"))
    return found


def _features(source: "HubSpot") -> list[Finding]:
    """Deal splits and histories, which not every account or key has."""
    has, found = {s.name for s in source.streams()}, []
    scope = "the scope crm.dealsplits.read_write is missing; add it to the service key or app"
    if source.properties is None or SPLIT not in source.properties:
        scope = "the account does not have deal splits, or the key may not see them"
    for stream, what, detail, without in (
        ("splits", "deal splits", scope, "the whole deal counts for its owner"),
        ("deal_history", "deal histories", "the key may not read them", "changes are seen from night to night only"),
    ):
        if stream not in source.options.leave_out:
            fine = stream in has
            found.append(Finding(what, fine, "" if fine else detail, "" if fine else without, needed=False))
    return found


def _write_back(source: "HubSpot") -> list[Finding]:
    """The object that scorecards are written to, where that is enabled."""
    from connectors.hubspot.writeback import find_object

    back = source.options.write_back
    if not back.enabled:
        return []
    try:
        there = find_object(source)
    except SourceError as error:
        return [Finding(f"object {back.object}", False, error.message, "everything but writing scorecards")]
    if there is None and not back.create:
        detail = "not there; make it, or set write_back.create = true"
        return [Finding(f"object {back.object}", False, detail, "everything but writing scorecards")]
    return [Finding(f"object {back.object}", True, "scorecards can be written" if there else "made when first written")]
