"""What stands in people's way: how many things, for how long, and how soon they go."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pandas as pd

from metrics.facts import Facts
from metrics.registry import known, metric, table, unknown
from metrics.result import State, Unit
from metrics.rollup import SMALLEST
from models.period import month_start
from models.profile import Profile

NONE = "Nothing has been written down as standing in the way."


def _rows(facts: Facts) -> pd.DataFrame:
    rows = facts.frame("obstacles")
    rows = rows[rows["opened_on"] < facts.until]
    # Resolved after the as-of day is still open on it.
    return rows.assign(resolved_on=rows["resolved_on"].where(rows["resolved_on"] < facts.until))


SMALLEST_KIND = 3
"""Fewest people of a group behind a kind of obstacle that is named."""


def month_before(day: date) -> date:
    """The last day of the month before: what is counted of a group stands still within a month."""
    return month_start(day) - timedelta(days=1)


def by_kind(obstacles: Iterable[tuple[str, str, date, date | None]], people: int, day: date) -> dict[str, int] | None:
    """How many obstacles of each kind stood in a group's way on a day; None for a group that is too small.

    obstacles   (person, kind, opened, resolved), shared or not: no name and no words
    A kind that fewer than three people have is not named; those are counted together, from three people up.
    Source: metrics reference 4.2.
    """
    if people < SMALLEST:
        return None
    owners: dict[str, list[str]] = {}
    for person, kind, opened, resolved in obstacles:
        if opened <= day and (resolved is None or resolved > day):
            owners.setdefault(kind.strip().casefold() or "other", []).append(person)
    named = {kind: len(who) for kind, who in sorted(owners.items()) if len(set(who)) >= SMALLEST_KIND}
    rest = [person for kind, who in owners.items() if kind not in named for person in who]
    if len(set(rest)) >= SMALLEST_KIND:
        named["of other kinds"] = len(rest)
    return named


@metric(
    key="obstacles_open",
    label="Obstacles open",
    unit=Unit.COUNT,
    better="lower",
    definition="obstacles written down and not resolved by the day",
    reference="metrics reference 3, obstacles",
    version="1",
    states=(State.OK,),
    sources=("obstacle",),
)
def obstacles_open(facts: Facts, profile: Profile) -> pd.DataFrame:
    """What stands in the person's way now; of how many ever written down is beside it."""
    rows = _rows(facts)
    left, every = rows[rows["resolved_on"].isna()].groupby("person_id").size(), rows.groupby("person_id").size()

    def row(person: str) -> tuple[Any, ...]:
        k, n = int(left.get(person, 0)), int(every.get(person, 0))
        return known(k, k, n, n)

    return table(facts, row)


@metric(
    key="obstacle_oldest",
    label="Oldest open obstacle",
    unit=Unit.DAYS,
    better="lower",
    definition="days since the oldest obstacle that is still open was written down",
    reference="metrics reference 3, obstacles",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("obstacle",),
)
def obstacle_oldest(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How long the oldest open obstacle has stood; shown beside the median, which knows resolved ones only."""
    rows = _rows(facts)
    rows = rows[rows["resolved_on"].isna()]
    oldest, number = rows.groupby("person_id")["opened_on"].min(), rows.groupby("person_id").size()

    def row(person: str) -> tuple[Any, ...]:
        if person not in oldest.index:
            return unknown(State.NO_DATA, "No obstacle is open.", n=0)
        return known((facts.today - oldest[person]).days, n=int(number[person]))

    return table(facts, row)


@metric(
    key="obstacle_days",
    label="Days until an obstacle is gone",
    unit=Unit.DAYS,
    better="lower",
    definition="median days from written down to resolved, of those resolved by the day",
    reference="metrics reference 3, obstacles",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("obstacle",),
)
def obstacle_days(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How long obstacles took to go; those still open are older than it looks, so see the oldest beside it."""
    rows = _rows(facts)
    done = rows[rows["resolved_on"].notna()]
    days = (done["resolved_on"] - done["opened_on"]).dt.days.groupby(done["person_id"])
    median, number, every = days.median(), days.size(), rows.groupby("person_id").size()

    def row(person: str) -> tuple[Any, ...]:
        if person not in median.index:
            words = "No obstacle has been resolved yet." if person in every.index else NONE
            return unknown(State.NO_DATA, words, n=0)
        left = int(every[person]) - int(number[person])
        return known(float(median[person]), None, None, int(number[person]), f"{left} still open." if left else "")

    return table(facts, row)
