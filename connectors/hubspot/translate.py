"""HubSpot rows in our own words. Pure: a landed batch gives the same drafts again.

The batch's facts say which property holds which of our words (`fields`), since an installation may map its own.
"""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pandas as pd

from connectors.amounts import amounts, basis_points
from connectors.base import Batch, Drafts, Note, RejectDraft, draft_frame
from connectors.hubspot.searching import spelt

Facts = Mapping[str, Any]
CATEGORIES = {
    "OMIT": "omitted", "PIPELINE": "pipeline", "BEST_CASE": "best_case", "COMMIT": "commit", "CLOSED": "closed",
}  # fmt: skip
KEPT = ("home_amount", "forecast_amount")
"""Words that are kept beside the deal, by the names of their properties."""


class Raw:
    """A batch as received, its columns by our words; null, missing and "" are the same: unknown."""

    def __init__(self, frame: pd.DataFrame, facts: Facts) -> None:
        self.frame, self.fields, self.facts = frame, facts.get("fields", {}), facts

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, word: str) -> "pd.Series[Any]":
        return self.named(self.fields.get(word, word))

    def named(self, name: str) -> "pd.Series[Any]":
        """A column by its property; unknown throughout where it was not read."""
        if name in self.frame:
            return self.frame[name].replace("", None)
        return pd.Series([None] * len(self), index=self.frame.index, dtype="str")

    def moments(self, word: str) -> "pd.Series[Any]":
        """A column of instants, as ISO text or epoch milliseconds."""
        return moments(self[word])

    def days(self, word: str) -> "pd.Series[Any]":
        """A column of instants as the portal's local days."""
        return local_days(self[word], self.facts["zone"])

    @property
    def removed(self) -> "pd.Series[Any]":
        """Rows that are archived, or that the installation's filter leaves out: one let in before is gone now."""
        out = self.frame["archived"].astype(bool)
        for name, values in self.facts.get("only", {}).items():
            out |= ~self.named(name).isin(spelt(values))
        return out


