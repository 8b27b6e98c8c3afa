"""python -m sandbox: the company's two servers until Ctrl-C; prints their addresses as one line of JSON."""

import argparse
import json
import signal
import threading
from datetime import date
from pathlib import Path

from sandbox.cast import TODAY
from sandbox.company import Company
from sandbox.hubspot.server import HubSpotServer
from sandbox.salesforce.server import SalesforceServer
from sandbox.sheets import write_sheets


def main() -> None:
    """Serve the company."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--deals", type=int, help="so many deals in each system instead of the cast's own")
    parser.add_argument("--reps", type=int, help="over so many reps")
    parser.add_argument("--today", type=date.fromisoformat, default=TODAY)
    parser.add_argument("--salesforce-port", type=int, default=0)
    parser.add_argument("--hubspot-port", type=int, default=0)
    parser.add_argument("--sheets", type=Path, help="write the company's spreadsheets into this folder")
    given = parser.parse_args()
    company = Company.generate(given.seed, given.deals, given.reps, given.today)
    if given.sheets:
        write_sheets(given.sheets, given.today, given.seed)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with (
        SalesforceServer(company.salesforce, given.salesforce_port) as one,
        HubSpotServer(company.hubspot, given.hubspot_port) as two,
    ):
        print(json.dumps({"salesforce": one.address, "hubspot": two.address}), flush=True)
        stop.wait()


main()
