"""Every number opens: its formula, what it was made of, record by record, and the same value worked out again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from metrics.facts import Facts
from metrics.inputs import Inputs
from metrics.registry import METRICS, compute, result
from metrics.result import Result, State
from metrics.scorecard import DealLine
from models.errors import UserError

FRAMES_OF = {
    "deal": "deals", "deal_split": "splits", "quota": "quotas", "stage": "stages", "employment": "employments",
    "absence": "absences", "objective": "objectives", "key_result": "key_results", "check_in": "check_ins",
    "feedback_request": "feedback_requests", "obstacle": "obstacles", "learning_item": "learning",
    "activity_count": "activities", "deal_change": "changes", "deal_history": "history",
    "deal_field_history": "field_history",
}  # fmt: skip
"""Which rows stand behind what a metric is read from. Of feedback only the count is told: its words are not inputs."""


@dataclass(frozen=True)
class Explanation:
    """One figure of one person, opened: what the page says, what it is made of, and what comes out again."""

    person_id: str
    name: str
    result: Result
    period_id: str
    first_day: date
    end_day: date
    as_of: date
    currency: str
    profile: str
    profile_version: str
    parameters: Mapping[str, Any]  # fields of the profile that it depends on
    deals: tuple[DealLine, ...]  # the deals it is made of, with their links into the CRM
    rows: Mapping[str, tuple[Mapping[str, Any], ...]]  # further rows it was read from, by frame
    sources: tuple[str, ...]  # how fresh each connection was
    recomputed: int | float | None
    equal: bool


def explain(inputs: Inputs, key: str) -> Explanation:
    """Open one figure of a scorecard's inputs and work it out again from them; a UserError names those there are."""
    card = inputs.rebuild()
    if key not in METRICS:
        raise UserError(f"there is no metric {key!r}; there are {', '.join(sorted(METRICS))}")
    about, facts = METRICS[key], inputs.facts
    again = result(key, compute([key], facts, inputs.profile)[key].to_dict("index")[inputs.person_id], facts)
    shown = card.results.get(key, again)
    named = set(shown.inputs.get("records", ()))
    frames = [FRAMES_OF[s] for s in about.sources if s in FRAMES_OF and FRAMES_OF[s] != "deals"]
    return Explanation(
        person_id=inputs.person_id,
        name=card.name,
        result=shown,
        period_id=inputs.period.id,
        first_day=inputs.period.first_day,
        end_day=inputs.period.end_day,
        as_of=inputs.as_of,
        currency=inputs.currency,
        profile=inputs.profile.title,
        profile_version=inputs.profile.version.isoformat(),
        parameters={path: _parameter(inputs, path) for path in about.parameters},
        deals=tuple(d for d in card.deals if f"{d.connection}:{d.external_id}" in named),
        rows={n: rows for n in dict.fromkeys(frames) if (rows := _rows(_inside(facts.frame(n), facts)))},
        sources=tuple(s.sentence for s in inputs.sources),
        recomputed=again.value,
        equal=again.value == shown.value and shown.state in (again.state, State.STALE),
    )


def _parameter(inputs: Inputs, path: str) -> Any:
    value: Any = inputs.profile
    for part in path.split("."):
        value = getattr(value, part)
    return [str(v) for v in value] if isinstance(value, tuple) else value


def _inside(frame: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Rows that hold for a span of days are inputs where the span meets the period."""
    if "first_day" not in frame or "end_day" not in frame:
        return frame
    return frame[(frame["first_day"] < facts.end) & (frame["end_day"] > facts.start)]


def _rows(frame: pd.DataFrame) -> tuple[Mapping[str, Any], ...]:
    told = frame.copy()
    for name in told.columns:
        if told[name].dtype.kind == "M":
            told[name] = told[name].dt.strftime("%Y-%m-%d")
    blank = told.astype("object").where(told.notna(), None)
    return tuple({str(k): v for k, v in row.items()} for row in blank.to_dict("records"))
