"""Check-ins: asked for by either side, with an agenda from what is open; only the two people in it see one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.encoders import jsonable_encoder
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy import Connection

from metrics.agenda import Point, draft
from metrics.result import Result
from models.checkin import AskedBy, CheckInStatus
from web import audit, checkins
from web.access import LEADS, Action, can, for_reader, managers_of
from web.cards import find_card
from web.checkins import Talk
from web.forms import NOTHING_WRONG, Form, Typed
from web.groups import Whose, whose
from web.site import Asking, Missing, Reader, Sending

router = APIRouter()
FIGURES = ("attainment", "to_go", "pipeline_coverage", "win_rate")
"""What a CRM says already, so that nobody has to bring it."""


@dataclass(frozen=True)
class CheckInsPage:
    """The check-ins that the reader has with a person, and the form to ask for one."""

    whose: Whose
    rows: tuple[tuple[Any, str], ...]  # each with the name of the other one
    others: Mapping[str, str]  # whom the person can ask, by id
    due: date | None  # by when the next one is, at the group's cadence
    every_days: int
    wrong: Mapping[str, str]
    typed: Mapping[str, str]


@dataclass(frozen=True)
class CheckInPage:
    """One check-in: its agenda, what both sides wrote, what the reader wrote for themselves."""

    whose: Whose
    talk: Talk
    agenda: tuple[Point, ...]
    figures: tuple[Result, ...]
    currency: str
    today: date
    wrong: Mapping[str, str]


@router.get("/people/{person_id}/check-ins.json")
def list_json(reader: Asking, person_id: str) -> Response:
    """The same list for a machine, without what anybody wrote."""
    with reader.opens(person_id, "check-ins json") as connection:
        rows = checkins.every(connection, person_id, reader.actor.person_id or "")
    columns = ("id", "status", "asked_by", "asked_on", "planned_on", "planned_at", "minutes", "held_on", "topic")
    return JSONResponse(jsonable_encoder({"check_ins": [{n: getattr(r, n) for n in columns} for r in rows]}))


@router.get("/people/{person_id}/check-ins")
def list_page(reader: Asking, person_id: str) -> HTMLResponse:
    """The check-ins that the reader has with a person."""
    with reader.opens(person_id, "check-ins") as connection:
        return _list(reader, connection, person_id)


@router.post("/people/{person_id}/check-ins")
def ask(reader: Sending, person_id: str, form: Form) -> Response:
    """Ask for a check-in: the person somebody above or anybody by name, somebody above the person."""
    if not can(reader.actor, Action.ASK_CHECK_IN, person_id):
        raise Missing
    own = person_id == reader.actor.person_id
    with reader.site.engine.begin() as connection:
        plan = _plan(form, reader.today) | {"topic": form.text("topic", most=500)}
        plan |= _partner(reader, connection, person_id, form) if own else {"with_person_id": reader.actor.person_id}
        if form.wrong:
            return _list(reader, connection, person_id, form)
        side = AskedBy.REP if own else AskedBy.MANAGER
        made = checkins.ask(connection, person_id, side, plan, reader.now, reader.today)
        audit.record(connection, reader.actor, "ask_check_in", reader.now, person_id, made)
    reader.site.refresh({person_id})
    return RedirectResponse(f"/people/{person_id}/check-ins/{made}", 303)


def _partner(reader: Reader, connection: Connection, person_id: str, form: Typed) -> dict[str, Any]:
    chosen, name = form.text("with_person"), form.text("with_name", most=200)
    above = _above(reader, connection, person_id)
    if chosen and chosen not in above:
        form.wrong["with_person"] = "choose one of those offered"
    if not chosen and not name:
        form.wrong["with_name"] = "Say with whom"
    return {"with_person_id": chosen or None, "with_name": "" if chosen else name}


def _plan(form: Typed, today: date) -> dict[str, Any]:
    day, at = form.day("planned_on"), form.at("planned_at")
    if day and day < today:
        form.wrong["planned_on"] = f"{day} is over; choose a day to come, or leave it empty and agree on it later"
    if at and not day:
        form.wrong["planned_on"] = "A time needs its day"
    return {"planned_on": day, "planned_at": at, "minutes": form.whole("minutes", 5, 480, 30)}


@router.get("/people/{person_id}/check-ins/{check_in_id}")
def one(reader: Asking, person_id: str, check_in_id: str) -> HTMLResponse:
    """One check-in."""
    with reader.opens(person_id, "check-in") as connection:
        return _one(reader, connection, person_id, _talk(reader, connection, person_id, check_in_id))


@router.get("/people/{person_id}/check-ins/{check_in_id}/calendar.ics")
def calendar(reader: Asking, person_id: str, check_in_id: str) -> Response:
    """A check-in as a calendar file; it says when and with whom, never what it is about."""
    with reader.opens(person_id, "check-in calendar") as connection:
        talk = _talk(reader, connection, person_id, check_in_id)
        title = whose(connection, reader, person_id).check_in.capitalize()
    if talk.row.planned_on is None:
        raise Missing
    title = f"{title} with {talk.with_name}" if talk.with_name else title
    body = checkins.calendar_file(talk, title, reader.site.words.zone, reader.now)
    disposition = f'attachment; filename="check-in-{talk.row.planned_on}.ics"'
    return Response(body, media_type="text/calendar; charset=utf-8", headers={"Content-Disposition": disposition})


@router.post("/people/{person_id}/check-ins/{check_in_id}")
def change(reader: Sending, person_id: str, check_in_id: str, form: Form) -> Response:
    """Move it, call it off, say it was held, write notes, agree what to do, or say that it is done."""
    me = reader.actor.person_id
    if me is None or not can(reader.actor, Action.READ_SCORECARD, person_id):
        raise Missing
    doing = form.choice("doing", tuple(DOING), "notes")
    with reader.site.engine.begin() as connection:
        talk = _talk(reader, connection, person_id, check_in_id)
        if doing in ("move", "cancel", "hold") and talk.row.status != CheckInStatus.PLANNED:
            form.wrong["doing"] = f"This check-in is {talk.row.status} already; ask for a new one"
        DOING[doing](reader, connection, talk, form)
        if form.wrong:
            return _one(reader, connection, person_id, talk, form.wrong)
        audit.record(connection, reader.actor, f"{doing}_check_in", reader.now, person_id, check_in_id)
    if doing in ("move", "cancel", "hold"):
        reader.site.refresh({person_id})
    return RedirectResponse(f"/people/{person_id}/check-ins/{check_in_id}", 303)


def _move(reader: Reader, connection: Connection, talk: Talk, form: Typed) -> None:
    plan, reason = _plan(form, reader.today), form.text("reason", most=500)
    if plan["planned_on"] is None and "planned_on" not in form.wrong:
        form.wrong["planned_on"] = "Say to which day"
    if not form.wrong:
        checkins.move(connection, talk, plan, reason, reader.now)


def _cancel(reader: Reader, connection: Connection, talk: Talk, form: Typed) -> None:
    reason = form.text("reason", most=500)
    if not form.wrong:
        checkins.cancel(connection, talk, reason, reader.now)


def _hold(reader: Reader, connection: Connection, talk: Talk, form: Typed) -> None:
    day = form.day("held_on") or reader.today
    if day > reader.today:
        form.wrong["held_on"] = f"{day} is still to come"
    if not form.wrong:
        checkins.hold(connection, talk, day, reader.now)


def _notes(reader: Reader, connection: Connection, talk: Talk, form: Typed) -> None:
    words = {name: form.text(name) for name in ("points", "notes", "by_next_time")}
    private = form.text("private")
    if not form.wrong and reader.actor.person_id:
        checkins.write(connection, talk, reader.actor.person_id, words, private)


def _agree(reader: Reader, connection: Connection, talk: Talk, form: Typed) -> None:
    what, due = form.text("what", "Say what is to be done", 1000), form.day("due_on")
    owner = form.choice("owner", tuple(AskedBy), talk.side)
    if not form.wrong:
        checkins.agree(connection, talk, what, owner, due)


def _done(reader: Reader, connection: Connection, talk: Talk, form: Typed) -> None:
    if not checkins.finish(connection, talk, form.text("action"), reader.today):
        raise Missing


DOING = {"move": _move, "cancel": _cancel, "hold": _hold, "notes": _notes, "agree": _agree, "done": _done}


def _talk(reader: Reader, connection: Connection, person_id: str, check_in_id: str) -> Talk:
    """A check-in that the reader is in; for everybody else it is not there."""
    me = reader.actor.person_id
    talk = checkins.find(connection, person_id, check_in_id, me) if me else None
    if talk is None:
        raise Missing
    return talk


def _above(reader: Reader, connection: Connection, person_id: str) -> dict[str, str]:
    return checkins.names(connection, set(managers_of(connection, person_id, reader.today)))


def _list(reader: Reader, connection: Connection, person_id: str, form: Typed | None = None) -> HTMLResponse:
    who = whose(connection, reader, person_id)
    rows = checkins.every(connection, person_id, reader.actor.person_id or "")
    called = checkins.names(connection, {r.person_id if not who.own else r.with_person_id for r in rows})
    held = [r.held_on for r in rows if r.status == CheckInStatus.HELD and r.held_on]
    every_days = who.profile.check_in_every_days
    wrong = form.wrong if form else NOTHING_WRONG
    fields = ("planned_on", "planned_at", "minutes", "topic", "with_person", "with_name")
    page = CheckInsPage(
        whose=who,
        rows=tuple((r, called.get(r.with_person_id if who.own else r.person_id, r.with_name)) for r in rows),
        others=dict(sorted(_above(reader, connection, person_id).items(), key=lambda i: i[1])) if who.own else {},
        due=max(held) + timedelta(days=every_days) if held else None,
        every_days=every_days,
        wrong=wrong,
        typed={name: form.all(name)[0] if form and form.all(name) else "" for name in fields},
    )
    return reader.html("check_ins.html", f"{who.check_in.capitalize()}s, {who.name}", page, 422 if wrong else 200)


def _one(
    reader: Reader, connection: Connection, person_id: str, talk: Talk, wrong: Mapping[str, str] = NOTHING_WRONG
) -> HTMLResponse:
    who = whose(connection, reader, person_id)
    card = find_card(connection, person_id, reader.today, None, None)
    reading = for_reader(card, reader.actor) if card and (who.own or reader.actor.role in LEADS) else None
    page = CheckInPage(
        whose=who,
        talk=talk,
        agenda=draft(reading.card) if reading else (),
        figures=tuple(reading.card.results[k] for k in FIGURES if k in reading.card.results) if reading else (),
        currency=reading.card.currency if reading else "",
        today=reader.today,
        wrong=wrong,
    )
    return reader.html("check_in.html", f"{who.check_in.capitalize()}, {who.name}", page, 422 if wrong else 200)
