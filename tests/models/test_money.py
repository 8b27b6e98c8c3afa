"""Money: exact, and unknown is never 0."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.money import convert, exponent, plain, share, spoken, to_decimal, to_minor

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KWD", "GBP"])


@given(st.integers(-(2**53), 2**53), CURRENCIES)
def test_cents_go_out_and_come_back_the_same(minor: int, currency: str) -> None:
    assert to_minor(to_decimal(minor, currency), currency) == minor
    assert to_minor(plain(minor, currency) or "", currency) == minor


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 400_000), max_size=6))
def test_the_parts_of_a_split_add_up_to_the_deal(minor: int, shares: list[int]) -> None:
    parts = share(minor, shares)
    assert sum(parts) == minor
    assert len(parts) == len(shares) + 1


@given(st.integers(0, 10**12), st.lists(st.integers(0, 250_000), min_size=1, max_size=4))
def test_no_part_of_a_split_is_more_than_a_cent_off_its_share(minor: int, shares: list[int]) -> None:
    for part, ppm in zip(share(minor, shares), shares, strict=False):
        assert abs(part - minor * ppm / 1_000_000) < 1


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_each_currency_has_its_own_digits(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


@pytest.mark.parametrize("word", ["12,5k", "1234;5678", "NaN", "inf", "", "1e400"])
def test_what_is_no_amount_is_refused_by_name(word: str) -> None:
    with pytest.raises(ValueError, match=r"number|larger"):
        to_minor(word, "EUR")


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        to_minor("1", "EURO")


def test_a_rate_is_applied_once_and_rounded_half_even() -> None:
    # 5,000 USD at 1.10 USD per EUR is 4,545.4545... EUR
    assert convert(500_000, Decimal("1.10"), Decimal(1), "USD", "EUR") == 454_545
    assert convert(1_000, Decimal(160), Decimal(1), "JPY", "EUR") == 625


def test_amounts_are_written_for_people_and_for_machines() -> None:
    assert spoken(4_120_000, "EUR") == "€41,200.00"
    assert plain(4_120_000, "EUR") == "41200.00"
    assert plain(None, "EUR") is None
