"""Signing in: client credentials, a signed assertion, an old org's password; never more often than needed."""

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.errors import BadAnswer, SignInAgain, SourceError, TryAgainLater
from connectors.salesforce.signin import SOAP_ENDS
from sandbox.http import Response
from sandbox.salesforce.server import SalesforceServer
from sandbox.salesforce.tokens import USER
from tests.connectors.salesforce.kit import Connect, read, watch
from tests.support.contract import each_fault, one_sentence

PASSWORD = {
    "sign_in": "password", "username": USER, "password": "sandbox-password", "security_token": "sandbox-token",
}  # fmt: skip
TOKEN, SOAP = "/services/oauth2/token", "/services/Soap/u/64.0"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    shape = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*shape).decode()


@pytest.fixture
def by_jwt(server: SalesforceServer, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """Options of a sign-in by assertion; the server knows the public half of its key."""
    shape = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    server.tokens.public_key = key.public_key().public_bytes(*shape).decode()
    return {"sign_in": "jwt", "username": USER, "private_key": pem(key)}


def test_client_credentials_are_the_default(server: SalesforceServer, connect: Connect) -> None:
    seen = watch(server)
    connect().account()
    assert seen[0].path == TOKEN
    assert seen[0].form == {"grant_type": "client_credentials"}
    assert server.log_ins == 1


def test_every_call_is_of_our_version_not_the_sdks(server: SalesforceServer, connect: Connect) -> None:
    read(connect(bulk_from=1), "deals")
    assert {p.split("/")[3] for p in server.requests if p != TOKEN} == {"v66.0"}


def test_the_version_can_be_set(server: SalesforceServer, connect: Connect) -> None:
    connect(api_version="61.0").account()
    assert {p.split("/")[3] for p in server.requests if p != TOKEN} == {"v61.0"}


def test_an_assertion_signs_in_with_the_private_key(server: SalesforceServer, connect: Connect, by_jwt: Any) -> None:
    seen = watch(server)
    assert len(read(connect(**by_jwt), "people").rows) == 8
    claims = jwt.decode(seen[0].form["assertion"], server.tokens.public_key or "", ["RS256"], {"verify_aud": False})
    assert (claims["iss"], claims["sub"]) == ("sandbox-client", USER)


@pytest.mark.parametrize("host", ["login", "test", "acme.my", "acme--uat.sandbox.my"])
def test_an_assertion_is_for_the_host_that_is_set(
    server: SalesforceServer, connect: Connect, by_jwt: Any, host: str
) -> None:
    seen = watch(server)
    connect(**by_jwt, my_domain=host).account()
    claims = jwt.decode(seen[0].form["assertion"], options={"verify_signature": False})
    assert claims["aud"] == f"https://{host}.salesforce.com"


def test_an_assertion_by_another_key_is_refused_with_what_to_check(server: Any, connect: Connect, by_jwt: Any) -> None:
    other = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    with pytest.raises(SignInAgain) as caught:
        connect(**by_jwt | {"private_key": other}).account()
    assert "check client_id, username and private_key" in one_sentence(caught.value)


def test_a_user_who_is_not_approved_is_refused_with_what_to_check(server: Any, connect: Connect, by_jwt: Any) -> None:
    with pytest.raises(SignInAgain, match="pre-authorised for the app"):
        connect(**by_jwt | {"username": "someone@example.com"}).account()


@pytest.mark.parametrize("text", ["no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_private_key_that_is_none_is_named_and_not_shown(
    server: Any, connect: Connect, by_jwt: Any, text: str
) -> None:
    with pytest.raises(SignInAgain, match="private_key is no RSA key in PEM form") as caught:
        connect(**by_jwt | {"private_key": text}).account()
    assert text not in str(caught.value)
    assert server.calls == 0


def test_a_password_signs_in_at_the_last_version_that_has_it_and_reads_at_ours(server: Any, connect: Connect) -> None:
    connect(**PASSWORD).account()
    assert next(iter(server.requests)) == SOAP
    assert {p.split("/")[3] for p in server.requests if p != SOAP} == {"v66.0"}


def test_a_password_does_not_sign_in_at_a_newer_version(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.salesforce.signin.SOAP_VERSION", "65.0")
    with pytest.raises(SignInAgain, match="UNSUPPORTED_API_VERSION"):
        connect(**PASSWORD).account()


def test_a_password_is_warned_of_by_check_and_as_a_note_on_people(connect: Connect) -> None:
    old, new = connect(**PASSWORD), connect()
    assert [f.detail for f in old.check() if f.what == "sign-in by password"] == [SOAP_ENDS]
    assert [n.rule for n in read(old, "people").notes] == [SOAP_ENDS]
    assert not [f for f in new.check() if f.what == "sign-in by password"]
    assert read(new, "people").notes == []


def test_a_wrong_password_is_tried_once_so_that_nobody_is_locked_out(server: Any, connect: Connect) -> None:
    with pytest.raises(SignInAgain, match="INVALID_LOGIN") as caught:
        connect(**PASSWORD | {"password": "wrong-word"}).account()
    assert server.requests[SOAP] == 1
    assert "wrong-word" not in one_sentence(caught.value)


def test_an_access_token_is_used_and_never_renewed(server: Any, connect: Connect) -> None:
    source = connect(access_token=server.tokens.session())
    assert len(read(source, "people").rows) == 8
    server.tokens.sessions.clear()
    with pytest.raises(SignInAgain, match="the access token has run out"):
        read(source, "people")
    assert server.requests[TOKEN] == 0


@pytest.mark.parametrize("way", ["client", "jwt", "password"])
@pytest.mark.parametrize("kind", ["html", "empty", "html401"])
def test_an_answer_without_a_token_is_no_sign_in(
    server: Any, connect: Connect, by_jwt: Any, way: str, kind: str
) -> None:
    server.fault(kind, times=20, path="/services/")
    with pytest.raises((BadAnswer, SignInAgain), match="sign-in"):
        connect(**{"client": {}, "jwt": by_jwt, "password": PASSWORD}[way]).account()
    assert not [path for path in server.requests if "/data/" in path]


@pytest.mark.parametrize("way", ["client", "jwt", "password"])
@pytest.mark.parametrize("kind", ["503", "reset", "truncate"])
def test_a_sign_in_that_breaks_off_is_for_later(
    server: Any, connect: Connect, by_jwt: Any, way: str, kind: str
) -> None:
    server.fault(kind, times=20)
    with pytest.raises(TryAgainLater, match="try again later"):
        connect(**{"client": {}, "jwt": by_jwt, "password": PASSWORD}[way]).account()


@pytest.mark.parametrize("body", [
    '{"error": "invalid_grant", "error_description": "login rate exceeded"}', '{"error": "temporarily_unavailable"}',
])  # fmt: skip
def test_too_many_sign_ins_are_for_later_not_for_the_administrator(server: Any, connect: Connect, body: str) -> None:
    server.tokens.oauth = lambda request: Response(400, body.encode())
    with pytest.raises(TryAgainLater):
        connect().account()


@each_fault
def test_a_sign_in_is_never_sent_on(server: Any, connect: Connect, fault: str, word: str) -> None:
    server.fault(fault, times=20, path=TOKEN)
    with pytest.raises(SourceError, match=r"^crm: sign-in: ") as caught:
        connect().account()
    one_sentence(caught.value)
    assert set(server.requests) == {TOKEN}


def test_a_session_for_a_host_that_is_not_of_salesforce_is_not_used(server: Any, connect: Connect) -> None:
    server.tokens.host = "https://salesforce.com.evil.example"
    with pytest.raises(BadAnswer, match=r"sent us on to salesforce\.com\.evil\.example"):
        connect().account()
    assert set(server.requests) == {TOKEN}


def test_links_lead_to_the_host_that_the_sign_in_names(server: Any, connect: Connect) -> None:
    server.tokens.host = "https://acme.my.salesforce.com"
    assert connect().account().deal_link == "https://acme.my.salesforce.com/lightning/r/Opportunity/{id}/view"
