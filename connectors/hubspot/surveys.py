"""What the portal counts by itself, and the totals of its deals, for the proof of a run."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from connectors.base import Part, SourceTotalDraft
from connectors.hubspot.searching import Filter, between, find, one_of, walk
from models.money import to_minor

if TYPE_CHECKING:
    from connectors.hubspot.connector import HubSpot


def kept(source: "HubSpot") -> list[Filter]:
    """The installation's filter of deals."""
    return [one_of(name, values) for name, values in source.options.only.get("deals", {}).items()]


def survey(source: "HubSpot", stream: str) -> list[Part] | None:
    """How many live deals there are, with one call; HubSpot adds nothing up."""
    if stream != "deals":
        return None
    _, total = find(source.client, "deals, counted", "deals", kept(source), [], 1)
    return [Part(None, None, total)]


def totals(source: "HubSpot", spans: Sequence[tuple[date, date]]) -> list[SourceTotalDraft]:
    """Added up from searches by close date."""
    zone, words, home = ZoneInfo(source.facts["zone"]), source.words, source.facts["currency"]
    names = [words[w] for w in ("amount", "currency", "closed", "won") if w in words]
    found = []
    for first, end in spans:
        sums: dict[tuple[str, str], list[int]] = {}
        read = 0
        low, high = (int(datetime.combine(d, time(), zone).timestamp() * 1000) for d in (first, end))
        filters = [between(words["close_day"], low, high), *kept(source)]
        for rows in walk(source.client, f"deals closing from {first}", "deals", filters, names):
            read += len(rows)
            for own in (row["properties"] for row in rows):
                closed, won = (own.get(words.get(w, "")) == "true" for w in ("closed", "won"))
                code = own.get(words.get("currency", "")) or home
                bucket = sums.setdefault(("won" if won else ("lost" if closed else "open"), code), [0, 0])
                bucket[0] += _cents(own.get(words["amount"]), code)
                bucket[1] += 1
        how = f"added up from {read} search results"
        found += [SourceTotalDraft(first, end, s, c, minor, n, how) for (s, c), (minor, n) in sorted(sums.items())]
    return found


def _cents(amount: str | None, currency: str) -> int:
    try:
        return to_minor(amount, currency) if amount else 0
    except ValueError:
        return 0  # the CRM itself could not add it up either
