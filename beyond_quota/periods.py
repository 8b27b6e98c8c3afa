"""The command about fiscal periods: which there are, by which calendar, and putting another calendar in force."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import typer
from sqlalchemy import select

from beyond_quota.answers import DONE, PARTIAL, show
from beyond_quota.wiring import Installation, moment
from models import FiscalPeriod, Period
from models.base import core
from models.period import holding
from sync.adoption import adopt
from sync.calendar import Change, difference, ensure_periods, given, newest, retired_periods
from web import audit


def print_periods(config: Path, as_of: date | None, now: str | None, as_json: bool, put_in_force: bool) -> int:
    """The fiscal year that a day lies in, its quarters and months; partly done while the settings ask for another."""
    here = Installation.open(config, moment(now))
    day, wanted = as_of or here.today, here.settings.calendar
    if put_in_force:
        return _adopt(here, as_json)
    with here.engine.begin() as connection:
        periods = ensure_periods(connection, wanted, pd.Series([pd.Timestamp(day)]))
        version, change = newest(connection), difference(connection, wanted)
        old, crms = retired_periods(connection), _crms(connection, periods, day)
    waits = bool(change) or version.body != wanted.body
    here_now = [p for p in periods if p.first_day <= day < p.end_day]
    if as_json:
        show({
            "calendar": {"number": version.number, "words": version.words, "adopted_at": version.adopted_at,
                         "adopted_by": version.adopted_by, **version.body},
            "asked": _fact(change) if waits else None,
            "zone": here.settings.zone,
            "as_of": day,
            "current": {p.kind: p.id for p in here_now},
            "crms": crms,
            "periods": [_row(p) for p in periods],
            "retired": [_row(p) for p in old],
        })  # fmt: skip
        return PARTIAL if waits else DONE
    since = f"since {version.adopted_at:%-d %B %Y}" if version.adopted_at else "since the beginning"
    typer.echo(f"fiscal calendar: {version.words} ({since}); today is {here.today} in {here.settings.zone}")
    year = next((p.id for p in here_now if p.kind == "year"), None)
    for p in periods if year else []:
        if p.year_id == year:
            mark = "  ← holds " + day.isoformat() if p in here_now else ""
            last = p.end_day - timedelta(days=1)
            typer.echo(f"  {p.id:<14} {p.label:<24} {p.first_day} to {last}  {(p.end_day - p.first_day).days:>3} days"
                       f"{mark}")  # fmt: skip
    if year is None:
        typer.echo(f"  no fiscal year holds {day}")
    for told in crms:
        typer.echo(f"  {told['sentence']}")
    if waits:
        typer.echo(f"the settings ask for another calendar: {wanted.words}")
        typer.echo(f"  it would bring {_words(change)}; nothing changes until: beyond-quota periods --adopt")
    return PARTIAL if waits else DONE


def _adopt(here: Installation, as_json: bool) -> int:
    """Put the calendar of the settings in force, and make everybody's page of today by it."""
    wanted = here.settings.calendar
    with here.engine.begin() as connection:
        ensure_periods(connection, wanted, pd.Series([pd.Timestamp(here.today)]))
        same = newest(connection).body == wanted.body and not difference(connection, wanted)
    if same:
        show({"adopted": None, "scorecards": 0}) if as_json else typer.echo(f"in force already: {wanted.words}")
        return DONE
    change = adopt(here.run_engine, wanted, here.clock, "command line")
    with here.engine.begin() as connection:
        audit.record(connection, None, "adopt_calendar", here.clock(), subject="", detail={"words": change.after})
    computed = here.refresh(set(), spans={})
    if as_json:
        show({"adopted": _fact(change), "scorecards": computed})
    else:
        typer.echo(f"fiscal calendar: {change.after} (before: {change.before})")
        typer.echo(f"  it brought {_words(change)}; {change.deals:,} deals are in another quarter now")
        typer.echo(f"  scorecards: {computed} computed; pages of the past stay as they were")
    return DONE


def waiting(here: Installation) -> str | None:
    """What to say while the settings ask for another calendar than the one in force."""
    wanted = here.settings.calendar
    with here.engine.connect() as connection:
        version = newest(connection)
        if version is None or (version.body == wanted.body and not (wanted.source and difference(connection, wanted))):
            return None
    if version.body == wanted.body:
        return (f"{wanted.source} has other days for fiscal periods than before; until `beyond-quota periods --adopt` "
                "puts them in force, figures follow those from before")  # fmt: skip
    return (f"the settings ask for another fiscal calendar ({wanted.words}); until `beyond-quota periods --adopt` puts "
            f"it in force, figures follow the one before ({version.words})")  # fmt: skip


def _words(change: Change) -> str:
    kept = f", {len(change.retired)} kept for the pages made with them" if change.retired else ""
    back = f", {len(change.revived)} back in force" if change.revived else ""
    return f"{len(change.added)} new periods, {len(change.removed)} gone{kept}{back}"


def _fact(change: Change) -> dict[str, Any]:
    return {**vars(change), "added": [_row(p) for p in change.added]}


def _row(p: Period) -> dict[str, Any]:
    days = (p.end_day - p.first_day).days
    names = ("id", "kind", "label", "first_day", "end_day", "quarter_id", "year_id", "retired_at")
    return {n: getattr(p, n) for n in names} | {"last_day": p.end_day - timedelta(days=1), "days": days}


def _crms(connection: Any, periods: list[Period], day: date) -> list[dict[str, Any]]:
    """Beside each CRM's own fiscal quarter of a day, ours: where they differ, its screens show other figures."""
    table = core(FiscalPeriod)
    found = []
    held = holding(periods, day)
    ours = (held.first_day, held.end_day) if held else None
    for name in sorted(connection.scalars(select(table.c.connection).distinct())):
        theirs = holding(given(connection, name), day)
        same = theirs is not None and (theirs.first_day, theirs.end_day) == ours
        span = f"{theirs.first_day} to {theirs.end_day - timedelta(days=1)}" if theirs else "not defined"
        words = f"{name}: its own fiscal quarter is {'the same' if same else span + ', so that its screens differ'}"
        found.append({"connection": name, "same": same, "first_day": theirs and theirs.first_day,
                      "end_day": theirs and theirs.end_day, "sentence": words})  # fmt: skip
    return found
