"""Signs in to Salesforce: client credentials, JWT bearer, a rotating refresh token, or an old org's password."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

import requests
from filelock import FileLock, Timeout
from jwt.exceptions import InvalidKeyError, PyJWTError
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import SalesforceLogin

from connectors.errors import BadAnswer, SignInAgain, SourceError, TryAgainLater
from connectors.guard import address_problem, guarded_session, proven_json
from connectors.salesforce.options import Options

SOAP_VERSION = "64.0"
"""The last API version that has a SOAP login; it is retired with Summer '27."""

SOAP_ENDS = (  # words for people
    "password and security token end with Summer '27; move this connection to client credentials before that"
)
FIX = {
    "client_credentials": "check client_id and client_secret, and that the external client app allows the client "
    "credentials flow with a run-as user",
    "jwt": "check client_id, username and private_key, and that the user is pre-authorised for the app",
    "refresh_token": "the grant was used up or revoked: authorise the app again and put the new refresh token into "
    "the file",
    "password": "check username, password and security_token, and that SOAP login is still allowed",
    "access_token": "the access token has run out; make a new one",
}
BUSY_CODES = {"temporarily_unavailable", "server_error", "unknown_error", "SERVER_UNAVAILABLE", "LOGIN_RATE_EXCEEDED"}
LOCK_WAIT = 90.0  # seconds; two time-outs of a sign-in


@dataclass(frozen=True)
class Signed:
    """A session: its token and the host that it is for."""

    token: str
    host: str


def sign_in(name: str, options: Options, session: requests.Session) -> Signed:
    """Sign in as the settings say; SignInAgain says what to check, never what the secrets are."""
    where, way = f"{name}: sign-in", options.sign_in
    if way == "access_token":
        return Signed(options.access_token, options.host)
    signed = _refresh(where, options) if way == "refresh_token" else _by_sdk(where, options, session)
    problem = address_problem("salesforce", f"https://{signed.host}", loopback=bool(options.address))
    if problem:
        raise BadAnswer(f"{where}: the server sent us on to {signed.host}, which is not of Salesforce; check my_domain")
    return signed


def _by_sdk(where: str, options: Options, session: requests.Session) -> Signed:
    way, statuses = options.sign_in, list[int]()
    if way == "password":  # a wrong password is answered with 500: tried again, it would lock the user out
        session, _ = guarded_session(options.address, options.ca_file, tries=0)
        session.hooks["response"] = [lambda response, **_: statuses.append(response.status_code)]
    try:
        with warnings.catch_warnings(action="ignore"):  # the SDK's advice; ours is in FIX
            token, host = SalesforceLogin(session=session, domain=options.domain, **_given(options))
    except SalesforceAuthenticationFailed as error:
        error.code = error.code or next(iter(statuses), None)  # a page that is no SOAP
        raise _not_taken(where, way, error) from None
    except (InvalidKeyError, PyJWTError):
        raise SignInAgain(f"{where}: private_key is no RSA key in PEM form; give the key that belongs to the "
                          "certificate of the app") from None  # fmt: skip
    except (ValueError, LookupError, AttributeError, TypeError, ExpatError) as error:
        if way == "jwt" and "pem" in str(error).lower():
            raise SignInAgain(f"{where}: private_key is no RSA key in PEM form") from None
        # what the SDK makes of an answer of another shape
        raise BadAnswer(f"{where}: the server did not answer with a token; check my_domain") from None
    except BadAnswer as error:  # sent on to another host
        raise BadAnswer(f"{where}: {error}") from None
    except requests.RequestException as error:
        raise unreachable(where, error) from None
    return Signed(token, host)


def _not_taken(where: str, way: str, error: SalesforceAuthenticationFailed) -> SourceError:
    """What a refused sign-in means; where no reason came, the SDK puts the status in its place."""
    busy = isinstance(error.code, int) and (error.code >= 500 or error.code == 429)
    if busy or error.code in BUSY_CODES or "rate exceeded" in str(error.auth_message):
        return TryAgainLater(f"{where}: Salesforce is busy ({_code(error)}) and stayed so; try again later")
    if error.code is None or isinstance(error.code, int):
        return BadAnswer(f"{where}: the server did not answer with a token; check my_domain")
    return SignInAgain(f"{where}: Salesforce does not take this sign-in ({_code(error)}); {FIX[way]}")


def _given(options: Options) -> dict[str, Any]:
    if options.sign_in == "jwt":
        return {"username": options.username, "consumer_key": options.client_id, "privatekey": options.private_key}
    if options.sign_in == "password":
        return {
            "username": options.username,
            "password": options.password,
            "security_token": options.security_token,
            "sf_version": SOAP_VERSION,
        }
    return {"consumer_key": options.client_id, "consumer_secret": options.client_secret}


def _code(error: SalesforceAuthenticationFailed) -> str:
    code = str(error.code)
    return code if code.replace("_", "").replace(":", "").replace(".", "").isalnum() and len(code) < 60 else "refused"


def _refresh(where: str, options: Options) -> Signed:
    """Trade the refresh token for a session. Tokens are used once: the new one is on disk before anything uses it.

    One refresher at a time, over processes: who waited reads the token that the other one left. The request is
    never repeated by itself, for a token that is used twice takes the whole grant with it.
    """
    path = options.refresh_token_file
    assert path is not None
    try:
        with FileLock(f"{path}.lock", timeout=LOCK_WAIT):
            old = path.read_text(encoding="utf-8").strip()
            body = _trade(where, options, old)
            fresh = str(body.get("refresh_token") or old)
            if fresh != old:
                _keep(path, fresh)
    except Timeout:
        raise TryAgainLater(f"{where}: another process holds {path}.lock; try again later") from None
    except OSError as error:
        raise SignInAgain(
            f"{where}: the refresh token in {path} cannot be read or replaced ({error.strerror})"
        ) from None
    host = urlsplit(str(body.get("instance_url", ""))).netloc or options.host
    return Signed(str(body["access_token"]), host)


def _trade(where: str, options: Options, old: str) -> dict[str, Any]:
    session, _ = guarded_session(options.address, options.ca_file, tries=0)
    form = {"grant_type": "refresh_token", "client_id": options.client_id, "refresh_token": old}
    if options.client_secret:
        form["client_secret"] = options.client_secret
    try:
        response = session.post(f"https://{options.domain}.salesforce.com/services/oauth2/token", data=form)
    except BadAnswer as error:  # sent on to another host
        raise BadAnswer(f"{where}: {error}") from None
    except requests.RequestException as error:
        raise unreachable(where, error) from None
    finally:
        session.close()
    if response.status_code >= 500 or response.status_code == 429:
        raise TryAgainLater(f"{where}: Salesforce is busy ({response.status_code}); the refresh token was not used up")
    body = proven_json(where, response.status_code, response.content)
    if response.status_code != 200 or not isinstance(body, dict) or "access_token" not in body:
        reason = str(body.get("error", "refused"))[:60] if isinstance(body, dict) else "refused"
        raise SignInAgain(f"{where}: Salesforce does not take this sign-in ({reason}); {FIX['refresh_token']}")
    return body


def _keep(path: Path, token: str) -> None:
    """Replace the token durably: the old or the new one is in the file, whatever happens."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def unreachable(where: str, error: Exception) -> SourceError:
    """A server that is not there or breaks off."""
    if isinstance(error, requests.exceptions.SSLError):
        return TryAgainLater(f"{where}: the server's certificate is not trusted; check my_domain and ca_file")
    kind = type(error).__name__
    return TryAgainLater(f"{where}: the server cannot be reached or broke off ({kind}); try again later")
