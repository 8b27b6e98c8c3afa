"""Writes SOQL: field names come from describe, values are escaped by the SDK, and every query can go on anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from simple_salesforce.format import quote_soql_value

from connectors.errors import SourceError


def moment(when: datetime) -> str:
    """An instant as SOQL writes it: unquoted, in UTC, to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def any_of(field: str, values: Sequence[str | int | bool]) -> str:
    """The condition that a field holds one of these values."""
    return f"{field} IN {quote_soql_value(list(values))}"


def kept(only: Mapping[str, Sequence[str | int | bool]]) -> list[str]:
    """The conditions of a filter: field to the values that are wanted."""
    return [any_of(field, values) for field, values in only.items()]


@dataclass(frozen=True)
class Place:
    """The last row that was kept: the next slice begins after it."""

    stamp: str
    id: str

    def __post_init__(self) -> None:
        if not self.id.isalnum():
            raise SourceError(f"the stored cursor holds {self.id!r}, which is no record id; reset this stream")
        if self.stamp:
            self.literal  # noqa: B018  (raises here, not in the middle of a run)

    @property
    def literal(self) -> str:
        """The stamp as SOQL writes it."""
        try:
            return moment(datetime.fromisoformat(self.stamp.replace("+0000", "+00:00")))
        except ValueError:
            raise SourceError(
                f"the stored cursor holds {self.stamp!r}, which is no instant; reset this stream"
            ) from None


@dataclass(frozen=True)
class Reading:
    """A query that can be gone on with after any of its rows: ordered by (time stamp, Id), or by Id alone.

    `everything` shows deleted rows too. Ties share a second: rows are told apart by Id, and never lost to `>`.
    """

    object: str
    fields: tuple[str, ...]
    stamp: str = ""  # the time stamp that it is ordered by
    since: datetime | None = None
    until: datetime | None = None
    conditions: tuple[str, ...] = ()
    everything: bool = False
    after: Place | None = None
    limit: int | None = None

    def on_from(self, place: Place, limit: int | None = None) -> "Reading":
        """The rest, after a row that was kept."""
        return replace(self, after=place, limit=limit)

    @property
    def verb(self) -> str:
        """The resource that answers it."""
        return "queryAll" if self.everything else "query"

    @property
    def where(self) -> str:
        """The condition, with its WHERE."""
        found = list(self.conditions)
        if self.stamp and self.since is not None and self.after is None:
            found.append(f"{self.stamp} >= {moment(self.since)}")
        if self.stamp and self.until is not None:
            found.append(f"{self.stamp} <= {moment(self.until)}")
        if self.after is not None:
            if self.stamp:
                at, last = self.after.literal, quote_soql_value(self.after.id)
                found.append(f"({self.stamp} > {at} OR ({self.stamp} = {at} AND Id > {last}))")
            else:
                found.append(f"Id > {quote_soql_value(self.after.id)}")
        return f" WHERE {' AND '.join(found)}" if found else ""

    @property
    def soql(self) -> str:
        """The query."""
        order = f"{self.stamp}, Id" if self.stamp else "Id"
        limit = f" LIMIT {self.limit}" if self.limit else ""
        return f"SELECT {', '.join(self.fields)} FROM {self.object}{self.where} ORDER BY {order}{limit}"  # noqa: S608

    @property
    def count(self) -> str:
        """The query that counts its rows."""
        return f"SELECT COUNT() FROM {self.object}{self.where}"  # noqa: S608
