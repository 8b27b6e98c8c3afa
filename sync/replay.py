"""Replays landed batches with today's field map, so that a mapping fix needs no call to the source."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import datetime

import pandas as pd
from sqlalchemy import Engine, select

from connectors.base import DRAFTS, Batch, Connector, Drafts
from models import Reject
from models.base import core, new_id
from models.errors import UserError
from models.ledger import RunStatus
from sync import apply as write
from sync.landing import open_batch, since_whole
from sync.plan import Plan
from sync.report import RunReport, StreamReport
from sync.rules import Rules
from sync.run import open_run, part_of, recorded, run_starts
from sync.stream import PRIVATE, Reading, Run, take
from sync.targets import TARGETS


def replay(
    engine: Engine,
    source: str,
    connector: Connector,
    rules: Rules,
    *,
    clock: Callable[[], datetime],
    streams: Collection[str] = (),
    allow_removals: int = 0,
    progress: Callable[[StreamReport], None] = lambda report: None,
    watch: Callable[[str, Plan, pd.DataFrame], None] = lambda stream, todo, stored: None,
) -> RunReport:
    """Translate what was landed of a connection anew and store what comes of it. No call is made, no cursor moves.

    Of each row the newest landed version counts. What the source has removed since stays removed. The next sync
    compares every count with the source's own, since what was mapped otherwise is counted otherwise too.
    """
    run = Run(engine, source, connector, rules, clock, RunReport(new_id(), source), (), allow_removals, watch=watch)
    with engine.connect() as connection:
        started = run_starts(connection, source)
    open_run(run, None, "replay")
    with recorded(run, proves=False):
        landed = {s for s in DRAFTS if any((rules.landing / source / s).glob("*/*.parquet"))}
        if missing := set(streams or landed or {"anything"}) - landed:
            private = " (feedback is never kept a second time)" if missing & PRIVATE else ""
            raise UserError(f"{source}: nothing is landed of {', '.join(sorted(missing))}{private}; run: beyond-quota "
                            f"sync {source} --full")  # fmt: skip
        for stream in (s for s in DRAFTS if s in (streams or landed)):
            with part_of(run, stream, progress) as report:
                _replay_stream(run, stream, report, started)
        _sum_up(run.report)
    return run.report


def _replay_stream(run: Run, stream: str, report: StreamReport, started: dict[str, datetime]) -> None:
    kept, whole = since_whole(run.rules.landing, run.source, stream, started)
    if not whole:
        raise UserError(f"{run.source}: no whole read of {stream} is landed, so it cannot be replayed; run: "
                        f"beyond-quota sync {run.source} --full")  # fmt: skip
    target = TARGETS[stream]
    with run.engine.connect() as connection:
        had = write.live_count(connection, run.source, target)
        table = core(Reject).c
        here = (table.connection == run.source, table.stream == stream)
        gone = write.removed_ids(connection, run.source, target)
        gone -= set(connection.scalars(select(table.external_id).where(*here)))
    reading = Reading(stream, report, had)
    for batch, drafts in _joined(stream, _newest(run, (open_batch(landed) for landed in kept), gone)):
        take(run, reading, batch, drafts, keep_cursor=False)
    with run.engine.begin() as connection:
        run.renew(connection)
        write.forget_check(connection, run.source, stream, "count")


def _newest(run: Run, batches: Iterator[Batch], gone: set[str]) -> Iterator[tuple[Batch, Drafts]]:
    """Each batch with what comes of it today, without rows that a newer batch told of and those that are gone."""
    seen: set[str] = set()
    for batch in batches:
        today = run.connector.translate(run.connector.remap(batch))
        before = run.connector.translate(batch).rows if gone else today.rows
        # Stored as gone although the batch shows it alive as it was mapped then: the source has removed it since.
        alive = before if "removed" not in before else before[~before["removed"].fillna(False).astype(bool)]
        skip = seen | (gone & set(alive["external_id"]))
        rows = today.rows[~today.rows["external_id"].isin(skip)]
        rejects = [r for r in today.rejects if r.external_id not in skip]
        seen |= {*today.rows["external_id"], *(r.external_id for r in today.rejects)}
        yield replace(batch, cursor={}, last=False), replace(today, rows=rows, rejects=rejects)


def _joined(stream: str, pairs: Iterator[tuple[Batch, Drafts]]) -> Iterator[tuple[Batch, Drafts]]:
    """People all at once, because who shares a mailbox is seen only then; everything else batch by batch."""
    if stream != "people":
        yield from pairs
        return
    everything = list(pairs)
    if everything:
        batch, drafts = everything[0]
        rows = pd.concat([d.rows for _, d in everything], ignore_index=True)
        rejects = [r for _, d in everything for r in d.rejects]
        yield batch, replace(drafts, rows=rows, rejects=rejects)


def _sum_up(report: RunReport) -> None:
    failed = [s for s in report.streams if s.status == RunStatus.FAILED]
    rejected = sum(s.rejected for s in report.streams)
    if failed:
        report.status = RunStatus.FAILED if len(failed) == len(report.streams) else RunStatus.PARTIAL
        report.message = "; ".join(s.message for s in failed)
        return
    report.status = RunStatus.PARTIAL if rejected else RunStatus.SUCCESS
    read = sum(s.read for s in report.streams)
    report.message = f"{read:,} landed rows read again, {report.wrote:,} rows written" + (
        f", {rejected:,} rejected, each with its reason" if rejected else ""
    )
    report.message += "; the next sync compares the counts with the source's own"
