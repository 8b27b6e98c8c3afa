"""Who a user of an outside system is: by employee id, then by e-mail; where a connection may, as a new person.

Matching is exact. Two people with one e-mail match neither: their users wait as unmatched until a person decides.
"""

from collections import Counter
from typing import Any

import pandas as pd
from sqlalchemy import Connection, select, update

from models import ActivityCount, Deal, DealSplit, Identity, Person, Quota, TerritoryMember
from models.base import core, new_id
from models.frames import rows as each
from models.identity import IdentityState
from sync.rules import Rules


class Roster:
    """Everybody stored, findable by employee id, e-mail (case does not count), name, or a connection's own id."""

    def __init__(self, connection: Connection) -> None:
        people = connection.execute(select(core(Person))).all()
        self.by_employee = {p.employee_id: p.id for p in people if p.employee_id}
        self.by_email = _unique([(p.email.strip().lower(), p.id) for p in people if p.email])
        self.by_name = _unique([(p.name.strip().lower(), p.id) for p in people])
        self.names = {p.id: p.name for p in people}

    def match(self, employee_id: str | None, email: str | None) -> tuple[str | None, str]:
        """The person and how they were found; (None, "") when nobody is certain."""
        if employee_id and employee_id in self.by_employee:
            return self.by_employee[employee_id], "employee id"
        if email and email.strip().lower() in self.by_email:
            return self.by_email[email.strip().lower()], "e-mail"
        return None, ""

    def add(self, person_id: str, employee_id: str | None, email: str | None, name: str) -> None:
        """Remember a person made in this run."""
        self.names[person_id] = name
        if employee_id:
            self.by_employee[employee_id] = person_id
        if email:
            self.by_email.setdefault(email.strip().lower(), person_id)
        self.by_name.setdefault(name.strip().lower(), person_id)

    def find(self, reference: str, aliases: dict[str, str]) -> str | None:
        """The person a spreadsheet means by an employee id, an e-mail, its own id for them, or a full name."""
        word = reference.strip()
        return (
            self.by_employee.get(word)
            or self.by_email.get(word.lower())
            or aliases.get(word)
            or self.by_name.get(word.lower())
        )


def _unique(pairs: list[tuple[str, str]]) -> dict[str, str]:
    times = Counter(key for key, _ in pairs)
    return {key: value for key, value in pairs if times[key] == 1}


def aliases(connection: Connection, source: str) -> dict[str, str]:
    """A connection's own ids of people, for those that are matched."""
    identity = core(Identity).c
    here = (identity.connection == source, identity.state == IdentityState.MATCHED)
    rows = connection.execute(select(identity.external_id, identity.person_id).where(*here))
    return {row.external_id: row.person_id for row in rows if row.person_id}


def resolve(connection: Connection, source: str, drafts: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Add person_id, state and matched_by to a batch of users; makes people where the connection may create them.

    What a person decided by hand (matched_by "hand", or state ignored) is never changed by a sync.
    """
    roster = Roster(connection)
    before_now = connection.execute(select(core(Identity)).where(core(Identity).c.connection == source))
    stored = {row.external_id: row for row in before_now}
    here = drafts[drafts["active"].astype("boolean").fillna(True)] if "active" in drafts else drafts
    times = Counter(str(e).strip().lower() for e in here["email"].dropna())
    people: list[dict[str, Any]] = []
    found: list[tuple[str | None, str, str]] = []
    for row in each(drafts):
        before = stored.get(row.external_id)
        if before is not None and (before.matched_by == "hand" or before.state == IdentityState.IGNORED):
            found.append((before.person_id, before.state, before.matched_by))
            continue
        employee, email, name = _text(row.employee_id), _text(row.email), _text(row.name) or str(row.external_id)
        # A mailbox that several share now is nobody in particular; one that a former user had too is one person who
        # came back, and so is one that a source lists with one employee id.
        shared = email is not None and times[email.lower()] > 1 and employee is None and rules.people == "create"
        person, how = roster.match(employee, None if shared else email)
        if person is None and before is not None and before.person_id:
            person, how = before.person_id, before.matched_by  # their e-mail changed since; they did not
        somebody = pd.isna(row.is_person) or bool(row.is_person)
        if person is None and somebody and rules.people == "create":
            person, how = new_id(), "created"
            known = {"employee_id": employee, "name": name, "email": email, "title": _text(row.title) or ""}
            people.append({"id": person, **known, "source": source})
            roster.add(person, employee, email, name)
        if before is not None and person == before.person_id and before.matched_by:
            how = before.matched_by  # how they were found the first time
        state = IdentityState.MATCHED if person else IdentityState.UNMATCHED
        found.append((person, str(state), how))
    if people:
        connection.execute(core(Person).insert(), people)
    answer = drafts.copy()
    answer["person_id"] = pd.array([person for person, _, _ in found], dtype="str")
    answer["state"] = pd.array([state for _, state, _ in found], dtype="str")
    answer["matched_by"] = pd.array([how for _, _, how in found], dtype="str")
    return answer


def _text(value: Any) -> str | None:
    return None if pd.isna(value) or not str(value).strip() else str(value).strip()


def owners(connection: Connection, source: str, column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The person each owner id of a source stands for; unknown where nobody is matched."""
    known = aliases(connection, source)
    return column.map(known).astype("str")


def reassign(connection: Connection, source: str) -> set[str]:
    """Give stored deals, splits and quotas of a source to the person their owner is matched with now.

    Answers the people who lost or gained something, so that only their scorecards are computed anew.
    """
    touched: set[str] = set()
    identity = core(Identity).c
    for model in (Deal, DealSplit, Quota, ActivityCount, TerritoryMember):
        table = core(model)
        person = (
            select(identity.person_id)
            .where(
                identity.connection == table.c.connection,
                identity.external_id == table.c.owner_external_id,
                identity.state == IdentityState.MATCHED,
            )
            .scalar_subquery()
        )
        wrong = table.c.person_id.is_distinct_from(person)
        here = (table.c.connection == source, table.c.owner_external_id.is_not(None), wrong)
        pairs = connection.execute(select(table.c.person_id, person).where(*here).distinct())
        touched |= {name for pair in pairs for name in pair if name}
        connection.execute(update(table).where(*here).values(person_id=person))
    return touched
