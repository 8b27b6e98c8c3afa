"""How many meetings and calls each person had, month by month; what was in them is never read."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from connectors.base import Batch
from connectors.hubspot.searching import between, walk
from models.period import month_start

if TYPE_CHECKING:
    from connectors.hubspot.connector import HubSpot

BACK = 12
"""Months before the current one that a first pull counts; later ones count from the month before the last run's on."""

KINDS = {"meetings": "meeting", "calls": "call"}
NAMES = ("kind", "owner", "month", "n")
OWNER, WHEN = "hubspot_owner_id", "hs_timestamp"


def span(began: date, cursor: Mapping[str, Any] | None) -> tuple[date, date]:
    """The months to count."""
    if cursor is None:
        return month_start(began, -BACK), month_start(began, 1)
    return month_start(min(date.fromisoformat(str(cursor["since"])[:10]), began), -1), month_start(began, 1)


def pull(source: "HubSpot", cursor: Mapping[str, Any] | None) -> Iterator[Batch]:
    """Count the months; one batch, which is all there is of them."""
    zone = ZoneInfo(source.facts["zone"])
    first, end = span(source.began.astimezone(zone).date(), cursor)
    low, high = (int(datetime.combine(day, time(), zone).timestamp() * 1000) for day in (first, end))
    found: Counter[tuple[str, str, str]] = Counter()
    for kind in source.activity_kinds:
        for rows in walk(source.client, kind, kind, [between(WHEN, low, high)], [OWNER, WHEN]):
            for own in (row["properties"] for row in rows):
                if own.get(OWNER) and own.get(WHEN):
                    month = datetime.fromisoformat(str(own[WHEN])).astimezone(zone).strftime("%Y-%m")
                    found[KINDS[kind], str(own[OWNER]), month] += 1
    rows_ = [(*key, str(n)) for key, n in sorted(found.items())]
    table = pa.table({n: pa.array([r[i] for r in rows_], pa.string()) for i, n in enumerate(NAMES)})
    yield Batch("activities", table, {"since": source.began.isoformat()}, {}, last=True, span=(first, end))
