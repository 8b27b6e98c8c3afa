"""One run of one connection: read, land, translate, plan, apply; then prove it against the source's own totals."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from connectors.base import Connector, Drafts, RejectDraft, Stream
from connectors.errors import SignInAgain, TryAgainLater
from models import Connection as ConnectionRow
from models import Deal, Reject, StreamRun, SyncRun
from models.base import core, new_id
from models.errors import UserError
from models.ledger import RunStatus
from models.period import period_of
from sync import apply as write
from sync import identity, lease, money, organisation, references, totals
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
    hold: lease.Hold
    allow_removals: int
    spans: set[totals.Span]
    rates_changed: bool = False
    people_changed: bool = False


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
    progress: Callable[[StreamReport], None] = lambda report: None,
) -> RunReport:
    """Sync one connection once. Raises Locked when it is running elsewhere; every other failure is in the report.

    `slot` names a scheduled run: a slot that has a run already is `skipped`. `allow_removals` is the number of rows
    that the brake may let go, as a person confirmed it.
    """
    hold = lease.take(engine, f"sync:{source}", clock())
    try:
        run_id = new_id()
        report = RunReport(run_id, source)
        if not _open(engine, run_id, source, slot or f"hand:{run_id}", trigger, clock()):
            report.status, report.message = RunStatus.SKIPPED, f"slot {slot} was run already"
            return report
        run = Run(engine, source, connector, rules, clock, report, hold, allow_removals, set())
        try:
            _read(run, title, progress)
        except (UserError, SQLAlchemyError, OSError) as error:
            report.status, report.message = RunStatus.FAILED, _sentence(error)
        except KeyboardInterrupt:
            report.status, report.message = RunStatus.CANCELLED, "stopped by hand; the next run goes on from here"
            raise
        finally:
            _close(run)
        return report
    finally:
        hold.release(engine, clock())


def ran_already(engine: Engine, source: str, slot: str) -> bool:
    """Whether a slot of a connection has a run, whatever came of it."""
    table = core(SyncRun).c
    with engine.connect() as connection:
        return connection.scalar(select(table.id).where(table.connection == source, table.slot == slot)) is not None


def _open(engine: Engine, run_id: str, source: str, slot: str, trigger: str, now: datetime) -> bool:
    """Write the run's row. A run that never came back is called what it is; a slot that has a run is not run again."""
    table = core(SyncRun)
    with engine.begin() as connection:
        dead = (table.c.connection == source, table.c.status == RunStatus.RUNNING)
        words = "ended without a word: the process was killed or the machine went down; the next run went on from there"
        connection.execute(update(table).where(*dead).values(status=RunStatus.FAILED, finished_at=now, message=words))
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        row = {"id": run_id, "connection": source, "slot": slot, "trigger": trigger, "status": RunStatus.RUNNING}
        fresh = insert(table).values(**row, started_at=now, calls=0, message="").on_conflict_do_nothing()
        return connection.execute(fresh.returning(table.c.id)).first() is not None


def _read(run: Run, title: str, progress: Callable[[StreamReport], None]) -> None:
    account = run.connector.account()
    with run.engine.begin() as connection:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        row = {"kind": run.connector.kind, "title": title or run.source, **vars(account)}
        fresh = insert(core(ConnectionRow)).values(name=run.source, **row)
        connection.execute(fresh.on_conflict_do_update(index_elements=["name"], set_=row))
    for stream in run.connector.streams():
        report = StreamReport(stream.name)
        run.report.streams.append(report)
        started, calls = time.monotonic(), run.connector.calls
        try:
            _stream(run, stream, report)
            report.status = RunStatus.PARTIAL if report.rejected else RunStatus.SUCCESS
            if report.rejected:
                report.message = f"{report.rejected} {'row was' if report.rejected == 1 else 'rows were'} rejected"
        except (UserError, SQLAlchemyError, OSError) as error:
            report.status, report.message = RunStatus.FAILED, _sentence(error)
            if isinstance(error, SignInAgain | TryAgainLater | lease.LeaseLost):
                raise  # the other streams would meet the same wall
        finally:
            report.seconds, report.calls = time.monotonic() - started, run.connector.calls - calls
            progress(report)
    _settle(run)
    _prove(run)


