"""The commands that read the sync's own books: status, runs and rejects."""

from pathlib import Path
from typing import Any

import typer
from sqlalchemy import select

from beyond_quota.answers import DONE, PARTIAL, show
from beyond_quota.periods import waiting
from beyond_quota.wiring import Installation, moment
from models import Reject, StreamRun, SyncRun
from models.base import core
from models.money import plain
from sync.apply import stored_cursors
from sync.freshness import sources


def print_status(config: Path, now: str | None, as_json: bool) -> int:
    """One line a connection; partly done when any is late or stale."""
    here = Installation.open(config, moment(now))
    with here.engine.connect() as connection:
        found = {s.connection: s for s in sources(connection, here.clock(), here.settings.tz)}
        looked = {name: {s: c for s, (_, c) in stored_cursors(connection, name).items() if c} for name in found}
    facts: list[dict[str, Any]] = []
    for name in here.settings.connections:
        if name in found:
            facts.append({"connection": name, **{k: v for k, v in vars(found[name]).items() if k != "connection"}})
            facts[-1]["checks"] = looked[name]
        else:
            facts.append({"connection": name, "state": "stale", "sentence": f"{name}: never synced"})
    if words := waiting(here):
        typer.echo(f"beyond-quota: {words}", err=True)
    if as_json:
        show(facts)
    for fact in [] if as_json else facts:
        typer.echo(f"{fact['state']:6} {fact['sentence']}")
        for stream, checks in fact.get("checks", {}).items():
            when = ", ".join(f"{way} {moment(at):%Y-%m-%d %H:%M} UTC" for way, at in checks.items())
            typer.echo(f"       {stream}: lost rows looked for by {when}")
    return DONE if all(f["state"] == "fresh" for f in facts) else PARTIAL


def print_runs(config: Path, last: int, as_json: bool) -> None:
    """The newest runs first."""
    here = Installation.open(config)
    table, streams = core(SyncRun), core(StreamRun)
    with here.engine.connect() as connection:
        rows = connection.execute(select(table).order_by(table.c.started_at.desc(), table.c.id).limit(last)).all()
        query = select(streams).where(streams.c.run_id.in_([r.id for r in rows]))
        parts: dict[str, list[dict[str, Any]]] = {}
        for part in connection.execute(query):
            parts.setdefault(part.run_id, []).append(dict(part._mapping))
    if as_json:
        show([{**row._mapping, "streams": parts.get(row.id, [])} for row in rows])
        return
    if not rows:
        typer.echo("nothing has been synced yet; run: beyond-quota sync")
    for row in rows:
        read = sum(p["read"] for p in parts.get(row.id, []))
        wrote = sum(p["created"] + p["changed"] + p["removed"] for p in parts.get(row.id, []))
        started = row.started_at.astimezone(here.settings.tz)
        typer.echo(
            f"{row.id}  {started:%Y-%m-%d %H:%M}  {row.connection:<12} {row.status:<9} {read:>8,} read "
            f"{wrote:>8,} written {row.calls:>5} calls  {row.message}"
        )


def print_rejects(config: Path, connection: str | None, as_json: bool) -> None:
    """Rejected rows by connection, stream and rule."""
    here = Installation.open(config)
    table = core(Reject)
    query = select(table).order_by(table.c.connection, table.c.stream, table.c.rule, table.c.external_id)
    if connection:
        here.settings.connection(connection)
        query = query.where(table.c.connection == connection)
    with here.engine.connect() as opened:
        rows = [dict(r._mapping) for r in opened.execute(query)]
    for row in rows:
        row["amount"] = plain(row["amount_minor"], row["currency"]) if row["currency"] else None
    if as_json:
        show(rows)
        return
    if not rows:
        typer.echo("no rejects: every row that was read is counted")
    for row in rows:
        typer.echo(f"{row['connection']} · {row['stream']} · {row['rule']}\n  {row['message']}\n  to do: {row['fix']}")
