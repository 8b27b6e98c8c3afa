"""When each connection syncs, for ops to read and change; what is wrong stands beside the field it is wrong in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection, select

from models import Connection as ConnectionRow
from models import Schedule
from models.base import core
from models.slots import DAYS, NAMES, next_slots, problems, put, stored_schedules, words
from models.watch import missed
from web import audit
from web.access import Action, can
from web.site import Asking, Missing, NotAllowed, Reader, Sending

router = APIRouter()
OPS_ONLY = "Schedules are for those who run the syncs."


@dataclass(frozen=True)
class Run:
    """One of the next runs, in both times."""

    local: str
    utc: str


@dataclass(frozen=True)
class Line:
    """One connection's schedule: as a sentence, its next runs, and the form with what was typed."""

    name: str
    title: str
    sentence: str
    enabled: bool
    by_ops: bool
    runs: tuple[Run, ...]
    missed: int
    problem: str  # why it could not start the last time
    at: str
    weekdays: tuple[str, ...]
    time_zone: str
    catch_up_hours: str
    wrong: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SchedulesPage:
    """What the page shows."""

    lines: tuple[Line, ...]
    days: tuple[tuple[str, str], ...]


@router.get("/schedules")
def schedules(reader: Asking) -> HTMLResponse:
    """Every connection's schedule, with its next five runs."""
    _allowed(reader)
    with reader.site.engine.connect() as connection:
        lines = _lines(connection, reader)
    return _page(reader, lines)


@router.post("/schedules/{name}")
def change(
    reader: Sending,
    name: str,
    at: Annotated[str, Form(max_length=20)] = "",
    weekdays: Annotated[list[str] | None, Form()] = None,
    time_zone: Annotated[str, Form(max_length=80)] = "",
    catch_up_hours: Annotated[str, Form(max_length=10)] = "",
    enabled: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Store a schedule as ops wrote it; the settings file no longer changes it from here on."""
    _allowed(reader)
    chosen = weekdays or []
    wrong = problems(at.strip(), chosen, time_zone.strip(), catch_up_hours.strip())
    with reader.site.engine.begin() as connection:
        known = {line.name: line for line in _lines(connection, reader)}
        if name not in known:
            raise Missing
        if wrong:
            typed = {"at": at, "weekdays": tuple(chosen), "time_zone": time_zone, "catch_up_hours": catch_up_hours}
            shown = [_as_typed(line, typed, wrong) if line.name == name else line for line in known.values()]
            return _page(reader, shown, 422)
        plan = Schedule(
            connection=name,
            at=at.strip(),
            weekdays=",".join(day for day in DAYS if day in chosen),
            time_zone=time_zone.strip(),
            catch_up_hours=int(catch_up_hours),
            enabled=enabled == "yes",
        )
        put(connection, plan, reader.now)
        detail = {"words": words(plan)}
        audit.record(connection, reader.actor, "change_schedule", reader.now, subject=name, detail=detail)
    return RedirectResponse(f"/schedules#schedule-{name}", 303)


def _allowed(reader: Reader) -> None:
    if not can(reader.actor, Action.CHANGE_SCHEDULES):
        raise NotAllowed(OPS_ONLY)


def _page(reader: Reader, lines: list[Line], status: int = 200) -> HTMLResponse:
    days = tuple((day, NAMES[day]) for day in DAYS)
    return reader.html("schedules.html", "Schedules", SchedulesPage(tuple(lines), days), status)


def _lines(connection: Connection, reader: Reader) -> list[Line]:
    """A line a connection that was ever synced or has a schedule, by name."""
    plans, lost = stored_schedules(connection), missed(connection)
    table = core(ConnectionRow).c
    titles = {row.name: row.title or row.name for row in connection.execute(select(table.name, table.title))}
    usual = reader.site.words.zone.key
    found = []
    for name in sorted({*titles, *plans}):
        plan = plans.get(name) or Schedule(connection=name, time_zone=usual, enabled=False)
        zone = ZoneInfo(plan.time_zone)
        found.append(
            Line(
                name=name,
                title=titles.get(name, name),
                sentence=words(plan),
                enabled=plan.enabled,
                by_ops=plan.set_by == "ops",
                runs=tuple(_run(slot, zone) for slot in next_slots(plan, reader.now, 5)),
                missed=lost.get(name, 0),
                problem=plan.problem,
                at=plan.at,
                weekdays=tuple(plan.weekdays.split(",")),
                time_zone=plan.time_zone,
                catch_up_hours=str(plan.catch_up_hours),
            )
        )
    return found


def _run(slot: datetime, zone: ZoneInfo) -> Run:
    return Run(f"{slot.astimezone(zone):%a %-d %b %Y, %H:%M %Z}", f"{slot.astimezone(UTC):%-d %b, %H:%M} UTC")


def _as_typed(line: Line, typed: Mapping[str, object], wrong: Mapping[str, str]) -> Line:
    return Line(**{**vars(line), **typed, "wrong": wrong})
