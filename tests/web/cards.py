"""Rich scorecards for the page tests, each of somebody in another situation."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from metrics.result import Result, State, Unit
from metrics.scorecard import Blend, Contribution, DealLine, FeedbackBlock, ObjectiveLine, Scorecard, Source
from tests.web.people import NOW, PEOPLE, QUARTER, SECRET, TODAY, XSS

MONEY = ("attainment", "pace", "quota", "gap", "coverage", "bookings", "open_pipeline", "weighted_pipeline", "elapsed")


def figure(key: str, label: str, unit: Unit, value: float | None, state: State = State.OK, **more: Any) -> Result:
    """A figure with everything filled in, as metrics make them."""
    about: dict[str, Any] = {
        "reason": "" if value is not None else "There is no quota for this period.",
        "numerator": None,
        "denominator": None,
        "n": None,
        "formula": "won ÷ quota" if key == "attainment" else f"the definition of {label.lower()}",
        "version": "1",
        "sources": ("deal", "quota") if key in MONEY else ("objective", "check_in"),
    }
    return Result(key, label, unit, state, value, as_of=TODAY, **{**about, **more})


def numbers(won: int, quota: int | None, pipeline: int = 0, weighted: int = 0) -> dict[str, Result]:
    """The number block of somebody with a CRM, 59 % into the quarter."""
    gone = 55 / 92
    if quota is None:
        no: dict[str, Any] = {"value": None, "state": State.NO_QUOTA}
        ratios = [
            figure(k, label, Unit.RATIO, **no) for k, label in (("attainment", "Quota attainment"), ("pace", "Pace"))
        ]
        rest = [figure("quota", "Quota", Unit.MONEY, **no), figure("gap", "To go", Unit.MONEY, **no)]
        rest.append(figure("coverage", "Pipeline coverage", Unit.TIMES, **no))
    else:
        accrued = int(quota * gone)
        ratios = [
            figure("attainment", "Quota attainment", Unit.RATIO, won / quota, numerator=won, denominator=quota, n=4),
            figure("pace", "Pace", Unit.RATIO, won / accrued, numerator=won, denominator=accrued),
        ]
        gap = quota - won
        met: dict[str, Any] = {"state": State.QUOTA_MET, "reason": "The quota is met: there is nothing left to cover."}
        rest = [
            figure("quota", "Quota", Unit.MONEY, quota, n=1),
            figure("gap", "To go", Unit.MONEY, gap, reason="" if gap > 0 else "Over the quota."),
            figure("coverage", "Pipeline coverage", Unit.TIMES, pipeline / gap, numerator=pipeline, denominator=gap)
            if gap > 0
            else figure("coverage", "Pipeline coverage", Unit.TIMES, None, **met),
        ]
    money = [
        figure("bookings", "Won", Unit.MONEY, won, n=4, inputs={"records": ["salesforce:006A1", "salesforce:006A2"]}),
        figure("open_pipeline", "Open pipeline", Unit.MONEY, pipeline, n=7),
        figure("weighted_pipeline", "Weighted pipeline", Unit.MONEY, weighted, n=7),
        figure("elapsed", "Period gone", Unit.RATIO, gone, numerator=55, denominator=92),
        figure(
            "win_rate",
            "Win rate",
            Unit.RATIO,
            4 / 7,
            numerator=4,
            denominator=7,
            n=7,
            reason="Few deals: could be 25 to 84%.",
        ),
    ]
    return {r.metric: r for r in (*ratios, *rest, *money)}


def growth(progress: float | None, person: str) -> dict[str, Result]:
    """The figures about development."""
    state = State.OK if progress is not None else State.NO_DATA
    return {
        "objective_progress": figure(
            "objective_progress",
            "Objectives",
            Unit.RATIO,
            progress,
            state,
            numerator=progress,
            denominator=1,
            n=2,
            inputs={"objectives": [f"{person}-private", SECRET]} if person == "ana" else {},
        ),
        "check_in_adherence": figure(
            "check_in_adherence", "Check-ins held", Unit.RATIO, 0.8, numerator=4, denominator=5
        ),
        "feedback_received": figure("feedback_received", "Feedback received", Unit.COUNT, 4, n=4),
    }


def deal(number: int, status: str, cents: int | None, day: date, **more: Any) -> DealLine:
    """One deal of a list."""
    about: dict[str, Any] = {
        "connection": "salesforce",
        "external_id": f"006A{number}",
        "name": f"{NAMES[number % len(NAMES)]}: {('renewal', 'new seats', 'pilot')[number % 3]}",
        "account": NAMES[number % len(NAMES)],
        "stage": {"won": "Closed won", "lost": "Closed lost"}.get(status, ("Proposal", "Discovery")[number % 2]),
        "forecast_category": "closed" if status == "won" else "pipeline",
        "currency": "EUR",
        "share_ppm": 1_000_000,
        "link": f"https://crm.example.com/006A{number}",
    }
    found = {**about, **more}
    return DealLine(status=status, amount_minor=cents, credit_minor=cents, close_day=day, **found)


NAMES = ("Alder & Sons", "Birch Mill", "Cedar Labs", "Dune Freight", "Elm Schools", "Fjord Foods", "Grove Health")


def objective(person: str, key: str, title: str, why: str, done: int, of: int, shared: bool = True) -> ObjectiveLine:
    """One objective with its steps."""
    steps: list[Mapping[str, Any]] = [
        {
            "title": ("Shadow two negotiations", "Write down my own opening", "Lead one with Mo listening", "Debrief")[
                n % 4
            ],
            "baseline": "0",
            "target": "2",
            "current": "2" if n < done else "1",
            "progress": 1.0 if n < done else 0.5 if n == done else None,
        }
        for n in range(of)
    ]
    value = done / of if of else None
    progress = figure("objective_progress", "Progress", Unit.RATIO, value, State.OK if of else State.NO_DATA)
    return ObjectiveLine(
        f"{person}-{key}",
        title,
        "personal",
        why,
        "Senior account executive: negotiation",
        "active",
        date(2026, 12, 18),
        shared,
        progress,
        tuple(steps),
    )


def sources() -> tuple[Source, ...]:
    """Two sources, one fresh and one late."""
    return (
        Source("salesforce", "Salesforce (north)", "fresh", NOW, "Salesforce (north): as of 02:14 today"),
        Source(
            "hubspot",
            "HubSpot (south)",
            "late",
            NOW - timedelta(days=2),
            "HubSpot (south): no newer figures since Sunday 22 November, 02:30",
        ),
    )


def card(person: str, results: Mapping[str, Result], **more: Any) -> Scorecard:
    """A scorecard of the current quarter."""
    name, title, team, manager = PEOPLE[person]
    about: dict[str, Any] = {
        "working_group": "sales",
        "profile": "Sales",
        "profile_version": "2026-01-01",
        "blocks": (
            "number",
            "pipeline",
            "development",
            "feedback",
            "obstacles",
            "relationships",
            "learning",
            "check_in",
        ),
        "words": {"objective": "objective", "check_in": "check-in"},
        "feedback": FeedbackBlock(0, False, "Nobody has told you anything yet. You can ask somebody you trust."),
        "sources": sources(),
    }
    return Scorecard(
        person_id=person,
        name=name,
        title=title,
        team=team,
        manager=PEOPLE[manager][0] if manager else "",
        period_id=QUARTER,
        period_label="Q4 2026",
        first_day=date(2026, 10, 1),
        end_day=date(2027, 1, 1),
        as_of=TODAY,
        currency="EUR",
        results=results,
        **{**about, **more},
    )


def ana() -> Scorecard:
    """A full page: deals of every kind, an objective that is not shared, released feedback."""
    won = [
        deal(n, "won", cents, date(2026, 10, 6 + n))
        for n, cents in enumerate((41_200_00, 38_500_50, 24_300_00, 20_000_00))
    ]
    opened = [
        deal(
            10 + n,
            "open",
            18_000_00 + n * 2_500_00,
            date(2026, 12, 1 + n),
            flags=("close date passed",) if n == 2 else (),
        )
        for n in range(9)
    ]
    opened[0] = replace(opened[0], share_ppm=600_000, credit_minor=10_800_00)
    opened[1] = replace(opened[1], name=XSS, link="javascript:window.xss=1")
    opened[3] = replace(opened[3], name='=HYPERLINK("https://evil.example";"x")', account="+cmd|' /C calc'!A0")
    opened[4] = replace(opened[4], amount_minor=None, credit_minor=None, flags=("no amount",))
    lost = [deal(30, "lost", 9_000_00, date(2026, 10, 20)), deal(31, "lost", 12_000_00, date(2026, 11, 2))]
    pipeline = sum(d.credit_minor or 0 for d in opened)
    results = {**numbers(124_000_50, 200_000_00, pipeline, 71_300_00), **growth(0.45, "ana")}
    said = {
        "what_happened": "In the Birch Mill call you let the silence work after the price.",
        "effect": "They named their budget themselves.",
        "suggestion": "Do the same earlier, at the first question about scope.",
        "signed_by": "",
        "batch": "2026-10",
    }
    return card(
        "ana",
        results,
        deals=(*won, *opened, *lost),
        objectives=(
            objective(
                "ana",
                "shared",
                "Run a negotiation without a discount",
                "I want to stop giving away margin when it gets quiet.",
                2,
                4,
            ),
            objective("ana", "private", SECRET, "I would like to know whether it suits me.", 1, 3, shared=False),
        ),
        feedback=FeedbackBlock(
            4,
            True,
            "4 people have told you something. What they wrote is below, without names unless they chose so.",
            (
                said,
                {
                    **said,
                    "what_happened": "You came to the handover with questions that the customer had not thought of.",
                },
                {**said, "what_happened": "In the forecast meeting you said early that Cedar Labs would slip."},
                {
                    **said,
                    "what_happened": "The summary you sent after the pilot was clear.",
                    "signed_by": "Ben Example",
                    "effect": "",
                    "suggestion": "",
                },
            ),
            ({"about": "how I open a negotiation", "asked_on": "2026-10", "asked_of": 5, "answered": 4},),
        ),
        check_ins=(
            {
                "status": "planned",
                "planned_on": date(2026, 11, 26),
                "held_on": None,
                "asked_by": "rep",
                "with_name": "Mo Manager",
                "topic": "the Cedar Labs blockade",
            },
            {
                "status": "held",
                "planned_on": date(2026, 11, 10),
                "held_on": date(2026, 11, 10),
                "asked_by": "manager",
                "with_name": "Mo Manager",
                "topic": "negotiation",
            },
        ),
        obstacles=(
            {
                "kind": "process",
                "what": "Legal review takes three weeks",
                "who_can_remove": "Legal",
                "opened_on": date(2026, 10, 12),
                "resolved_on": None,
                "days_open": 43,
            },
        ),
        relationships=(
            {
                "who": "Head of buying, Fjord Foods",
                "why": "decides on the renewal in spring",
                "next_contact": date(2026, 12, 2),
            },
        ),
        learning=(
            {"title": "Negotiation workshop", "due_on": date(2026, 12, 4), "done_on": None, "status": "open"},
            {
                "title": "Read: Never split the difference",
                "due_on": None,
                "done_on": date(2026, 11, 3),
                "status": "done",
            },
        ),
        notes=("1 open deal has no amount.",),
    )


def others() -> list[Scorecard]:
    """Everybody else, each in another situation."""
    learn = objective("ben", "a", "Ask before I answer", "Customers tell me more when I do.", 3, 4)
    return [
        card(
            "ben",
            {**numbers(214_000_00, 200_000_00, 30_000_00, 9_000_00), **growth(0.75, "ben")},
            objectives=(learn,),
            deals=(deal(40, "won", 214_000_00, date(2026, 11, 2)),),
        ),
        card(
            "cleo",
            {**numbers(62_000_00, 180_000_00, 96_000_00, 31_000_00), **growth(0.3, "cleo")},
            objectives=(
                replace(learn, id="cleo-a", progress=figure("objective_progress", "Progress", Unit.RATIO, 0.3)),
            ),
        ),
        card(
            "finn",
            {**numbers(90_000_00, 180_000_00, 310_000_00, 99_000_00), **growth(0.8, "finn")},
            objectives=(
                replace(learn, id="finn-a", progress=figure("objective_progress", "Progress", Unit.RATIO, 0.8)),
            ),
        ),
        card("mo", {**numbers(0, None), **growth(None, "mo")}),
        card(
            "pia",
            growth(0.5, "pia"),
            working_group="office",
            profile="Office",
            sources=(),
            blocks=("development", "feedback", "check_in", "learning", "obstacles", "relationships", "blend"),
            objectives=(
                objective("pia", "a", "Chair the Monday meeting", "People listen when I speak up early.", 1, 3),
            ),
            blend=Blend(
                61.5,
                1.0,
                61.5,
                61.5,
                (
                    Contribution("objective_progress", "Objectives", 50.0, 0.5, 25.0),
                    Contribution("check_in_adherence", "Check-ins held", 73.0, 0.5, 36.5),
                ),
            ),
        ),
    ]
