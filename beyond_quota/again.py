"""The commands that read again: replay what was landed, and fill in a range of days."""

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import typer

from beyond_quota.answers import FAILED, show
from beyond_quota.sources import CODES, rehearse, run_facts, stream_line
from beyond_quota.wiring import Installation, moment
from models.errors import UserError
from sync.report import RunReport

Run = Callable[[Installation], Callable[..., RunReport]]


def replay_connection(
    config: Path, name: str, streams: list[str], now: str | None, allow_removals: int, dry_run: bool, as_json: bool
) -> int:
    """Translate landed batches anew with today's field map."""
    how = {"streams": streams, "allow_removals": allow_removals}
    return _run(config, name, now, lambda here: partial(here.replay, name, **how), dry_run, as_json)


def backfill_connection(
    config: Path, name: str, first: date, end: date, now: str | None, allow_removals: int, dry_run: bool, as_json: bool
) -> int:
    """Read the records of [first, end) anew."""
    if first >= end:
        raise UserError(f"--from {first} is not before --to {end}; --to is the day after the last one")
    run: Run = lambda here: partial(here.backfill, name, first, end, allow_removals=allow_removals)  # noqa: E731
    return _run(config, name, now, run, dry_run, as_json)


def _run(config: Path, name: str, now: str | None, run: Run, dry_run: bool, as_json: bool) -> int:
    here = Installation.open(config, moment(now))
    here.settings.connection(name)
    if dry_run:
        with here.rehearsing() as pretended:
            return rehearse({name: run(pretended)}, as_json)
    report = run(here)()
    code = CODES.get(report.status, FAILED)
    computed = here.refresh(report.touched, spans=report.spans)
    if as_json:
        show({"runs": [run_facts(report)], "scorecards": computed})
        return code
    for stream in report.streams:
        typer.echo(stream_line(name, stream))
    typer.echo(f"{name}: {report.status} · {report.message} · {report.calls} calls", err=code == FAILED)
    typer.echo(f"scorecards: {computed} computed")
    return code
