"""What a source can do to us, named by what to do next."""

from models.errors import UserError


class SourceError(UserError):
    """The source did not give what was asked; `message` says what happened, to which thing, and what to do."""

    again = False  # the answer broke off on the way: worth asking once more at once


class TryAgainLater(SourceError):
    """The source is unreachable, busy or out of calls for today; nothing was lost, the next run goes on."""


class SignInAgain(SourceError):
    """The source does not take our sign-in."""


class NotAllowed(SourceError):
    """Signed in, but not permitted: the message names the permission, scope, object or field."""


class BadAnswer(SourceError):
    """The source's answer cannot be proven whole: wrong shape, too few rows, another host. Never taken as empty."""


class BudgetSpent(SourceError):
    """The share of the source's calls that a run may use is used up; what was read is kept, the next run goes on."""
