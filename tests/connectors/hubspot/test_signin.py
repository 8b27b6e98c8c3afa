"""Signing in: a key as it is, or OAuth tokens that are renewed in time, by one at a time, and kept durably."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import BadAnswer, SignInAgain, SourceError, TryAgainLater
from connectors.hubspot import HubSpot
from sandbox.http import Response
from sandbox.hubspot.server import HubSpotServer
from tests.connectors.hubspot.kit import Connect, read, watch
from tests.support.contract import one_sentence


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the refresh token is kept."""
    path = tmp_path / "hubspot.token"
    path.write_text("sandbox-grant\n")
    return path


@pytest.fixture
def by_oauth(connect: Connect, file: Path) -> Connect:
    """A connector that signs in by OAuth."""

    def make(**options: Any) -> HubSpot:
        given = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token_file": file}
        return connect(token="", **given | options)

    return make


@pytest.mark.parametrize("api_version", ["v3", "2026-03", "2026-09"])
def test_one_access_token_serves_every_process_until_it_ends(
    server: HubSpotServer, by_oauth: Connect, api_version: str
) -> None:
    for _ in range(3):
        read(by_oauth(api_version=api_version), "people")
    assert server.tokens.log_ins == 1
    assert server.requests[f"/oauth/{api_version}/token"] == 1


def test_a_token_is_renewed_before_it_ends(server: HubSpotServer, by_oauth: Connect) -> None:
    server.tokens.lives = 60  # less than the time ahead that it is renewed in
    source = by_oauth()
    read(source, "people")
    assert server.tokens.log_ins == 3  # one call for each list of owners, and one for the teams above theirs


def test_a_token_that_is_not_taken_is_renewed_once_a_call(server: HubSpotServer, by_oauth: Connect) -> None:
    source = by_oauth()
    read(source, "people")
    server.tokens.end_all()
    read(by_oauth(), "people")
    assert server.tokens.log_ins == 2
    server.handle = lambda request: (  # type: ignore[method-assign]
        server.tokens.trade(request) if "token" in request.path else server.unauthorised()
    )
    with pytest.raises(SignInAgain) as caught:
        by_oauth().account()
    assert server.tokens.log_ins == 3
    assert "connect it again" in one_sentence(caught.value)


def test_threads_renew_a_token_once(server: HubSpotServer, by_oauth: Connect) -> None:
    source = by_oauth()
    threads = [threading.Thread(target=source.client.call, args=("account", "account")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.tokens.log_ins == 1


def test_a_rotating_refresh_token_is_on_disk_before_it_is_used(
    server: HubSpotServer, by_oauth: Connect, file: Path
) -> None:
    server.tokens.rotation, server.tokens.lives = True, 1
    for number in range(1, 4):
        by_oauth().account()
        assert file.read_text().strip() == f"sandbox-grant-{number}"
    for kept in (file, file.with_name("hubspot.token.session")):
        assert kept.stat().st_mode & 0o077 == 0


def test_a_trade_is_never_sent_twice(server: HubSpotServer, by_oauth: Connect) -> None:
    server.fault("503", times=9, path="/oauth/")
    with pytest.raises(TryAgainLater):
        by_oauth().account()
    assert server.requests["/oauth/v3/token"] == server.calls


@pytest.mark.parametrize(("answer", "error", "word"), [
    (Response(400, b'{"status":"BAD_REFRESH_TOKEN"}'), SignInAgain, "does not take this"),
    (Response(200, b"{}"), BadAnswer, "did not answer with a token"),
    (Response(200, b"[]"), BadAnswer, "did not answer with a token"),
    (Response(200, b"<html>"), BadAnswer, "web page"),
    (Response(302, b"", headers={"Location": "http://localhost:9/"}), BadAnswer, "not followed"),
])  # fmt: skip
def test_a_refused_sign_in_says_what_to_do_and_keeps_the_grant(
    server: HubSpotServer, by_oauth: Connect, file: Path, answer: Response, error: type[SourceError], word: str
) -> None:
    server.tokens.trade = lambda request: answer  # type: ignore[method-assign]
    with pytest.raises(error) as caught:
        by_oauth().account()
    assert word in one_sentence(caught.value)
    assert file.read_text() == "sandbox-grant\n"


def test_a_token_file_that_is_not_there_is_named(by_oauth: Connect, file: Path) -> None:
    file.unlink()
    with pytest.raises(SignInAgain, match="cannot be read or replaced"):
        by_oauth().account()


def test_a_spoilt_session_file_is_replaced(server: HubSpotServer, by_oauth: Connect, file: Path) -> None:
    session = file.with_name("hubspot.token.session")
    session.write_text("{")
    by_oauth().account()
    assert json.loads(session.read_text())["access_token"] in server.tokens.ends


def test_no_secret_is_in_an_address(server: HubSpotServer, by_oauth: Connect) -> None:
    seen = watch(server)
    by_oauth().check()
    for request in seen:
        assert "sandbox-" not in request.path + str(dict(request.query))


def test_the_scopes_are_told_by_the_connection_test(server: HubSpotServer, connect: Connect) -> None:
    (found,) = [f for f in connect().check() if f.what == "scopes"]
    assert "crm.objects.deals.read" in found.detail
    server.tokens.introspect = lambda request: server.error(404, "OBJECT_NOT_FOUND", "?")  # type: ignore[method-assign]
    assert "scopes" not in [f.what for f in connect().check()]
