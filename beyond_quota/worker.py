"""The worker: runs each schedule's slots once, whoever else runs, and catches up after it was down.

APScheduler wakes it once a minute; what is due is worked out from the stored schedules and the ledger, so a slot
missed while nothing ran is found again. One worker works at a time, under a lease; the unique (connection, slot) run
is the fence behind it: one that stalled and wakes up finds its slots run and its lease gone, and writes nothing.
"""

import signal
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import typer
from sqlalchemy.exc import SQLAlchemyError

from beyond_quota.alerting import look_after
from beyond_quota.answers import DONE
from beyond_quota.ending import asked_to_end
from beyond_quota.sources import sync_slot
from beyond_quota.wiring import Installation, moment
from models.errors import UserError
from sync.lease import Hold, LeaseLost, Locked, take
from sync.schedule import PUNCTUAL, beat, count_missed, due, note_problem

LEASE, BEAT_SECONDS = "worker", 30


@dataclass
class Worker:
    """One worker process: its settings, its lease while it has it, and whether it was asked to stop."""

    config: Path
    here: Installation
    stop: threading.Event = field(default_factory=threading.Event)
    hold: Hold | None = None
    said: str = ""

    def tick(self) -> int:
        """Look once: take or keep the lease, pick up changed settings, count what was missed, run what is due."""
        try:
            self._reload()
            if self.hold is None:
                self.hold = take(self.here.engine, LEASE, self.here.clock())
                self._say("worker: at work")
            self.sign()
            ran = work_once(self.here, self.stop) if self.hold else 0
            look_after(self.here)
            return ran
        except Locked as error:
            self._say(f"worker: standing by: {error}")
        except SQLAlchemyError as error:
            self._say(f"worker: the store cannot be reached ({type(error).__name__}); it is tried again each minute")
        return 0

    def sign(self) -> None:
        """Leave a sign of life and keep the lease, also while a long run is in hand."""
        hold, here = self.hold, self.here
        if hold is None:
            return
        try:
            with here.engine.begin() as connection:
                hold.renew(connection, here.clock())
                beat(connection, LEASE, here.clock(), hold.holder)
        except LeaseLost:
            self.hold = None
            self._say("worker: another one took over while this one stood still; standing by")
        except SQLAlchemyError:
            self._say("worker: the store cannot be reached; it is tried again")

    def release(self) -> None:
        """Give the lease back, so that the next worker need not wait for it to run out."""
        if self.hold is not None:
            try:
                self.hold.release(self.here.engine, self.here.clock())
            except SQLAlchemyError:
                typer.echo("worker: the store cannot be reached; the lease runs out by itself", err=True)

    def _reload(self) -> None:
        try:
            fresh = Installation.open(self.config, self.here.now)
        except UserError as error:
            self._say(f"worker: going on with the settings from before: {error}")
        else:
            if fresh.settings != self.here.settings:
                self.here = fresh
        self.here.keep_schedules()

    def _say(self, words: str) -> None:
        if words != self.said:  # once, not every minute
            typer.echo(words)
            self.said = words


def work_once(here: Installation, stop: threading.Event | None = None) -> int:
    """Run what is due, count what was missed; answers how many slots were run by this process."""
    stop, now, known = stop or threading.Event(), here.clock(), here.settings.connections
    with here.engine.begin() as connection:
        count_missed(connection, known, now)
    with here.engine.connect() as connection:
        waiting = due(connection, known, now)
    ran = 0
    for name, slot in waiting:
        if stop.is_set():
            break
        try:
            ran += sync_slot(here, name, slot, late=now - slot > PUNCTUAL, stop=stop.is_set)
        except SQLAlchemyError:
            raise
        except Exception as error:  # one connection that breaks does not hold up the others
            typer.echo(f"{name}: {type(error).__name__}: this slot did not start; the others go on", err=True)
            note_problem(here.engine, name, f"an error of our own: {type(error).__name__}")
    return ran


def work(config: Path, once: bool, now: str | None) -> int:
    """Run until SIGTERM or Ctrl-C; a run in hand ends after its batch and is called cancelled."""
    with asked_to_end(signal.SIGTERM, signal.SIGINT) as stop:
        return _work(Worker(config, Installation.open(config, moment(now)), stop), once)


def _work(worker: Worker, once: bool) -> int:
    if once:
        typer.echo(f"{worker.tick()} slot(s) run")
        worker.release()
        return DONE
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.interval import IntervalTrigger

    typer.echo("worker: started")
    scheduler = BackgroundScheduler(timezone=UTC)
    often = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    first = datetime.now(UTC)
    scheduler.add_job(worker.tick, IntervalTrigger(minutes=1, timezone=UTC), next_run_time=first, **often)
    scheduler.add_job(worker.sign, IntervalTrigger(seconds=BEAT_SECONDS, timezone=UTC), **often)
    scheduler.start()
    worker.stop.wait()
    typer.echo("worker: stopping; a run in hand ends after its batch")
    scheduler.shutdown(wait=True)
    worker.release()
    return DONE
