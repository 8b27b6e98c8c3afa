"""Columns of amounts and shares as sources write them, in whole numbers; what cannot be read is named, row by row."""

from decimal import Decimal, InvalidOperation
from typing import Any

import pandas as pd

from models.money import to_minor


def amounts(texts: "pd.Series[Any]", currencies: "pd.Series[Any]") -> tuple["pd.Series[Any]", dict[Any, str]]:
    """Amounts in minor units (unknown where empty), and for each row that is no amount, why."""
    found: list[int | None] = []
    wrong: dict[Any, str] = {}
    for index, text, currency in zip(texts.index, texts, currencies, strict=True):
        minor = None
        if text is not None and text == text and str(text).strip():
            try:
                minor = to_minor(str(text), str(currency))
            except ValueError as error:
                wrong[index] = str(error)
        found.append(minor)
    return pd.Series(pd.array(found, dtype="Int64"), index=texts.index), wrong


def basis_points(texts: "pd.Series[Any]", factor: int) -> "pd.Series[Any]":
    """Shares times a factor as whole numbers: 65 percent with 100 is 6,500; unknown where empty or no number."""
    return pd.Series(pd.array([_whole(text, factor) for text in texts], dtype="Int64"), index=texts.index)


def _whole(text: Any, factor: int) -> int | None:
    if text is None or text != text or not str(text).strip():
        return None
    try:
        return int((Decimal(str(text)) * factor).to_integral_value())
    except InvalidOperation:
        return None
