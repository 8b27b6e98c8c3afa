"""Writing objectives: what the form holds, and every change that is kept as one. Pages call it in their transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Connection, select, update

from models import KeyResult, LearningItem, Objective, ObjectiveUpdate
from models.base import core, new_id
from models.errors import UserError
from models.objective import LEVELS, ObjectiveKind, ObjectiveStatus
from web.objective_form import Draft, Line, iso


@dataclass(frozen=True)
class Whole:
    """An objective with everything that hangs on it."""

    row: Any
    steps: tuple[Any, ...]
    results: tuple[Any, ...]
    learning: tuple[Any, ...]
    updates: tuple[Any, ...]  # the newest first

    @property
    def kind(self) -> str:
        """Personal, organisational, or a relationship."""
        return "relationship" if self.row.who else str(self.row.kind)

    @property
    def evidence(self) -> tuple[Any, ...]:
        """What shows it, the newest first."""
        return tuple(u for u in self.updates if u.field == "evidence")

    def draft(self) -> Draft:
        """As the form shows it."""
        row = self.row
        return Draft(
            title=row.title,
            kind=self.kind,
            why=row.why_it_matters,
            serves=row.serves,
            who=row.who,
            next_contact=iso(row.next_contact),
            due=iso(row.due_on),
            weight=str(row.weight),
            percent="" if row.percent is None else str(row.percent),
            steps=[Line(s.id, s.title, done=s.current is not None and s.current == s.target) for s in self.steps],
            results=[Line(r.id, r.title, r.baseline or "", r.target or "", r.current or "") for r in self.results],
            learning=[
                Line(i.id, i.title, link=i.link, due=iso(i.due_on), status=i.status) for i in self.learning
            ],
        )  # fmt: skip


def find(connection: Connection, person_id: str, objective_id: str) -> Whole | None:
    """One objective of a person with everything that hangs on it."""
    table = core(Objective)
    row = connection.execute(
        select(table).where(
            table.c.id == objective_id, table.c.person_id == person_id, table.c.removed_at.is_(None)
        )
    ).first()  # fmt: skip
    return None if row is None else _whole(connection, [row])[0]


def every(connection: Connection, person_id: str) -> list[Whole]:
    """Every objective of a person: active ones first, the one due first on top."""
    table = core(Objective)
    query = select(table).where(table.c.person_id == person_id, table.c.removed_at.is_(None))
    found = list(connection.execute(query))
    found.sort(key=lambda r: (r.status != "active", r.due_on is None, r.due_on or date.max, r.id))
    return _whole(connection, found)


def _whole(connection: Connection, objectives: Sequence[Any]) -> list[Whole]:
    ids = [row.id for row in objectives]
    results, updates, learning = core(KeyResult), core(ObjectiveUpdate), core(LearningItem)

    def of(table: Any, *order: Any) -> dict[str, list[Any]]:
        query = select(table).where(table.c.objective_id.in_(ids)).order_by(*order, table.c.id)
        if "removed_at" in table.c:
            query = query.where(table.c.removed_at.is_(None))
        found: dict[str, list[Any]] = {}
        for row in connection.execute(query):
            found.setdefault(row.objective_id, []).append(row)
        return found

    lines, told = of(results, results.c.position), of(updates, updates.c.day.desc())
    links = of(learning, learning.c.due_on, learning.c.title)
    return [
        Whole(
            row,
            tuple(k for k in lines.get(row.id, ()) if k.step),
            tuple(k for k in lines.get(row.id, ()) if not k.step),
            tuple(links.get(row.id, ())),
            tuple(told.get(row.id, ())),
        )
        for row in objectives
    ]


def create(connection: Connection, person_id: str, draft: Draft, today: date) -> str:
    """Store a new objective, private; answers its id."""
    row = {
        "id": new_id(),
        "connection": "",
        "external_id": new_id(),
        "person_id": person_id,
        "starts_on": today,
        "status": ObjectiveStatus.ACTIVE.value,
        "shared": False,
        "level": None,
        "levels": None,
        **_columns(draft, today),
    }
    connection.execute(core(Objective).insert(), [row])
    _lines(connection, person_id, str(row["id"]), (), (), draft, today)
    return str(row["id"])


def save(connection: Connection, whole: Whole, draft: Draft, today: date) -> None:
    """Store an objective as its owner changed it; what moved is kept beside what it was."""
    row, due = whole.row, date.fromisoformat(draft.due) if draft.due else None
    if row.due_on != due:
        note(connection, row.id, today, "due", iso(due) or "no date", iso(row.due_on) or "no date")
    connection.execute(update(core(Objective)).where(core(Objective).c.id == row.id).values(**_columns(draft, today)))
    _theirs(connection, row.id)
    _lines(connection, row.person_id, row.id, (*whole.steps, *whole.results), whole.learning, draft, today)


def _columns(draft: Draft, today: date) -> dict[str, Any]:
    kind = draft.kind if draft.kind in set(ObjectiveKind) else ObjectiveKind.PERSONAL.value
    return {
        "title": draft.title,
        "kind": kind,
        "why_it_matters": draft.why,
        "serves": draft.serves,
        "who": draft.who,
        "next_contact": date.fromisoformat(draft.next_contact) if draft.next_contact else None,
        "due_on": date.fromisoformat(draft.due) if draft.due else None,
        "weight": int(draft.weight),
        "percent": int(draft.percent) if draft.percent else None,
        "updated_on": today,
        "written_here": True,
    }


def _theirs(connection: Connection, objective_id: str) -> None:
    """From here on it is its owner's: no import changes it or its key results."""
    results = core(KeyResult)
    connection.execute(update(results).where(results.c.objective_id == objective_id).values(written_here=True))


