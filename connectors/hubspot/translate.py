"""HubSpot rows in our own words. Pure: a landed batch gives the same drafts again."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pandas as pd

from connectors.amounts import amounts, basis_points
from connectors.base import Batch, Drafts, Note, RejectDraft, draft_frame

CATEGORIES = {
    "OMIT": "omitted", "PIPELINE": "pipeline", "BEST_CASE": "best_case", "COMMIT": "commit", "CLOSED": "closed",
}  # fmt: skip


def translate(batch: Batch) -> Drafts:
    """Put one batch of any stream into our own words."""
    return STREAMS[batch.stream](batch.table.to_pandas(), batch.facts)


def _text(series: "pd.Series[Any]") -> "pd.Series[Any]":
    """Null, missing and "" are the same: unknown."""
    return series.replace("", None)


def _days(series: "pd.Series[Any]", zone: str) -> "pd.Series[Any]":
    """Instants as the portal's local days; epoch milliseconds are taken too."""
    texts = _text(series)
    numbers = pd.to_numeric(texts, errors="coerce")
    moments = pd.to_datetime(texts.where(numbers.isna()), utc=True, errors="coerce", format="ISO8601")
    moments = moments.fillna(pd.to_datetime(numbers, unit="ms", utc=True))
    return moments.dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()


def _people(raw: pd.DataFrame, facts: Mapping[str, Any]) -> Drafts:
    name = raw["firstName"].fillna("").str.cat(raw["lastName"].fillna(""), sep=" ").str.strip()
    columns = {
        "external_id": raw["id"], "name": name, "email": _text(raw["email"]), "active": raw["archived"] != "True",
        "is_person": raw["type"].fillna("PERSON") == "PERSON",
    }  # fmt: skip
    return Drafts("people", draft_frame("people", columns, len(raw)))


def _stages(raw: pd.DataFrame, facts: Mapping[str, Any]) -> Drafts:
    columns = {
        "external_id": raw["id"], "pipeline": raw["pipeline"], "name": raw["name"], "status": raw["status"],
        "position": pd.to_numeric(raw["position"]), "probability_bp": basis_points(raw["probability"], 10_000),
    }  # fmt: skip
    return Drafts("stages", draft_frame("stages", columns, len(raw)))


def _quotas(raw: pd.DataFrame, facts: Mapping[str, Any]) -> Drafts:
    kpi = _text(raw["hs_kpi_object_type_id"]).fillna("0-3")
    money = (raw["hs_goal_type"] == "sales_quota") | (
        (kpi == "0-3") & raw["hs_kpi_property_name"].fillna("").str.contains("amount")
    )
    others = int((~money).sum())
    notes = [Note("goal that is not a sales quota, not counted", others)] if others else []
    raw = raw[money].reset_index(drop=True)
    currency = _text(raw["hs_goal_target_currency_code"]).fillna(facts["currency"])
    minor, wrong = amounts(_text(raw["hs_target_amount"]), currency)
    first, last = (_days(raw[c], facts["zone"]) for c in ("hs_start_datetime", "hs_end_datetime"))
    owner = _text(raw["hubspot_owner_id"])
    columns = {
        "external_id": raw["id"], "owner_external_id": owner, "team_external_id": _text(raw["hs_assignee_team_id"]),
        "first_day": first, "end_day": last + pd.Timedelta(days=1), "amount_minor": minor, "currency": currency,
        "reason": raw["hs_goal_name"], "modified_at": raw["hs_lastmodifieddate"], "removed": raw["archived"],
    }  # fmt: skip
    frame = draft_frame("quotas", columns, len(raw))
    bad = {i: ("amount is no number", "hs_target_amount", why) for i, why in wrong.items()}
    for i in frame.index[frame["first_day"].isna() | frame["end_day"].isna()]:
        bad.setdefault(i, ("period is not known", "hs_start_datetime", "it has no readable start and end"))
    rejects = [
        RejectDraft(
            raw["id"][i], rule, name, str(raw[name][i]), f"goal {raw['id'][i]}: {why}", f"correct {name} in HubSpot"
        )
        for i, (rule, name, why) in bad.items()
    ]
    return Drafts("quotas", frame.drop(index=list(bad)).reset_index(drop=True), rejects, notes)


