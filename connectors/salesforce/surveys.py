"""What the org counts and adds up by itself: for the proof of a run, and to find what changed without a time stamp."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.base import Part, SourceTotalDraft
from connectors.errors import BadAnswer
from connectors.salesforce.quotas import by_calendar_month
from connectors.salesforce.soql import any_of, kept
from models.money import to_minor

if TYPE_CHECKING:
    from connectors.salesforce.connector import Salesforce

COUNTED = {"people", "quotas", "deals", "splits"}
DAYS = {"deals": "close_day", "quotas": "first_day"}
"""Streams with money, and the day by whose month they are counted."""


def countable(source: "Salesforce", stream: str) -> bool:
    """Whether the org can count what is stored of a stream; quotas without a day are those of one period only."""
    return stream in COUNTED and not source.undated(stream)


def survey(source: "Salesforce", stream: str) -> list[Part] | None:
    """Live rows of a stream and their money: deals by calendar month of their close date, the others altogether.

    Quotas are told apart by month only where they are set for calendar months: elsewhere a quota with a day in
    November may hold from October on.
    """
    thing = source.object(stream)
    if thing is None or not countable(source, stream):
        return None
    words, wanted = thing.words, [*kept(source.filter(stream)), *_counted_quotas(source, stream)]
    where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
    day = words.get(DAYS.get(stream, ""))
    if day is not None:
        try:
            parts = _by_month(source, stream, thing.name, words, day, where)
            return parts if stream == "deals" or by_calendar_month(source.quota_facts) else [_together(parts)]
        except BadAnswer:  # more groups than a query may have
            pass
    soql = f"SELECT COUNT() FROM {thing.name}{where}"  # noqa: S608  (names from describe, values escaped)
    return [Part(None, None, source.client.count("query", soql, stream))]


def _by_month(source: "Salesforce", stream: str, name: str, words: dict[str, str], day: str, where: str) -> list[Part]:
    seen = source.client.fields(name) or {}
    currency = words.get("currency") if words.get("currency") in seen else None
    group = f"CALENDAR_YEAR({day}), CALENDAR_MONTH({day})" + (f", {currency}" if currency else "")
    soql = (
        f"SELECT CALENDAR_YEAR({day}) y, CALENDAR_MONTH({day}) m{f', {currency}' if currency else ''}, "  # noqa: S608
        f"SUM({words['amount']}) total, COUNT(Id) n FROM {name}{where} GROUP BY {group}"
    )
    found: dict[tuple[int, int], tuple[int, dict[str, int]]] = {}
    for row in source.client.rows(soql, f"{stream}, counted"):
        if row["y"] is None:
            continue
        code = str((row.get(currency) if currency else None) or source.facts["currency"])
        number, sums = found.get((int(row["y"]), int(row["m"])), (0, {}))
        sums = sums | {code: sums.get(code, 0) + minor(row["total"], code)}
        found[int(row["y"]), int(row["m"])] = (number + int(row["n"]), sums)
    return [Part(date(y, m, 1), date(y + m // 12, m % 12 + 1, 1), n, sums) for (y, m), (n, sums) in found.items()]


def _together(parts: list[Part]) -> Part:
    sums: dict[str, int] = {}
    for part in parts:
        for code, minor_units in part.amounts.items():
            sums[code] = sums.get(code, 0) + minor_units
    return Part(None, None, sum(part.rows for part in parts), sums)


def conditions(source: "Salesforce", stream: str, part: Part) -> tuple[str, ...]:
    """The conditions that a part of a stream stands for."""
    found = _counted_quotas(source, stream)
    thing = source.object(stream)
    if thing is not None and part.first_day is not None and part.end_day is not None:
        day = thing.words[DAYS[stream]]
        found += [f"{day} >= {part.first_day.isoformat()}", f"{day} < {part.end_day.isoformat()}"]
    return tuple(found)


def _counted_quotas(source: "Salesforce", stream: str) -> list[str]:
    """Only quotas that count are stored, so only they are counted."""
    if stream != "quotas" or source.options.quota is not None:
        return []
    options, kind = source.options, source.facts["quota_type"]
    found = [any_of("ForecastingTypeId", [kind])] if kind else []
    seen = source.client.fields("ForecastingQuota") or {}
    for field, value in (("ProductFamily", options.quota_product_family), ("Territory2Id", options.quota_territory)):
        if field in seen:
            found.append(any_of(field, [value]) if value else f"{field} = null")
    return found


def totals(source: "Salesforce", spans: Sequence[tuple[date, date]]) -> list[SourceTotalDraft]:
    """SUM(Amount) by the org, per span, status and currency; spans of whole calendar months are asked for at once."""
    thing = source.object("deals")
    if thing is None or not spans:
        return []
    words, seen = thing.words, source.client.fields(thing.name) or {}
    currency = words["currency"] if words["currency"] in seen else None
    groups = [words["won"], words["closed"], *([currency] if currency else [])]
    if all(day.day == 1 for span in spans for day in span):
        return _by_months(source, spans, groups, currency)
    found: list[SourceTotalDraft] = []
    for first, end in spans:
        for row in _sums(source, groups, [], first, end):
            found.append(_total(source, words, currency, first, end, [row]))
    return found


def _by_months(
    source: "Salesforce", spans: Sequence[tuple[date, date]], groups: list[str], currency: str | None
) -> list[SourceTotalDraft]:
    thing = source.object("deals")
    assert thing is not None
    day = thing.words["close_day"]
    months = [f"CALENDAR_YEAR({day}) y", f"CALENDAR_MONTH({day}) m"]
    found: list[SourceTotalDraft] = []
    rows = _sums(source, groups, months, min(s[0] for s in spans), max(s[1] for s in spans))
    for first, end in spans:
        parts: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for row in rows:
            if first <= date(int(row["y"]), int(row["m"]), 1) < end:
                parts.setdefault(tuple(row[g] for g in groups), []).append(row)
        found += [_total(source, thing.words, currency, first, end, part) for part in parts.values()]
    return found


def _sums(source: "Salesforce", groups: list[str], months: list[str], first: date, end: date) -> list[dict[str, Any]]:
    thing = source.object("deals")
    assert thing is not None
    day, amount = thing.words["close_day"], thing.words["amount"]
    wanted = [*kept(source.filter("deals")), f"{day} >= {first.isoformat()}", f"{day} < {end.isoformat()}"]
    soql = (
        f"SELECT {', '.join([*groups, *months])}, SUM({amount}) total, COUNT(Id) deals FROM {thing.name} "  # noqa: S608
        f"WHERE {' AND '.join(wanted)} GROUP BY {', '.join([*groups, *(m.rsplit(' ', 1)[0] for m in months)])}"
    )
    return source.client.rows(soql, "totals")


def _total(
    source: "Salesforce",
    words: dict[str, str],
    currency: str | None,
    first: date,
    end: date,
    rows: list[dict[str, Any]],
) -> SourceTotalDraft:
    row = rows[0]
    status = "won" if row[words["won"]] else ("lost" if row[words["closed"]] else "open")
    code = str((row.get(currency) if currency else None) or source.facts["currency"])
    cents, deals = sum(minor(r["total"], code) for r in rows), sum(int(r["deals"]) for r in rows)
    return SourceTotalDraft(first, end, status, code, cents, deals, f"SUM({words['amount']}) by the CRM")


def minor(total: Any, currency: str) -> int:
    """A sum in minor units; the org adds in binary, so that its last digits are rounded away."""
    return 0 if total is None else to_minor(round(Decimal(str(total)), 4), currency)
