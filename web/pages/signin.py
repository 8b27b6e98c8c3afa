"""Signing in and out, and the first page of each role."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from web import audit, session
from web.access import Action, Actor, can
from web.security import same_origin
from web.site import FOREIGN, Asking, DemoLogin, Frame, NotAllowed, Sending, site_of

router = APIRouter()

WRONG = "That e-mail and password do not belong together. Check both, or ask whoever runs this installation."
WAIT = "That was a wrong password too many times. Wait a quarter of an hour, then try again."


@dataclass(frozen=True)
class SignInPage:
    """The form, with what went wrong the last time."""

    email: str = ""
    error: str = ""
    onward: str = "/"
    demo: Sequence[DemoLogin] = ()


@dataclass(frozen=True)
class Home:
    """The first page of somebody who has no page of their own yet."""

    role: str


@router.get("/")
def home(reader: Asking) -> Response:
    """Everybody's first page, by role."""
    actor = reader.actor
    if can(actor, Action.READ_TEAM):
        return RedirectResponse("/team", 303)
    if can(actor, Action.READ_RUNS):
        return RedirectResponse("/runs", 303)
    if actor.person_id:
        return RedirectResponse(f"/people/{actor.person_id}", 303)
    return reader.html("home.html", "Welcome", Home(actor.role))


@router.get("/sign-in")
def sign_in_form(request: Request, next: str = "/") -> Response:
    """The sign-in form."""
    return _form(request, SignInPage(onward=inside(next)))


@router.post("/sign-in")
def sign_in(
    request: Request,
    email: Annotated[str, Form(max_length=320)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    next: Annotated[str, Form(max_length=300)] = "/",
) -> Response:
    """Check e-mail and password and start a new session; the answer never says which of the two was wrong."""
    site = site_of(request)
    if not same_origin(request):
        raise NotAllowed(FOREIGN)
    address = request.client.host if request.client else ""
    if site.brake.engaged(email, address):
        return _form(request, SignInPage(email, WAIT, inside(next)), 429)
    now = site.now()
    with site.engine.connect() as connection:
        account = session.check_password(connection, email, password)
        connection.commit()
    if account is None:
        site.brake.wrong(email, address)
        return _form(request, SignInPage(email, WRONG, inside(next)), 401)
    site.brake.right(email)
    with site.engine.begin() as connection:
        token = session.begin(connection, account, now, before=request.cookies.get(site.cookie))
        found = session.find(connection, token, now)
        actor = Actor(account, found.role if found else "", found.person_id if found else None)
        audit.record(connection, actor, "sign_in", now)
    answer = RedirectResponse(inside(next), 303)
    answer.set_cookie(
        site.cookie,
        token,
        max_age=int(session.LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=site.secure_cookies,
    )
    return answer


@router.post("/sign-out")
def sign_out(reader: Sending) -> Response:
    """End the session, in the store as well as in the browser."""
    with reader.site.engine.begin() as connection:
        session.revoke(connection, reader.signed.digest, reader.now)
        audit.record(connection, reader.actor, "sign_out", reader.now)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(reader.site.cookie, httponly=True, samesite="lax", secure=reader.site.secure_cookies)
    return answer


def inside(path: str) -> str:
    """A path of this site to go on to; anything that could lead elsewhere becomes the first page."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if plain else "/"


def _form(request: Request, page: SignInPage, status: int = 200) -> Response:
    site = site_of(request)
    shown = SignInPage(page.email, page.error, page.onward, site.demo_logins)
    return site.html("sign_in.html", Frame("Sign in"), shown, status)
