"""What is read from HubSpot: which property of a deal or goal holds which of our words."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from connectors.hubspot.options import Options

STREAMS = ("people", "stages", "quotas", "deals", "splits", "deal_history", "activities")

NEEDED = {
    "amount": "amount", "stage": "dealstage", "close_day": "closedate", "owner": "hubspot_owner_id",
    "modified_at": "hs_lastmodifieddate",
}  # fmt: skip
"""Without these a deal is not read."""

WANTED = {
    "name": "dealname", "pipeline": "pipeline", "currency": "deal_currency_code", "created_day": "createdate",
    "closed": "hs_is_closed", "won": "hs_is_closed_won", "probability": "hs_deal_stage_probability",
    "forecast_category": "hs_manual_forecast_category", "forecast_amount": "hs_forecast_amount",
    "home_amount": "amount_in_home_currency", "merged": "hs_merged_object_ids",
}  # fmt: skip

GOAL = {
    "name": "hs_goal_name", "amount": "hs_target_amount", "first": "hs_start_datetime", "last": "hs_end_datetime",
    "milestone": "hs_milestone", "type": "hs_goal_type", "currency": "hs_goal_target_currency_code",
    "kpi": "hs_kpi_property_name", "kpi_object": "hs_kpi_object_type_id", "owner": "hubspot_owner_id",
    "team": "hs_assignee_team_id", "other_team": "hubspot_team_id", "modified_at": "hs_lastmodifieddate",
}  # fmt: skip

WORDS = {"deals": {**NEEDED, **WANTED}, "quotas": GOAL}
"""The streams whose properties an installation may map to its own."""

FOLLOWED = {"stage": "stage", "amount": "amount", "close_day": "close_day", "owner": "owner_external_id"}
"""Words of a deal whose history is kept, and what they are called there."""

SPLIT = "hs_is_deal_split"
"""The property that accounts with deal splits have; it is true of deals whose credit is shared."""


def words(stream: str, options: Options) -> dict[str, str]:
    """Our words to properties, as this installation maps them."""
    return {word: options.fields.get(stream, {}).get(word, name) for word, name in WORDS[stream].items()}


def asked(found: Mapping[str, str], options: Options) -> list[str]:
    """The properties of a deal to ask for: those of our words, and the extra and filtered ones."""
    return list(dict.fromkeys([*found.values(), *options.extra.get("deals", []), *options.only.get("deals", {})]))


def records(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pa.Table:
    """Records as columns of text by property, as HubSpot wrote them; "" is unknown."""
    own = [r.get("properties") or {} for r in rows]
    columns = {n: pa.array([_text(p.get(n)) for p in own], pa.string()) for n in names}
    columns["id"] = pa.array([str(r["id"]) for r in rows], pa.string())
    columns["archived"] = pa.array([bool(r.get("archived")) for r in rows], pa.bool_())
    return pa.table(columns)


def plain(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pa.Table:
    """Plain objects as columns of text."""
    return pa.table({n: pa.array([_text(r.get(n)) for r in rows], pa.string()) for n in names})


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or value == "" else str(value)
