"""One stream of one run: read, land, translate, plan, apply; then compared with what the source counts by itself."""

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from connectors.base import Batch, Connector, Drafts, Note, Part, RejectDraft, Stream
from models import Deal, Period
from models.base import core
from models.errors import UserError
from models.period import in_force
from sync import apply as write
from sync import calendar, counts, identity, lease, money, organisation, references, totals
from sync.landing import gather, land
from sync.plan import Plan, missing_share, plan
from sync.report import RunReport, StreamReport
from sync.rules import Rules
from sync.targets import TARGETS

PRIVATE = {"feedback"}
"""Streams that are not landed: a second copy in file order would say who wrote first."""


class Brake(UserError):
    """The source lost too much at once to be believed; nothing was removed."""


@dataclass
class Run:
    """Everything one run carries along."""

    engine: Engine
    source: str
    connector: Connector
    rules: Rules
    clock: Callable[[], datetime]
    report: RunReport
    holds: tuple[lease.Hold, ...]  # each is renewed in every transaction that writes
    allow_removals: int = 0
    spans: set[totals.Span] = field(default_factory=set)  # whose totals are to be compared with the source's own
    rates: money.Rates | None = None
    landed: int = 0
    stop: Callable[[], bool] = lambda: False  # asked at the end of each batch
    full: bool = False  # everything is read whole and counted, due or not
    watch: Callable[[str, Plan, pd.DataFrame], None] = lambda stream, todo, stored: None  # told of each plan

    @property
    def today(self) -> date:
        """The day that it is in the reporting zone."""
        return self.clock().astimezone(ZoneInfo(self.rules.zone)).date()

    def renew(self, connection: Connection) -> None:
        """Prove that what this run holds is still its own; LeaseLost otherwise."""
        for hold in self.holds:
            hold.renew(connection, self.clock())


@contextmanager
def alone(run: Run, stream: str) -> Iterator[None]:
    """Hold a stream, so that no other run reads or replays it meanwhile; Locked when one does."""
    before = run.holds
    with lease.held(run.engine, f"{lease_of(run.source)}:{stream}", run.clock) as hold:
        run.holds = (*before, hold)
        try:
            yield
        finally:
            run.holds = before


def lease_of(source: str) -> str:
    """The lease of a connection's whole runs; those of its streams begin with it."""
    return f"sync:{source}"


class Stopped(UserError):
    """The process was asked to end; what was stored stays."""


@dataclass
class Reading:
    """A stream while it is read: how many rows were stored before, and which of them have not come yet."""

    stream: str
    report: StreamReport
    had: int
    missing: set[str] | None = None  # stored ids that have not come, when everything is read: at the end they are gone
    came: bool = False
    fresh: bool = False  # nothing of it was ever stored, so there is nothing to compare with
    begins: bool = False  # the next batch is the first one of a whole read


def start_whole(run: Run, cursor: Mapping[str, Any] | None, checks: Mapping[str, str]) -> bool:
    """Whether a stream that is read by changes is due to be read whole; never in the middle of a pull."""
    if cursor is None or not cursor.get("since") or "stamp" in cursor:
        return cursor is None
    if run.full or "whole" not in checks:
        return run.full
    return run.rules.whole_days > 0 and _due(run, checks["whole"], timedelta(days=run.rules.whole_days))


def _due(run: Run, last: str, after: timedelta) -> bool:
    return run.clock() - datetime.fromisoformat(last) >= after


def read_stream(
    run: Run, stream: Stream, report: StreamReport, cursor: dict[str, Any] | None, checks: Mapping[str, str]
) -> None:
    """Read a stream from where it stopped and store it batch by batch, each in a transaction with its cursor."""
    if not stream.snapshot and start_whole(run, cursor, checks):
        cursor = None
    whole = stream.snapshot or cursor is None
    with run.engine.connect() as connection:
        live = write.live_ids(connection, run.source, TARGETS[stream.name]) if whole else None
        had = len(live) if live is not None else write.live_count(connection, run.source, TARGETS[stream.name])
        fresh = had == 0 and write.is_empty(connection, run.source, TARGETS[stream.name])
    reading = Reading(stream.name, report, had, live, fresh=fresh, begins=whole)
    overdue = False
    limit = {"people": 10**9}.get(stream.name, 0)  # who shares a mailbox is seen only when everybody is
    for batch in gather(run.connector.pull(stream.name, cursor), *([limit] if limit else [])):
        if batch.facts.get("unchanged"):
            report.read = report.kept = reading.had
            return
        _store(run, reading, batch, keep_cursor=batch.last or not stream.snapshot)
        overdue = bool(batch.cursor.get("overdue"))
        if run.stop():
            raise Stopped(
                "the process was asked to end, so this run stopped after a batch; the next one goes on from here"
            )
    if whole and not stream.snapshot:
        _checked(run, stream.name, {"whole": run.clock().isoformat()})
    if stream.countable and (run.full or overdue or "count" not in checks or _due_count(run, checks)):
        _compare(run, stream, report)


