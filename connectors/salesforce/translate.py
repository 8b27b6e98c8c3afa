"""Salesforce rows in our own words. Pure: a landed batch gives the same drafts again.

The batch's facts say which field holds which of our words (`fields`), since an installation may map its own.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from connectors.amounts import amounts, basis_points
from connectors.base import Batch, Drafts, Note, RejectDraft, draft_frame
from connectors.salesforce.ids import long_ids

CATEGORIES = {
    "Omitted": "omitted", "Pipeline": "pipeline", "BestCase": "best_case", "MostLikely": "most_likely",
    "Forecast": "commit", "Closed": "closed",
}  # fmt: skip
"""By API value, not by label: admins rename the labels."""

KINDS = {"Month": "month", "Quarter": "quarter", "Year": "year", "Week": "week"}
FOLLOWED = {"Owner": "owner_external_id", "StageName": "stage", "Amount": "amount", "CloseDate": "close_day"}
"""Fields of the field history that are kept, in our words; the history has each change of owner twice, by name too."""

Facts = Mapping[str, Any]


def translate(batch: Batch) -> Drafts:
    """Put one batch of any stream into our own words."""
    raw = Raw(batch.table.to_pandas(strings_to_categorical=False), batch.facts)
    return STREAMS[batch.stream](raw, batch.facts)


class Raw:
    """A batch as received, its columns by our words."""

    def __init__(self, frame: pd.DataFrame, facts: Facts) -> None:
        self.frame, self.fields = frame, facts.get("fields", {})

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, word: str) -> "pd.Series[Any]":
        return self.named(self.fields.get(word, ""))

    def named(self, field: str) -> "pd.Series[Any]":
        """A column by the source's own name; unknown throughout where it was not read."""
        if field in self.frame:
            return self.frame[field]
        return pd.Series([None] * len(self), index=self.frame.index, dtype="object")

    def ids(self, word: str) -> "pd.Series[Any]":
        """A column of record ids."""
        return long_ids(self[word].astype("str"))

    def flag(self, word: str, otherwise: bool = False) -> "pd.Series[Any]":
        """A column of true and false."""
        return self[word].fillna(otherwise).astype(bool)

    @property
    def removed(self) -> "pd.Series[Any]":
        """Rows that are deleted at the source, whether the object shows that itself or its log does."""
        return self.named("IsDeleted").fillna(False).astype(bool)

    def unwanted(self, only: Mapping[str, Any]) -> "pd.Series[Any]":
        """Rows that the installation's filter leaves out; one that was let in before is gone from it now."""
        out = pd.Series(False, self.frame.index)
        for field, values in only.items():
            shown = self.named(field).map(lambda v: str(v).lower() if isinstance(v, bool) else str(v))
            out |= ~shown.isin([str(v).lower() if str(v) in ("True", "False") else str(v) for v in values])
        return out


def _people(raw: Raw, facts: Facts) -> Drafts:
    columns = {
        "external_id": raw["id"], "name": raw["name"], "email": raw["email"], "title": raw["title"],
        "employee_id": raw["employee_id"], "federation_id": raw["federation_id"], "active": raw["active"],
        "manager_external_id": raw.ids("manager"), "role_external_id": raw.ids("role"),
        "is_person": raw["user_type"].fillna("Standard") == "Standard",
    }  # fmt: skip
    notes = [Note(note, 1) for note in facts.get("notes", []) if len(raw)]
    return Drafts("people", draft_frame("people", columns, len(raw)), notes=notes)


def _roles(raw: Raw, facts: Facts) -> Drafts:
    columns = {"external_id": raw["id"], "name": raw["name"], "parent_external_id": raw["parent"]}
    return Drafts("roles", draft_frame("roles", columns, len(raw)))


def _territories(raw: Raw, facts: Facts) -> Drafts:
    columns = {"external_id": raw["id"], "name": raw["name"], "parent_external_id": raw["parent"]}
    return Drafts("territories", draft_frame("territories", columns, len(raw)))


def _territory_members(raw: Raw, facts: Facts) -> Drafts:
    columns = {
        "external_id": raw["id"], "territory_external_id": raw["territory"], "owner_external_id": raw["user"],
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
        "number": pd.to_numeric(raw["number"]), "first_day": pd.to_datetime(raw["first_day"]),
        "end_day": pd.to_datetime(raw["last_day"]) + pd.Timedelta(days=1), "fiscal_year": raw["fiscal_year"],
    }  # fmt: skip
    frame = draft_frame("fiscal_periods", columns, len(raw))
    return Drafts("fiscal_periods", frame[frame["kind"].notna()].reset_index(drop=True))


