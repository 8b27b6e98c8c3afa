"""Numbers, money, days and times as people read them, in the installation's locale and zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import babel.numbers
from babel.core import Locale
from babel.dates import format_date, format_time

from metrics.result import Result, Unit
from models.money import exponent, to_decimal

DASH = "–"


@dataclass(frozen=True)
class Words:
    """How this installation writes things down."""

    locale: str
    zone: ZoneInfo

    @property
    def lang(self) -> str:
        """The language of the pages for screen readers: en-GB."""
        return self.locale.replace("_", "-")

    @property
    def direction(self) -> str:
        """Which way the language runs."""
        return "rtl" if Locale.parse(self.locale).text_direction == "rtl" else "ltr"

    def money(self, minor: int | float | None, currency: str) -> str:
        """An amount; cents are left out where there are none."""
        if minor is None:
            return DASH
        return self._currency(int(minor), currency, whole=int(minor) % 10 ** exponent(currency) == 0)

    def cents(self, minor: int | float | None, currency: str) -> str:
        """An amount to the cent, for lists that add up."""
        return DASH if minor is None else self._currency(int(minor), currency, whole=False)

    def _currency(self, minor: int, currency: str, *, whole: bool) -> str:
        amount = to_decimal(abs(minor), currency)
        # The locale's own pattern; without its decimals where the amount has none.
        pattern = Locale.parse(self.locale).currency_formats["standard"].pattern.split(";")[0]
        text = babel.numbers.format_currency(
            amount,
            currency,
            pattern.replace(".00", "") if whole else pattern,
            locale=self.locale,
            currency_digits=not whole,
        )
        return f"−{text}" if minor < 0 else text

    def percent(self, ratio: float | None) -> str:
        """62 % for 0.62."""
        return DASH if ratio is None else self._minus(babel.numbers.format_percent(round(ratio, 2), locale=self.locale))

    def number(self, value: float | int | None, digits: int = 1) -> str:
        """A plain number with at most so many digits after the point."""
        if value is None:
            return DASH
        return self._minus(babel.numbers.format_decimal(round(value, digits), locale=self.locale))

    def times(self, value: float | None) -> str:
        """2.4x."""
        return DASH if value is None else f"{self.number(value)}×"

    def pace(self, difference: float | None) -> str:
        """A difference of two shares in points and words: 4 points ahead of pace."""
        if difference is None:
            return DASH
        points = round(difference * 100)
        if points == 0:
            return "on pace"
        return f"{self.count(abs(points), 'point')} {'ahead of' if points > 0 else 'behind'} pace"

    def figure(self, result: Result, currency: str) -> str:
        """A figure in its unit; a dash where there is none, and the reason stands beside it."""
        return self.quantity(result.value, result.unit, currency)

    def quantity(self, value: float | int | None, unit: Unit, currency: str) -> str:
        """A value in its unit."""
        if value is None:
            return DASH
        if unit is Unit.MONEY:
            return self.money(value, currency)
        if unit is Unit.RATIO:
            return self.percent(value)
        if unit is Unit.TIMES:
            return self.times(value)
        if unit is Unit.DAYS:
            return f"{self.number(value)} day{'' if value == 1 else 's'}"
        return self.number(value)

    def part(self, value: float | int | None, result: Result, currency: str) -> str:
        """A numerator or denominator, as money where the figure is made of money."""
        if value is None:
            return DASH
        if result.unit is Unit.MONEY or result.metric in MADE_OF_MONEY:
            return self.cents(value, currency)
        return self.number(value, 4)

    def day(self, value: date | str | None, form: str = "d MMM y") -> str:
        """24 Nov 2026."""
        found = _date(value)
        return DASH if found is None else format_date(found, form, locale=self.locale)

    def weekday(self, value: date | str | None) -> str:
        """Thursday 26 November."""
        return self.day(value, "EEEE d MMMM")

    def moment(self, value: datetime | None) -> str:
        """24 Nov 2026, 02:14 in the installation's zone."""
        if value is None:
            return "never"
        local = value.astimezone(self.zone)
        return f"{self.day(local.date())}, {format_time(local, 'HH:mm', locale=self.locale)}"

    @staticmethod
    def join(items: Sequence[str]) -> str:
        """a, b and c."""
        return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""

    @staticmethod
    def count(number: int, one: str, many: str = "") -> str:
        """1 deal, 2 deals, no deals."""
        return f"{number or 'no'} {one if number == 1 else many or one + 's'}"

    @staticmethod
    def _minus(text: str) -> str:
        return text.replace("-", "−", 1) if text.startswith("-") else text


MADE_OF_MONEY = frozenset({"attainment", "pace", "coverage", "coverage_total", "win_rate_value", "projection"})


def _date(value: date | str | None) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date) or value is None:
        return value
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def safe_link(link: str) -> str:
    """A link out, or nothing: only http and https leave this page, so a crafted `javascript:` does nothing."""
    return link if link.lower().startswith(("https://", "http://")) else ""