def _due_count(run: Run, checks: Mapping[str, str]) -> bool:
    return _due(run, checks["count"], timedelta(hours=run.rules.reconcile_hours))


def sums_are_due(run: Run) -> bool:
    """Whether the source's money is to be added up again, where an everyday run only counts."""
    with run.engine.connect() as connection:
        _, checks = write.stored_cursors(connection, run.source).get("deals", ({}, {}))
    return "sums" not in checks or _due(run, checks["sums"], timedelta(hours=run.rules.reconcile_hours))


def unproven(connection: Connection, source: str) -> set[totals.Span]:
    """The spans that earlier runs wrote into or found different, and that no run has proven since."""
    _, checks = write.stored_cursors(connection, source).get("deals", ({}, {}))
    days = [date.fromisoformat(day) for day in checks.get("unproven", "").split()]
    return set(zip(days[::2], days[1::2], strict=True))


def keep_unproven(connection: Connection, source: str, more: set[totals.Span], proven: set[totals.Span]) -> None:
    """Remember what is still to be proven, so that neither a kill nor a quiet run after it passes for a proof."""
    spans = (unproven(connection, source) - proven) | more
    words = " ".join(day.isoformat() for span in sorted(spans) for day in span)
    write.keep_checks(connection, source, "deals", {"unproven": words})


def _checked(run: Run, stream: str, checks: Mapping[str, str]) -> None:
    with run.engine.begin() as connection:
        write.keep_checks(connection, run.source, stream, checks)


def _compare(run: Run, stream: Stream, report: StreamReport) -> None:
    """Compare with what the source counts by itself, and read anew the parts that differ.

    That is how rows that no query shows any more are found, and values that change without moving a time stamp.
    """
    parts = run.connector.survey(stream.name)
    if parts is None:
        return
    with run.engine.connect() as connection:
        differing = counts.differing(connection, run.source, stream.name, parts)
    before = report.created + report.changed + report.removed
    for part, known in differing:
        read_part(run, stream.name, part, known, report)
    found = report.created + report.changed + report.removed - before
    if found:
        report.note([Note("found by counting only: no time stamp and no deletion log told of it", found)])
    _checked(run, stream.name, {"count": run.clock().isoformat()})


def read_part(run: Run, stream: str, part: Part, known: set[str], report: StreamReport) -> None:
    """Read one part of a stream anew; what is known of it and does not come is gone."""
    reading = Reading(stream, report, len(known), set(known))
    empty: Batch | None = None
    for batch in gather(run.connector.recheck(stream, part, sorted(known))):
        _store(run, reading, batch, keep_cursor=False)
        empty = batch
    if reading.missing and empty is not None:
        _store(run, reading, Batch(stream, empty.table.slice(0, 0), {}, empty.facts, last=True), False)


def _store(run: Run, reading: Reading, batch: Batch, keep_cursor: bool) -> None:
    """Land, translate and store one batch, with the cursor that stands for it, in one transaction."""
    report = reading.report
    if batch.stream not in PRIVATE and (batch.table.num_rows or reading.begins or (batch.last and report.read)):
        land(run.rules.landing, run.source, run.report.run_id, run.landed, batch, reading.begins)
        run.landed += 1
        reading.begins = False
    take(run, reading, batch, run.connector.translate(batch), keep_cursor)


