"""One run of one connection: read, land, translate, plan, apply; then prove it against the source's own totals."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from connectors.base import Connector
from connectors.errors import BudgetSpent, SignInAgain, TryAgainLater
from models import Connection as ConnectionRow
from models import Reject, StreamRun, SyncRun
from models.base import core, insert_into, new_id
from models.errors import UserError
from models.ledger import RunStatus
from models.period import holding
from sync import apply as write
from sync import calendar, lease, totals
from sync.landing import prune
from sync.plan import Plan
from sync.report import RunReport, StreamReport
from sync.rules import Rules
from sync.stream import (
    Run,
    Stopped,
    alone,
    keep_unproven,
    lease_of,
    read_stream,
    sentence,
    start_whole,
    sums_are_due,
    unproven,
)


def run_sync(
    engine: Engine,
    source: str,
    connector: Connector,
    rules: Rules,
    *,
    clock: Callable[[], datetime],
    slot: str | None = None,
    trigger: str = "hand",
    title: str = "",
    allow_removals: int = 0,
    streams: Collection[str] = (),
    full: bool = False,
    progress: Callable[[StreamReport], None] = lambda report: None,
    stop: Callable[[], bool] = lambda: False,
    watch: Callable[[str, Plan, pd.DataFrame], None] = lambda stream, todo, stored: None,
) -> RunReport:
    """Sync one connection once. Raises Locked when it is running elsewhere; every other failure is in the report.

    `slot` names a scheduled run: a slot that has a run already is `skipped`. `allow_removals` is the number of rows
    that the brake may let go, as a person confirmed it. `streams` are the only ones to read, beside a whole run that
    may be going on; `full` reads everything whole and compares all counts. `watch` is told of each plan.
    """
    with ExitStack() as leases:
        holds = () if streams else (leases.enter_context(lease.held(engine, lease_of(source), clock)),)
        report = RunReport(new_id(), source)
        run = Run(
            engine, source, connector, rules, clock, report, holds, allow_removals, stop=stop, full=full, watch=watch
        )
        if not open_run(run, slot, trigger):
            report.status, report.message = RunStatus.SKIPPED, f"slot {slot} was run already"
            return report
        with recorded(run, proves=not streams):
            _read(run, title, streams, progress)
            _prune(run)
        return report


def _prune(run: Run) -> None:
    """After a run that read everything: let go of landed batches that are neither young nor needed for a replay."""
    if run.report.status not in (RunStatus.SUCCESS, RunStatus.PARTIAL):
        return
    with run.engine.connect() as connection:
        started = run_starts(connection, run.source)
    prune(run.rules.landing, run.source, started, run.clock() - timedelta(days=run.rules.landing_days))


def run_starts(connection: Connection, source: str) -> dict[str, datetime]:
    """When each run of a connection started."""
    table = core(SyncRun).c
    rows = connection.execute(select(table.id, table.started_at).where(table.connection == source))
    return {row.id: row.started_at for row in rows}


@contextmanager
def recorded(run: Run, proves: bool = True) -> Iterator[None]:
    """Put whatever becomes of a run into its report and the books; `proves`: it makes the figures fresh."""
    report = run.report
    try:
        yield
    except Stopped as error:
        report.status, report.message = RunStatus.CANCELLED, sentence(error)
    except (UserError, SQLAlchemyError, OSError) as error:
        report.status, report.message = RunStatus.FAILED, sentence(error)
    except KeyboardInterrupt:
        report.status, report.message = RunStatus.CANCELLED, "stopped by hand; the next run goes on from here"
        raise
    finally:
        _close(run, proves)


@contextmanager
def part_of(run: Run, stream: str, progress: Callable[[StreamReport], None]) -> Iterator[StreamReport]:
    """One stream of a replay or a backfill, held by this run alone; what becomes of it stands in its report."""
    report, calls = StreamReport(stream, RunStatus.SUCCESS), run.connector.calls
    run.report.streams.append(report)
    try:
        with alone(run, stream):
            yield report
        if report.rejected:
            report.status = RunStatus.PARTIAL
    except UserError as error:
        report.status, report.message = RunStatus.FAILED, str(error)
    report.calls = run.connector.calls - calls
    progress(report)


def ran_already(engine: Engine, source: str, slot: str) -> bool:
    """Whether a slot of a connection has a run, whatever came of it."""
    table = core(SyncRun).c
    with engine.connect() as connection:
        return connection.scalar(select(table.id).where(table.connection == source, table.slot == slot)) is not None


def open_run(run: Run, slot: str | None, trigger: str) -> bool:
    """Write the run's row and take over what earlier runs left unproven; False when its slot has a run already."""
    table, now = core(SyncRun), run.clock()
    with run.engine.begin() as connection:
        run.spans |= unproven(connection, run.source)
        close_stale(connection, run.source, now, run.holds)
        name = slot or f"{trigger}:{run.report.run_id}"
        row: dict[str, Any] = {"id": run.report.run_id, "connection": run.source, "slot": name}
        row |= {"trigger": trigger, "status": RunStatus.RUNNING, "started_at": now, "calls": 0, "message": ""}
        fresh = insert_into(connection, table).values(**row).on_conflict_do_nothing()
        return connection.execute(fresh.returning(table.c.id)).first() is not None


