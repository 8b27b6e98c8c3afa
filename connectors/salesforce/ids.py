"""Salesforce ids: 15 characters tell case apart, 18 are the same with a check; here there are only 18."""

from typing import Any

import pandas as pd

CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def long_id(text: str) -> str:
    """The 18-character id; anything that is not a 15-character id stays as it is."""
    if len(text) != 15 or not text.isascii() or not text.isalnum():
        return text
    groups = (text[start : start + 5] for start in (0, 5, 10))
    return text + "".join(CHECKS[sum(1 << i for i, c in enumerate(g) if c.isupper())] for g in groups)


def long_ids(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    """A column of ids, every one of them with 18 characters."""
    short = texts.str.len() == 15
    if not short.fillna(False).any():
        return texts
    return texts.map(long_id, na_action="ignore")
