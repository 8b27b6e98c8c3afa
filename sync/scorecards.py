"""Computes scorecards and keeps each as a dated snapshot, for the people that a run touched or who have none yet."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection, Engine, func, or_, select, tuple_, union
from sqlmodel import SQLModel

from metrics.build import cards
from metrics.facts import Facts
from metrics.inputs import OF_OBJECTIVES, pack, pick
from metrics.restatement import restated
from metrics.scorecard import Scorecard
from metrics.serial import dump, parse
from models import (
    CheckIn,
    Deal,
    DealChange,
    DealFieldHistory,
    DealHistory,
    DealSplit,
    Employment,
    Identity,
    Objective,
    Person,
    Quota,
    ReportingLine,
    ScorecardSnapshot,
    SyncRun,
)
from models import Connection as ConnectionRow
from models.base import core, insert_into
from models.frames import FRAMES, load
from models.period import FiscalCalendar, Period, in_force, period_of
from models.profile import Profile
from sync.calendar import ensure_periods
from sync.freshness import sources
from sync.report import Touched

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
    for some in batched(sorted(wanted), AT_ONCE):
        frames = {name: load(engine, name, *_concerning(name, chosen, some)) for name in FRAMES}
        there = frames["people"].loc[frames["people"]["id"].isin(some), "id"]
        facts = Facts(frames, chosen, as_of, currency, pd.Index(sorted(there), dtype="str"), zone.key)
        made = cards(facts, profiles, names, fresh)
        for person, parts in pick(facts):
            card = made[person]
            profile = profiles[card.working_group]
            yield card, pack(parts, card, chosen, profile, names, zone.key)


def conditions(name: str) -> list[Any]:
    """Of the frames that are read whole: a CRM is a connection that has deals, and of runs only the first matters."""
    if name == "crms":
        deal, connection = core(Deal).c, core(ConnectionRow).c
        return [select(deal.external_id).where(deal.connection == connection.name).exists()]
    if name == "runs":
        run = core(SyncRun).c
        return [run.started_at.in_(select(func.min(run.started_at)).group_by(run.connection))]
    return []


OF_DEALS: Mapping[str, tuple[type[SQLModel], str]] = {
    "deals": (Deal, "external_id"),
    "splits": (DealSplit, "deal_external_id"),
    "changes": (DealChange, "external_id"),
    "history": (DealHistory, "deal_external_id"),
    "field_history": (DealFieldHistory, "deal_external_id"),
}
"""Frames that are read for the deals of some people only, and what their rows know the deal by."""


def _concerning(name: str, period: Period, people: Sequence[str]) -> list[Any]:
    """Rows of a frame that figures of these people are made of, found by index however large the table is."""
    table = core(FRAMES[name].table).c
    if name == "deals":
        keys = _deals_of(period, people)
        return [tuple_(table.connection, table.external_id).in_(select(keys.c.connection, keys.c.external_id))]
    if name in OF_DEALS:
        return [table[OF_DEALS[name][1]].in_(select(_deals_of(period, people).c.external_id))]
    if name == "people":  # and whoever is named on their pages: managers, and whom they talked with
        lines, talks = core(ReportingLine).c, core(CheckIn).c
        bosses = select(lines.manager_id).where(lines.person_id.in_(people))
        partners = select(talks.with_person_id).where(talks.person_id.in_(people), talks.with_person_id.is_not(None))
        return [or_(table.id.in_(people), table.id.in_(bosses), table.id.in_(partners))]
    if name in OF_OBJECTIVES:
        goals = core(Objective).c
        return [table.objective_id.in_(select(goals.id).where(goals.person_id.in_(people)))]
    if "person_id" in FRAMES[name].columns:
        return [table.person_id.in_(people)]
    return conditions(name)


def _deals_of(period: Period, people: Sequence[str]) -> Any:
    """The deals behind a period's figures of some people, by connection and id.

    Those are deals that they own, have a share of or once owned, which close in the period, were made in it, were
    there before it and close after it (they may have slipped out of it), or are open past their date.
    """
    deal, split, identity = core(Deal).c, core(DealSplit).c, core(Identity).c
    made = (deal.created_day >= period.first_day) & (deal.created_day < period.end_day)
    before = or_(deal.created_day.is_(None), deal.created_day < period.first_day)
    concerned = or_(
        (deal.close_day >= period.first_day) & (deal.close_day < period.end_day),
        (deal.close_day >= period.end_day) & before,
        (deal.close_day < period.first_day) & (deal.status == "open"),
        made,
    )
    owned = select(deal.connection, deal.external_id).where(deal.person_id.in_(people), concerned)
    shared = select(split.connection, split.deal_external_id).where(split.person_id.in_(people))
    once = []
    for name in ("changes", "history", "field_history"):
        table, key = OF_DEALS[name]
        told = core(table).c
        user = (identity.connection == told.connection) & (identity.external_id == told.old_value)
        left = select(told.connection, told[key]).join_from(core(Identity), core(table), user)
        once.append(left.where(identity.person_id.in_(people), told.field == "owner_external_id"))
    return union(owned, shared, *once).subquery()


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
    spans: Touched | None = None,
) -> int:
    """Bring today's snapshots up to date; answers how many were computed.

    Everybody still employed gets one a day; after that, only the people whom a sync touched are computed again. A
    quarter that closed gets one more for everybody with a number in it, and another whenever that number changes:
    `spans` says whose deals a sync touched, by quarter; None lets closed quarters be, for a change on a page.
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
    for period in _closed_quarters(engine, as_of) if spans is not None else []:
        changed = (spans or {}).get((period.first_day, period.end_day), frozenset())
        with engine.connect() as connection:
            closed = _closed(connection, period)
            fresh = (_concerned(connection, period) - closed) & here if changed or not closed else set[str]()
        again = {*changed} & closed
        if fresh or again:
            done += _keep(engine, (c for c in made(fresh | again, period) if _is_news(engine, c[0], period)), now)
    return done


