"""What the person is working on: progress of objectives, check-ins held and asked for."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from math import sqrt
from typing import Any

import pandas as pd

from metrics.facts import Facts
from metrics.registry import known, metric, table, unknown
from metrics.result import State, Unit
from models.frames import values
from models.profile import Profile

BACK = 365
"""Days that check-in figures look back over."""


def progress(baseline: Any, target: Any, current: Any) -> float | None:
    """A key result's progress, 0 to 1; works for lower-is-better. None when it was never measured or leads nowhere."""
    numbers = [_number(value) for value in (baseline, target, current)]
    if any(n is None for n in numbers):
        return None
    low, high, now = (n for n in numbers if n is not None)
    if low == high:
        return None
    return float(min(max((now - low) / (high - low), Decimal(0)), Decimal(1)))


def _number(value: Any) -> Decimal | None:
    try:
        found = None if pd.isna(value) else Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def objective_progress_of(
    objectives: pd.DataFrame, key_results: pd.DataFrame
) -> dict[str, tuple[float | None, int, int]]:
    """Each objective's progress, its measured key results and all of them. Done is 1; cancelled ones are left out.

    Where nothing is measured, what its owner says stands for it: `percent`.
    """
    parts: dict[str, list[tuple[float | None, int]]] = {}
    columns = ("objective_id", "baseline", "target", "current", "weight")
    for objective, baseline, target, current, weight in values(key_results, *columns):
        found = (progress(baseline, target, current), 1 if pd.isna(weight) else int(weight))
        parts.setdefault(objective, []).append(found)
    answer: dict[str, tuple[float | None, int, int]] = {}
    for objective, status, percent in values(objectives, "id", "status", "percent"):
        pieces = parts.get(objective, [])
        measured = [(p, w) for p, w in pieces if p is not None]
        if status == "cancelled":
            continue
        weights = sum(w for _, w in measured)
        said = None if pd.isna(percent) else min(max(int(percent), 0), 100) / 100
        value = sum(p * w for p, w in measured) / weights if weights else said
        answer[objective] = (1.0 if status == "done" else value, len(measured), len(pieces))
    return answer


