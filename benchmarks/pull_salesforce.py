"""Ours beside the clients of others, on the same pretend org in the same hour: `python -m benchmarks.pull_salesforce`.

Each reads users and opportunities whole, then what changed after one in a hundred opportunities was touched; ours also
once when nothing changed. The org runs in a process of its own, which is not counted. Figures depend on the machine:
what counts are the ratios of one run. Nothing here fails because something was slow.
"""

import argparse
import compileall
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.clients import Airbyte, Client, Dlt, Ours, Pull, Stored, Tap
from benchmarks.pretend import pretend
from benchmarks.rooms import CHECKOUT
from benchmarks.usage import Broke

KINDS: dict[str, type[Client]] = {"ours": Ours, "stored": Stored, "tap": Tap, "airbyte": Airbyte, "dlt": Dlt}
WORDS = (
    "client",
    "rows",
    "CPU s",
    "rows/CPU s",
    "sync is",
    "store is",
    "wall s",
    "calls",
    "peak MiB",
    "live kept",
    "does with them",
)
OURS = ("beyond_quota", "config", "connectors", "metrics", "models", "sync", "web")


def measure(names: Sequence[str], deals: int, reps: int, place: Path) -> None:
    """Run every client on an org of this size and print the tables."""
    with pretend(place, deals, reps) as org:
        clients = [KINDS[name](org, place) for name in names]
        truth = org.truth()["Opportunity"]
        show(f"everything: {deals:,} opportunities, {reps:,} users", pulls(clients), truth)
        ours = [client for client in clients if isinstance(client, Ours)]
        show("nothing changed", pulls(ours), truth)
        org.catch_up()
        org.tell("touch", share=0.01)
        title = f"after {deals // 100:,} changed, 15 new, 10 in the bin, 10 gone past it"
        show(title, pulls(clients), org.truth()["Opportunity"])


def pulls(clients: Sequence[Client]) -> dict[Client, Pull]:
    """One run of each, one after the other."""
    found = {}
    for client in clients:
        print(f"… {client.name}", file=sys.stderr, flush=True)
        try:
            found[client] = client.pull()
        except Broke as error:
            print(f"{client.name} broke off and is not in the table: {error}", file=sys.stderr, flush=True)
    return found


def show(title: str, found: Mapping[Client, Pull], truth: int) -> None:
    """One table; `sync is` and `store is` say how many times as many rows a second of processor ours reads."""
    ours = [next((pull.pace for client, pull in found.items() if type(client) is kind), 0.0) for kind in (Ours, Stored)]
    print(f"\n### {title}; {truth:,} live now\n\n| {' | '.join(WORDS)} |\n|{' --- |' * len(WORDS)}")
    for client, pull in found.items():
        ratios = ["" if isinstance(client, Ours) or not pace else f"{pace / pull.pace:.1f}x" for pace in ours]
        used = pull.usage
        cells = (f"{client.name} {client.version}", f"{pull.rows:,}", f"{used.cpu:.2f}", f"{pull.pace:,.0f}", *ratios,
                 f"{used.wall:.1f}", f"{pull.calls:,}", f"{used.peak:.0f}", f"{pull.live['Opportunity']:,}",
                 client.stores)  # fmt: skip
        print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pull_salesforce", description=__doc__)
    parser.add_argument("--deals", type=int, default=20_000)
    parser.add_argument("--reps", type=int, help="by default one for 200 deals")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS), metavar="CLIENT")
    given = parser.parse_args()
    for folder in OURS:  # an installation brings bytecode along
        compileall.compile_dir(CHECKOUT / folder, quiet=1)
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as place:
        measure(given.only, given.deals, given.reps or given.deals // 200, Path(place))


if __name__ == "__main__":
    main()
