"""How deals went: win rates, deal size, the sales cycle, and how fast money comes in."""

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

from metrics.facts import Facts
from metrics.registry import known, metric, of_sellers, unknown
from metrics.result import State, Unit
from models.profile import Profile

FEW = 20
"""Under this many decided deals a win rate is given with its interval."""

NONE_DECIDED = "No deal has been decided in this period yet."


def closed(facts: Facts) -> pd.DataFrame:
    """Credits of deals decided in the period up to the day. A reversal (below 0) is neither a win nor a loss."""
    rows = facts.credits
    inside = (rows["close_day"] >= facts.start) & (rows["close_day"] < min(facts.end, facts.until))
    kept = ~(rows["amount_minor"] < 0).fillna(False).astype(bool)
    return rows[rows["status"].isin(["won", "lost"]) & inside & rows["person_id"].notna() & kept]


def wilson(k: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share k of n."""
    p, centre = k / n, (k + z * z / 2) / (n + z * z)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def _few(k: int, n: int) -> str:
    if n >= FEW:
        return ""
    low, high = wilson(k, n)
    return f"From {n} {'deal' if n == 1 else 'deals'}: anything from {low:.0%} to {high:.0%} would fit."


def _sizes(rows: pd.DataFrame) -> dict[str, int]:
    return {str(p): int(n) for p, n in rows.groupby("person_id").size().items()}


def _plus(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {person: one.get(person, 0) + other.get(person, 0) for person in {*one, *other}}


def _share(
    facts: Facts, wins: Mapping[str, int], all_of: Mapping[str, int], none: str, words: Any = None
) -> pd.DataFrame:
    """A share of deals by number, with its interval when there are few."""

    def row(person: str) -> tuple[Any, ...]:
        n, k = all_of.get(person, 0), wins.get(person, 0)
        if n == 0:
            return unknown(State.NO_DATA, none, 0, 0, 0)
        said = [_few(k, n), words(person) if words else ""]
        return known(k / n, k, n, n, " ".join(w for w in said if w))

    return of_sellers(facts, row)


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
    wins, losses = facts.sums.counts("gained_deals"), facts.sums.counts("lost_deals")
    return _share(facts, wins, _plus(wins, losses), NONE_DECIDED)


@metric(
    key="win_rate_value",
    label="Win rate by value",
    unit=Unit.RATIO,
    better="higher",
    definition="won ÷ (won + lost) deals closed in the period, by money",
    reference="metrics reference 1.3, win rate (value)",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_split", "exchange_rate"),
)
def win_rate_value(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Of the money that was decided in the period, how much was won; one big deal rules it, so see the count beside."""
    sums = facts.sums
    lacking, blank = (_plus(sums.counts(f"gained_{w}"), sums.counts(f"lost_{w}")) for w in ("lacking", "blank"))
    number = _plus(sums.counts("gained_deals"), sums.counts("lost_deals"))
    won, lost = sums.counts("gained"), sums.counts("lost")

    def row(person: str) -> tuple[Any, ...]:
        n, got, gone = number.get(person, 0), won.get(person, 0), lost.get(person, 0)
        if person in lacking:
            return unknown(State.NO_DATA, f"A decided deal is not in {facts.currency} and its rate is missing.", n=n)
        if got + gone == 0:
            return unknown(State.NO_DATA, NONE_DECIDED if n == 0 else "No decided deal has an amount.", n=n)
        silent = blank.get(person, 0)
        words = f"{silent} decided {'deal has' if silent == 1 else 'deals have'} no amount." if silent else ""
        return known(got / (got + gone), got, got + gone, n, words)

    return of_sellers(facts, row)


def _created(facts: Facts) -> pd.DataFrame:
    rows = facts.credits
    inside = (rows["created_day"] >= facts.start) & (rows["created_day"] < min(facts.end, facts.until))
    kept = ~(rows["amount_minor"] < 0).fillna(False).astype(bool)
    rows = rows[inside & rows["person_id"].notna() & kept]
    # Decided later than the as-of day is still open on it.
    late = rows["status"].isin(["won", "lost"]) & (rows["close_day"] >= facts.until)
    return rows.assign(status=rows["status"].mask(late, "open"))


def _still_open(rows: pd.DataFrame) -> Any:
    left, every = _sizes(rows[rows["status"] == "open"]), _sizes(rows)
    return lambda person: f"{left.get(person, 0)} of {every.get(person, 0)} made in the period are still open."


@metric(
    key="win_rate_created",
    label="Win rate of new deals, decided ones",
    unit=Unit.RATIO,
    better="higher",
    definition="won ÷ (won + lost) of deals created in the period, by number, whenever they were decided",
    reference="metrics reference 1.3, win rate (create-date cohort)",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_split"),
)
def win_rate_created(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Of the deals made in the period that are decided by now, how many were won; fast deals count first."""
    rows = _created(facts)
    decided = rows[rows["status"] != "open"]
    none = "No deal made in this period has been decided yet."
    return _share(facts, _sizes(decided[decided["status"] == "won"]), _sizes(decided), none, _still_open(rows))


@metric(
    key="win_rate_created_all",
    label="Win rate of new deals, all of them",
    unit=Unit.RATIO,
    better="higher",
    definition="won ÷ all deals created in the period, by number",
    reference="metrics reference 1.3, win rate (create-date cohort)",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_split"),
)
def win_rate_created_all(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Of all deals made in the period, how many are won by now; low while many are still open."""
    rows = _created(facts)
    return _share(
        facts,
        _sizes(rows[rows["status"] == "won"]),
        _sizes(rows),
        "No deal was made in this period.",
        _still_open(rows),
    )


NO_WIN = "No deal with a known amount has been won in this period yet."


@metric(
    key="average_deal",
    label="Average deal",
    unit=Unit.MONEY,
    better="neither",
    definition="mean credit of deals won in the period whose amount is known and above 0",
    reference="metrics reference 1.3, average / median deal",
    version="1",
    adds_up="ratio",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_split", "exchange_rate"),
)
def average_deal(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How large won deals were on average, in cents."""
    total, number = facts.sums.counts("above"), facts.sums.counts("above_deals")

    def row(person: str) -> tuple[Any, ...]:
        n = number.get(person, 0)
        return known(round(total[person] / n), total[person], n, n) if n else unknown(State.NO_DATA, NO_WIN, n=0)

    return of_sellers(facts, row)


@metric(
    key="median_deal",
    label="Median deal",
    unit=Unit.MONEY,
    better="neither",
    definition="median credit of deals won in the period whose amount is known and above 0",
    reference="metrics reference 1.3, average / median deal",
    version="1",
    adds_up="no",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_split", "exchange_rate"),
)
def median_deal(facts: Facts, profile: Profile) -> pd.DataFrame:
    """The won deal in the middle, in cents: half were larger, half smaller."""
    rows = closed(facts)
    rows = rows[(rows["status"] == "won") & (rows["credit_minor"] > 0).fillna(False).astype(bool)]
    grouped = rows.groupby("person_id")["credit_minor"]
    middle, number = grouped.median().to_dict(), grouped.size().to_dict()

    def row(person: str) -> tuple[Any, ...]:
        if person not in number:
            return unknown(State.NO_DATA, NO_WIN, n=0)
        return known(round(float(middle[person])), None, None, int(number[person]))

    return of_sellers(facts, row)


def _cycle(facts: Facts, status: str, none: str) -> pd.DataFrame:
    rows = closed(facts)
    rows = rows[(rows["status"] == status) & rows["created_day"].notna()]
    days = (rows["close_day"] - rows["created_day"]).dt.days
    odd = _sizes(rows[days < 0])
    good = days[days >= 0].groupby(rows["person_id"])
    sums, counts = good.sum().to_dict(), good.count().to_dict()

    def row(person: str) -> tuple[Any, ...]:
        left = odd.get(person, 0)
        was = "deal was" if left == 1 else "deals were"
        words = f"{left} {status} {was} created after the close date." if left else ""
        if person not in sums:
            return unknown(State.NO_DATA, words or none, n=0)
        total, n = int(sums[person]), int(counts[person])
        return known(total / n, total, n, n, words)

    return of_sellers(facts, row)


@metric(
    key="sales_cycle",
    label="Sales cycle",
    unit=Unit.DAYS,
    better="neither",
    definition="mean days from created to closed of deals won in the period",
    reference="metrics reference 1.3, sales cycle",
    version="1",
    adds_up="ratio",
    states=(State.OK, State.NO_DATA),
    sources=("deal",),
)
def sales_cycle(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How long won deals took; deals created after they closed (imports) are left out and counted."""
    return _cycle(facts, "won", "No deal with a known start has been won in this period yet.")


@metric(
    key="sales_cycle_lost",
    label="Time to a no",
    unit=Unit.DAYS,
    better="neither",
    definition="mean days from created to closed of deals lost in the period",
    reference="metrics reference 1.3, sales cycle",
    version="1",
    adds_up="ratio",
    states=(State.OK, State.NO_DATA),
    sources=("deal",),
)
def sales_cycle_lost(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How long lost deals took; kept apart from won ones, because a quick no is a good thing."""
    return _cycle(facts, "lost", "No deal with a known start has been lost in this period yet.")


@metric(
    key="time_to_close",
    label="Time to a decision, open deals counted",
    unit=Unit.DAYS,
    better="neither",
    definition="Kaplan–Meier median days from created to decided, of deals decided in the period or open (censored)",
    reference="metrics reference 1.3, sales cycle (Kaplan-Meier)",
    version="1",
    adds_up="no",
    states=(State.OK, State.NO_DATA),
    sources=("deal",),
)
def time_to_close(facts: Facts, profile: Profile) -> pd.DataFrame:
    """By when half of the deals are decided; the mean of decided deals alone looks too short when many are open."""
    rows = facts.credits
    rows = rows[rows["person_id"].notna() & rows["created_day"].notna() & (rows["created_day"] < facts.until)]
    decided = rows["status"].isin(["won", "lost"]) & (rows["close_day"] < facts.until)
    rows = rows[~decided | (rows["close_day"] >= facts.start)]
    ended = decided[rows.index]
    days = (rows["close_day"].where(ended, facts.today) - rows["created_day"]).dt.days
    kept = days >= 0
    frame = pd.DataFrame({"person": rows["person_id"], "days": days, "ended": ended})[kept]
    found = {
        str(p): median_survival(part["days"].to_numpy(), part["ended"].to_numpy())
        for p, part in frame.groupby("person")
    }
    number, ends = frame.groupby("person").size(), frame[frame["ended"]].groupby("person").size()

    def row(person: str) -> tuple[Any, ...]:
        n, k = int(number.get(person, 0)), int(ends.get(person, 0))
        value = found.get(person)
        if value is None:
            words = (
                "Fewer than half of the deals are decided, so there is no median yet." if n else "There is no deal yet."
            )
            return unknown(State.NO_DATA, words, k, n, n)
        return known(value, k, n, n, f"{n - k} of {n} are still open." if n > k else "")

    return of_sellers(facts, row)


def median_survival(days: Any, ended: Any) -> int | None:
    """The Kaplan–Meier median: the first day by which half have ended; None while more than half go on."""
    left = 1.0
    for day in np.unique(days[ended]):
        at_risk, ends = int((days >= day).sum()), int(((days == day) & ended).sum())
        left *= 1 - ends / at_risk
        if left <= 0.5 + 1e-12:
            return int(day)
    return None


@metric(
    key="velocity",
    label="Sales velocity",
    unit=Unit.MONEY,
    better="higher",
    definition="open deals × win rate × average deal ÷ sales cycle: money a day",
    reference="metrics reference 1.3, sales velocity",
    version="1",
    adds_up="no",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_split", "exchange_rate"),
)
def velocity(facts: Facts, profile: Profile) -> pd.DataFrame:
    """What the open deals bring in a day if they go like those decided; for managers, never part of a score."""
    open_now = facts.sums.counts("open_deals")
    parts = [f(facts, profile)["value"].to_dict() for f in (win_rate, average_deal, sales_cycle)]

    def row(person: str) -> tuple[Any, ...]:
        rate, size, days = (part[person] for part in parts)
        n = open_now.get(person, 0)
        if rate is None or size is None or not days:
            return unknown(State.NO_DATA, "It needs decided deals, won ones among them, with amounts and a start.", n=n)
        return known(round(n * rate * size / days), None, None, n)

    return of_sellers(facts, row)
