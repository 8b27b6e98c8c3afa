"""What every answer carries, and what every form must bring: headers and the check against foreign forms."""

import hmac
from urllib.parse import urlsplit

from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def headers(https: bool) -> dict[str, str]:
    """The security headers of every page; HSTS only where the pages are served over https."""
    policy = ContentSecurityPolicy().default_src("'self'").base_uri("'none'").form_action("'self'")
    policy = policy.frame_ancestors("'none'").object_src("'none'")
    kit = Secure(
        csp=policy,
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        permissions=PermissionsPolicy().geolocation().microphone().camera(),
        referrer=ReferrerPolicy().same_origin(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
        hsts=StrictTransportSecurity().max_age(31_536_000) if https else None,
    )
    return dict(kit.headers)


class Headers:
    """Adds the headers to every answer, errors and downloads too. Pages are never kept by a browser or a proxy."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self._app = app
        self._fixed = headers(https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        static = scope["path"].startswith("/static/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                for name, value in self._fixed.items():
                    found[name] = value
                found["Cache-Control"] = "public, max-age=300" if static else "no-store"
            await send(message)

        await self._app(scope, receive, with_headers)


def same_origin(request: Request) -> bool:
    """Whether a form came from our own page. Browsers say so themselves; a script outside a browser has no cookie."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


def token_matches(given: str, expected: str) -> bool:
    """Compare a form's token without telling by the time taken how much of it was right."""
    return hmac.compare_digest(given.encode(), expected.encode())
