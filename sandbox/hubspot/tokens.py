"""Ways to sign in: a service key that lasts, and an app's access tokens that end and are renewed by a refresh token."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.http import Request, Response

KEY = "sandbox-token"
CLIENT = ("sandbox-client", "sandbox-secret")
GRANT = "sandbox-grant"


@dataclass
class Tokens:
    """Access tokens and when they end, by the portal's clock. With `rotation`, a refresh token is good for one time."""

    now: Callable[[], datetime]
    scopes: set[str]
    ends: dict[str, datetime] = field(default_factory=dict)
    refresh: str = GRANT
    lives: int = 1800  # seconds
    rotation: bool = False
    log_ins: int = 0

    def state(self, token: str) -> str:
        """Whether a token is good, expired or unknown."""
        if token == KEY:
            return "good"
        if token not in self.ends:
            return "unknown"
        return "good" if self.now() < self.ends[token] else "expired"

    def end_all(self) -> None:
        """Every access token ends now."""
        self.ends = dict.fromkeys(self.ends, self.now())

    def trade(self, request: Request) -> Response:
        """/oauth/v3/token: a refresh token for an access token."""
        form = request.form
        if form.get("grant_type") != "refresh_token":
            return _no("UNSUPPORTED_GRANT_TYPE", "grant type not supported")
        if (form.get("client_id"), form.get("client_secret")) != CLIENT:
            return _no("BAD_CLIENT_SECRET", "missing or invalid client secret")
        if form.get("refresh_token") != self.refresh:
            return _no("BAD_REFRESH_TOKEN", "missing or invalid refresh token")
        self.log_ins += 1
        if self.rotation:
            self.refresh = f"{GRANT}-{self.log_ins}"
        token = f"sandbox-secret-session-{self.log_ins}-{secrets.token_hex(6)}"
        self.ends[token] = self.now() + timedelta(seconds=self.lives)
        facts = {"access_token": token, "refresh_token": self.refresh, "expires_in": self.lives, "token_type": "bearer",
                 "token_use": "access_token", "scopes": sorted(self.scopes)}  # fmt: skip
        return Response(200, json.dumps(facts).encode())

    def introspect(self, request: Request) -> Response:
        """/oauth/v3/token/introspect: what a token is good for."""
        token = request.form.get("token", "")
        if self.state(token) == "unknown":
            return _no("OBJECT_NOT_FOUND", "no such token", 404)
        active = self.state(token) == "good"
        facts: dict[str, Any] = {"active": active, "token_type": "bearer", "token_use": "access_token", "hub_id": 4242}
        if active:
            facts["scopes"] = sorted(self.scopes)
        return Response(200, json.dumps(facts).encode())

    def revoke(self, request: Request) -> Response:
        """/oauth/v3/token/revoke: an access token ends, or the refresh token with all of them."""
        token = request.form.get("token", "")
        if token == self.refresh:
            self.refresh = f"{GRANT}-{secrets.token_hex(4)}"
            self.ends.clear()
        self.ends.pop(token, None)
        return Response(204)


def _no(category: str, message: str, status: int = 400) -> Response:
    facts = {"status": "error", "message": message, "correlationId": "0000-sandbox", "category": category}
    return Response(status, json.dumps(facts).encode())
