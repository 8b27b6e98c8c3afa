"""The plan: pure, and its laws hold for any rows."""

from collections.abc import Set
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from sync.plan import missing_share, plan

COLUMNS = ("name", "amount_minor", "modified_at", "removed_at")
IDS = st.sampled_from([f"id{n}" for n in range(8)])
ROWS = st.dictionaries(IDS, st.tuples(st.sampled_from(["a", "b", None]), st.one_of(st.none(), st.integers(0, 3))))


def frame(
    rows: dict[str, tuple[str | None, int | None]], removed: Set[str] = frozenset(), stamp: str = "2026-01-02"
) -> pd.DataFrame:
    """Rows as a plan takes them."""
    out = pd.DataFrame(
        {
            "external_id": pd.array(list(rows), dtype="str"),
            "name": pd.array([r[0] for r in rows.values()], dtype="str"),
            "amount_minor": pd.array([r[1] for r in rows.values()], dtype="Int64"),
            "modified_at": pd.to_datetime([stamp] * len(rows), utc=True).astype("datetime64[us, UTC]"),
        }
    )
    out["removed"] = pd.array([i in removed for i in rows], dtype="boolean")
    gone: list[Any] = ["2026-01-01" if i in removed else None for i in rows]
    out["removed_at"] = pd.to_datetime(pd.Series(gone, dtype="object"), utc=True).astype("datetime64[us, UTC]")
    return out


def run(stored: pd.DataFrame, drafts: pd.DataFrame, gone: Set[str] = frozenset()) -> dict[str, Any]:
    """What the store holds after a plan: id to (name, amount), live rows only."""
    todo = plan(drafts, stored, COLUMNS, gone=gone)
    live = stored[stored["removed_at"].isna()].set_index("external_id")
    held: dict[str, Any] = {str(i): (r["name"], r["amount_minor"]) for i, r in live.iterrows()}
    for part in (todo.create, todo.change):
        held |= {r["external_id"]: (r["name"], r["amount_minor"]) for _, r in part.iterrows()}
    for name in todo.remove:
        del held[name]
    return {k: tuple(None if pd.isna(x) else x for x in v) for k, v in held.items()}


@given(ROWS, ROWS)
def test_a_snapshot_leaves_exactly_what_the_source_has(before: Any, after: Any) -> None:
    held = run(frame(before), frame(after), gone=set(before) - set(after))
    assert held == after


@given(ROWS)
def test_the_same_rows_again_write_nothing(rows: Any) -> None:
    todo = plan(frame(rows), frame(rows), COLUMNS)
    assert todo.writes == 0
    assert todo.kept == len(rows)


@given(ROWS, st.sets(IDS))
def test_removed_rows_go_and_come_back(rows: Any, removed: Any) -> None:
    held = run(frame(rows), frame(rows, removed & set(rows)))
    assert set(held) == set(rows) - removed
    assert run(frame(rows, removed & set(rows)), frame(rows)) == rows


@given(ROWS, ROWS)
def test_an_older_page_never_overwrites_a_newer_row(newer: Any, older: Any) -> None:
    held = run(frame(newer, stamp="2026-02-02"), frame(older, stamp="2026-02-01"))
    assert {k: v for k, v in held.items() if k in newer} == newer


@given(ROWS, ROWS)
def test_history_holds_every_change_of_a_tracked_column_and_no_other(before: Any, after: Any) -> None:
    todo = plan(frame(after), frame(before), COLUMNS, history=("amount_minor",))
    moved = {i for i in set(before) & set(after) if before[i][1] != after[i][1]}
    assert set(todo.history["external_id"]) == moved
    assert set(todo.history["field"]) <= {"amount_minor"}


def test_a_time_stamp_that_moves_alone_is_no_change() -> None:
    rows: Any = {"id1": ("a", 1)}
    assert plan(frame(rows, stamp="2026-03-01"), frame(rows), COLUMNS).writes == 0


def test_the_share_that_would_be_lost_of_nothing_is_nothing() -> None:
    assert missing_share(0, 0) == 0
    assert missing_share(200, 50) == 0.25