@metric(
    key="objective_progress",
    label="Objectives",
    unit=Unit.RATIO,
    better="higher",
    definition="weighted mean of the progress of measured key results, where there is none what the person says; "
    "done counts as 1, cancelled not at all",
    reference="metrics reference 3, objective progress",
    version="2",
    states=(State.OK, State.NO_DATA),
    sources=("objective", "key_result"),
)
def objective_progress(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How far the person's objectives have come; one never measured is not counted as 0."""
    objectives = facts.frame("objectives")
    objectives = objectives[objectives["person_id"].isin(facts.people) & (objectives["status"] != "cancelled")]
    each = objective_progress_of(objectives, facts.frame("key_results"))
    weights = dict(zip(objectives["id"], objectives["weight"].fillna(1), strict=True))
    mine = {person: list(ids) for person, ids in objectives.groupby("person_id")["id"]}

    def row(person: str) -> tuple[Any, ...]:
        own = mine.get(person, [])
        if not own:
            return unknown(State.NO_DATA, "There is no objective yet. The first one can be small.", n=0)
        measured = [(each[i][0], int(weights[i])) for i in own if each[i][0] is not None]
        rest = len(own) - len(measured)
        words = f"{rest} of {len(own)} not measured yet." if rest else ""
        if not measured:
            return unknown(State.NO_DATA, "Nothing has been measured yet.", n=len(own))
        numerator, denominator = sum((p or 0.0) * w for p, w in measured), sum(w for _, w in measured)
        return known(numerator / denominator, numerator, denominator, len(measured), words)

    return table(facts, row)


CORRELATION = 0.3
"""How far goals of one person are taken to go together; the usual value of goal attainment scaling."""


def t_score(goals: Sequence[tuple[int, int]]) -> float | None:
    """Goals rated from -2 to 2, as (weight, level), in one figure around 50; None without a goal that has a weight.

    Source: metrics reference 3, GAS T-score (with the erratum of Turner-Stokes 2009).
    """
    known = [(w, x) for w, x in goals if w > 0]
    if not known:
        return None
    weights = sum(w for w, _ in known)
    spread = (1 - CORRELATION) * sum(w * w for w, _ in known) + CORRELATION * weights**2
    return float(50 + 10 * sum(w * x for w, x in known) / sqrt(spread))


@metric(
    key="goal_scaling",
    label="Goals on their own scale",
    unit=Unit.COUNT,
    better="higher",
    definition="50 + 10 Σ(weight × level) ÷ √(0.7 Σ weight² + 0.3 (Σ weight)²), levels -2 to 2; 50 is as hoped for",
    reference="metrics reference 3, GAS T-score",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("objective",),
    adds_up="no",
)
def goal_scaling(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Where the person's rated goals stand against what they hoped for; for groups that rate goals from -2 to 2."""
    rows = facts.frame("objectives")
    rows = rows[(rows["status"] != "cancelled") & rows["level"].notna()]
    rated: dict[str, list[tuple[int, int]]] = {}
    for person, weight, level in values(rows, "person_id", "weight", "level"):
        rated.setdefault(person, []).append((1 if pd.isna(weight) else int(weight), int(level)))

    def row(person: str) -> tuple[Any, ...]:
        found = t_score(rated.get(person, []))
        if found is None:
            return unknown(State.NO_DATA, "No goal has been rated on its scale yet.", n=0)
        return known(found, n=len(rated[person]))

    return table(facts, row)


def _since(facts: Facts) -> dict[str, pd.Timestamp]:
    """From when on a person's check-ins count: a year back, or since their present stay began."""
    floor = facts.until - pd.Timedelta(days=BACK)
    stays = facts.frame("employments")
    stays = stays[stays["hired_on"] < facts.until]
    latest = stays.groupby("person_id")["hired_on"].max()
    return {p: max(floor, latest[p]) if p in latest.index else floor for p in facts.people}


@metric(
    key="check_in_adherence",
    label="Check-ins held",
    unit=Unit.RATIO,
    better="higher",
    definition="intervals of the group's cadence with a check-in ÷ whole intervals over, at most a year back",
    reference="metrics reference 3, check-in adherence",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("check_in", "employment"),
)
def check_in_adherence(facts: Facts, profile: Profile) -> pd.DataFrame:
    """In how many of the last intervals a check-in was held; two in one interval count once."""
    every, since = profile.check_in_every_days, _since(facts)
    rows = facts.frame("check_ins")
    rows = rows[(rows["status"] == "held") & rows["held_on"].notna() & (rows["held_on"] < facts.until)]
    held = {str(person): list(days) for person, days in rows.groupby("person_id")["held_on"]}

    def row(person: str) -> tuple[Any, ...]:
        days = held.get(person, [])
        if not days:
            return unknown(State.NO_DATA, "No check-in yet. Either side can ask for one.", 0, None, 0)
        # Counted from the first check-in on: before it, nobody had agreed to a rhythm.
        begin = max(since[person], min(days))
        intervals = (facts.until - begin).days // every
        inside = [(facts.until - pd.Timedelta(days=1) - day).days // every for day in days if day >= begin]
        if intervals < 1:
            return unknown(State.NO_DATA, f"The first {every} days are not over yet.", len(inside), 0, len(inside))
        kept = len({i for i in inside if i < intervals})
        return known(kept / intervals, kept, intervals, intervals)

    return table(facts, row)


@metric(
    key="check_ins_asked",
    label="Check-ins you asked for",
    unit=Unit.COUNT,
    better="neither",
    definition="check-ins asked for by the person, of all that were not cancelled, at most a year back",
    reference="metrics reference 3, who asks",
    version="1",
    states=(State.OK,),
    sources=("check_in",),
)
def check_ins_asked(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How often the person asked; a count beside all, never part of a score."""
    rows, since = facts.frame("check_ins"), _since(facts)
    when = rows["held_on"].fillna(rows["planned_on"])
    rows = rows.assign(when=when)[(rows["status"] != "cancelled") & (when < facts.until)]
    rows = rows[rows["when"] >= rows["person_id"].map(since)]
    every = rows.groupby("person_id").size()
    own = rows[rows["asked_by"] == "rep"].groupby("person_id").size()

    def row(person: str) -> tuple[Any, ...]:
        k, n = int(own.get(person, 0)), int(every.get(person, 0))
        return known(k, k, n, n)

    return table(facts, row)