def _keep(engine: Engine, made: Iterator[tuple[Scorecard, bytes]], now: datetime) -> int:
    """Store scorecards as snapshots of their day, some hundred at a time; answers how many."""
    table, done = core(ScorecardSnapshot), 0
    while some := [_row(card, inputs, now) for card, inputs in islice(made, AT_ONCE)]:
        with engine.begin() as connection:
            fresh = insert_into(connection, table)
            changed = {n: fresh.excluded[n] for n in ("profile", "computed_at", "body", "inputs")}
            keys = ["person_id", "period_id", "as_of"]
            connection.execute(fresh.on_conflict_do_update(index_elements=keys, set_=changed), some)
        done += len(some)
    return done


RESTATED = 4
"""Closed quarters that are kept an eye on: their first page after the end is what they closed with."""


def _closed_quarters(engine: Engine, as_of: date) -> list[Period]:
    table = core(Period)
    over = select(table).where(table.c.kind == "quarter", table.c.end_day <= as_of, in_force())
    with engine.connect() as connection:
        rows = connection.execute(over.order_by(table.c.end_day.desc()).limit(RESTATED)).all()
    return [Period(**row._mapping) for row in rows]


def _closed(connection: Connection, period: Period) -> set[str]:
    """People who have a page of a period that was made after its end."""
    table = core(ScorecardSnapshot).c
    query = select(table.person_id).where(table.period_id == period.id, table.as_of >= period.end_day)
    return set(connection.scalars(query.distinct()))


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


def _is_news(engine: Engine, card: Scorecard, period: Period) -> bool:
    """Whether a closed period's page is its first one, or says another number than the last one did."""
    table = core(ScorecardSnapshot).c
    query = select(table.body).where(table.person_id == card.person_id, table.period_id == period.id)
    with engine.connect() as connection:
        kept = connection.scalars(query.where(table.as_of >= period.end_day).order_by(table.as_of.desc())).first()
    return kept is None or restated(parse(kept), card) is not None


def _made_today(connection: Connection, as_of: date) -> set[str]:
    """People who have a page of this day of a period that runs on it."""
    table, period = core(ScorecardSnapshot).c, core(Period).c
    running = select(period.id).where(period.first_day <= as_of, period.end_day > as_of, in_force())
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
