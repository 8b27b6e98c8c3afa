"""What the HubSpot tests share: reading a stream to its end, and looking at what was asked of the server."""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pandas as pd

from connectors.base import Batch, Note, RejectDraft
from connectors.errors import SourceError
from connectors.hubspot import HubSpot
from sandbox.http import Request
from sandbox.hubspot.server import HubSpotServer

TOKEN = {"token": "sandbox-token"}
Connect = Callable[..., HubSpot]


@dataclass
class Found:
    """A stream read to its end: its drafts by external id, and what was said of it."""

    rows: pd.DataFrame
    rejects: list[RejectDraft]
    notes: list[Note]
    batches: list[Batch]

    @property
    def cursor(self) -> dict[str, Any]:
        """What is kept, as it comes back from the store."""
        return stored(self.batches[-1].cursor)

    @property
    def ids(self) -> list[str]:
        """The source's ids of every live row that came, as often as they came."""
        return [
            i for b in self.batches for i, gone in zip(b.table["id"].to_pylist(), _gone(b), strict=True) if not gone
        ]

    def of(self, number: str) -> dict[str, Any]:
        """One draft in plain values; None where it is unknown."""
        row = self.rows.loc[number]
        return {str(name): None if pd.isna(value) else value for name, value in row.items()}


def _gone(batch: Batch) -> list[bool]:
    if "archived" not in batch.table.column_names:
        return [False] * batch.table.num_rows
    found: list[bool] = batch.table["archived"].to_pylist()
    return found


def read(source: HubSpot, stream: str, cursor: Mapping[str, Any] | None = None) -> Found:
    """Read a stream to its end."""
    batches = list(source.pull(stream, cursor))
    drafts = [source.translate(b) for b in batches]
    rows = pd.concat([d.rows for d in drafts]).set_index("external_id", drop=False)
    return Found(rows, [r for d in drafts for r in d.rejects], [n for d in drafts for n in d.notes], batches)


def each(frame: pd.DataFrame) -> Iterable[Any]:
    """The rows of a frame by the names of its columns."""
    return frame.itertuples()


def until_it_breaks(source: HubSpot, stream: str, cursor: Mapping[str, Any] | None = None) -> list[Batch]:
    """The batches that came before the pull broke off."""
    kept: list[Batch] = []
    with suppress(SourceError):
        for batch in source.pull(stream, cursor):
            kept.append(batch)
        raise AssertionError("it did not break off")
    return kept


def stored(cursor: Mapping[str, Any]) -> dict[str, Any]:
    """A cursor that went through the store."""
    found: dict[str, Any] = json.loads(json.dumps(cursor))
    return found


def written(server: HubSpotServer) -> dict[str, dict[str, str]]:
    """The scorecards that the portal has, by their key, with what was written of each."""
    kinds = [s["objectTypeId"] for s in server.portal.schemas]
    rows = [r["properties"] for kind in kinds for r in server.portal.objects[kind].values()]
    assert len({own["scorecard_key"] for own in rows}) == len(rows)
    return {own["scorecard_key"]: {n: v for n, v in own.items() if not n.startswith("hs_")} for own in rows}


def watch(server: HubSpotServer) -> list[Request]:
    """Every request from now on."""
    seen: list[Request] = []
    server.before = lambda _, request: seen.append(request)
    return seen
