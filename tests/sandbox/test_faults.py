"""Everything that can go wrong with the pretend org, switched on over HTTP, for pages and for rows of jobs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.company import Company
from sandbox.salesforce.server import SalesforceServer

PATH = "/services/data/v66.0"
SOQL = "SELECT Id, Amount FROM Opportunity ORDER BY SystemModstamp, Id"


class Org:
    """The pretend org as a client sees it: one page of a query, or one page of a job's rows."""

    def __init__(self, server: SalesforceServer) -> None:
        self.server = server
        self.http = requests.Session()
        self.http.trust_env = False
        form = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        token = self.http.post(f"{server.address}/services/oauth2/token", data=form).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        self.job = ""

    def control(self, name: str, **given: Any) -> Any:
        """One of the sandbox's own paths."""
        return self.http.post(f"{self.server.address}/sandbox/{name}", json=given).json()

    def get(self, path: str, **params: str) -> requests.Response:
        """GET below the version, redirects not followed."""
        return self.http.get(f"{self.server.address}{PATH}/{path}", params=params, allow_redirects=False, timeout=5)

    def begin(self) -> None:
        """A job whose rows can be fetched."""
        body = {"operation": "queryAll", "query": SOQL}
        self.job = self.http.post(f"{self.server.address}{PATH}/jobs/query", json=body).json()["id"]
        for state in ("InProgress", "JobComplete"):
            assert self.get(f"jobs/query/{self.job}").json()["state"] == state

    def rows(self, way: str) -> requests.Response:
        """The first fifty rows, as a page or as rows of a job."""
        if way == "page":
            return self.get("queryAll", q=SOQL)
        return self.get(f"jobs/query/{self.job}/results", maxRecords="50")

    def ids(self, way: str, answer: requests.Response) -> tuple[list[str], int]:
        """The ids in an answer, and how many rows it promises."""
        if way == "page":
            return [r["Id"] for r in answer.json()["records"]], 50
        lines = answer.text.splitlines()[1:]
        return [line.split(",")[0] for line in lines], int(answer.headers["Sforce-NumberOfRecords"])


@pytest.fixture
def org() -> Iterator[Org]:
    with SalesforceServer(Company.generate().salesforce, page=50) as server:
        yield Org(server)


@pytest.fixture(params=["page", "job"])
def way(request: pytest.FixtureRequest, org: Org) -> str:
    """How rows are read."""
    if request.param == "job":
        org.begin()
    return str(request.param)


@pytest.mark.parametrize(("kind", "status", "word"), [
    ("503", 503, "Unavailable"), ("429", 429, "too many"), ("401", 401, "INVALID_SESSION_ID"),
    ("html401", 401, "<html>"), ("limit", 403, "REQUEST_LIMIT_EXCEEDED"), ("html", 200, "<html>"),
    ("empty", 200, ""), ("redirect", 302, ""), ("query_timeout", 400, "QUERY_TIMEOUT"),
    ("locator", 400, "INVALID_QUERY_LOCATOR"),
])  # fmt: skip
def test_another_answer(org: Org, way: str, kind: str, status: int, word: str) -> None:
    org.control("fault", kind=kind, times=2)
    for _ in range(2):
        answer = org.rows(way)
        assert (answer.status_code, word in answer.text, "Amount" in answer.text) == (status, True, False)
    if kind == "redirect":
        assert answer.headers["Location"].startswith("http://localhost:")
    assert org.rows(way).status_code == (401 if status == 401 else 200)


@pytest.mark.parametrize(
    ("kind", "error"),
    [("truncate", requests.exceptions.ChunkedEncodingError), ("reset", requests.exceptions.ConnectionError)],
)
def test_an_answer_that_breaks_off(org: Org, way: str, kind: str, error: type[Exception]) -> None:
    org.control("fault", kind=kind)
    with pytest.raises(error):
        org.rows(way)
    assert org.rows(way).status_code == 200


def test_a_slow_answer(org: Org, way: str) -> None:
    org.control("settings", slowness=0.2)
    org.control("fault", kind="slow")
    assert org.rows(way).elapsed.total_seconds() >= 0.2
    assert org.rows(way).elapsed.total_seconds() < 0.2


