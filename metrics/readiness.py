"""What the next role asks for and what shows it, as a list: never one number that mixes sales with potential."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from metrics.result import Result
from metrics.scorecard import ObjectiveLine, Readiness
from models.profile import Criterion, Profile


def readiness(
    title: str, profile: Profile, results: Mapping[str, Result], objectives: Sequence[ObjectiveLine], as_of: date
) -> tuple[Readiness, ...]:
    """Every criterion of the roles that somebody with this title can grow into; without evidence it is not assessed.

    Source: metrics reference §3, promotion readiness.
    """
    steps = [s for s in profile.ladder if title.casefold() in {t.casefold() for t in s.from_titles}]
    return tuple(_assess(step.role, c, results, objectives, as_of) for step in steps for c in step.criteria)


def _assess(
    role: str, asked: Criterion, results: Mapping[str, Result], objectives: Sequence[ObjectiveLine], as_of: date
) -> Readiness:
    told = [*_by_figure(role, asked, results, as_of), *_by_objective(role, asked, objectives)]
    met = [r for r in told if r.state == "met"]
    return (met or told or [Readiness(role, asked.what, "not assessed", "Nothing shows it yet, either way.")])[0]


def _by_figure(role: str, asked: Criterion, results: Mapping[str, Result], as_of: date) -> Iterator[Readiness]:
    found = results.get(asked.metric)
    if found is None or found.value is None or asked.at_least is None:
        return
    state = "met" if found.value >= asked.at_least else "not met"
    yield Readiness(role, asked.what, state, f"{found.label}: {found.value:g}, asked for {asked.at_least:g}", as_of)


def _by_objective(role: str, asked: Criterion, objectives: Sequence[ObjectiveLine]) -> Iterator[Readiness]:
    for line in objectives:
        if asked.serves and line.serves.casefold() == asked.serves.casefold():
            state = "met" if line.status == "done" else "not met"
            yield Readiness(role, asked.what, state, f"objective: {line.title}", line.due_on)
