"""What a sync would do, worked out before anything is written: create, change, remove or keep. Pure.

Rows are known by `external_id`. A row that is gone from its source is not deleted but gets a `removed_at`, so that
history and past pages keep it; one that comes back is a change like any other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

NO_CHANGES = pd.DataFrame(columns=["external_id", "field", "old_value", "new_value"])


@dataclass(frozen=True)
class Plan:
    """The whole list of what to do with one batch. `history` has external_id, field, old_value, new_value."""

    create: pd.DataFrame
    change: pd.DataFrame
    remove: tuple[str, ...]
    kept: int
    history: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def writes(self) -> int:
        """How many rows would be written: 0 when the source has not changed."""
        return len(self.create) + len(self.change) + len(self.remove)


def plan(
    drafts: pd.DataFrame,
    stored: pd.DataFrame,
    columns: Sequence[str],
    history: Sequence[str] = (),
    gone: Iterable[str] = (),
) -> Plan:
    """Compare a batch of rows with what is stored of them.

    drafts   external_id and `columns` (no removed_at), each id once; `removed` true marks a row as gone
    stored   external_id, `columns` and removed_at of the rows of that batch (others are allowed and left alone)
    gone     further ids known to be gone: missing from a snapshot, merged away, or rejected now
    A draft older than the stored row (by modified_at) is kept out, so that a late page never overwrites a newer one.
    """
    fields = [c for c in columns if c != "removed_at"]
    drafts, stored = drafts.set_index("external_id"), stored.set_index("external_id")
    lost = drafts["removed"].fillna(False).astype(bool) if "removed" in drafts else pd.Series(False, drafts.index)
    live = drafts.loc[~lost, fields]
    if stored.empty:
        return Plan(
            create=live.reset_index(), change=live.iloc[:0].reset_index(), remove=(), kept=0, history=NO_CHANGES
        )
    known = live.index.isin(stored.index)
    old = stored.reindex(live.index[known])
    new = live[known]
    differs = old["removed_at"].notna() if "removed_at" in old else pd.Series(False, old.index)
    moved: list[pd.DataFrame] = []
    for column in fields:
        # A source's own time stamp is no change of the row: bulk edits move it and nothing else.
        if column == "modified_at":
            continue
        changed = _differ(old[column], new[column])
        differs |= changed
        if column in history and changed.any():
            moved.append(_moves(column, old.loc[changed, column], new.loc[changed, column]))
    if "modified_at" in fields:
        differs &= ~(new["modified_at"] < old["modified_at"]).fillna(False).astype(bool)
    existing = set(stored.index[stored["removed_at"].isna()]) if "removed_at" in stored else set(stored.index)
    remove = [i for i in dict.fromkeys([*drafts.index[lost], *gone]) if i in existing]
    changes = pd.concat(moved) if moved else NO_CHANGES
    return Plan(
        create=live[~known].reset_index(),
        change=new[differs].reset_index(),
        remove=tuple(remove),
        kept=int((~differs).sum()),
        history=changes[changes["external_id"].isin(new.index[differs])],
    )


def _differ(old: "pd.Series[Any]", new: "pd.Series[Any]") -> "pd.Series[bool]":
    """Where two columns differ; unknown equals unknown."""
    unequal = (old != new).fillna(True).astype(bool)
    return unequal & ~(old.isna() & new.isna())


def _moves(column: str, old: "pd.Series[Any]", new: "pd.Series[Any]") -> pd.DataFrame:
    return pd.DataFrame(
        {"external_id": old.index, "field": column, "old_value": _words(old), "new_value": _words(new)},
    )


def _words(series: "pd.Series[Any]") -> list[str | None]:
    text = series.dt.strftime("%Y-%m-%d") if series.dtype.kind == "M" else series.astype("object").map(str)
    return [None if missing else str(word) for missing, word in zip(series.isna(), text, strict=True)]


def missing_share(stored: int, lost: int) -> float:
    """The share of stored rows that would be lost; the mass-delete brake compares it with its limit."""
    return lost / stored if stored else 0.0
