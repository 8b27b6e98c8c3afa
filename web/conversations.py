"""Conversations worth having: at most three, each with its reason. Situations are named, never people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from metrics.scorecard import Scorecard
from web import charts
from web.words import Words

OLD_OBSTACLE = 30
LONG_AGO = timedelta(days=45)
THIN = 1.5
MOST = 3


@dataclass(frozen=True)
class Conversation:
    """One line: whom to talk to, why now, and what about."""

    href: str
    who: str
    why: str


def worth_having(cards: Sequence[Scorecard], words: Words) -> list[Conversation]:
    """Up to three conversations; who asked comes first, then what waits on somebody, then what is going well or thin.

    Only what the reader may see is looked at: the cards have been through `for_reader`.
    """
    found: list[Conversation] = []
    taken: set[str] = set()
    for look in (_asked, _blocked, _delivered, _thin, _quiet):
        for card in cards:
            why = look(card, words) if card.person_id not in taken else ""
            if why:
                taken.add(card.person_id)
                found.append(Conversation(f"/people/{card.person_id}", card.name, why))
                break  # one of each kind, so that three lines are three different things
        if len(found) == MOST:
            break
    return found


def _asked(card: Scorecard, words: Words) -> str:
    for talk in card.check_ins:
        if talk.get("status") == "planned" and talk.get("asked_by") == "rep":
            when = f", planned for {words.weekday(talk['planned_on'])}" if talk.get("planned_on") else ""
            return f"asked for a check-in{when}."
    return ""


def _blocked(card: Scorecard, words: Words) -> str:
    old = [o for o in card.obstacles if not o.get("resolved_on") and int(o.get("days_open") or 0) > OLD_OBSTACLE]
    if not old:
        return ""
    longest = max(int(o["days_open"]) for o in old)
    waits = sorted({str(o.get("who_can_remove") or "") for o in old} - {""})
    whom = f" on {words.join(waits)}" if waits else " for somebody to remove it"
    many = "an obstacle has" if len(old) == 1 else f"{len(old)} obstacles have"
    return f"{many} waited{whom} for {longest} days."


def _delivered(card: Scorecard, words: Words) -> str:
    attained = charts.value(card, "attainment")
    if attained is None or attained < 1:
        return ""
    return f"is at {words.percent(attained)} of quota with the period still running. What would they like to do next?"


def _thin(card: Scorecard, words: Words) -> str:
    gap, coverage = charts.value(card, "gap"), charts.value(card, "coverage")
    if gap is None or coverage is None or gap <= 0 or coverage >= THIN:
        return ""
    return f"{words.money(gap, card.currency)} to go with {words.times(coverage)} pipeline. What would help?"


def _quiet(card: Scorecard, words: Words) -> str:
    held = [str(c["held_on"]) for c in card.check_ins if c.get("status") == "held" and c.get("held_on")]
    planned = any(c.get("status") == "planned" for c in card.check_ins)
    if not held or planned or card.as_of - date.fromisoformat(max(held)[:10]) < LONG_AGO:
        return ""
    return f"the last check-in was on {words.day(max(held))} and none is planned."
