"""The pretend portal as a client sees it: paths by version, sign-in, scopes, limits, the index, writing, and faults."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from sandbox.company import Company
from sandbox.hubspot.limits import DOCUMENTED
from sandbox.hubspot.portal import stamp
from sandbox.hubspot.routes import DATED, TABLE, find
from sandbox.hubspot.server import HubSpotServer
from sandbox.hubspot.tokens import CLIENT, GRANT, KEY
from sandbox.truth import hubspot_truth

OBJECTS = "/crm/v3/objects"


class Client:
    """A client with a service key."""

    def __init__(self, server: HubSpotServer) -> None:
        self.server, self.portal = server, server.portal
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {KEY}"

    def get(self, path: str, /, **params: Any) -> requests.Response:
        return self.http.get(self.server.address + path, params=params, allow_redirects=False, timeout=5)

    def post(self, path: str, /, **body: Any) -> requests.Response:
        return self.http.post(self.server.address + path, json=body, allow_redirects=False, timeout=5)

    def control(self, name: str, /, **given: Any) -> Any:
        """One of the sandbox's own paths."""
        return self.post(f"/sandbox/{name}", **given).json()

    def ids(self, **body: Any) -> list[str]:
        """What a search finds."""
        return [r["id"] for r in self.post(f"{OBJECTS}/deals/search", **body).json()["results"]]


@pytest.fixture
def client() -> Iterator[Client]:
    with HubSpotServer(Company.generate().hubspot) as server:
        yield Client(server)


def one(client: Client) -> dict[str, Any]:
    """A live deal."""
    return client.portal.ordered("deals", archived=False)[0]


def about(deal: dict[str, Any]) -> dict[str, Any]:
    """A search for one deal by its amount as it is now."""
    own = deal["properties"]
    filters = [{"propertyName": n, "operator": "EQ", "value": own[n]} for n in ("hs_object_id", "amount")]
    return {"filterGroups": [{"filters": filters}], "properties": ["amount"]}


@pytest.mark.parametrize("version", ["v3", *DATED])
def test_every_path_has_a_route_in_every_version(version: str) -> None:
    for what, (old, new) in TABLE.items():
        path = (old if version == "v3" else new).format(version=version, kind="0-3", id="77")
        route = find(path)
        assert route is not None
        assert (route.what, route.version) == (what, version)
        assert route.kind in ("deals", "")
    assert find("/crm/v1/deals") is None


def test_v3_is_switched_off_and_the_dated_versions_stay(client: Client) -> None:
    client.control("settings", v3_off=True)
    assert client.get("/crm/v3/owners").status_code == 404
    for version in DATED:
        assert client.get(f"/crm/owners/{version}").json()["results"]
        assert client.post(f"/deal-splits/{version}/batch/read", inputs=[{"id": one(client)["id"]}]).status_code == 200


def test_a_missing_scope_is_named_and_what_is_lacking_is_refused(client: Client) -> None:
    client.control("scopes", off=["crm.objects.goals.read"])
    answer = client.get(f"{OBJECTS}/goal_targets")
    context = answer.json()["errors"][0]["context"]
    assert (answer.status_code, context) == (403, {"requiredGranularScopes": ["crm.objects.goals.read"]})
    client.control("features", off=["splits", "meetings"])
    assert client.get(f"{OBJECTS}/meetings").status_code == 403
    assert client.post(f"{OBJECTS}/deals/splits/batch/read", inputs=[]).status_code == 403
    names = [p["name"] for p in client.get("/crm/v3/properties/deals").json()["results"]]
    assert "hs_is_deal_split" not in names
    assert "amount" in names


def test_account_usage_teams_pipelines_and_owners(client: Client) -> None:
    account = client.get("/account-info/v3/details").json()
    assert (account["companyCurrency"], account["timeZone"]) == ("USD", "US/Eastern")
    (usage,) = client.get("/account-info/v3/api-usage/daily/private-apps").json()["results"]
    assert (usage["usageLimit"], usage["currentUsage"]) == (650_000, 2)
    assert client.get("/settings/v3/users/teams").json()["results"][0]["name"] == "South"
    assert [p["label"] for p in client.get("/crm/v3/pipelines/deals").json()["results"]] == [
        "Sales pipeline", "Renewals",
    ]  # fmt: skip
    gone = client.get("/crm/v3/owners", archived="true").json()["results"]
    assert all(o["archived"] and o["userId"] is None and o["userIdIncludingInactive"] for o in gone)


