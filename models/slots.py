"""When a schedule runs: its slots as instants, through clock changes, and the schedules that are stored.

A local time that the spring change leaves out runs at the first moment after the gap; one that the autumn change
makes twice runs the first time only. So each local day has at most one slot.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Connection, delete, select, update

from models.base import core, insert_into
from models.errors import UserError
from models.ledger import Schedule

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAMES = dict(zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True))
OPS, SETTINGS = "ops", "settings"
"""Who wrote a schedule: a row that ops edited is not overwritten by the settings file."""

GRACE = timedelta(hours=1)
"""A run that was due may take this long before its source is called late."""
LATE, STALE = timedelta(hours=26), timedelta(hours=74)
"""Without a schedule: a day and two hours; three days and two hours."""


def slots(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    """The moments in (after, until] at which this schedule runs, in UTC."""
    zone, days = ZoneInfo(schedule.time_zone), schedule.weekdays.split(",")
    day, last = after.astimezone(zone).date() - timedelta(days=1), until.astimezone(zone).date()
    while day <= last:
        if DAYS[day.weekday()] in days:
            slot = _instant(day, schedule.at, zone)
            if slot is not None and after < slot <= until:
                yield slot
        day += timedelta(days=1)


def _instant(day: date, at: str, zone: ZoneInfo) -> datetime | None:
    """A wall-clock time as an instant; None on a day that the zone left out whole."""
    hour, minute = (int(part) for part in at.split(":"))
    wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    found = wall.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return found
    # In a gap the later offset lands before the change and the earlier one after it: the change is in between.
    before, after = wall.replace(fold=1).astimezone(UTC), found
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after if after.astimezone(zone).date() == day else None


def next_slots(schedule: Schedule, now: datetime, count: int = 5) -> list[datetime]:
    """The next runs after now, in UTC."""
    if not schedule.enabled:
        return []
    return list(islice(slots(schedule, now, now + timedelta(days=7 * count + 7)), count))


def words(schedule: Schedule) -> str:
    """A schedule as one sentence."""
    if not schedule.enabled:
        return "No schedule; started by hand."
    days = [NAMES[day] for day in DAYS if day in schedule.weekdays.split(",")]
    when = "Every day" if len(days) == 7 else "Every " + ", ".join(days)
    late = f"catch up within {schedule.catch_up_hours} h" if schedule.catch_up_hours else "no catching up"
    return f"{when} at {schedule.at} {schedule.time_zone}, {late}, never overlap."


def freshness(last_good: datetime | None, schedule: Schedule | None, now: datetime) -> str:
    """fresh, late or stale: late when a slot due an hour ago brought nothing new, stale when three did not."""
    if last_good is None:
        return "stale"
    if schedule is None or not schedule.enabled:
        age = now - last_good
        return "fresh" if age <= LATE else "late" if age <= STALE else "stale"
    passed = len(list(islice(slots(schedule, last_good, now - GRACE), 3)))
    return ("fresh", "late", "late", "stale")[passed]


def problems(at: str, weekdays: Sequence[str], time_zone: str, catch_up_hours: str) -> dict[str, str]:
    """What is wrong with a schedule as typed: field -> sentence; empty when all is well."""
    found = {}
    hour, _, minute = at.partition(":")
    two = len(at) == 5 and at.isascii() and hour.isdigit() and minute.isdigit()
    if not two or int(hour) > 23 or int(minute) > 59:
        found["at"] = f"{at!r} is no time of day; write one such as 02:00"
    wrong = [day for day in weekdays if day not in DAYS]
    if wrong:
        found["weekdays"] = f"{', '.join(wrong)}: weekdays are named {', '.join(DAYS)}"
    elif not weekdays:
        found["weekdays"] = "name at least one weekday, or switch the schedule off"
    if time_zone not in available_timezones():
        found["time_zone"] = f"{time_zone!r} is no time zone; write one such as Europe/London"
    if not (catch_up_hours.isascii() and catch_up_hours.isdigit() and int(catch_up_hours) <= 24):
        found["catch_up_hours"] = f"{catch_up_hours!r} is no number of hours from 0 to 24"
    return found


def stored_schedules(connection: Connection) -> dict[str, Schedule]:
    """The schedules in force, by connection."""
    table = core(Schedule)
    return {
        row.connection: Schedule(**row._mapping) for row in connection.execute(select(table).order_by("connection"))
    }


def seed(connection: Connection, wanted: Mapping[str, Mapping[str, Any]], now: datetime) -> None:
    """Make the rows that nobody edited those of the settings file; what ops edited stays as it is."""
    table, old = core(Schedule), stored_schedules(connection)
    gone = [n for n, s in old.items() if s.set_by == SETTINGS and n not in wanted]
    if gone:
        connection.execute(delete(table).where(table.c.connection.in_(gone), table.c.set_by == SETTINGS))
    for name, fields in wanted.items():
        row = {**fields, "enabled": True}
        if name not in old:
            # It reaches back over its catch-up time: a first start at 03:00 still runs tonight's 02:00.
            since = now - timedelta(hours=fields["catch_up_hours"])
            fresh = insert_into(connection, table).values(
                connection=name, **row, set_by=SETTINGS, counted_until=since, problem=""
            )
            connection.execute(fresh.on_conflict_do_nothing())
        elif old[name].set_by == SETTINGS and any(getattr(old[name], k) != v for k, v in row.items()):
            mine = (table.c.connection == name, table.c.set_by == SETTINGS)
            connection.execute(update(table).where(*mine).values(**row, counted_until=now))


def put(connection: Connection, schedule: Schedule, now: datetime) -> None:
    """Store a schedule as ops wrote it. It holds from now on: slots of before are neither run nor missed by it."""
    found = problems(schedule.at, schedule.weekdays.split(","), schedule.time_zone, str(schedule.catch_up_hours))
    if found:
        raise UserError(f"the schedule of {schedule.connection} was not changed:", list(found.values()))
    row = {**schedule.model_dump(), "set_by": OPS, "counted_until": now, "problem": ""}
    fresh = insert_into(connection, core(Schedule)).values(**row)
    connection.execute(fresh.on_conflict_do_update(index_elements=["connection"], set_=row))
