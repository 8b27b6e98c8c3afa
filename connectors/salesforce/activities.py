"""How many meetings, calls and tasks each person had, month by month; what was in them is never read."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.base import Batch

if TYPE_CHECKING:
    from connectors.salesforce.connector import Salesforce

BACK = 12
"""Months before the current one that a first pull counts; later ones count the last month again and this one."""

NAMES = ("object", "owner", "kind", "y", "m", "n")


def spans(began: date, cursor: Mapping[str, Any] | None) -> list[tuple[date, date]]:
    """The months to count: one query each at first, for a query may not have more than 2,000 groups."""
    back = BACK if cursor is None else 1
    months = [_month(began, -n) for n in range(back, -2, -1)]
    if cursor is not None:
        return [(months[0], months[-1])]
    return list(pairwise(months))


def _month(day: date, after: int) -> date:
    number = day.year * 12 + day.month - 1 + after
    return date(number // 12, number % 12 + 1, 1)


def soqls(source: "Salesforce", cursor: Mapping[str, Any] | None) -> list[str]:
    """The queries: archived activities are shown by queryAll only, which shows deleted ones too."""
    found = []
    for first, end in spans(source.began.date(), cursor):
        for name in ("Event", "Task"):
            seen = source.client.fields(name)
            if seen is None:
                continue
            kind = ", TaskSubtype" if name == "Task" and "TaskSubtype" in seen else ""
            group = f"OwnerId{kind}, CALENDAR_YEAR(ActivityDate), CALENDAR_MONTH(ActivityDate)"
            found.append(
                f"SELECT OwnerId{kind}, CALENDAR_YEAR(ActivityDate) y, CALENDAR_MONTH(ActivityDate) m, "  # noqa: S608
                f"COUNT(Id) n FROM {name} WHERE IsDeleted = false AND ActivityDate >= {first} AND ActivityDate < {end} "
                f"GROUP BY {group}"
            )
    return found


def pull(source: "Salesforce", cursor: Mapping[str, Any] | None) -> Iterator[Batch]:
    """Count the months; one batch, which is all there is of them."""
    rows: list[dict[str, Any]] = []
    for soql in soqls(source, cursor):
        name = "Event" if " FROM Event " in soql else "Task"
        for page in source.client.pages("queryAll", soql, "activities"):
            rows += [
                {"object": name, "owner": r["OwnerId"], "kind": r.get("TaskSubtype"), **{k: str(r[k]) for k in "ymn"}}
                for r in page.records
            ]
    table = pa.table({n: pa.array([r[n] for r in rows], pa.string()) for n in NAMES})
    every = spans(source.began.date(), cursor)
    state = {"since": source.began.isoformat()}
    yield Batch("activities", table, state, {}, last=True, span=(every[0][0], every[-1][1]))
