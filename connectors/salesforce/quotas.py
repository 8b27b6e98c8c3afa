"""Quotas in our own words: only those that count, each for the fiscal period that the org itself says it is set for."""

from datetime import date, timedelta
from typing import Any

import pandas as pd

from connectors.amounts import amounts
from connectors.base import Drafts, Note, draft_frame
from connectors.salesforce.ids import long_id
from connectors.salesforce.raw import Facts, Raw, reject

KINDS = {"Month": "month", "Quarter": "quarter", "Year": "year", "Week": "week"}
MONTHS = {"month": 1, "quarter": 3, "year": 12}


def quotas(raw: Raw, facts: Facts) -> Drafts:
    """Quotas of other types, product families and territories overlap with those that count: they are never added."""
    counts, notes = _counting(raw, facts)
    currency = raw.currency(facts)
    removed = raw.removed | ~counts | raw.unwanted(facts.get("only", {}))
    minor, wrong = amounts(raw["amount"].where(~removed), currency)
    first, end = _spans(raw, facts)
    dated = "first_day" in raw.fields
    columns = {
        "external_id": raw["id"] if dated else raw["id"] + ":" + first.dt.strftime("%Y-%m-%d"),
        "owner_external_id": raw.ids("owner"), "first_day": first, "end_day": end, "amount_minor": minor,
        "currency": currency, "modified_at": raw.instants("modified_at"), "removed": removed,
    }  # fmt: skip
    blank = (~removed & first.isna()).pipe(lambda found: found.index[found])
    no_days = raw.no_days("first_day", raw.days("first_day")) if dated else {}
    rejects = [reject(raw, i, "quota", "amount is no number", "amount", why) for i, why in wrong.items()]
    rejects += [
        reject(raw, i, "quota", "month is no day", "first_day", no_days[i])
        if i in no_days
        else reject(raw, i, "quota", "month is missing", "first_day", "it has no first day")
        for i in blank
        if i not in wrong
    ]
    frame = draft_frame("quotas", columns, len(raw)).drop(index=[*{*wrong, *blank}])
    return Drafts("quotas", frame.reset_index(drop=True), rejects, notes)


def _counting(raw: Raw, facts: Facts) -> tuple["pd.Series[Any]", list[Note]]:
    """Which rows count, and how many do not for which reason."""
    counts, notes = pd.Series(True, raw.frame.index), list[Note]()
    for word, wanted, words in (
        ("type", facts.get("quota_type"), "quota of another type, not counted"),
        ("product_family", facts.get("family") or "", "quota of another product family, not counted"),
        ("territory", long_id(facts.get("territory") or ""), "quota of another territory, not counted"),
    ):
        if wanted is not None and word in raw.fields:
            other = counts & ~raw.removed & (raw[word].fillna("") != wanted)
            notes += [Note(words, int(other.sum()))] if other.any() else []
            counts &= ~other
    if facts.get("quota_note") and len(raw):
        notes.append(Note(facts["quota_note"], 1))
    return counts, notes


def quota_span(facts: Facts) -> tuple[date, date]:
    """The period of quotas without a day: that in which they are read."""
    first, end = _around(pd.Series(pd.to_datetime([facts["today"]])), facts)
    return first[0].date(), end[0].date()


def _around(day: "pd.Series[Any]", facts: Facts) -> tuple["pd.Series[Any]", "pd.Series[Any]"]:
    """First and end day of the org's own period that each day lies in, of the kind that its quotas are set for.

    Where the org has no such period, or several: the month, or fiscal quarter or year by its first month; a week is
    the seven days from the given one on.
    """
    kind = _kind(facts)
    first, end = _reckoned(day, kind, facts)
    own = {d: span for d in day.dropna().unique() if (span := _own_period(d.date(), kind, facts)) is not None}
    if own:
        first, end = (
            part.mask(day.isin(list(own)), pd.to_datetime(day.map({d: span[n] for d, span in own.items()})))
            for n, part in enumerate((first, end))
        )
    return first, end


def _kind(facts: Facts) -> str:
    """What quotas are set for: as the options say, else the one kind of period that the org forecasts by."""
    kinds = {KINDS[p[0]] for p in facts.get("periods", {}).values() if p[0] in KINDS}
    return str(facts.get("quota_period") or (kinds.pop() if len(kinds) == 1 else "month"))


def by_calendar_month(facts: Facts) -> bool:
    """Whether each quota holds for the calendar month that its day lies in."""
    months = [p[1] for p in facts.get("periods", {}).values() if KINDS.get(p[0]) == "month"]
    return _kind(facts) == "month" and all(first.endswith("-01") for first in months)


def _own_period(day: date, kind: str, facts: Facts) -> tuple[date, date] | None:
    spans = {(p[1], p[2]) for p in facts.get("periods", {}).values() if KINDS.get(p[0]) == kind}
    text = day.isoformat()
    found = [span for span in spans if span[0] <= text <= span[1]]
    if len(found) != 1:
        return None
    first, last = (date.fromisoformat(edge) for edge in found[0])
    return first, last + timedelta(days=1)


def _reckoned(day: "pd.Series[Any]", kind: str, facts: Facts) -> tuple["pd.Series[Any]", "pd.Series[Any]"]:
    if kind == "week":
        return day, day + pd.Timedelta(days=7)
    months = MONTHS[kind]
    start = int(facts.get("fiscal_start_month") or 1)
    number = day.dt.year * 12 + day.dt.month - 1
    number = number - (number - (start - 1)) % months
    known = number.fillna(1970 * 12).astype("int64")
    first, end = (
        pd.to_datetime({"year": at // 12, "month": at % 12 + 1, "day": 1}).where(day.notna())
        for at in (known, known + months)
    )
    return first, end


def _spans(raw: Raw, facts: Facts) -> tuple["pd.Series[Any]", "pd.Series[Any]"]:
    """First and end day of each quota: of its own period, else of the one that its day lies in."""
    today = pd.Series(pd.Timestamp(facts.get("today")), raw.frame.index)  # type: ignore[arg-type]
    first, end = _around(raw.days("first_day") if "first_day" in raw.fields else today, facts)
    periods = {i: p for i, p in facts.get("periods", {}).items() if p[0] in KINDS}
    inside = raw["period"].isin(list(periods))
    if inside.any():
        own_first, own_last = (
            pd.to_datetime(raw["period"].map(lambda i, n=n: periods.get(i, (None, None, None))[n])) for n in (1, 2)
        )
        first, end = first.mask(inside, own_first), end.mask(inside, own_last + pd.Timedelta(days=1))
    return first, end