def _lines(
    connection: Connection,
    person_id: str,
    objective_id: str,
    before: Sequence[Any],
    links: Sequence[Any],
    draft: Draft,
    today: date,
) -> None:
    known = {row.id: row for row in before}
    for position, (line, step) in enumerate([*((s, True) for s in draft.steps), *((r, False) for r in draft.results)]):
        old = known.get(line.id)
        row = {"title": line.title, **_figures(line, step), "step": step, "position": position, "written_here": True}
        if old is None and line.title:
            fresh = {"connection": "", "external_id": new_id(), "objective_id": objective_id, "weight": 1}
            seen = today if row["current"] not in (None, "0" if step else None) else None
            connection.execute(core(KeyResult).insert(), [{"id": new_id(), **fresh, **row, "measured_on": seen}])
        elif old is not None:
            _moved(connection, objective_id, old, row if line.title else None, today)
    _links(connection, person_id, objective_id, {row.id for row in links}, draft, today)


def _figures(line: Line, step: bool) -> dict[str, str | None]:
    """From where to where, and where now, as decimal text; a step goes from 0 to 1."""
    if step:
        return {"baseline": "0", "target": "1", "current": "1" if line.done else "0"}
    return {n: getattr(line, n).replace(",", ".") or None for n in ("baseline", "target", "current")}


def _moved(connection: Connection, objective_id: str, old: Any, row: dict[str, Any] | None, today: date) -> None:
    """Change a key result or a step; a removed one and a moved target stay readable."""
    table = core(KeyResult)
    if row is None:
        note(connection, objective_id, today, "target", "taken out", old.target or "", about=old.title)
        connection.execute(update(table).where(table.c.id == old.id).values(removed_at=_instant(today)))
        return
    if not row["step"] and (old.baseline, old.target) != (row["baseline"], row["target"]):
        was, now = (
            f"{old.baseline or '?'} to {old.target or '?'}",
            f"{row['baseline'] or '?'} to {row['target'] or '?'}",
        )
        note(connection, objective_id, today, "target", now, was, about=row["title"])
    seen = today if old.current != row["current"] else old.measured_on
    connection.execute(update(table).where(table.c.id == old.id).values(**row, measured_on=seen))


