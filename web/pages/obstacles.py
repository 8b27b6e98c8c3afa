"""What stands in people's way: written by them, shown when they share it, and counted for those who lead."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter
from fastapi.encoders import jsonable_encoder
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy import Connection

from metrics.obstacles import SMALLEST_KIND, by_kind, month_before
from metrics.rollup import SMALLEST
from web import audit, obstacles
from web.access import Action, can, visible_people
from web.forms import NOTHING_WRONG, Form, Typed
from web.groups import Whose, whose
from web.site import Asking, Missing, NotAllowed, Reader, Sending

router = APIRouter()


@dataclass(frozen=True)
class ObstaclesPage:
    """What stands in one person's way, as far as the reader may see it."""

    whose: Whose
    still: tuple[Any, ...]
    gone: tuple[Any, ...]
    hidden: int
    kinds: tuple[str, ...]
    today: date
    wrong: Mapping[str, str]
    typed: Mapping[str, str]
    onlookers: tuple[str, ...]


@dataclass(frozen=True)
class CountsPage:
    """How many obstacles of each kind stand in the way of those the reader leads; None: too few people to tell."""

    people: int
    day: date
    kinds: Mapping[str, int] | None
    smallest_group: int = SMALLEST
    smallest_kind: int = SMALLEST_KIND


@router.get("/obstacles.json")
def counts_json(reader: Asking) -> Response:
    """The counts for a machine; `kinds` is null where the group is too small."""
    page = _counts(reader)
    return JSONResponse(jsonable_encoder({"people": page.people, "day": page.day, "kinds": page.kinds}))


@router.get("/obstacles")
def counts(reader: Asking) -> HTMLResponse:
    """What stands in the way of the people below, by kind: no name and no words."""
    return reader.html("obstacle_counts.html", "In the way", _counts(reader))


def _counts(reader: Reader) -> CountsPage:
    if not can(reader.actor, Action.SEE_DEVELOPMENT):
        raise NotAllowed("Counts of what is in the way are for those who lead people.")
    people, day = visible_people(reader.actor) - {reader.actor.person_id}, month_before(reader.today)
    with reader.site.engine.begin() as connection:
        found = by_kind(obstacles.of_people(connection, people), len(people), day)
        audit.record(connection, reader.actor, "read_obstacle_counts", reader.now)
    return CountsPage(len(people), day, found)


@router.get("/people/{person_id}/obstacles.json")
def person_json(reader: Asking, person_id: str) -> Response:
    """One person's list for a machine; days_open counts up to today or the day it was resolved."""
    with reader.opens(person_id, "obstacles json") as connection:
        who = whose(connection, reader, person_id)
        seen, hidden = _seen(connection, who)
    names = ("id", "kind", "what", "effect", "who_can_remove", "opened_on", "resolved_on", "resolved_by", "shared")
    rows = [{n: getattr(r, n) for n in names} | {"days_open": _age(r, reader.today)} for r in seen]
    return JSONResponse(jsonable_encoder({"obstacles": rows, "not_shared": hidden}))


@router.get("/people/{person_id}/obstacles")
def person(reader: Asking, person_id: str) -> HTMLResponse:
    """One person's list, with the forms for its owner."""
    with reader.opens(person_id, "obstacles") as connection:
        return _page(reader, connection, person_id)


@router.post("/people/{person_id}/obstacles")
def create(reader: Sending, person_id: str, form: Form) -> Response:
    """Write one down; only its owner sees it until they share it."""
    reader.must_own(person_id)
    words = _words(form)
    with reader.site.engine.begin() as connection:
        if form.wrong:
            return _page(reader, connection, person_id, form.wrong, words)
        made = obstacles.create(connection, person_id, words, reader.today)
        audit.record(connection, reader.actor, "write_obstacle", reader.now, person_id, made)
    return _back(reader, person_id)


@router.post("/people/{person_id}/obstacles/{obstacle_id}")
def change(reader: Sending, person_id: str, obstacle_id: str, form: Form) -> Response:
    """Say it differently, share it or take it back, or say that it is gone and through whom."""
    reader.must_own(person_id)
    doing = form.choice("doing", ("change", "share", "unshare", "resolve", "reopen"), "change")
    columns: dict[str, Any] = {}
    if doing == "change":
        columns = dict(_words(form))
    elif doing == "resolve":
        by = form.text("resolved_by", "Say who or what removed it", 200)
        columns = {"resolved_on": reader.today, "resolved_by": by}
    elif doing == "reopen":
        columns = {"resolved_on": None, "resolved_by": ""}
    else:
        columns = {"shared": doing == "share"}
    with reader.site.engine.begin() as connection:
        if obstacles.find(connection, person_id, obstacle_id) is None:
            raise Missing
        if form.wrong:
            wrong = {f"{name}-{obstacle_id}": words for name, words in form.wrong.items()}
            return _page(reader, connection, person_id, wrong, {})
        obstacles.change(connection, obstacle_id, **columns)
        audit.record(connection, reader.actor, f"{doing}_obstacle", reader.now, person_id, obstacle_id)
    return _back(reader, person_id)


def _words(form: Typed) -> dict[str, str]:
    return {
        "what": form.text("what", "Say in a sentence what is in the way", 1000),
        "kind": form.text("kind", most=60) or "other",
        "effect": form.text("effect", most=1000),
        "who_can_remove": form.text("who_can_remove", most=200),
    }


def _back(reader: Reader, person_id: str) -> Response:
    reader.site.refresh({person_id})
    return RedirectResponse(f"/people/{person_id}/obstacles", 303)


def _seen(connection: Connection, who: Whose) -> tuple[list[Any], int]:
    rows = obstacles.every(connection, who.id)
    if who.own:
        return rows, 0
    seen = [r for r in rows if r.shared and "obstacles" not in who.profile.private_blocks]
    return seen, sum(1 for r in rows if r.resolved_on is None) - sum(1 for r in seen if r.resolved_on is None)


def _age(row: Any, today: date) -> int:
    days: int = ((row.resolved_on or today) - row.opened_on).days
    return max(days, 0)


def _page(
    reader: Reader,
    connection: Connection,
    person_id: str,
    wrong: Mapping[str, str] = NOTHING_WRONG,
    typed: Mapping[str, str] = NOTHING_WRONG,
) -> HTMLResponse:
    who = whose(connection, reader, person_id)
    seen, hidden = _seen(connection, who)
    page = ObstaclesPage(
        who,
        tuple((r, _age(r, reader.today)) for r in seen if r.resolved_on is None),
        tuple((r, _age(r, reader.today)) for r in seen if r.resolved_on is not None),
        hidden,
        who.profile.obstacle_kinds,
        reader.today,
        wrong,
        typed,
        tuple(audit.onlookers(connection, person_id, reader.now)),
    )
    return reader.html("obstacles.html", f"In the way, {who.name}", page, 422 if wrong else 200)
