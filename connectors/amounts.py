"""Columns of amounts and shares as sources write them, in whole numbers; what cannot be read is named, row by row."""

from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pandas as pd

from models.money import exponent, to_minor

USUAL = r"-?\d{1,11}"
"""Digits before the point that, with two behind it, a float holds exactly: such texts are read all at once."""


def amounts(texts: "pd.Series[Any]", currencies: "pd.Series[Any]") -> tuple["pd.Series[Any]", dict[Any, str]]:
    """Amounts in minor units (unknown where empty), and for each row that is no amount, why."""
    found = np.zeros(len(texts), dtype="int64")
    known = np.zeros(len(texts), dtype=bool)
    texts = texts.astype("str")
    for currency in currencies.dropna().unique():
        try:
            digits = exponent(str(currency))
        except ValueError:
            continue  # row by row, each with its reason
        usual = texts.str.fullmatch(USUAL + (rf"(\.\d{{1,{digits}}})?" if digits else r"(\.0)?"))
        here = (usual.fillna(False) & (currencies == currency)).to_numpy(dtype=bool)
        if digits <= 2 and here.any():
            found[here] = np.rint(texts.to_numpy(dtype=object)[here].astype("float64") * 10**digits).astype("int64")
            known |= here
    wrong: dict[Any, str] = {}
    for at in np.flatnonzero(~known & texts.notna().to_numpy()):
        text = str(texts.iloc[at])
        if not text.strip():
            continue
        try:
            if _is_huge(text):
                raise ValueError(f"{text[:40]!r} is larger than any deal can be")
            found[at], known[at] = to_minor(text, str(currencies.iloc[at])), True
        except ValueError as error:
            wrong[texts.index[int(at)]] = str(error)
    return pd.Series(pd.arrays.IntegerArray(found, ~known), index=texts.index), wrong


def _is_huge(text: str) -> bool:
    """Whether a number is so long that reckoning with it alone would take all memory: 1e400000000."""
    try:
        return Decimal(text.strip()).adjusted() > 30
    except InvalidOperation:
        return False


def basis_points(texts: "pd.Series[Any]", factor: int) -> "pd.Series[Any]":
    """Shares times a factor as whole numbers: 65 percent with 100 is 6,500; unknown where empty or no number."""
    places, spelt = pd.factorize(texts)  # few different ones stand in many rows; an unknown one has the place -1
    values = pd.array([*(_whole(text, factor) for text in spelt), None], dtype="Int64")
    return pd.Series(values.take(places), index=texts.index)


def _whole(text: Any, factor: int) -> int | None:
    if not str(text).strip() or _is_huge(str(text)):
        return None
    try:
        return int((Decimal(str(text)) * factor).to_integral_value())
    except (InvalidOperation, ValueError, OverflowError):
        return None
