"""The number: quota, bookings, attainment, gap and pace."""

from typing import Any

import pandas as pd

from metrics.facts import Facts
from metrics.registry import NO_CRM, Row, known, metric, of_sellers, table, unknown
from metrics.result import State, Unit
from metrics.target import targets
from models.profile import Profile

NO_QUOTA = "There is no quota for this period, so there is nothing to compare with."
ZERO_QUOTA = "The quota for this period is 0, so a share of it cannot be worked out."


def no_quota(facts: Facts, person: str) -> Row:
    """The row of somebody who has no quota in the period: for want of one, or of a CRM."""
    return unknown(State.NO_QUOTA, NO_QUOTA if person in facts.sellers else NO_CRM)


def won(facts: Facts) -> pd.DataFrame:
    """Credits of deals won in the period, up to the as-of day: a win dated later does not count before its day."""
    rows = facts.credits
    inside = (rows["close_day"] >= facts.start) & (rows["close_day"] < min(facts.end, facts.until))
    return rows[(rows["status"] == "won") & inside & rows["person_id"].notna()]


def bookings_of(facts: Facts) -> dict[str, tuple[int | None, int, int, str]]:
    """Each person's won cents, deals, deals without an amount, and what is lacking if the sum is not known."""
    found = facts.sums.money("won")
    lacking = _no_rate(facts) if any(cents is None for cents, _, _ in found.values()) else {}
    return {person: (*sums, lacking.get(person, "")) for person, sums in found.items()}


def _no_rate(facts: Facts) -> dict[str, str]:
    """By person, which won deals could not be converted, and what to do."""
    rows = won(facts)
    rows = rows[rows["credit_minor"].isna() & rows["amount_minor"].notna()]
    codes = rows.drop_duplicates(["person_id", "currency"]).sort_values("currency").groupby("person_id")["currency"]
    grouped = rows.groupby("person_id")
    told = zip(grouped.size().items(), codes.agg(", ".join), grouped["close_day"].min(), strict=True)
    return {
        str(person): f"{_deals(n)} in {code} cannot be put in {facts.currency}: there is no exchange rate for "
        f"{day:%-d %B %Y}. Add the rate and sync again."
        for (person, n), code, day in told
    }


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
    definition="the person's quota rows, each by its days in the period; ramp and leave where the profile says so",
    reference="metrics reference 1.3, quota (effective)",
    version="2",
    states=(State.OK, State.NO_QUOTA, State.NO_DATA),
    sources=("quota", "employment", "absence"),
    parameters=("quota.ramp", "quota.relieve_leave", "quota.only_employed"),
)
def quota(facts: Facts, profile: Profile) -> pd.DataFrame:
    """What the person is asked to sell in the period, in cents of the reporting currency."""
    found = targets(facts, profile, facts.end)

    def row(person: str) -> tuple[Any, ...]:
        if person not in found:
            return no_quota(facts, person)
        cents, n = found[person].cents, found[person].rows
        if cents is None:
            return unknown(State.NO_DATA, f"A quota is not in {facts.currency} and its exchange rate is missing.", n=n)
        return known(cents, cents, None, n)

    return table(facts, row)


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
        cents, n, blank, lacking = found.get(person, (0, 0, 0, ""))
        if cents is None:
            return unknown(State.NO_DATA, lacking, n=n)
        return known(cents, cents, None, n, blank_words(blank, "won"))

    return of_sellers(facts, row)


def against(facts: Facts, profile: Profile, end: pd.Timestamp, value: Any) -> pd.DataFrame:
    """A figure made of won and of the quota up to `end`; says why where either is not known.

    `value` takes won and quota in cents, the number of wins and what is worth adding, and answers a row.
    """
    asked, got = targets(facts, profile, end), bookings_of(facts)

    def row(person: str) -> tuple[Any, ...]:
        if person not in asked:
            return no_quota(facts, person)
        target = asked[person].cents
        cents, n, blank, lacking = got.get(person, (0, 0, 0, ""))
        if cents is None or target is None:
            return unknown(State.NO_DATA, lacking or "The quota's exchange rate is missing.", cents, target, n)
        return value(cents, target, n, blank_words(blank, "won"))  # type: ignore[no-any-return]

    return table(facts, row)


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

    return against(facts, profile, facts.end, value)


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
    return against(
        facts, profile, facts.end, lambda cents, target, n, words: known(target - cents, cents, target, n, words)
    )


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
        return table(facts, lambda _: unknown(State.NO_DATA, words))

    def value(cents: int, target: int, n: int, words: str) -> tuple[Any, ...]:
        if target == 0:
            return unknown(State.ZERO_QUOTA, ZERO_QUOTA, cents, 0, n)
        return known(cents / target, cents, target, n, words)

    return against(facts, profile, facts.reached, value)
