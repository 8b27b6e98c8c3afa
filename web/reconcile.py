"""Money won in the period as the CRM says it, and every place where it stands here, to the cent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from models import Connection as ConnectionRow
from models import Deal, DealSplit, Person, Reject, SourceTotal
from models.base import core
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


def reconcile(connection: Connection, first: date, end: date, people: Iterable[str]) -> list[Ledger]:
    """The ledgers of the deals won in [first, end), seen from these people."""
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


def people_count(connection: Connection) -> int:
    """How many people are stored at all."""
    return connection.scalar(select(func.count()).select_from(core(Person))) or 0
