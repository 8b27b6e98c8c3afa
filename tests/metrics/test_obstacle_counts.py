"""Counting what is in people's way without saying in whose."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from metrics.obstacles import by_kind, month_before

DAY = date(2026, 10, 31)
ONE = st.tuples(
    st.sampled_from("abcdefg"),
    st.sampled_from(["pricing", "Pricing ", "tools", ""]),
    st.dates(date(2026, 9, 1), date(2026, 12, 1)),
    st.none() | st.dates(date(2026, 9, 1), date(2026, 12, 1)),
)


@given(st.lists(ONE, max_size=30), st.integers(0, 12))
def test_no_count_stands_for_fewer_than_three_people(rows: list[tuple[str, str, date, date | None]], size: int) -> None:
    found = by_kind(rows, size, DAY)
    if size < 5:
        assert found is None
        return
    assert found is not None
    owners: dict[str, set[str]] = {}
    for person, kind, opened, gone in rows:
        if opened <= DAY and (gone is None or gone > DAY):
            owners.setdefault(kind.strip().casefold() or "other", set()).add(person)
    for kind in set(found) - {"of other kinds"}:
        assert len(owners[kind]) >= 3
    if "of other kinds" in found:
        rest: set[str] = set().union(*(who for kind, who in owners.items() if kind not in found))
        assert len(rest) >= 3


@given(st.lists(ONE, max_size=30))
def test_what_is_written_within_a_month_does_not_show_before_its_end(
    rows: list[tuple[str, str, date, date | None]],
) -> None:
    """Otherwise somebody who looks every day sees who wrote one down yesterday."""
    assert {month_before(date(2026, 11, n)) for n in range(1, 31)} == {DAY}
    later = [("z", "pricing", date(2026, 11, n), None) for n in range(1, 31)]
    assert by_kind(rows, 9, DAY) == by_kind([*rows, *later], 9, DAY)
