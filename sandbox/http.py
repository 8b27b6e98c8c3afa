"""A loopback HTTP server with switchable faults: what both CRM-shaped servers stand on."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

FAULTS = (
    "503",
    "429",
    "401",
    "html",
    "truncate",
    "empty",
    "reset",
    "redirect",
    "slow",
    "no_results",
    "repeating_cursor",
    "limit",
    "short",
    "duplicate",
    "html401",
    "query_timeout",
    "locator",
)

UNREAD = {"429", "401", "html401", "redirect", "limit"}
"""Faults that turn a request away before anything is done of it; after the others it was done, and nobody is told."""


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def one(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body or b"{}")

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return {k: v[0] for k, v in parse_qs(self.body.decode()).items()}


@dataclass
class Response:
    """One answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json;charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """Something that goes wrong at the nth request from now, and so many times in a row; or that is done before it."""

    kind: str
    nth: int = 1
    times: int = 1
    path: str = ""  # only requests whose address holds this are counted
    action: Callable[[], object] | None = None


class LoopbackServer:
    """Serves one thing on 127.0.0.1; use it as a context manager. `requests` counts calls per path."""

    def __init__(self, port: int = 0) -> None:
        self.requests: Counter[str] = Counter()
        self.log: list[str] = []
        self.faults: list[Fault] = []
        self.before: Callable[[int, Request], None] | None = None  # called with each request before it is answered
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1  # one write an answer

            def handle_any(self) -> None:
                server._answer(self)

            do_GET = do_POST = do_PATCH = do_DELETE = do_HEAD = handle_any  # noqa: N815  (the names that http.server looks for)

            def log_message(self, format: str, *args: Any) -> None:
                """Silent: the request log is an attribute."""

            def date_time_string(self, timestamp: float | None = None) -> str:
                return format_datetime(server.now(), usegmt=True)

        self._http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def calls(self) -> int:
        """How many requests it has had."""
        return sum(self.requests.values())

    slowness = 2.0  # seconds that a slow answer takes

    def now(self) -> datetime:
        """The server's clock, which every answer carries as its Date."""
        raise NotImplementedError

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        raise NotImplementedError

    def fault(self, kind: str, nth: int = 1, times: int = 1, path: str = "") -> None:
        """Let the nth request from now (to such a path), and the `times - 1` after it, go wrong in this way."""
        if kind not in FAULTS:
            raise ValueError(f"there is no fault {kind!r}; use one of {', '.join(FAULTS)}")
        self.faults.append(Fault(kind, nth, times, path))

    def later(self, action: Callable[[], object], nth: int = 1, path: str = "") -> None:
        """Let something be done just before the nth request from now (to such a path) is answered: between two pages."""
        self.faults.append(Fault("", nth, 1, path, action))

    def start(self) -> "LoopbackServer":
        """Begin to listen."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port: from now on connections are refused."""
        self._http.shutdown()
        self._http.server_close()

    def __enter__(self) -> "LoopbackServer":
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _due(self, address: str) -> str:
        """What goes wrong with this request; what is to be done before it is done here."""
        due: list[Fault] = []
        with self._lock:
            for fault in [f for f in self.faults if f.path in address]:
                fault.nth -= 1
                if fault.nth <= 0:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                    due.append(fault)
                    if fault.kind:
                        break
        for fault in due:
            if fault.action is not None:
                fault.action()
        return due[-1].kind if due else ""

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        url = urlsplit(handler.path)
        headers = {k.lower(): v for k, v in handler.headers.items()}
        request = Request(
            handler.command, url.path, parse_qs(url.query, keep_blank_values=True), headers, handler.rfile.read(length)
        )
        with self._lock:
            if not url.path.startswith("/sandbox/"):
                self.requests[url.path] += 1
                self.log.append(f"{handler.command} {handler.path}")
        if self.before is not None and not url.path.startswith("/sandbox/"):
            self.before(self.calls, request)
        kind = "" if url.path.startswith("/sandbox/") else self._due(handler.path)
        response = Response() if kind in UNREAD else self.handle(request)
        if kind:
            response = self.spoil(kind, request, response)
        if kind == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            handler.connection.close()
            handler.close_connection = True
            return
        promised = len(response.body) + (100 if kind == "truncate" else 0)
        handler.send_response(response.status)
        handler.send_header("Content-Type", response.content_type)
        handler.send_header("Content-Length", str(promised))
        for name, value in response.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(response.body)
        handler.wfile.flush()
        if kind == "truncate":
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True

    def spoil(self, kind: str, request: Request, good: Response) -> Response:
        """The answer that a fault puts in place of the good one."""
        if kind == "503":
            return Response(503, b"<html>Service Unavailable</html>", "text/html")
        if kind == "429":
            return Response(429, b'{"status":"error","message":"too many requests"}', headers={"Retry-After": "0"})
        if kind == "401":
            return self.unauthorised()
        if kind == "html":
            return Response(200, b"<html><body>Down for maintenance</body></html>", "text/html")
        if kind == "empty":
            return Response(200, b"")
        if kind == "truncate":
            return Response(200, good.body[: len(good.body) // 2])
        if kind == "redirect":
            return Response(302, b"", headers={"Location": "http://localhost:9/elsewhere"})
        if kind == "html401":
            return Response(401, b"<html><body>Session expired</body></html>", "text/html")
        if kind == "slow":
            time.sleep(self.slowness)
        return good

    def unauthorised(self) -> Response:
        """What an expired sign-in is answered with."""
        return Response(401, b"{}")
