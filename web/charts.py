"""Where the marks of a chart stand, in percent of its width, and the chart in words. Templates draw it."""

from collections.abc import Sequence
from dataclasses import dataclass

from metrics.scorecard import ObjectiveLine, Scorecard
from web.words import Words


@dataclass(frozen=True)
class Bullet:
    """Actual against target on one straight scale from 0: the bar, the target, the pace and the open pipeline."""

    bar: float
    reach: float | None  # won plus weighted pipeline
    target: float
    pace: float | None
    ticks: tuple[tuple[float, str], ...]
    title: str
    words: str


def bullet(card: Scorecard, words: Words) -> Bullet | None:
    """The chart of a person's attainment; None where there is no attainment to draw."""
    attained = value(card, "attainment")
    if attained is None:
        return None
    pace, reach = expected(card), _reach(card, attained)
    top = max(1.2, attained, pace or 0, min(reach or 0, 2.0))
    end = min((int(top * 5 - 1e-9) + 1) / 5, 3.0)  # whole fifths; 300 % is drawn as full, the words stay exact

    def place(share: float) -> float:
        return round(max(0.0, min(share / end, 1.0)) * 100, 2)

    said = [f"{words.percent(attained)} of quota"]
    if pace is not None:
        said.append(f"pace so far {words.percent(pace)}")
    if reach is not None:
        said.append(f"{words.percent(reach)} with the weighted pipeline")
    step = 0.5 if end <= 2 else 1.0
    marks = [n * step for n in range(int(end / step) + 1)]
    return Bullet(
        bar=place(attained),
        reach=None if reach is None else place(reach),
        target=place(1.0),
        pace=None if pace is None else place(pace),
        ticks=tuple((place(mark), words.percent(mark)) for mark in marks),
        title=f"{card.name}: quota attainment, {card.period_label}",
        words="; ".join(said) + ".",
    )


def value(card: Scorecard, key: str) -> float | None:
    """A figure's value, if the card has it and it is known."""
    found = card.results.get(key)
    return None if found is None or found.value is None else float(found.value)


def expected(card: Scorecard) -> float | None:
    """The share of the quota that was due by the day: accrued quota over quota, else the share of the period gone."""
    pace, quota = card.results.get("pace"), value(card, "quota")
    if pace is not None and pace.denominator is not None and quota:
        return float(pace.denominator) / quota
    return value(card, "elapsed")


def ahead(card: Scorecard) -> float | None:
    """Attainment less what was due: 0.04 is four points ahead of pace."""
    attained, due = value(card, "attainment"), expected(card)
    return None if attained is None or due is None else attained - due


def _reach(card: Scorecard, attained: float) -> float | None:
    weighted, quota = value(card, "weighted_pipeline"), value(card, "quota")
    return attained + weighted / quota if weighted and quota and weighted > 0 else None


@dataclass(frozen=True)
class Steps:
    """Progress as steps done of all, never as a grade."""

    done: int
    total: int
    words: str


def steps(objective: ObjectiveLine) -> Steps:
    """How many of an objective's key results are reached."""
    total = len(objective.key_results)
    done = sum(1 for k in objective.key_results if _whole(k.get("progress")))
    if objective.status == "done":
        return Steps(total or 1, total or 1, "done")
    if not total:
        return Steps(0, 0, "no steps written down yet")
    return Steps(done, total, f"{done} of {Words.count(total, 'step')} done")


def _whole(progress: object) -> bool:
    # In a stored scorecard a key result's progress is a number or nothing.
    return isinstance(progress, int | float) and progress >= 1


@dataclass(frozen=True)
class Point:
    """One person in the quadrant chart."""

    href: str
    name: str
    initials: str
    x: float  # percent of the width
    y: float  # percent of the height
    words: str


@dataclass(frozen=True)
class Quadrant:
    """Attainment pace against objective progress, with the lines at the plan, so that all can stand top right."""

    points: tuple[Point, ...]
    line_x: float
    line_y: float
    absent: tuple[str, ...]  # names of people who lack one of the two


ACTIONS = ("Building: protect the time", "Growing and delivering", "Needs a conversation", "Delivering: what next?")
"""What the four corners ask for, read from top left. They name an action, never a person."""

PLAN_X, PLAN_Y = 50.0, 50.0
WIDE, HIGH, APART = 270.0, 380.0, 27.0  # pixels: the narrowest the chart gets, its height, and a finger's width


def quadrant(rows: Sequence[tuple[Scorecard, float | None, float | None, float | None]], words: Words) -> Quadrant:
    """Place each (card, pace, progress, progress by plan): 1 on both axes is the plan."""
    points: list[Point] = []
    absent: list[str] = []
    for card, pace, progress, plan in rows:
        if pace is None or progress is None or not plan:
            absent.append(card.name)
            continue
        x = 6 + 88 * max(0.0, min(pace, 2.0)) / 2
        y = 6 + 88 * (1 - max(0.0, min(progress / plan, 2.0)) / 2)
        x, y = _apart(x, y, points)
        text = f"{card.name}: {words.percent(pace)} of pace, {words.percent(progress)} of shared objectives"
        initials = "".join(part[0] for part in card.name.split()[:2]).upper()
        points.append(Point(f"/people/{card.person_id}", card.name, initials, round(x, 2), round(y, 2), text))
    return Quadrant(tuple(points), PLAN_X, PLAN_Y, tuple(absent))


def _apart(x: float, y: float, others: Sequence[Point]) -> tuple[float, float]:
    """The nearest free place up or down the chart, so that every point can be touched."""
    for step in range(40):
        for sign in (1, -1):
            place = y + sign * step * 3.0
            near = ((p.x - x) * WIDE / 100 for p in others)
            if 4 <= place <= 96 and all(
                (dx**2 + ((p.y - place) * HIGH / 100) ** 2) ** 0.5 >= APART for p, dx in zip(others, near, strict=True)
            ):
                return x, place
    return x, y
