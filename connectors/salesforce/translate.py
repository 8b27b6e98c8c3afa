"""Salesforce rows in our own words. Pure: a landed batch gives the same drafts again.

The batch's facts say which field holds which of our words (`fields`), since an installation may map its own.
"""

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import pandas as pd

from connectors.amounts import amounts, basis_points
from connectors.base import Batch, Drafts, Note, draft_frame
from connectors.salesforce.ids import long_ids
from connectors.salesforce.quotas import KINDS, quotas
from connectors.salesforce.raw import Facts, Raw, reject

CATEGORIES = {
    "Omitted": "omitted", "Pipeline": "pipeline", "BestCase": "best_case", "MostLikely": "most_likely",
    "Forecast": "commit", "Closed": "closed",
}  # fmt: skip
"""By API value, not by label: admins rename the labels."""

FOLLOWED = {"Owner": "owner_external_id", "StageName": "stage", "Amount": "amount", "CloseDate": "close_day"}
"""Fields of the field history that are kept, in our words; the history has each change of owner twice, by name too."""


def translate(batch: Batch) -> Drafts:
    """Put one batch of any stream into our own words."""
    raw = Raw(batch.table.to_pandas(strings_to_categorical=False), batch.facts)
    return STREAMS[batch.stream](raw, batch.facts)


def _people(raw: Raw, facts: Facts) -> Drafts:
    columns = {
        "external_id": raw["id"], "name": raw["name"], "email": raw["email"], "title": raw["title"],
        "employee_id": raw["employee_id"], "federation_id": raw["federation_id"], "active": raw.flag("active"),
        "manager_external_id": raw.ids("manager"), "role_external_id": raw.ids("role"),
        "is_person": raw["user_type"].fillna("Standard") == "Standard",
    }  # fmt: skip
    notes = [Note(note, 1) for note in facts.get("notes", []) if len(raw)]
    return Drafts("people", draft_frame("people", columns, len(raw)), notes=notes)


def _roles(raw: Raw, facts: Facts) -> Drafts:
    columns = {"external_id": raw["id"], "name": raw["name"], "parent_external_id": raw.ids("parent")}
    return Drafts("roles", draft_frame("roles", columns, len(raw)))


def _territories(raw: Raw, facts: Facts) -> Drafts:
    columns = {"external_id": raw["id"], "name": raw["name"], "parent_external_id": raw.ids("parent")}
    return Drafts("territories", draft_frame("territories", columns, len(raw)))


def _territory_members(raw: Raw, facts: Facts) -> Drafts:
    columns = {
        "external_id": raw["id"], "territory_external_id": raw.ids("territory"), "owner_external_id": raw.ids("user"),
        "active": raw.flag("active", True),
    }  # fmt: skip
    return Drafts("territory_members", draft_frame("territory_members", columns, len(raw)))


def _stages(raw: Raw, facts: Facts) -> Drafts:
    columns = {
        "external_id": raw["id"], "name": raw["name"], "status": _status(raw),
        "position": pd.to_numeric(raw["position"]),
        "probability_bp": basis_points(raw["probability"], 100),
        "forecast_category": raw["forecast_category"].map(CATEGORIES),
    }  # fmt: skip
    return Drafts("stages", draft_frame("stages", columns, len(raw)))


def _status(raw: Raw) -> "pd.Series[Any]":
    won, closed = raw.flag("won"), raw.flag("closed")
    return pd.Series("open", raw.frame.index, dtype="str").mask(closed, "lost").mask(won, "won")


def _fiscal_periods(raw: Raw, facts: Facts) -> Drafts:
    columns = {
        "external_id": raw["id"], "kind": raw["kind"].map(KINDS), "label": raw["label"],
        "number": pd.to_numeric(raw["number"]), "first_day": raw.days("first_day"),
        "end_day": raw.days("last_day") + pd.Timedelta(days=1), "fiscal_year": raw["fiscal_year"],
    }  # fmt: skip
    frame = draft_frame("fiscal_periods", columns, len(raw))
    return Drafts("fiscal_periods", frame[frame["kind"].notna()].reset_index(drop=True))


