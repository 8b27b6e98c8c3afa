"""How close dates moved: pushes, slippage, and deals that are past due. From history; without it there is no figure."""

from typing import Any

import pandas as pd

from metrics.facts import Facts
from metrics.history import as_at
from metrics.registry import known, metric, of_sellers, unknown
from metrics.result import State, Unit
from metrics.sums import CATEGORIES, Sums
from models.frames import values
from models.profile import Profile

UNSEEN = "Close dates of {names} are known from {day:%-d %B %Y} on, so what moved before then is not known."
DEAL = ["connection", "external_id"]


def blind(facts: Facts) -> dict[str, str]:
    """By person, why changes in the period are not known: history that begins after the period did."""
    rows, since = facts.owned, facts.known_since
    late = {c: since.get(c) for c in rows["connection"].unique().tolist() if since.get(c, facts.until) > facts.start}
    found: dict[str, str] = {}
    pairs: dict[str, set[str]] = {}
    for person, connection in values(rows[rows["connection"].isin(late)], "person_id", "connection"):
        pairs.setdefault(str(person), set()).add(connection)
    for person, connections in pairs.items():
        names = sorted(connections)
        begun = [day for day in (late[n] for n in names) if day is not None]
        found[person] = (
            UNSEEN.format(names=" and ".join(names), day=max(begun)) if begun else "No history has been read yet."
        )
    return found


@metric(
    key="pushes",
    label="Pushed close dates",
    unit=Unit.COUNT,
    better="lower",
    definition="moves of a close date to a later day in the period; moves to an earlier day are not netted",
    reference="metrics reference 1.3, pushes",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_change", "deal_history", "deal_field_history"),
)
def pushes(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How often a close date was pushed out; the numerator is the days. Moves on a deal's first day do not count."""
    mine = facts.owned
    told = facts.moves
    told = told[(told["field"] == "close_day") & (told["at"] >= facts.start) & (told["at"] < facts.end)]
    found = told.merge(mine[[*DEAL, "person_id", "created_day"]], left_on=["connection", "deal"], right_on=DEAL)
    old, new = (pd.to_datetime(found[c], errors="coerce") for c in ("old", "new"))
    later = (new > old) & ~(found["at"].dt.normalize() == found["created_day"])
    moved = (new - old).dt.days[later].groupby(found["person_id"])
    number, total_days = moved.size().to_dict(), moved.sum().to_dict()
    unseen = blind(facts)

    def row(person: str) -> tuple[Any, ...]:
        if person in unseen:
            return unknown(State.NO_DATA, unseen[person])
        n, total = int(number.get(person, 0)), int(total_days.get(person, 0))
        words = f"{n} {'push' if n == 1 else 'pushes'}, {total} {'day' if total == 1 else 'days'} in all." if n else ""
        return known(n, total, None, n, words)

    return of_sellers(facts, row)


@metric(
    key="slippage",
    label="Slipped out of the period",
    unit=Unit.RATIO,
    better="lower",
    definition="deals open and due in the period on its first morning that are now due after its end ÷ all of them",
    reference="metrics reference 1.3, slippage",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_change", "deal_history", "deal_field_history"),
)
def slippage(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Of the deals that were to close in the period when it began, how many moved past its end."""
    mine = facts.owned.reset_index(drop=True)
    told, start = facts.moves, facts.start
    due_then = pd.to_datetime(as_at(mine, told, "close_day", "close_day", start), errors="coerce")
    due_now = pd.to_datetime(as_at(mine, told, "close_day", "close_day", facts.until), errors="coerce")
    there = mine["created_day"].isna() | (mine["created_day"] < start)
    # A decided deal closed on its close date, so it was open on the first morning if that day had not passed.
    was_open = (mine["status"] == "open") | (mine["close_day"] >= start)
    base = there & was_open & (due_then >= start) & (due_then < facts.end)
    slipped = base & (due_now >= facts.end)
    number, late = (part.groupby(mine["person_id"]).sum().to_dict() for part in (base, slipped))
    unseen = blind(facts)

    def row(person: str) -> tuple[Any, ...]:
        if person in unseen:
            return unknown(State.NO_DATA, unseen[person])
        n, k = int(number.get(person, 0)), int(late.get(person, 0))
        if n == 0:
            return unknown(State.NO_DATA, "No open deal was due in this period when it began.", 0, 0, 0)
        return known(k / n, k, n, n)

    return of_sellers(facts, row)


def _late(facts: Facts) -> pd.DataFrame:
    rows = facts.credits
    return rows[(rows["status"] == "open") & rows["person_id"].notna() & (rows["close_day"] < facts.today)]


@metric(
    key="past_due",
    label="Open past their close date",
    unit=Unit.COUNT,
    better="lower",
    definition="open deals whose close date is before the day",
    reference="metrics reference 1.3, past due",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal",),
)
def past_due(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Deals that should have closed by now; a new date, or a no, makes the pipeline true again."""
    found = {str(p): int(n) for p, n in _late(facts).groupby("person_id")["external_id"].nunique().items()}

    def row(person: str) -> tuple[Any, ...]:
        return known(found.get(person, 0), n=found.get(person, 0))

    return of_sellers(facts, row)


@metric(
    key="past_due_amount",
    label="Money open past its close date",
    unit=Unit.MONEY,
    better="lower",
    definition="credit of open deals whose close date is before the day",
    reference="metrics reference 1.3, past due",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_split", "exchange_rate"),
)
def past_due_amount(facts: Facts, profile: Profile) -> pd.DataFrame:
    """What those deals are worth, in cents."""
    found = Sums.of(_late(facts), facts.people, facts.until).money(*(f"category_{name}" for name in CATEGORIES))

    def row(person: str) -> tuple[Any, ...]:
        cents, n, blank = found.get(person, (0, 0, 0))
        if cents is None:
            return unknown(State.NO_DATA, f"An open deal is not in {facts.currency} and its rate is missing.", n=n)
        return known(cents, cents, None, n, f"{blank} of them without an amount." if blank else "")

    return of_sellers(facts, row)
