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
FEW = 600
"""So many deals of a span are added up with no more calls than counting them takes."""

AT_ONCE = 5000  # deals added up at a time

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


class Tally:
    """Deals added up by day, status and currency while the whole list is read: as HubSpot wrote them, before anything
    of ours touched them. So the first pull is proven without reading everything a second time.
    """

    def __init__(self, source: "HubSpot") -> None:
        self.source, self.whole = source, False
        self.spoilt = False  # something went away while the list was read: it may be in the sums, and not in the store
        self.sums: dict[tuple[date, str, str], list[int]] = {}
        self._waiting: list[Properties] = []  # to be added up many at a time

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Another page."""
        merged = self.source.words.get("merged", "")
        self.spoilt |= any(row["properties"].get(merged) and self._since(row.get("updatedAt")) for row in rows)
        self._waiting += [row["properties"] for row in rows]
        if len(self._waiting) >= AT_ONCE:
            self._add_up()

    def _add_up(self) -> None:
        for day, status, code, cents in _read(self.source, self._waiting):
            bucket = self.sums.setdefault((day, status, code), [0, 0])
            bucket[0] += cents
            bucket[1] += 1
        self._waiting = []

    def end(self, gone: Sequence[Mapping[str, Any]] = ()) -> None:
        """The list was read to its end; `gone` are deals in the bin."""
        self.spoilt |= any(self._since(row.get("archivedAt")) for row in gone)
        self.whole = not self.spoilt

    def _since(self, moment: Any) -> bool:
        """Whether something happened while this run was reading, or nobody knows when."""
        return not moment or datetime.fromisoformat(str(moment)) >= self.source.began

    def totals(self, spans: Sequence[Span], of: str = "deals of the list as it was read") -> list[SourceTotalDraft]:
        """The sums of these spans."""
        self._add_up()
        sums: dict[Span, dict[tuple[str, str], list[int]]] = {span: {} for span in spans}
        for (day, status, code), (cents, number) in self.sums.items():
            for span in (s for s in spans if s[0] <= day < s[1]):
                bucket = sums[span].setdefault((status, code), [0, 0])
                bucket[0] += cents
                bucket[1] += number
        found = []
        for span, buckets in sums.items():
            how = f"added up from {sum(n for _, n in buckets.values())} {of}"
            found += [SourceTotalDraft(*span, s, c, minor, n, how) for (s, c), (minor, n) in sorted(buckets.items())]
        return found


def _read(source: "HubSpot", every: Sequence[Properties]) -> Iterator[tuple[date, str, str, int]]:
    """Day, status, currency and cents of the deals that the filter lets in and that have a close date."""
    words, home = source.words, source.facts["currency"]
    only = {name: spelt(values) for name, values in source.options.only.get("deals", {}).items()}
    texts = pd.Series([own.get(words["close_day"]) or None for own in every], dtype="str")
    days = local_days(texts, source.facts["zone"]).dt.date.tolist()
    for own, day in zip(every, days, strict=True):
        if pd.isna(day) or not all(own.get(name) in values for name, values in only.items()):
            continue
        closed, won = (own.get(words.get(w, "")) == "true" for w in ("closed", "won"))
        code = own.get(words.get("currency", "")) or home
        yield day, "won" if won else ("lost" if closed else "open"), code, _cents(own.get(words["amount"]), code)


def totals(source: "HubSpot", spans: Sequence[Span], lately: Sequence[Span] = ()) -> list[SourceTotalDraft]:
    """From the whole list where this run has read it. Else spans that were added up lately are counted, and the others
    are added up from searches, or from the list where that is quicker."""
    if source.tally is not None and source.tally.whole:
        return source.tally.totals(spans)
    counted: list[SourceTotalDraft] = []
    whole = []
    for span in spans:
        every = _number(source, span, "all") if span in lately else 0
        if every > FEW:
            counted += _counted(source, span, every)
        else:
            whole.append(span)
    return _added_up(source, whole) + counted


def _counted(source: "HubSpot", span: Span, every: int) -> list[SourceTotalDraft]:
    """How many deals of each status there are, however many they are: with two more calls."""
    won, closed = _number(source, span, "won"), _number(source, span, "closed")
    told = {"won": won, "lost": max(closed - won, 0), "open": every - max(closed, won)}
    how = "counted by searches; its money is added up again within the day"
    return [SourceTotalDraft(*span, status, "", None, number, how) for status, number in told.items()]


def _number(source: "HubSpot", span: Span, word: str) -> int:
    """How many deals that close then a search finds: all, or those of which a word is true."""
    if word != "all" and word not in source.words:
        return 0
    true = [one_of(source.words[word], [True])] if word != "all" else []
    what, filters = f"deals closing from {span[0]}, {word}", [_closing(source, *span), *true, *kept(source)]
    return find(source.client, what, "deals", filters, [], 1)[1]


def _added_up(source: "HubSpot", spans: Sequence[Span]) -> list[SourceTotalDraft]:
    names = [source.words[w] for w in ("amount", "currency", "closed", "won", "close_day") if w in source.words]
    if _list_is_quicker(source, spans):
        tally = Tally(source)
        query = [("properties", ",".join([*names, *source.options.only.get("deals", {})]))]
        for rows, _ in Listing(source.client, "deals, added up", "deals", query, 100).read():
            tally.add(rows)
        return tally.totals(spans, "deals of the list")
    found: list[SourceTotalDraft] = []
    for span in spans:
        tally, filters = Tally(source), [_closing(source, *span), *kept(source)]
        for rows in walk(
            source.client,
            f"deals closing from {span[0]}",
            "deals",
            filters,
            [*names, *source.options.only.get("deals", {})],
        ):
            tally.add(rows)
        found += tally.totals([span], "search results")
    return found


def _list_is_quicker(source: "HubSpot", spans: Sequence[Span]) -> bool:
    """Searches give 200 deals a call and five calls a second, the list 100 and nineteen."""
    if len(spans) < MANY:
        return False
    ends = _closing(source, min(first for first, _ in spans), max(end for _, end in spans))
    _, wanted = find(source.client, "deals closing then", "deals", [ends, *kept(source)], [], 1)
    _, every = find(source.client, "deals, counted", "deals", [], [], 1)
    return wanted * 1.9 > every


def _closing(source: "HubSpot", first: date, end: date) -> Filter:
    zone = ZoneInfo(source.facts["zone"])
    low, high = (int(datetime.combine(d, time(), zone).timestamp() * 1000) for d in (first, end))
    return between(source.words["close_day"], low, high)


def _cents(amount: str | None, currency: str) -> int:
    try:
        return to_minor(amount, currency) if amount else 0
    except ValueError:
        return 0  # the CRM itself could not add it up either
