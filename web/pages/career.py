"""Career: what the next role asks for, a dossier that its owner composes, and who wants to be listed as ready."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.encoders import jsonable_encoder
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy import Connection

from metrics.readiness import Coverage, coverage
from web import audit, career, objectives
from web.access import Action, can, visible_people
from web.cards import find_card
from web.career import Composed
from web.forms import NOTHING_WRONG, Form, Typed
from web.groups import Whose, whose
from web.objectives import Whole
from web.site import Asking, Missing, NotAllowed, Reader, Sending

router = APIRouter()


@dataclass(frozen=True)
class CareerPage:
    """The owner's view: what is asked for beside what shows it, the dossier's form, and the consent."""

    whose: Whose
    coverage: tuple[Coverage, ...]
    roles: tuple[str, ...]
    periods: tuple[str, ...]
    closed: tuple[Whole, ...]
    replies: Mapping[str, Mapping[str, str]]
    dossier: Any  # None: nothing put together so far
    consents: tuple[Any, ...]
    onlookers: tuple[str, ...]
    wrong: Mapping[str, str]


@dataclass(frozen=True)
class DossierPage:
    """A dossier on paper."""

    whose: Whose
    dossier: Composed


@dataclass(frozen=True)
class ReadyPage:
    """Who wants to be listed as ready, by their own word."""

    rows: tuple[Any, ...]


@router.get("/people/{person_id}/career")
def career_page(reader: Asking, person_id: str) -> HTMLResponse:
    """What the next role asks for and what of it there is; its owner's alone."""
    reader.must_own(person_id)
    with reader.opens(person_id, "career") as connection:
        return _page(reader, connection, person_id)


@router.post("/people/{person_id}/career")
def keep(reader: Sending, person_id: str, form: Form) -> Response:
    """Store the dossier as its owner composes it."""
    reader.must_own(person_id)
    with reader.site.engine.begin() as connection:
        chosen = _chosen(reader, connection, person_id, form)
        if form.wrong:
            return _page(reader, connection, person_id, form.wrong)
        career.keep(connection, person_id, chosen, reader.today)
        audit.record(connection, reader.actor, "write_dossier", reader.now, person_id)
    return _back(person_id)


@router.post("/people/{person_id}/career/share")
def share(reader: Sending, person_id: str, form: Form) -> Response:
    """Show the dossier to those above, or no longer."""
    reader.must_own(person_id)
    shared = form.yes("shared")
    with reader.site.engine.begin() as connection:
        if career.kept(connection, person_id) is None:
            raise Missing
        career.share(connection, person_id, shared)
        action = "share_dossier" if shared else "unshare_dossier"
        audit.record(connection, reader.actor, action, reader.now, person_id)
    return _back(person_id)


@router.post("/people/{person_id}/career/ready")
def consent(reader: Sending, person_id: str, form: Form) -> Response:
    """Say that one wants to be listed as ready for a role, or take it back."""
    reader.must_own(person_id)
    withdrawn = form.text("withdraw", most=40)
    role = "" if withdrawn else form.text("role", "Say for which role", 200)
    with reader.site.engine.begin() as connection:
        if form.wrong:
            return _page(reader, connection, person_id, form.wrong)
        if not withdrawn:
            career.consent(connection, person_id, role, reader.today)
        elif not career.withdraw(connection, person_id, withdrawn, reader.today):
            raise Missing
        action = "withdraw_ready" if withdrawn else "consent_ready"
        audit.record(connection, reader.actor, action, reader.now, person_id, withdrawn or role)
    return _back(person_id)


@router.get("/people/{person_id}/dossier")
def dossier(reader: Asking, person_id: str) -> HTMLResponse:
    """The dossier to print or to send; others see it while its owner shares it."""
    with reader.opens(person_id, "dossier") as connection:
        who = whose(connection, reader, person_id)
        found = career.compose(connection, person_id, objectives.every(connection, person_id), reader.today)
    if found is None or not (who.own or found.shared):
        raise Missing
    return reader.html("dossier.html", f"Dossier, {who.name}", DossierPage(who, found))


@router.get("/next-roles.json")
def ready_json(reader: Asking) -> Response:
    """The list for a machine."""
    columns = ("id", "name", "role")
    rows = [{n: getattr(r, n) for n in columns} | {"since": r.given_on} for r in _ready(reader)]
    return JSONResponse(jsonable_encoder({"ready": rows}))


@router.get("/next-roles")
def ready(reader: Asking) -> HTMLResponse:
    """Who wants to be listed as ready for a next role; nobody is listed but by their own word."""
    return reader.html("ready.html", "Ready", ReadyPage(tuple(_ready(reader))))


def _ready(reader: Reader) -> list[Any]:
    if not can(reader.actor, Action.SEE_DEVELOPMENT):
        raise NotAllowed("Who wants to move on is told to those who lead people.")
    people = visible_people(reader.actor) - {reader.actor.person_id}
    with reader.site.engine.begin() as connection:
        audit.record(connection, reader.actor, "read_ready", reader.now)
        return career.ready(connection, people)


def _back(person_id: str) -> Response:
    return RedirectResponse(f"/people/{person_id}/career", 303)


def _chosen(reader: Reader, connection: Connection, person_id: str, form: Typed) -> dict[str, Any]:
    """What is ticked, as far as it is the person's own and can be chosen."""
    mine = {w.row.id for w in objectives.every(connection, person_id) if w.row.status == "done"}
    replies = career.replies(find_card(connection, person_id, reader.today, None, None))
    kinds = (("periods", set(career.periods(connection, person_id))), ("objectives", mine), ("feedback", set(replies)))
    chosen: dict[str, Any] = {"role": form.text("for_role", most=200), "words": form.text("words")}
    for name, allowed in kinds:
        chosen[name] = [v for v in dict.fromkeys(form.all(name)) if v]
        if set(chosen[name]) - allowed:
            form.wrong[name] = "choose from what is offered"
    return chosen


def _page(
    reader: Reader, connection: Connection, person_id: str, wrong: Mapping[str, str] = NOTHING_WRONG
) -> HTMLResponse:
    who = whose(connection, reader, person_id)
    card = find_card(connection, person_id, reader.today, None, None)
    own = objectives.every(connection, person_id)
    steps = who.profile.steps_from(who.title)
    asked = (
        coverage(who.title, who.profile, card.results, card.objectives, career.evidence(own), card.as_of)
        if card
        else ()
    )
    page = CareerPage(
        whose=who,
        coverage=asked,
        roles=tuple(dict.fromkeys(s.role for s in steps)),
        periods=tuple(career.periods(connection, person_id)[:12]),
        closed=tuple(w for w in own if w.row.status == "done"),
        replies=career.replies(card),
        dossier=career.kept(connection, person_id),
        consents=tuple(career.consents(connection, person_id)),
        onlookers=tuple(audit.onlookers(connection, person_id, reader.now)),
        wrong=wrong,
    )
    return reader.html("career.html", "What comes next", page, 422 if wrong else 200)
