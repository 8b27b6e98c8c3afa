"""Puts the rooms together: settings into a store, connectors, rules and profiles."""

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.settings import ConnectionSettings, Settings, load_settings, reveal

if TYPE_CHECKING:  # imported only where used: pandas and the SDKs are slow, and --help is not to wait for them
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from connectors.base import Connector
    from models.profile import Profile
    from sync.report import RunReport, Touched
    from sync.rules import Rules


@dataclass
class Installation:
    """One installation, opened: its settings, and the clock, which is an argument everywhere."""

    settings: Settings
    now: datetime | None = None  # fixed for tests and for looking back; else the machine's clock

    @classmethod
    def open(cls, path: Path, now: datetime | None = None) -> "Installation":
        """Read the settings file; nothing is connected to yet."""
        return cls(load_settings(path), now)

    def clock(self) -> datetime:
        """Now, in UTC."""
        return self.now or datetime.now(UTC)

    @property
    def today(self) -> date:
        """The day it is in the reporting zone."""
        return self.clock().astimezone(self.settings.tz).date()

    @cached_property
    def engine(self) -> "Engine":
        """The store, with its schema brought up to date."""
        from models.database import open_store, upgrade

        engine = open_store(self.settings.database)
        upgrade(engine)
        return engine

    @cached_property
    def run_engine(self) -> "Engine":
        """The store as runs write to it: on SQLite without waiting for the disk after every batch."""
        from models.database import open_store

        if self.engine.dialect.name != "sqlite":
            return self.engine
        return open_store(self.settings.database, for_runs=True)

    def keep_schedules(self) -> None:
        """Store the schedules of the settings, where ops have not written their own."""
        from models.slots import seed

        scheduled = {n: c.schedule for n, c in self.settings.connections.items() if c.schedule is not None}
        rows = {n: {**s.model_dump(), "weekdays": ",".join(s.weekdays)} for n, s in scheduled.items()}
        with self.engine.begin() as connection:
            seed(connection, {n: {**row, "time_zone": self.settings.zone} for n, row in rows.items()}, self.clock())

    def profiles(self, day: date | None = None) -> Mapping[str, "Profile"]:
        """The working-group profiles that hold on a day, checked against the metrics there are."""
        from models.profile_version import in_force, stored_versions

        with self.engine.connect() as connection:
            return in_force(self._files, stored_versions(connection), day or self.today)

    @cached_property
    def _files(self) -> Mapping[str, "Profile"]:
        from config.profile import load_profiles
        from metrics.catalogue import METRICS

        return load_profiles(self.settings.profiles, known_metrics=set(METRICS))

    def connector(self, name: str) -> "Connector":
        """The connector of one connection, with its secrets put in; wrong options are all named."""
        from connectors import connector_class

        found = self.settings.connection(name)
        options = reveal(name, found.options)
        return connector_class(found.kind)(name, options, loopback=self.settings.loopback)

    def rules(self, connection: ConnectionSettings) -> "Rules":
        """What a run of this connection has to know."""
        from sync.rules import Rules

        return Rules(
            currency=self.settings.currency,
            zone=self.settings.zone,
            landing=Path(self.settings.landing),
            calendar=self.settings.calendar,
            people=connection.people,
            working_group=connection.working_group,
            reconcile_hours=connection.reconcile_hours,
            whole_days=connection.whole_days,
            brake=self.settings.brake,
            landing_days=self.settings.landing_days,
        )

    def sync(self, name: str, **how: Any) -> "RunReport":
        """Sync one connection; `how` is what sync.run.run_sync takes."""
        from sync.run import run_sync

        with self._connected(name) as (connector, rules):
            title = self.settings.connection(name).title
            return run_sync(self.run_engine, name, connector, rules, clock=self.clock, title=title, **how)

    def replay(self, name: str, **how: Any) -> "RunReport":
        """Translate anew what was landed of a connection: sync.replay.replay."""
        from sync.replay import replay

        with self._connected(name) as (connector, rules):
            return replay(self.run_engine, name, connector, rules, clock=self.clock, **how)

    def backfill(self, name: str, first: date, end: date, **how: Any) -> "RunReport":
        """Read a range of days of a connection anew: sync.backfill.backfill."""
        from sync.backfill import backfill

        with self._connected(name) as (connector, rules):
            return backfill(self.run_engine, name, connector, rules, first, end, clock=self.clock, **how)

    @contextmanager
    def _connected(self, name: str) -> "Iterator[tuple[Connector, Rules]]":
        import gc

        found = self.settings.connection(name)
        connector = self.connector(name)
        if not gc.get_freeze_count():  # what was imported stays: a run's many rows are no reason to look through it
            gc.freeze()
        try:
            yield connector, self.rules(found)
        finally:
            connector.close()

    @contextmanager
    def rehearsing(self) -> "Iterator[Installation]":
        """This installation with a store and a landing folder in which nothing stays."""
        from sync.rehearsal import rehearsal

        with rehearsal(self.run_engine) as (engine, folder):
            pretended = Installation(self.settings.model_copy(update={"landing": folder / "landing"}), self.now)
            pretended.__dict__.update(engine=engine, run_engine=engine)
            yield pretended

    def refresh(self, touched: set[str], as_of: date | None = None, spans: "Touched | None" = None) -> int:
        """Bring today's scorecards up to date, and closed quarters in which deals changed; answers how many."""
        from sync.scorecards import refresh

        settings = self.settings
        return refresh(
            self.engine,
            self.profiles(as_of),
            touched,
            currency=settings.currency,
            calendar=settings.calendar,
            zone=settings.tz,
            as_of=as_of or self.today,
            now=self.clock(),
            spans=spans,
        )

    def refresh_page(self, people: set[str]) -> int:
        """After somebody wrote something on a page: the number is not touched, so closed quarters are let be."""
        return self.refresh(people)


def moment(text: str | None) -> datetime | None:
    """--now as typed: 2026-11-24, or 2026-11-24T09:00+01:00; a bare day is its noon in UTC, so no zone moves it."""
    if text is None:
        return None
    found = datetime.fromisoformat(text)
    if len(text) == 10:
        found = datetime.combine(found.date(), time(12))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