STALE = "ended without a word: the process was killed or the machine went down; the next run goes on from there"


def close_stale(connection: Connection, source: str, now: datetime, mine: Iterable[lease.Hold] = ()) -> int:
    """Call runs of a connection stale that say they are running while nobody holds anything of it; how many."""
    if lease.in_use(connection, lease_of(source), now, mine):
        return 0
    table = core(SyncRun)
    dead = (table.c.connection == source, table.c.status == RunStatus.RUNNING)
    return connection.execute(
        update(table).where(*dead).values(status=RunStatus.STALE, finished_at=now, message=STALE)
    ).rowcount


def _read(run: Run, title: str, only: Collection[str], progress: Callable[[StreamReport], None]) -> None:
    account = run.connector.account()
    with run.engine.begin() as connection:
        row = {"kind": run.connector.kind, "title": title or run.source, **vars(account)}
        fresh = insert_into(connection, core(ConnectionRow)).values(name=run.source, **row)
        connection.execute(fresh.on_conflict_do_update(index_elements=["name"], set_=row))
    there = run.connector.streams()
    streams = [s for s in there if not only or s.name in only]
    if unknown := set(only) - {s.name for s in there}:
        names = ", ".join(s.name for s in there)
        raise UserError(f"{run.source} has no stream {', '.join(sorted(unknown))}; it has {names}")
    with run.engine.connect() as connection:
        stored = write.stored_cursors(connection, run.source)
    going_on = {n: c for n, (c, checks) in stored.items() if not start_whole(run, c, checks)}
    spent = ""
    try:
        run.connector.ready({s.name: going_on[s.name] for s in streams if s.name in going_on})
        for stream in streams:
            report = StreamReport(stream.name)
            run.report.streams.append(report)
            started, calls = time.monotonic(), run.connector.calls
            try:
                with alone(run, stream.name):
                    read_stream(run, stream, report, *stored.get(stream.name, (None, {})))
                report.status = RunStatus.PARTIAL if report.rejected else RunStatus.SUCCESS
                if report.rejected:
                    report.message = f"{report.rejected} {'row was' if report.rejected == 1 else 'rows were'} rejected"
            except BudgetSpent as error:
                report.status, report.message = RunStatus.PARTIAL, sentence(error)
                raise
            except Stopped as error:
                report.status, report.message = RunStatus.CANCELLED, sentence(error)
                raise
            except lease.Locked as error:  # another run reads it just now
                report.status, report.message = RunStatus.SKIPPED, sentence(error)
            except (UserError, SQLAlchemyError, OSError) as error:
                report.status, report.message = RunStatus.FAILED, sentence(error)
                if isinstance(error, SignInAgain | TryAgainLater | lease.LeaseLost):
                    raise  # the other streams would meet the same wall
            finally:
                report.seconds, report.calls = time.monotonic() - started, run.connector.calls - calls
                progress(report)
    except BudgetSpent as error:
        spent = sentence(error)
    if spent:
        run.report.status, run.report.message = RunStatus.PARTIAL, spent
    else:
        prove(run)


