"""Every way to sign in: client credentials, JWT bearer, a refresh token that is used once, and an old org's SOAP login."""

import base64
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import jwt

from sandbox.http import Request, Response

CLIENT = ("sandbox-client", "sandbox-secret")
USER = "integration@example.com"
PASSWORD = "sandbox-password" + "sandbox-token"
HOST = "https://pretend.my.salesforce.com"
LAST_SOAP = 64.0

FAULT = """<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope
 xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body>
 <soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{message}</faultstring><detail><sf:LoginFault>
 <sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{message}</sf:exceptionMessage>
 </sf:LoginFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"""
GOOD = """<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope
 xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"><soapenv:Body>
 <loginResponse><result><serverUrl>{host}/services/Soap/u/{version}/00D</serverUrl><sessionId>{token}</sessionId>
 </result></loginResponse></soapenv:Body></soapenv:Envelope>"""


@dataclass
class Tokens:
    """Sessions and grants. With `rotation`, a refresh token used twice takes the whole grant with it."""

    now: Callable[[], datetime]
    sessions: set[str] = field(default_factory=set)
    refresh: set[str] = field(default_factory=lambda: {"sandbox-refresh-0"})
    rotation: bool = True
    public_key: str | None = None
    host: str = HOST
    log_ins: int = 0

    def session(self) -> str:
        """A new session."""
        self.log_ins += 1
        token = f"00D!{secrets.token_hex(12)}"
        self.sessions.add(token)
        return token

    def grant(self) -> str:
        """A new refresh token, as after a person authorised an app."""
        token = f"sandbox-refresh-{secrets.token_hex(6)}"
        self.refresh.add(token)
        return token

    def oauth(self, request: Request) -> Response:
        """/services/oauth2/token"""
        form = request.form
        flow = form.get("grant_type", "").rsplit(":", 1)[-1]
        wrong = {"client_credentials": self._client, "jwt-bearer": self._jwt, "refresh_token": self._refresh}
        if flow not in wrong:
            return _no("unsupported_grant_type", "grant type not supported")
        problem = wrong[flow](request, form)
        if problem:
            return _no(*problem)
        issued = str(int(self.now().timestamp() * 1000))
        body = {"access_token": self.session(), "instance_url": self.host, "token_type": "Bearer", "issued_at": issued,
                "id": "https://login.salesforce.com/id/x/y"}  # fmt: skip
        if flow == "refresh_token" and self.rotation:
            self.refresh.discard(form["refresh_token"])
            body["refresh_token"] = self.grant()
        return Response(200, json.dumps(body).encode())

    def _client(self, request: Request, form: dict[str, str]) -> tuple[str, str] | None:
        given = (form.get("client_id", ""), form.get("client_secret", ""))
        basic = request.headers.get("authorization", "")
        if basic.startswith("Basic "):
            name, _, secret = base64.b64decode(basic[6:]).decode().partition(":")
            given = (name, secret)
        return None if given == CLIENT else ("invalid_client", "invalid client credentials")

    def _jwt(self, request: Request, form: dict[str, str]) -> tuple[str, str] | None:
        try:
            claims = jwt.decode(
                form.get("assertion", ""), self.public_key or "", algorithms=["RS256"], options={"verify_aud": False}
            )
        except jwt.PyJWTError as error:
            return "invalid_grant", f"invalid assertion: {type(error).__name__}"
        known = claims.get("iss") == CLIENT[0] and claims.get("sub") == USER
        right = re.fullmatch(r"https://[\w.-]+\.salesforce\.com", str(claims.get("aud")))
        return None if known and right else ("invalid_grant", "user hasn't approved this consumer")

    def _refresh(self, request: Request, form: dict[str, str]) -> tuple[str, str] | None:
        if form.get("client_id") != CLIENT[0]:
            return "invalid_client_id", "client identifier invalid"
        if form.get("refresh_token") in self.refresh:
            return None
        if self.rotation:
            self.refresh.clear()
        return "invalid_grant", "expired access/refresh token"

    def soap(self, version: str, request: Request) -> Response:
        """/services/Soap/u/NN.0"""
        text = request.body.decode()
        if float(version) > LAST_SOAP:
            fault = FAULT.format(code="UNSUPPORTED_API_VERSION", message="login() is not available")
            return Response(500, fault.encode(), "text/xml")
        parts = [re.search(rf"<n1:{p}>(.*?)</n1:{p}>", text) for p in ("username", "password")]
        if [p[1] if p else "" for p in parts] != [USER, PASSWORD]:
            message = "Invalid username, password, security token; or user locked out."
            return Response(500, FAULT.format(code="INVALID_LOGIN", message=message).encode(), "text/xml")
        good = GOOD.format(host=self.host, version=version, token=self.session())
        return Response(200, good.encode(), "text/xml")


def _no(error: str, words: str) -> Response:
    return Response(400, json.dumps({"error": error, "error_description": words}).encode())
