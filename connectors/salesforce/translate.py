"""Salesforce rows in our own words. Pure: a landed batch gives the same drafts again."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from connectors.amounts import amounts, basis_points
from connectors.base import Batch, Drafts, Note, RejectDraft, draft_frame

CATEGORIES = {
    "Omitted": "omitted", "Pipeline": "pipeline", "BestCase": "best_case", "MostLikely": "most_likely",
    "Forecast": "commit", "Closed": "closed",
}  # fmt: skip
"""By API value, not by label: admins rename the labels."""


def translate(batch: Batch) -> Drafts:
    """Put one batch of any stream into our own words."""
    raw = batch.table.to_pandas(strings_to_categorical=False)
    return STREAMS[batch.stream](raw, batch.facts)


def _col(raw: pd.DataFrame, name: str) -> "pd.Series[Any]":
    return raw[name] if name in raw else pd.Series([None] * len(raw), index=raw.index, dtype="object")


def _people(raw: pd.DataFrame, facts: Mapping[str, Any]) -> Drafts:
    columns = {
        "external_id": raw["Id"], "name": raw["Name"], "email": _col(raw, "Email"), "title": _col(raw, "Title"),
        "employee_id": _col(raw, "EmployeeNumber"), "active": raw["IsActive"],
        "manager_external_id": _col(raw, "ManagerId"),
        "is_person": _col(raw, "UserType").fillna("Standard") == "Standard",
    }  # fmt: skip
    return Drafts("people", draft_frame("people", columns, len(raw)))


def _stages(raw: pd.DataFrame, facts: Mapping[str, Any]) -> Drafts:
    columns = {
        "external_id": raw["Id"], "name": raw["MasterLabel"], "status": _status(raw),
        "position": pd.to_numeric(_col(raw, "SortOrder")),
        "probability_bp": basis_points(_col(raw, "DefaultProbability"), 100),
        "forecast_category": _col(raw, "ForecastCategory").map(CATEGORIES),
    }  # fmt: skip
    return Drafts("stages", draft_frame("stages", columns, len(raw)))


def _status(raw: pd.DataFrame) -> "pd.Series[Any]":
    won, closed = raw["IsWon"].astype(bool), raw["IsClosed"].astype(bool)
    return pd.Series("open", raw.index).mask(closed, "lost").mask(won, "won")


def _rates(raw: pd.DataFrame, facts: Mapping[str, Any]) -> Drafts:
    columns = {
        "external_id": raw["Id"], "base": pd.Series(facts["base"], raw.index), "currency": raw["IsoCode"],
        "first_day": pd.to_datetime(raw["StartDate"]), "units_per_base": raw["ConversionRate"],
    }  # fmt: skip
    return Drafts("rates", draft_frame("rates", columns, len(raw)))


def _currency(raw: pd.DataFrame, facts: Mapping[str, Any]) -> "pd.Series[Any]":
    return _col(raw, "CurrencyIsoCode").fillna(facts["currency"])


def _quotas(raw: pd.DataFrame, facts: Mapping[str, Any]) -> Drafts:
    counts = pd.Series(True, raw.index)
    if facts["quota_type"] and "ForecastingTypeId" in raw:
        counts = raw["ForecastingTypeId"] == facts["quota_type"]
    others = int((~counts).sum())
    notes = [Note("quota of another type, not counted", others)] if others else []
    if facts["quota_note"] and len(raw):
        notes.append(Note(facts["quota_note"], 1))
    raw = raw[counts].reset_index(drop=True)
    currency = _currency(raw, facts)
    minor, wrong = amounts(raw["QuotaAmount"], currency)
    month = pd.to_datetime(raw["StartDate"]).dt.to_period("M")
    first = month.dt.to_timestamp()
    columns = {
        "external_id": raw["Id"], "owner_external_id": raw["QuotaOwnerId"], "first_day": first,
        "end_day": first.map(lambda day: day + pd.DateOffset(months=1)), "amount_minor": minor, "currency": currency,
        "modified_at": _col(raw, "SystemModstamp"), "removed": pd.Series(False, raw.index),
    }  # fmt: skip
    rejects = [
        RejectDraft(raw["Id"][i], "amount is no number", "QuotaAmount", str(raw["QuotaAmount"][i]),
                    f"quota {raw['Id'][i]}: {why}", "correct QuotaAmount in Salesforce")
        for i, why in wrong.items()
    ]  # fmt: skip
    frame = draft_frame("quotas", columns, len(raw))
    return Drafts("quotas", frame.drop(index=list(wrong)).reset_index(drop=True), rejects, notes)


def _deals(raw: pd.DataFrame, facts: Mapping[str, Any]) -> Drafts:
    currency = _currency(raw, facts)
    minor, wrong = amounts(raw["Amount"], currency)
    status, close = _status(raw), pd.to_datetime(raw["CloseDate"])
    columns = {
        "external_id": raw["Id"], "name": raw["Name"], "stage": raw["StageName"],
        "status": status, "forecast_category": _col(raw, "ForecastCategory").map(CATEGORIES),
        "probability_bp": basis_points(_col(raw, "Probability"), 100), "owner_external_id": raw["OwnerId"],
        "amount_minor": minor, "currency": currency, "close_day": close,
        "created_day": pd.to_datetime(_col(raw, "CreatedDate"), utc=True), "modified_at": raw["SystemModstamp"],
        "removed": raw["IsDeleted"],
    }  # fmt: skip
    rejects = [
        RejectDraft(raw["Id"][i], "amount is no number", "Amount", str(raw["Amount"][i]),
                    f"opportunity {raw['Id'][i]}: {why}", "correct Amount in Salesforce",
                    str(status[i]), None, str(currency[i]), close[i].date())
        for i, why in wrong.items()
    ]  # fmt: skip
    frame = draft_frame("deals", columns, len(raw))
    blank = frame["amount_minor"].isna() & ~frame["removed"].astype(bool)
    notes = (
        [Note("deal without an amount", int(blank.sum()), str(frame.loc[blank, "external_id"].iloc[0]))]
        if blank.any()
        else []
    )
    return Drafts("deals", frame.drop(index=list(wrong)).reset_index(drop=True), rejects, notes)


def _splits(raw: pd.DataFrame, facts: Mapping[str, Any]) -> Drafts:
    columns = {
        "external_id": raw["Id"], "deal_external_id": raw["OpportunityId"], "owner_external_id": raw["SplitOwnerId"],
        "share_ppm": basis_points(raw["SplitPercentage"], 10_000), "overlay": raw["SplitTypeId"].isin(facts["overlay"]),
        "removed": _col(raw, "IsDeleted").fillna(False).astype(bool),
    }  # fmt: skip
    return Drafts("splits", draft_frame("splits", columns, len(raw)))


STREAMS: dict[str, Callable[[pd.DataFrame, Mapping[str, Any]], Drafts]] = {
    "people": _people, "stages": _stages, "rates": _rates, "quotas": _quotas, "deals": _deals, "splits": _splits,
}  # fmt: skip
