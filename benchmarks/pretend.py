"""The pretend org in a process of its own, the proxy that lets https clients find it, and its control paths."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from benchmarks.rooms import CHECKOUT, FOREIGN, PROXY

DIRECT = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class Pretend:
    """A running org: where it is, and what a client needs in its environment to find it."""

    address: str
    proxy: str
    authority: Path

    @property
    def plain(self) -> dict[str, str]:
        """The environment of a client that is given the address: no bytecode setting of the workplace, no proxy."""
        own = ("PYTHONDONTWRITEBYTECODE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "PYTHONPATH")
        return {k: v for k, v in os.environ.items() if k not in own} | {"PYTHONUNBUFFERED": ""}

    @property
    def https(self) -> dict[str, str]:
        """The environment of a client that speaks https to hosts of its own making: all of it comes here."""
        trust = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"), str(self.authority))
        ways = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), self.proxy)
        return self.plain | trust | ways | {"NO_PROXY": "", "no_proxy": ""}

    def tell(self, name: str, **given: Any) -> Any:
        """POST to one of the sandbox's own paths."""
        request = Request(f"{self.address}/sandbox/{name}", json.dumps(given).encode(), method="POST")
        with DIRECT.open(request) as answer:
            return json.load(answer)

    def ask(self, name: str) -> Any:
        """GET one of the sandbox's own paths."""
        with DIRECT.open(f"{self.address}/sandbox/{name}") as answer:
            return json.load(answer)

    @property
    def calls(self) -> int:
        """Requests so far."""
        return int(self.ask("calls")["calls"])

    def truth(self) -> dict[str, int]:
        """Live users and opportunities."""
        records: Mapping[str, int] = self.ask("truth")["records"]
        return {name: records[name] for name in ("User", "Opportunity")}

    def catch_up(self) -> None:
        """Set the org's clock to this machine's: some clients take their own clock for that of the org."""
        behind = datetime.now(UTC) - datetime.fromisoformat(self.ask("calls")["now"])
        self.tell("clock", seconds=int(behind / timedelta(seconds=1)))


@contextmanager
def pretend(
    folder: Path, deals: int | None = None, reps: int | None = None, system: str = "salesforce"
) -> Iterator[Pretend]:
    """Start the org (or the HubSpot portal) and the proxy; both end with the block."""
    command = [sys.executable, "-m", "sandbox", "--only", system, "--today", date.today().isoformat()]
    command += ["--deals", str(deals), "--reps", str(reps)] if deals else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as server:
        try:
            address = _first_line(server)[system]
            port = address.rpartition(":")[2]
            script = str(FOREIGN / "tls_proxy.py")
            hand_on = [PROXY.ready().program("python"), script, port, str(folder)]
            with subprocess.Popen(hand_on, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as proxy:
                org = Pretend(address, _first_line(proxy)["proxy"], folder / "authority.pem")
                org.catch_up()
                yield org
                assert proxy.stdin is not None
                proxy.stdin.close()
        finally:
            server.terminate()


def _first_line(process: "subprocess.Popen[str]") -> dict[str, str]:
    assert process.stdout is not None
    found: dict[str, str] = json.loads(process.stdout.readline())
    return found
