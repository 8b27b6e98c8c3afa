"""The commands about schedules: list, set, switch off, and the next runs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer

from beyond_quota.answers import show
from beyond_quota.wiring import Installation, moment
from models import Schedule
from models.errors import UserError
from models.slots import DAYS, next_slots, problems, put, stored_schedules, words
from models.watch import missed
from web import audit


def print_schedules(
    config: Path, now: str | None, as_json: bool, names: list[str] | None = None, runs: int = 1
) -> None:
    """Each schedule as a sentence, with its next runs in local time and UTC."""
    here = Installation.open(config, moment(now))
    here.keep_schedules()
    for name in names or []:
        here.settings.connection(name)
    with here.engine.connect() as connection:
        plans, lost = stored_schedules(connection), missed(connection)
    shown = names or [*here.settings.connections, *(n for n in plans if n not in here.settings.connections)]
    facts = [_facts(here, name, plans.get(name), lost.get(name, 0), runs) for name in shown]
    if as_json:
        show(facts)
        return
    for fact in facts:
        typer.echo(
            f"{fact['connection']}: {fact['words']}" + (f" Missed so far: {fact['missed']}." if fact["missed"] else "")
        )
        for run in fact["next"]:
            typer.echo(f"    {run['local']}   {run['utc']}")
        if fact["problem"]:
            typer.echo(f"    cannot start: {fact['problem']}")


def _facts(here: Installation, name: str, plan: Schedule | None, lost: int, runs: int) -> dict[str, Any]:
    if plan is None:
        plan = Schedule(connection=name, enabled=False)
    problem = plan.problem or ("" if name in here.settings.connections else "the settings have no such connection")
    return {
        "connection": name,
        "words": words(plan),
        "enabled": plan.enabled,
        "set_by": plan.set_by,
        "missed": lost,
        "problem": problem,
        "next": [both_times(slot, plan.time_zone) for slot in next_slots(plan, here.clock(), runs)],
    }


def both_times(slot: datetime, time_zone: str) -> dict[str, str]:
    """A slot in local time and in UTC."""
    local = slot.astimezone(ZoneInfo(time_zone))
    return {"local": f"{local:%a %Y-%m-%d %H:%M %Z}", "utc": f"{slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC"}


def set_schedule(
    config: Path,
    name: str,
    now: str | None,
    at: str | None = None,
    days: str | None = None,
    zone: str | None = None,
    catch_up_hours: int | None = None,
    enabled: bool = True,
) -> None:
    """Store a connection's schedule; what is not named stays. The settings file no longer changes it from here on."""
    here = Installation.open(config, moment(now))
    here.settings.connection(name)
    here.keep_schedules()
    with here.engine.begin() as connection:
        old = stored_schedules(connection).get(name) or Schedule(connection=name, time_zone=here.settings.zone)
        weekdays = [d.strip().lower() for d in days.split(",")] if days is not None else old.weekdays.split(",")
        hours = old.catch_up_hours if catch_up_hours is None else catch_up_hours
        plan = Schedule(
            connection=name,
            at=at or old.at,
            weekdays=",".join(d for d in DAYS if d in weekdays),
            time_zone=zone or old.time_zone,
            catch_up_hours=hours,
            enabled=enabled,
        )
        wrong = problems(plan.at, weekdays, plan.time_zone, str(hours))
        if wrong:
            raise UserError(f"the schedule of {name} was not changed:", list(wrong.values()))
        put(connection, plan, here.clock())
        audit.record(connection, None, "change_schedule", here.clock(), subject=name, detail={"words": words(plan)})
    typer.echo(f"{name}: {words(plan)}")