def _stream(run: Run, stream: Stream, report: StreamReport) -> None:
    target = TARGETS[stream.name]
    with run.engine.connect() as connection:
        cursor = write.stored_cursor(connection, run.source, stream.name)
        live = write.live_ids(connection, run.source, target) if stream.snapshot or cursor is None else set()
        had = len(live) if live else _count(connection, run.source, stream.name)
    whole = stream.snapshot or cursor is None
    seen: set[str] = set()
    for number, batch in enumerate(gather(run.connector.pull(stream.name, cursor))):
        if batch.facts.get("unchanged"):
            report.read = report.kept = had
            return
        if stream.name not in PRIVATE and batch.table.num_rows:
            land(run.rules.landing, run.source, run.report.run_id, number, batch)
        drafts = run.connector.translate(batch)
        with run.engine.begin() as connection:
            now = run.clock()
            run.hold.renew(connection, now)
            rows, rejects = _enrich(connection, run, stream.name, drafts)
            rows = write.filled(rows, target)
            seen |= set(rows["external_id"])
            gone = {r.external_id for r in rejects}
            if whole and batch.last:
                gone |= live - seen
            known = [*rows["external_id"], *gone]
            stored = write.stored_rows(connection, run.source, target, known)
            todo = plan(rows, stored, target.columns, target.history, sorted(gone))
            _brake(run, stream.name, had, report.removed + len(todo.remove), bool(seen))
            write.apply(connection, run.source, stream.name, todo, run.report.run_id, now)
            write.keep_rejects(
                connection, run.source, stream.name, rejects, rows["external_id"], run.report.run_id, now
            )
            if batch.last or not stream.snapshot:
                write.keep_cursor(connection, run.source, stream.name, batch.cursor, run.report.run_id, now)
            _remember(connection, run, stream.name, todo, stored, rows)
        report.read += batch.table.num_rows
        report.created += len(todo.create)
        report.changed += len(todo.change)
        report.removed += len(todo.remove)
        report.kept += todo.kept
        report.rejected += len(rejects)
        report.note(list(drafts.notes))


def _count(connection: Connection, source: str, stream: str) -> int:
    return len(write.live_ids(connection, source, TARGETS[stream]))


def _enrich(connection: Connection, run: Run, stream: str, drafts: Drafts) -> tuple[pd.DataFrame, list[RejectDraft]]:
    """What only the store knows: who it is about, in which period it falls, and its worth in the reporting currency."""
    rows, rejects = drafts.rows, list(drafts.rejects)
    if stream == "people":
        rows = identity.resolve(connection, run.source, rows, run.rules)
        run.report.touched |= organisation.keep(connection, run.source, rows, run.rules, run.clock().date())
        return rows, rejects
    if stream in ("deals", "quotas", "splits"):
        rows = rows.assign(person_id=identity.owners(connection, run.source, rows["owner_external_id"]))
    if stream in ("deals", "quotas"):
        day = "close_day" if stream == "deals" else "first_day"
        periods = money.ensure_periods(connection, run.rules.calendar, rows[day])
        rates = money.Rates.stored(connection)
        rows["reporting_minor"] = money.reporting_minor(rows, day, run.source, rates, run.rules.currency)
        if stream == "deals":
            rows["period_id"] = money.period_ids(rows["close_day"], periods)
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


def _remember(
    connection: Connection, run: Run, stream: str, todo: Plan, stored: pd.DataFrame, rows: pd.DataFrame
) -> None:
    """Note whom this batch touched and which quarters its deals close in."""
    moved = {*todo.change["external_id"], *todo.remove}
    before = stored[stored["external_id"].isin(moved)]
    after = rows[rows["external_id"].isin({*todo.create["external_id"], *todo.change["external_id"]})]
    for frame in (before, after):
        for column in ("person_id", "with_person_id"):
            if column in frame:
                run.report.touched |= set(frame[column].dropna())
    if stream == "splits" and (len(before) or len(after)):
        table = core(Deal).c
        deals = [*before["deal_external_id"], *after["deal_external_id"]]
        for start in range(0, len(deals), write.CHUNK):
            wanted = table.external_id.in_(deals[start : start + write.CHUNK])
            query = select(table.person_id).where(table.connection == run.source, wanted)
            run.report.touched |= {p for p in connection.scalars(query) if p}
    if stream == "deals":
        days = pd.concat([before["close_day"], after["close_day"]]).dropna().drop_duplicates()
        periods = money.ensure_periods(connection, run.rules.calendar, days)
        for name in set(money.period_ids(days, periods).dropna()):
            period = next(p for p in periods if p.id == name)
            run.spans.add((period.first_day, period.end_day))
    run.rates_changed |= stream == "rates" and todo.writes > 0
    run.people_changed |= stream == "people" and todo.writes > 0