def take(run: Run, reading: Reading, batch: Batch, drafts: Drafts, keep_cursor: bool) -> None:
    """Plan and write one batch of drafts, with the cursor that stands for it, in one transaction."""
    stream, report, target = reading.stream, reading.report, TARGETS[reading.stream]
    with run.engine.begin() as connection:
        now = run.clock()
        run.renew(connection)
        rows, rejects = _enrich(connection, run, reading, drafts)
        rows = write.filled(rows, target)
        named = rows["external_id"].tolist()
        ids, gone = set(named), {r.external_id for r in rejects}
        reading.came |= bool(ids or gone)
        if reading.missing is not None:
            reading.missing -= ids | gone
        if batch.span is not None:
            gone |= counts.ids_within(connection, run.source, stream, batch.span) - ids
        elif batch.last and reading.missing:
            gone |= reading.missing
        if reading.fresh and not report.read:
            write.set_indexes_aside(connection, target)
        theirs = write.written_here(connection, run.source, target, rows)
        read, gone = len(rows), gone - theirs
        rows = rows[~rows["external_id"].isin(theirs)]
        known = [] if reading.fresh else [*named, *gone]
        stored = write.stored_rows(connection, run.source, target, known)
        todo = plan(rows, stored, target.columns, target.history, sorted(gone))
        _brake(run, stream, reading.had, report.removed + len(todo.remove), reading.came)
        run.watch(stream, todo, stored)
        write.apply(connection, run.source, stream, todo, run.report.run_id, now)
        if stream == "fiscal_periods" and batch.last:  # told of the stored ones, so only now
            rejects += calendar.misfits(connection, run.source, run.rules.calendar)
        write.keep_rejects(connection, run.source, stream, rejects, named, run.report.run_id, now)
        if keep_cursor:
            write.keep_cursor(connection, run.source, stream, batch.cursor, run.report.run_id, now)
            write.keep_checks(connection, run.source, stream, batch.checks)
        _remember(connection, run, stream, todo, stored)
        if stream == "deals" and todo.writes:
            keep_unproven(connection, run.source, run.spans, set())
        if batch.last:
            write.make_indexes(connection, target)
        # In the same transaction: a run that dies here has either both or neither, so that the next one heals it.
        if todo.writes and stream == "people":
            run.report.touched |= identity.reassign(connection, run.source)
        if todo.writes and stream == "rates":
            run.rates = None  # they are read again
            run.report.touched |= money.reconvert(connection, run.rules.currency)
    report.read += batch.table.num_rows
    report.created += len(todo.create)
    report.changed += len(todo.change)
    report.removed += len(todo.remove)
    report.kept += todo.kept + read - len(rows)
    report.rejected += len(rejects)
    report.note(list(drafts.notes))


def _enrich(
    connection: Connection, run: Run, reading: Reading, drafts: Drafts
) -> tuple[pd.DataFrame, list[RejectDraft]]:
    """What only the store knows: who it is about, in which period it falls, and its worth in the reporting currency."""
    stream, report = reading.stream, reading.report
    rows, rejects = drafts.rows, list(drafts.rejects)
    if stream == "people":
        rows = identity.resolve(connection, run.source, rows, run.rules)
        kept = organisation.keep(connection, run.source, rows, run.rules, run.today)
        run.report.touched |= kept.touched
        report.note(kept.notes)
        for about in kept.well:
            cut = kept.cut.get(about, [])
            write.keep_rejects(connection, run.source, about, cut, kept.well[about], run.report.run_id, run.clock())
        return rows, rejects
    if "owner_external_id" in rows:
        rows = rows.assign(person_id=identity.owners(connection, run.source, rows["owner_external_id"]))
    if stream in ("deals", "quotas"):
        day = "close_day" if stream == "deals" else "first_day"
        periods = calendar.ensure_periods(connection, run.rules.calendar, rows[day])
        run.rates = run.rates or money.Rates.stored(connection)
        rows["reporting_minor"] = money.reporting_minor(rows, day, run.source, run.rates, run.rules.currency)
        if stream == "deals":
            rows["period_id"] = calendar.period_ids(rows["close_day"], periods)
    else:
        rows, lost = references.link(connection, run.source, stream, rows)
        rejects += lost
    return rows, rejects


def _brake(run: Run, stream: str, had: int, lost: int, anything: bool) -> None:
    rules = run.rules
    heavy = lost >= rules.brake_from and missing_share(had, lost) > rules.brake
    empty = not anything and had >= 3 and lost >= had
    if (heavy or empty) and lost > run.allow_removals:
        raise Brake(
            f"{run.source}: {lost} of {had} {stream} are gone from the source ({missing_share(had, lost):.0%}); "
            f"nothing was removed. If that is right, run again with --allow-removals {lost}"
        )


