"""One session: every call ends in time, is repeated when the server is busy, and renewed once when it ran out."""

import time
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import BadAnswer, SignInAgain, SourceError, TryAgainLater
from sandbox.http import LoopbackServer, Response
from sandbox.salesforce.server import SalesforceServer
from sandbox.salesforce.tokens import USER
from tests.connectors.salesforce.kit import Connect, read, watch

TOKEN = "/services/oauth2/token"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next byte is waited for 0.1 seconds, and a call is repeated once."""
    monkeypatch.setattr("connectors.guard.TIMEOUT", (1.0, 0.1))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("way", ["client_credentials", "refresh_token", "password"])
def test_a_sign_in_that_stalls_ends_in_time(
    server: SalesforceServer, connect: Connect, tmp_path: Path, way: str
) -> None:
    (tmp_path / "token").write_text("sandbox-refresh-0")
    given = {
        "client_credentials": {},
        "refresh_token": {"refresh_token_file": str(tmp_path / "token")},
        "password": {"username": USER, "password": "p", "security_token": "t"},
    }
    server.slowness = 1.0
    server.fault("slow", times=9)
    began = time.monotonic()
    with pytest.raises(TryAgainLater, match="cannot be reached or broke off"):
        connect(sign_in=way, **given[way]).account()
    assert time.monotonic() - began < 2


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("path", ["/composite", "/queryAll", "/jobs/query", "/results", "/deleted/"])
def test_a_call_that_stalls_ends_in_time(server: SalesforceServer, connect: Connect, path: str) -> None:
    source = connect(bulk_from=1 if path in ("/jobs/query", "/results") else 1000)
    cursor = read(source, "deals").cursor if path == "/deleted/" else None
    server.slowness = 1.0
    server.fault("slow", times=9, path=path)
    began = time.monotonic()
    with pytest.raises(TryAgainLater):
        list(source.pull("deals", cursor))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("kind", ["503", "429", "reset"])
def test_a_busy_server_is_asked_five_times_and_no_more(server: Any, connect: Connect, kind: str) -> None:
    source = connect()
    source.account()
    server.fault(kind, times=100, path="/queryAll")
    with pytest.raises(TryAgainLater):
        list(source.pull("deals", None))
    assert server.requests["/services/data/v66.0/queryAll"] == 5


def test_a_server_that_asks_to_wait_for_hours_is_not_waited_for(
    server: Any, connect: Connect, monkeypatch: Any
) -> None:
    monkeypatch.setattr("connectors.guard.LONGEST", 0.01)
    source = connect()
    server.rest = lambda path, request: Response(429, b"[]", headers={"Retry-After": "36000"})
    began = time.monotonic()
    with pytest.raises(TryAgainLater):
        source.account()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_not_used(connect: Connect, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert connect().account().currency == "EUR"


def test_a_redirect_is_not_followed_and_takes_no_token_along(server: Any, connect: Connect) -> None:
    class Elsewhere(LoopbackServer):
        now = server.now

    with Elsewhere() as elsewhere:
        there = {"Location": f"{elsewhere.address}/services/data"}
        server.rest = lambda path, request: Response(302, headers=there)
        with pytest.raises(
            BadAnswer, match=r"^crm: what there is: the server sent us on to 127\.0\.0\.1, which was not followed"
        ):
            connect().account()
        assert elsewhere.calls == 0


@pytest.mark.parametrize("kind", ["401", "html401"])
def test_a_session_that_runs_out_between_pages_is_renewed_and_asks_the_same_again(
    server: Any, connect: Connect, kind: str
) -> None:
    source = connect()
    source.account()
    seen = watch(server)
    server.fault(kind, nth=3, path="/queryAll")
    found = read(source, "deals")
    assert len(found.ids) == len(set(found.ids)) == 190
    assert server.log_ins == 2
    first, again = [r for r in seen if r.path != TOKEN][2:4]
    assert first.path == again.path
    for request in (first, again):  # the SDK loses it on the way
        assert request.headers["sforce-query-options"] == "batchSize=2000"


@pytest.mark.parametrize("kind", ["401", "html401"])
@pytest.mark.parametrize(("path", "nth"), [("/results", 3), ("/jobs/query/", 1)])
def test_a_session_that_runs_out_within_a_bulk_job_is_renewed_and_the_job_goes_on(
    server: Any, connect: Connect, monkeypatch: Any, kind: str, path: str, nth: int
) -> None:
    monkeypatch.setattr("connectors.salesforce.bulk.ROWS", 40)
    server.fault(kind, nth=nth, path=path)
    found = read(connect(bulk_from=1), "deals")
    assert len(found.ids) == len(set(found.ids)) == 190
    assert server.log_ins == 2
    assert len(server.jobs.kept) == 0  # one job, read and let go
    assert [line for line in server.log if line.endswith("/jobs/query")] == ["POST /services/data/v66.0/jobs/query"]


def test_a_session_that_is_never_accepted_costs_one_sign_in_a_call(server: Any, connect: Connect) -> None:
    source = connect()
    server.rest = lambda path, request: server.error(401, "INVALID_SESSION_ID", "Session expired or invalid")
    for calls in (1, 2, 3):
        with pytest.raises(SignInAgain, match="the session is no longer valid"):
            source.account()
        assert server.log_ins == calls + 1


def test_a_session_that_describes_nothing_costs_one_sign_in_a_call_too(server: Any, connect: Connect) -> None:
    source = connect(write_back={"enabled": True})
    source.account()
    server.rest = lambda path, request: server.error(401, "INVALID_SESSION_ID", "Session expired or invalid")
    with pytest.raises(SourceError):
        source.publish([])
    assert server.log_ins <= 2


def test_an_answer_without_a_date_is_no_answer(server: Any, connect: Connect) -> None:
    source = connect()
    source.account()
    source.client.session.hooks["response"] = [lambda response, **_: response.headers.pop("Date", None) and None]
    with pytest.raises(BadAnswer, match="carries no Date"):
        read(source, "deals")
