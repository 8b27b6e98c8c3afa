"""The commands that talk to outside systems: check, sync and import."""

import json
import signal
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import typer

from beyond_quota.answers import DONE, FAILED, LOCKED, PARTIAL, show
from beyond_quota.ending import asked_to_end
from beyond_quota.periods import waiting
from beyond_quota.wiring import Installation, moment
from config.settings import load_settings
from models.errors import UserError
from models.ledger import RunStatus
from sync.lease import Locked
from sync.rehearsal import Samples
from sync.report import RunReport, StreamReport
from sync.run import ran_already
from sync.schedule import note_problem, slot_name

CODES = {RunStatus.SUCCESS: DONE, RunStatus.SKIPPED: DONE, RunStatus.PARTIAL: PARTIAL}


def check_connections(config: Path, names: list[str] | None, as_json: bool) -> int:
    """Test connections and print one line a finding; failed when something needed does not work."""
    here = Installation.open(config)
    code, facts = DONE, []
    for name in names or here.settings.connections:
        connector = None
        try:
            connector = here.connector(name)
            findings = connector.check()
        except UserError as error:
            code = FAILED
            facts.append({"connection": name, "ok": False, "what": "connection", "detail": str(error)})
            _say(as_json, f"{name}: {error}")
            continue
        finally:
            if connector is not None:
                connector.close()
        for finding in findings:
            code = max(code, FAILED if finding.needed and not finding.ok else DONE)
            facts.append({"connection": name, **asdict(finding)})
            mark = "ok" if finding.ok else ("MISSING" if finding.needed else "not enabled")
            line = f"{name}: {mark:11} {finding.what}" + (f": {finding.detail}" if finding.detail else "")
            _say(as_json, line + (f" (without it: {finding.without})" if finding.without and not finding.ok else ""))
    if as_json:
        show(facts)
    return code


def sync_connections(
    config: Path, names: list[str] | None, now: str | None, as_json: bool, dry_run: bool = False, **how: Any
) -> int:
    """Sync connections in their order; one that fails does not hold up the next. `how` goes to run_sync."""
    here = Installation.open(config, moment(now))
    for name in names or []:
        here.settings.connection(name)
    chosen = names or list(here.settings.connections)
    if not dry_run:
        with asked_to_end(signal.SIGTERM) as stop:
            return sync_all(here, chosen, as_json, stop.is_set, **how)
    with here.rehearsing() as pretended:
        return rehearse({n: partial(pretended.sync, n, **how) for n in chosen}, as_json)


def sync_all(
    here: Installation, names: list[str], as_json: bool = False, stop: Callable[[], bool] = lambda: False, **how: Any
) -> int:
    """Sync these connections of an open installation, then compute the scorecards concerned.

    Once `stop` says so, the run in hand ends after its batch and the next connections are not begun.
    """
    if not names:
        raise UserError("there are no connections in the settings yet; see config/example.toml")
    here.keep_schedules()
    reports: list[RunReport] = []
    codes, touched = [DONE], set[str]()
    spans: dict[tuple[date, date], set[str]] = {}
    for name in names:
        if stop():
            codes.append(PARTIAL)
            typer.echo(f"beyond-quota: {name} was not begun: this process was asked to end", err=True)
            continue

        def progress(done: StreamReport, name: str = name) -> None:
            _say(as_json, stream_line(name, done))

        try:
            report = here.sync(name, progress=progress, stop=stop, **how)
        except Locked as error:
            codes.append(LOCKED)
            typer.echo(f"beyond-quota: {error}", err=True)
            continue
        except UserError as error:  # wrong options: nothing was started
            codes.append(FAILED)
            typer.echo(f"beyond-quota: {error}", err=True)
            continue
        reports.append(report)
        touched |= report.touched
        for span, people in report.spans.items():
            spans.setdefault(span, set()).update(people)
        codes.append(CODES.get(report.status, FAILED))
        _say(as_json, f"{name}: {report.status} · {report.message} · {report.calls} calls", failed=codes[-1] == FAILED)
    computed = here.refresh(touched, spans=spans)
    _say(as_json, f"scorecards: {computed} computed")
    if words := waiting(here):
        typer.echo(f"beyond-quota: {words}", err=True)
    if as_json:
        show({"runs": [run_facts(r) for r in reports], "scorecards": computed})
    return _worst(codes)


def rehearse(runs: Mapping[str, Callable[..., RunReport]], as_json: bool) -> int:
    """Make runs in a store in which nothing stays, and print what each would write, with the first few rows."""
    codes, facts = [DONE], []
    for name, run in runs.items():
        samples = Samples()
        try:
            report = run(watch=samples)
        except UserError as error:
            codes.append(LOCKED if isinstance(error, Locked) else FAILED)
            typer.echo(f"beyond-quota: {error}", err=True)
            continue
        codes.append(CODES.get(report.status, FAILED))
        facts.append({**run_facts(report), "plan": samples.streams})
        for stream in report.streams:
            _say(as_json, stream_line(name, stream))
            for line in plan_lines(samples.streams.get(stream.stream, {})):
                _say(as_json, f"  {line}")
        _say(as_json, f"{name}: would be {report.status} · {report.message}", failed=codes[-1] == FAILED)
    if as_json:
        show({"dry_run": True, "runs": facts})
    _say(as_json, "dry run: nothing was written")
    return _worst(codes)


