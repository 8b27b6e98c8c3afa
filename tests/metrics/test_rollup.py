"""A team's figures are sums over sums of the same people, by the line of each day; small groups stay hidden."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.catalogue import METRICS
from metrics.registry import compute
from metrics.result import State
from metrics.rollup import NOWHERE, everywhere, rollup, teams
from tests.metrics.company import PROFILE, facts

PEOPLE = ["R1", "R2", "R3"]
MOVES = [  # R1 goes from North to South on 1 August; R2 is in South; R3 joins South on 15 August, from nowhere
    {"person_id": "R1", "team_id": "north", "from_day": "2026-01-01", "to_day": "2026-08-01"},
    {"person_id": "R1", "team_id": "south", "from_day": "2026-08-01"},
    {"person_id": "R2", "team_id": "south", "from_day": "2026-01-01"},
    {"person_id": "R3", "team_id": "south", "from_day": "2026-08-15"},
]
DEALS = st.lists(
    st.fixed_dictionaries(
        {
            "person_id": st.sampled_from(PEOPLE),
            "amount_minor": st.one_of(st.none(), st.integers(-(10**6), 10**9)),
            "status": st.sampled_from(["won", "lost", "open"]),
            "close_day": st.dates(date(2026, 7, 1), date(2026, 9, 30)).map(str),
        }
    ),
    max_size=12,
)
QUOTAS = st.lists(
    st.fixed_dictionaries({"person_id": st.sampled_from(PEOPLE), "amount_minor": st.integers(0, 10**9)}), max_size=4
)


def company(**tables: Any) -> Any:
    """Facts about three people and the teams they moved through."""
    return facts({"memberships": MOVES, **tables}, people=PEOPLE)


@settings(max_examples=40)
@given(DEALS, QUOTAS)
def test_teams_and_nowhere_add_up_to_the_company_and_to_its_people(deals: Any, quotas: Any) -> None:
    about = company(deals=deals, quotas=quotas, identities=[{"person_id": p} for p in PEOPLE])
    keys = ["bookings", "open_pipeline", "quota"]
    by_team = rollup(about, PROFILE, teams(about), keys)
    whole = rollup(about, PROFILE, everywhere(PEOPLE), keys)["company"]
    each = compute(keys, about, PROFILE)
    for key in ("bookings", "open_pipeline"):
        together = sum(unit[key].value or 0 for unit in by_team.values())
        assert together == (whole[key].value or 0) == each[key]["value"].sum()
    parts = sum(unit["quota"].value or 0 for unit in by_team.values())
    assert parts == sum(q["amount_minor"] for q in quotas)


@settings(max_examples=40)
@given(DEALS, QUOTAS)
def test_a_companys_share_lies_between_its_peoples(deals: Any, quotas: Any) -> None:
    about = company(deals=deals, quotas=quotas, identities=[{"person_id": p} for p in PEOPLE])
    whole = rollup(about, PROFILE, everywhere(PEOPLE), ["win_rate"])["company"]["win_rate"]
    own = [v for v in compute(["win_rate"], about, PROFILE)["win_rate"]["value"] if v is not None]
    if whole.value is None:
        assert not own
    else:
        assert min(own) - 1e-12 <= whole.value <= max(own) + 1e-12


def test_a_reorganisation_in_mid_quarter_splits_a_persons_quarter_by_day() -> None:
    about = company(
        deals=[
            {"person_id": "R1", "amount_minor": 100, "close_day": "2026-07-31"},
            {"person_id": "R1", "amount_minor": 1000, "close_day": "2026-08-01"},
            {"person_id": "R1", "amount_minor": 7, "status": "open", "close_day": "2026-07-20"},
        ],
        quotas=[{"person_id": "R1", "amount_minor": 9200}],
    )
    found = rollup(about, PROFILE, teams(about), ["bookings", "quota", "open_pipeline", "attainment"])
    assert {u: r["bookings"].value for u, r in found.items() if u != NOWHERE} == {"north": 100, "south": 1000}
    assert {u: r["quota"].value for u, r in found.items() if u != NOWHERE} == {"north": 3100, "south": 6100}
    assert found["south"]["open_pipeline"].value == 7  # an open deal stands where its owner stands today
    assert found["north"]["attainment"].value == pytest.approx(100 / 3100)


def test_both_sums_run_over_the_same_people() -> None:
    about = company(
        deals=[
            {"person_id": "R2", "amount_minor": 50, "close_day": "2026-08-20"},
            {"person_id": "R3", "amount_minor": 5000, "close_day": "2026-08-20"},
        ],
        quotas=[{"person_id": "R2", "amount_minor": 100}],
    )
    south = rollup(about, PROFILE, teams(about), ["attainment", "bookings"])["south"]
    assert south["attainment"].value == 0.5  # not 50.5: R3 has no quota
    assert "2 people are left out." in south["attainment"].reason
    assert south["bookings"].value == 5050


def test_won_everything_does_not_make_a_team_win_more_than_all() -> None:
    """The open-source package that the reference measured shows 111.92 % for such a team."""
    deals = [{"person_id": "R1", "amount_minor": 100}] * 5
    deals += [{"person_id": "R2", "amount_minor": 100, "status": s} for s in ("won", "lost", "lost")]
    about = company(deals=deals)
    found = rollup(about, PROFILE, everywhere(PEOPLE), ["win_rate", "win_rate_value"])["company"]
    assert found["win_rate"].value == pytest.approx(6 / 8)
    assert found["win_rate_value"].value == pytest.approx(6 / 8)


def test_a_met_teams_coverage_is_no_number() -> None:
    about = company(
        deals=[
            {"person_id": "R1", "amount_minor": 300, "close_day": "2026-07-10"},
            {"person_id": "R2", "amount_minor": 9, "status": "open"},
        ],
        quotas=[{"person_id": p, "amount_minor": 100} for p in ("R1", "R2")],
    )
    found = rollup(about, PROFILE, everywhere(PEOPLE), ["coverage"])["company"]["coverage"]
    assert found.state is State.QUOTA_MET


def test_a_median_of_people_is_not_made_of_their_medians() -> None:
    about = company(deals=[{"person_id": p, "amount_minor": 100} for p in PEOPLE])
    assert rollup(about, PROFILE, everywhere(PEOPLE), ["median_deal"])["company"]["median_deal"].value is None


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ({"a": 5, "b": 5}, {"a", "b"}),
        ({"a": 5, "b": 4}, set()),  # the total less a would be b
        ({"a": 9, "b": 5, "c": 3}, {"a"}),  # b is hidden so that c is not the rest
        ({"a": 5, "b": 3, "c": 3}, {"a"}),  # six hidden together say nothing of three
    ],
)
def test_small_groups_and_what_is_left_of_the_total_stay_hidden(sizes: dict[str, int], shown: set[str]) -> None:
    rows = [(f"{unit}{n}", unit) for unit, size in sizes.items() for n in range(size)]
    about = facts(
        {
            "memberships": [{"person_id": p, "team_id": u, "from_day": "2026-01-01"} for p, u in rows],
            "obstacles": [{"person_id": p, "opened_on": "2026-08-01"} for p, _ in rows],
        },
        people=[p for p, _ in rows],
    )
    found = rollup(about, PROFILE, teams(about), ["obstacles_open"])
    assert {u for u, r in found.items() if r["obstacles_open"].state is State.OK} == shown


def test_every_metric_can_be_asked_of_a_team() -> None:
    about = company(deals=[{"person_id": "R2", "amount_minor": 100}])
    assert set(rollup(about, PROFILE, teams(about))["south"]) == set(METRICS)


def test_a_circle_of_teams_ends() -> None:
    about = company(teams=[{"id": "north", "parent_id": "south"}, {"id": "south", "parent_id": "north"}])
    assert set(teams(about, top=True)["unit"]) <= {"north", "south"}
