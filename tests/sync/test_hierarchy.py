"""Reporting lines are trees on every day: a circle is cut at one line, the same one always, and nothing else waits."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from connectors.base import Stream
from models import Connection as ConnectionRow
from models import Employment, Identity, Person, Reject, ReportingLine, Team, TeamMembership
from models.base import core
from models.ledger import RunStatus
from sync.hierarchy import circles, cuts
from sync.report import RunReport
from sync.rules import Rules
from sync.run import run_sync
from tests.support.memory import Memory, user

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
PEOPLE = [f"u{n}" for n in range(7)]
MAPS = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), max_size=7)


@settings(max_examples=200)
@given(MAPS, st.sets(st.sampled_from(PEOPLE)), st.randoms())
def test_cutting_leaves_a_forest_with_one_cut_a_circle_whatever_the_order(
    above: dict[str, str], fresh: set[str], random: Any
) -> None:
    found = cuts(above, fresh, lambda p: p)
    left = {p: boss for p, boss in above.items() if p not in found}
    assert not circles(left)
    assert len(found) == len(circles(above))  # one line each: less leaves a circle, since circles share nobody
    for cut, circle in found.items():
        assert set(circle) & fresh <= fresh & {cut} or cut in fresh  # a line that was there goes only where none is new
    shuffled = list(above.items())
    random.shuffle(shuffled)
    assert set(cuts(dict(shuffled), fresh, lambda p: p)) == set(found)


class Changes(Memory):
    """A source that tells of changes only, as a CRM does of its users."""

    def streams(self) -> list[Stream]:
        """Nothing is read whole."""
        return [Stream(name) for name in self.rows]


def go(store: Engine, folder: Path, source: Memory, day: int = 0, **kwargs: Any) -> RunReport:
    """Run a source once, some days after the first time."""
    rules = Rules("EUR", "UTC", folder / "landing")
    return run_sync(store, "hr", source, rules, clock=lambda: NOW + timedelta(days=day), **kwargs)


def company(above: dict[str, str], **hired: str) -> Memory:
    """A people list: who reports to whom, and since when they are here."""
    rows = [user(p, manager_external_id=above.get(p), hired_on=hired.get(p), employee_id=p) for p in PEOPLE]
    return Memory({"people": rows})


def lines(store: Engine, day: date) -> dict[str, str]:
    """Who reports to whom on a day, by the source's ids."""
    table, users = core(ReportingLine), core(Identity)
    with store.connect() as connection:
        names = {r.person_id: r.external_id for r in connection.execute(select(users))}
        rows = connection.execute(select(table)).all()
    held = [r for r in rows if r.from_day <= day and (r.to_day is None or r.to_day > day)]
    assert len({r.person_id for r in held}) == len(held), "two lines of one person on one day"
    return {names[r.person_id]: names[r.manager_id] for r in held}


def cut(store: Engine) -> dict[str, str]:
    """The lines that were cut, each with what is said of it."""
    with store.connect() as connection:
        rows = connection.execute(select(core(Reject)).where(core(Reject).c.stream == "reporting_lines"))
        return {row.external_id: row.message for row in rows}


def test_the_line_that_closes_a_circle_is_cut_and_told_of_and_the_rest_goes_in(store: Engine, tmp_path: Path) -> None:
    go(store, tmp_path, company({"u1": "u0", "u2": "u1", "u3": "u1"}))
    report = go(store, tmp_path, company({"u0": "u2", "u1": "u0", "u2": "u1", "u3": "u1", "u4": "u0"}), day=1)
    assert report.status is RunStatus.PARTIAL
    assert report.message.startswith("1 row is rejected")
    assert lines(store, NOW.date() + timedelta(days=1)) == {"u1": "u0", "u2": "u1", "u3": "u1", "u4": "u0"}
    words = "U0 would report to U2, which closes a circle (U0 → U2 → U1 → U0)"
    assert words in cut(store)["u0"]
    (people,) = [s for s in report.streams if s.stream == "people"]
    assert {"rule": "reporting line cut: it closes a circle", "count": 1, "example": "u0"} in people.notes
    mended = go(store, tmp_path, company({"u1": "u0", "u2": "u1", "u3": "u1", "u4": "u0"}), day=2)
    assert (mended.status, cut(store)) == (RunStatus.SUCCESS, {})


