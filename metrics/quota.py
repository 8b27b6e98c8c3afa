"""The number: quota, bookings, attainment, gap and pace."""

from typing import Any

import numpy as np
import pandas as pd

from metrics.facts import Facts
from metrics.registry import known, metric, table, unknown
from metrics.result import State, Unit
from models.profile import Profile

NO_QUOTA = "There is no quota for this period, so there is nothing to compare with."
ZERO_QUOTA = "The quota for this period is 0, so a share of it cannot be worked out."
NO_CRM = "No CRM is connected for this person, and none is needed: their page stands without it."


def quotas(facts: Facts, end: pd.Timestamp) -> dict[str, tuple[int | None, int]]:
    """Each person's quota for [period start, end): cents and how many rows made it; a row counts by its days in there.

    Cents are None where a row's worth in the reporting currency is not known. People without a row are left out.
    """
    rows = facts.frame("quotas")
    rows = rows[rows["person_id"].notna() & (rows["first_day"] < end) & (rows["end_day"] > facts.start)]
    first = rows["first_day"].where(rows["first_day"] > facts.start, facts.start)
    last = rows["end_day"].where(rows["end_day"] < end, end)
    inside, whole = (last - first).dt.days, (rows["end_day"] - rows["first_day"]).dt.days
    found: dict[str, tuple[int | None, int]] = {}
    parts: dict[str, list[tuple[int | None, int, int]]] = {}
    for person, minor, part, days in zip(rows["person_id"], rows["reporting_minor"], inside, whole, strict=True):
        parts.setdefault(person, []).append((None if pd.isna(minor) else int(minor), int(part), int(days)))
    for person, pieces in parts.items():
        worth = [None if minor is None else _half_even(minor * part, days) for minor, part, days in pieces]
        found[person] = (None if None in worth else sum(w for w in worth if w is not None), len(pieces))
    return found


def _half_even(numerator: int, denominator: int) -> int:
    quotient, rest = divmod(numerator, denominator)
    twice = rest * 2
    return quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1))


def won(facts: Facts) -> pd.DataFrame:
    """Credits of deals won in the period, up to the as-of day: a win dated later does not count before its day."""
    rows = facts.credits
    inside = (rows["close_day"] >= facts.start) & (rows["close_day"] < min(facts.end, facts.until))
    return rows[(rows["status"] == "won") & inside & rows["person_id"].notna()]


def bookings_of(facts: Facts) -> dict[str, tuple[int | None, int, int, str]]:
    """Each person's won cents, deals, deals without an amount, and what is lacking if the sum is not known."""
    rows = won(facts)
    unpriced = rows[rows["credit_minor"].isna() & rows["amount_minor"].notna()]
    lacking = {str(person): _no_rate(part, facts.currency) for person, part in unpriced.groupby("person_id")}
    return {person: (*found, lacking.get(person, "")) for person, found in sums(rows, "credit_minor").items()}


def sums(rows: pd.DataFrame, column: str) -> dict[str, tuple[int | None, int, int]]:
    """Each person's cents, deals and deals without an amount; cents are None where an exchange rate is missing."""
    blank = rows["amount_minor"].isna()
    parts = {"cents": rows[column], "blank": blank, "lacking": rows["credit_minor"].isna() & ~blank}
    grouped = pd.DataFrame(parts).groupby(rows["person_id"])
    columns = (grouped["cents"].sum(), grouped.size(), grouped["blank"].sum(), grouped["lacking"].any())
    return {
        str(person): (None if unpriced else int(cents), int(n), int(without))
        for person, cents, n, without, unpriced in zip(columns[0].index, *columns, strict=True)
    }


def _no_rate(rows: pd.DataFrame, currency: str) -> str:
    codes = ", ".join(sorted(rows["currency"].dropna().unique()))
    day = rows["close_day"].min()
    return (
        f"{_deals(len(rows))} in {codes} cannot be put in {currency}: there is no exchange rate for {day:%-d %B %Y}. "
        f"Add the rate and sync again."
    )


def _deals(n: int) -> str:
    return f"{n} deal" if n == 1 else f"{n} deals"


def blank_words(n: int, what: str) -> str:
    """What to say about deals without an amount: they count as deals and add nothing."""
    return "" if n == 0 else f"{n} {what} {'deal has' if n == 1 else 'deals have'} no amount and adds nothing yet."


@metric(
    key="quota",
    label="Quota",
    unit=Unit.MONEY,
    better="neither",
    definition="the person's quota rows, each by its days in the period",
    reference="metrics reference 1.3, quota (effective)",
    version="1",
    states=(State.OK, State.NO_QUOTA, State.NO_DATA),
    sources=("quota",),
)
def quota(facts: Facts, profile: Profile) -> pd.DataFrame:
    """What the person is asked to sell in the period, in cents of the reporting currency."""
    found = quotas(facts, facts.end)

    def row(person: str) -> tuple[Any, ...]:
        if person not in found:
            return unknown(State.NO_QUOTA, NO_QUOTA if person in facts.sellers else NO_CRM)
        cents, n = found[person]
        if cents is None:
            return unknown(State.NO_DATA, f"A quota is not in {facts.currency} and its exchange rate is missing.", n=n)
        return known(cents, cents, None, n)

    return table(facts, {p: row(p) for p in facts.people})


