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
from metrics.restatement import restated
from metrics.scorecard import Scorecard
from metrics.serial import dump, parse
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
    Quota,
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
        made = cards(facts, profiles, names, fresh)
        for person, parts in pick(facts):
            card = made[person]
            profile = profiles[card.working_group]
            yield card, pack(parts, card, chosen, profile, names, zone.key)


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

    Everybody still employed gets one a day; after that, only the people whom a sync touched are computed again. A
    quarter that closed gets one more for everybody with a number in it, and another whenever that number changes.
    """
    with engine.connect() as connection:
        have = _made_today(connection, as_of)
        here = set(connection.scalars(select(core(Person).c.id))) - _gone(connection, as_of)
    wanted = (here - have) | (touched & here)

    def made(people: set[str], period: Period | None) -> Iterator[tuple[Scorecard, bytes]]:
        return scorecards(
            engine, profiles, currency=currency, calendar=calendar, zone=zone, as_of=as_of, now=now, people=people,
            period=period,
        )  # fmt: skip

    done = _keep(engine, made(wanted, None), now) if wanted else 0
    for period in _closed_quarters(engine, as_of):
        with engine.connect() as connection:
            latest = _latest(connection, period)
            fresh = (_concerned(connection, period) - set(latest)) & here
        again = touched & set(latest)
        if fresh or again:
            done += _keep(engine, (c for c in made(fresh | again, period) if _is_news(c[0], latest)), now)
    return done


def _keep(engine: Engine, made: Iterator[tuple[Scorecard, bytes]], now: datetime) -> int:
    """Store scorecards as snapshots of their day, some hundred at a time; answers how many."""
    table, done = core(ScorecardSnapshot), 0
    while some := [_row(card, inputs, now) for card, inputs in islice(made, AT_ONCE)]:
        with engine.begin() as connection:
            insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
            fresh = insert(table)
            changed = {n: fresh.excluded[n] for n in ("profile", "computed_at", "body", "inputs")}
            keys = ["person_id", "period_id", "as_of"]
            connection.execute(fresh.on_conflict_do_update(index_elements=keys, set_=changed), some)
        done += len(some)
    return done


RESTATED = 4
"""Closed quarters that are kept an eye on: their first page after the end is what they closed with."""


def _closed_quarters(engine: Engine, as_of: date) -> list[Period]:
    table = core(Period)
    over = select(table).where(table.c.kind == "quarter", table.c.end_day <= as_of)
    with engine.connect() as connection:
        rows = connection.execute(over.order_by(table.c.end_day.desc()).limit(RESTATED)).all()
    return [Period(**row._mapping) for row in rows]


def _latest(connection: Connection, period: Period) -> dict[str, str]:
    """By person, the last page of a period that was made after its end."""
    table = core(ScorecardSnapshot).c
    query = select(table.person_id, table.body).where(table.period_id == period.id, table.as_of >= period.end_day)
    return {row.person_id: row.body for row in connection.execute(query.order_by(table.as_of))}


def _concerned(connection: Connection, period: Period) -> set[str]:
    """People with a deal or a quota in a period: the others have no number in it to close with."""
    deal, share, quota = core(Deal).c, core(DealSplit).c, core(Quota).c
    inside = (deal.close_day >= period.first_day, deal.close_day < period.end_day, deal.removed_at.is_(None))
    owned = select(deal.person_id).where(*inside)
    same = (share.connection == deal.connection) & (share.deal_external_id == deal.external_id)
    shared = select(share.person_id).join_from(core(DealSplit), core(Deal), same).where(*inside)
    asked = select(quota.person_id).where(quota.first_day < period.end_day, quota.end_day > period.first_day)
    found = {*connection.scalars(owned), *connection.scalars(shared), *connection.scalars(asked)}
    return {person for person in found if person is not None}


def _is_news(card: Scorecard, latest: Mapping[str, str]) -> bool:
    """Whether a closed period's page is its first one, or says another number than the last one did."""
    kept = latest.get(card.person_id)
    return kept is None or restated(parse(kept), card) is not None


def _made_today(connection: Connection, as_of: date) -> set[str]:
    """People who have a page of this day of a period that runs on it."""
    table, period = core(ScorecardSnapshot).c, core(Period).c
    running = select(period.id).where(period.first_day <= as_of, period.end_day > as_of)
    query = select(table.person_id).where(table.as_of == as_of, table.period_id.in_(running))
    return set(connection.scalars(query))


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