def trade(client: Client, **more: str) -> requests.Response:
    form = {"grant_type": "refresh_token", "client_id": CLIENT[0], "client_secret": CLIENT[1], "refresh_token": GRANT}
    return requests.post(f"{client.server.address}/oauth/v3/token", data=form | more, timeout=5)


def test_an_access_token_ends_by_the_portals_clock_and_a_new_one_is_traded_for(client: Client) -> None:
    token = trade(client).json()["access_token"]
    client.http.headers["Authorization"] = f"Bearer {token}"
    answer = client.get("/crm/v3/owners")
    assert answer.status_code == 200
    assert "X-HubSpot-RateLimit-Daily" not in answer.headers
    client.control("clock", seconds=1800)
    assert client.get("/crm/v3/owners").json()["category"] == "EXPIRED_AUTHENTICATION"
    facts = requests.post(f"{client.server.address}/oauth/v3/token/introspect", data={"token": token}, timeout=5).json()
    assert facts["active"] is False
    assert trade(client).status_code == 200
    assert trade(client, refresh_token="other").json()["category"] == "BAD_REFRESH_TOKEN"
    assert trade(client, client_secret="other").status_code == 400


def test_a_rotating_refresh_token_is_good_for_one_time(client: Client) -> None:
    client.control("settings", rotation=True)
    fresh = trade(client).json()["refresh_token"]
    assert trade(client).status_code == 400
    assert trade(client, refresh_token=fresh).status_code == 200


def test_the_documented_limits_are_kept_and_told(client: Client) -> None:
    client.control("limits", on=True)
    answer = client.get("/crm/v3/owners")
    assert answer.headers["X-HubSpot-RateLimit-Max"] == str(DOCUMENTED["burst"][0])
    client.control("settings", burst=[3, 60], search=[1, 60])
    codes = [client.post(f"{OBJECTS}/deals/search", limit=1).status_code for _ in range(2)]
    assert codes == [200, 429]
    policies = [client.get("/crm/v3/owners").json().get("policyName") for _ in range(3)]
    assert policies[-1] == "TEN_SECONDLY_ROLLING"
    assert client.server.limits.refused >= 2
    client.control("settings", burst=None, search=None, daily=client.server.limits.used)
    answer = client.get("/crm/v3/owners")
    assert (answer.status_code, answer.json()["policyName"]) == (429, "DAILY")
    client.control("clock", days=1)
    assert client.get("/crm/v3/owners").status_code == 200


def test_search_answers_tell_nothing_of_limits_and_end_at_ten_thousand(client: Client) -> None:
    answer = client.post(f"{OBJECTS}/deals/search", limit=200)
    assert not [h for h in answer.headers if "RateLimit" in h]
    assert client.post(f"{OBJECTS}/deals/search", limit=200, after="9900").status_code == 400
    assert client.post(f"{OBJECTS}/deals/search", limit=201).status_code == 400


