"""A batch as received, column by column in our own words, and what its texts stand for."""

from collections.abc import Mapping, Set
from decimal import Decimal, InvalidOperation
from typing import Any

import pandas as pd

from connectors.base import RejectDraft
from connectors.salesforce.ids import long_ids

Facts = Mapping[str, Any]


class Raw:
    """A batch as received, its columns by our words."""

    def __init__(self, frame: pd.DataFrame, facts: Facts) -> None:
        self.frame, self.fields = frame, facts.get("fields", {})

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, word: str) -> "pd.Series[Any]":
        return self.named(self.fields.get(word, ""))

    def named(self, field: str) -> "pd.Series[Any]":
        """A column by the source's own name; unknown throughout where it was not read."""
        if field in self.frame:
            return self.frame[field]
        return pd.Series([None] * len(self), index=self.frame.index, dtype="object")

    def ids(self, word: str) -> "pd.Series[Any]":
        """A column of record ids."""
        return long_ids(self[word].astype("str"))

    def flag(self, word: str, otherwise: bool = False) -> "pd.Series[Any]":
        """A column of true and false; a field of the installation's own holds them as text."""
        column = self[word]
        if isinstance(column.dtype, pd.StringDtype):
            column = column.str.lower().map({"true": True, "false": False})
        return column.fillna(otherwise).astype(bool)

    def days(self, word: str) -> "pd.Series[Any]":
        """A column of days; unknown where there is none, and where what is there is no day."""
        texts = self[word].astype("str").str.slice(0, 10)
        return pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce").astype("datetime64[s]")

    def no_days(self, word: str, days: "pd.Series[Any]") -> dict[Any, str]:
        """The rows in which something stands that was not read as a day, and why."""
        wrong = self[word][days.isna() & self[word].notna()]
        return {i: f"{str(text)[:40]!r} is no day" for i, text in wrong.items()}

    def instants(self, word: str) -> "pd.Series[Any]":
        """A column of instants, in either spelling: ...000+0000 or ...000Z."""
        return pd.to_datetime(self[word].astype("str"), utc=True, format="ISO8601", errors="coerce")

    def currency(self, facts: Facts) -> "pd.Series[Any]":
        """The currency of each row; the org's own where it has only one."""
        return self["currency"].fillna(facts["currency"]).astype("str")

    @property
    def removed(self) -> "pd.Series[Any]":
        """Rows that are deleted at the source, whether the object shows that itself or its log does."""
        return self.named("IsDeleted").fillna(False).astype(bool)

    def unwanted(self, only: Mapping[str, Any]) -> "pd.Series[Any]":
        """Rows that the installation's filter leaves out; one that was let in before is gone from it now."""
        out = pd.Series(False, self.frame.index)
        for field, values in only.items():
            texts, numbers = {str(v).lower() for v in values}, {v for v in values if type(v) is int}
            out |= ~self.named(field).map(lambda v, t=texts, n=numbers: _is_one_of(v, t, n)).astype(bool)
        return out


def _is_one_of(value: Any, texts: Set[str], numbers: Set[int]) -> bool:
    """As the query language compares: texts without regard to case, and 50 is 50.0."""
    if value is None or value != value:
        return False
    if str(value).lower() in texts:
        return True
    try:
        return bool(numbers) and Decimal(str(value)) in numbers
    except InvalidOperation:
        return False


def reject(
    raw: Raw, at: Any, kind: str, rule: str, word: str, why: str, money: tuple[Any, ...] = (None, None, None, None)
) -> RejectDraft:
    """A row that cannot be taken over; `money` is its status, amount, currency and day, as far as they are known."""
    row, field, value = str(raw["id"][at]), raw.fields.get(word, word), raw[word][at]
    shown = "" if value is None or value != value else str(value)
    return RejectDraft(row, rule, field, shown, f"{kind} {row}: {why}", f"correct {field} in Salesforce", *money)