def _rates(raw: Raw, facts: Facts) -> Drafts:
    """Dated rates; an org without them has one rate per currency, which then holds for every day."""
    dated = "first_day" in raw.fields
    first = raw.days("first_day") if dated else pd.Series(pd.Timestamp(1900, 1, 1), raw.frame.index)
    columns = {
        "external_id": raw["id"], "base": pd.Series(facts["currency"], raw.frame.index), "currency": raw["currency"],
        "first_day": first, "units_per_base": raw["rate"],
    }  # fmt: skip
    frame = draft_frame("rates", columns, len(raw))
    return Drafts("rates", frame[frame["currency"] != facts["currency"]].reset_index(drop=True))


def _deals(raw: Raw, facts: Facts) -> Drafts:
    currency = raw.currency(facts)
    removed = raw.removed | raw.unwanted(facts.get("only", {}))
    minor, wrong = amounts(raw["amount"].where(~removed), currency)
    status, close = _status(raw), raw.days("close_day")
    names = {i: shown[0] for i, shown in facts.get("record_types", {}).items()}
    pipeline = raw["pipeline"].astype("str").map(names).astype("str")
    columns = {
        "external_id": raw["id"], "name": raw["name"], "stage": raw["stage"], "pipeline": pipeline.fillna(""),
        "status": status, "forecast_category": raw["forecast_category"].map(CATEGORIES),
        "probability_bp": basis_points(raw["probability"], 100), "owner_external_id": raw.ids("owner"),
        "amount_minor": minor, "currency": currency, "close_day": close, "created_day": raw.days("created_day"),
        "modified_at": raw.instants("modified_at"), "removed": removed, "extra": _extra(raw, facts),
    }  # fmt: skip
    frame = draft_frame("deals", columns, len(raw))
    no_day = {i: why for i, why in raw.no_days("close_day", close).items() if not removed[i]}
    rejects = [
        reject(raw, i, "opportunity", rule, word, why, _money(frame.loc[i]))
        for rule, word, found in (
            ("amount is no number", "amount", wrong),
            ("close date is no day", "close_day", no_day),
        )
        for i, why in found.items()
        if found is wrong or i not in wrong
    ]
    if rejects:
        frame = frame.drop(index=[*{*wrong, *no_day}]).reset_index(drop=True)
    blank = frame["amount_minor"].isna() & ~frame["removed"].astype(bool)
    notes = (
        [Note("deal without an amount", int(blank.sum()), str(frame.loc[blank, "external_id"].iloc[0]))]
        if blank.any()
        else []
    )
    return Drafts("deals", frame, rejects, notes)


def _money(row: "pd.Series[Any]") -> tuple[Any, ...]:
    """What is known of the money of a deal that cannot be taken over, so that totals still add up."""
    amount, close = row["amount_minor"], row["close_day"]
    known = None if pd.isna(amount) else int(amount)
    return str(row["status"]), known, str(row["currency"]), None if pd.isna(close) else close.date()


def _extra(raw: Raw, facts: Facts) -> "pd.Series[Any]":
    """Further fields that the installation wants kept, as JSON by their own names; "" where there are none."""
    names = [name for word, name in raw.fields.items() if word.startswith("extra.")]
    if not names:
        return pd.Series("", raw.frame.index, dtype="str")
    kinds = facts.get("extra", {})
    columns = [[None if v is None or v != v else _spelt(v, kinds.get(n)) for v in raw.named(n)] for n in names]
    texts = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in zip(*columns, strict=True)]
    return pd.Series(texts, raw.frame.index, dtype="str")


def _spelt(value: Any, kind: str | None) -> Any:
    """One spelling of what pages and bulk jobs spell in two ways."""
    if kind == "datetime":
        return str(value).replace("+0000", "Z")
    if kind in ("currency", "double", "percent", "int"):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            return value
        return format(number.normalize(), "f") if number.is_finite() and abs(number.adjusted()) < 40 else value
    return value


