"""How many meetings, calls and tasks each person had, month by month; what was in them is never read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from simple_salesforce.format import quote_soql_value

from connectors.base import Batch
from connectors.errors import BadAnswer
from connectors.salesforce.objects import chosen
from models.period import month_start

if TYPE_CHECKING:
    from connectors.salesforce.connector import Salesforce

BACK = 12
"""Months before the current one that a first pull counts; later ones count from the month before the last run's on."""

GROUPS = 2000  # a query may have no more

NAMES = ("object", "owner", "kind", "y", "m", "n")


def spans(began: date, cursor: Mapping[str, Any] | None) -> list[tuple[date, date]]:
    """The months to count: one query each at first, later one for all."""
    if cursor is not None:
        last = min(date.fromisoformat(str(cursor["since"])[:10]), began)
        return [(month_start(last, -1), month_start(began, 1))]
    return list(pairwise(month_start(began, -n) for n in range(BACK, -2, -1)))


@dataclass(frozen=True)
class Count:
    """One query that counts: an object's activities of some months by owner and kind, from an owner on."""

    name: str
    words: Mapping[str, str]
    first: date
    end: date
    since: str = ""

    @property
    def soql(self) -> str:
        """The query: archived activities are shown by queryAll only, which shows deleted ones too."""
        owner, day = self.words["owner"], self.words["day"]
        named = ", ".join([owner, *([self.words["kind"]] if "kind" in self.words else [])])
        further = f" AND {owner} >= {quote_soql_value(self.since)}" if self.since else ""
        return (
            f"SELECT {named}, CALENDAR_YEAR({day}) y, CALENDAR_MONTH({day}) m, COUNT(Id) n FROM {self.name} "  # noqa: S608
            f"WHERE IsDeleted = false AND {day} >= {self.first} AND {day} < {self.end}{further} "
            f"GROUP BY {named}, CALENDAR_YEAR({day}), CALENDAR_MONTH({day}) ORDER BY {owner} LIMIT {GROUPS}"
        )


def counts(source: "Salesforce", cursor: Mapping[str, Any] | None) -> list[Count]:
    """The queries to begin with."""
    seen = [o for o in chosen("activities", source.options) if source.client.fields(o.name) is not None]
    return [
        Count(o.name, source.names("activities", o), *span) for span in spans(source.began.date(), cursor) for o in seen
    ]


def pull(source: "Salesforce", cursor: Mapping[str, Any] | None) -> Iterator[Batch]:
    """Count the months; one batch, which is all there is of them."""
    rows = [row for count in counts(source, cursor) for row in _rows(source, count)]
    table = pa.table({n: pa.array([r[n] for r in rows], pa.string()) for n in NAMES})
    every = spans(source.began.date(), cursor)
    state = {"since": source.began.isoformat()}
    yield Batch("activities", table, state, {}, last=True, span=(every[0][0], every[-1][1]))


def _rows(source: "Salesforce", count: Count) -> Iterator[dict[str, Any]]:
    """Every group; an owner whose groups may have been cut off at the end is asked for again with those after it."""
    owner, kind = count.words["owner"], count.words.get("kind", "")
    while True:
        found = [r for page in source.client.pages("queryAll", count.soql, "activities") for r in page.records]
        last = found[-1][owner] if len(found) == GROUPS else None
        for row in found:
            if row[owner] != last:
                yield {
                    "object": count.name,
                    "owner": row[owner],
                    "kind": row.get(kind),
                    **{k: str(row[k]) for k in "ymn"},
                }
        if last is None:
            return
        if last == count.since:
            raise BadAnswer(f"{source.name}: activities: one owner has more than {GROUPS} kinds of them")
        count = replace(count, since=last)