def _deals(raw: pd.DataFrame, facts: Mapping[str, Any]) -> Drafts:
    known = facts["stages"]
    stage, currency = _text(raw["dealstage"]), _text(raw["deal_currency_code"]).fillna(facts["currency"])
    minor, wrong = amounts(_text(raw["amount"]), currency)
    close, removed = _days(raw["closedate"], facts["zone"]), raw["archived"].astype(bool)
    status = stage.map({name: pair[0] for name, pair in known.items()})
    columns = {
        "external_id": raw["id"], "name": raw["dealname"].fillna(""), "pipeline": _text(raw["pipeline"]),
        "stage": stage.map({name: pair[1] for name, pair in known.items()}),
        "status": status, "forecast_category": raw["hs_manual_forecast_category"].map(CATEGORIES),
        "probability_bp": basis_points(_text(raw["hs_deal_stage_probability"]), 10_000),
        "owner_external_id": _text(raw["hubspot_owner_id"]), "amount_minor": minor, "currency": currency,
        "close_day": close, "created_day": _days(raw["createdate"], facts["zone"]),
        "modified_at": pd.to_datetime(_text(raw["hs_lastmodifieddate"]), utc=True, format="ISO8601"),
        "removed": removed,
    }  # fmt: skip
    frame = draft_frame("deals", columns, len(raw))
    bad = {i: ("amount is no number", "amount", why) for i, why in wrong.items() if not removed[i]}
    for i in frame.index[status.isna() & ~removed]:
        bad.setdefault(i, ("stage is not known", "dealstage", f"its stage {stage[i]!r} is in no pipeline"))
    rejects = [_reject(raw, frame, minor, i, *why) for i, why in bad.items()]
    kept = frame.drop(index=[*bad, *(i for i in frame.index[status.isna() & removed])])
    blank = kept["amount_minor"].isna() & ~kept["removed"].astype(bool)
    notes = (
        [Note("deal without an amount", int(blank.sum()), str(kept.loc[blank, "external_id"].iloc[0]))]
        if blank.any()
        else []
    )
    return Drafts("deals", _with_merged(raw, kept.reset_index(drop=True)), rejects, notes)


def _reject(
    raw: pd.DataFrame, frame: pd.DataFrame, minor: "pd.Series[Any]", i: Any, rule: str, name: str, why: str
) -> RejectDraft:
    """What the deal is worth is kept where it can be read, so that totals still add up."""
    status = "won" if raw["hs_is_closed_won"][i] == "true" else ("lost" if raw["hs_is_closed"][i] == "true" else "open")
    day: date | None = None if pd.isna(frame["close_day"][i]) else frame["close_day"][i].date()
    cents = None if pd.isna(minor[i]) else int(minor[i])
    return RejectDraft(
        raw["id"][i], rule, name, str(raw[name][i]), f"deal {raw['id'][i]}: {why}", f"correct {name} in HubSpot",
        status, cents, str(frame["currency"][i]), day,
    )  # fmt: skip


def _with_merged(raw: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """A merged deal vanishes from every list; its survivor names it, and it must not be counted twice."""
    losers = sorted(
        {i.strip() for ids in _text(raw["hs_merged_object_ids"]).dropna() for i in ids.split(";") if i.strip()}
    )
    losers = [i for i in losers if i not in set(kept["external_id"])]
    if not losers:
        return kept
    gone = draft_frame("deals", {"external_id": losers, "removed": [True] * len(losers)}, len(losers))
    return pd.concat([kept, gone.astype(kept.dtypes.to_dict())], ignore_index=True)


STREAMS: dict[str, Callable[[pd.DataFrame, Mapping[str, Any]], Drafts]] = {
    "people": _people, "stages": _stages, "quotas": _quotas, "deals": _deals,
}  # fmt: skip
