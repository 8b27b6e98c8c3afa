"""What the next role asks for is a list with evidence; old figures say so; a profile keeps blocks private."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from config.profile import load_profiles
from metrics.build import build
from metrics.result import State
from metrics.scorecard import Scorecard, Source
from models.profile import Criterion, Profile, Step
from tests.metrics.company import PROFILE, frames, quarter
from web.access import Actor, for_reader

AS_OF = date(2026, 9, 15)
LADDER = (
    Step(
        role="Lead",
        from_titles=("Seller",),
        criteria=(
            Criterion(what="Meets quota", metric="attainment", at_least=1),
            Criterion(what="Negotiates", serves="Negotiation"),
            Criterion(what="Presents", serves="Presenting"),
        ),
    ),
)


def card(profile: Profile, sources: tuple[Source, ...] = (), **tables: Any) -> Scorecard:
    """The scorecard of one seller."""
    given: dict[str, Any] = {
        "people": [{"id": "R1", "name": "Ana Sample", "title": "Seller"}],
        "groups": [{"person_id": "R1", "working_group": "sales", "from_day": "2026-01-01"}],
        "quotas": [{"person_id": "R1", "amount_minor": 100}],
        "deals": [{"person_id": "R1", "amount_minor": 120}],
        **tables,
    }
    return build(
        frames(given), quarter(AS_OF), AS_OF, {"sales": profile}, currency="EUR", names={}, sources=sources
    )["R1"]  # fmt: skip


def test_each_criterion_is_met_not_met_or_not_assessed_with_its_evidence() -> None:
    profile = PROFILE.model_copy(update={"ladder": LADDER})
    found = card(
        profile,
        objectives=[
            {
                "person_id": "R1",
                "serves": "negotiation",
                "status": "active",
                "title": "Hold back",
                "due_on": "2026-10-01",
            }
        ],
    ).readiness
    assert [(r.what, r.state) for r in found] == [
        ("Meets quota", "met"), ("Negotiates", "not met"), ("Presents", "not assessed"),
    ]  # fmt: skip
    assert found[0].evidence == "Quota attainment: 120%, asked for 100%"
    assert found[1].evidence == "objective: Hold back"


def test_one_piece_of_evidence_that_it_is_met_is_enough() -> None:
    profile = PROFILE.model_copy(update={"ladder": LADDER})
    both = [{"person_id": "R1", "serves": "Negotiation", "status": s, "title": s} for s in ("active", "done")]
    assert card(profile, objectives=both).readiness[1].state == "met"


def test_a_role_that_nobody_of_this_title_grows_into_asks_for_nothing() -> None:
    step = LADDER[0].model_copy(update={"from_titles": ("Manager",)})
    assert card(PROFILE.model_copy(update={"ladder": (step,)})).readiness == ()


def test_only_the_person_sees_the_list() -> None:
    shown = card(PROFILE.model_copy(update={"ladder": LADDER}))
    assert for_reader(shown, Actor("a", "rep", "R1")).card.readiness == shown.readiness
    assert for_reader(shown, Actor("b", "director", "D", frozenset({"R1"}))).card.readiness == ()


def test_a_criterion_by_a_figure_says_how_much_is_enough() -> None:
    with pytest.raises(ValidationError, match="at_least"):
        Criterion(what="Meets quota", metric="attainment")


def test_figures_of_a_source_that_told_nothing_for_long_say_how_old_they_are() -> None:
    old = Source("crm", "CRM", "stale", datetime(2026, 9, 1, tzinfo=UTC), "CRM: nothing since Tuesday 1 September.")
    profile = PROFILE.model_copy(update={"metrics": ("attainment", "objective_progress")})
    aged, fresh = card(profile, (old,)), card(profile)
    assert aged.results["attainment"].state is State.STALE
    assert aged.results["attainment"].value == fresh.results["attainment"].value
    assert "nothing since Tuesday" in aged.results["attainment"].reason
    assert aged.results["objective_progress"] == fresh.results["objective_progress"]


def test_a_profile_keeps_blocks_to_the_person() -> None:
    profile = PROFILE.model_copy(update={"private_blocks": ("obstacles", "development")})
    shown = card(
        profile,
        obstacles=[{"person_id": "R1", "opened_on": "2026-09-01", "what": "slow approval"}],
        objectives=[{"person_id": "R1", "shared": True, "title": "secret aim"}],
    )
    theirs = for_reader(shown, Actor("b", "director", "D", frozenset({"R1"})))
    assert theirs.card.obstacles == ()
    assert theirs.card.objectives == ()
    assert {"obstacles", "objectives"} <= set(theirs.locked)
    assert for_reader(shown, Actor("a", "rep", "R1")).card.obstacles == shown.obstacles


def test_the_number_cannot_be_kept_from_a_director() -> None:
    with pytest.raises(ValidationError, match="cannot be private"):
        Profile.model_validate({**load_profiles()["sales"].model_dump(), "private_blocks": ["number"]})
