"""The sandbox's own paths, for programs that test a connector from outside; no real service has them.

GET  /sandbox/calls     {"now", "calls", ...}: what it has been asked so far
GET  /sandbox/truth     what a sync should find
POST /sandbox/clock     {"days": 1} or {"seconds": 90}: the service's clock goes on
POST /sandbox/advance   {"days": 1}: days pass, with the work of the company
POST /sandbox/fault     {"kind": "503", "nth": 3, "times": 2, "path": "query"}
POST /sandbox/later     {"nth": 2, "path": "query", "do": "change", "given": {...}}: just before that request, one of these
POST /sandbox/settings  {"daily": 5000, ...}: what may be set is listed by each server

Each server adds its own, see sandbox/salesforce/control.py and sandbox/hubspot/control.py.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from sandbox.http import Request, Response

Given = dict[str, Any]
Verb = Callable[[Given], Any]
"""What one path does with its body; what it returns is the answer, None for the usual one."""

Settings = Mapping[str, tuple[str, Callable[[Any], Any]]]
"""A setting's name to the attribute it stands for ("jobs.polls") and how its value is read."""


class Controlled(Protocol):
    """A server that has a clock, counts its calls and can go wrong."""

    @property
    def calls(self) -> int: ...

    def now(self) -> Any: ...

    def fault(self, kind: str, nth: int = 1, times: int = 1, path: str = "") -> None: ...

    def later(self, action: Callable[[], object], nth: int = 1, path: str = "") -> None: ...


def control(
    server: Controlled, request: Request, verbs: Mapping[str, Verb], settings: Settings, **facts: Any
) -> Response:
    """Answer one of the sandbox's own paths; `facts` are told beside the usual answer."""
    name, given = request.path.removeprefix("/sandbox/"), request.json if request.method == "POST" else {}
    found = None
    try:
        if name == "fault":
            server.fault(given["kind"], int(given.get("nth", 1)), int(given.get("times", 1)), given.get("path", ""))
        elif name == "later":
            inner = replace(request, path=f"/sandbox/{given['do']}", body=json.dumps(given.get("given", {})).encode())
            action = lambda: control(server, inner, verbs, settings)  # noqa: E731
            server.later(action, int(given.get("nth", 1)), given.get("path", ""))
        elif name == "settings":
            for one, value in given.items():
                _set(server, *settings[one], value)
        elif name in verbs:
            found = verbs[name](given)
        elif name != "calls":
            return Response(404, b'{"message": "the sandbox has no such path"}')
    except (LookupError, TypeError, ValueError, StopIteration) as error:
        return Response(400, json.dumps({"message": f"{name}: {type(error).__name__}: {error}"}).encode())
    usual = {"now": server.now().isoformat(), "calls": server.calls, **facts}
    return Response(200, json.dumps(usual if found is None else found).encode())


def _set(server: object, place: str, read: Callable[[Any], Any], value: Any) -> None:
    *path, last = place.split(".")
    for step in path:
        server = getattr(server, step)
    setattr(server, last, read(value))
