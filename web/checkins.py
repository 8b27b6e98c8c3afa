"""Writing check-ins: who asked, when it is, what each side wrote, and every move kept. Pages call it in their
transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from sqlalchemy import Connection, delete, select, update

from models import CheckIn, CheckInAction, CheckInChange, CheckInNote, Person, PrivateNote
from models.base import core, new_id
from models.checkin import AskedBy, CheckInStatus


@dataclass(frozen=True)
class Talk:
    """A check-in as one of the two people in it sees it."""

    row: Any
    side: str  # rep, manager: which of the two reads it
    with_name: str  # the other one
    mine: Any  # what the reader brought and wrote down; None so far
    theirs: Any
    private: str  # the reader's own, which nobody else ever reads
    actions: tuple[Any, ...]
    waiting: tuple[Any, ...]  # what earlier check-ins of the two left to do
    changes: tuple[Any, ...]


def every(connection: Connection, person_id: str, reader_id: str) -> list[Any]:
    """The check-ins of a person that the reader takes part in: those to come first, then the latest."""
    table = core(CheckIn)
    rows = connection.execute(select(table).where(table.c.person_id == person_id, table.c.removed_at.is_(None)))
    mine = [r for r in rows if reader_id in (r.person_id, r.with_person_id)]
    mine.sort(key=lambda r: r.id)
    mine.sort(key=_when, reverse=True)
    return sorted(mine, key=lambda r: r.status != CheckInStatus.PLANNED)


def _when(row: Any) -> date:
    return row.held_on or row.planned_on or row.asked_on or date.min


def find(connection: Connection, person_id: str, check_in_id: str, reader_id: str) -> Talk | None:
    """One check-in with everything that its reader may read of it; None for somebody who is not in it."""
    found = every(connection, person_id, reader_id)
    row = next((r for r in found if r.id == check_in_id), None)
    if row is None:
        return None
    side = AskedBy.REP if reader_id == person_id else AskedBy.MANAGER
    notes, private = core(CheckInNote), core(PrivateNote).c
    written = {n.author_id: n for n in connection.execute(select(notes).where(notes.c.check_in_id == row.id))}
    own = select(private.words).where(private.check_in_id == row.id, private.author_id == reader_id)
    other = row.with_person_id if side == AskedBy.REP else row.person_id
    earlier = [r.id for r in found if r.with_person_id == row.with_person_id and r.with_name == row.with_name]
    todo, told = core(CheckInAction), core(CheckInChange)
    actions = connection.execute(select(todo).where(todo.c.check_in_id.in_(earlier)).order_by(todo.c.due_on, todo.c.id))
    every_action = list(actions)
    return Talk(
        row,
        side,
        names(connection, {other}).get(other, row.with_name) if other else row.with_name,
        written.get(reader_id),
        written.get(other) if other else None,
        connection.scalar(own) or "",
        tuple(a for a in every_action if a.check_in_id == row.id),
        tuple(a for a in every_action if a.check_in_id != row.id and a.done_on is None),
        tuple(connection.execute(select(told).where(told.c.check_in_id == row.id).order_by(told.c.at, told.c.id))),
    )


def names(connection: Connection, people: set[Any]) -> dict[str, str]:
    """What people are called."""
    table = core(Person).c
    return {r.id: r.name for r in connection.execute(select(table.id, table.name).where(table.id.in_(people)))}


def ask(connection: Connection, person_id: str, side: str, plan: Mapping[str, Any], now: datetime, today: date) -> str:
    """Ask for a check-in, with a day or without one yet; answers its id."""
    row: dict[str, Any] = {"id": new_id(), "connection": "", "external_id": new_id(), "person_id": person_id}
    row |= {"asked_by": side, "asked_on": today, "status": CheckInStatus.PLANNED.value, "written_here": True, **plan}
    connection.execute(core(CheckIn).insert(), [row])
    _told(connection, str(row["id"]), now, "asked", side, None, plan.get("planned_on"), "")
    return str(row["id"])


def move(connection: Connection, talk: Talk, plan: Mapping[str, Any], reason: str, now: datetime) -> None:
    """Put a check-in on another day or time; the day that it was on stays written down."""
    _told(connection, talk.row.id, now, "moved", talk.side, talk.row.planned_on, plan["planned_on"], reason)
    _set(connection, talk, **plan)


def cancel(connection: Connection, talk: Talk, reason: str, now: datetime) -> None:
    """Call a check-in off; it is kept as one that was called off, and by which side."""
    _told(connection, talk.row.id, now, "cancelled", talk.side, talk.row.planned_on, None, reason)
    _set(connection, talk, status=CheckInStatus.CANCELLED.value)


def hold(connection: Connection, talk: Talk, day: date, now: datetime) -> None:
    """Say that a check-in was held, and when."""
    _told(connection, talk.row.id, now, "held", talk.side, talk.row.planned_on, day, "")
    _set(connection, talk, status=CheckInStatus.HELD.value, held_on=day)


def write(connection: Connection, talk: Talk, author_id: str, words: Mapping[str, str], private: str) -> None:
    """Keep what one side brings and writes down, and apart from it what is only for its author."""
    for model, columns in ((CheckInNote, dict(words)), (PrivateNote, {"words": private})):
        table = core(model)
        mine = (table.c.check_in_id == talk.row.id, table.c.author_id == author_id)
        connection.execute(delete(table).where(*mine))
        if any(columns.values()):
            connection.execute(table.insert(), [{"check_in_id": talk.row.id, "author_id": author_id, **columns}])


def agree(connection: Connection, talk: Talk, what: str, owner: str, due: date | None) -> None:
    """Write down something to do until next time: whose, and by when."""
    row = {"id": new_id(), "check_in_id": talk.row.id, "what": what, "owner": owner, "due_on": due, "done_on": None}
    connection.execute(core(CheckInAction).insert(), [row])


def finish(connection: Connection, talk: Talk, action_id: str, today: date) -> bool:
    """Something that was to do is done; False when this check-in and those before it have no such action."""
    if action_id not in {a.id for a in (*talk.actions, *talk.waiting)}:
        return False
    table = core(CheckInAction)
    connection.execute(update(table).where(table.c.id == action_id).values(done_on=today))
    return True


def calendar_file(talk: Talk, title: str, zone: ZoneInfo, now: datetime) -> bytes:
    """A check-in to take away as a calendar file: when, how long and with whom; nothing of what it is about."""
    event = Event()
    event.add("uid", f"{talk.row.id}@beyond-quota")
    event.add("dtstamp", now)
    event.add("summary", title)
    day = talk.row.planned_on
    if talk.row.planned_at:
        start = datetime.combine(day, time.fromisoformat(talk.row.planned_at), zone)
        event.add("dtstart", start.astimezone(ZoneInfo("UTC")))
        event.add("duration", timedelta(minutes=talk.row.minutes))
    else:
        event.add("dtstart", day)
    event.add("sequence", sum(1 for c in talk.changes if c.what in ("moved", "cancelled")))
    event.add("status", "CANCELLED" if talk.row.status == CheckInStatus.CANCELLED else "CONFIRMED")
    calendar = Calendar()
    calendar.add("prodid", "-//Beyond Quota//check-ins//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    body: bytes = calendar.to_ical()
    return body


def _set(connection: Connection, talk: Talk, **columns: Any) -> None:
    table = core(CheckIn)
    connection.execute(update(table).where(table.c.id == talk.row.id).values(**columns, written_here=True))


def _told(
    connection: Connection, check_in_id: str, now: datetime, what: str, by: str, old: Any, new: Any, reason: str
) -> None:
    row = {"id": new_id(), "check_in_id": check_in_id, "at": now, "what": what, "by": by}
    connection.execute(core(CheckInChange).insert(), [{**row, "old_day": old, "new_day": new, "reason": reason}])
