"""How the portal describes its properties: name, label, type and field type."""

from typing import Any

NUMBERS = {"amount", "amount_in_home_currency", "hs_forecast_amount", "hs_deal_stage_probability", "hs_target_amount",
           "hs_object_id"}  # fmt: skip
CHOICES = {"dealstage", "pipeline", "dealtype", "deal_currency_code", "hs_manual_forecast_category", "hubspot_owner_id"}
MOMENTS = ("date", "datetime", "timestamp")


def described(name: str) -> dict[str, Any]:
    """A property as the API describes it."""
    kind, field = "string", "text"
    if name in NUMBERS:
        kind, field = "number", "number"
    elif name.endswith(MOMENTS):
        kind, field = "datetime", "date"
    elif name in CHOICES:
        kind, field = "enumeration", "select"
    elif name.startswith("hs_is_"):
        kind, field = "bool", "booleancheckbox"
    return {"name": name, "label": name.removeprefix("hs_").replace("_", " ").capitalize(), "type": kind,
            "fieldType": field, "groupName": "information", "description": "", "options": [],
            "hasUniqueValue": False, "hubspotDefined": name.startswith("hs_")}  # fmt: skip
