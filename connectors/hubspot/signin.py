"""The bearer token of every call: a service key as it is, or an OAuth access token that is renewed in time."""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from connectors.errors import BadAnswer, SignInAgain, TryAgainLater
from connectors.hubspot.options import Options
from connectors.hubspot.refusals import FIX, Refused

EARLY = 120.0  # seconds before its end that an access token is renewed
LOCK_WAIT = 90.0

Trade = Callable[[Mapping[str, str]], Any]
"""Sends a form to the token endpoint, once, and gives the proven JSON."""


class SignIn:
    """Gives the token to every thread of this process; access tokens are shared with other processes by a file.

    One refresher at a time, over threads and processes: who waited takes the token that the other one left. What the
    server gave is on disk before anything uses it.
    """

    def __init__(self, name: str, options: Options, trade: Trade, now: Callable[[], float] = time.time) -> None:
        self.name, self.options, self.trade, self.now = name, options, trade, now
        self._lock = threading.Lock()
        self._token, self._ends = options.token, float("inf") if options.token else 0.0

    @property
    def way(self) -> str:
        """How this connection signs in: token or oauth."""
        return "token" if self.options.token else "oauth"

    def token(self) -> str:
        """The token to call with, renewed when it is about to run out."""
        with self._lock:
            if self.now() >= self._ends - EARLY:
                self._renew(stale="")
            return self._token

    def renew(self, stale: str) -> bool:
        """A token was not taken: get another one, unless that happened already. False where there is no other."""
        if self.way == "token":
            return False
        with self._lock:
            if self._token == stale:
                self._renew(stale)
            return True

    def _renew(self, stale: str) -> None:
        path, where = self.options.refresh_token_file, f"{self.name}: sign-in"
        assert path is not None
        session = path.with_name(path.name + ".session")
        try:
            with FileLock(f"{path}.lock", timeout=LOCK_WAIT):
                shared = _shared(session)
                if shared is None or shared[0] == stale or self.now() >= shared[1] - EARLY:
                    shared = self._traded(where, path, session)
                self._token, self._ends = shared
        except Timeout:
            raise TryAgainLater(f"{where}: another process holds {path}.lock; try again later") from None
        except OSError as error:
            raise SignInAgain(
                f"{where}: the refresh token in {path} cannot be read or replaced ({error.strerror})"
            ) from None

    def _traded(self, where: str, path: Path, session: Path) -> tuple[str, float]:
        options, old = self.options, path.read_text(encoding="utf-8").strip()
        form = {
            "grant_type": "refresh_token", "client_id": options.client_id, "client_secret": options.client_secret,
            "refresh_token": old,
        }  # fmt: skip
        began = self.now()
        try:
            body = self.trade(form)
        except (Refused, SignInAgain):
            raise SignInAgain(f"{where}: HubSpot does not take this sign-in; {FIX['oauth']}") from None
        token, seconds = (body.get(k) for k in ("access_token", "expires_in")) if isinstance(body, dict) else (None, 0)
        if not isinstance(token, str) or not token or not isinstance(seconds, int | float):
            raise BadAnswer(f"{where}: the server did not answer with a token; check address and api_version")
        fresh = str(body.get("refresh_token") or old)
        if fresh != old:
            keep(path, fresh)
        keep(session, json.dumps({"access_token": token, "ends": began + float(seconds)}))
        return token, began + float(seconds)


def _shared(session: Path) -> tuple[str, float] | None:
    """The access token that another process left; None where there is none."""
    try:
        facts = json.loads(session.read_text(encoding="utf-8"))
        return str(facts["access_token"]), float(facts["ends"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def keep(path: Path, text: str) -> None:
    """Replace a file durably: the old or the new text is in it, whatever happens; nobody else may read it."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def scopes(facts: Any) -> list[str] | None:
    """The scopes that a token's facts name; None when they do not say."""
    named = facts.get("scopes") if isinstance(facts, dict) else None
    if named is None and isinstance(facts, dict) and isinstance(facts.get("scope"), str):
        named = facts["scope"].split()
    return sorted(str(s) for s in named) if isinstance(named, list) else None