def _rates(raw: Raw, facts: Facts) -> Drafts:
    """Dated rates; an org without them has one rate per currency, which then holds for every day."""
    dated = "first_day" in raw.fields
    first = pd.to_datetime(raw["first_day"]) if dated else pd.Series(pd.Timestamp(1900, 1, 1), raw.frame.index)
    columns = {
        "external_id": raw["id"], "base": pd.Series(facts["currency"], raw.frame.index), "currency": raw["currency"],
        "first_day": first, "units_per_base": raw["rate"],
    }  # fmt: skip
    frame = draft_frame("rates", columns, len(raw))
    return Drafts("rates", frame[frame["currency"] != facts["currency"]].reset_index(drop=True))


def _currency(raw: Raw, facts: Facts) -> "pd.Series[Any]":
    return raw["currency"].fillna(facts["currency"]).astype("str")


def _quotas(raw: Raw, facts: Facts) -> Drafts:
    """Quotas of other types, product families and territories overlap with those that count: they are never added."""
    counts, notes = pd.Series(True, raw.frame.index), list[Note]()
    for word, wanted, words in (
        ("type", facts.get("quota_type"), "quota of another type, not counted"),
        ("product_family", facts.get("family") or "", "quota of another product family, not counted"),
        ("territory", facts.get("territory") or "", "quota of another territory, not counted"),
    ):
        if wanted is not None and word in raw.fields:
            other = counts & ~raw.removed & (raw[word].fillna("") != wanted)
            notes += [Note(words, int(other.sum()))] if other.any() else []
            counts &= ~other
    if facts.get("quota_note") and len(raw):
        notes.append(Note(facts["quota_note"], 1))
    currency = _currency(raw, facts)
    minor, wrong = amounts(raw["amount"].where(counts), currency)
    first, end = _spans(raw, facts)
    dated = "first_day" in raw.fields
    columns = {
        "external_id": raw["id"] if dated else raw["id"] + ":" + first.dt.strftime("%Y-%m-%d"),
        "owner_external_id": raw.ids("owner"), "first_day": first, "end_day": end, "amount_minor": minor,
        "currency": currency, "modified_at": raw["modified_at"],
        "removed": raw.removed | ~counts | raw.unwanted(facts.get("only", {})),
    }  # fmt: skip
    blank = counts & ~raw.removed & first.isna()
    rejects = [
        _reject(raw, i, "quota", "amount is no number", "amount", why) for i, why in wrong.items()
    ] + [
        _reject(raw, i, "quota", "month is missing", "first_day", "it has no first day")
        for i in blank.index[blank] if i not in wrong
    ]  # fmt: skip
    frame = draft_frame("quotas", columns, len(raw))
    return Drafts("quotas", frame.drop(index=[*wrong, *blank.index[blank].difference(list(wrong))])
                  .reset_index(drop=True), rejects, notes)  # fmt: skip


