"""How much of the period is gone, by calendar and by working days, and where the number ends if the rest goes alike."""

from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from metrics.facts import Facts
from metrics.quota import ZERO_QUOTA, against
from metrics.registry import known, metric, table, unknown
from metrics.result import State, Unit
from models.profile import Profile, WorkingDays

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=64)
def holidays(rule: WorkingDays, first_year: int, last_year: int) -> frozenset[date]:
    """The days off of a profile over some years: a country's public holidays and those the profile names."""
    days = set(rule.holidays)
    if rule.holidays_of:
        from holidays import country_holidays  # late: only groups that count working days pay for it

        country, _, part = rule.holidays_of.partition("-")
        days |= set(country_holidays(country, subdiv=part or None, years=range(first_year, last_year + 1)))
    return frozenset(days)


def working_days(rule: WorkingDays, first: date, end: date) -> int:
    """How many days of [first, end) are worked."""
    mask = [day in rule.week for day in WEEK]
    if not any(mask):
        return 0
    off = sorted(holidays(rule, first.year, end.year))
    return int(np.busday_count(first, end, weekmask=mask, holidays=np.array(off, dtype="datetime64[D]")))


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
    return table(facts, lambda _: known(gone / whole, gone, whole, whole))


@metric(
    key="elapsed_working",
    label="Working days gone",
    unit=Unit.RATIO,
    better="neither",
    definition="working days passed, the as-of day included ÷ working days of the period",
    reference="metrics reference 1.3, elapsed share",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("period",),
    parameters=("working_days.week", "working_days.holidays_of", "working_days.holidays"),
)
def elapsed_working(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How much of the period is gone, by the days that the group works."""
    first, end = facts.period.first_day, facts.period.end_day
    gone = working_days(profile.working_days, first, facts.reached.date())
    whole = working_days(profile.working_days, first, end)
    if whole == 0:
        words = "No day of this period is worked, by the group's working days."
        return table(facts, lambda _: unknown(State.NO_DATA, words, gone, whole, whole))
    return table(facts, lambda _: known(gone / whole, gone, whole, whole))


@metric(
    key="projection",
    label="If the rest goes like so far",
    unit=Unit.RATIO,
    better="higher",
    definition="quota attainment ÷ share of the period gone",
    reference="metrics reference 1.3, straight-line projection",
    version="1",
    states=(State.OK, State.NO_QUOTA, State.ZERO_QUOTA, State.NO_DATA),
    sources=("deal", "deal_split", "quota", "period"),
    parameters=("projection_from",),
)
def projection(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Where attainment ends on a straight line; nothing is said before a fifth of the period is gone."""
    gone, whole = (facts.reached - facts.start).days, (facts.end - facts.start).days

    def value(cents: int, target: int, n: int, words: str) -> tuple[Any, ...]:
        if target == 0:
            return unknown(State.ZERO_QUOTA, ZERO_QUOTA, cents, 0, n)
        if gone < profile.projection_from * whole:
            share = f"{profile.projection_from:.0%}"
            return unknown(State.NO_DATA, f"It is too early: less than {share} of the period is gone.", n=n)
        by_now = target * gone / whole
        return known(cents / by_now, cents, by_now, n, words)

    return against(facts, profile, facts.end, value)
