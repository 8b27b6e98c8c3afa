"""The sync page for operations: what each source says, what each run did, and which rows could not be taken over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, Row, func, select

from models import Connection as ConnectionRow
from models import Reject, Schedule, StreamCursor, StreamRun, SyncRun
from models.base import core
from models.ledger import RunStatus
from models.slots import freshness, stored_schedules, words
from web.access import Action, can
from web.site import Missing, NotAllowed, Reader, signed_in

router = APIRouter()

SHOWN_RUNS, SHOWN_REJECTS = 50, 300
OUTCOME = {
    RunStatus.RUNNING: "running now",
    RunStatus.SUCCESS: "complete",
    RunStatus.PARTIAL: "partly done",
    RunStatus.FAILED: "failed, the last good values stay",
    RunStatus.SKIPPED: "skipped",
    RunStatus.CANCELLED: "cancelled",
    RunStatus.STALE: "stopped without an end",
}
CHECKS = ("recycle bin", "deletion log", "count", "whole")
"""The ways in which lost rows are looked for, from the one that sees least to the one that sees everything."""

NOT_YOURS = "The sync pages are for operations and administrators. Your own page says how fresh its figures are."
WITHHELD = "(somebody's own words, not shown here)"
PERSONAL = frozenset({"objectives", "key_results", "check_ins", "feedback", "feedback_requests", "obstacles"})
PERSONAL |= {"relationships", "learning"}
PLAIN_FIELDS = frozenset({"id", "person", "with", "objective", "status", "kind", "shared", "weight", "batch", "month"})
PLAIN_FIELDS |= {"baseline", "target", "current", "asked", "asked_by", "asked_of", "answered", "given_week"}
PLAIN_FIELDS |= {"planned_on", "held_on", "asked_on", "due", "due_on", "starts", "starts_on", "done", "done_on"}
PLAIN_FIELDS |= {"opened", "opened_on", "resolved", "resolved_on", "updated_on", "measured_on", "next_contact"}
TRIGGER = {"hand": "by hand", "schedule": "on schedule", "catch-up": "caught up"}


def keeper(reader: Annotated[Reader, Depends(signed_in)]) -> Reader:
    """Somebody who keeps the syncs running; others are told whose page this is."""
    if not can(reader.actor, Action.READ_RUNS):
        raise NotAllowed(NOT_YOURS)
    return reader


Keeper = Annotated[Reader, Depends(keeper)]


@dataclass(frozen=True)
class SourceLine:
    """One connection: its state in words, how old its figures are, and when the next run is due."""

    name: str
    title: str
    kind: str
    state: str
    sentence: str
    schedule: str
    rejects: int
    checks: Sequence["CheckLine"]


@dataclass(frozen=True)
class CheckLine:
    """A stream, and when each way of finding its lost rows was last taken; "never" where it was not yet."""

    stream: str
    times: Sequence[str]


@dataclass(frozen=True)
class RunLine:
    """One run with what it did, added up over its streams."""

    id: str
    connection: str
    outcome: str
    status: str
    trigger: str
    started: str
    took: str
    read: int
    created: int
    changed: int
    removed: int
    rejected: int
    calls: int
    message: str


@dataclass(frozen=True)
class RunsPage:
    """Connections and runs."""

    sources: Sequence[SourceLine]
    runs: Sequence[RunLine]
    connection: str
    status: str
    statuses: Sequence[str]
    filtered: bool


@dataclass(frozen=True)
class RunPage:
    """One run: its streams, their notes, and the rows it could not take over."""

    run: RunLine
    streams: Sequence[Row[Any]]
    outcomes: dict[str, str]
    rejects: Sequence["RuleGroup"]


@dataclass(frozen=True)
class RejectedRow:
    """One row that could not be taken over. What a person wrote in their own words is not shown to operations."""

    external_id: str
    connection: str
    stream: str
    field: str
    raw_value: str
    message: str
    amount_minor: int | None
    currency: str | None


@dataclass(frozen=True)
class RuleGroup:
    """Rejected rows that broke the same rule, with how to fix them."""

    rule: str
    fix: str
    rows: Sequence[RejectedRow]


@dataclass(frozen=True)
class RejectsPage:
    """Every row that waits, by rule."""

    groups: Sequence[RuleGroup]
    total: int
    shown: int
    connection: str
    connections: Sequence[str]


@router.get("/runs")
def runs(reader: Keeper, connection: str = "", status: str = "") -> HTMLResponse:
    """The sync page."""
    with reader.site.engine.connect() as store:
        page = RunsPage(
            sources=_sources(store, reader),
            runs=_runs(store, reader, connection, status),
            connection=connection,
            status=status,
            statuses=[s.value for s in RunStatus],
            filtered=bool(connection or status),
        )
    return reader.html("runs.html", "Syncs", page)


@router.get("/runs/{run_id}")
def run(reader: Keeper, run_id: str) -> HTMLResponse:
    """One run."""
    with reader.site.engine.connect() as store:
        found = store.execute(select(core(SyncRun)).where(core(SyncRun).c.id == run_id)).first()
        if found is None:
            raise Missing
        streams = store.execute(
            select(core(StreamRun)).where(core(StreamRun).c.run_id == run_id).order_by(core(StreamRun).c.stream)
        ).all()
        rejects = store.execute(select(core(Reject)).where(core(Reject).c.run_id == run_id).limit(SHOWN_REJECTS)).all()
        line = _line(found, _sums(store, [run_id]).get(run_id), reader)
    page = RunPage(line, streams, {s.value: words for s, words in OUTCOME.items()}, _by_rule(rejects))
    return reader.html("run.html", f"{line.connection}, {line.started}", page)


@router.get("/rejects")
def rejects(reader: Keeper, connection: str = "") -> HTMLResponse:
    """The rows that wait for a fix."""
    table = core(Reject)
    query = select(table).order_by(table.c.rule, table.c.connection, table.c.stream, table.c.external_id)
    counting = select(func.count()).select_from(table)
    if connection:
        query, counting = (q.where(table.c.connection == connection) for q in (query, counting))
    with reader.site.engine.connect() as store:
        found = store.execute(query.limit(SHOWN_REJECTS)).all()
        total = store.scalar(counting) or 0
        names = list(store.scalars(select(core(ConnectionRow).c.name).order_by(core(ConnectionRow).c.name)))
    return reader.html(
        "rejects.html", "Rejected rows", RejectsPage(_by_rule(found), total, len(found), connection, names)
    )


def _by_rule(found: Sequence[Row[Any]]) -> list[RuleGroup]:
    groups: dict[tuple[str, str], list[RejectedRow]] = {}
    for row in found:
        groups.setdefault((row.rule, row.fix), []).append(_rejected(row))
    return [RuleGroup(rule, fix, rows) for (rule, fix), rows in sorted(groups.items())]


def _rejected(row: Row[Any]) -> RejectedRow:
    """A rejected row for operations: of personal records only ids, dates and the like, never what somebody wrote."""
    field = row.field.lower()
    own = row.stream in PERSONAL
    words = own and bool(field) and field not in PLAIN_FIELDS and not field.endswith("_id")
    # A row without an id of its own is known by its owner and its title; the title is the person's.
    known_as = row.external_id.split(" · ")[0] if own else row.external_id
    return RejectedRow(
        external_id=known_as,
        connection=row.connection,
        stream=row.stream,
        field=row.field,
        raw_value=WITHHELD if words else row.raw_value,
        message="Open the row at its source to see it." if words else row.message.replace(row.external_id, known_as),
        amount_minor=row.amount_minor,
        currency=row.currency,
    )


def _sources(store: Connection, reader: Reader) -> list[SourceLine]:
    rejected = core(Reject).c.connection
    waiting = {row[0]: int(row[1]) for row in store.execute(select(rejected, func.count()).group_by(rejected))}
    plans = stored_schedules(store)
    found = []
    for row in store.execute(select(core(ConnectionRow)).order_by(core(ConnectionRow).c.name)):
        runs = core(SyncRun)
        last = store.execute(
            select(runs.c.status, runs.c.message)
            .where(runs.c.connection == row.name)
            .order_by(runs.c.started_at.desc())
            .limit(1)
        ).first()
        state, sentence = _freshness(row.last_success_at, plans.get(row.name), last, reader)
        found.append(
            SourceLine(
                name=row.name,
                title=row.title or row.name,
                kind=row.kind,
                state=state,
                sentence=sentence,
                schedule=words(plans.get(row.name) or Schedule(connection=row.name, enabled=False)),
                rejects=waiting.get(row.name, 0),
                checks=_checks(store, row.name, reader),
            )
        )
    return found


def _checks(store: Connection, connection: str, reader: Reader) -> list[CheckLine]:
    table = core(StreamCursor).c
    rows = store.execute(
        select(table.stream, table.checks).where(table.connection == connection).order_by(table.stream)
    )
    moments = [
        (row.stream, {k: datetime.fromisoformat(v) for k, v in (row.checks or {}).items() if k in CHECKS})
        for row in rows
    ]
    site = reader.site
    return [
        CheckLine(stream, [site.words.moment(at[way]) if way in at else "never" for way in CHECKS])
        for stream, at in moments
        if at
    ]


def _freshness(last_good: datetime | None, plan: Schedule | None, last: Any, reader: Reader) -> tuple[str, str]:
    if last is None:
        return "New", "Not synced yet."
    running = " A run is under way." if last.status == RunStatus.RUNNING else ""
    if last_good is None:
        return "No figures yet", f"No run has been complete so far.{running}"
    state = freshness(last_good, plan, reader.now).capitalize()
    said = f"Last complete run {reader.site.words.moment(last_good)}.{running}"
    if last.status == RunStatus.FAILED:
        return f"{state}, last run failed", f"{said} The last good values stay until the next one."
    return state, said


def _runs(store: Connection, reader: Reader, connection: str, status: str) -> list[RunLine]:
    table = core(SyncRun)
    query = select(table).order_by(table.c.started_at.desc()).limit(SHOWN_RUNS)
    if connection:
        query = query.where(table.c.connection == connection)
    if status:
        query = query.where(table.c.status == status)
    found = store.execute(query).all()
    sums = _sums(store, [row.id for row in found])
    return [_line(row, sums.get(row.id), reader) for row in found]


def _sums(store: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    table = core(StreamRun).c
    counts = [func.sum(table[name]).label(name) for name in ("read", "created", "changed", "removed", "rejected")]
    query = select(table.run_id, *counts).where(table.run_id.in_(ids)).group_by(table.run_id)
    return {row.run_id: row for row in store.execute(query)}


def _line(row: Row[Any], sums: Row[Any] | None, reader: Reader) -> RunLine:
    def count(name: str) -> int:
        return int(getattr(sums, name) or 0) if sums is not None else 0

    return RunLine(
        id=row.id,
        connection=row.connection,
        outcome=OUTCOME[RunStatus(row.status)],
        status=row.status,
        trigger=TRIGGER.get(row.trigger, row.trigger),
        started=reader.site.words.moment(row.started_at),
        took=_took(row.finished_at - row.started_at) if row.finished_at else "",
        read=count("read"),
        created=count("created"),
        changed=count("changed"),
        removed=count("removed"),
        rejected=count("rejected"),
        calls=row.calls,
        message=row.message,
    )


def _took(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    if seconds < 60:
        return f"{seconds} s" if seconds else "under 1 s"
    minutes = seconds // 60
    return f"{minutes} min {seconds % 60:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
