"""Stored scorecards: which there are of a person, the one asked for, and everybody's latest for the team."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection, and_, func, select

from metrics.scorecard import Scorecard
from metrics.serial import parse
from models import Objective, Obstacle, Period, ScorecardSnapshot
from models.base import core
from models.period import in_force


@dataclass(frozen=True)
class Choice:
    """A period or a day that can be opened instead."""

    href: str
    text: str
    here: bool


def current_quarter(connection: Connection, day: date) -> str | None:
    """The id of the quarter that a day lies in, when it is stored."""
    table = core(Period).c
    query = select(table.id).where(table.kind == "quarter", table.first_day <= day, table.end_day > day)
    return connection.scalars(query.where(in_force())).first()


def find_card(
    connection: Connection, person_id: str, today: date, period: str | None, as_of: date | None
) -> Scorecard | None:
    """The scorecard asked for; otherwise the newest of the current quarter, or of the last quarter that has one."""
    table = core(ScorecardSnapshot).c
    query = (
        select(table.body)
        .where(table.person_id == person_id)
        .order_by(table.as_of.desc(), table.period_id.desc())
        .limit(1)
    )
    if as_of is not None:
        query = query.where(table.as_of == as_of)
    wanted = period or current_quarter(connection, as_of or today)
    body = None
    if wanted:
        body = connection.scalars(query.where(table.period_id == wanted)).first()
    if body is None and period is None:
        body = connection.scalars(query).first()
    return None if body is None else as_shared_now(connection, [parse(body)])[0]


def as_shared_now(connection: Connection, cards: Sequence[Scorecard]) -> list[Scorecard]:
    """Cards with today's word on what is shared: taken back, a thing is gone from pages of earlier days too."""
    people = [card.person_id for card in cards]
    hidden: set[str] = set()
    for table in (core(Objective).c, core(Obstacle).c):
        hidden |= set(connection.scalars(select(table.id).where(table.person_id.in_(people), table.shared.is_(False))))
    return [_hiding(card, hidden) for card in cards] if hidden else list(cards)


def _hiding(card: Scorecard, hidden: set[str]) -> Scorecard:
    return replace(
        card,
        objectives=tuple(replace(o, shared=o.shared and o.id not in hidden) for o in card.objectives),
        obstacles=tuple({**o, "shared": False} if o.get("id") in hidden else o for o in card.obstacles),
    )


def stored(connection: Connection, person_id: str) -> list[tuple[str, date]]:
    """(period, day) of every stored scorecard of a person, the newest first."""
    table = core(ScorecardSnapshot).c
    query = select(table.period_id, table.as_of).where(table.person_id == person_id)
    query = query.order_by(table.as_of.desc(), table.period_id.desc())
    return [(row.period_id, row.as_of) for row in connection.execute(query)]


def kept_inputs(connection: Connection, person_id: str, period: str | None, as_of: date | None) -> bytes | None:
    """What the newest page that fits was made of, packed; None when there is none or it was not kept."""
    table = core(ScorecardSnapshot).c
    query = select(table.inputs).where(table.person_id == person_id, table.inputs.is_not(None))
    if period:
        query = query.where(table.period_id == period)
    if as_of:
        query = query.where(table.as_of == as_of)
    return connection.scalars(query.order_by(table.as_of.desc(), table.period_id.desc())).first()


def closing_card(connection: Connection, card: Scorecard) -> Scorecard | None:
    """What a closed period closed with: its first page of a day after its end."""
    table = core(ScorecardSnapshot).c
    query = select(table.body).where(table.person_id == card.person_id, table.period_id == card.period_id)
    body = connection.scalars(query.where(table.as_of >= card.end_day).order_by(table.as_of)).first()
    return None if body is None else parse(body)


def periods_of(connection: Connection, people: Iterable[str]) -> list[str]:
    """The periods for which any of these people has a scorecard, the newest first."""
    table = core(ScorecardSnapshot).c
    newest = func.max(table.as_of)
    query = select(table.period_id).where(table.person_id.in_(list(people))).group_by(table.period_id)
    return list(connection.scalars(query.order_by(newest.desc(), table.period_id.desc())))


def team_cards(connection: Connection, people: frozenset[str], period: str) -> list[Scorecard]:
    """The latest scorecard of each of these people for one period, by name."""
    table = core(ScorecardSnapshot).c
    latest = (
        select(table.person_id, func.max(table.as_of).label("as_of"))
        .where(table.person_id.in_(people), table.period_id == period)
        .group_by(table.person_id)
        .subquery()
    )
    newest = and_(table.person_id == latest.c.person_id, table.as_of == latest.c.as_of, table.period_id == period)
    bodies = connection.scalars(select(table.body).join_from(core(ScorecardSnapshot), latest, newest))
    cards = as_shared_now(connection, [parse(body) for body in bodies])
    return sorted(cards, key=lambda card: (card.name.casefold(), card.person_id))
