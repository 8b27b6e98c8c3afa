"""Errors a person can act on: shown as a sentence, or as a list of them, never as a traceback."""

from collections.abc import Sequence


class UserError(Exception):
    """Something the person at the keyboard can put right; `problems` names every one of them, not only the first."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        self.message = message
        self.problems = list(problems)
        super().__init__("\n".join([message, *(f"  - {p}" for p in self.problems)]))