@metric(
    key="bookings",
    label="Won",
    unit=Unit.MONEY,
    better="higher",
    definition="the person's credit of deals won in the period, up to the day",
    reference="metrics reference 1.3, bookings",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_split", "exchange_rate"),
)
def bookings(facts: Facts, profile: Profile) -> pd.DataFrame:
    """What the person has won so far, in cents of the reporting currency; by splits where the CRM has them."""
    found = bookings_of(facts)

    def row(person: str) -> tuple[Any, ...]:
        if person not in facts.sellers:
            return unknown(State.NO_DATA, NO_CRM)
        cents, n, blank, lacking = found.get(person, (0, 0, 0, ""))
        if cents is None:
            return unknown(State.NO_DATA, lacking, n=n)
        return known(cents, cents, None, n, blank_words(blank, "won"))

    return table(facts, {p: row(p) for p in facts.people})


def _against(facts: Facts, end: pd.Timestamp, value: Any) -> pd.DataFrame:
    """A figure made of won and quota; says why where either is not known."""
    asked, got = quotas(facts, end), bookings_of(facts)

    def row(person: str) -> tuple[Any, ...]:
        if person not in asked:
            return unknown(State.NO_QUOTA, NO_QUOTA if person in facts.sellers else NO_CRM)
        target, _ = asked[person]
        cents, n, blank, lacking = got.get(person, (0, 0, 0, ""))
        if cents is None or target is None:
            return unknown(State.NO_DATA, lacking or "The quota's exchange rate is missing.", cents, target, n)
        return value(cents, target, n, blank_words(blank, "won"))  # type: ignore[no-any-return]

    return table(facts, {p: row(p) for p in facts.people})


@metric(
    key="attainment",
    label="Quota attainment",
    unit=Unit.RATIO,
    better="higher",
    definition="won ÷ quota",
    reference="metrics reference 1.3, quota attainment",
    version="1",
    states=(State.OK, State.NO_QUOTA, State.ZERO_QUOTA, State.NO_DATA),
    sources=("deal", "deal_split", "quota"),
)
def attainment(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How much of the quota is won: a ratio that may be above 1, and is never capped here."""

    def value(cents: int, target: int, n: int, words: str) -> tuple[Any, ...]:
        if target == 0:
            return unknown(State.ZERO_QUOTA, ZERO_QUOTA, cents, 0, n)
        return known(cents / target, cents, target, n, words)

    return _against(facts, facts.end, value)


@metric(
    key="gap",
    label="To go",
    unit=Unit.MONEY,
    better="lower",
    definition="quota − won; negative is over",
    reference="metrics reference 1.3, gap to quota",
    version="1",
    states=(State.OK, State.NO_QUOTA, State.NO_DATA),
    sources=("deal", "deal_split", "quota"),
)
def gap(facts: Facts, profile: Profile) -> pd.DataFrame:
    """What is left to win, in cents; a negative gap is how far over the quota the person is."""
    return _against(facts, facts.end, lambda cents, target, n, words: known(target - cents, cents, target, n, words))


@metric(
    key="pace",
    label="Pace",
    unit=Unit.RATIO,
    better="higher",
    definition="won ÷ the quota accrued up to the day",
    reference="metrics reference 1.3, attainment to date",
    version="1",
    states=(State.OK, State.NO_QUOTA, State.ZERO_QUOTA, State.NO_DATA),
    sources=("deal", "deal_split", "quota"),
)
def pace(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Won against the part of the quota whose days have passed: 1 is on the line."""
    if facts.reached <= facts.start:
        words = "The period has not begun."
        return table(facts, {p: unknown(State.NO_DATA, words) for p in facts.people})

    def value(cents: int, target: int, n: int, words: str) -> tuple[Any, ...]:
        if target == 0:
            return unknown(State.ZERO_QUOTA, ZERO_QUOTA, cents, 0, n)
        return known(cents / target, cents, target, n, words)

    return _against(facts, facts.reached, value)


@metric(
    key="elapsed",
    label="Period gone",
    unit=Unit.RATIO,
    better="neither",
    definition="days passed, the as-of day included ÷ days of the period",
    reference="metrics reference 1.3, elapsed share",
    version="1",
    states=(State.OK,),
    sources=("period",),
)
def elapsed(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How much of the period is gone, by calendar days."""
    gone, whole = (facts.reached - facts.start).days, (facts.end - facts.start).days
    return table(facts, {p: known(float(np.divide(gone, whole)), gone, whole, whole) for p in facts.people})
