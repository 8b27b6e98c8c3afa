"""What every page needs: the store, the clock, the words, the templates, and who is asking."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import jinja2
from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, Engine

from models.profile import Profile
from web import audit, session
from web.access import LEADS, Action, Actor, can, reports_of
from web.security import same_origin, token_matches
from web.session import Brake, SignedIn
from web.words import Words, safe_link

HERE = Path(__file__).parent
FOREIGN = "This form was sent from another page, so nothing was done. Open the page here and send it again."


@dataclass(frozen=True)
class DemoLogin:
    """A sign-in of the pretend company, printed on the sign-in page of a demo and nowhere else."""

    email: str
    password: str
    what: str


@dataclass(frozen=True)
class Link:
    """A place to go."""

    href: str
    text: str
    here: bool = False


@dataclass(frozen=True)
class Frame:
    """What stands around every page."""

    title: str
    nav: tuple[Link, ...] = ()
    email: str = ""
    csrf: str = ""


class SignInNeeded(Exception):
    """Nobody is signed in; the page leads to the sign-in, the JSON says so."""


class NotAllowed(Exception):
    """Signed in, but this page is for another role; `why` is shown."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class Missing(Exception):
    """There is no such page, or it is not this reader's to see: the answer is the same, so nothing can be found out."""


@dataclass(frozen=True)
class Site:
    """One installation's pages."""

    engine: Engine
    now: Callable[[], datetime]
    currency: str
    words: Words
    secure_cookies: bool = False
    demo_logins: Sequence[DemoLogin] = ()
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    refresh: Callable[[set[str]], object] = lambda people: None
    brake: Brake = field(default_factory=Brake)
    templates: jinja2.Environment = field(init=False)

    def __post_init__(self) -> None:
        found = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        found.globals["words"] = self.words
        found.filters["safe_link"] = safe_link
        object.__setattr__(self, "templates", found)

    @property
    def cookie(self) -> str:
        """The cookie's name; the prefix makes browsers refuse it from anywhere but this host over https."""
        return "__Host-session" if self.secure_cookies else "session"

    def day(self, now: datetime) -> date:
        """The day it is here."""
        return now.astimezone(self.words.zone).date()

    def html(self, template: str, frame: Frame, page: Any, status: int = 200) -> HTMLResponse:
        """A rendered page."""
        body = self.templates.get_template(template).render(frame=frame, page=page)
        return HTMLResponse(body, status)


@dataclass(frozen=True)
class Reader:
    """Somebody signed in who asks for a page, now."""

    site: Site
    signed: SignedIn
    actor: Actor
    now: datetime
    path: str

    @property
    def today(self) -> date:
        """The day it is here."""
        return self.site.day(self.now)

    @contextmanager
    def opens(self, person_id: str, form: str) -> Iterator[Connection]:
        """A person's page is opened: the read is written down in the transaction that reads, or there is no page."""
        # Refused and unknown are one answer, given before the store is asked anything.
        if not can(self.actor, Action.READ_SCORECARD, person_id):
            raise Missing
        with self.site.engine.begin() as connection:
            audit.record(connection, self.actor, "read_scorecard", self.now, person_id, detail={"as": form})
            yield connection

    def must_own(self, person_id: str) -> None:
        """What is written here is the person's own: for everybody else there is nothing; Missing."""
        if not can(self.actor, Action.WRITE_OWN, person_id):
            raise Missing

    def frame(self, title: str) -> Frame:
        """The frame of a page, with the places that this reader can go to."""
        return Frame(title, navigation(self.actor, self.path), self.signed.email, self.signed.csrf)

    def html(self, template: str, title: str, page: Any, status: int = 200) -> HTMLResponse:
        """A rendered page for this reader."""
        return self.site.html(template, self.frame(title), page, status)


def navigation(actor: Actor, path: str) -> tuple[Link, ...]:
    """Where this reader can go."""
    places = []
    if actor.person_id:
        places.append((f"/people/{actor.person_id}", "My page"))
    if can(actor, Action.READ_TEAM):
        places.append(("/team", "Team"))
    if can(actor, Action.SEE_DEVELOPMENT):
        places += [("/obstacles", "In the way"), ("/next-roles", "Next roles")]
    if can(actor, Action.READ_RUNS):
        places += [("/runs", "Syncs"), ("/schedules", "Schedules"), ("/rejects", "Rejected rows")]
    return tuple(Link(href, text, path == href or path.startswith(f"{href}/")) for href, text in places)


def site_of(request: Request) -> Site:
    """The installation that a request came to."""
    site: Site = request.app.state.site
    return site


def find_reader(request: Request) -> Reader | None:
    """Who is asking, if anybody is signed in."""
    site = site_of(request)
    token, now = request.cookies.get(site.cookie), site.now()
    if not token:
        return None
    # Its own short transaction: nothing is written, so no page waits here for a running sync.
    with site.engine.connect() as connection:
        signed = session.find(connection, token, now)
        if signed is None:
            return None
        leads = signed.role in LEADS and signed.person_id
        below = reports_of(connection, str(signed.person_id), site.day(now)) if leads else frozenset[str]()
    actor = Actor(signed.account_id, signed.role, signed.person_id, below)
    return Reader(site, signed, actor, now, request.url.path)


def signed_in(request: Request) -> Reader:
    """Who is asking; a SignInNeeded when nobody is."""
    reader = find_reader(request)
    if reader is None:
        raise SignInNeeded
    return reader


Asking = Annotated[Reader, Depends(signed_in)]


def sends(request: Request, reader: Asking, csrf: Annotated[str, Form(max_length=200)] = "") -> Reader:
    """Who sends a form, proven to come from a page of ours that this very session opened."""
    if not same_origin(request) or not token_matches(csrf, reader.signed.csrf):
        raise NotAllowed(FOREIGN)
    return reader


Sending = Annotated[Reader, Depends(sends)]
"""What every route that changes something takes; its form carries `frame.csrf` as `csrf`."""
