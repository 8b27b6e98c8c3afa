"""Who stands above whom makes trees: circles are found, and each is cut at one line, always at the same one."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from datetime import date
from typing import Any


def circles(above: Mapping[str, str]) -> list[list[str]]:
    """Every circle of a map from somebody to whoever stands above them, each as its members going up.

    Everybody has at most one line up, so that no two circles share a member.
    """
    found: list[list[str]] = []
    done: set[str] = set()
    for start in above:
        way: dict[str, int] = {}
        at: str | None = start
        while at is not None and at not in done and at not in way:
            way[at] = len(way)
            at = above.get(at)
        if at in way:
            found.append([*way][way[at] :])
        done |= set(way)
    return found


def cuts(above: Mapping[str, str], fresh: Set[str], key: Callable[[str], Any]) -> dict[str, list[str]]:
    """Whose line is cut, with the circle that it closed: one in each, which is as few as make trees of them all.

    A line that was there before stays and one that came new (`fresh`) goes. Among equals it is the line of whoever
    most people outside of the circle report to, since somebody at the top is the likeliest to have a line by mistake;
    then the first by `key`, which must not be a random id.
    """
    found = {}
    below = Counter(above.values())
    for circle in circles(above):
        first = min(circle, key=lambda p: (p not in fresh, -below[p], key(p)))
        at = circle.index(first)
        found[first] = [*circle[at:], *circle[:at]]
    return found


def free_from(person: str, boss: str, start: date, today: date, rows: Iterable[Any]) -> date:
    """From which day on a line that holds since `start` makes no circle with the lines that held then, up to today.

    Only lines that have ended can be in its way: with those of today it was tried before.
    """
    held = [r for r in rows if r.to_day is None or r.to_day > start]
    if all(r.to_day is None for r in held) or all(r.manager_id != person for r in held):
        return start
    edges: set[date] = {day for r in held for day in (r.from_day, r.to_day) if day is not None and start < day < today}
    days = [start, *sorted(edges)]
    for day, after in zip(reversed(days), [today, *reversed(days)], strict=False):
        above = {r.person_id: r.manager_id for r in held if r.from_day <= day and (r.to_day is None or r.to_day > day)}
        if _reaches(above, boss, person):
            return after
    return start


def _reaches(above: Mapping[str, str], start: str, goal: str) -> bool:
    at: str | None = start
    seen = set()
    while at is not None and at not in seen:
        if at == goal:
            return True
        seen.add(at)
        at = above.get(at)
    return False
