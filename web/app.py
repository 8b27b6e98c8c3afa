"""The web application: pages, JSON, and what is said when something is not there."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from models.errors import UserError
from models.profile import Profile
from web.pages import PAGES
from web.security import Headers, headers
from web.site import (
    HERE,
    DemoLogin,
    Frame,
    Missing,
    NotAllowed,
    SignInNeeded,
    Site,
    find_reader,
    site_of,
)
from web.words import Words

__all__ = ["DemoLogin", "create_app"]

log = logging.getLogger(__name__)

NOT_HERE = (
    "There is no such page, or it is not yours to see. "
    "Both are answered alike, so that nobody can find out who is here."
)
BROKEN = (
    "The page could not be made, and nothing was changed. Try again; if it stays so, tell whoever runs this "
    "installation what you opened and when."
)
THREADS = 4
"""Pages at work at once in a process; more threads made every page slower when it was measured."""


@dataclass(frozen=True)
class Notice:
    """A page that is one sentence and a way on."""

    heading: str
    sentence: str


def create_app(
    engine: Engine,
    *,
    now: Callable[[], datetime],
    currency: str,
    locale: str = "en_GB",
    zone: str = "UTC",
    secure_cookies: bool = False,
    demo_logins: Sequence[DemoLogin] = (),
    profiles: Mapping[str, Profile] | None = None,
    refresh: Callable[[set[str]], object] = lambda people: None,
) -> FastAPI:
    """The pages of one installation over its store. `now` is the clock; tests and the demo bring their own.

    `refresh` brings the stored scorecards of some people up to date; a page calls it after a change that they show.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        yield

    app = FastAPI(title="Beyond Quota", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.site = Site(
        engine=engine,
        now=now,
        currency=currency,
        words=Words(locale, ZoneInfo(zone)),
        secure_cookies=secure_cookies,
        demo_logins=tuple(demo_logins),
        profiles=profiles or {},
        refresh=refresh,
    )
    app.add_middleware(Headers, https=secure_cookies)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    for router in PAGES:
        app.include_router(router)
    app.add_exception_handler(SignInNeeded, _sign_in_first)
    app.add_exception_handler(NotAllowed, _not_allowed)
    app.add_exception_handler(Missing, _missing)
    app.add_exception_handler(UserError, _not_taken)
    app.add_exception_handler(RequestValidationError, _missing)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)
    return app


def _wants_data(request: Request) -> bool:
    return request.url.path.endswith((".json", ".csv"))


def _say(request: Request, status: int, heading: str, sentence: str) -> Response:
    if _wants_data(request):
        return JSONResponse({"error": sentence}, status)
    site = site_of(request)
    reader = find_reader(request) if status != 500 else None
    frame = reader.frame(heading) if reader else Frame(heading)
    return site.html("notice.html", frame, Notice(heading, sentence), status)


def _sign_in_first(request: Request, _: Exception) -> Response:
    if _wants_data(request):
        return JSONResponse({"error": "Sign in first."}, 401)
    path = request.url.path
    return RedirectResponse(f"/sign-in?next={path}" if path != "/" else "/sign-in", 303)


def _not_allowed(request: Request, error: Exception) -> Response:
    why = error.why if isinstance(error, NotAllowed) else "This page is for another role."
    return _say(request, 403, "Not for your role", why)


def _missing(request: Request, _: Exception) -> Response:
    return _say(request, 404, "Nothing here", NOT_HERE)


def _not_taken(request: Request, error: Exception) -> Response:
    return _say(request, 422, "That was not taken", f"{error} Go back: what you typed is still there.")


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return _missing(request, error)
    return _say(request, status, "That did not work", "This address does not answer to that kind of request.")


def _broken(request: Request, error: Exception) -> Response:
    # The kind alone: an error's text may hold a name or an amount.
    log.error("page failed: %s %s", request.url.path, type(error).__name__)
    answer = _say(request, 500, "Something went wrong here", BROKEN)
    # This answer is made outside the middleware that adds the headers to all others.
    answer.headers.update({**headers(site_of(request).secure_cookies), "Cache-Control": "no-store"})
    return answer
