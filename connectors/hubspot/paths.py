"""Every path of HubSpot by API version: v3 goes unsupported in September 2027, the dated ones are a setting away."""

DATED = ("2026-03", "2026-09")
TEAMS = "/settings/teams/2026-09-beta"
"""The only list that says which team is above which; it has one address whatever the version of the rest."""


def _dated(version: str) -> dict[str, str]:
    return {
        "account": f"/account-info/{version}/details",
        "teams": TEAMS,
        "owners": f"/crm/owners/{version}",
        "pipelines": f"/crm/pipelines/{version}/deals",
        "properties": f"/crm/properties/{version}/{{kind}}",
        "objects": f"/crm/objects/{version}/{{kind}}",
        "search": f"/crm/objects/{version}/{{kind}}/search",
        "read": f"/crm/objects/{version}/{{kind}}/batch/read",
        "upsert": f"/crm/objects/{version}/{{kind}}/batch/upsert",
        "splits": f"/deal-splits/{version}/batch/read",
        "schemas": f"/crm-object-schemas/{version}/schemas",
        "token": f"/oauth/{version}/token",
        "scopes": f"/oauth/{version}/token/introspect",
    }


PATHS: dict[str, dict[str, str]] = {
    "v3": {
        "account": "/account-info/v3/details",
        "teams": TEAMS,
        "owners": "/crm/v3/owners/",
        "pipelines": "/crm/v3/pipelines/deals",
        "properties": "/crm/v3/properties/{kind}",
        "objects": "/crm/v3/objects/{kind}",
        "search": "/crm/v3/objects/{kind}/search",
        "read": "/crm/v3/objects/{kind}/batch/read",
        "upsert": "/crm/v3/objects/{kind}/batch/upsert",
        "splits": "/crm/v3/objects/deals/splits/batch/read",
        "schemas": "/crm-object-schemas/v3/schemas",
        "token": "/oauth/v3/token",
        "scopes": "/oauth/v3/token/introspect",
    },
    **{version: _dated(version) for version in DATED},
}