def _spans(raw: Raw, facts: Facts) -> tuple["pd.Series[Any]", "pd.Series[Any]"]:
    """First and end day of each quota: of its forecast period, else of the calendar month, quarter or year."""
    months = {"month": 1, "quarter": 3, "year": 12}[facts.get("quota_period", "month")]
    given = raw["first_day"] if "first_day" in raw.fields else pd.Series(facts.get("today"), raw.frame.index)
    day = pd.to_datetime(given)
    start = int(facts.get("fiscal_start_month") or 1)
    number = day.dt.year * 12 + day.dt.month - 1
    number = number - (number - (start - 1)) % months
    known = number.fillna(1970 * 12).astype("int64")
    first = pd.to_datetime({"year": known // 12, "month": known % 12 + 1, "day": 1}).where(day.notna())
    after = known + months
    end = pd.to_datetime({"year": after // 12, "month": after % 12 + 1, "day": 1}).where(day.notna())
    periods = {i: p for i, p in facts.get("periods", {}).items() if p[0] in KINDS}
    inside = raw["period"].isin(list(periods))
    if inside.any():
        own_first = pd.to_datetime(raw["period"].map(lambda i: periods.get(i, (None, None, None))[1]))
        own_last = pd.to_datetime(raw["period"].map(lambda i: periods.get(i, (None, None, None))[2]))
        first, end = first.mask(inside, own_first), end.mask(inside, own_last + pd.Timedelta(days=1))
    return first, end


def _deals(raw: Raw, facts: Facts) -> Drafts:
    currency = _currency(raw, facts)
    removed = raw.removed | raw.unwanted(facts.get("only", {}))
    minor, wrong = amounts(raw["amount"].where(~removed), currency)
    status, close = _status(raw), pd.to_datetime(raw["close_day"])
    names = {i: shown[0] for i, shown in facts.get("record_types", {}).items()}
    pipeline = raw["pipeline"].astype("str").map(names).astype("str")
    created = raw["created_day"].astype("str").str.slice(0, 10)
    columns = {
        "external_id": raw["id"], "name": raw["name"], "stage": raw["stage"], "pipeline": pipeline.fillna(""),
        "status": status, "forecast_category": raw["forecast_category"].map(CATEGORIES),
        "probability_bp": basis_points(raw["probability"], 100), "owner_external_id": raw.ids("owner"),
        "amount_minor": minor, "currency": currency, "close_day": close, "created_day": pd.to_datetime(created),
        "modified_at": raw["modified_at"], "removed": removed, "extra": _extra(raw),
    }  # fmt: skip
    rejects = [
        _reject(raw, i, "opportunity", "amount is no number", "amount", why,
                (str(status[i]), str(currency[i]), close[i].date()))
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


def _extra(raw: Raw) -> "pd.Series[Any]":
    """Further fields that the installation wants kept, as JSON by their own names; "" where there are none."""
    names = [name for word, name in raw.fields.items() if word.startswith("extra.")]
    if not names:
        return pd.Series("", raw.frame.index, dtype="str")
    columns = [[None if v is None or v != v else v for v in raw.named(n)] for n in names]
    texts = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in zip(*columns, strict=True)]
    return pd.Series(texts, raw.frame.index, dtype="str")


def _reject(
    raw: Raw, at: Any, kind: str, rule: str, word: str, why: str, money: tuple[Any, Any, Any] = (None, None, None)
) -> RejectDraft:
    row, field = str(raw["id"][at]), raw.fields.get(word, word)
    value = raw[word][at]
    shown = "" if value is None or value != value else str(value)
    fix = f"correct {field} in Salesforce"
    return RejectDraft(row, rule, field, shown, f"{kind} {row}: {why}", fix, money[0], None, money[1], money[2])


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
            "external_id": raw["id"] + ":" + field, "deal_external_id": raw["deal"],
            "field": pd.Series(field, raw.frame.index), "old_value": old.astype("str"), "new_value": new.astype("str"),
            "changed_at": raw["changed_at"], "changed_by_external_id": raw["by"], "removed": raw.removed,
        }  # fmt: skip
        parts.append(draft_frame("deal_history", columns, len(raw))[told.to_numpy(dtype=bool)])
    return Drafts("deal_history", pd.concat(parts, ignore_index=True))


def _deal_field_history(raw: Raw, facts: Facts) -> Drafts:
    """Tracked changes of owner, stage, amount and close date; an owner's change by name repeats the one by id."""
    field = raw["field"].map(FOLLOWED)
    owners = field == "owner_external_id"
    by_id = raw["after"].astype("str").str.fullmatch(r"005[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?").fillna(False)
    columns = {
        "external_id": raw["id"], "deal_external_id": raw["deal"], "field": field,
        "old_value": raw.ids("before"), "new_value": raw.ids("after"), "changed_at": raw["changed_at"],
        "changed_by_external_id": raw["by"], "removed": raw.removed,
    }  # fmt: skip
    frame = draft_frame("deal_field_history", columns, len(raw))
    kept = (field.notna() & (~owners | by_id)).to_numpy(dtype=bool)
    return Drafts("deal_field_history", frame[kept].reset_index(drop=True))


def _activities(raw: Raw, facts: Facts) -> Drafts:
    frame = raw.frame
    tasks = frame["kind"].fillna("Task").str.lower()
    kind = tasks.mask(frame["object"] == "Event", "meeting")
    first = pd.to_datetime(frame["y"] + "-" + frame["m"].str.zfill(2) + "-01")
    columns = {
        "external_id": kind + ":" + frame["owner"] + ":" + first.dt.strftime("%Y-%m"), "kind": kind,
        "owner_external_id": frame["owner"], "first_day": first, "end_day": first + pd.DateOffset(months=1),
        "number": pd.to_numeric(frame["n"]),
    }  # fmt: skip
    return Drafts("activities", draft_frame("activities", columns, len(frame)))


STREAMS: dict[str, Callable[[Raw, Facts], Drafts]] = {
    "people": _people, "roles": _roles, "territories": _territories, "territory_members": _territory_members,
    "stages": _stages, "fiscal_periods": _fiscal_periods, "rates": _rates, "quotas": _quotas, "deals": _deals,
    "splits": _splits, "deal_history": _deal_history, "deal_field_history": _deal_field_history,
    "activities": _activities,
}  # fmt: skip
