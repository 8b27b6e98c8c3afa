"""What a person works on: written by them, private until they share it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.encoders import jsonable_encoder
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy import Connection

from metrics.development import progress
from models.objective import LEVELS
from models.profile import Profile, Template
from web import audit, objectives
from web.forms import NOTHING_WRONG, Form
from web.groups import Whose, whose
from web.objective_form import KINDS, Draft, from_template, read
from web.objectives import Whole
from web.site import Asking, Missing, Reader, Sending

router = APIRouter()
LEVEL_WORDS = {-2: "much less than hoped for", -1: "less", 0: "what was hoped for", 1: "more", 2: "much more"}


@dataclass(frozen=True)
class Shown:
    """An objective as a page shows it."""

    whole: Whole
    steps_done: int
    results: tuple[tuple[Any, float | None], ...]  # each key result and how far it has come, None if not measured


@dataclass(frozen=True)
class ObjectivesPage:
    """Every objective that the reader may see."""

    whose: Whose
    active: tuple[Shown, ...]
    closed: tuple[Shown, ...]
    templates: tuple[Template, ...]
    hidden: int
    onlookers: tuple[str, ...]


@dataclass(frozen=True)
class ObjectivePage:
    """One objective: for its owner the form, for others what is shared with them."""

    whose: Whose
    shown: Shown | None  # None: a new one
    draft: Draft | None
    wrong: Mapping[str, str]
    serves: tuple[str, ...]  # what the next roles ask for
    kinds: Mapping[str, str]
    levels: tuple[tuple[int, str], ...]
    onlookers: tuple[str, ...]


@router.get("/people/{person_id}/objectives.json")
def objectives_json(reader: Asking, person_id: str) -> Response:
    """The same list for a machine."""
    with reader.opens(person_id, "objectives json") as connection:
        found, hidden = _seen(connection, reader, whose(connection, reader, person_id))
    return JSONResponse(jsonable_encoder({"objectives": [as_data(w) for w in found], "not_shared": hidden}))


@router.get("/people/{person_id}/objectives")
def list_page(reader: Asking, person_id: str) -> HTMLResponse:
    """Everything the person works on, and where to start something new."""
    with reader.opens(person_id, "objectives") as connection:
        who = whose(connection, reader, person_id)
        found, hidden = _seen(connection, reader, who)
        onlookers = tuple(audit.onlookers(connection, person_id, reader.now))
    page = ObjectivesPage(
        who,
        tuple(_shown(w) for w in found if w.row.status == "active"),
        tuple(_shown(w) for w in found if w.row.status != "active"),
        who.profile.templates if who.own else (),
        hidden,
        onlookers,
    )
    return reader.html("objectives.html", f"Objectives, {who.name}", page)


@router.get("/people/{person_id}/objectives/new")
def new(reader: Asking, person_id: str, template: Annotated[int | None, Query(ge=0, le=999)] = None) -> HTMLResponse:
    """The form of a new objective, empty or from one of the group's templates."""
    reader.must_own(person_id)
    with reader.site.engine.connect() as connection:
        who = whose(connection, reader, person_id)
        given = who.profile.templates
        draft = from_template(given[template], reader.today) if template is not None and template < len(given) else None
        return _form(reader, connection, who, None, draft or Draft(), NOTHING_WRONG)


@router.post("/people/{person_id}/objectives")
def create(reader: Sending, person_id: str, form: Form) -> Response:
    """Store a new objective; only its owner sees it until they share it."""
    reader.must_own(person_id)
    draft = read(form)
    with reader.site.engine.begin() as connection:
        who = whose(connection, reader, person_id)
        if form.wrong:
            return _form(reader, connection, who, None, draft, form.wrong)
        made = objectives.create(connection, person_id, draft, reader.today)
        audit.record(connection, reader.actor, "write_objective", reader.now, person_id, made)
    reader.site.refresh({person_id})
    return RedirectResponse(f"/people/{person_id}/objectives/{made}", 303)


@router.get("/people/{person_id}/objectives/{objective_id}")
def one(reader: Asking, person_id: str, objective_id: str) -> HTMLResponse:
    """One objective."""
    with reader.opens(person_id, "objective") as connection:
        who = whose(connection, reader, person_id)
        whole = objectives.find(connection, person_id, objective_id)
        if whole is None or not _may_see(who, whole):
            raise Missing
        return _form(reader, connection, who, whole, whole.draft(), NOTHING_WRONG)


@router.post("/people/{person_id}/objectives/{objective_id}")
def save(reader: Sending, person_id: str, objective_id: str, form: Form) -> Response:
    """Store an objective as its owner changed it."""
    reader.must_own(person_id)
    draft = read(form)
    with reader.site.engine.begin() as connection:
        whole = objectives.find(connection, person_id, objective_id)
        if whole is None:
            raise Missing
        if form.wrong:
            return _form(reader, connection, whose(connection, reader, person_id), whole, draft, form.wrong)
        objectives.save(connection, whole, draft, reader.today)
        audit.record(connection, reader.actor, "write_objective", reader.now, person_id, objective_id)
    reader.site.refresh({person_id})
    return RedirectResponse(f"/people/{person_id}/objectives/{objective_id}", 303)


@router.post("/people/{person_id}/objectives/{objective_id}/evidence")
def evidence(reader: Sending, person_id: str, objective_id: str, form: Form) -> Response:
    """Add something that shows it."""
    words, link = form.text("words", "Say what it shows, in a sentence"), form.text("link", most=500)
    if link and not link.lower().startswith(("https://", "http://")):
        form.wrong["link"] = "A link begins with https://"

    def write(connection: Connection, whole: Whole) -> None:
        objectives.note(connection, objective_id, reader.today, "evidence", words, link=link)
        objectives.change(connection, whole, reader.today)

    return _changed(reader, person_id, objective_id, "add_evidence", write, form.wrong)


