"""Every metric against its cases, which are data: tests/metrics/cases/<metric>.toml."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from metrics.catalogue import METRICS
from metrics.registry import compute, result
from models.profile import Profile
from tests.metrics.company import PROFILE, facts

FOLDER = Path(__file__).parent / "cases"
CASES = {path.stem: tomllib.loads(path.read_text())["case"] for path in sorted(FOLDER.glob("*.toml"))}


def test_every_metric_has_a_case_for_each_state_and_at_least_three() -> None:
    assert set(CASES) == set(METRICS)
    for name, cases in CASES.items():
        seen = {case["state"] for case in cases}
        assert seen >= {str(state) for state in METRICS[name].states}, name
        assert len(cases) >= min(3, 1 + 2 * (len(METRICS[name].states) > 0)), name


@pytest.mark.parametrize(
    ("name", "case"), [pytest.param(n, c, id=f"{n}: {c['name']}") for n, cs in CASES.items() for c in cs]
)
def test_case(name: str, case: dict[str, Any]) -> None:
    tables = {k: v for k, v in case.items() if isinstance(v, list)}
    if not case.get("no_crm"):
        tables.setdefault("identities", [{"person_id": "R1"}])
    given = facts(tables, date.fromisoformat(case.get("as_of", "2026-09-15")))
    if not case.get("no_crm"):
        given.__dict__["sellers"] = frozenset({"R1"})
    profile = Profile.model_validate({**PROFILE.model_dump(), **case.get("profile", {})})
    found = result(name, compute([name], given, profile)[name].to_dict("index")["R1"], given)
    assert found.state == case["state"], found.reason
    assert found.value == (pytest.approx(case["value"], abs=1e-4) if "value" in case else None)
    for part in ("numerator", "denominator", "n"):
        if part in case:
            assert getattr(found, part) == pytest.approx(case[part]), part
    assert case.get("reason", "") in found.reason
    if found.state != "ok":
        assert found.reason.endswith(".")
