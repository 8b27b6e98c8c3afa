"""Computes scorecards and keeps each as a dated snapshot, for the people that a run touched or who have none yet."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects import postgresql, sqlite

from metrics.build import build
from metrics.scorecard import Scorecard
from metrics.serial import dump
from models import Connection as ConnectionRow
from models import Deal, Employment, Person, ScorecardSnapshot
from models.base import core
from models.frames import FRAMES, load
from models.period import FiscalCalendar, Period, period_of
from models.profile import Profile
from sync.freshness import sources
from sync.money import ensure_periods


def scorecards(
    engine: Engine,
    profiles: Mapping[str, Profile],
    *,
    currency: str,
    calendar: FiscalCalendar,
    zone: ZoneInfo,
    as_of: date,
    now: datetime,
    people: set[str] | None = None,
    period: Period | None = None,
) -> dict[str, Scorecard]:
    """Scorecards by person id for the quarter that `as_of` lies in, or for `period`; nothing is stored."""
    with engine.begin() as connection:
        periods = ensure_periods(connection, calendar, pd.Series([pd.Timestamp(as_of)]))
        rows = connection.execute(select(core(ConnectionRow))).all()
        fresh = sources(connection, now, zone)
    chosen = period or period_of(periods, as_of)
    frames = _frames(engine, chosen)
    names = {row.name: {"title": row.title or row.name, "deal_link": row.deal_link} for row in rows}
    return build(
        frames,
        chosen,
        as_of,
        profiles,
        currency=currency,
        names=names,
        sources=fresh,
        people=None if people is None else sorted(people),
    )


def _frames(engine: Engine, period: Period) -> dict[str, pd.DataFrame]:
    """Everything that figures of a period are made of: of deals, those that close in it, so that memory stays flat."""
    deal, connection = core(Deal).c, core(ConnectionRow).c
    conditions: dict[str, list[Any]] = {
        "crms": [select(deal.external_id).where(deal.connection == connection.name).exists()],
        "deals": [deal.close_day >= period.first_day, deal.close_day < period.end_day],
    }
    return {name: load(engine, name, *conditions.get(name, ())) for name in FRAMES}


def refresh(
    engine: Engine,
    profiles: Mapping[str, Profile],
    touched: set[str],
    *,
    currency: str,
    calendar: FiscalCalendar,
    zone: ZoneInfo,
    as_of: date,
    now: datetime,
) -> int:
    """Bring today's snapshots up to date; answers how many were computed.

    Everybody still employed gets one a day; after that, only the people whom a sync touched are computed again.
    """
    table = core(ScorecardSnapshot)
    with engine.connect() as connection:
        have = set(connection.scalars(select(table.c.person_id).where(table.c.as_of == as_of)))
        here = set(connection.scalars(select(core(Person).c.id))) - _gone(connection, as_of)
    wanted = (here - have) | (touched & here)
    if not wanted:
        return 0
    cards = scorecards(
        engine, profiles, currency=currency, calendar=calendar, zone=zone, as_of=as_of, now=now, people=wanted
    )
    rows = [
        {
            "person_id": person,
            "period_id": card.period_id,
            "as_of": as_of,
            "profile": f"{card.working_group} {card.profile_version}",
            "computed_at": now,
            "body": dump(card),
        }
        for person, card in cards.items()
    ]
    if rows:
        with engine.begin() as connection:
            insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
            fresh = insert(table)
            changed = {n: fresh.excluded[n] for n in ("profile", "computed_at", "body")}
            keys = ["person_id", "period_id", "as_of"]
            connection.execute(fresh.on_conflict_do_update(index_elements=keys, set_=changed), rows)
    return len(rows)


def _gone(connection: Connection, as_of: date) -> set[str]:
    """People whose every stay has ended: their deals stay in totals, but nobody computes a page for them."""
    table = core(Employment)
    rows = connection.execute(select(table)).all()
    stays: dict[str, bool] = {}
    for row in rows:
        still = row.left_on is None or row.left_on > as_of
        stays[row.person_id] = stays.get(row.person_id, False) or still
    return {person for person, still in stays.items() if not still}
