"""Scorecards as text: the same object that the page shows, for a terminal."""

import textwrap
from collections.abc import Iterable
from datetime import date

import babel.numbers
from babel.dates import format_date

from metrics.result import Result, State, Unit
from metrics.scorecard import Scorecard
from models.money import spoken

WIDTH = 96


def figure(result: Result, currency: str, locale: str) -> str:
    """A figure as people read it; a figure that is not known is its reason, never 0."""
    if result.value is None:
        return "–"
    if result.unit is Unit.MONEY:
        return spoken(int(result.value), currency, locale)
    if result.unit is Unit.RATIO:
        return babel.numbers.format_percent(result.value, "#,##0 %", locale=locale)
    if result.unit is Unit.TIMES:
        return f"{babel.numbers.format_decimal(result.value, '#,##0.0', locale=locale)}x"
    if result.unit is Unit.DAYS:
        return f"{babel.numbers.format_decimal(result.value, '#,##0.#', locale=locale)} days"
    return babel.numbers.format_decimal(result.value, locale=locale)


def render(card: Scorecard, locale: str = "en_GB") -> str:
    """The whole scorecard as plain text, at most 96 columns wide."""
    lines = [
        f"{card.name} · {card.title}" if card.title else card.name,
        f"{card.profile} · {card.period_label} ({_day(card.first_day, locale)} to before {_day(card.end_day, locale)})"
        f" · as of {_day(card.as_of, locale)}",
        *(s.sentence for s in card.sources),
        "",
    ]
    width = max((len(r.label) for r in card.results.values()), default=0)
    for result in card.results.values():
        words = f"  {result.label:<{width}}  {figure(result, card.currency, locale):>14}  "
        lines += _hang(words, result.reason)
    lines += _deals(card, locale)
    lines += _block("Objectives", (f"{o.title} — {o.why_it_matters}" for o in card.objectives))
    if card.feedback is not None:
        lines += _block("Feedback", [card.feedback.sentence])
    lines += _block("Obstacles", (f"{o['what']} (who can remove it: {o['who_can_remove']})" for o in card.obstacles))
    lines += _block("Relationships to develop", (f"{r['who']}: {r['why']}" for r in card.relationships))
    lines += _block("Learning", (f"{item['title']} ({item['status']})" for item in card.learning))
    lines += _block("Worth knowing", card.notes)
    return "\n".join(lines)


def _deals(card: Scorecard, locale: str) -> list[str]:
    if not card.deals:
        return []
    rows = []
    for deal in card.deals[:12]:
        worth = "no amount" if deal.credit_minor is None else spoken(deal.credit_minor, card.currency, locale)
        closes = _day(deal.close_day, locale) if deal.close_day else "no close date"
        flags = f"  ({', '.join(deal.flags)})" if deal.flags else ""
        rows.append(f"{deal.status:<5} {closes:>12} {worth:>16}  {deal.name[:44]}{flags}")
    if len(card.deals) > 12:
        rows.append(f"and {len(card.deals) - 12} more")
    return _block(f"Deals of the period ({len(card.deals)})", rows)


def _block(title: str, lines: Iterable[str]) -> list[str]:
    found = list(lines)
    if not found:
        return []
    return ["", title, *(part for line in found for part in _hang("  ", line))]


def _hang(lead: str, words: str) -> list[str]:
    room = max(WIDTH - len(lead), 30)
    wrapped = textwrap.wrap(words, room) or [""]
    return [(lead + wrapped[0]).rstrip(), *(" " * len(lead) + rest for rest in wrapped[1:])]


def _day(day: date, locale: str) -> str:
    return format_date(day, "d MMM y", locale=locale)


def state_word(result: Result) -> str:
    """A state in words, for tables."""
    return "" if result.state is State.OK else result.state.value.replace("_", " ")
