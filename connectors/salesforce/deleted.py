"""Deletions that no query shows: the log of getDeleted names rows that left the recycle bin too, 15 days back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.errors import BadAnswer, NotAllowed
from connectors.guard import proven_list
from connectors.salesforce.ids import long_id
from connectors.salesforce.objects import Object
from connectors.salesforce.reading import columns
from connectors.salesforce.soql import any_of, moment

if TYPE_CHECKING:
    from connectors.salesforce.connector import Salesforce

REACH = timedelta(days=15) - timedelta(minutes=2)
"""The log goes back 15 days; seconds are ignored, so that a little less is surely inside."""

IDS = 300  # in one IN list


def path(source: "Salesforce", thing: Object, cursor: Mapping[str, Any]) -> str:
    """Where the log of an object since the last pull is."""
    start, _, end = _span(source, cursor)
    return source.client.path(f"sobjects/{thing.name}/deleted/", start=moment(start), end=moment(end))


def _span(source: "Salesforce", cursor: Mapping[str, Any]) -> tuple[datetime, bool, datetime]:
    """From when, whether that is all that is wanted, and until when."""
    wanted = datetime.fromisoformat(str(cursor["since"])) - timedelta(minutes=source.options.overlap_minutes)
    start = max(wanted, source.began - REACH)
    return start, start == wanted, source.began + timedelta(minutes=1)


def tombstones(
    source: "Salesforce", thing: Object, cursor: Mapping[str, Any], seen: Mapping[str, bool]
) -> tuple[pa.Table, bool]:
    """Rows that are gone and were not among those `seen` (id to whether deleted); and whether the log reached back.

    A row that was undeleted since is in the log and alive: what is not known either way is looked up by its id.
    """
    _, reached, _ = _span(source, cursor)
    where = f"{source.name}: deletions of {thing.name}"
    names = tuple(dict.fromkeys(["Id", "IsDeleted", *thing.words.values()]))
    try:
        body = source.client.first(path(source, thing, cursor), where).body
        rows = proven_list(where, body, "deletedRecords")
    except (NotAllowed, BadAnswer):  # an object whose deletions are not logged for us: counting finds them
        return columns([], names), False
    open_ids = sorted({long_id(str(r["id"])) for r in rows} - set(seen))
    alive: set[str] = set()
    for start in range(0, len(open_ids), IDS):
        condition = any_of("Id", open_ids[start : start + IDS])
        soql = f"SELECT Id FROM {thing.name} WHERE {condition}"  # noqa: S608  (escaped)
        alive |= {str(r["Id"]) for r in source.client.rows(soql, f"deletions of {thing.name}")}
    return columns([{"Id": i, "IsDeleted": True} for i in open_ids if i not in alive], names), reached
