"""How deals go through the stages: conversion, time in stage, and deals that stand still. From history."""

from typing import Any

import pandas as pd

from metrics.facts import Facts
from metrics.movement import DEAL, blind
from metrics.registry import known, metric, of_sellers, unknown
from metrics.result import State, Unit
from models.frames import values
from models.profile import Profile

NO_HISTORY = "No change of stage is known for these deals, so how they moved cannot be told."


def stays(facts: Facts) -> pd.DataFrame:
    """One row a stay of a deal in a stage: connection, external_id, stage, pipeline, came, left (missing: still there).

    A deal's first stage is known from the old value of its first change; it came into it on the day it was made.
    """
    told = facts.moves
    told = told[told["field"] == "stage"].sort_values(["connection", "deal", "at"], kind="stable")
    told = told.rename(columns={"deal": "external_id"})
    about = facts.frame("deals").drop_duplicates(DEAL)[[*DEAL, "pipeline", "created_day", "stage"]]
    entered = told[[*DEAL, "new", "at"]].rename(columns={"new": "stage", "at": "came"})
    first = told.drop_duplicates(DEAL).merge(about[[*DEAL, "created_day"]], on=DEAL)
    first = first[first["old"].notna() & first["created_day"].notna()]
    begun = first[[*DEAL, "old", "created_day"]].rename(columns={"old": "stage", "created_day": "came"})
    unmoved = about.merge(told[DEAL].drop_duplicates(), on=DEAL, how="left", indicator=True)
    unmoved = unmoved[(unmoved["_merge"] == "left_only") & unmoved["created_day"].notna()]
    begun = pd.concat([begun, unmoved[[*DEAL, "stage", "created_day"]].rename(columns={"created_day": "came"})])
    every = pd.concat([begun, entered], ignore_index=True).sort_values([*DEAL, "came"], kind="stable")
    every = every[every["stage"] != every.groupby(DEAL)["stage"].shift()]  # a version without a move is no entry
    every["left"] = every.groupby(DEAL)["came"].shift(-1)
    return every.merge(about[[*DEAL, "pipeline"]], on=DEAL).reset_index(drop=True)


def ladder(facts: Facts) -> dict[tuple[str, str, str], tuple[int, str]]:
    """(connection, pipeline, stage) -> its place and whether it is open, won or lost; a stage by id and by name."""
    found: dict[tuple[str, str, str], tuple[int, str]] = {}
    frame = facts.frame("stages")
    columns = ("connection", "pipeline", "external_id", "name", "position", "status")
    for connection, pipeline, external_id, name, position, status in values(frame, *columns):
        place = (0 if pd.isna(position) else int(position), str(status))
        for word in (external_id, name):
            found[str(connection), str(pipeline), str(word)] = place
            found.setdefault((str(connection), "", str(word)), place)
    return found


def _placed(facts: Facts) -> pd.DataFrame:
    found, rungs = stays(facts), ladder(facts)
    keys = values(found.assign(pipeline=found["pipeline"].fillna("")), "connection", "pipeline", "stage")
    places = [rungs.get((c, p, s), rungs.get((c, "", s))) for c, p, s in keys]
    placed = found.assign(
        position=pd.array([None if p is None else p[0] for p in places], dtype="Int64"),
        kind=pd.Series([None if p is None else p[1] for p in places], index=found.index, dtype="str"),
    )
    return placed[placed["position"].notna()]


def conversions(facts: Facts) -> pd.DataFrame:
    """One row a person and stage: entered, went_on, lost, there; first entries in the period, seen as of the day.

    Reaching any further stage counts, so a skipped stage is reached and going back undoes nothing. Won is further
    than every open stage; lost is not.
    """
    found = _placed(facts)
    entries = found[found["kind"] == "open"].drop_duplicates([*DEAL, "stage"])
    entries = entries[(entries["came"] >= facts.start) & (entries["came"] < min(facts.end, facts.until))]
    ahead = found[found["kind"] != "lost"][[*DEAL, "position", "came", "kind"]]
    pairs = entries.merge(ahead, on=DEAL, suffixes=("", "_later"))
    further = (pairs["position_later"] > pairs["position"]) | (pairs["kind_later"] == "won")
    reached = pairs[further & (pairs["came_later"] >= pairs["came"])][[*DEAL, "stage"]].drop_duplicates()
    ended = found[found["kind"] == "lost"][DEAL].drop_duplicates()
    rows = entries.merge(reached.assign(went_on=True), on=[*DEAL, "stage"], how="left")
    rows = rows.merge(ended.assign(ended=True), on=DEAL, how="left")
    went_on = rows["went_on"].fillna(False).astype(bool)
    lost = rows["ended"].fillna(False).astype(bool) & ~went_on
    rows = rows.assign(went_on=went_on, lost=lost, there=~went_on & ~lost)
    rows = rows.merge(facts.owned[[*DEAL, "person_id"]], on=DEAL)
    grouped = rows.groupby(["person_id", "stage", "position"], sort=True)
    return grouped[["went_on", "lost", "there"]].sum().assign(entered=grouped.size()).reset_index()


