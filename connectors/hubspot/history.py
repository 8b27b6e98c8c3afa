"""What became of a deal's owner, stage, amount and close date, as HubSpot remembers it, change by change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.base import Batch
from connectors.hubspot.listing import Listing
from connectors.hubspot.objects import FOLLOWED

if TYPE_CHECKING:
    from connectors.hubspot.connector import HubSpot

PAGE = 50  # records of one page or one batch read with history
NAMES = ("id", "deal", "field", "before", "after", "at", "by")


def pull(source: "HubSpot", cursor: Mapping[str, Any] | None) -> Iterator[Batch]:
    """Everything at first; later the histories of the deals that changed since."""
    facts, end = source.batch_facts(), {"since": source.began.isoformat()}
    names = {source.words[word]: field for word, field in FOLLOWED.items()}
    if cursor and cursor.get("since"):
        ids = source.changed_ids(str(cursor["since"]))
        for start in range(0, len(ids), PAGE):
            rows = source.by_id(ids[start : start + PAGE], "deal histories", (), tuple(names))
            yield Batch("deal_history", _table(source, rows, names), {"since": cursor["since"]}, facts)
    else:
        listing = Listing(source.client, "deal histories", "deals", [("propertiesWithHistory", ",".join(names))], PAGE)
        began = str((cursor or {}).get("stamp") or end["since"])
        end = {"since": began}
        for rows, left in listing.read((cursor or {}).get("ranges")):
            state = {"since": "", "stamp": began, "ranges": left}
            yield Batch("deal_history", _table(source, rows, names), state, facts)
    yield Batch("deal_history", _table(source, [], names), end, facts, last=True)


def _table(source: "HubSpot", rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> pa.Table:
    found = [
        change
        for row in rows
        for name, field in names.items()
        for change in _changes(source, str(row["id"]), field, (row.get("propertiesWithHistory") or {}).get(name) or [])
    ]
    return pa.table({n: pa.array([c[n] for c in found], pa.string()) for n in NAMES})


def _changes(
    source: "HubSpot", deal: str, field: str, versions: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, str | None]]:
    """Versions, newest first, as changes from the one before; the first one has none before it."""
    before, times = None, dict[str, int]()
    for version in reversed(versions):
        after, at, by = version.get("value") or None, str(version.get("timestamp")), version.get("updatedByUserId")
        if after != before:
            times[at] = times.get(at, 0) + 1
            number = f".{times[at]}" if times[at] > 1 else ""
            yield {
                "id": f"{deal}:{field}:{at}{number}", "deal": deal, "field": field, "before": before, "after": after,
                "at": at, "by": source.owner_of_user.get(str(by)) if by else None,
            }  # fmt: skip
        before = after