def prove(run: Run) -> None:
    """Success needs proof: the source's own totals of every quarter that this run touched equal ours."""
    report, now = run.report, run.clock()
    failed = [s for s in report.streams if s.status == RunStatus.FAILED]
    if failed and len(failed) == len(report.streams):
        report.status, report.message = RunStatus.FAILED, failed[0].message
        return
    unread = (RunStatus.FAILED, RunStatus.SKIPPED)
    problems = [s.message for s in report.streams if s.status in unread]
    if any(s.stream == "deals" and s.status not in unread for s in report.streams):
        problems += _compare_totals(run, run.today, now)
    with run.engine.connect() as connection:  # those of earlier runs too: they are still not in the figures
        table = core(Reject).c
        rejected = connection.scalar(select(func.count()).where(table.connection == run.source)) or 0
    if rejected:
        problems.append(f"{rejected} {'row is' if rejected == 1 else 'rows are'} rejected, each with its reason")
    report.status = RunStatus.PARTIAL if problems else RunStatus.SUCCESS
    report.message = "; ".join(problems) or _good_words(report)


def _compare_totals(run: Run, today: date, now: datetime) -> list[str]:
    with run.engine.begin() as connection:
        periods = calendar.ensure_periods(connection, run.rules.calendar, pd.Series([pd.Timestamp(today)]))
        lately, counted = totals.lately_added_up(connection, run.source)
    current, due = holding(periods, today), sums_are_due(run)
    running = {(current.first_day, current.end_day)} if current else set()
    spans = sorted({*run.spans, *running, *(counted if due else ())})
    try:
        theirs = run.connector.totals(spans, [] if due else sorted({*lately, *counted} - running))
    except UserError as error:
        return [f"the source's own totals could not be had, so ours are not proven: {sentence(error)}"]
    with run.engine.begin() as connection:
        run.renew(connection)
        totals.keep_source_totals(connection, run.source, spans, theirs, run.report.run_id, now)
        found = totals.differences(connection, run.source, spans, theirs)
        keep_unproven(connection, run.source, {span for span, _ in found}, set(spans))
        if due:
            write.keep_checks(connection, run.source, "deals", {"sums": now.isoformat()})
    return [words for _, words in found]


def _good_words(report: RunReport) -> str:
    if not report.wrote:
        return "nothing has changed"
    return f"{report.wrote:,} {'row' if report.wrote == 1 else 'rows'} written; totals equal the source's own"


def _close(run: Run, proves: bool) -> None:
    report, now = run.report, run.clock()
    report.calls = run.connector.calls
    with run.engine.begin() as connection:
        table = core(SyncRun)
        values = {"status": report.status, "message": report.message, "calls": report.calls, "finished_at": now}
        connection.execute(update(table).where(table.c.id == report.run_id).values(**values))
        rows = [_stream_row(report.run_id, s) for s in report.streams]
        if rows:
            connection.execute(core(StreamRun).insert(), rows)
        failed = any(s.status == RunStatus.FAILED for s in report.streams)  # what it tells is as old as before
        if proves and not failed and report.status in (RunStatus.SUCCESS, RunStatus.PARTIAL):
            row = core(ConnectionRow)
            fresh = {"last_success_at": now, "last_success_run": report.run_id}
            connection.execute(update(row).where(row.c.name == run.source).values(**fresh))


def _stream_row(run_id: str, report: StreamReport) -> dict[str, Any]:
    fields: Iterable[str] = set(StreamRun.model_fields) - {"run_id", "notes"}
    return {"run_id": run_id, "notes": report.notes, **{f: getattr(report, f) for f in fields}}
