"""Ours beside the clients of others, on the same pretend portal: `python -m benchmarks.pull_hubspot`.

Each reads owners and deals whole; ours also what changed after one deal in a hundred was touched, and once at the
documented rate limit. What each holds is compared with what the portal says: a client that lost a deal is marked.
Figures depend on the machine; what counts are the ratios of one run. Nothing here fails because something was slow.
"""

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clients import messages
from benchmarks.pretend import Pretend, pretend
from benchmarks.rooms import CHECKOUT, DLT, FOREIGN, Room
from benchmarks.usage import Broke, Usage, run

AIRBYTE = Room("airbyte-source-hubspot", ("airbyte-source-hubspot==5.7.0",))
PAGE = 100  # deals of one call: the documented most
BURST, WINDOW = 190, 10.0  # calls in so many seconds: the documented limit of a private app


@dataclass(frozen=True)
class Pull:
    """One run: deals and owners that the client holds, what it used, and the calls that it made."""

    client: str
    deals: int
    owners: int
    usage: Usage
    calls: int


def ours(portal: Pretend, folder: Path) -> Pull:
    """`beyond-quota sync` up to the rows in the store, proven against the portal's own totals."""
    folder.mkdir(exist_ok=True)
    leave_out = ["quotas", "splits", "deal_history", "activities"]
    (folder / "beyond-quota.toml").write_text(
        'loopback = true\ncurrency = "EUR"\n[connections.crm]\nkind = "hubspot"\npeople = "create"\n'
        f'address = "{portal.address}"\ntoken = "sandbox-token"\nleave_out = {json.dumps(leave_out)}\n'
    )
    env = portal.plain | {"PYTHONPATH": str(CHECKOUT)}
    usage, calls = measured(portal, [sys.executable, "-m", "benchmarks.store_only"], folder, env)
    with sqlite3.connect(folder / "beyond-quota.sqlite3") as store:
        deals = store.execute("SELECT count(*) FROM deal WHERE removed_at IS NULL").fetchone()[0]
        rejected = store.execute("SELECT count(*) FROM reject WHERE stream = 'deals'").fetchone()[0]
        owners = store.execute("SELECT count(*) FROM identity").fetchone()[0]
    return Pull("beyond-quota, stores in SQLite", deals + rejected, owners, usage, calls)


def dlt(portal: Pretend, folder: Path) -> Pull:
    """dlt's REST source."""
    folder.mkdir()
    command = [
        DLT.ready().program("python"),
        str(FOREIGN / "dlt_hubspot.py"),
        portal.address,
        str(folder),
        "sandbox-token",
    ]
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "HOME": str(folder)}
    usage, calls = measured(portal, command, folder, portal.plain | quiet)
    kept = json.loads((folder / "out.txt").read_text().splitlines()[-1])["kept"]
    return Pull(f"dlt {DLT.version}, stores in DuckDB", kept["deals"][1], kept["owners"][1], usage, calls)


def airbyte(portal: Pretend, folder: Path) -> Pull:
    """Airbyte's HubSpot source, over https through the proxy on loopback."""
    folder.mkdir()
    sign_in = {"credentials_title": "Private App Credentials", "access_token": "sandbox-token"}
    config = {"start_date": "2020-01-01T00:00:00Z", "credentials": sign_in}
    (folder / "config.json").write_text(json.dumps(config))
    streams = [
        {"stream": {"name": name, "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh"]},
         "sync_mode": "full_refresh", "destination_sync_mode": "append"}
        for name in ("owners", "deals")
    ]  # fmt: skip
    (folder / "catalog.json").write_text(json.dumps({"streams": streams}))
    script = [AIRBYTE.ready().program("python"), str(FOREIGN / "airbyte_hubspot.py"), "read"]
    command = [*script, "--config", "config.json", "--catalog", "catalog.json"]
    usage, calls = measured(portal, command, folder, portal.https)
    ids: dict[str, set[str]] = {"owners": set(), "deals": set()}
    for message in messages(folder / "out.txt"):
        if message["type"] == "RECORD":
            ids[message["record"]["stream"]].add(str(message["record"]["data"]["id"]))
    name = f"airbyte-source-hubspot {AIRBYTE.version}, prints JSON"
    return Pull(name, len(ids["deals"]), len(ids["owners"]), usage, calls)


