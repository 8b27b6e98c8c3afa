"""Who may see what: one question (`can`), one row filter (`visible_people`) and one scrubber (`for_reader`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, or_, select

from metrics.result import Result, State
from metrics.scorecard import FeedbackBlock, Scorecard
from models import ReportingLine
from models.access import Role
from models.base import core


class Action(StrEnum):
    """What a reader may want to do. Everything that is not named here is refused."""

    READ_SCORECARD = "read_scorecard"
    READ_TEAM = "read_team"
    READ_RUNS = "read_runs"
    CHANGE_SCHEDULES = "change_schedules"
    WRITE_OWN = "write_own"
    ASK_CHECK_IN = "ask_check_in"
    SEE_DEVELOPMENT = "see_development"


LEADS = frozenset({Role.MANAGER, Role.DIRECTOR})
KEEPERS = frozenset({Role.OPS, Role.ADMIN})
PRIVATE_TO_PERSON = ("objective", "key_result", "feedback", "development")


@dataclass(frozen=True)
class Actor:
    """Somebody signed in: their role, the person they are, and everybody below them on that day."""

    account_id: str
    role: str
    person_id: str | None = None
    reports: frozenset[str] = frozenset()


def visible_people(actor: Actor) -> frozenset[str]:
    """The people whose pages this reader may open. The row filter of every query about people.

    Everybody may open their own page, whatever their role; only leaders see others, and only those below them.
    """
    own = frozenset({actor.person_id}) if actor.person_id else frozenset[str]()
    return own | actor.reports if actor.role in LEADS else own


def can(actor: Actor, action: str, subject: str | None = None) -> bool:
    """Whether this reader may do this; `subject` is a person id where the action is about a person."""
    rule = RULES.get(action)
    return rule is not None and rule(actor, subject)


RULES: Mapping[str, Callable[[Actor, str | None], bool]] = {
    Action.READ_SCORECARD: lambda actor, subject: subject is not None and subject in visible_people(actor),
    Action.READ_TEAM: lambda actor, _: actor.role in LEADS,
    Action.READ_RUNS: lambda actor, _: actor.role in KEEPERS,
    Action.CHANGE_SCHEDULES: lambda actor, _: actor.role in KEEPERS,
    Action.WRITE_OWN: lambda actor, subject: subject is not None and subject == actor.person_id,
    Action.ASK_CHECK_IN: lambda actor, subject: subject is not None and subject in visible_people(actor),
    Action.SEE_DEVELOPMENT: lambda actor, _: actor.role in LEADS,
}
"""One line an action: who may do it, and to whom. What has no line here nobody may do."""


def reports_of(connection: Connection, person_id: str, day: date) -> frozenset[str]:
    """Everybody below a person on that day, directly or not. A circle of reporting lines is walked once."""
    lines = core(ReportingLine)
    found = _walk(connection, person_id, day, lines.c.manager_id, lines.c.person_id)
    return found - {person_id}


def managers_of(connection: Connection, person_id: str, day: date) -> frozenset[str]:
    """Everybody above a person on that day."""
    lines = core(ReportingLine)
    return _walk(connection, person_id, day, lines.c.person_id, lines.c.manager_id) - {person_id}


def _walk(connection: Connection, start: str, day: date, at: Any, onward: Any) -> frozenset[str]:
    lines = core(ReportingLine).c
    holds = (lines.from_day <= day, or_(lines.to_day.is_(None), lines.to_day > day))
    tree = select(onward.label("id")).where(at == start, *holds).cte("tree", recursive=True)
    # UNION, not UNION ALL: somebody seen before is not walked again, so circles end.
    tree = tree.union(select(onward).join(tree, at == tree.c.id).where(*holds))
    return frozenset(connection.scalars(select(tree.c.id)))


BLOCKS = {
    "obstacles": "obstacles",
    "relationships": "relationships",
    "learning": "learning",
    "check_in": "check_ins",
}
"""Blocks that a profile may keep to the person, and the list on the card that is empty for others then."""


@dataclass(frozen=True)
class Reading:
    """A scorecard as one reader may see it, with a locked line for each thing that was taken out."""

    card: Scorecard
    own: bool
    locked: Mapping[str, str] = field(default_factory=dict)  # by block: objectives, feedback, check_ins, blend


def for_reader(card: Scorecard, actor: Actor) -> Reading:
    """Take out what this reader may not see. What is gone here is in no page, JSON or CSV."""
    if actor.person_id == card.person_id:
        return Reading(card, own=True)
    shared = tuple(o for o in card.objectives if o.shared and "development" not in card.private_blocks)
    hidden = len(card.objectives) - len(shared)
    first = card.name.split()[0] if card.name.split() else "this person"
    locked: dict[str, str] = {}
    results, blend = dict(card.results), card.blend
    for key, result in results.items():
        if result.metric.startswith(PRIVATE_TO_PERSON):
            results[key] = _counts_only(result, hidden > 0 and not result.metric.startswith("feedback"), first)
    if hidden:
        locked["objectives"] = _not_shared(hidden, "objective", first)
        if blend is not None:
            blend = None
            locked["blend"] = f"The blend is made partly of objectives that {first} has not shared."
    if card.feedback is not None:
        locked["feedback"] = f"The words belong to {first}; how many replies there are is shown to you."
    if any(c.get("topic") for c in card.check_ins):
        locked["check_ins"] = "What a check-in is about stays between the two people in it."
    walls = tuple(o for o in card.obstacles if o.get("shared") is not False)
    if kept := len(card.obstacles) - len(walls):
        locked["obstacles"] = _not_shared(kept, "obstacle", first)
        results |= {k: _counts_only(r, True, first) for k, r in results.items() if k.startswith("obstacle")}
    private: dict[str, Any] = {BLOCKS[b]: () for b in card.private_blocks if b in BLOCKS}
    for name in private:
        locked[name] = f"By the rules of this working group, this is {first}'s alone."
    hidden_titles = tuple(o.title for o in card.objectives if not o.shared)
    scrubbed = replace(
        card,
        results=results,
        objectives=shared,
        feedback=_only_counts(card.feedback),
        check_ins=tuple({**c, "topic": ""} for c in card.check_ins),
        obstacles=walls,
        readiness=(),  # a person's own: they show it when they want to
        blend=blend,
        notes=tuple(n for n in card.notes if not any(t and t in n for t in hidden_titles)),
    )
    return Reading(replace(scrubbed, **private), own=False, locked=locked)


def _not_shared(number: int, what: str, first: str) -> str:
    some = f"1 {what} is" if number == 1 else f"{number} {what}s are"
    return f"{some} not shared: only {first} sees them until {first} shares them."


def _counts_only(result: Result, hide_value: bool, first: str) -> Result:
    """Without its inputs, which may name an objective; without its value where unshared objectives are part of it."""
    if not hide_value or result.value is None:
        return replace(result, inputs={})
    return replace(
        result,
        state=State.SUPPRESSED,
        value=None,
        numerator=None,
        denominator=None,
        n=None,
        reason=f"Part of this is made of what {first} has not shared.",
        inputs={},
    )


def _only_counts(block: FeedbackBlock | None) -> FeedbackBlock | None:
    if block is None:
        return None
    replies = "1 reply" if block.received == 1 else f"{block.received} replies"
    return FeedbackBlock(received=block.received, released=block.released, sentence=f"{replies} received.")
