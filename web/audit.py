"""The log of who opened a person's page; the person concerned can read it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from models import Account, AuditEvent, Person
from models.access import Role
from models.base import core
from web.access import LEADS, Actor, managers_of

SHOWN = timedelta(days=90)


@dataclass(frozen=True)
class Look:
    """Somebody opened the page: who, how often and when last."""

    who: str
    times: int
    last: datetime


def record(
    connection: Connection,
    actor: Actor | None,
    action: str,
    now: datetime,
    person_id: str | None = None,
    subject: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    """Write down who did what. In the caller's transaction: a read that is not written down does not happen."""
    event = {
        "at": now,
        "account_id": actor.account_id if actor else None,
        "actor": actor.role if actor else "",
        "action": action,
        "subject_person_id": person_id,
        "subject": subject,
        "detail": detail or {},
    }
    connection.execute(core(AuditEvent).insert(), [event])


def looks(connection: Connection, person_id: str, now: datetime) -> list[Look]:
    """Who opened this person's page in the last 90 days, other than the person; the latest first."""
    events, accounts, people = core(AuditEvent).c, core(Account).c, core(Person).c
    last = func.max(events.at).label("last")
    query = (
        select(people.name, accounts.email, events.actor, func.count().label("times"), last)
        .select_from(core(AuditEvent))
        .outerjoin(core(Account), accounts.id == events.account_id)
        .outerjoin(core(Person), people.id == accounts.person_id)
        .where(events.subject_person_id == person_id, events.at >= now - SHOWN)
        .where(events.action == "read_scorecard", (accounts.person_id.is_(None)) | (accounts.person_id != person_id))
        .group_by(people.name, accounts.email, events.actor)
        .order_by(last.desc())
    )
    return [
        Look(f"{row.name or row.email or 'somebody'} ({row.actor})", row.times, row.last)
        for row in connection.execute(query)
    ]


def onlookers(connection: Connection, person_id: str, now: datetime) -> list[str]:
    """Who can open this person's page today besides the person, by name and role."""
    above = managers_of(connection, person_id, now.date())
    if not above:
        return []
    accounts, people = core(Account).c, core(Person).c
    query = (
        select(people.name, accounts.role)
        .join_from(core(Account), core(Person), people.id == accounts.person_id)
        .where(accounts.person_id.in_(above), accounts.role.in_([str(r) for r in LEADS]))
        .where(accounts.disabled.is_(False))
        .order_by(people.name)
    )
    return [f"{row.name} ({Role(row.role).value})" for row in connection.execute(query)]