@router.post("/people/{person_id}/objectives/{objective_id}/share")
def share(reader: Sending, person_id: str, objective_id: str, form: Form) -> Response:
    """Show it to those above, or no longer."""
    shared = form.yes("shared")
    action = "share_objective" if shared else "unshare_objective"
    return _changed(
        reader, person_id, objective_id, action, lambda c, w: objectives.share(c, w, shared, reader.today), form.wrong
    )


@router.post("/people/{person_id}/objectives/{objective_id}/status")
def status(reader: Sending, person_id: str, objective_id: str, form: Form) -> Response:
    """Finish it, give it up, or take it up again."""
    chosen, words = form.text("status"), form.text("words", most=1000)
    return _changed(
        reader,
        person_id,
        objective_id,
        "close_objective",
        lambda c, w: objectives.close(c, w, chosen, words, reader.today),
        form.wrong,
    )


@router.post("/people/{person_id}/objectives/{objective_id}/scale")
def scale(reader: Sending, person_id: str, objective_id: str, form: Form) -> Response:
    """Write the levels of a goal, or rate it."""
    level, words = form.whole("level", -2, 2), [form.check("words", w, most=300) for w in form.all("words")]

    def write(connection: Connection, whole: Whole) -> None:
        if level is not None:
            objectives.rate(connection, whole, level, reader.today)
        else:
            objectives.scale(connection, whole, words, reader.today)

    return _changed(reader, person_id, objective_id, "rate_objective", write, form.wrong)


def _changed(
    reader: Reader,
    person_id: str,
    objective_id: str,
    action: str,
    write: Callable[[Connection, Whole], None],
    wrong: Mapping[str, str],
) -> Response:
    """Change one objective of the reader's own, with its line in the log, in one transaction."""
    reader.must_own(person_id)
    with reader.site.engine.begin() as connection:
        whole = objectives.find(connection, person_id, objective_id)
        if whole is None:
            raise Missing
        if wrong:
            who = whose(connection, reader, person_id)
            return _form(reader, connection, who, whole, whole.draft(), wrong)
        write(connection, whole)
        audit.record(connection, reader.actor, action, reader.now, person_id, objective_id)
    reader.site.refresh({person_id})
    return RedirectResponse(f"/people/{person_id}/objectives/{objective_id}", 303)


def _may_see(who: Whose, whole: Whole) -> bool:
    return who.own or (bool(whole.row.shared) and "development" not in who.profile.private_blocks)


def _seen(connection: Connection, reader: Reader, who: Whose) -> tuple[list[Whole], int]:
    every = objectives.every(connection, who.id)
    found = [w for w in every if _may_see(who, w)]
    return found, len([w for w in every if w.row.status != "cancelled"]) - len(
        [w for w in found if w.row.status != "cancelled"]
    )


def _shown(whole: Whole) -> Shown:
    done = sum(1 for s in whole.steps if progress(s.baseline, s.target, s.current) == 1.0)
    results = tuple((r, progress(r.baseline, r.target, r.current)) for r in whole.results)
    return Shown(whole, done, results)


def _form(
    reader: Reader, connection: Connection, who: Whose, whole: Whole | None, draft: Draft, wrong: Mapping[str, str]
) -> HTMLResponse:
    page = ObjectivePage(
        whose=who,
        shown=None if whole is None else _shown(whole),
        draft=draft.with_blanks() if who.own else None,
        wrong=wrong,
        serves=asked_for(who.profile, who.title),
        kinds=KINDS,
        levels=_levels(who.profile, whole),
        onlookers=tuple(audit.onlookers(connection, who.id, reader.now)),
    )
    title = whole.row.title if whole else f"A new {who.objective}"
    return reader.html("objective.html", title, page, 422 if wrong else 200)


def asked_for(profile: Profile, title: str) -> tuple[str, ...]:
    """What the next roles ask for, and the other roles of the group after it: offered where an objective serves one."""
    steps = [*profile.steps_from(title), *profile.ladder]
    return tuple(dict.fromkeys(c.serves for s in steps for c in s.criteria if c.serves))


def _levels(profile: Profile, whole: Whole | None) -> tuple[tuple[int, str], ...]:
    """The five levels with their words, where the group rates goals or this one already has levels."""
    if whole is None or not (profile.goal_scaling or whole.row.levels):
        return ()
    words = whole.row.levels or [""] * len(LEVELS)
    return tuple(zip(LEVELS, words, strict=True))


def as_data(whole: Whole) -> dict[str, Any]:
    """An objective for a machine: its words, key results with progress (null when not measured), and its history."""
    row = whole.row
    return {
        "id": row.id,
        "title": row.title,
        "kind": whole.kind,
        "why_it_matters": row.why_it_matters,
        "serves": row.serves,
        "who": row.who,
        "next_contact": row.next_contact,
        "starts_on": row.starts_on,
        "due_on": row.due_on,
        "status": row.status,
        "shared": bool(row.shared),
        "level": row.level,
        "steps": [{"title": s.title, "done": progress(s.baseline, s.target, s.current) == 1.0} for s in whole.steps],
        "key_results": [
            {
                **{k: getattr(r, k) for k in ("title", "baseline", "target", "current")},
                "progress": progress(r.baseline, r.target, r.current),
            }
            for r in whole.results
        ],
        "learning": [{"title": i.title, "link": i.link, "status": i.status} for i in whole.learning],
        "history": [
            {"day": u.day, "what": u.field, "was": u.old_value, "now": u.new_value, "about": u.about}
            for u in whole.updates
        ],
    }
