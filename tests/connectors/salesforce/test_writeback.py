"""Figures written to the CRM: only where it is enabled, two hundred rows a call, and nothing but the figures."""

import json
from dataclasses import fields
from datetime import date
from typing import Any

import pytest

from connectors.base import Figure
from connectors.errors import BadAnswer, NotAllowed, SignInAgain, SourceError, TryAgainLater
from sandbox.http import Response
from tests.connectors.salesforce.kit import Connect, user, watch
from tests.support.contract import FAULTS, one_sentence

ON = {"write_back": {"enabled": True}}
NAME = "Beyond_Quota_Scorecard__c"
PATH = f"/services/data/v66.0/composite/sobjects/{NAME}/Key__c"


def figure(user_id: str, number: int = 0, **given: Any) -> Figure:
    usual: dict[str, Any] = {
        "person_id": f"p{number}", "owner_external_id": user_id, "period": "2026-Q4", "attainment": 0.62375,
        "pace": 1.1, "coverage": 2.345, "as_of": date(2026, 11, 24), "link": "https://here.example/p",
    }  # fmt: skip
    return Figure(key=f"{user_id}:2026-Q4:{number}", **usual | given)


def written(server: Any) -> dict[str, Any]:
    return {r["Key__c"]: r for r in server.org.objects.get(NAME, {}).values()}


def test_nothing_is_written_unless_it_is_enabled(server: Any, connect: Connect) -> None:
    with pytest.raises(SourceError, match=r"set write_back\.enabled = true"):
        connect().publish([figure(user(server.org, "Ana")["Id"])])
    assert server.calls == 0


def test_a_figure_is_written_as_the_crm_shows_it(server: Any, connect: Connect) -> None:
    ana = user(server.org, "Ana")["Id"]
    (outcome,) = connect(**ON).publish([figure(ana)])
    assert (outcome.key, outcome.error) == (f"{ana}:2026-Q4:0", "")
    row = written(server)[f"{ana}:2026-Q4:0"]
    assert {k: str(v) for k, v in row.items() if k.endswith("__c") and k != "Key__c"} == {
        "Person__c": ana, "Period__c": "2026-Q4", "Attainment__c": "62.38", "Pace__c": "110.0", "Coverage__c": "2.35",
        "As_Of__c": "2026-11-24", "Link__c": "https://here.example/p",
    }  # fmt: skip


def test_unknown_is_null_never_0_and_0_is_0(server: Any, connect: Connect) -> None:
    seen = watch(server)
    ana = user(server.org, "Ana")["Id"]
    connect(**ON).publish(
        [figure(ana, attainment=None, pace=None, coverage=None, link=""), figure(ana, 1, attainment=0.0)]
    )
    unknown, nothing = (r for request in seen if request.method == "PATCH" for r in request.json["records"])
    assert [unknown[f] for f in ("Attainment__c", "Pace__c", "Coverage__c", "Link__c")] == [None] * 4
    assert nothing["Attainment__c"] == 0


def test_nothing_but_figures_ever_leaves(server: Any, connect: Connect) -> None:
    seen = watch(server)
    ana = user(server.org, "Ana")["Id"]
    connect(**ON).publish([figure(ana, n) for n in range(5)])
    for request in seen:
        if request.method == "PATCH":
            given = request.json
            assert set(given) == {"allOrNone", "records"}
            for record in given["records"]:
                assert set(record) == {
                    "attributes", "Key__c", "Person__c", "Period__c", "Attainment__c", "Pace__c", "Coverage__c",
                    "As_Of__c", "Link__c",
                }  # fmt: skip
                assert record["attributes"] == {"type": NAME}
    assert [r.path for r in seen if r.method == "PATCH"] == [PATH]
    assert {f.name for f in fields(Figure)} == {
        "key", "person_id", "owner_external_id", "period", "attainment", "pace", "coverage", "as_of", "link",
    }  # fmt: skip
    assert "p0" not in json.dumps([r.body.decode() for r in seen])  # our own name for the person stays here


def test_two_hundred_rows_go_with_one_call(server: Any, connect: Connect) -> None:
    seen = watch(server)
    ana = user(server.org, "Ana")["Id"]
    outcomes = connect(**ON).publish([figure(ana, n) for n in range(401)])
    assert [len(r.json["records"]) for r in seen if r.method == "PATCH"] == [200, 200, 1]
    assert [o.key for o in outcomes] == [f"{ana}:2026-Q4:{n}" for n in range(401)]
    assert len(written(server)) == 401


