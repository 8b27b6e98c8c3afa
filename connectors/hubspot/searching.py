"""Searches that show everything: page after page by id, never by position.

HubSpot shows no more than 10,000 results of one search, and tens of thousands of deals may share one moment of change.
So each page is a search of its own, for what has a higher id than the last one seen: 12,000 deals of one moment are
sixty calls, and a deal that changes meanwhile moves no other out of sight.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.errors import BadAnswer
from connectors.guard import proven_list
from connectors.hubspot.client import Client

PAGE = 200
MOST_FILTERS = 6  # in one group

Filter = Mapping[str, Any]


def walk(
    client: Client, what: str, kind: str, filters: Sequence[Filter], names: Sequence[str], last: str = "0"
) -> Iterator[list[dict[str, Any]]]:
    """Every record that the filters let in, in the order of ids, from after `last` on; at least one page."""
    number = 1
    while True:
        where = f"{what}, page {number}"
        rows, total = find(client, where, kind, [*filters, above(last)], names, PAGE)
        if len(rows) < min(PAGE, total):
            raise BadAnswer(f"{client.name}: {where}: {total} rows were promised and {len(rows)} came; try again later")
        ids = [int(row["id"]) for row in rows]
        if ids and (ids[0] <= int(last) or ids != sorted(set(ids))):
            raise BadAnswer(f"{client.name}: {where}: a row came twice, so another is missing; try again later")
        yield rows
        if total <= len(rows):
            return
        last, number = str(ids[-1]), number + 1


def find(
    client: Client,
    what: str,
    kind: str,
    filters: Sequence[Filter],
    names: Sequence[str],
    limit: int,
    down: bool = False,
) -> tuple[list[dict[str, Any]], int]:
    """The first records by id, or the last ones, and how many there are altogether."""
    body: dict[str, Any] = {
        "filterGroups": [{"filters": list(filters)}] if filters else [], "properties": list(names), "limit": limit,
        "sorts": [{"propertyName": "hs_object_id", "direction": "DESCENDING" if down else "ASCENDING"}],
    }  # fmt: skip
    answer = client.call(what, "search", body=body, kind=kind)
    rows, total = proven_list(f"{client.name}: {what}", answer.body, "results"), answer.body.get("total")
    if not isinstance(total, int):
        raise BadAnswer(f"{client.name}: {what}: the answer does not say how many rows there are; try again later")
    return rows, total


def above(last: str) -> Filter:
    """Records with a higher id."""
    return {"propertyName": "hs_object_id", "operator": "GT", "value": last}


def since(name: str, low: int) -> Filter:
    """Records whose property is at or after a moment, in milliseconds."""
    return {"propertyName": name, "operator": "GTE", "value": str(low)}


def between(name: str, low: int, end: int) -> Filter:
    """Records whose property lies in [low, end), in milliseconds."""
    return {"propertyName": name, "operator": "BETWEEN", "value": str(low), "highValue": str(end - 1)}


def one_of(name: str, values: Sequence[Any]) -> Filter:
    """Records whose property is one of these."""
    return {"propertyName": name, "operator": "IN", "values": spelt(values)}


def spelt(values: Sequence[Any]) -> list[str]:
    """Values as HubSpot writes them: everything is text."""
    return [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