def _remember(connection: Connection, run: Run, stream: str, todo: Plan, stored: pd.DataFrame) -> None:
    """Note whom this batch touched, which quarters its deals close in, and whose number of which quarter changed."""
    moved = {*todo.change["external_id"].tolist(), *todo.remove}
    before = stored[stored["external_id"].isin(moved)]
    after = pd.concat([todo.create, todo.change]) if len(todo.change) else todo.create
    for frame in (before, after):
        for column in ("person_id", "with_person_id"):
            if column in frame:
                run.report.touched |= set(frame[column].dropna().unique().tolist())
    if stream == "splits" and (len(before) or len(after)):
        table = core(Deal).c
        deals = [*before["deal_external_id"], *after["deal_external_id"]]
        credited = set(pd.concat([before["person_id"], after["person_id"]]).dropna())
        for start in range(0, len(deals), write.CHUNK):
            wanted = table.external_id.in_(deals[start : start + write.CHUNK])
            query = select(table.person_id, table.close_day).where(table.connection == run.source, wanted)
            rows = connection.execute(query).all()
            owners = {row.person_id for row in rows} - {None}
            run.report.touched |= owners
            for span in _quarters(connection, run, pd.Series([pd.Timestamp(r.close_day) for r in rows if r.close_day])):
                run.report.mark(span, owners | credited)
    if stream == "deals":
        for frame in (before, after):
            known = frame.loc[frame["close_day"].notna(), ["close_day", "person_id"]]
            for span, part in _by_quarter(connection, run, known):
                run.spans.add(span)  # those are also compared with the source's own totals
                run.report.mark(span, part["person_id"].dropna().unique().tolist())
    if stream == "quotas":
        _mark_quotas(connection, run, pd.concat([before, after]))


def _by_quarter(connection: Connection, run: Run, deals: pd.DataFrame) -> Iterator[tuple[totals.Span, pd.DataFrame]]:
    periods = calendar.ensure_periods(connection, run.rules.calendar, deals["close_day"].drop_duplicates())
    spans = {p.id: (p.first_day, p.end_day) for p in periods}
    for name, part in deals.groupby(calendar.period_ids(deals["close_day"], periods)):
        yield spans[str(name)], part


def _quarters(connection: Connection, run: Run, days: "pd.Series[Any]") -> set[totals.Span]:
    if days.empty:
        return set()
    periods = calendar.ensure_periods(connection, run.rules.calendar, days)
    names = set(calendar.period_ids(days, periods).dropna())
    return {(p.first_day, p.end_day) for p in periods if p.id in names}


def _mark_quotas(connection: Connection, run: Run, quotas: pd.DataFrame) -> None:
    """A quota changes the number of every stored quarter that it is asked for in."""
    if quotas.empty:
        return
    table = core(Period).c
    quarters = connection.execute(
        select(table.first_day, table.end_day).where(table.kind == "quarter", in_force())
    ).all()
    for (first, end), part in quotas.groupby([quotas["first_day"].dt.date, quotas["end_day"].dt.date]):
        for quarter in quarters:
            if quarter.first_day < end and quarter.end_day > first:
                run.report.mark((quarter.first_day, quarter.end_day), set(part["person_id"].dropna()))


def sentence(error: Exception) -> str:
    """One sentence for the books: never a traceback, a statement or the values in it."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, SQLAlchemyError):
        cause = getattr(error, "orig", None) or error
        words = f"{type(cause).__name__}: {(str(cause).splitlines() or [''])[0][:120]}"
        if getattr(error, "connection_invalidated", False):
            what, fix = "the connection to the store was lost", "see whether the database is up"
        elif "is full" in words or "DiskFull" in words:
            what, fix = "the disk of the store is full", "free some space"
        elif "locked" in words:
            what, fix = "another process kept the store locked", "see what holds it open"
        else:
            what, fix = "the store did not take the batch", "see the log of the database"
        return f"{what}; nothing of this batch was written; {fix}, the next run goes on from there ({words})"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        words = f"the disk of the landing folder is full ({error.strerror})"
        return f"{words}; free some space, the next run goes on from there"
    return (
        f"the machine refused a file ({type(error).__name__}: {error.strerror if isinstance(error, OSError) else ''})"
    )
