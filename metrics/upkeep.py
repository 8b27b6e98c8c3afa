"""Whether objectives are kept up: when they were last touched, which are overdue, which are behind their own dates."""

from typing import Any

import pandas as pd

from metrics.development import objective_progress_of
from metrics.facts import Facts
from metrics.registry import known, metric, table, unknown
from metrics.result import State, Unit
from models.profile import Profile

NO_OBJECTIVE = "There is no active objective. The first one can be small."


def active(facts: Facts) -> pd.DataFrame:
    """The active objectives of the people asked about."""
    rows = facts.frame("objectives")
    return rows[rows["person_id"].isin(facts.people) & (rows["status"] == "active")]


@metric(
    key="objective_freshness",
    label="Days since an objective was touched",
    unit=Unit.DAYS,
    better="lower",
    definition="days since the last update of any active objective or of a key result of it",
    reference="metrics reference 3, freshness / overdue",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("objective", "key_result"),
    parameters=("stale_after_days",),
)
def objective_freshness(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How long ago the person last worked on an objective here; done and cancelled ones are left out."""
    rows = active(facts)
    measured = facts.frame("key_results").groupby("objective_id")["measured_on"].max()
    touched = pd.Series(measured.reindex(rows["id"]).to_numpy(dtype="datetime64[s]"), index=rows.index)
    last = pd.concat([rows["updated_on"], touched], axis=1).max(axis=1)
    last = last[last < facts.until].groupby(rows["person_id"]).max()
    own = rows.groupby("person_id").size()

    def row(person: str) -> tuple[Any, ...]:
        n = int(own.get(person, 0))
        if n == 0:
            return unknown(State.NO_DATA, NO_OBJECTIVE, n=0)
        if person not in last.index or pd.isna(last[person]):
            return unknown(State.NO_DATA, "No objective has been touched since it was written.", n=n)
        days = (facts.today - last[person]).days
        words = f"More than {profile.stale_after_days} days: still the right objective?"
        return known(days, n=n, reason=words if days > profile.stale_after_days else "")

    return table(facts, row)


@metric(
    key="objectives_overdue",
    label="Objectives past their date",
    unit=Unit.COUNT,
    better="lower",
    definition="active objectives due before the day",
    reference="metrics reference 3, freshness / overdue",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("objective",),
)
def objectives_overdue(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Active objectives whose date has passed: to close, to move, or to let go."""
    rows = active(facts)
    late, own = rows[rows["due_on"] < facts.today].groupby("person_id").size(), rows.groupby("person_id").size()

    def row(person: str) -> tuple[Any, ...]:
        n = int(own.get(person, 0))
        if n == 0:
            return unknown(State.NO_DATA, NO_OBJECTIVE, n=0)
        return known(int(late.get(person, 0)), int(late.get(person, 0)), n, n)

    return table(facts, row)


def expected(facts: Facts, rows: pd.DataFrame) -> "pd.Series[Any]":
    """The share of each objective's own dates that has passed; missing where it has no dates."""
    whole, gone = (rows["due_on"] - rows["starts_on"]).dt.days, (facts.until - rows["starts_on"]).dt.days
    share: pd.Series[Any] = (gone / whole.where(whole > 0)).clip(0, 1)
    return share


@metric(
    key="objectives_behind",
    label="Objectives behind their dates",
    unit=Unit.COUNT,
    better="lower",
    definition="active objectives whose progress is further below the share of their time that has passed than allowed",
    reference="metrics reference 3, expected progress",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("objective", "key_result"),
    parameters=("behind_by",),
)
def objectives_behind(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Objectives that are slower than their own dates; those without dates or measurements are not guessed at."""
    rows = active(facts)
    each = objective_progress_of(rows, facts.frame("key_results"))
    progress = pd.Series([each[i][0] for i in rows["id"]], index=rows.index, dtype="float64")
    should = expected(facts, rows)
    told = progress.notna() & should.notna()
    behind = (told & (progress < should - profile.behind_by)).groupby(rows["person_id"]).sum()
    own = told.groupby(rows["person_id"]).sum()
    every = rows.groupby("person_id").size()

    def row(person: str) -> tuple[Any, ...]:
        n, known_ones = int(every.get(person, 0)), int(own.get(person, 0))
        if n == 0:
            return unknown(State.NO_DATA, NO_OBJECTIVE, n=0)
        if known_ones == 0:
            return unknown(State.NO_DATA, "No objective has both dates and a measurement.", n=0)
        rest = n - known_ones
        words = f"{rest} without dates or measurement." if rest else ""
        return known(int(behind.get(person, 0)), int(behind.get(person, 0)), known_ones, known_ones, words)

    return table(facts, row)


def _asked(facts: Facts) -> pd.DataFrame:
    """Learning that stands on its own; what somebody learns for an objective of theirs is seen with the objective."""
    rows = facts.frame("learning")
    return rows[rows["objective_id"].isna()]


def _due(facts: Facts) -> pd.DataFrame:
    rows = _asked(facts)
    # What is finished before it is due counts too; what is not due yet is not missing.
    reached = (rows["due_on"] < facts.until) | (rows["done_on"] < facts.until)
    return rows[reached & (rows["status"] != "waived")]


def _training(facts: Facts, good: "pd.Series[bool]", rows: pd.DataFrame, waived: "pd.Series[Any]") -> pd.DataFrame:
    kept, every = rows[good].groupby("person_id").size(), rows.groupby("person_id").size()

    def row(person: str) -> tuple[Any, ...]:
        n, k, out = int(every.get(person, 0)), int(kept.get(person, 0)), int(waived.get(person, 0))
        if n == 0:
            return unknown(State.NO_DATA, "No learning has been due yet.", 0, 0, 0)
        return known(k / n, k, n, n, f"{out} waived." if out else "")

    return table(facts, row)


def _waived(facts: Facts) -> "pd.Series[Any]":
    rows = _asked(facts)
    return rows[rows["status"] == "waived"].groupby("person_id").size()


@metric(
    key="training_done",
    label="Learning done",
    unit=Unit.RATIO,
    better="higher",
    definition="learning done ÷ learning due by the day, waived left out",
    reference="metrics reference 3, training completion",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("learning_item",),
)
def training_done(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Of the learning that was due, how much is done; what is not due yet is not missing."""
    rows = _due(facts)
    return _training(facts, rows["done_on"] < facts.until, rows, _waived(facts))


@metric(
    key="training_on_time",
    label="Learning done on time",
    unit=Unit.RATIO,
    better="higher",
    definition="learning done by its date ÷ learning due by the day, waived left out",
    reference="metrics reference 3, training completion (on time apart)",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("learning_item",),
)
def training_on_time(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Of the learning that was due, how much was done by its date."""
    rows = _due(facts)
    rows = rows[rows["due_on"].notna()]
    return _training(facts, (rows["done_on"] < facts.until) & (rows["done_on"] <= rows["due_on"]), rows, _waived(facts))
