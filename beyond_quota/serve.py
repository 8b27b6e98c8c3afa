"""The commands that serve the pages."""

import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from beyond_quota.wiring import Installation, moment
from models.errors import UserError

if TYPE_CHECKING:
    from fastapi import FastAPI


def pages(here: Installation, logins: Any = (), now: Callable[[], datetime] | None = None) -> "FastAPI":
    """The web application of an installation."""
    from web.app import create_app

    return create_app(
        here.engine,
        now=now or here.clock,
        currency=here.settings.currency,
        locale=here.settings.locale,
        zone=here.settings.zone,
        demo_logins=logins,
        profiles=here.profiles(),
        refresh=here.refresh,
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, or a sentence that says what has the port."""
    server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
    except OSError as error:
        server.close()
        raise UserError(f"{host}:{port} cannot be used ({error.strerror}); try --port 0 for a free one") from None
    return server


def serve_pages(config: Path, host: str, port: int, now: str | None) -> None:
    """Serve until stopped."""
    here = Installation.open(config, moment(now))
    here.engine  # noqa: B018  (opens the store now, so that a wrong address is said at once)
    run(pages(here), listen(host, port))


def run(app: "FastAPI", server: socket.socket, announce: bool = True) -> None:
    """Run uvicorn on a socket; Ctrl-C and SIGTERM end it cleanly."""
    import uvicorn

    host, port = server.getsockname()[:2]
    if announce:
        typer.echo(f"serving on http://{host}:{port}   (Ctrl-C ends it)")
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=3
    )
    with suppress(KeyboardInterrupt):  # uvicorn raises it again after it has ended well
        uvicorn.Server(config).run(sockets=[server])
