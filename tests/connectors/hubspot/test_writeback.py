"""Figures written to the CRM: only where it is enabled, a hundred rows a call, and nothing but the figures."""

from dataclasses import fields
from datetime import date
from typing import Any

import pytest

from connectors.base import Figure
from connectors.errors import NotAllowed, SourceError, TryAgainLater
from sandbox.hubspot.server import HubSpotServer
from tests.connectors.hubspot.kit import Connect, watch, written

ON = {"write_back": {"enabled": True, "create": True}}


def figure(number: int = 0, **given: Any) -> Figure:
    usual: dict[str, Any] = {
        "person_id": f"p{number}", "owner_external_id": "1001", "period": "2026-Q4", "attainment": 0.62375,
        "pace": 1.1, "coverage": 2.345, "as_of": date(2026, 11, 24), "link": "https://here.example/p",
    }  # fmt: skip
    return Figure(key=f"1001:2026-Q4:{number}", **usual | given)


def test_nothing_is_written_unless_it_is_enabled(server: HubSpotServer, connect: Connect) -> None:
    with pytest.raises(SourceError, match=r"set write_back\.enabled = true"):
        connect().publish([figure()])
    assert server.calls == 0


def test_the_object_is_made_only_when_that_is_asked_for(server: HubSpotServer, connect: Connect) -> None:
    with pytest.raises(NotAllowed, match=r"set write_back\.create = true"):
        connect(write_back={"enabled": True}).publish([figure()])
    assert not server.portal.schemas
    connect(**ON).publish([figure()])
    connect(**ON).publish([figure()])
    (schema,) = server.portal.schemas
    assert schema["name"] == "beyond_quota_scorecard"
    assert [p["name"] for p in schema["properties"] if p["hasUniqueValue"]] == ["scorecard_key"]


@pytest.mark.parametrize("api_version", ["v3", "2026-03", "2026-09"])
def test_a_figure_is_written_as_the_crm_shows_it(server: HubSpotServer, connect: Connect, api_version: str) -> None:
    server.v3_off = api_version != "v3"
    (outcome,) = connect(api_version=api_version, **ON).publish([figure()])
    assert (outcome.key, outcome.error) == ("1001:2026-Q4:0", "")
    assert written(server)["1001:2026-Q4:0"] == {
        "scorecard_key": "1001:2026-Q4:0", "hubspot_owner_id": "1001", "period": "2026-Q4", "attainment": "62.38",
        "pace": "110.0", "coverage": "2.35", "as_of": "2026-11-24", "scorecard_link": "https://here.example/p",
    }  # fmt: skip


def test_unknown_is_empty_never_0_and_0_is_0(server: HubSpotServer, connect: Connect) -> None:
    connect(**ON).publish([figure(attainment=None, pace=None, coverage=None, link=""), figure(1, attainment=0.0)])
    unknown, nothing = (written(server)[f"1001:2026-Q4:{n}"] for n in (0, 1))
    assert [unknown[f] for f in ("attainment", "pace", "coverage", "scorecard_link")] == [""] * 4
    assert nothing["attainment"] == "0.0"


def test_a_hundred_rows_go_with_one_call_and_nothing_but_figures_leaves(
    server: HubSpotServer, connect: Connect
) -> None:
    seen = watch(server)
    outcomes = connect(**ON).publish([figure(n) for n in range(201)])
    sent = [r for r in seen if r.path.endswith("/upsert")]
    assert [len(r.json["inputs"]) for r in sent] == [100, 100, 1]
    assert [o.key for o in outcomes] == [f"1001:2026-Q4:{n}" for n in range(201)]
    for request in sent:
        assert b'"p0"' not in request.body  # our own name for the person stays here
        for row in request.json["inputs"]:
            assert row["idProperty"] == "scorecard_key"
            assert set(row["properties"]) == {
                "scorecard_key", "hubspot_owner_id", "period", "attainment", "pace", "coverage", "as_of",
                "scorecard_link",
            }  # fmt: skip
    assert {f.name for f in fields(Figure)} == {
        "key", "person_id", "owner_external_id", "period", "attainment", "pace", "coverage", "as_of", "link",
    }  # fmt: skip


@pytest.mark.parametrize("whole_batch", [False, True])
def test_a_row_that_is_refused_stops_no_other(server: HubSpotServer, connect: Connect, whole_batch: bool) -> None:
    server.whole_batch = whole_batch
    server.refused_rows = {"1001:2026-Q4:7": "Pace was not one of the allowed options", "1001:2026-Q4:40": "no"}
    outcomes = connect(**ON).publish([figure(n) for n in range(50)])
    assert {o.key: o.error for o in outcomes if o.error} == server.refused_rows
    assert len(written(server)) == 48


def test_writing_twice_changes_nothing(server: HubSpotServer, connect: Connect) -> None:
    for _ in range(2):
        connect(**ON).publish([figure(n) for n in range(3)])
    assert len(written(server)) == 3


def test_an_upsert_is_tried_again_and_a_create_is_not(server: HubSpotServer, connect: Connect) -> None:
    source = connect(**ON)
    server.fault("503", times=1, path="/schemas")  # looking for it
    server.fault("503", times=2, path="/upsert")
    source.publish([figure()])
    server.portal.schemas.clear()
    server.fault("503", nth=2, times=9, path="/schemas")  # making it
    before = server.requests["/crm-object-schemas/v3/schemas"]
    with pytest.raises(TryAgainLater):
        source.publish([figure()])
    assert server.requests["/crm-object-schemas/v3/schemas"] - before == 2


@pytest.mark.parametrize(("change", "word"), [
    (lambda s: s["properties"].pop(), "has no property scorecard_link"),
    (lambda s: s["properties"][0].update(hasUniqueValue=False), "is not unique"),
])  # fmt: skip
def test_an_object_that_would_not_do_is_named(server: HubSpotServer, connect: Connect, change: Any, word: str) -> None:
    connect(**ON).publish([figure()])
    change(server.portal.schemas[0])
    with pytest.raises(NotAllowed, match=word):
        connect(**ON).publish([figure()])
    (found,) = [f for f in connect(**ON).check() if f.what == "object beyond_quota_scorecard"]
    assert not found.ok


def test_the_connection_test_says_whether_scorecards_can_be_written(server: HubSpotServer, connect: Connect) -> None:
    def found(**options: Any) -> tuple[bool, str]:
        (line,) = [f for f in connect(write_back=options).check() if f.what == "object beyond_quota_scorecard"]
        return line.ok, line.detail

    assert found(enabled=True) == (False, "not there; make it, or set write_back.create = true")
    assert found(enabled=True, create=True) == (True, "made when first written")
    connect(**ON).publish([figure()])
    assert found(enabled=True) == (True, "scorecards can be written")