def measured(portal: Pretend, command: list[str], folder: Path, env: dict[str, str]) -> tuple[Usage, int]:
    """Run a client in its folder; what it used and the calls it made."""
    before = portal.calls
    usage = run(command, folder / "out.txt", env, folder)
    return usage, portal.calls - before


def rows(portal: Pretend, pulls: Iterator[Pull]) -> Iterator[tuple[bool, str]]:
    """One line a client, and whether it holds every live deal."""
    live = int(portal.ask("truth")["records"]["deals"])
    least = -(-live // PAGE)
    for pull in pulls:
        whole = pull.deals >= live
        pace = pull.deals / pull.usage.cpu
        yield (
            whole,
            (
                f"| {pull.client} | {pull.deals:,} of {live:,}{'' if whole else ' LOST'} | {pull.owners} | "
                f"{pull.usage.cpu:.2f} | {pace:,.0f} | {pull.usage.wall:.1f} | {pull.calls:,} ({least:,}) | "
                f"{pull.usage.peak:.0f} |"
            ),
        )


def everybody(portal: Pretend, place: Path, alone: bool) -> Iterator[Pull]:
    """Each client once."""
    for client in [ours] if alone else [ours, dlt, airbyte]:
        try:
            yield client(portal, place / client.__name__)
        except Broke as error:
            print(f"{client.__name__} broke off: {error}", file=sys.stderr)


def at_the_limit(portal: Pretend, place: Path) -> str:
    """Ours while the portal enforces what its vendor documents: the share of the allowed rate, and calls refused."""
    portal.tell("limits", on=True)
    before = portal.ask("calls")
    begun = time.perf_counter()
    pull = ours(portal, place / "limited")
    after = portal.ask("calls")
    portal.tell("limits", on=False)
    refused, wall = after["refused"] - before["refused"], pull.usage.wall
    allowed = BURST * (1 + (time.perf_counter() - begun) / WINDOW)
    return (
        f"at {BURST} calls in {WINDOW:.0f} s: {pull.calls:,} calls in {wall:.1f} s, "
        f"{pull.calls / allowed:.0%} of what was allowed from start to end, {refused} refused"
    )


def main() -> int:
    """Print the tables; 1 when a client lost something."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pull_hubspot", description=__doc__)
    parser.add_argument("--deals", type=int, default=20_000)
    parser.add_argument("--alone", action="store_true", help="without the clients of others")
    given = parser.parse_args()
    lost = 0
    head = "| client | deals | owners | CPU s | deals/CPU s | wall s | calls (least for the deals) | peak MiB |"
    with (
        tempfile.TemporaryDirectory() as folder,
        pretend(Path(folder), given.deals, given.deals // 200, "hubspot") as portal,
    ):
        place = Path(folder)
        print(f"### everything\n\n{head}\n|{' --- |' * 8}")
        for whole, line in rows(portal, everybody(portal, place, given.alone)):
            lost += not whole
            print(line, flush=True)
        portal.tell("clock", seconds=3600)
        portal.tell("touch", share=0.01)
        portal.tell("clock", seconds=600)
        print(f"\n### after one in a hundred was touched\n\n{head}\n|{' --- |' * 8}")
        for whole, line in rows(portal, iter([ours(portal, place / "ours")])):
            lost += not whole
            print(line, flush=True)
        print("\nDeals that went without a trace are found by the daily count, which is not due within the hour.")
        print(f"\n{at_the_limit(portal, place)}")
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
