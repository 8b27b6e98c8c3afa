"""Deals added up by person: every sum that figures are made of, in one pass over columns of numbers.

Words become small codes once, masks pick rows, and one bincount adds up each sum. Sums of parts of the deals add up
to the sums of all, so that a million deals are added up a piece at a time in little memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:  # only whole files of deals come as Arrow
    import pyarrow as pa

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

STATUSES = ("open", "won", "lost")
CATEGORIES = ("", "omitted", "pipeline", "best_case", "most_likely", "commit", "closed")
OMITTED = CATEGORIES.index("omitted")
EXACT = 2**53
"""Up to here a float holds every whole number, so that bincount adds cents exactly."""


@dataclass(frozen=True)
class Columns:
    """Deals (or shares of deals) as numbers, one place a row."""

    status: npt.NDArray[Any]  # place in STATUSES
    category: npt.NDArray[Any]  # place in CATEGORIES
    cents: Ints  # credit in the reporting currency; 0 where it is not known
    blank: Flags  # the deal has no amount: it counts as a deal and adds nothing
    lacking: Flags  # it has one, but no exchange rate: the sum is not known
    basis_points: Ints  # probability; 0 where there is none
    silent: Flags  # no probability
    reached: Flags  # its close date has come
    refund: Flags  # below 0: lowers bookings, and is neither a win nor a loss

    @classmethod
    def of(cls, rows: pd.DataFrame, until: pd.Timestamp) -> "Columns":
        """The rows of metrics.credit as numbers; `until` is the moment after the as-of day."""
        cents, amount = rows["credit_minor"], rows["amount_minor"]
        known, blank = cents.notna().to_numpy(), amount.isna().to_numpy()
        chance = rows["probability_bp"]
        return cls(
            status=_codes(rows["status"], STATUSES),
            category=_codes(rows["forecast_category"], CATEGORIES),
            cents=cents.fillna(0).to_numpy(dtype="int64"),
            blank=blank,
            lacking=~known & ~blank,
            basis_points=chance.fillna(0).to_numpy(dtype="int64"),
            silent=chance.isna().to_numpy(),
            reached=(rows["close_day"] < until).to_numpy(),
            refund=(amount < 0).fillna(False).to_numpy(dtype="bool"),
        )

    @classmethod
    def of_arrow(cls, table: "pa.Table", until: np.datetime64) -> "Columns":
        """The same from Arrow columns of whole deals, as Parquet holds them: words as dictionaries, days as dates."""
        cents, amount, chance = table["credit_minor"], table["amount_minor"], table["probability_bp"]
        blank = _empty(amount)
        return cls(
            status=codes_of(table["status"], STATUSES),
            category=codes_of(table["forecast_category"], CATEGORIES),
            cents=_whole(cents),
            blank=blank,
            lacking=_empty(cents) & ~blank,
            basis_points=_whole(chance),
            silent=_empty(chance),
            reached=table["close_day"].to_numpy().astype("datetime64[D]") < until,
            refund=_whole(amount) < 0,
        )


def _empty(column: "pa.ChunkedArray") -> Flags:
    found: Flags = column.is_null().to_numpy()
    return found


def _whole(column: "pa.ChunkedArray") -> Ints:
    found: Ints = column.fill_null(0).to_numpy()
    return found


def codes_of(column: "pa.ChunkedArray", known: Sequence[str]) -> npt.NDArray[Any]:
    """Each word's place among those known, by way of the column's own dictionary; what is not known is the first."""
    places = {word: place for place, word in enumerate(known)}
    parts = []
    for chunk in column.chunks:
        encoded = chunk if hasattr(chunk, "dictionary") else chunk.dictionary_encode()
        table = np.array([places.get(word, 0) for word in encoded.dictionary.to_pylist()] + [0], dtype="int32")
        parts.append(table[encoded.indices.fill_null(len(table) - 1).to_numpy(zero_copy_only=False)])
    found: npt.NDArray[Any] = np.concatenate(parts) if parts else np.array([], dtype="int32")
    return found


def _codes(words: "pd.Series[Any]", known: tuple[str, ...]) -> npt.NDArray[np.int8]:
    """Each word's place among those known; a word that is none of them, or none at all, is the first."""
    kinds = pd.Categorical(words, categories=list(known))
    codes: npt.NDArray[np.int8] = np.maximum(kinds.codes, 0).astype("int8")
    return codes


