"""What an answer that is not 200 means, in one sentence that says what to do."""

import json
from typing import Any

from connectors.errors import BadAnswer, BudgetSpent, NotAllowed, SignInAgain, SourceError, TryAgainLater


class NotRead(TryAgainLater):
    """429: the request was turned away before anything was done, so that even a create may be sent again."""

    again = True


class Refused(BadAnswer):
    """400: the request itself was refused; of several rows, at least one is wrong."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason  # HubSpot's own words


class Gone(NotAllowed):
    """404: no such thing, or no such version."""


FIX = {
    "token": "make a new service key and set `token` to it",
    "oauth": "the app was uninstalled or its access taken back: connect it again and put the new refresh token into "
    "the file",
}


def refused(where: str, status: int, body: str | bytes | None, version: str, way: str) -> SourceError:
    """The error that a status and body stand for."""
    facts = _facts(body)
    category, message = str(facts.get("category", "")), str(facts.get("message", "no readable reason"))[:160]
    if 300 <= status < 400:
        return BadAnswer(f"{where}: the server sent us on to another address, which was not followed")
    if status == 401:
        return SignInAgain(f"{where}: HubSpot does not take the token; {FIX[way]}")
    if status == 403:
        scopes = missing_scopes(facts)
        words = f"the scope {', '.join(scopes)} is missing" if scopes else message
        return NotAllowed(f"{where}: {words}; add it to the service key or app")
    if status == 404:
        return Gone(f"{where}: not found; check address and api_version (now {version})")
    if status == 429 and facts.get("policyName") == "DAILY":
        return BudgetSpent(
            f"{where}: stopped, because today's calls of the account are used up; they begin anew at midnight of the "
            "account's time zone, and the next run goes on from here"
        )
    if status == 429:
        return NotRead(f"{where}: HubSpot is busy (429) and stayed so; the next run goes on from here")
    if status >= 500 or status == 477:
        error = TryAgainLater(f"{where}: HubSpot is busy ({status}) and stayed so; the next run goes on from here")
        error.again = True
        return error
    number = facts.get("correlationId")
    shown = f" (correlation id {number})" if number else ""
    return Refused(f"{where}: HubSpot refused the request ({status} {category}): {message}{shown}", message)


def missing_scopes(facts: dict[str, Any]) -> list[str]:
    """The scopes that a 403 names."""
    errors = facts.get("errors")
    contexts = [e.get("context") for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    found = [s for c in contexts if isinstance(c, dict) for s in c.get("requiredGranularScopes") or []]
    return [str(scope) for scope in dict.fromkeys(found)]


def _facts(body: str | bytes | None) -> dict[str, Any]:
    try:
        facts = json.loads(body or "{}")
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}
