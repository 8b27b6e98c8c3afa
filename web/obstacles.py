"""Writing what stands in somebody's way. Pages call it in their transaction."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from sqlalchemy import Connection, select, update

from models import Obstacle
from models.base import core, new_id


def every(connection: Connection, person_id: str) -> list[Any]:
    """Everything that stood in a person's way: what still does first, the oldest on top."""
    table = core(Obstacle)
    rows = connection.execute(select(table).where(table.c.person_id == person_id, table.c.removed_at.is_(None)))
    return sorted(rows, key=lambda r: (r.resolved_on is not None, r.opened_on, r.id))


def find(connection: Connection, person_id: str, obstacle_id: str) -> Any:
    """One obstacle of a person; None when there is none of that id."""
    return next((row for row in every(connection, person_id) if row.id == obstacle_id), None)


def of_people(connection: Connection, people: Collection[str]) -> Iterable[tuple[str, str, date, date | None]]:
    """(person, kind, opened, resolved) of these people's obstacles, shared or not: for counting, never for a list."""
    table = core(Obstacle).c
    query = select(table.person_id, table.kind, table.opened_on, table.resolved_on).where(table.removed_at.is_(None))
    return [tuple(row) for row in connection.execute(query.where(table.person_id.in_(people)))]


def create(connection: Connection, person_id: str, words: dict[str, str], today: date) -> str:
    """Write an obstacle down, private until its owner shares it; answers its id."""
    row = {"id": new_id(), "connection": "", "external_id": new_id(), "person_id": person_id, "opened_on": today}
    row |= {"shared": False, "written_here": True, "resolved_by": "", **words}
    connection.execute(core(Obstacle).insert(), [row])
    return str(row["id"])


def change(connection: Connection, obstacle_id: str, **columns: Any) -> None:
    """Set columns of an obstacle, which is its owner's from here on: no import changes it any more."""
    table = core(Obstacle)
    connection.execute(update(table).where(table.c.id == obstacle_id).values(**columns, written_here=True))
