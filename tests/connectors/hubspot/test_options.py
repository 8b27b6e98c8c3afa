"""What the settings of a HubSpot connection may say: every problem is named before any call is made."""

from typing import Any

import pytest

from connectors.hubspot import HubSpot
from connectors.hubspot.paths import DATED, PATHS, TEAMS
from models.errors import UserError


def problems(**options: Any) -> list[str]:
    with pytest.raises(UserError) as caught:
        HubSpot("crm", {"token": "x", **options})
    return caught.value.problems


@pytest.mark.parametrize(
    "address", ["http://localhost:1", "https://api.hubapi.com.evil.example", "http://api.hubapi.com"]
)
def test_a_foreign_address_is_refused_before_any_call(address: str) -> None:
    assert len(problems(address=address)) == 1


def test_wrong_options_are_all_named_at_once() -> None:
    found = problems(tokn="x", token="", api_version="v1", address="http://x", at_once=0)
    assert len(found) == 5
    assert "tokn is not an option of a HubSpot connection" in found


@pytest.mark.parametrize(("options", "said"), [
    ({"token": ""}, "token is missing: a service key, or an existing private app token"),
    ({"token": "", "client_id": "a"}, "client_secret is missing"),
    ({"client_id": "a"}, "token and client_id are two ways to sign in; keep one"),
    ({"api_version": "2025-09"}, "api_version '2025-09' is not one of v3, 2026-03, 2026-09"),
    ({"fields": {"dals": {}}}, "fields.dals: there is no stream 'dals'"),
    ({"fields": {"people": {"name": "x"}}}, "fields.people: its properties are HubSpot's own and cannot be mapped"),
    ({"fields": {"deals": {"amont": "arr"}}}, "fields.deals.amont: deals have no 'amont'; use one of amount"),
    ({"fields": {"deals": {"merged": "arr"}}}, "fields.deals.merged: merged is kept by HubSpot itself"),
    ({"fields": {"deals": {"amount": "ARR!"}}}, "fields.deals.amount: 'ARR!' is no name of a property"),
    ({"extra": {"quotas": ["x"]}}, "extra.quotas: only deals keep extra fields"),
    ({"only": {"people": {"x": ["y"]}}}, "only.people: only deals can be filtered"),
    ({"only": {"deals": {"pipeline": []}}}, "only.deals.pipeline: no value is named"),
    ({"leave_out": ["x"]}, "leave_out: there is no stream 'x'"),
    ({"write_back": {"enable": True}}, "write_back.enable is not an option"),
    ({"write_back": {"object": "a b"}}, "write_back.object: 'a b' is no name"),
])  # fmt: skip
def test_each_problem_says_which_option_and_what_to_write(options: dict[str, Any], said: str) -> None:
    assert any(p.startswith(said) for p in problems(**options)), problems(**options)


def test_every_path_is_there_in_every_version() -> None:
    assert list(PATHS) == ["v3", *DATED]
    for version, paths in PATHS.items():
        assert set(paths) == set(PATHS["v3"])
        for path in {*paths.values()} - {TEAMS}:  # which has one address
            assert version in path
            assert all(other not in path for other in PATHS if other != version)
