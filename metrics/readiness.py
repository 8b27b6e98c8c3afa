"""What the next role asks for and what shows it, as a list: never one number that mixes sales with potential."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from metrics.result import Result, Unit
from metrics.scorecard import ObjectiveLine, Readiness
from models.profile import Criterion, Profile


def readiness(
    title: str, profile: Profile, results: Mapping[str, Result], objectives: Sequence[ObjectiveLine], as_of: date
) -> tuple[Readiness, ...]:
    """Every criterion of the roles that somebody with this title can grow into; without evidence it is not assessed.

    Source: metrics reference §3, promotion readiness.
    """
    steps = profile.steps_from(title)
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
    has, wants = (f"{v:.0%}" if found.unit is Unit.RATIO else f"{v:g}" for v in (found.value, asked.at_least))
    yield Readiness(role, asked.what, state, f"{found.label}: {has}, asked for {wants}", as_of)


def _by_objective(role: str, asked: Criterion, objectives: Sequence[ObjectiveLine]) -> Iterator[Readiness]:
    for line in objectives:
        if asked.serves and _same(line.serves, asked.serves):
            state = "met" if line.status == "done" else "not met"
            yield Readiness(role, asked.what, state, f"objective: {line.title}", line.due_on)


@dataclass(frozen=True)
class Evidence:
    """Something that shows it: written by the person, with where it can be seen."""

    objective: str
    day: date
    words: str
    link: str = ""


@dataclass(frozen=True)
class Coverage:
    """One thing that the next role asks for, beside everything that bears on it. Never counted, never compared."""

    role: str
    what: str
    state: str  # met, not met, not assessed
    told: str
    serves: str  # what an objective has to say that it serves
    objectives: tuple[ObjectiveLine, ...]
    evidence: tuple[Evidence, ...]


def coverage(
    title: str,
    profile: Profile,
    results: Mapping[str, Result],
    objectives: Sequence[ObjectiveLine],
    evidence: Mapping[str, Sequence[Evidence]],
    as_of: date,
) -> tuple[Coverage, ...]:
    """Each criterion of the next roles with the objectives that serve it, done or running, and their evidence."""
    asked = readiness(title, profile, results, objectives, as_of)
    criteria = [c for step in profile.steps_from(title) for c in step.criteria]
    found = []
    for item, criterion in zip(asked, criteria, strict=True):
        own = tuple(o for o in objectives if criterion.serves and _same(o.serves, criterion.serves))
        shown = tuple(e for o in own for e in evidence.get(o.id, ()))
        found.append(Coverage(item.role, item.what, item.state, item.evidence, criterion.serves, own, shown))
    return tuple(found)


def _same(serves: str, asked: str) -> bool:
    """Whether an objective serves a step: the same words, or the role before a colon and then the same words."""
    return serves.rsplit(":", 1)[-1].strip().casefold() == asked.strip().casefold()
