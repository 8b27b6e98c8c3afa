"""A person's dossier and their word on whether they want to be listed as ready. Pages call it in their transaction."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, select, update

from metrics.readiness import Evidence
from metrics.result import Result
from metrics.scorecard import Scorecard
from models import Dossier, Person, ReadyConsent
from models.base import core, new_id
from web.cards import find_card, stored
from web.objectives import Whole


@dataclass(frozen=True)
class Composed:
    """A dossier with everything its owner chose for it, as of today."""

    role: str
    words: str
    shared: bool
    changed_on: date | None
    periods: tuple[tuple[str, Result | None], ...]  # attainment of each chosen period; None: no such figure
    objectives: tuple[Whole, ...]
    feedback: tuple[Mapping[str, str], ...]


def kept(connection: Connection, person_id: str) -> Any:
    """What a person has put together so far; None when nothing."""
    table = core(Dossier)
    return connection.execute(select(table).where(table.c.person_id == person_id)).first()


def keep(connection: Connection, person_id: str, chosen: Mapping[str, Any], today: date) -> None:
    """Store a dossier as its owner composed it; whether it is shared stays as it was."""
    before = kept(connection, person_id)
    table = core(Dossier)
    connection.execute(delete(table).where(table.c.person_id == person_id))
    row = {"person_id": person_id, "shared": bool(before and before.shared), "changed_on": today, **chosen}
    connection.execute(table.insert(), [row])


def share(connection: Connection, person_id: str, shared: bool) -> None:
    """Show a dossier to those above, or no longer."""
    table = core(Dossier)
    connection.execute(update(table).where(table.c.person_id == person_id).values(shared=shared))


def compose(connection: Connection, person_id: str, own: Sequence[Whole], today: date) -> Composed | None:
    """The dossier of a person; what they have not chosen is not in it."""
    row = kept(connection, person_id)
    if row is None:
        return None
    latest = find_card(connection, person_id, today, None, None)
    figures = [(p, find_card(connection, person_id, today, p, None)) for p in row.periods]
    return Composed(
        row.role,
        row.words,
        bool(row.shared),
        row.changed_on,
        tuple((p, card.results.get("attainment") if card else None) for p, card in figures),
        tuple(w for w in own if w.row.id in set(row.objectives)),
        tuple(item for name, item in replies(latest).items() if name in set(row.feedback)),
    )


def periods(connection: Connection, person_id: str) -> list[str]:
    """The periods that there is a page of, the newest first."""
    return list(dict.fromkeys(period for period, _ in stored(connection, person_id)))


def replies(card: Scorecard | None) -> dict[str, Mapping[str, str]]:
    """The feedback that is released to a person, each under a name made of its words: nothing else tells them apart."""
    items = card.feedback.items if card and card.feedback else ()
    return {hashlib.sha256(repr(sorted(i.items())).encode()).hexdigest()[:16]: i for i in items}


def evidence(own: Sequence[Whole]) -> dict[str, list[Evidence]]:
    """What shows each objective, by its id."""
    return {w.row.id: [Evidence(w.row.title, u.day, u.new_value, u.link) for u in w.evidence] for w in own}


def consents(connection: Connection, person_id: str) -> list[Any]:
    """Every time that a person said they want to be listed, the newest first, withdrawn or not."""
    table = core(ReadyConsent)
    query = select(table).where(table.c.person_id == person_id)
    return list(connection.execute(query.order_by(table.c.given_on.desc(), table.c.id)))


def consent(connection: Connection, person_id: str, role: str, today: date) -> None:
    """A person wants to be listed as ready for a role; said twice it counts once."""
    if not any(c.role == role and c.withdrawn_on is None for c in consents(connection, person_id)):
        row = {"id": new_id(), "person_id": person_id, "role": role, "given_on": today, "withdrawn_on": None}
        connection.execute(core(ReadyConsent).insert(), [row])


def withdraw(connection: Connection, person_id: str, consent_id: str, today: date) -> bool:
    """Take a consent back: from this moment the person is in no list; False when there is none such."""
    table = core(ReadyConsent)
    mine = (table.c.id == consent_id, table.c.person_id == person_id, table.c.withdrawn_on.is_(None))
    return connection.execute(update(table).where(*mine).values(withdrawn_on=today)).rowcount > 0


def ready(connection: Connection, people: Collection[str]) -> list[Any]:
    """Those among these people who want to be listed today: name, role and since when, by name."""
    table, person = core(ReadyConsent).c, core(Person).c
    query = (
        select(person.id, person.name, table.role, table.given_on, core(Dossier).c.shared)
        .join_from(core(ReadyConsent), core(Person), person.id == table.person_id)
        .outerjoin(core(Dossier), core(Dossier).c.person_id == table.person_id)
        .where(table.withdrawn_on.is_(None), table.person_id.in_(people))
    )
    return sorted(connection.execute(query), key=lambda r: (r.name.casefold(), r.role))