def add_up(columns: Columns, group: Ints, size: int) -> dict[str, Ints]:
    """Every sum, by group number; rows whose group is below 0 are in none.

    won                        deals won by the as-of day, refunds in the money
    gained, lost               won and lost ones without refunds, which are neither a win nor a loss
    above                      won deals worth more than 0: what an average is made of
    open, weighted             open deals not omitted from the forecast, whole and by their probability
    category_<name>            open deals of each forecast category

    Of each there are the money, `_deals`, `_blank` (without an amount) and `_lacking` (without an exchange rate).
    """
    inside = group >= 0
    is_open, is_won, is_lost = (inside & (columns.status == code) for code in range(3))
    won, lost = is_won & columns.reached, is_lost & columns.reached
    found: dict[str, Ints] = {}

    def four(name: str, mask: Flags) -> None:
        """Money, deals, deals without an amount, deals without a rate."""
        rows = np.flatnonzero(mask)
        own = group[rows]
        found[name] = _sum(own, columns.cents[rows], size)
        found[f"{name}_deals"] = np.bincount(own, minlength=size)
        found[f"{name}_blank"] = np.bincount(own[columns.blank[rows]], minlength=size)
        found[f"{name}_lacking"] = np.bincount(own[columns.lacking[rows]], minlength=size)

    four("won", won)
    four("gained", won & ~columns.refund)
    four("lost", lost & ~columns.refund)
    four("above", won & (columns.cents > 0))
    kept = is_open & (columns.category != OMITTED)
    four("open", kept)
    rows = np.flatnonzero(kept)
    found["weighted"] = _sum(group[rows], _half_even(columns.cents[rows] * columns.basis_points[rows], 10_000), size)
    found["open_silent"] = np.bincount(group[rows[columns.silent[rows]]], minlength=size)
    for code, name in enumerate(CATEGORIES):
        four(f"category_{name}", is_open & (columns.category == code))
    return found


def _sum(group: Ints, cents: Ints, size: int) -> Ints:
    if len(cents) and float(np.abs(cents).max()) * len(cents) >= EXACT:
        total = np.zeros(size, dtype="int64")
        np.add.at(total, group, cents)
        return total
    return np.bincount(group, weights=cents, minlength=size).astype("int64")


def _half_even(numerator: Ints, denominator: int) -> Ints:
    """Whole numbers, halves to the even one: a deal's weighted amount is rounded once."""
    quotient, rest = np.divmod(numerator, denominator)
    twice = rest * 2
    up = (twice > denominator) | ((twice == denominator) & (quotient % 2 == 1))
    rounded: Ints = quotient + up
    return rounded


@dataclass(frozen=True)
class Sums:
    """The sums of some people."""

    people: pd.Index
    arrays: dict[str, Ints]

    @classmethod
    def of(cls, rows: pd.DataFrame, people: pd.Index, until: pd.Timestamp) -> "Sums":
        """Add up the rows of metrics.credit for these people."""
        group = people.get_indexer(pd.Index(rows["person_id"]))
        return cls(people, add_up(Columns.of(rows, until), group.astype("int64"), len(people)))

    def money(self, *names: str) -> dict[str, tuple[int | None, int, int]]:
        """Each person's cents, deals and deals without an amount; cents are None where an exchange rate is missing.

        Several names are added together. People without such a deal are left out.
        """
        parts = [[self.arrays[f"{name}{part}"] for name in names] for part in ("", "_deals", "_blank", "_lacking")]
        cents, deals, blank, lacking = (np.sum(arrays, axis=0) for arrays in parts)
        ids = self.people.tolist()
        return {
            str(ids[i]): (None if lacking[i] else int(cents[i]), int(deals[i]), int(blank[i]))
            for i in np.flatnonzero(deals).tolist()
        }

    def counts(self, name: str) -> dict[str, int]:
        """One sum by person; people for whom it is 0 are left out."""
        array, ids = self.arrays[name], self.people.tolist()
        return {str(ids[i]): int(array[i]) for i in np.flatnonzero(array).tolist()}