def test_writing_twice_makes_no_second_row(server: Any, connect: Connect) -> None:
    ana = user(server.org, "Ana")["Id"]
    for attainment in (0.5, 0.75):
        connect(**ON).publish([figure(ana, attainment=attainment)])
    (row,) = written(server).values()
    assert row["Attainment__c"] == 75


def test_a_row_that_is_refused_stops_no_other_and_says_why(server: Any, connect: Connect) -> None:
    ana = user(server.org, "Ana")["Id"]
    server.locked = {f"{ana}:2026-Q4:1"}
    outcomes = connect(**ON).publish([figure(ana), figure(ana, 1), figure("005GONE", 2)])
    assert [o.error for o in outcomes] == [
        "", "UNABLE_TO_LOCK_ROW: unable to obtain exclusive access to this record",
        "INVALID_CROSS_REFERENCE_KEY: invalid cross reference id (Person__c)",
    ]  # fmt: skip
    assert len(written(server)) == 1


def test_a_missing_object_names_the_package(server: Any, connect: Connect) -> None:
    server.org.features.remove("scorecards")
    with pytest.raises(NotAllowed, match=f"no object {NAME}.*deploy the package and give the user its permission set"):
        connect(**ON).publish([figure("005")])
    assert not [line for line in server.log if line.startswith("PATCH")]


@pytest.mark.parametrize("name", ["Key__c", "Attainment__c", "Link__c"])
def test_a_missing_field_is_named_before_anything_is_written(server: Any, connect: Connect, name: str) -> None:
    server.hidden = {f"{NAME}.{name}"}
    with pytest.raises(NotAllowed, match=f"{NAME} has no {name} that the run-as user may write"):
        connect(**ON).publish([figure("005")])
    assert not [line for line in server.log if line.startswith("PATCH")]


def test_a_field_that_may_only_be_read_is_named_too(server: Any, connect: Connect) -> None:
    server.formulas = {f"{NAME}.Pace__c"}
    with pytest.raises(NotAllowed, match=r"Pace__c that the run-as user may write"):
        connect(**ON).publish([figure("005")])


def test_fields_of_the_installations_own_are_written(server: Any, connect: Connect) -> None:
    seen = watch(server)
    options = {"write_back": {"enabled": True, "fields": {"pace": "Coverage__c", "coverage": "Pace__c"}}}
    connect(**options).publish([figure(user(server.org, "Ana")["Id"])])
    (record,) = seen[-1].json["records"]
    assert (record["Coverage__c"], record["Pace__c"]) == (110.0, 2.35)


@pytest.mark.parametrize("fault", [kind for kind, _ in FAULTS] + ["503", "reset"])
def test_a_call_that_cannot_be_proven_is_an_error_and_writing_again_does_no_harm(
    server: Any, connect: Connect, fault: str
) -> None:
    ana = user(server.org, "Ana")["Id"]
    server.fault(fault, times=99, path=PATH)
    with pytest.raises((BadAnswer, TryAgainLater)) as caught:
        connect(**ON).publish([figure(ana)])
    assert "writing scorecards 1 to 1" in one_sentence(caught.value)
    server.faults.clear()
    assert [o.error for o in connect(**ON).publish([figure(ana)])] == [""]
    assert len(written(server)) == 1


def test_fewer_results_than_rows_are_no_results(server: Any, connect: Connect) -> None:
    source = connect(**ON)
    _ = source.check()
    server.rest = lambda path, request: Response(200, b'[{"success": true}]')
    with pytest.raises(BadAnswer, match="2 rows were sent and 1 answered for"):
        source.publish([figure("005"), figure("005", 1)])


def test_a_session_that_runs_out_while_writing_is_renewed(server: Any, connect: Connect) -> None:
    source = connect(**ON)
    _ = source.check()
    server.fault("401", path=PATH)
    assert [o.error for o in source.publish([figure(user(server.org, "Ana")["Id"])])] == [""]
    assert server.log_ins == 2
    server.rest = lambda path, request: server.error(401, "INVALID_SESSION_ID", "Session expired or invalid")
    with pytest.raises(SignInAgain):
        source.publish([figure("005")])
    assert server.log_ins == 3