def _instant(day: date) -> Any:
    return datetime.combine(day, time(), UTC)


def _links(
    connection: Connection, person_id: str, objective_id: str, known: set[str], draft: Draft, today: date
) -> None:
    table = core(LearningItem)
    for line in draft.learning:
        row = {
            "title": line.title,
            "link": line.link,
            "due_on": date.fromisoformat(line.due) if line.due else None,
            "status": line.status,
        }
        if line.id in known and not line.title:
            connection.execute(update(table).where(table.c.id == line.id).values(removed_at=_instant(today)))
        elif line.id in known:
            done = select(table.c.done_on).where(table.c.id == line.id)
            finished = (connection.scalar(done) or today) if line.status == "done" else None
            connection.execute(update(table).where(table.c.id == line.id).values(**row, done_on=finished))
        elif line.title:
            fresh = {"id": new_id(), "connection": "", "external_id": new_id(), "person_id": person_id}
            finished = today if line.status == "done" else None
            connection.execute(table.insert(), [{**fresh, **row, "objective_id": objective_id, "done_on": finished}])


def note(
    connection: Connection,
    objective_id: str,
    today: date,
    what: str,
    new: str,
    old: str | None = None,
    about: str = "",
    link: str = "",
) -> None:
    """Write down what became of an objective; nothing that was written is ever changed."""
    row = {"id": new_id(), "objective_id": objective_id, "day": today, "field": what, "old_value": old}
    connection.execute(core(ObjectiveUpdate).insert(), [{**row, "new_value": new, "about": about, "link": link}])


def change(connection: Connection, whole: Whole, today: date, **columns: Any) -> None:
    """Set columns of an objective, which is its owner's from here on."""
    table = core(Objective)
    values = {**columns, "updated_on": today, "written_here": True}
    connection.execute(update(table).where(table.c.id == whole.row.id).values(**values))
    _theirs(connection, whole.row.id)


def share(connection: Connection, whole: Whole, shared: bool, today: date) -> None:
    """Show an objective to those above, or no longer; what was seen until then stays seen, so it is written down."""
    if bool(whole.row.shared) != shared:
        note(connection, whole.row.id, today, "shared", "shared" if shared else "private")
        change(connection, whole, today, shared=shared)


def close(connection: Connection, whole: Whole, status: str, words: str, today: date) -> None:
    """Finish an objective, give it up, or take it up again; what came of it stands beside it."""
    if status not in set(ObjectiveStatus):
        raise UserError(f"an objective is {', '.join(ObjectiveStatus)}, not {status!r}")
    old = whole.row.status
    if old != status:
        note(connection, whole.row.id, today, "status", status, old, about=words)
        change(connection, whole, today, status=status)


def scale(connection: Connection, whole: Whole, words: Sequence[str], today: date) -> None:
    """Write the five levels of a goal in words, before the first rating: afterwards they stand."""
    if whole.row.level is not None:
        raise UserError("This goal has been rated, so its levels stand as they were written. A new goal gets new ones.")
    if len(words) != len(LEVELS) or not all(w.strip() for w in words):
        raise UserError("Write all five levels, from much less to much more than hoped for, before the first rating.")
    change(connection, whole, today, levels=[w.strip() for w in words])


def rate(connection: Connection, whole: Whole, level: int, today: date) -> None:
    """Say which level a goal has reached; the levels have to be written before."""
    if not whole.row.levels:
        raise UserError("Write the five levels first: a rating means something only against words written before it.")
    if level not in LEVELS:
        raise UserError("A level is -2, -1, 0, 1 or 2.")
    old = None if whole.row.level is None else f"{whole.row.level:+d}"
    note(connection, whole.row.id, today, "level", f"{level:+d}", old)
    change(connection, whole, today, level=level)
