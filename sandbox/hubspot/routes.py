"""Every path of the service by API version: v3, and the dated versions, from one table."""

import re
from dataclasses import dataclass

DATED = ("2026-03", "2026-09")

TABLE = {
    "account": ("/account-info/v3/details", "/account-info/{version}/details"),
    "usage": ("/account-info/v3/api-usage/daily/private-apps", "/account-info/{version}/api-usage/daily/private-apps"),
    "owners": ("/crm/v3/owners", "/crm/owners/{version}"),
    "teams": ("/settings/v3/users/teams", "/settings/users/{version}/teams"),
    "pipelines": ("/crm/v3/pipelines/deals", "/crm/pipelines/{version}/deals"),
    "properties": ("/crm/v3/properties/{kind}", "/crm/properties/{version}/{kind}"),
    "schemas": ("/crm-object-schemas/v3/schemas", "/crm-object-schemas/{version}/schemas"),
    "splits": ("/crm/v3/objects/deals/splits/batch/read", "/deal-splits/{version}/batch/read"),
    "share": ("/crm/v3/objects/deals/splits/batch/upsert", "/deal-splits/{version}/batch/upsert"),
    "search": ("/crm/v3/objects/{kind}/search", "/crm/objects/{version}/{kind}/search"),
    "read": ("/crm/v3/objects/{kind}/batch/read", "/crm/objects/{version}/{kind}/batch/read"),
    "upsert": ("/crm/v3/objects/{kind}/batch/upsert", "/crm/objects/{version}/{kind}/batch/upsert"),
    "merge": ("/crm/v3/objects/{kind}/merge", "/crm/objects/{version}/{kind}/merge"),
    "objects": ("/crm/v3/objects/{kind}", "/crm/objects/{version}/{kind}"),
    "object": ("/crm/v3/objects/{kind}/{id}", "/crm/objects/{version}/{kind}/{id}"),
    "token": ("/oauth/v3/token", "/oauth/{version}/token"),
    "introspect": ("/oauth/v3/token/introspect", "/oauth/{version}/token/introspect"),
    "revoke": ("/oauth/v3/token/revoke", "/oauth/{version}/token/revoke"),
}
"""What is asked for, to its path in v3 and in the dated versions."""

ALIASES = {"deal": "deals", "0-3": "deals", "0-74": "goal_targets", "0-47": "meetings", "0-48": "calls"}


@dataclass(frozen=True)
class Route:
    """What a path asks for: in which version, of which kind of record, and which one of them."""

    what: str
    version: str
    kind: str = ""
    id: str = ""


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(path.replace("{kind}", r"(?P<kind>[\w-]+)").replace("{id}", r"(?P<id>[\w-]+)") + "/?")


PATTERNS = [
    (what, version, _pattern(old if version == "v3" else new.replace("{version}", version)))
    for version in ("v3", *DATED)
    for what, (old, new) in TABLE.items()
]
PATTERNS += [
    ("team_tree", "2026-09", _pattern("/settings/teams/2026-09-beta")),
    ("schemas", "v3", _pattern("/crm/v3/schemas")),
    ("old_properties", "v3", _pattern("/properties/v2/{kind}/properties")),
]
"""A beta that has one address only, and older addresses, which clients that others wrote still ask."""


def find(path: str) -> Route | None:
    """The route of a path; None where there is none."""
    for what, version, pattern in PATTERNS:
        match = pattern.fullmatch(path)
        if match:
            parts = match.groupdict()
            kind = parts.get("kind") or ""
            return Route(what, version, ALIASES.get(kind, kind), parts.get("id") or "")
    return None
