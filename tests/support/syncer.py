"""python -m tests.support.syncer: runs one sync a line of JSON, each in a process of its own that can be killed.

The imports are made once and every run is forked from here, so that a sweep over many kills takes seconds.
"""

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors import connector_class
from models.database import open_store
from sync.rules import Rules
from sync.run import run_sync


def run(job: dict[str, Any]) -> None:
    """One sync of a small org's server into a store."""
    connector = connector_class("salesforce")("crm", job["options"], loopback=True)
    rules = Rules("EUR", "Europe/London", Path(job["landing"]))
    now = datetime.fromisoformat(job["now"])
    run_sync(open_store(job["store"]), "crm", connector, rules, clock=lambda: now, allow_removals=10**6)


def say(number: int) -> None:
    """A number on a line of its own, at once."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    """Fork for each job: its process id on one line, how it ended on the next."""
    connector_class("salesforce")  # imported before the first fork
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(json.loads(line))
            os._exit(0)
        say(child)
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
