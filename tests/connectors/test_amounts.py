"""Amounts of every source in whole numbers."""

from decimal import Decimal

import pandas as pd

from connectors.amounts import amounts, basis_points


def test_amounts_are_exact_decimals_never_floats() -> None:
    texts = pd.Series(["0.1", "1234567890.12", None, "", "12,5"])
    minor, wrong = amounts(texts, pd.Series(["EUR"] * 5))
    assert minor.tolist()[:2] == [10, 123_456_789_012]
    assert list(wrong) == [4]
    assert basis_points(pd.Series(["33.33", Decimal("12.5"), None]), 100).tolist()[:2] == [3333, 1250]
