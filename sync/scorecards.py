"""Computes scorecards and keeps each as a dated snapshot, for the people that a run touched or who have none yet."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection, Engine, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from metrics.build import cards
from metrics.facts import Facts
from metrics.inputs import pack, pick
from metrics.scorecard import Scorecard
from metrics.serial import dump
from models import Connection as ConnectionRow
from models import (
    Deal,
    DealChange,
    DealFieldHistory,
    DealHistory,
    DealSplit,
    Employment,
    Identity,
    Person,
    ScorecardSnapshot,
)
from models.base import core
from models.frames import FRAMES, load
from models.period import FiscalCalendar, Period, period_of
from models.profile import Profile
from sync.freshness import sources
from sync.money import ensure_periods

AT_ONCE = 100
"""People whose scorecards are computed and stored together."""


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
) -> Iterator[tuple[Scorecard, bytes]]:
    """Scorecards for the quarter that `as_of` lies in, or for `period`, in the order of person ids; nothing is stored.

    With each comes what it was made of, packed: metrics.inputs.

    They are computed for some hundred people at a time, so that memory does not grow with the company.
    """
    with engine.begin() as connection:
        periods = ensure_periods(connection, calendar, pd.Series([pd.Timestamp(as_of)]))
        rows = connection.execute(select(core(ConnectionRow))).all()
        fresh = sources(connection, now, zone)
        wanted = people if people is not None else set(connection.scalars(select(core(Person).c.id)))
    chosen = period or period_of(periods, as_of)
    names = {row.name: {"title": row.title or row.name, "deal_link": row.deal_link} for row in rows}
    common = {name: load(engine, name, *conditions(name)) for name in FRAMES if name not in OF_DEALS}
    for some in batched(sorted(wanted), AT_ONCE):
        frames = {**common, **{name: load(engine, name, *_of_deals(name, chosen, some)) for name in OF_DEALS}}
        there = frames["people"].loc[frames["people"]["id"].isin(some), "id"]
        facts = Facts(frames, chosen, as_of, currency, pd.Index(sorted(there), dtype="str"), zone.key)
        made, parts = cards(facts, profiles, names, fresh), pick(facts)
        for person, card in made.items():
            profile = profiles[card.working_group]
            yield card, pack(parts[person], card, chosen, profile, names, zone.key)


def conditions(name: str) -> list[Any]:
    """Of the frames that are read whole: a CRM is a connection that has deals."""
    deal, connection = core(Deal).c, core(ConnectionRow).c
    with_deals = select(deal.external_id).where(deal.connection == connection.name).exists()
    return [with_deals] if name == "crms" else []


OF_DEALS: Mapping[str, tuple[type[SQLModel], str]] = {
    "deals": (Deal, "external_id"),
    "changes": (DealChange, "external_id"),
    "history": (DealHistory, "deal_external_id"),
    "field_history": (DealFieldHistory, "deal_external_id"),
}
"""Frames that are read for the deals of some people only, and what their rows know the deal by."""


def _of_deals(name: str, period: Period, people: Sequence[str]) -> list[Any]:
    """Rows about the deals that a period's figures of these people are made of.

    Those are deals that they own, have a share of or once owned, which are open, close in the period or later, or
    were made in it: a deal that slipped or was handed on is still part of how the period went.
    """
    table, key = OF_DEALS[name]
    rows, deal = core(table).c, core(Deal).c
    if table is not Deal:
        same = (deal.connection == rows.connection, deal.external_id == rows[key])
        return [select(deal.external_id).where(*same, *_of_deals("deals", period, people)).exists()]
    split, identity = core(DealSplit).c, core(Identity).c
    shared = (split.connection == deal.connection, split.deal_external_id == deal.external_id)
    share = select(split.external_id).where(*shared, split.person_id.in_(people)).exists()
    once = [
        select(core(told).c.connection)
        .join(core(Identity), (identity.connection == core(told).c.connection))
        .where(core(told).c.connection == deal.connection, core(told).c[told_key] == deal.external_id)
        .where(core(told).c.field == "owner_external_id", identity.external_id == core(told).c.old_value)
        .where(identity.person_id.in_(people))
        .exists()
        for told, told_key in (OF_DEALS[n] for n in ("changes", "history", "field_history"))
    ]
    made = (deal.created_day >= period.first_day) & (deal.created_day < period.end_day)
    concerned = or_(deal.close_day >= period.first_day, deal.status == "open", made)
    return [concerned, or_(deal.person_id.in_(people), share, *once)]


def batched(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Some at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


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
    fresh_ones = scorecards(
        engine, profiles, currency=currency, calendar=calendar, zone=zone, as_of=as_of, now=now, people=wanted
    )
    done = 0
    while some := [_row(card, inputs, now) for card, inputs in islice(fresh_ones, AT_ONCE)]:
        with engine.begin() as connection:
            insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
            fresh = insert(table)
            changed = {n: fresh.excluded[n] for n in ("profile", "computed_at", "body", "inputs")}
            keys = ["person_id", "period_id", "as_of"]
            connection.execute(fresh.on_conflict_do_update(index_elements=keys, set_=changed), some)
        done += len(some)
    return done


def _row(card: Scorecard, inputs: bytes, now: datetime) -> dict[str, Any]:
    return {
        "person_id": card.person_id,
        "period_id": card.period_id,
        "as_of": card.as_of,
        "profile": f"{card.working_group} {card.profile_version}",
        "computed_at": now,
        "body": dump(card),
        "inputs": inputs,
    }


def _gone(connection: Connection, as_of: date) -> set[str]:
    """People whose every stay has ended: their deals stay in totals, but nobody computes a page for them."""
    table = core(Employment)
    rows = connection.execute(select(table)).all()
    stays: dict[str, bool] = {}
    for row in rows:
        still = row.left_on is None or row.left_on > as_of
        stays[row.person_id] = stays.get(row.person_id, False) or still
    return {person for person, still in stays.items() if not still}
