"""Two independent calculations of random companies agree to the cent; and an earlier day is answered as of that day."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.catalogue import METRICS
from metrics.registry import compute
from tests.metrics.company import PROFILE, facts
from tests.metrics.reckoner import reckon

USERS = {"u1": "R1", "u2": "R2", "u3": "R3"}
BACK = {person: user for user, person in USERS.items()}
DAYS = st.dates(date(2026, 6, 15), date(2026, 10, 15))
assert METRICS
KEYS = ("bookings", "open_pipeline", "weighted_pipeline", "quota", "attainment", "gap", "coverage", "win_rate")


@st.composite
def companies(draw: st.DrawFn) -> dict[str, Any]:
    """Up to fifteen deals of three people, quotas over odd spans, and deals that changed hands."""
    deals = []
    for n in range(draw(st.integers(0, 15))):
        person = draw(st.sampled_from(sorted(BACK)))
        deals.append(
            {
                "external_id": f"d{n}",
                "person_id": person,
                "owner_external_id": BACK[person],
                "status": draw(st.sampled_from(["won", "lost", "open"])),
                "amount_minor": draw(st.one_of(st.none(), st.integers(-(10**7), 10**10))),
                "close_day": draw(DAYS).isoformat(),
                "forecast_category": draw(st.sampled_from(["commit", "omitted", "pipeline"])),
                "probability_bp": draw(st.one_of(st.none(), st.integers(0, 10_000))),
            }
        )
    quotas = []
    for person in sorted(BACK):
        for _ in range(draw(st.integers(0, 2))):
            first = draw(DAYS)
            span = {
                "first_day": first.isoformat(),
                "end_day": (first + timedelta(days=draw(st.integers(1, 120)))).isoformat(),
            }
            quotas.append({"person_id": person, "amount_minor": draw(st.integers(0, 10**10)), **span})
    changes = []
    for number, deal in enumerate(deals):
        if draw(st.booleans()):
            before = draw(st.sampled_from(sorted(USERS)))
            at = draw(DAYS).isoformat() + " 12:00:00"
            told = {"field": "owner_external_id", "old_value": before, "new_value": deal["owner_external_id"]}
            changes.append(
                {"connection": "crm", "external_id": deal["external_id"], "seen_at": at, "id": number, **told}
            )
    return {"deals": deals, "quotas": quotas, "changes": changes}


def ours(company: dict[str, Any], as_of: date) -> dict[str, pd.DataFrame]:
    """Our figures of the three people."""
    identities = [{"person_id": person, "external_id": user} for user, person in USERS.items()]
    about = facts({**company, "identities": identities}, as_of, people=sorted(BACK))
    return compute(KEYS, about, PROFILE)


@settings(max_examples=60)
@given(companies(), st.dates(date(2026, 7, 1), date(2026, 9, 30)))
def test_a_second_calculation_in_plain_decimal_agrees_to_the_cent(company: dict[str, Any], as_of: date) -> None:
    known = [c for c in company["changes"] if c["seen_at"][:10] <= as_of.isoformat()]
    theirs, found = reckon(company["deals"], company["quotas"], known, USERS, as_of), ours(company, as_of)
    for person in BACK:
        want = theirs.get(person)
        if want is None:
            continue
        value: dict[str, Any] = {key: found[key].at[person, "value"] for key in KEYS}
        state = {key: found[key].at[person, "state"] for key in KEYS}
        for key, name in (("bookings", "won"), ("open_pipeline", "open"), ("weighted_pipeline", "weighted")):
            assert value[key] in (want[name], None)
            assert value[key] is not None or want[name] == 0
        assert value["quota"] == want["quota"]
        decided = want["wins"] + want["losses"]
        assert value["win_rate"] == (float(Decimal(want["wins"]) / decided) if decided else None)
        if want["quota"] is None:
            assert state["attainment"] == "no_quota"
            continue
        assert value["gap"] == want["quota"] - want["won"]
        if want["quota"] == 0:
            assert state["attainment"] == "zero_quota"
        else:
            exact = float(want["won"] / want["quota"])
            assert value["attainment"] == pytest.approx(exact, rel=1e-9, abs=1e-9)
        if want["quota"] <= want["won"]:
            assert state["coverage"] == "quota_met"


@settings(max_examples=25)
@given(companies(), st.dates(date(2026, 7, 1), date(2026, 9, 29)))
def test_what_happens_later_changes_nothing_of_an_earlier_day(company: dict[str, Any], as_of: date) -> None:
    """Won deals dated later, and changes of hands seen later, are not known on an earlier day."""
    later = (as_of + timedelta(days=1)).isoformat()
    more = {
        **company,
        "deals": [
            *company["deals"],
            {"external_id": "new", "person_id": "R1", "owner_external_id": "u1", "amount_minor": 5, "close_day": later},
        ],
        "changes": [
            *company["changes"],
            *(
                {"connection": "crm", "external_id": d["external_id"], "field": "owner_external_id", "id": 900 + n,
                 "old_value": "u3", "new_value": d["owner_external_id"], "seen_at": f"{later} 12:00:00"}
                for n, d in enumerate(company["deals"])
            ),
        ],
    }  # fmt: skip
    before, after = ours(company, as_of), ours(more, as_of)
    for key in ("bookings", "quota", "attainment", "gap", "win_rate"):
        if len(company["deals"]) and any(d["person_id"] == "R1" for d in company["deals"]):
            pd.testing.assert_frame_equal(before[key], after[key])
