"""Money won in the period as the CRM says it, and every place where it stands here, to the cent."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from metrics.history import owner_at_close, owner_moves
from models import Connection as ConnectionRow
from models import Deal, DealSplit, Person, Reject, SourceTotal
from models.base import core
from models.frames import load, rows
from models.money import share


@dataclass
class Ledger:
    """One connection and currency: where its won money stands, and what the CRM itself says."""

    connection: str
    title: str
    currency: str
    here: int = 0  # credited to people of this view
    elsewhere: int = 0  # credited to other people
    elsewhere_people: int = 0
    unmatched: int = 0  # an owner whom nobody has been matched to
    uncredited: int = 0  # left over by splits, or no owner
    rejected: int = 0
    said: int | None = None
    how: str = ""

    @property
    def total(self) -> int:
        """All of it as we hold it."""
        return self.here + self.elsewhere + self.unmatched + self.uncredited + self.rejected

    @property
    def difference(self) -> int | None:
        """The CRM's own total less ours; None when the CRM has not been asked."""
        return None if self.said is None else self.said - self.total


def reconcile(connection: Connection, first: date, end: date, people: Iterable[str], zone: str = "UTC") -> list[Ledger]:
    """The ledgers of the deals won in [first, end), seen from these people; a deal is its owner's at the close date."""
    members, others = frozenset(people), dict[tuple[str, str], set[str]]()
    titles = {r.name: r.title or r.name for r in connection.execute(select(core(ConnectionRow)))}
    ledgers: dict[tuple[str, str], Ledger] = {}

    def ledger(name: str, currency: str | None) -> Ledger:
        key = (name, currency or "")
        return ledgers.setdefault(key, Ledger(name, titles.get(name, name), currency or ""))

    def credit(found: Ledger, person: str | None, owner: str | None, minor: int) -> None:
        if person in members:
            found.here += minor
        elif person is not None:
            found.elsewhere += minor
            others.setdefault((found.connection, found.currency), set()).add(person)
        elif owner is not None:
            found.unmatched += minor
        else:
            found.uncredited += minor

    deals, splits = core(Deal).c, core(DealSplit).c
    won = (deals.status == "won", deals.removed_at.is_(None), deals.close_day >= first, deals.close_day < end)
    revenue = (splits.overlay.is_(False), splits.removed_at.is_(None))
    divided = select(splits.deal_external_id).where(splits.connection == deals.connection, *revenue)
    whole = (
        select(deals.connection, deals.currency, deals.person_id, func.sum(deals.amount_minor).label("minor"))
        .add_columns(func.max(deals.owner_external_id).label("owner"))
        .where(*won, deals.external_id.not_in(divided))
        .group_by(deals.connection, deals.currency, deals.person_id, deals.owner_external_id.is_(None))
    )
    for row in connection.execute(whole):
        credit(ledger(row.connection, row.currency), row.person_id, row.owner, int(row.minor or 0))
    shared: dict[tuple[str, str], list[tuple[str | None, str | None, int]]] = {}
    amounts: dict[tuple[str, str], tuple[str | None, int]] = {}
    parts = (
        select(deals.connection, deals.external_id, deals.currency, deals.amount_minor)
        .add_columns(splits.person_id.label("person"), splits.owner_external_id.label("owner"), splits.share_ppm)
        .join_from(
            core(Deal),
            core(DealSplit),
            (splits.connection == deals.connection) & (splits.deal_external_id == deals.external_id),
        )
        .where(*won, *revenue)
        .order_by(deals.connection, deals.external_id, splits.external_id)
    )
    for row in connection.execute(parts):
        key = (row.connection, row.external_id)
        amounts[key] = (row.currency, int(row.amount_minor or 0))
        shared.setdefault(key, []).append((row.person, row.owner, row.share_ppm))
    for key, owners in shared.items():
        currency, minor = amounts[key]
        found = ledger(key[0], currency)
        *credited, rest = share(minor, [ppm for _, _, ppm in owners])
        for (person, owner, _), part in zip(owners, credited, strict=True):
            credit(found, person, owner, part)
        found.uncredited += rest
    for row, now in _handed_on(connection, first, end, zone):
        if (row.connection, row.external_id) not in shared:
            found = ledger(row.connection, row.currency)
            credit(found, now.person_id, now.owner_external_id, -int(row.amount_minor))
            credit(found, row.person_id, row.owner_external_id, int(row.amount_minor))
    rejects = core(Reject).c
    lost = select(rejects.connection, rejects.currency, func.sum(rejects.amount_minor).label("minor")).where(
        rejects.stream == "deals", rejects.status == "won", rejects.close_day >= first, rejects.close_day < end
    )
    for row in connection.execute(lost.group_by(rejects.connection, rejects.currency)):
        ledger(row.connection, row.currency).rejected += int(row.minor or 0)
    totals = core(SourceTotal).c
    asked = select(totals.connection, totals.currency, totals.amount_minor, totals.how).where(
        totals.first_day == first, totals.end_day == end, totals.status == "won"
    )
    for row in connection.execute(asked):
        if row.amount_minor is not None:
            found = ledger(row.connection, row.currency)
            found.said, found.how = row.amount_minor, row.how
    for key, somebody in others.items():
        ledgers[key].elsewhere_people = len(somebody)
    return [ledgers[key] for key in sorted(ledgers) if ledgers[key].total or ledgers[key].said]


def _handed_on(connection: Connection, first: date, end: date, zone: str) -> Iterator[tuple[Any, Any]]:
    """Won deals that changed hands after they closed: as of the close date, and as they stand today."""
    told = owner_moves(connection.engine, zone)
    told = told[told["at"] >= pd.Timestamp(first)]
    if told.empty:
        return
    table = core(Deal).c
    inside = (table.status == "won", table.close_day >= first, table.close_day < end)
    named = (table.amount_minor.is_not(None), table.external_id.in_(sorted(set(told["deal"]))))
    deals = load(connection.engine, "deals", *inside, *named)
    then = owner_at_close(deals, told, load(connection.engine, "identities"))
    blank = then.assign(person_id=then["person_id"].astype("object").where(then["person_id"].notna(), None))
    for was, now in zip(rows(blank), rows(deals), strict=True):
        if was.owner_external_id != now.owner_external_id:
            yield was, now._replace(person_id=None if now.person_id != now.person_id else now.person_id)


def people_count(connection: Connection) -> int:
    """How many people are stored at all."""
    return connection.scalar(select(func.count()).select_from(core(Person))) or 0