def moments(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    """Instants of texts in either spelling; unknown where there is none to read."""
    numbers = pd.to_numeric(texts, errors="coerce")
    found = pd.to_datetime(texts.where(numbers.isna()), utc=True, errors="coerce", format="ISO8601")
    return (
        found.fillna(pd.to_datetime(numbers, unit="ms", utc=True, errors="coerce")) if numbers.notna().any() else found
    )


def local_days(texts: "pd.Series[Any]", zone: str) -> "pd.Series[Any]":
    """Instants as the days that they are in a time zone."""
    found: pd.Series[Any] = moments(texts).dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    return found


AS_JSON = json.JSONEncoder(ensure_ascii=False).encode


def translate(batch: Batch) -> Drafts:
    """Put one batch of any stream into our own words."""
    return TRANSLATED[batch.stream](Raw(batch.table.to_pandas(), batch.facts), batch.facts)


def _people(raw: Raw, facts: Facts) -> Drafts:
    columns = {
        "external_id": raw["id"], "name": raw["name"].fillna(""), "email": raw["email"], "team": raw["team"],
        "team_parent": raw["team_parent"],
        "active": raw["archived"] != "true", "is_person": raw["type"].fillna("PERSON") == "PERSON",
    }  # fmt: skip
    return Drafts("people", draft_frame("people", columns, len(raw)))


def _stages(raw: Raw, facts: Facts) -> Drafts:
    columns = {
        "external_id": raw["id"], "pipeline": raw["pipeline"], "name": raw["name"], "status": raw["status"],
        "position": pd.to_numeric(raw["position"]), "probability_bp": basis_points(raw["probability"], 10_000),
    }  # fmt: skip
    return Drafts("stages", draft_frame("stages", columns, len(raw)))


def _quotas(raw: Raw, facts: Facts) -> Drafts:
    """Goals of deal money, each for the days that it is set for; goals of anything else are noted, never added."""
    kpi = raw["kpi_object"].fillna("0-3")
    money = (raw["type"] == "sales_quota") | ((kpi == "0-3") & raw["kpi"].fillna("").str.contains("amount"))
    others = int((~money).sum())
    notes = [Note("goal that is not a sales quota, not counted", others)] if others else []
    raw = Raw(raw.frame[money.fillna(False).astype(bool)].reset_index(drop=True), facts)
    currency = raw["currency"].fillna(facts["currency"])
    minor, wrong = amounts(raw["amount"], currency)
    first, last = raw.days("first"), raw.days("last")
    owner = raw["owner"]
    columns = {
        "external_id": raw["id"], "owner_external_id": owner,
        "team_external_id": raw["team"].fillna(raw["other_team"].where(owner.isna())),
        "first_day": first, "end_day": last + pd.Timedelta(days=1), "amount_minor": minor, "currency": currency,
        "reason": raw["name"], "modified_at": raw.moments("modified_at"), "removed": raw.removed,
    }  # fmt: skip
    frame = draft_frame("quotas", columns, len(raw))
    bad = {i: ("amount is no number", "amount", why) for i, why in wrong.items()}
    for i in frame.index[frame["first_day"].isna() | frame["end_day"].isna()]:
        bad.setdefault(i, ("period is not known", "first", "it has no readable start and end"))
    rejects = [_reject(raw, i, "goal", rule, word, why) for i, (rule, word, why) in bad.items()]
    return Drafts("quotas", frame.drop(index=list(bad)).reset_index(drop=True), rejects, notes)


def _deals(raw: Raw, facts: Facts) -> Drafts:
    known = facts["stages"]
    stage, currency, removed = raw["stage"], raw["currency"].fillna(facts["currency"]), raw.removed
    minor, wrong = amounts(raw["amount"], currency)
    close = raw.days("close_day")
    status = stage.map({name: pair[0] for name, pair in known.items()})
    columns = {
        "external_id": raw["id"], "name": raw["name"].fillna(""), "pipeline": raw["pipeline"].fillna(""),
        "stage": stage.map({name: pair[1] for name, pair in known.items()}),
        "status": status, "forecast_category": raw["forecast_category"].map(CATEGORIES),
        "probability_bp": basis_points(raw["probability"], 10_000), "owner_external_id": raw["owner"],
        "amount_minor": minor, "currency": currency, "close_day": close, "created_day": raw.days("created_day"),
        "modified_at": raw.moments("modified_at"), "removed": removed, "extra": _extra(raw, facts),
    }  # fmt: skip
    frame = draft_frame("deals", columns, len(raw))
    bad = {i: ("amount is no number", "amount", why) for i, why in wrong.items() if not removed[i]}
    for i in frame.index[status.isna() & ~removed]:
        bad.setdefault(i, ("stage is not known", "stage", f"its stage {stage[i]!r} is in no pipeline"))
    for i in frame.index[close.isna() & raw["close_day"].notna() & ~removed]:
        bad.setdefault(i, ("close date is no day", "close_day", f"{str(raw['close_day'][i])[:40]!r} is no day"))
    rejects = [_reject(raw, i, "deal", *why, money=_money(raw, frame, i)) for i, why in bad.items()]
    kept = frame.drop(index=list(bad)).reset_index(drop=True) if bad else frame
    kept["status"] = kept["status"].fillna("open")  # of a deal that is gone
    blank = kept["amount_minor"].isna() & ~kept["removed"].astype(bool)
    example = str(kept.loc[blank, "external_id"].iloc[0]) if blank.any() else ""
    notes = [Note("deal without an amount", int(blank.sum()), example)] if blank.any() else []
    return Drafts("deals", _with_merged(raw, kept), rejects, notes)


def _extra(raw: Raw, facts: Facts) -> "pd.Series[Any]":
    """What is kept beside the deal, as JSON by HubSpot's names; "" where nothing of it is known."""
    names = [raw.fields[word] for word in KEPT if word in raw.fields] + list(facts.get("extra", []))
    names = [name for name in dict.fromkeys(names) if name in raw.frame]
    if not names:
        return pd.Series("", raw.frame.index, dtype="str")
    columns = [raw.named(name).to_list() for name in names]
    texts = []
    for values in zip(*columns, strict=True):
        told = {n: v for n, v in zip(names, values, strict=True) if v is not None and v == v}
        texts.append(AS_JSON(told) if told else "")
    return pd.Series(texts, raw.frame.index, dtype="str")


def _money(raw: Raw, frame: pd.DataFrame, i: Any) -> tuple[Any, ...]:
    """What is known of the money of a deal that cannot be taken over, so that totals still add up."""
    status = "won" if raw["won"][i] == "true" else ("lost" if raw["closed"][i] == "true" else "open")
    day: date | None = None if pd.isna(frame["close_day"][i]) else frame["close_day"][i].date()
    minor = frame["amount_minor"][i]
    return status, None if pd.isna(minor) else int(minor), str(frame["currency"][i]), day


def _reject(
    raw: Raw, at: Any, kind: str, rule: str, word: str, why: str, money: tuple[Any, ...] = (None, None, None, None)
) -> RejectDraft:
    row, name, value = str(raw["id"][at]), raw.fields.get(word, word), raw[word][at]
    shown = "" if value is None or value != value else str(value)
    return RejectDraft(row, rule, name, shown, f"{kind} {row}: {why}", f"correct {name} in HubSpot", *money)


def _with_merged(raw: Raw, kept: pd.DataFrame) -> pd.DataFrame:
    """A merged deal vanishes from every list; its survivor names it, and it must not be counted twice."""
    named = raw["merged"].dropna()
    losers = sorted({i.strip() for ids in named for i in ids.split(";") if i.strip()} - set(raw["id"]))
    if not losers:
        return kept
    gone = draft_frame("deals", {"external_id": losers, "removed": [True] * len(losers)}, len(losers))
    return pd.concat([kept, gone.astype(kept.dtypes.to_dict())], ignore_index=True)


def _splits(raw: Raw, facts: Facts) -> Drafts:
    """Shares of 1, or of 100: those of one deal tell by their sum which it is."""
    share = pd.to_numeric(raw["share"], errors="coerce")
    of_100 = (share.groupby(raw["deal"]).transform("sum") > 1.5).fillna(False).astype(bool)
    columns = {
        "external_id": raw["id"], "deal_external_id": raw["deal"], "owner_external_id": raw["owner"],
        "share_ppm": basis_points(raw["share"], 1_000_000).mask(of_100, basis_points(raw["share"], 10_000)),
        "overlay": pd.Series(False, raw.frame.index), "removed": pd.Series(False, raw.frame.index),
    }  # fmt: skip
    return Drafts("splits", draft_frame("splits", columns, len(raw)))


def _deal_history(raw: Raw, facts: Facts) -> Drafts:
    """Stages by their names, close dates as the portal's local days, owners by their ids."""
    field, stages = raw["field"], {name: pair[1] for name, pair in facts["stages"].items()}
    values = {}
    for word in ("before", "after"):
        texts = raw[word].astype("str")
        days = local_days(texts.where(field == "close_day"), facts["zone"]).dt.strftime("%Y-%m-%d")
        named = texts.map(stages).fillna(texts)
        values[word] = texts.mask(field == "close_day", days).mask(field == "stage", named)
    columns = {
        "external_id": raw["id"], "deal_external_id": raw["deal"], "field": field, "old_value": values["before"],
        "new_value": values["after"], "changed_at": raw.moments("at"), "changed_by_external_id": raw["by"],
        "removed": pd.Series(False, raw.frame.index),
    }  # fmt: skip
    return Drafts("deal_history", draft_frame("deal_history", columns, len(raw)))


def _activities(raw: Raw, facts: Facts) -> Drafts:
    first = pd.to_datetime(raw["month"] + "-01")
    columns = {
        "external_id": raw["kind"] + ":" + raw["owner"] + ":" + raw["month"], "kind": raw["kind"],
        "owner_external_id": raw["owner"], "first_day": first, "end_day": first + pd.DateOffset(months=1),
        "number": pd.to_numeric(raw["n"]),
    }  # fmt: skip
    return Drafts("activities", draft_frame("activities", columns, len(raw)))


TRANSLATED: dict[str, Callable[[Raw, Facts], Drafts]] = {
    "people": _people, "stages": _stages, "quotas": _quotas, "deals": _deals, "splits": _splits,
    "deal_history": _deal_history, "activities": _activities,
}  # fmt: skip
