"""`publish`: writes the figures of scorecards back to a CRM, and says row by row what became of them."""

from pathlib import Path
from typing import Any

import typer

from beyond_quota.answers import DONE, FAILED, PARTIAL, show
from beyond_quota.wiring import Installation, moment
from models.errors import UserError


def publish_figures(config: Path, name: str, now: str | None, dry_run: bool, as_json: bool) -> int:
    """Write what changed since the last time; exit code 3 when some rows were refused, 1 when nothing went in."""
    from sync.publish import figures, publish

    here = Installation.open(config, moment(now))
    connector: Any = here.connector(name)
    try:
        if not hasattr(connector, "publish"):
            raise UserError(f"connection {name} is a {connector.kind}; figures cannot be written back to it")
        link = connector.options.write_back.page
        if not connector.options.write_back.enabled and not dry_run:
            raise UserError(
                f"connection {name} does not write back: set [connections.{name}.write_back] enabled = true, and look "
                f"at it first with: beyond-quota publish {name} --dry-run"
            )
        wanted = figures(here.engine, name, here.today, link)
        done = publish(here.engine, name, connector, wanted, clock=here.clock, dry_run=dry_run)
    finally:
        connector.close()
    refused = done.refused or {}
    if as_json:
        rows = [{**vars(f), "as_of": f.as_of.isoformat()} for f in done.figures]
        facts = {"dry_run": dry_run, "rows": rows, "unchanged": done.unchanged, "written": done.written}
        show({**facts, "refused": dict(refused), "stopped": done.stopped})
    else:
        verb = "would be written" if dry_run else "written"
        for figure in done.figures if dry_run else ():
            parts = (f"{n} {_ratio(v)}" for n, v in (("attainment", figure.attainment), ("pace", figure.pace)))
            typer.echo(f"{name}: {figure.key}: {', '.join(parts)}, coverage {_times(figure.coverage)}")
        number = len(done.figures) if dry_run else done.written
        typer.echo(f"{name}: {number} {verb}, {done.unchanged} unchanged, {len(refused)} refused")
        for key, error in refused.items():
            typer.echo(f"  {key}: {error}; it is tried again the next time", err=True)
        if done.stopped:
            typer.echo(f"beyond-quota: {done.stopped}", err=True)
    if not refused and not done.stopped:
        return DONE
    return PARTIAL if done.written else FAILED


def _ratio(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"


def _times(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f}x"
