"""python -m sandbox: the company's servers until Ctrl-C; prints their addresses as one line of JSON."""

import argparse
import gc
import json
import signal
import threading
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from sandbox.cast import TODAY
from sandbox.http import LoopbackServer
from sandbox.hubspot import data as hubspot
from sandbox.hubspot.server import HubSpotServer
from sandbox.salesforce import data as salesforce
from sandbox.salesforce.server import SalesforceServer
from sandbox.sheets import write_sheets


def main() -> None:
    """Serve the company."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--deals", type=int, help="so many deals in each system instead of the cast's own")
    parser.add_argument("--reps", type=int, help="over so many reps")
    parser.add_argument("--today", type=date.fromisoformat, default=TODAY)
    parser.add_argument("--only", choices=("salesforce", "hubspot"), help="one of the two systems")
    parser.add_argument("--salesforce-port", type=int, default=0)
    parser.add_argument("--hubspot-port", type=int, default=0)
    parser.add_argument("--sheets", type=Path, help="write the company's spreadsheets into this folder")
    given = parser.parse_args()
    size = (given.seed, given.today, given.deals, given.reps)
    servers: dict[str, LoopbackServer] = {}
    if given.only != "hubspot":
        servers["salesforce"] = SalesforceServer(salesforce.generate(*size), given.salesforce_port)
    if given.only != "salesforce":
        servers["hubspot"] = HubSpotServer(hubspot.generate(*size), given.hubspot_port)
    if given.sheets:
        write_sheets(given.sheets, given.today, given.seed)
    gc.freeze()  # a million records are not looked through again and again
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        for server in servers.values():
            stack.enter_context(server)
        print(json.dumps({name: server.address for name, server in servers.items()}), flush=True)
        stop.wait()


main()
