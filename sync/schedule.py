"""Which slots are due, and which were missed: every slot runs, or is counted with the reason."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, select, update

from models import Heartbeat, MissedSlot, Schedule, SyncRun
from models.base import core, insert_into
from models.slots import slots, stored_schedules

PUNCTUAL = timedelta(minutes=2)
"""How long after its time a slot still counts as on time; the worker looks once a minute."""


def slot_name(slot: datetime) -> str:
    """A slot as runs are known by it."""
    return f"{slot.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def due(connection: Connection, known: Collection[str], now: datetime) -> list[tuple[str, datetime]]:
    """Each connection's newest slot that may still run and has no run; older ones are covered by it."""
    found = []
    for name, schedule in stored_schedules(connection).items():
        if name not in known or not schedule.enabled:
            continue
        window = list(slots(schedule, _begin(schedule, now), now))
        if window and not _ran(connection, name, window[-1]):
            found.append((name, window[-1]))
    return sorted(found, key=lambda pair: pair[1])


def count_missed(connection: Connection, known: Collection[str], now: datetime) -> int:
    """Count the slots that can no longer run and never did; answers how many are new."""
    counted = 0
    table, schedules = core(MissedSlot), core(Schedule)
    for name, schedule in stored_schedules(connection).items():
        if not schedule.enabled:
            continue
        end = now - _back(schedule)
        window = list(slots(schedule, _begin(schedule, now), now))
        if window:  # only the newest slot runs: those before it are settled
            end = max(end, window[-1] - timedelta(seconds=1))
        if schedule.counted_until is None:  # stored before slots were counted: from here on they are
            mine = (schedules.c.connection == name, schedules.c.counted_until.is_(None))
            connection.execute(update(schedules).where(*mine).values(counted_until=end))
            continue
        if end <= schedule.counted_until:
            continue
        for slot in slots(schedule, schedule.counted_until, end):
            if not _ran(connection, name, slot):
                row = {"connection": name, "slot": slot_name(slot), "due_at": slot, "counted_at": now}
                row |= {"reason": _reason(schedule, name in known)}
                fresh = insert_into(connection, table).values(**row).on_conflict_do_nothing()
                counted += connection.execute(fresh.returning(table.c.slot)).first() is not None
        same = (schedules.c.connection == name, schedules.c.counted_until == schedule.counted_until)
        connection.execute(update(schedules).where(*same).values(counted_until=end))
    return counted


def note_problem(engine: Engine, name: str, problem: str) -> None:
    """Keep why a slot cannot start, for ops; empty when it could."""
    table = core(Schedule)
    with engine.begin() as connection:
        connection.execute(update(table).where(table.c.connection == name).values(problem=problem))


def beat(connection: Connection, name: str, now: datetime, says: str = "") -> None:
    """Leave a sign of life."""
    row = {"at": now, "says": says}
    fresh = insert_into(connection, core(Heartbeat)).values(name=name, **row)
    connection.execute(fresh.on_conflict_do_update(index_elements=["name"], set_=row))


def _back(schedule: Schedule) -> timedelta:
    return max(timedelta(hours=schedule.catch_up_hours), PUNCTUAL)


def _begin(schedule: Schedule, now: datetime) -> datetime:
    begin = now - _back(schedule)
    return begin if schedule.counted_until is None else max(begin, schedule.counted_until)


def _ran(connection: Connection, name: str, slot: datetime) -> bool:
    table = core(SyncRun).c
    query = select(table.id).where(table.connection == name, table.slot == slot_name(slot))
    return connection.scalar(query) is not None


def _reason(schedule: Schedule, known: bool) -> str:
    if not known:
        return "the settings have no such connection"
    return schedule.problem or "no worker was running in time"
