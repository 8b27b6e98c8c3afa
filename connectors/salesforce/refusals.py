"""What a refusal by Salesforce means, named by what to do next."""

from collections.abc import Mapping
from typing import Any

from connectors.errors import BadAnswer, BudgetSpent, NotAllowed, SignInAgain, SourceError, TryAgainLater
from connectors.salesforce.signin import FIX

NOT_ALLOWED = {"INVALID_FIELD", "INVALID_TYPE", "NOT_FOUND", "INSUFFICIENT_ACCESS", "API_DISABLED_FOR_ORG"}
NOT_ALLOWED |= {"INSUFFICIENT_ACCESS_OR_READONLY", "INVALID_TYPE_FOR_OPERATION", "FUNCTIONALITY_NOT_ENABLED"}


class QueryTimeout(SourceError):
    """The query took too long for the service; a smaller bite of it may do."""


class FieldGone(NotAllowed):
    """A field of the query is not there, or not any more."""


class LocatorGone(SourceError):
    """The place inside a query is no longer known to the service; go on from the last row that was kept."""


class RowsMissing(BadAnswer):
    """At the end of a query fewer or more rows had come than it has; which ones cannot be told."""


def refused(where: str, status: int, body: Any, way: str) -> SourceError:
    """What a refusal means. The service puts the query into its messages; only their last sentence is passed on."""
    code, message, fields = "", "no readable reason", []
    first = body[0] if isinstance(body, list) and body and isinstance(body[0], Mapping) else body
    if isinstance(first, Mapping):
        code = str(first.get("errorCode", ""))
        lines = [line for line in str(first.get("message", "")).splitlines() if line.strip()]
        message = lines[-1].split(". ")[0].rstrip(".")[:160] if lines else message
        fields = list(first.get("fields") or [])
    words = f"{message} ({', '.join([code, *map(str, fields)])})"
    if status == 401:
        return SignInAgain(f"{where}: the session is no longer valid; {FIX[way]}")
    if code == "REQUEST_LIMIT_EXCEEDED":
        if "concurrent" in message.lower():
            return TryAgainLater(f"{where}: too many long requests run in the org at once; try again later")
        return BudgetSpent(
            f"{where}: the org's API calls are used up; they come back within 24 hours, the next run goes on from here"
        )
    if code == "QUERY_TIMEOUT":
        return QueryTimeout(f"{where}: the query took too long for Salesforce; ask its support for an index")
    if code == "INVALID_QUERY_LOCATOR":
        return LocatorGone(f"{where}: the place in the query is no longer known; the next run goes on from here")
    if code in NOT_ALLOWED:
        kind = FieldGone if code == "INVALID_FIELD" else NotAllowed
        return kind(f"{where}: {words}; give the run-as user the right to see it")
    if status == 429 or status >= 500:
        return TryAgainLater(f"{where}: Salesforce is busy ({status}) and stayed so; the next run goes on from here")
    return BadAnswer(f"{where}: Salesforce refused the request ({status}): {words}")