def test_the_index_shows_late_what_was_changed_archived_made_and_forgotten(client: Client) -> None:
    portal, deal = client.portal, one(client)
    before = about(deal)
    client.control("settings", lag=600)
    portal.wait(timedelta(seconds=1))
    client.control("change", id=deal["id"], properties={"amount": "123.00"})
    live = portal.ordered("deals", archived=False)
    portal.archive(live[1])
    portal.forget(live[2])
    portal.wait(timedelta(seconds=599))
    assert client.ids(**before) == [deal["id"]]
    newest = {"sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}], "limit": 3}
    assert client.ids(**newest) == [r["id"] for r in (deal, live[1], live[2])]
    assert client.get(f"{OBJECTS}/deals/{deal['id']}", properties="amount").json()["properties"]["amount"] == "123.00"
    portal.wait(timedelta(seconds=1))
    assert client.ids(**before) == []
    assert client.ids(**about(deal)) == [deal["id"]]
    assert not {live[1]["id"], live[2]["id"]} & set(client.ids(**newest))


def test_histories_are_told_newest_first(client: Client) -> None:
    deal = one(client)
    first = client.portal.history(deal, "amount")[-1]["value"]
    for amount in ("1.00", "2.00"):
        client.portal.wait(timedelta(hours=1))
        client.portal.change(deal, amount=amount)
    (row,) = client.post(f"{OBJECTS}/deals/batch/read", inputs=[{"id": deal["id"]}], properties=[],
                         propertiesWithHistory=["amount"]).json()["results"]  # fmt: skip
    versions = row["propertiesWithHistory"]["amount"]
    assert [v["value"] for v in versions] == ["2.00", "1.00", first]
    assert versions[0]["timestamp"] == stamp(client.portal.clock)
    many = [{"id": str(n)} for n in range(51)]
    assert client.post(f"{OBJECTS}/deals/batch/read", inputs=many, propertiesWithHistory=["amount"]).status_code == 400
    lost = client.post(f"{OBJECTS}/deals/batch/read", inputs=[{"id": "1"}])
    assert (lost.status_code, lost.json()["errors"][0]["context"]) == (207, {"ids": ["1"]})


@pytest.mark.parametrize("version", ["v3", "2026-03"])
def test_a_deal_is_made_changed_merged_and_archived_over_http(client: Client, version: str) -> None:
    path = f"{OBJECTS}/deals" if version == "v3" else f"/crm/objects/{version}/deals"
    made = [client.post(path, properties={"dealname": n, "amount": "10", "closedate": "2026-11-01T12:00:00Z"}).json()
            for n in ("one", "two")]  # fmt: skip
    address = client.server.address + path
    changed = client.http.patch(
        f"{address}/{made[0]['id']}", json={"properties": {"dealstage": "closedwon"}}, timeout=5
    )
    assert changed.json()["properties"]["dealstage"] == "closedwon"
    left = client.post(f"{path}/merge", primaryObjectId=made[0]["id"], objectIdToMerge=made[1]["id"]).json()
    assert left["id"] not in (made[0]["id"], made[1]["id"])
    found = client.get(f"{path}/{made[1]['id']}", properties="hs_merged_object_ids").json()
    assert found["id"] == left["id"]
    assert set(found["properties"]["hs_merged_object_ids"].split(";")) == {m["id"] for m in made}
    assert client.http.delete(f"{address}/{left['id']}", timeout=5).status_code == 204
    assert client.get(f"{path}/{left['id']}").status_code == 404
    assert left["id"] in client.portal.deals
    client.portal.wait(timedelta(days=91))
    assert left["id"] not in client.portal.deals


def test_credit_is_shared_in_parts_that_are_one_together(client: Client) -> None:
    deal, owners = one(client), list(client.portal.owners)[:2]
    for shares, status in ((("0.7", "0.3"), 200), (("0.7", "0.7"), 207)):
        parts = [{"ownerId": o, "percentage": s} for o, s in zip(owners, shares, strict=True)]
        answer = client.post(f"{OBJECTS}/deals/splits/batch/upsert", inputs=[{"id": deal["id"], "splits": parts}])
        assert answer.status_code == status
    (told,) = client.post(f"{OBJECTS}/deals/splits/batch/read", inputs=[{"id": deal["id"]}]).json()["results"]
    assert [s["properties"]["hs_deal_split_percentage"] for s in told["splits"]] == ["0.7", "0.3"]
    assert deal["properties"]["hs_is_deal_split"] == "true"


def test_rows_of_a_custom_object_are_upserted_and_wrong_ones_named(client: Client) -> None:
    number = {"name": "pace", "label": "Pace", "type": "number", "fieldType": "number"}
    key = {"name": "key", "label": "Key", "type": "string", "fieldType": "text", "hasUniqueValue": True}
    schema = {
        "name": "card",
        "labels": {"singular": "Card"},
        "properties": [key, number],
        "requiredProperties": ["key"],
    }
    kind = client.post("/crm-object-schemas/v3/schemas", **schema).json()["objectTypeId"]
    assert client.post("/crm-object-schemas/v3/schemas", **schema).status_code == 409
    given: list[dict[str, str]] = [{"pace": "1.5"}, {"pace": "fast"}, {"pace": "", "nope": "1"}]
    rows = [{"id": f"k{n}", "idProperty": "key", "properties": own} for n, own in enumerate(given)]
    for new in (True, False):
        answer = client.post(f"{OBJECTS}/{kind}/batch/upsert", inputs=rows)
        assert answer.status_code == 207
        assert [r["new"] for r in answer.json()["results"]] == [new]
        wrong = {e["context"]["ids"][0]: e["message"] for e in answer.json()["errors"]}
        assert wrong == {"k1": "fast was not a valid number", "k2": 'Property "nope" does not exist'}
    assert client.post(f"{OBJECTS}/{kind}/batch/upsert", inputs=rows * 34).status_code == 400


@pytest.mark.parametrize(("kind", "status", "word"), [
    ("503", 503, "Unavailable"), ("429", 429, "too many"), ("401", 401, "EXPIRED_AUTHENTICATION"),
    ("html", 200, "<html>"), ("html401", 401, "<html>"), ("empty", 200, ""), ("redirect", 302, ""),
    ("limit", 429, "DAILY"), ("no_results", 200, '"total"'), ("repeating_cursor", 200, '"after": "1"'),
])  # fmt: skip
def test_another_answer(client: Client, kind: str, status: int, word: str) -> None:
    client.control("fault", kind=kind, nth=2, path="/search")
    assert client.get("/crm/v3/owners").status_code == 200
    answers = [client.post(f"{OBJECTS}/deals/search", limit=5) for _ in range(3)]
    assert (answers[1].status_code, word in answers[1].text) == (status, True)
    assert answers[0].text == answers[2].text != answers[1].text


@pytest.mark.parametrize("kind", ["truncate", "reset"])
def test_an_answer_that_breaks_off(client: Client, kind: str) -> None:
    client.control("fault", kind=kind)
    with pytest.raises(requests.exceptions.RequestException):
        client.get("/crm/v3/owners")
    assert client.get("/crm/v3/owners").status_code == 200


def test_a_slow_answer(client: Client) -> None:
    client.control("settings", slowness=0.2)
    client.control("fault", kind="slow")
    assert client.get("/crm/v3/owners").elapsed.total_seconds() >= 0.2


def test_fewer_rows_than_promised_and_a_row_twice(client: Client) -> None:
    good = client.ids(limit=5)
    for kind, rows in (("short", good[:-1]), ("duplicate", [*good[:-1], good[0]])):
        client.control("fault", kind=kind)
        assert client.ids(limit=5) == rows
    client.control("fault", kind="short")
    assert len(client.get("/crm/v3/pipelines/deals").json()["results"]) == 2  # nothing was promised


def test_what_a_fault_turned_away_was_not_done_and_after_the_others_it_was(client: Client) -> None:
    before = len(client.portal.deals)
    for kind, made in (("429", 0), ("401", 0), ("503", 1), ("html", 1)):
        client.control("fault", kind=kind)
        client.post(f"{OBJECTS}/deals", properties={"dealname": kind, "closedate": "2026-11-01T12:00:00Z"})
        assert len(client.portal.deals) - before == made
        before = len(client.portal.deals)


def test_a_deal_is_changed_and_another_archived_between_two_pages(client: Client) -> None:
    first, second, third = (r["id"] for r in client.portal.ordered("deals", archived=False)[:3])
    client.control("later", nth=2, path="/search", do="delete", given={"id": first, "how": "archive"})
    client.control("later", nth=2, path="/search", do="merge", given={"id": second, "other": third})
    assert {first, second, third} <= set(client.ids(limit=9))
    assert {first, second, third} & set(client.ids(limit=9)) == {second}
    client.control("delete", id=first, how="restore")
    assert first in client.ids(limit=9)


def test_lists_go_on_after_an_id_or_a_position(client: Client) -> None:
    every = [r["id"] for r in client.portal.ordered("deals", archived=False)]
    for how in ("id", "next", "position"):
        client.control("settings", after=how, most=40)
        found, after = list[str](), ""
        while True:
            page = client.get(f"{OBJECTS}/deals", limit=100, after=after).json()
            found += [r["id"] for r in page["results"]]
            if "paging" not in page:
                break
            after = page["paging"]["next"]["after"]
            assert after == {"id": found[-1], "next": str(int(found[-1]) + 1), "position": str(len(found))}[how]
        assert found == every
    assert client.get(f"{OBJECTS}/deals", limit=51, propertiesWithHistory="amount").status_code == 400


def test_the_truth_tells_what_a_sync_should_find(client: Client) -> None:
    client.control("touch", share=0.1)
    client.control("advance", days=2)
    told = client.get("/sandbox/truth").json()
    truth = hubspot_truth(Company(7, None, client.portal))  # type: ignore[arg-type]
    assert {(r["quarter"], r["currency"], r["status"]): r["deals"] for r in told["deals"]} == {
        key: number for key, (_, number) in truth.items()
    }
    assert told["records"]["deals"] == sum(r["deals"] for r in told["deals"])


def test_a_setting_or_fault_that_does_not_exist_is_named(client: Client) -> None:
    assert "nope" in client.control("settings", nope=1)["message"]
    assert "there is no fault 'nope'" in client.control("fault", kind="nope")["message"]
    assert client.post("/sandbox/nope").status_code == 404