def _settle(run: Run) -> None:
    """What hangs together across streams: owners matched anew, money converted anew after a change of rates."""
    with run.engine.begin() as connection:
        run.hold.renew(connection, run.clock())
        if run.people_changed:
            run.report.touched |= identity.reassign(connection, run.source)
        if run.rates_changed:
            run.report.touched |= money.reconvert(connection, run.rules.currency)


def _prove(run: Run) -> None:
    """Success needs proof: the source's own totals of every quarter that this run touched equal ours."""
    report, now = run.report, run.clock()
    failed = [s for s in report.streams if s.status == RunStatus.FAILED]
    if failed and len(failed) == len(report.streams):
        report.status, report.message = RunStatus.FAILED, failed[0].message
        return
    problems = [s.message for s in failed]
    if any(s.stream == "deals" and s.status != RunStatus.FAILED for s in report.streams):
        problems += _compare_totals(run, now.date(), now)
    with run.engine.connect() as connection:  # those of earlier runs too: they are still not in the figures
        table = core(Reject).c
        rejected = connection.scalar(select(func.count()).where(table.connection == run.source)) or 0
    if rejected:
        problems.append(f"{rejected} {'row is' if rejected == 1 else 'rows are'} rejected, each with its reason")
    report.status = RunStatus.PARTIAL if problems else RunStatus.SUCCESS
    report.message = "; ".join(problems) or _good_words(report)


def _compare_totals(run: Run, today: date, now: datetime) -> list[str]:
    with run.engine.begin() as connection:
        periods = money.ensure_periods(connection, run.rules.calendar, pd.Series([pd.Timestamp(today)]))
    current = period_of(periods, today)
    spans = sorted({*run.spans, (current.first_day, current.end_day)})
    try:
        theirs = run.connector.totals(spans)
    except UserError as error:
        return [f"the source's own totals could not be had, so ours are not proven: {_sentence(error)}"]
    with run.engine.begin() as connection:
        run.hold.renew(connection, now)
        totals.keep_source_totals(connection, run.source, spans, theirs, run.report.run_id, now)
        return totals.differences(connection, run.source, theirs)


def _good_words(report: RunReport) -> str:
    if not report.wrote:
        return "nothing has changed"
    return f"{report.wrote:,} {'row' if report.wrote == 1 else 'rows'} written; totals equal the source's own"


def _close(run: Run) -> None:
    report, now = run.report, run.clock()
    report.calls = run.connector.calls
    with run.engine.begin() as connection:
        table = core(SyncRun)
        values = {"status": report.status, "message": report.message, "calls": report.calls, "finished_at": now}
        connection.execute(update(table).where(table.c.id == report.run_id).values(**values))
        rows = [_stream_row(report.run_id, s) for s in report.streams]
        if rows:
            connection.execute(core(StreamRun).insert(), rows)
        if report.status in (RunStatus.SUCCESS, RunStatus.PARTIAL):
            row = core(ConnectionRow)
            fresh = {"last_success_at": now, "last_success_run": report.run_id}
            connection.execute(update(row).where(row.c.name == run.source).values(**fresh))


def _stream_row(run_id: str, report: StreamReport) -> dict[str, Any]:
    fields: Iterable[str] = set(StreamRun.model_fields) - {"run_id", "notes"}
    return {"run_id": run_id, "notes": report.notes, **{f: getattr(report, f) for f in fields}}


def _sentence(error: Exception) -> str:
    """One sentence for the books: never a traceback, a statement or the values in it."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, SQLAlchemyError):
        cause = getattr(error, "orig", None) or error
        return f"the store did not take the batch ({type(cause).__name__}: {str(cause).splitlines()[0][:120]})"
    return (
        f"the machine refused a file ({type(error).__name__}: {error.strerror if isinstance(error, OSError) else ''})"
    )
