"""What stands under every SDK: time-outs, retries, no foreign redirects, counted calls, and answers that are proven.

The SDKs turn bad answers into empty data: an HTML page with status 200 becomes an empty list, a redirect to another
host zero rows. Here an answer that cannot be proven is an error.
"""

import json
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from connectors.errors import BadAnswer
from models.errors import UserError

TIMEOUT = (10.0, 60.0)
"""Seconds to connect and to wait for the next byte; without it a hung socket hangs the job for ever."""

BUSY = (429, 477, 500, 502, 503, 504)
PAUSE, LONGEST = 0.3, 120
"""Seconds of the first pause before another try, and the longest that a busy server is waited for when it names one."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")
VENDORS = {
    "salesforce": (".salesforce.com", ".force.com", ".salesforce.mil", ".sfcrmproducts.cn"),
    "hubspot": (".hubapi.com",),
}


def retries(tries: int = 4) -> Retry:
    """Try a busy or broken server again, as long as it asks to; POST too, for all of ours can be repeated safely."""
    return Retry(
        total=tries, connect=min(tries, 2), backoff_factor=PAUSE, backoff_max=20, status_forcelist=BUSY,
        allowed_methods=None, raise_on_status=False, respect_retry_after_header=True, retry_after_max=LONGEST,
        redirect=False,
    )  # fmt: skip


def address_problem(kind: str, address: str, loopback: bool) -> str | None:
    """Why an address must not be called: not https, not the vendor's, or loopback without the switch. None if fine."""
    url = urlsplit(address)
    host = url.hostname or ""
    if host in LOOPBACK:
        return None if loopback else f"address {address} is on this machine; tests set `loopback = true` for that"
    if url.scheme != "https":
        return f"address {address} has to begin with https://"
    if not any(host.endswith(domain) for domain in VENDORS[kind]):
        return f"address {address} is not of {kind} (…{', …'.join(VENDORS[kind])})"
    return None


def ca_problem(ca_file: Any) -> str | None:
    """Why a file of authorities cannot be used; None if it can, or there is none."""
    if not ca_file:
        return None
    try:
        ssl.create_default_context(cafile=str(ca_file))
    except ssl.SSLError:
        return f"ca_file {ca_file} holds no certificate in PEM form"
    except OSError as error:
        return f"ca_file {ca_file} cannot be read ({error.strerror})"
    return None


class GuardedAdapter(HTTPAdapter):
    """Under a requests session: time-outs on every call, retries of reads, and all calls to the one address.

    simple-salesforce speaks https to hosts of its own making; with `address` every call goes there instead, which
    is how a server on loopback is reached.
    """

    def __init__(self, address: str | None = None, tries: int = 4) -> None:
        super().__init__(max_retries=retries(tries))
        self.address = urlsplit(address) if address else None
        self.calls = 0

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.calls += 1
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = TIMEOUT
        if self.address is not None:
            url = urlsplit(str(request.url))
            request.url = urlunsplit((self.address.scheme, self.address.netloc, url.path, url.query, ""))
        response = super().send(request, *args, **kwargs)
        if response.is_redirect:
            host = urlsplit(response.headers["location"]).hostname
            raise BadAnswer(f"the server sent us on to {host}, which was not followed; check the address")
        return response


def guarded_session(
    address: str | None, ca_file: Path | None = None, tries: int = 4
) -> tuple[requests.Session, GuardedAdapter]:
    """A session with the guard under it; proxy settings of the environment do not touch it.

    `ca_file` holds the authorities to trust instead of the usual ones. `tries` 0 never repeats a request by itself: for
    one that may only be made once.
    """
    session, adapter = requests.Session(), GuardedAdapter(address, tries)
    session.trust_env = False
    if ca_file is not None:
        session.verify = str(ca_file)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session, adapter


def proven_json(where: str, status: int, body: bytes, number: Callable[[str], Any] = float) -> Any:
    """The JSON of a good answer, its fractions as `number`; BadAnswer when it is an HTML page, cut off or empty."""
    try:
        return json.loads(body, parse_float=number)
    except ValueError:
        kind = "nothing" if not body.strip() else ("a web page" if body.lstrip()[:1] == b"<" else "cut-off JSON")
        raise BadAnswer(f"{where}: the server answered {status} with {kind} instead of data; try again later") from None


def proven_list(where: str, page: Any, key: str) -> list[Any]:
    """The rows of a page; BadAnswer when the list is not there, which is not the same as an empty one."""
    rows = page.get(key) if isinstance(page, Mapping) else None
    if not isinstance(rows, list):
        raise BadAnswer(f"{where}: the answer has no list `{key}`, so it is not known to be whole; try again later")
    return rows


def proven_options(name: str, problems: list[str]) -> None:
    """Raise every problem of a connection's options at once."""
    if problems:
        raise UserError(f"connection {name} has wrong options:", problems)


class Moving:
    """Proves that a page cursor moves: an SDK once asked for the same page thirty times."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.seen: set[str] = set()

    def next(self, cursor: str) -> str:
        """The cursor, if it is a new one."""
        if cursor in self.seen:
            raise BadAnswer(f"{self.where}: the server gave the page after {cursor} twice; stopped, nothing was lost")
        self.seen.add(cursor)
        return cursor
