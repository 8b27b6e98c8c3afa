"""Feedback as numbers, and the rule under which its words may be read. There is no author to look at."""

from typing import Any

import pandas as pd

from metrics.facts import Facts
from metrics.registry import known, metric, table, unknown
from metrics.result import State, Unit
from models.profile import Profile


def over(facts: Facts, frame: pd.DataFrame) -> pd.DataFrame:
    """Feedback of months that are over by the as-of day: the running one is not shown, so that nobody can watch it."""
    running = f"{facts.as_of:%Y-%m}"
    return frame[frame["batch"] < running]


def released(facts: Facts, frame: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """The rows whose words may be read: of people with feedback from `threshold` givers in months that are over."""
    done = over(facts, frame)
    givers = done.groupby("person_id").size()
    return done[done["person_id"].isin(givers[givers >= threshold].index)]


@metric(
    key="feedback_received",
    label="Feedback received",
    unit=Unit.COUNT,
    better="neither",
    definition="answers from others in months that are over",
    reference="metrics reference 3, feedback volume",
    version="1",
    states=(State.OK,),
    sources=("feedback",),
)
def feedback_received(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How many people have said something, asked or not; the running month is not counted yet."""
    rows = over(facts, facts.frame("feedback"))
    count = rows.groupby("person_id").size()
    asked = rows[rows["asked"].fillna(False).astype(bool)].groupby("person_id").size()

    def row(person: str) -> tuple[Any, ...]:
        n = int(count.get(person, 0))
        return known(n, int(asked.get(person, 0)), n, n)

    return table(facts, row)


@metric(
    key="feedback_answered",
    label="Your questions answered",
    unit=Unit.RATIO,
    better="neither",
    definition="answers in ÷ people asked",
    reference="metrics reference 3, response rate",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("feedback_request",),
)
def feedback_answered(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Of the people whom the person asked for feedback, how many answered."""
    rows = facts.frame("feedback_requests")
    rows = rows[rows["asked_on"] <= f"{facts.as_of:%Y-%m}"]
    asked, answered = (rows.groupby("person_id")[c].sum() for c in ("asked_of", "answered"))

    def row(person: str) -> tuple[Any, ...]:
        n = int(asked.get(person, 0))
        if n == 0:
            return unknown(State.NO_DATA, "Nobody has been asked yet. Asking one person is enough to begin.", 0, 0, 0)
        k = int(answered[person])
        return known(k / n, k, n, n)

    return table(facts, row)


@metric(
    key="feedback_asked",
    label="Feedback you asked for",
    unit=Unit.COUNT,
    better="neither",
    definition="people whom the person asked for feedback, up to the day's month",
    reference="metrics reference 3, who asks",
    version="1",
    states=(State.OK,),
    sources=("feedback_request",),
)
def feedback_asked(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How many people were asked; a count, never part of a score, because rewarding it would spoil it."""
    rows = facts.frame("feedback_requests")
    rows = rows[rows["asked_on"] <= f"{facts.as_of:%Y-%m}"]
    people, times = rows.groupby("person_id")["asked_of"].sum(), rows.groupby("person_id").size()
    return table(facts, lambda p: known(int(people.get(p, 0)), n=int(times.get(p, 0))))


@metric(
    key="feedback_constructive",
    label="Feedback with something to try",
    unit=Unit.RATIO,
    better="neither",
    definition="answers that say what to try ÷ answers, of months that are over",
    reference="metrics reference 3, constructive share",
    version="1",
    states=(State.OK, State.SUPPRESSED, State.NO_DATA),
    sources=("feedback",),
    parameters=("release_from",),
)
def feedback_constructive(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How many of the answers say what to try; not shown before their words may be read."""
    done = over(facts, facts.frame("feedback"))
    every = done.groupby("person_id").size()
    says = done[done["suggestion"].fillna("").str.strip() != ""].groupby("person_id").size()

    def row(person: str) -> tuple[Any, ...]:
        n = int(every.get(person, 0))
        if n == 0:
            return unknown(State.NO_DATA, "Nobody has told you anything yet. You can ask somebody you trust.", n=0)
        if n < profile.release_from:
            words = f"{n} of {profile.release_from} answers are in; under that, a share could single somebody out."
            return unknown(State.SUPPRESSED, words, n=n)
        k = int(says.get(person, 0))
        return known(k / n, k, n, n)

    return table(facts, row)
