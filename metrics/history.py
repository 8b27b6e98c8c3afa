"""What deals looked like before: every change of owner, stage, amount and close date, from the best witness there is.

The CRM's own field history comes first, then its list of versions, then what our syncs saw change. What happened
before any of them looked is unknown, and no figure pretends otherwise. Source: metrics reference §0.3.
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import Engine

from models.base import core
from models.frames import FRAMES, load

WITNESSES = ("field_history", "history", "changes")
"""Best first: a CRM's own history tells when a thing happened, a sync only when it was seen."""

TOLD = ("deal_history", "deal_field_history")
ALWAYS = pd.Timestamp("1900-01-01")
COLUMNS = ["connection", "deal", "field", "old", "new", "at"]
KEYS = ["connection", "deal"]


def moves(frames: Mapping[str, pd.DataFrame], zone: str) -> pd.DataFrame:
    """One row a change, oldest first: connection, deal, field, old, new, at (local time of the reporting zone).

    Each field of each deal is told by its best witness only, so that nothing is counted twice.
    """
    parts = []
    for rank, name in enumerate(WITNESSES):
        frame = frames.get(name)
        if frame is None or frame.empty:
            continue
        seen = name == "changes"
        told = pd.DataFrame(
            {
                "connection": frame["connection"],
                "deal": frame["external_id" if seen else "deal_external_id"],
                "field": frame["field"],
                "old": frame["old_value"],
                "new": frame["new_value"],
                "at": frame["seen_at" if seen else "changed_at"],
                "order": frame["id"].astype("Int64") if seen else pd.array([0] * len(frame), dtype="Int64"),
            }
        )
        parts.append(told.assign(rank=rank))
    if not parts:
        return pd.DataFrame({c: pd.Series([], dtype="datetime64[s]" if c == "at" else "str") for c in COLUMNS})
    told = pd.concat(parts, ignore_index=True)
    best = told.groupby(["connection", "deal", "field"])["rank"].transform("min")
    told = told[told["rank"] == best].sort_values([*KEYS, "field", "at", "order"], kind="stable")
    local = told["at"].dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None).astype("datetime64[s]")
    return told.assign(at=local)[COLUMNS].reset_index(drop=True)


def known_since(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.Timestamp]:
    """By connection, since when changes are known: always where the CRM's own history is read, else since a first sync.

    It does not depend on whose deals are looked at, so that nobody's figures depend on who else is asked for.
    """
    found: dict[str, pd.Timestamp] = {}
    runs, cursors = frames.get("runs"), frames.get("cursors")
    if runs is not None and not runs.empty:
        for connection, first in runs.groupby("connection")["started_at"].min().items():
            found[str(connection)] = pd.Timestamp(first)
    if cursors is not None and not cursors.empty:
        for connection in cursors.loc[cursors["stream"].isin(TOLD), "connection"].unique():
            found[str(connection)] = ALWAYS
    return found


def as_at(deals: pd.DataFrame, told: pd.DataFrame, field: str, column: str, moment: pd.Timestamp) -> pd.Series:
    """A field of each deal as it stood before `moment`, in the deals' order: text, or missing where nobody knows.

    It is the new value of the last change before then, else the old value of the first change after it, else
    what it is today.
    """
    own = told[told["field"] == field]
    keys = pd.MultiIndex.from_frame(deals[["connection", "external_id"]])
    before = own[own["at"] < moment].drop_duplicates(KEYS, keep="last").set_index(KEYS)["new"]
    after = own[own["at"] >= moment].drop_duplicates(KEYS, keep="first").set_index(KEYS)["old"]
    now = deals[column]
    if now.dtype.kind == "M":
        now = now.dt.strftime("%Y-%m-%d")
    was = pd.Series(now.astype("str").to_numpy(dtype="object"), index=keys, dtype="object")
    for stands in (after, before):
        hit = keys.isin(stands.index)
        was[hit] = stands.reindex(keys[hit]).to_numpy(dtype="object")
    return pd.Series(was.to_numpy(), index=deals.index, dtype="str")


def owner_moves(engine: Engine, zone: str) -> pd.DataFrame:
    """Every change of owner in the store, as `moves` tells them."""
    tables = {name: core(FRAMES[name].table) for name in WITNESSES}
    owners = {name: load(engine, name, table.c.field == "owner_external_id") for name, table in tables.items()}
    return moves(owners, zone)


def owner_at_close(deals: pd.DataFrame, told: pd.DataFrame, identities: pd.DataFrame) -> pd.DataFrame:
    """The deals, with a decided deal's owner and person as of its close date: what a colleague won stays theirs.

    Open deals belong to today's owner. Source: metrics reference §1.1, owner change.
    """
    moved = told[told["field"] == "owner_external_id"]
    if moved.empty or deals.empty:
        return deals
    closes = deals.loc[deals["status"].isin(["won", "lost"]), ["connection", "external_id", "close_day"]]
    found = moved.merge(closes, left_on=KEYS, right_on=["connection", "external_id"])
    late = found["at"] >= found["close_day"] + pd.Timedelta(days=1)
    found = found[late & found["old"].notna()].drop_duplicates(KEYS, keep="first")
    if found.empty:
        return deals
    people = identities.drop_duplicates(["connection", "external_id"]).set_index(["connection", "external_id"])
    then = pd.MultiIndex.from_frame(found[["connection", "old"]])
    owners = found.assign(person=people["person_id"].reindex(then).to_numpy()).set_index(KEYS)
    keys = pd.MultiIndex.from_frame(deals[["connection", "external_id"]])
    hit = keys.isin(owners.index)
    out = deals.copy()
    for column, told_by in (("owner_external_id", "old"), ("person_id", "person")):
        fresh = out[column].to_numpy(dtype="object", copy=True)
        fresh[hit] = owners[told_by].reindex(keys[hit]).to_numpy(dtype="object")
        out[column] = pd.Series(fresh, index=out.index, dtype="str")
    return out
