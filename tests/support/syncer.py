"""python -m tests.support.syncer: runs one sync a line of JSON, each in a process of its own that can be killed.

The imports are made once and every run is forked from here, so that a sweep over many kills takes seconds.
"""

import json
import os
import sys
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from connectors import connector_class
from models.database import open_store
from sync.rules import Rules
from sync.run import run_sync


def run(job: dict[str, Any]) -> None:
    """One sync of a small org or portal into a store; `set` are values of our modules for this run."""
    for place, value in job.get("set", {}).items():
        module, _, name = place.rpartition(".")
        setattr(import_module(module), name, value)
    connector = connector_class(job["kind"])("crm", job["options"], loopback=True)
    rules = Rules("EUR", "Europe/London", Path(job["landing"]))
    now = datetime.fromisoformat(job["now"])
    run_sync(open_store(job["store"]), "crm", connector, rules, clock=lambda: now, allow_removals=10**6)


def say(number: int) -> None:
    """A number on a line of its own, at once."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    """Fork for each job: its process id on one line, how it ended on the next."""
    for kind in ("salesforce", "hubspot"):
        connector_class(kind)  # imported before the first fork
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(json.loads(line))
            os._exit(0)
        say(child)
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