def test_fewer_rows_than_promised_and_a_row_twice(org: Org, way: str) -> None:
    good, _ = org.ids(way, org.rows(way))
    org.control("fault", kind="short")
    assert org.ids(way, org.rows(way)) == (good[:-1], 50)
    org.control("fault", kind="duplicate")
    assert org.ids(way, org.rows(way)) == ([*good[:-1], good[0]], 50)


def test_a_fault_waits_for_its_turn_and_for_its_path(org: Org) -> None:
    org.control("fault", kind="503", nth=2, path="limits")
    assert [org.get(p).status_code for p in ("limits", "sobjects", "limits", "limits")] == [200, 200, 503, 200]


def test_a_record_is_changed_and_another_deleted_between_two_pages(org: Org) -> None:
    first = org.rows("page").json()
    last = org.get("queryAll", q="SELECT Id FROM Opportunity ORDER BY SystemModstamp DESC, Id DESC LIMIT 2").json()
    one, two = (r["Id"] for r in last["records"])
    org.control("later", nth=2, path="queryAll/", do="change", given={"id": one, "fields": {"Amount": 1}})
    org.control("later", nth=2, path="queryAll/", do="delete", given={"id": two})
    locator = first["nextRecordsUrl"].rsplit("/", 1)[1]
    fresh = f"SELECT Id FROM Opportunity WHERE (Id = '{one}' AND Amount = 1) OR (Id = '{two}' AND IsDeleted = true)"
    for size in (0, 2):
        org.get(f"queryAll/{locator}")
        assert org.get("queryAll", q=fresh).json()["totalSize"] == size


def test_a_job_shows_its_rows_as_they_were_when_it_began(org: Org) -> None:
    org.begin()
    before = org.rows("job").text
    ids, _ = org.ids("job", org.rows("job"))
    org.control("later", path="results", do="change", given={"id": ids[0].strip('"'), "fields": {"Amount": 1}})
    assert org.rows("job").text == before


def test_a_job_that_comes_to_nothing_and_one_that_takes_long(org: Org) -> None:
    org.control("settings", failing=1, polls=0)
    body = {"operation": "query", "query": SOQL}
    job = org.http.post(f"{org.server.address}{PATH}/jobs/query", json=body).json()["id"]
    assert org.get(f"jobs/query/{job}").json()["state"] == "Failed"
    org.control("settings", polls=3)
    job = org.http.post(f"{org.server.address}{PATH}/jobs/query", json=body).json()["id"]
    states = [org.get(f"jobs/query/{job}").json()["state"] for _ in range(4)]
    assert states == ["InProgress"] * 3 + ["JobComplete"]


def test_every_job_has_an_id_of_its_own_even_when_others_were_dropped(org: Org) -> None:
    org.begin()
    first = org.job
    org.begin()
    assert org.http.delete(f"{org.server.address}{PATH}/jobs/query/{first}").status_code == 204
    second = org.job
    org.begin()
    assert len({first, second, org.job}) == 3


def test_the_daily_limit_is_reached(org: Org) -> None:
    org.control("settings", daily=1)
    assert org.get("limits").json()["DailyApiRequests"] == {"Max": 1, "Remaining": 0}
    assert "REQUEST_LIMIT_EXCEEDED" in org.get("limits").text


def test_a_feature_is_off(org: Org) -> None:
    org.control("features", off=["splits", "multicurrency"])
    assert org.get("sobjects/OpportunitySplit/describe").status_code == 404
    assert "INVALID_TYPE" in org.get("query", q="SELECT Id FROM OpportunitySplit").text
    assert "INVALID_FIELD" in org.get("query", q="SELECT CurrencyIsoCode FROM Opportunity").text


def test_the_clock_goes_on(org: Org) -> None:
    before = org.get("limits").headers["Date"]
    now = org.control("clock", days=1, seconds=90)["now"]
    assert org.get("limits").headers["Date"] != before
    assert now == org.server.now().isoformat()


def test_the_truth_tells_what_a_sync_should_find(org: Org) -> None:
    told = org.http.get(f"{org.server.address}/sandbox/truth").json()
    live = json.loads(org.get("query", q="SELECT COUNT() FROM Opportunity").text)["totalSize"]
    assert told["records"]["Opportunity"] == sum(row["deals"] for row in told["deals"]) == live
