"""The team: conversations first, then everybody in the order of the alphabet, and money that adds up to the CRM's."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy import select

from metrics.scorecard import ObjectiveLine, Scorecard, Source
from models import Period
from models.access import Role
from models.base import core
from web import audit, charts
from web.access import Action, can, for_reader
from web.cards import Choice, current_quarter, periods_of, team_cards
from web.charts import ACTIONS, Bullet, Quadrant, quadrant
from web.conversations import Conversation, worth_having
from web.reconcile import Ledger, reconcile
from web.site import NotAllowed, Reader, signed_in

router = APIRouter()

FEWEST_ELSEWHERE = 3
"""A manager sees what the rest of the company won only as the sum of at least so many people."""


@dataclass(frozen=True)
class Member:
    """One line of the team table."""

    person_id: str
    name: str
    title: str
    team: str
    attainment: float | None
    ahead: float | None  # points of attainment before or behind what was due
    to_go_minor: int | None
    coverage: float | None
    objectives: int  # shared ones
    steps_done: int
    steps: int
    progress: float | None  # mean of the shared objectives
    last_check_in: str
    open_obstacles: int
    freshness: str
    why_no_number: str


@dataclass(frozen=True)
class Total:
    """The team as a whole: sums over sums, of the same people."""

    won_minor: int
    quota_minor: int | None
    attainment: float | None
    with_quota: int
    people: int
    won_with_quota: int = 0


@dataclass(frozen=True)
class TeamPage:
    """What the team page shows."""

    period: str
    label: str
    as_of: str
    currency: str
    conversations: Sequence[Conversation]
    members: Sequence[Member]
    bullets: dict[str, Bullet | None]
    quadrant: Quadrant
    actions: Sequence[str]
    total: Total
    ledgers: Sequence[Ledger]
    ledger_note: str
    sources: Sequence[Source]
    uneven: bool  # not everybody's figures are equally fresh
    periods: Sequence[Choice]
    columns: Sequence["Column"]
    sort: str
    backwards: bool
    team: str
    find: str
    teams: Sequence[str]
    everybody: int


@dataclass(frozen=True)
class Column:
    """A heading that sorts."""

    key: str
    label: str
    href: str
    state: str  # for aria-sort: none, ascending, descending


@dataclass(frozen=True)
class Wanted:
    """What the address asks for; the address alone decides the view, so that it can be passed on."""

    period: str = ""
    sort: str = "name"
    order: str = "up"
    team: str = ""
    find: str = ""


def leader(reader: Annotated[Reader, Depends(signed_in)]) -> Reader:
    """Somebody who leads people; others are told whose page this is."""
    if not can(reader.actor, Action.READ_TEAM):
        raise NotAllowed("The team page is for managers and directors, about the people below them.")
    return reader


Leader = Annotated[Reader, Depends(leader)]
SORTS: dict[str, tuple[str, Callable[[Member], Any]]] = {
    "name": ("Name", lambda m: m.name.casefold()),
    "attainment": ("Attainment", lambda m: m.attainment),
    "pace": ("Pace", lambda m: m.ahead),
    "to_go": ("To go", lambda m: m.to_go_minor),
    "coverage": ("Coverage", lambda m: m.coverage),
    "objectives": ("Objectives", lambda m: m.progress),
    "check_in": ("Last check-in", lambda m: m.last_check_in or None),
    "obstacles": ("Obstacles", lambda m: m.open_obstacles),
}


@router.get("/team")
def team(reader: Leader, wanted: Annotated[Wanted, Depends()]) -> HTMLResponse:
    """The page."""
    return reader.html("team.html", "Team", team_page(reader, wanted))


@router.get("/team.json")
def team_json(reader: Leader, wanted: Annotated[Wanted, Depends()]) -> JSONResponse:
    """The same lines for a machine."""
    page = team_page(reader, wanted)
    return JSONResponse(
        {
            "period": page.period if page else None,
            "currency": page.currency if page else reader.site.currency,
            "members": [asdict(m) for m in page.members] if page else [],
            "total": asdict(page.total) if page else None,
            "ledgers": [
                {**asdict(ledger), "total": ledger.total, "difference": ledger.difference}
                for ledger in (page.ledgers if page else ())
            ],
        }
    )


def team_page(reader: Reader, wanted: Wanted) -> TeamPage | None:
    """The team as the address asks for it; None when nothing has been computed for anybody of it."""
    people = reader.actor.reports
    with reader.site.engine.begin() as connection:
        audit.record(connection, reader.actor, "read_team", reader.now, detail={"people": len(people)})
        kept = periods_of(connection, people)
        now = current_quarter(connection, reader.today)
        period = wanted.period if wanted.period in kept else now if now in kept else kept[0] if kept else None
        if period is None:
            return None
        cards = [for_reader(card, reader.actor).card for card in team_cards(connection, people, period)]
        row = connection.execute(select(core(Period)).where(core(Period).c.id == period)).first()
        first, end = (row.first_day, row.end_day) if row else (cards[0].first_day, cards[0].end_day)
        ledgers = reconcile(connection, first, end, people, reader.site.words.zone.key)
    shown = [card for card in cards if _wanted(card, wanted)]
    members = [member(card) for card in shown]
    ledgers, note = _guarded(reader, ledgers)
    key = wanted.sort if wanted.sort in SORTS else "name"
    backwards = wanted.order == "down"
    plan = {c.person_id: charts.value(c, "elapsed") for c in shown}
    placed = [(c, charts.value(c, "pace"), m.progress, plan[c.person_id]) for c, m in zip(shown, members, strict=True)]
    latest = max(cards, key=lambda c: c.as_of)
    return TeamPage(
        period=period,
        label=latest.period_label,
        as_of=reader.site.words.day(latest.as_of),
        currency=latest.currency,
        conversations=worth_having(shown, reader.site.words),
        members=_sorted(members, key, backwards),
        bullets={c.person_id: charts.bullet(c, reader.site.words) for c in shown},
        quadrant=quadrant(placed, reader.site.words),
        actions=ACTIONS,
        total=_total(shown),
        ledgers=ledgers,
        ledger_note=note,
        sources=latest.sources,
        uneven=len({c.sources for c in cards if c.sources}) > 1,
        periods=[Choice(_address(wanted, period=p), p, p == period) for p in kept],
        columns=[_column(wanted, k, label, key, backwards) for k, (label, _) in SORTS.items()],
        sort=key,
        backwards=backwards,
        team=wanted.team,
        find=wanted.find,
        teams=sorted({c.team for c in cards} - {""}),
        everybody=len(cards),
    )


def _wanted(card: Scorecard, wanted: Wanted) -> bool:
    return (not wanted.team or card.team == wanted.team) and wanted.find.casefold() in card.name.casefold()


def member(card: Scorecard) -> Member:
    """A scorecard as one line."""
    gap, attainment = charts.value(card, "gap"), card.results.get("attainment")
    steps = [charts.steps(o) for o in card.objectives]
    held = [str(c["held_on"])[:10] for c in card.check_ins if c.get("status") == "held" and c.get("held_on")]
    return Member(
        person_id=card.person_id,
        name=card.name,
        title=card.title,
        team=card.team,
        attainment=charts.value(card, "attainment"),
        ahead=charts.ahead(card),
        to_go_minor=None if gap is None else int(gap),
        coverage=charts.value(card, "coverage"),
        objectives=len(card.objectives),
        steps_done=sum(s.done for s in steps),
        steps=sum(s.total for s in steps),
        progress=_progress(card.objectives),
        last_check_in=max(held, default=""),
        open_obstacles=sum(1 for o in card.obstacles if not o.get("resolved_on")),
        freshness=" ".join(s.sentence for s in card.sources if s.state != "fresh"),
        why_no_number=attainment.reason if attainment is not None and attainment.value is None else "",
    )


def _progress(objectives: Sequence[ObjectiveLine]) -> float | None:
    known = [float(o.progress.value) for o in objectives if o.progress.value is not None]
    return sum(known) / len(known) if known else None


def _total(cards: Sequence[Scorecard]) -> Total:
    won = sum(int(charts.value(c, "bookings") or 0) for c in cards)
    both = [c for c in cards if charts.value(c, "quota") and charts.value(c, "bookings") is not None]
    quota = sum(int(charts.value(c, "quota") or 0) for c in both)
    theirs = sum(int(charts.value(c, "bookings") or 0) for c in both)
    return Total(won, quota or None, theirs / quota if quota else None, len(both), len(cards), theirs)


def _guarded(reader: Reader, ledgers: list[Ledger]) -> tuple[list[Ledger], str]:
    if reader.actor.role == Role.DIRECTOR or all(
        not ledger.elsewhere_people or ledger.elsewhere_people >= FEWEST_ELSEWHERE for ledger in ledgers
    ):
        return ledgers, ""
    few = f"fewer than {FEWEST_ELSEWHERE} people outside your team have won deals there, and their number is theirs"
    return [], f"The comparison with the CRM is on the director's page: {few}."


def _sorted(members: Sequence[Member], key: str, backwards: bool) -> list[Member]:
    value = SORTS[key][1]
    by_name = sorted(members, key=lambda m: (m.name.casefold(), m.person_id))
    known = sorted((m for m in by_name if value(m) is not None), key=value, reverse=backwards)
    return known + [m for m in by_name if value(m) is None]


def _address(wanted: Wanted, **changes: str) -> str:
    asked = {**asdict(wanted), **changes}
    usual = asdict(Wanted())
    query = urlencode({k: v for k, v in asked.items() if v != usual[k]})
    return f"/team?{query}" if query else "/team"


def _column(wanted: Wanted, key: str, label: str, sort: str, backwards: bool) -> Column:
    here = key == sort
    href = _address(wanted, sort=key, order="down" if here and not backwards else "up")
    return Column(key, label, href, ("descending" if backwards else "ascending") if here else "none")
