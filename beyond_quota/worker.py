"""The worker: runs each schedule's slots once, whoever else runs, and catches up after it was down.

APScheduler wakes it once a minute; what is due is worked out from the schedules and the ledger, so a slot missed
while nothing ran is found again. The unique (connection, slot) run is the fence: of two workers, one runs the slot.
"""

import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo

import typer

from beyond_quota.answers import DONE
from beyond_quota.sources import sync_slot
from beyond_quota.wiring import Installation, moment
from config.settings import WEEKDAYS, Schedule


def slots(schedule: Schedule, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """The slots of a schedule in (after, until], as instants; each local day has at most one.

    A time that the spring clock change leaves out runs at the first moment after the gap; one that the autumn
    change makes twice runs the first time only.
    """
    hour, minute = (int(part) for part in schedule.at.split(":"))
    day = after.astimezone(zone).date() - timedelta(days=1)
    while day <= until.astimezone(zone).date():
        if WEEKDAYS[day.weekday()] in schedule.weekdays:
            local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=0)
            slot = local.astimezone(UTC)
            if after < slot <= until:
                yield slot
        day += timedelta(days=1)


def due(here: Installation, now: datetime) -> Iterator[tuple[str, datetime]]:
    """Each connection's newest slot that is not older than its catch-up time; older ones of that span are covered."""
    for name, connection in here.settings.connections.items():
        if connection.schedule is None:
            continue
        back = timedelta(hours=connection.schedule.catch_up_hours, minutes=1)
        found = list(slots(connection.schedule, here.settings.tz, now - back, now))
        if found:
            yield name, found[-1]


def work_once(here: Installation) -> int:
    """Run what is due; answers how many slots were run by this process."""
    now, ran = here.clock(), 0
    for name, slot in due(here, now):
        ran += sync_slot(here, name, slot, late=now - slot > timedelta(minutes=2))
    return ran


def work(config: Path, once: bool, now: str | None) -> int:
    """Run until SIGTERM or Ctrl-C; a run in hand is finished first."""
    here = Installation.open(config, moment(now))
    if once:
        typer.echo(f"{work_once(here)} slot(s) run")
        return DONE
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.interval import IntervalTrigger

    here.keep_schedules()
    scheduled = [n for n, c in here.settings.connections.items() if c.schedule is not None]
    typer.echo(f"worker: {len(scheduled)} scheduled connection(s): {', '.join(scheduled) or 'none'}")
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    scheduler = BackgroundScheduler(timezone=UTC)
    trigger = IntervalTrigger(minutes=1, timezone=UTC)
    first = datetime.now(UTC)
    scheduler.add_job(work_once, trigger, args=[here], next_run_time=first, coalesce=True, max_instances=1)
    scheduler.start()
    stop.wait()
    typer.echo("worker: stopping after the run in hand")
    scheduler.shutdown(wait=True)
    return DONE