def _splits(raw: Raw, facts: Facts) -> Drafts:
    columns = {
        "external_id": raw["id"], "deal_external_id": raw.ids("deal"), "owner_external_id": raw.ids("owner"),
        "share_ppm": basis_points(raw["percent"], 10_000), "overlay": raw["type"].isin(facts["overlay"]),
        "removed": raw.removed,
    }  # fmt: skip
    return Drafts("splits", draft_frame("splits", columns, len(raw)))


def _deal_history(raw: Raw, facts: Facts) -> Drafts:
    """A row of the history is the deal as it then was; it becomes one change per field that tells its value before."""
    parts = []
    for field, after, before in (
        ("stage", "stage", None), ("amount", "amount", "amount_before"), ("close_day", "close_day", "close_day_before"),
    ):  # fmt: skip
        old = raw[before] if before else pd.Series(None, raw.frame.index, dtype="object")
        new = raw[after]
        told = new.notna() if before is None else old.notna() & (old.astype("str") != new.astype("str"))
        columns = {
            "external_id": raw["id"] + ":" + field, "deal_external_id": raw.ids("deal"),
            "field": pd.Series(field, raw.frame.index), "old_value": old.astype("str"), "new_value": new.astype("str"),
            "changed_at": raw.instants("changed_at"), "changed_by_external_id": raw.ids("by"), "removed": raw.removed,
        }  # fmt: skip
        parts.append(draft_frame("deal_history", columns, len(raw))[told.to_numpy(dtype=bool)])
    return Drafts("deal_history", pd.concat(parts, ignore_index=True))


def _deal_field_history(raw: Raw, facts: Facts) -> Drafts:
    """Tracked changes of owner, stage, amount and close date; an owner's change by name repeats the one by id."""
    field = raw["field"].map(FOLLOWED)
    owners = field == "owner_external_id"
    before, after = raw["before"].astype("str"), raw["after"].astype("str")
    old, new = (texts.mask(owners, long_ids(texts)) for texts in (before, after))
    by_id = after.str.fullmatch(r"005[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?").fillna(False)
    columns = {
        "external_id": raw["id"], "deal_external_id": raw.ids("deal"), "field": field,
        "old_value": old, "new_value": new, "changed_at": raw.instants("changed_at"),
        "changed_by_external_id": raw.ids("by"), "removed": raw.removed,
    }  # fmt: skip
    frame = draft_frame("deal_field_history", columns, len(raw))
    kept = (field.notna() & (~owners | by_id)).to_numpy(dtype=bool)
    return Drafts("deal_field_history", frame[kept].reset_index(drop=True))


def _activities(raw: Raw, facts: Facts) -> Drafts:
    """Numbers by person, kind and month; a task that says nothing of its kind is a task like those that do."""
    frame = raw.frame
    kind = frame["kind"].fillna("Task").str.lower().mask(frame["object"] == "Event", "meeting")
    first = pd.to_datetime(frame["y"] + "-" + frame["m"].str.zfill(2) + "-01")
    told = pd.DataFrame({"kind": kind, "owner": frame["owner"], "first": first, "n": pd.to_numeric(frame["n"])})
    found = told.groupby(["kind", "owner", "first"], as_index=False, sort=False)["n"].sum()
    columns = {
        "external_id": found["kind"] + ":" + found["owner"] + ":" + found["first"].dt.strftime("%Y-%m"),
        "kind": found["kind"], "owner_external_id": found["owner"], "first_day": found["first"],
        "end_day": found["first"] + pd.DateOffset(months=1), "number": found["n"],
    }  # fmt: skip
    return Drafts("activities", draft_frame("activities", columns, len(found)))


STREAMS: dict[str, Callable[[Raw, Facts], Drafts]] = {
    "people": _people, "roles": _roles, "territories": _territories, "territory_members": _territory_members,
    "stages": _stages, "fiscal_periods": _fiscal_periods, "rates": _rates, "quotas": quotas, "deals": _deals,
    "splits": _splits, "deal_history": _deal_history, "deal_field_history": _deal_field_history,
    "activities": _activities,
}  # fmt: skip
