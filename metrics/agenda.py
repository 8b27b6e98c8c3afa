"""The agenda of a check-in, drafted from what is open: what is in the way, a skill, a relationship, then deals. Pure.

Source: product reference 2, complaint 11: skill first, deal second; figures already stand on the page.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from metrics.scorecard import DealLine, ObjectiveLine, Scorecard

ORDER = ("obstacle", "skill", "relationship", "deal")
MOST = 3
"""Of each kind at most so many: a talk has half an hour."""


@dataclass(frozen=True)
class Point:
    """One thing worth talking about, and what is known of it."""

    kind: str
    text: str
    detail: str = ""
    day: date | None = None  # due, close date, next contact
    days_open: int | None = None
    amount_minor: int | None = None
    private: bool = False  # its owner has not shared it: nobody else's agenda has it


def draft(card: Scorecard) -> tuple[Point, ...]:
    """What a check-in could be about, in the order that serves the person; of a card as its reader may see it."""
    return (*_obstacles(card), *_skills(card), *_relationships(card), *_deals(card))


def _obstacles(card: Scorecard) -> list[Point]:
    still = [o for o in card.obstacles if not o.get("resolved_on")]
    still.sort(key=lambda o: -int(o.get("days_open") or 0))
    return [
        Point(
            "obstacle",
            str(o["what"]),
            "; ".join(_told(str(o.get("effect") or ""), o.get("who_can_remove"))),
            days_open=int(o.get("days_open") or 0),
            private=o.get("shared") is False,
        )
        for o in still[:MOST]
    ]


def _told(effect: str, who: object) -> Iterator[str]:
    if effect:
        yield effect
    if who:
        yield f"{who} can remove it"


def _skills(card: Scorecard) -> list[Point]:
    active = [o for o in card.objectives if o.status == "active" and o.kind != "relationship"]
    return [Point("skill", o.title, next_step(o), o.due_on, private=not o.shared) for o in active[:MOST]]


def next_step(objective: ObjectiveLine) -> str:
    """The first step that has not been taken, if the objective has steps."""
    waiting = [k for k in objective.key_results if k.get("step") and k.get("progress") != 1.0]
    return str(waiting[0]["title"]) if waiting else ""


def _relationships(card: Scorecard) -> list[Point]:
    own = [o for o in card.objectives if o.status == "active" and o.kind == "relationship"]
    points = [Point("relationship", o.who, o.why_it_matters, o.next_contact, private=not o.shared) for o in own]
    points += [
        Point("relationship", str(r["who"]), str(r.get("why") or ""), r.get("next_contact")) for r in card.relationships
    ]
    points.sort(key=lambda p: (p.day is None, p.day or date.max, p.text))
    return points[:MOST]


def _deals(card: Scorecard) -> list[Point]:
    """Open deals that something is to be said about first, then those that close soonest."""
    still = [d for d in card.deals if d.status == "open" and d.forecast_category != "omitted"]
    still.sort(key=lambda d: (not d.flags, d.close_day or date.max, d.name))
    return [_deal(d) for d in still[:MOST]]


def _deal(deal: DealLine) -> Point:
    return Point("deal", deal.name, ", ".join(deal.flags), deal.close_day, amount_minor=deal.credit_minor)
