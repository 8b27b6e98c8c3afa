"""What the Salesforce tests share: reading a stream to its end, and looking at what was asked of the server."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd

from connectors.base import Batch, Note, RejectDraft
from connectors.salesforce import Salesforce
from sandbox.http import Request
from sandbox.salesforce.org import Record, SalesforceOrg
from sandbox.salesforce.server import SalesforceServer

CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
Connect = Callable[..., Salesforce]


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
        """The source's ids of every row that came, as often as they came."""
        return ids(self.batches)

    def of(self, record: Record | str) -> dict[str, Any]:
        """One draft in plain values; None where it is unknown."""
        row = self.rows.loc[record if isinstance(record, str) else record["Id"]]
        return {str(name): None if pd.isna(value) else value for name, value in row.items()}


def read(source: Salesforce, stream: str, cursor: Mapping[str, Any] | None = None) -> Found:
    """Read a stream to its end."""
    batches = list(source.pull(stream, cursor))
    drafts = [source.translate(b) for b in batches]
    rows = pd.concat([d.rows for d in drafts]).set_index("external_id", drop=False)
    return Found(rows, [r for d in drafts for r in d.rejects], [n for d in drafts for n in d.notes], batches)


def ids(batches: Iterable[Batch]) -> list[str]:
    """The source's ids of every row."""
    return [i for b in batches for i in b.table["Id"].to_pylist()]


def stored(cursor: Mapping[str, Any]) -> dict[str, Any]:
    """A cursor that went through the store."""
    found: dict[str, Any] = json.loads(json.dumps(cursor))
    return found


def soql(server: SalesforceServer, about: str = "") -> list[str]:
    """The queries in addresses that name something, in order."""
    asked = [parse_qs(urlsplit(line.split()[1]).query).get("q", [""])[0] for line in server.log]
    return [q for q in asked if q and about in q]


def watch(server: SalesforceServer) -> list[Request]:
    """Every request from now on."""
    seen: list[Request] = []
    server.before = lambda _, request: seen.append(request)
    return seen


def user(org: SalesforceOrg, name: str) -> Record:
    """The user whose name begins so."""
    return next(u for u in org.objects["User"].values() if u["Name"].startswith(name))


def live(org: SalesforceOrg, kind: str = "Opportunity") -> list[Record]:
    """The records that are not deleted."""
    return [r for r in org.objects[kind].values() if not r.get("IsDeleted")]
