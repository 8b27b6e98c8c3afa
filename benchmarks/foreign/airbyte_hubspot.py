"""Airbyte's HubSpot source, told whom to trust: it sends prepared requests, which look at no environment."""

import os
import sys
from typing import Any

import requests
from source_hubspot.run import run

begin = requests.Session.__init__


def told(self: requests.Session, *given: Any) -> None:
    """A session that goes through the proxy on loopback and trusts its authority."""
    begin(self, *given)
    self.verify = os.environ["REQUESTS_CA_BUNDLE"]
    self.proxies = {"https": os.environ["HTTPS_PROXY"]}


requests.Session.__init__ = told  # type: ignore[method-assign]
sys.argv[0] = "source-hubspot"
run()
