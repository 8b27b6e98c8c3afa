"""What somebody typed into a form, read field by field; what is wrong is kept beside the field it is wrong in."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData

LONGEST = 4000


@dataclass
class Typed:
    """A form as it was sent, and what is wrong with it so far."""

    fields: FormData
    wrong: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, need: str = "", most: int = LONGEST) -> str:
        """Words; `need` says what is missing when there are none."""
        return self.check(name, self.all(name)[0] if name in self.fields else "", need, most)

    def check(self, name: str, value: str, need: str = "", most: int = LONGEST) -> str:
        """The same for one of several fields of a name."""
        found = value.replace("\r\n", "\n").replace("\x00", "").strip()
        if need and not found:
            self.wrong[name] = need
        if len(found) > most:
            self.wrong[name] = f"{len(found)} signs are more than the {most} there is room for; shorten it"
        return found

    def all(self, name: str) -> list[str]:
        """Every field of a name, in the order of the page."""
        return [value if isinstance(value, str) else "" for value in self.fields.getlist(name)]

    def yes(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.text(name) == "yes"

    def day(self, name: str, need: str = "") -> date | None:
        """A day; an empty field is none."""
        return self.as_day(name, self.text(name, need, 40))

    def as_day(self, name: str, value: str) -> date | None:
        """The same for one of several fields."""
        try:
            return date.fromisoformat(value.strip()) if value.strip() else None
        except ValueError:
            self.wrong[name] = f"{value} is no day; write it like 2026-11-24"
            return None

    def at(self, name: str) -> str:
        """A time of day, 14:30; an empty field is none."""
        found = self.text(name, most=10)
        if found and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", found):
            self.wrong[name] = f"{found} is no time of day; write it like 14:30"
        return found

    def whole(self, name: str, low: int, high: int, usual: int | None = None) -> int | None:
        """A whole number between two others; an empty field is the usual one."""
        found = self.text(name, most=12)
        if not found:
            return usual
        if not found.lstrip("-").isdecimal() or not low <= int(found) <= high:
            self.wrong[name] = f"{found} is no whole number from {low} to {high}"
            return usual
        return int(found)

    def number(self, name: str, value: str) -> str | None:
        """A number as text, exactly as typed but for a decimal comma; an empty field is unknown, never 0."""
        found = value.strip().replace(",", ".")
        if not found:
            return None
        try:
            if Decimal(found).is_finite() and len(found) <= 30:
                return found
        except InvalidOperation:
            pass
        self.wrong[name] = f"{value.strip()} is no number; write it like 12 or 12.5"
        return None

    def choice(self, name: str, allowed: Collection[str], usual: str) -> str:
        """One of the words that are offered."""
        found = self.text(name, most=100) or usual
        if found not in allowed:
            self.wrong[name] = "choose one of those offered"
            return usual
        return found


async def _typed(request: Request) -> Typed:
    return Typed(await request.form())


Form = Annotated[Typed, Depends(_typed)]
"""What a route with many fields takes beside `reader: Sending`."""

NOTHING_WRONG: Mapping[str, str] = {}
