"""What may still come, and how deals went: pipeline, coverage, win rate, cycle."""

from math import sqrt
from typing import Any

import pandas as pd

from metrics.facts import Facts
from metrics.quota import NO_CRM, NO_QUOTA, bookings_of, quotas, sums
from metrics.registry import known, metric, table, unknown
from metrics.result import State, Unit
from models.profile import Profile

FEW = 20
"""Under this many closed deals a win rate is given with its interval."""


def open_deals(facts: Facts) -> pd.DataFrame:
    """Credits of open deals due in the period and not omitted from the forecast; past-due ones are still due."""
    rows = facts.credits
    due = (rows["close_day"] >= facts.start) & (rows["close_day"] < facts.end)
    kept = (rows["forecast_category"] != "omitted").fillna(True).astype(bool)
    return rows[(rows["status"] == "open") & due & kept & rows["person_id"].notna()]


def _blank(n: int) -> str:
    return "" if n == 0 else f"{n} open {'deal has' if n == 1 else 'deals have'} no amount yet."


def _money(facts: Facts, rows: pd.DataFrame, column: str, words: dict[str, str]) -> pd.DataFrame:
    found = sums(rows, column)

    def row(person: str) -> tuple[Any, ...]:
        if person not in facts.sellers:
            return unknown(State.NO_DATA, NO_CRM)
        cents, n, blank = found.get(person, (0, 0, 0))
        if cents is None:
            return unknown(State.NO_DATA, f"An open deal is not in {facts.currency} and its rate is missing.", n=n)
        return known(cents, cents, None, n, " ".join(w for w in (_blank(blank), words.get(person, "")) if w))

    return table(facts, {p: row(p) for p in facts.people})


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
    return _money(facts, open_deals(facts), "credit_minor", {})


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
    rows = open_deals(facts)
    weights = rows["probability_bp"].fillna(0)
    worth = [
        pd.NA if pd.isna(cents) else _parts(int(cents), int(weight))
        for cents, weight in zip(rows["credit_minor"], weights, strict=True)
    ]
    rows = rows.assign(weighted=pd.array(worth, dtype="Int64"))
    silent = rows[rows["probability_bp"].isna()].groupby("person_id").size()
    words = {str(p): f"{n} open {'deal has' if n == 1 else 'deals have'} no probability." for p, n in silent.items()}
    return _money(facts, rows, "weighted", words)


def _parts(cents: int, basis_points: int) -> int:
    return round(cents * basis_points / 10_000) if abs(cents) < 2**40 else cents * basis_points // 10_000


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
    asked, got, still = quotas(facts, facts.end), bookings_of(facts), sums(open_deals(facts), "credit_minor")

    def row(person: str) -> tuple[Any, ...]:
        if person not in asked:
            return unknown(State.NO_QUOTA, NO_QUOTA if person in facts.sellers else NO_CRM)
        target, won = asked[person][0], got.get(person, (0, 0, 0, ""))[0]
        cents, n, blank = still.get(person, (0, 0, 0))
        if target is None or won is None or cents is None:
            return unknown(State.NO_DATA, "An exchange rate is missing.", cents, None, n)
        left = target - won
        if left <= 0:
            return unknown(State.QUOTA_MET, "The quota is met, so there is nothing left to cover.", cents, left, n)
        return known(cents / left, cents, left, n, _blank(blank))

    return table(facts, {p: row(p) for p in facts.people})


def _closed(facts: Facts) -> pd.DataFrame:
    rows = facts.credits
    inside = (rows["close_day"] >= facts.start) & (rows["close_day"] < min(facts.end, facts.until))
    return rows[rows["status"].isin(["won", "lost"]) & inside & rows["person_id"].notna()]


@metric(
    key="win_rate",
    label="Win rate",
    unit=Unit.RATIO,
    better="higher",
    definition="won ÷ (won + lost) deals closed in the period, by number",
    reference="metrics reference 1.3, win rate (count, close-date cohort)",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_split"),
)
def win_rate(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Of the deals that were decided in the period, how many were won; with its interval when there are few."""
    rows = _closed(facts)
    # A reversal is neither a win nor a loss: it lowers bookings on its own day.
    rows = rows[~(rows["amount_minor"] < 0).fillna(False).astype(bool)]
    wins = rows[rows["status"] == "won"].groupby("person_id").size()
    decided = rows.groupby("person_id").size()

    def row(person: str) -> tuple[Any, ...]:
        if person not in facts.sellers:
            return unknown(State.NO_DATA, NO_CRM)
        n, k = int(decided.get(person, 0)), int(wins.get(person, 0))
        if n == 0:
            return unknown(State.NO_DATA, "No deal has been decided in this period yet.", 0, 0, 0)
        words = ""
        if n < FEW:
            low, high = wilson(k, n)
            words = f"From {n} {'deal' if n == 1 else 'deals'}: anything from {low:.0%} to {high:.0%} would fit."
        return known(k / n, k, n, n, words)

    return table(facts, {p: row(p) for p in facts.people})


def wilson(k: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share k of n."""
    p, centre = k / n, (k + z * z / 2) / (n + z * z)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


@metric(
    key="sales_cycle",
    label="Sales cycle",
    unit=Unit.DAYS,
    better="neither",
    definition="mean days from created to closed of deals won in the period",
    reference="metrics reference 1.3, sales cycle",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal",),
)
def sales_cycle(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How long won deals took; deals created after they closed (imports) are left out and counted."""
    rows = _closed(facts)
    rows = rows[(rows["status"] == "won") & rows["created_day"].notna()]
    days = (rows["close_day"] - rows["created_day"]).dt.days
    odd = rows[days < 0].groupby("person_id").size()
    good = days[days >= 0].groupby(rows["person_id"])
    sums, counts = good.sum().to_dict(), good.count().to_dict()

    def row(person: str) -> tuple[Any, ...]:
        if person not in facts.sellers:
            return unknown(State.NO_DATA, NO_CRM)
        left = int(odd.get(person, 0))
        words = f"{left} won {'deal was' if left == 1 else 'deals were'} created after the close date." if left else ""
        if person not in sums:
            return unknown(State.NO_DATA, words or "No deal with a known start has been won in this period yet.", n=0)
        total, n = int(sums[person]), int(counts[person])
        return known(total / n, total, n, n, words)

    return table(facts, {p: row(p) for p in facts.people})