def test_a_cut_line_is_tried_again_when_only_another_row_of_the_circle_comes(store: Engine, tmp_path: Path) -> None:
    """A CRM that tells of changes only does not send the row of the cut line again."""
    go(store, tmp_path, company({"u1": "u0", "u2": "u1"}))
    go(store, tmp_path, company({"u0": "u2", "u1": "u0", "u2": "u1"}), day=1)
    assert set(cut(store)) == {"u0"}
    changed = Changes({"people": [user("u2", manager_external_id="u3", employee_id="u2")]})
    go(store, tmp_path, changed, day=2)
    assert cut(store) == {}
    assert lines(store, NOW.date() + timedelta(days=2)) == {"u0": "u2", "u1": "u0", "u2": "u3"}


def test_in_a_first_list_it_is_the_line_of_whom_most_people_report_to(store: Engine, tmp_path: Path) -> None:
    go(store, tmp_path, company({"u5": "u1", "u1": "u5", "u2": "u5", "u3": "u5", "u4": "u1", "u6": "u5"}))
    assert set(cut(store)) == {"u5"}
    assert lines(store, NOW.date())["u1"] == "u5"


def test_somebody_who_reports_to_themselves_or_to_a_stranger_has_no_line_and_it_is_noted(
    store: Engine, tmp_path: Path
) -> None:
    report = go(store, tmp_path, company({"u0": "u0", "u1": "u0", "u2": "stranger"}))
    assert report.status is RunStatus.SUCCESS
    assert lines(store, NOW.date()) == {"u1": "u0"}
    noted = {n["rule"]: n["example"] for n in report.streams[0].notes}
    assert noted == {
        "reports to themselves: taken as reporting to nobody": "u0",
        "manager is not in the list: taken as reporting to nobody": "u2",
    }


def test_a_change_of_one_user_does_not_take_a_manager_away_whose_row_did_not_change(
    store: Engine, tmp_path: Path
) -> None:
    go(store, tmp_path, company({"u1": "u0", "u2": "u1"}))
    changed = Changes({"people": [user("u2", manager_external_id="u0", title="New", employee_id="u2")]})
    go(store, tmp_path, changed, day=1)
    assert lines(store, NOW.date() + timedelta(days=1)) == {"u1": "u0", "u2": "u0"}
    assert lines(store, NOW.date()) == {"u1": "u0", "u2": "u1"}


def test_a_circle_of_teams_is_cut_too(store: Engine, tmp_path: Path) -> None:
    rows = [user("u1", team="North", team_parent="Sales"), user("u2", team="Sales", team_parent="North")]
    report = go(store, tmp_path, Memory({"people": rows}))
    assert report.status is RunStatus.PARTIAL
    with store.connect() as connection:
        above = {r.id: r.parent_id for r in connection.execute(select(core(Team)))}
        told = [r.message for r in connection.execute(select(core(Reject)).where(core(Reject).c.stream == "teams"))]
    assert not circles({t: p for t, p in above.items() if p})
    assert len([p for p in above.values() if p]) == 1
    assert "team North would be part of Sales, which closes a circle" in told[0]


def wipe(store: Engine) -> None:
    with store.begin() as connection:
        for model in (Reject, ReportingLine, TeamMembership, Employment, Identity, Person, ConnectionRow):
            connection.execute(delete(core(model)))


HISTORY = st.lists(MAPS, min_size=1, max_size=4)
HIRED = st.dictionaries(st.sampled_from(PEOPLE), st.dates(date(2026, 11, 1), date(2026, 11, 28)).map(str), max_size=7)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(HISTORY, HIRED)
def test_over_any_history_each_day_is_a_forest_and_all_but_the_cut_lines_are_as_the_source_says(
    store_for_all: Callable[[], tuple[Engine, Path]], history: list[dict[str, str]], hired: dict[str, str]
) -> None:
    store, folder = store_for_all()
    for day, above in enumerate(history):
        go(store, folder, company(above, **hired), day=day, streams=())
        now = lines(store, NOW.date() + timedelta(days=day))
        said = {p: boss for p, boss in above.items() if p != boss}
        later = {p for p, first in hired.items() if date.fromisoformat(first) > NOW.date() + timedelta(days=day)}
        assert {p: b for p, b in now.items() if p not in later} == {
            p: boss for p, boss in said.items() if p not in cut(store) and p not in later
        }
        assert len(cut(store)) == len(circles(said))
    for day in range(-30, len(history) + 10):
        assert not circles(lines(store, NOW.date() + timedelta(days=day)))


@pytest.fixture
def store_for_all(lite: Engine, tmp_path: Path) -> Callable[[], tuple[Engine, Path]]:
    """One store, emptied for each history."""

    def fresh() -> tuple[Engine, Path]:
        wipe(lite)
        return lite, tmp_path

    return fresh
