"""Money: integer minor units and an ISO currency code. Never a float, and unknown is None, never 0."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction
from functools import cache, lru_cache

import babel.numbers

LARGEST = 2**53  # above it a float sum would no longer be exact, and no deal of ours is 90 trillion


@cache
def exponent(currency: str) -> int:
    """How many digits stand after the point: 2 for EUR, 0 for JPY, 3 for KWD. ValueError for a code that is none."""
    if currency not in known_currencies():
        raise ValueError(f"{currency!r} is not an ISO 4217 currency code, such as EUR or USD")
    return babel.numbers.get_currency_precision(currency)


@cache
def known_currencies() -> frozenset[str]:
    """Every ISO 4217 code that Babel knows."""
    return frozenset(babel.numbers.list_currencies())


def to_minor(amount: Decimal | str | int, currency: str) -> int:
    """An amount as its source wrote it, in cents, half-even where it has more digits. ValueError says what is wrong."""
    try:
        value = amount if isinstance(amount, Decimal) else Decimal(str(amount).strip())
    except InvalidOperation:
        raise ValueError(f"{str(amount)[:40]!r} is not a number") from None
    if not value.is_finite():
        raise ValueError(f"{str(amount)[:40]!r} is not a finite number")
    minor = int(value.scaleb(exponent(currency)).to_integral_value(ROUND_HALF_EVEN))
    if abs(minor) > LARGEST:
        raise ValueError(f"{str(amount)[:40]!r} is larger than any deal can be")
    return minor


def to_decimal(minor: int, currency: str) -> Decimal:
    """Cents back into an amount: 4120000 EUR is 41200.00."""
    return Decimal(minor).scaleb(-exponent(currency))


def plain(minor: int | None, currency: str) -> str | None:
    """An amount as machines read it: '41200.00'; None stays None."""
    return None if minor is None else format(to_decimal(minor, currency), "f")


def spoken(minor: int, currency: str, locale: str = "en_GB") -> str:
    """An amount as people read it: '€41,200.00'."""
    return babel.numbers.format_currency(to_decimal(minor, currency), currency, locale=locale)


def convert(minor: int, units_from: Decimal, units_to: Decimal, currency_from: str, currency_to: str) -> int:
    """Cents of one currency in cents of another; rates are units per one unit of a common base. Half-even, once."""
    above, below = _ratio(units_from, units_to, currency_from, currency_to)
    whole, rest = divmod(minor * above, below)
    return whole + (2 * rest > below or (2 * rest == below and whole % 2))


@lru_cache(maxsize=4096)
def _ratio(units_from: Decimal, units_to: Decimal, currency_from: str, currency_to: str) -> tuple[int, int]:
    """What cents are multiplied with and divided by: whole numbers, which are exact and quick."""
    digits = exponent(currency_to) - exponent(currency_from)
    rate = Fraction(units_to) / Fraction(units_from) * Fraction(10) ** digits
    return rate.numerator, rate.denominator


def share(minor: int, shares_ppm: Sequence[int]) -> list[int]:
    """Split cents by parts per million so that the parts, and what is left uncredited, add up to the whole.

    The last item of the answer is the uncredited rest: 0 when the shares make a million. Largest remainders first.
    """
    rest = 1_000_000 - sum(shares_ppm)
    weights = [*shares_ppm, rest]
    exact = [minor * w for w in weights]
    parts = [value // 1_000_000 for value in exact]
    missing = minor - sum(parts)
    order = sorted(range(len(parts)), key=lambda i: (-(exact[i] % 1_000_000), i))
    for i in order[:missing]:
        parts[i] += 1
    return parts