def plan_lines(plan: Mapping[str, list[Any]]) -> Iterator[str]:
    """The first few rows of a plan, a line each."""
    for row in plan.get("create", []):
        yield f"create {row}"
    for change in plan.get("change", []):
        fields = ", ".join(f"{name} {old} -> {new}" for name, (old, new) in change["fields"].items())
        yield f"change {change['external_id']}: {fields}"
    for row in plan.get("remove", []):
        yield f"remove {row}"


def _worst(codes: list[int]) -> int:
    """Failed only when everything failed; partly done when some of it did."""
    real = codes[1:]
    if all(c == DONE for c in real):
        return DONE
    if len(set(real)) == 1:
        return real[0]
    return PARTIAL


def import_folder(config: Path, folder: Path, mapping: Path | None, name: str, now: str | None, as_json: bool) -> int:
    """Load spreadsheets as a connection, which is written into the settings so that every other command knows it."""
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}")
    if mapping is not None and not mapping.is_file():
        raise UserError(f"there is no mapping file {mapping}")
    known = load_settings(config).connections if config.exists() else {}
    if name not in known:
        _add_connection(config, folder, mapping, name)
        _say(as_json, f"added the connection {name} to {config}")
    elif known[name].options.get("folder") != str(folder.resolve()):
        raise UserError(f"{config} has a connection {name} already, with another folder; choose another --name")
    here = Installation.open(config, moment(now))
    return sync_all(here, [name], as_json)


def _add_connection(config: Path, folder: Path, mapping: Path | None, name: str) -> None:
    """Append a connection to the settings file; a new file reports in the mapping's own currency."""
    lines = []
    if not config.exists():
        currency = tomllib.loads(mapping.read_text(encoding="utf-8")).get("currency") if mapping else None
        lines.append(f"currency = {json.dumps(currency)}  # reporting currency" if currency else "")
        config.parent.mkdir(parents=True, exist_ok=True)
    lines += ["", f"[connections.{name}]", 'kind = "spreadsheet"', f"folder = {json.dumps(str(folder.resolve()))}"]
    if mapping is not None:
        lines.append(f"mapping = {json.dumps(str(mapping.resolve()))}")
    with config.open("a", encoding="utf-8") as file:
        file.write("\n".join(lines).lstrip("\n") + "\n")


def stream_line(name: str, report: StreamReport) -> str:
    """One stream in one line: what was read and what became of it."""
    counts = (
        f"{report.read:>7,} read  {report.created:>7,} new  {report.changed:>6,} changed  {report.removed:>5,} gone"
    )
    line = f"{name:<12} {report.stream:<18} {counts}  {report.rejected:>3,} rejected  {report.seconds:>5.1f} s"
    if report.status == RunStatus.FAILED:
        line += f"\n  failed: {report.message}"
    for note in report.notes:
        line += f"\n  note: {note['rule']}" + (f" ({note['count']:,})" if int(note["count"]) > 1 else "")
    return line


def run_facts(report: RunReport) -> dict[str, object]:
    """A run and its streams as they are printed as JSON."""
    streams = [{**asdict(s), "notes": s.notes} for s in report.streams]
    for stream in streams:
        del stream["noted"], stream["examples"]
    keys = ("run_id", "connection", "status", "message", "calls")
    return {**{k: getattr(report, k) for k in keys}, "streams": streams}


def _say(as_json: bool, line: str, failed: bool = False) -> None:
    if not as_json or failed:
        typer.echo(line, err=failed)


def sync_slot(
    here: Installation, name: str, slot: datetime, late: bool, stop: Callable[[], bool] = lambda: False
) -> bool:
    """Run one scheduled slot; answers whether this process did, for another may have been first."""
    words = slot_name(slot)
    if ran_already(here.engine, name, words):
        return False
    try:
        report = here.sync(name, slot=words, trigger="catch-up" if late else "schedule", stop=stop)
    except (Locked, UserError) as error:  # nothing was started: tried again each minute, then counted as missed
        typer.echo(f"{name}: slot {words}: {error}", err=True)
        note_problem(here.engine, name, str(error))
        return False
    if report.status == RunStatus.SKIPPED:
        return False
    note_problem(here.engine, name, "")
    here.refresh(report.touched, spans=report.spans)
    typer.echo(f"{name}: slot {words}: {report.status} · {report.message}")
    return True