@metric(
    key="stage_conversion",
    label="Stages passed",
    unit=Unit.RATIO,
    better="higher",
    definition="first entries into an open stage in the period that reached a further one by the day ÷ all of them",
    reference="metrics reference 1.3, stage conversion",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "stage", "deal_change", "deal_history", "deal_field_history"),
)
def stage_conversion(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How many of the deals that came into a stage went on; stage by stage when it is opened."""
    found, unseen = conversions(facts), blind(facts)
    mine = {str(p): part for p, part in found.groupby("person_id")}

    def row(person: str) -> tuple[Any, ...]:
        if person in unseen:
            return unknown(State.NO_DATA, unseen[person].replace("Close dates", "Stages"))
        part = mine.get(person)
        if part is None:
            return unknown(State.NO_DATA, "No deal came into a stage in this period.", 0, 0, 0)
        n, k, there = (int(part[c].sum()) for c in ("entered", "went_on", "there"))
        return known(k / n, k, n, n, f"{there} of {n} are still there." if there else "")

    return of_sellers(facts, row)


@metric(
    key="time_in_stage",
    label="Days in a stage",
    unit=Unit.DAYS,
    better="lower",
    definition="mean days of stays in an open stage that ended in the period; re-entries of a deal add up",
    reference="metrics reference 1.3, time in stage",
    version="1",
    adds_up="ratio",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "stage", "deal_change", "deal_history", "deal_field_history"),
)
def time_in_stage(facts: Facts, profile: Profile) -> pd.DataFrame:
    """How long deals stayed in an open stage; stays that go on are not over, so they are not in it."""
    found = _placed(facts)
    found = found[(found["kind"] == "open") & found["left"].notna()]
    found = found[(found["left"] >= facts.start) & (found["left"] < min(facts.end, facts.until))]
    days = (found["left"].dt.normalize() - found["came"].dt.normalize()).dt.days
    each = found.assign(days=days).groupby([*DEAL, "stage"], as_index=False)["days"].sum()
    each = each.merge(facts.owned[[*DEAL, "person_id"]], on=DEAL)
    total = each.groupby("person_id")["days"].agg(["sum", "size"])
    unseen = blind(facts)

    def row(person: str) -> tuple[Any, ...]:
        if person in unseen:
            return unknown(State.NO_DATA, unseen[person].replace("Close dates", "Stages"))
        if person not in total.index:
            return unknown(State.NO_DATA, "No deal left a stage in this period.", n=0)
        whole, n = int(total.at[person, "sum"]), int(total.at[person, "size"])
        return known(whole / n, whole, n, n)

    return of_sellers(facts, row)


@metric(
    key="stalled",
    label="Open deals standing still",
    unit=Unit.COUNT,
    better="lower",
    definition="open deals whose stage has not changed for more than the group's number of days",
    reference="metrics reference 1.3, stalled",
    version="1",
    states=(State.OK, State.NO_DATA),
    sources=("deal", "deal_change", "deal_history", "deal_field_history"),
    parameters=("stalled_after_days",),
)
def stalled(facts: Facts, profile: Profile) -> pd.DataFrame:
    """Open deals that have stood in their stage for long; of how many open ones is beside it."""
    mine = facts.owned
    mine = mine[(mine["status"] == "open") & (mine["created_day"].isna() | (mine["created_day"] < facts.until))]
    told = facts.moves
    last = told[told["field"] == "stage"].groupby(["connection", "deal"])["at"].max()
    last.index.names = DEAL
    moved = mine.merge(last.rename("moved").reset_index(), on=DEAL, how="left")
    since = moved["moved"].fillna(moved["created_day"])
    days = (facts.today - since.dt.normalize()).dt.days
    still = (days > profile.stalled_after_days).groupby(moved["person_id"]).sum()
    unknown_age, every = since.isna().groupby(moved["person_id"]).sum(), moved.groupby("person_id").size()

    def row(person: str) -> tuple[Any, ...]:
        n, k = int(every.get(person, 0)), int(still.get(person, 0))
        silent = int(unknown_age.get(person, 0))
        if n and silent == n:
            return unknown(State.NO_DATA, NO_HISTORY, n=n)
        return known(k, k, n, n, f"{silent} more without a known start." if silent else "")

    return of_sellers(facts, row)
