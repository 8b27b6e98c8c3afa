"""How many meetings, calls and tasks there were. Never part of a score: what is counted for pay is soon done for it."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from metrics.facts import Facts
from metrics.registry import known, metric, of_sellers, unknown
from metrics.result import State, Unit
from models.profile import Profile

KINDS = {"meeting": "Meetings", "call": "Calls", "task": "Tasks done"}


def _count(kind: str, label: str) -> Callable[[Facts, Profile], pd.DataFrame]:
    def compute(facts: Facts, profile: Profile) -> pd.DataFrame:
        rows = facts.frame("activities")
        counted = rows["person_id"].dropna()
        inside = (rows["first_day"] >= facts.start) & (rows["end_day"] <= facts.end)
        rows = rows[inside & (rows["first_day"] < facts.until) & (rows["kind"] == kind)]
        found = rows.groupby("person_id")["number"].sum()
        anybody = frozenset(str(p) for p in counted)

        def row(person: str) -> tuple[Any, ...]:
            if person not in anybody:
                return unknown(State.NO_DATA, "The CRM's activities of this person are not read.")
            return known(int(found.get(person, 0)), n=int(found.get(person, 0)))

        return of_sellers(facts, row)

    compute.__doc__ = f"{label} in the period, by whole months, as the CRM counts them; what was in them is never read."
    return compute


for _kind, _label in KINDS.items():
    metric(
        key=f"{_kind}s",
        label=_label,
        unit=Unit.COUNT,
        better="neither",
        definition=f"{_label.lower()} in the months of the period",
        reference="metrics reference 1.3, activity",
        version="1",
        states=(State.OK, State.NO_DATA),
        sources=("activity_count",),
    )(_count(_kind, _label))
