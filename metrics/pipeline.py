"""What may still come: open pipeline, weighted, by forecast category, and how far it covers what is left."""

from typing import Any

import pandas as pd

from metrics.facts import Facts
from metrics.quota import ZERO_QUOTA, bookings_of, no_quota
from metrics.registry import known, metric, of_sellers, table, unknown
from metrics.result import State, Unit
from metrics.target import targets
from models.profile import Profile


def open_deals(facts: Facts) -> pd.DataFrame:
    """Credits of open deals due in the period and not omitted from the forecast; past-due ones are still due."""
    rows = facts.credits
    due = (rows["close_day"] >= facts.start) & (rows["close_day"] < facts.end)
    kept = (rows["forecast_category"] != "omitted").fillna(True).astype(bool)
    return rows[(rows["status"] == "open") & due & kept & rows["person_id"].notna()]


def _blank(n: int) -> str:
    return "" if n == 0 else f"{n} open {'deal has' if n == 1 else 'deals have'} no amount yet."


def _money(facts: Facts, found: dict[str, Any], words: dict[str, str]) -> pd.DataFrame:
    def row(person: str) -> tuple[Any, ...]:
        cents, n, blank = found.get(person, (0, 0, 0))
        if cents is None:
            return unknown(State.NO_DATA, f"An open deal is not in {facts.currency} and its rate is missing.", n=n)
        return known(cents, cents, None, n, " ".join(w for w in (_blank(blank), words.get(person, "")) if w))

    return of_sellers(facts, row)


@metric(
    key="open_pipeline",
    label="Open pipeline",
    unit=Unit.MONEY,
    better="higher",
    definition="the person's credit of open deals due in the period, not omitted from the forecast",
    reference="metrics reference 1.3, O",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_split", "exchange_rate"),
)
def open_pipeline(facts: Facts, profile: Profile) -> pd.DataFrame:
    """What is still open and due in the period, in cents."""
    return _money(facts, facts.sums.money("open"), {})


@metric(
    key="weighted_pipeline",
    label="Weighted pipeline",
    unit=Unit.MONEY,
    better="higher",
    definition="sum of open credit × probability, rounded once a deal",
    reference="metrics reference 1.3, weighted pipeline",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_split", "stage"),
)
def weighted_pipeline(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Open pipeline by the probability of each deal, in cents; a deal without a probability adds nothing."""
    weighted, found = facts.sums.counts("weighted"), facts.sums.money("open")
    worth = {p: (None if cents is None else weighted.get(p, 0), n, blank) for p, (cents, n, blank) in found.items()}
    silent = facts.sums.counts("open_silent")
    words = {p: f"{n} open {'deal has' if n == 1 else 'deals have'} no probability." for p, n in silent.items()}
    return _money(facts, worth, words)


@metric(
    key="coverage",
    label="Pipeline coverage",
    unit=Unit.TIMES,
    better="higher",
    definition="open pipeline ÷ what is left of the quota",
    reference="metrics reference 1.3, pipeline coverage (remaining)",
    version="1",
    states=(State.OK, State.NO_QUOTA, State.QUOTA_MET, State.NO_DATA),
    sources=("deal", "deal_split", "quota"),
)
def coverage(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How many times over the open pipeline covers what is left to win."""
    asked, got = targets(facts, profile, facts.end), bookings_of(facts)
    still = facts.sums.money("open")

    def row(person: str) -> tuple[Any, ...]:
        if person not in asked:
            return no_quota(facts, person)
        target, won = asked[person].cents, got.get(person, (0, 0, 0, ""))[0]
        cents, n, blank = still.get(person, (0, 0, 0))
        if target is None or won is None or cents is None:
            return unknown(State.NO_DATA, "An exchange rate is missing.", cents, None, n)
        left = target - won
        if left <= 0:
            return unknown(State.QUOTA_MET, "The quota is met, so there is nothing left to cover.", cents, left, n)
        return known(cents / left, cents, left, n, _blank(blank))

    return table(facts, row)


@metric(
    key="coverage_total",
    label="Won and open against quota",
    unit=Unit.TIMES,
    better="higher",
    definition="(won + open pipeline) ÷ quota",
    reference="metrics reference 1.3, pipeline coverage (total)",
    version="1",
    states=(State.OK, State.NO_QUOTA, State.ZERO_QUOTA, State.NO_DATA),
    sources=("deal", "deal_split", "quota"),
)
def coverage_total(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How much of the whole quota is won or still open; named apart, because products mix the two coverages."""
    still = facts.sums.money("open")
    asked, got = targets(facts, profile, facts.end), bookings_of(facts)

    def row(person: str) -> tuple[Any, ...]:
        if person not in asked:
            return no_quota(facts, person)
        target, won = asked[person].cents, got.get(person, (0, 0, 0, ""))[0]
        cents, n, blank = still.get(person, (0, 0, 0))
        if target is None or won is None or cents is None:
            return unknown(State.NO_DATA, "An exchange rate is missing.", None, target, n)
        if target == 0:
            return unknown(State.ZERO_QUOTA, ZERO_QUOTA, won + cents, 0, n)
        return known((won + cents) / target, won + cents, target, n, _blank(blank))

    return table(facts, row)
