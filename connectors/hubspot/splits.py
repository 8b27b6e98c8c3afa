"""Shared credit of deals, where the account has deal splits: read whole each time, of the deals that are split."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from connectors.base import Batch
from connectors.errors import BadAnswer
from connectors.guard import proven_list
from connectors.hubspot.objects import SPLIT, plain
from connectors.hubspot.searching import one_of, walk

if TYPE_CHECKING:
    from connectors.hubspot.connector import HubSpot

AT_ONCE = 100
NAMES = ("id", "deal", "owner", "share")
OWNER, SHARE = "hubspot_owner_id", "hs_deal_split_percentage"


def pull(source: "HubSpot") -> Iterator[Batch]:
    """The splits of every deal that has any."""
    for page in walk(source.client, "split deals", "deals", [one_of(SPLIT, [True])], [SPLIT]):
        ids = [str(row["id"]) for row in page]
        for start in range(0, len(ids), AT_ONCE):
            yield Batch("splits", plain(read(source, ids[start : start + AT_ONCE]), NAMES), {})
    yield Batch("splits", plain([], NAMES), {}, last=True)


def read(source: "HubSpot", ids: list[str]) -> list[dict[str, Any]]:
    """The splits of these deals, one row each."""
    where = "deal splits"
    answer = source.client.call(where, "splits", body={"inputs": [{"id": i} for i in ids]})
    found = proven_list(f"{source.name}: {where}", answer.body, "results")
    source.every(where, ids, {str(deal["id"]) for deal in found} | source.gone(where, answer))
    rows = []
    for deal in found:
        splits = deal.get("splits")
        if not isinstance(splits, list):
            raise BadAnswer(f"{source.name}: {where}: deal {deal.get('id')} came without its splits; try again later")
        for split in splits:
            own = split.get("properties") or {}
            rows.append({"id": split["id"], "deal": deal["id"], "owner": own.get(OWNER), "share": own.get(SHARE)})
    return rows
