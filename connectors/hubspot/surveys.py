"""What the portal counts by itself, and the totals of its deals, for the proof of a run."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd

from connectors.base import Part, SourceTotalDraft
from connectors.hubspot.listing import Listing
from connectors.hubspot.searching import Filter, between, find, one_of, spelt, walk
from connectors.hubspot.translate import local_days
from models.money import to_minor

if TYPE_CHECKING:
    from connectors.hubspot.connector import HubSpot

Properties = Mapping[str, Any]
Span = tuple[date, date]
MANY = 4
"""Spans from which on it is looked whether the whole list is the quicker way."""


def kept(source: "HubSpot") -> list[Filter]:
    """The installation's filter of deals."""
    return [one_of(name, values) for name, values in source.options.only.get("deals", {}).items()]


def survey(source: "HubSpot", stream: str) -> list[Part] | None:
    """How many live deals there are, with one call; HubSpot adds nothing up."""
    if stream != "deals":
        return None
    _, total = find(source.client, "deals, counted", "deals", kept(source), [], 1)
    return [Part(None, None, total)]


def totals(source: "HubSpot", spans: Sequence[Span]) -> list[SourceTotalDraft]:
    """Added up from searches by close date, or from the whole list where that is the quicker way."""
    words, home = source.words, source.facts["currency"]
    names = [words[w] for w in ("amount", "currency", "closed", "won", "close_day") if w in words]
    by_list = _list_is_quicker(source, spans)
    sums: dict[Span, dict[tuple[str, str], list[int]]] = {span: {} for span in spans}
    for span, own in _listed(source, spans, names) if by_list else _searched(source, spans, names):
        closed, won = (own.get(words.get(w, "")) == "true" for w in ("closed", "won"))
        code = own.get(words.get("currency", "")) or home
        bucket = sums[span].setdefault(("won" if won else ("lost" if closed else "open"), code), [0, 0])
        bucket[0] += _cents(own.get(words["amount"]), code)
        bucket[1] += 1
    found = []
    for span, buckets in sums.items():
        number = sum(n for _, n in buckets.values())
        how = f"added up from {number} {'deals of the list' if by_list else 'search results'}"
        found += [SourceTotalDraft(*span, s, c, minor, n, how) for (s, c), (minor, n) in sorted(buckets.items())]
    return found


def _list_is_quicker(source: "HubSpot", spans: Sequence[Span]) -> bool:
    """Searches give 200 deals a call and five calls a second, the list 100 and nineteen."""
    if len(spans) < MANY:
        return False
    ends = _closing(source, min(first for first, _ in spans), max(end for _, end in spans))
    _, wanted = find(source.client, "deals closing then", "deals", [ends, *kept(source)], [], 1)
    _, every = find(source.client, "deals, counted", "deals", [], [], 1)
    return wanted * 1.9 > every


def _searched(source: "HubSpot", spans: Sequence[Span], names: Sequence[str]) -> Iterator[tuple[Span, Properties]]:
    for span in spans:
        filters = [_closing(source, *span), *kept(source)]
        for rows in walk(source.client, f"deals closing from {span[0]}", "deals", filters, names):
            yield from ((span, row["properties"]) for row in rows)


def _listed(source: "HubSpot", spans: Sequence[Span], names: Sequence[str]) -> Iterator[tuple[Span, Properties]]:
    only = {name: spelt(values) for name, values in source.options.only.get("deals", {}).items()}
    query = [("properties", ",".join([*names, *only]))]
    for rows, _ in Listing(source.client, "deals, added up", "deals", query, 100).read():
        every = [row["properties"] for row in rows]
        texts = pd.Series([own.get(source.words["close_day"]) or None for own in every], dtype="str")
        for own, day in zip(every, local_days(texts, source.facts["zone"]), strict=True):
            if pd.notna(day) and all(own.get(name) in values for name, values in only.items()):
                yield from ((span, own) for span in spans if span[0] <= day.date() < span[1])


def _closing(source: "HubSpot", first: date, end: date) -> Filter:
    zone = ZoneInfo(source.facts["zone"])
    low, high = (int(datetime.combine(d, time(), zone).timestamp() * 1000) for d in (first, end))
    return between(source.words["close_day"], low, high)


def _cents(amount: str | None, currency: str) -> int:
    try:
        return to_minor(amount, currency) if amount else 0
    except ValueError:
        return 0  # the CRM itself could not add it up either
