"""Proves that clients nobody here wrote work against the pretend org: `make peers`.

Each has an environment of its own under .peers/ (made at the first run) and is pointed at a server on loopback; what
it reads is compared with what the org says it holds. Prints one line a proof; ends with 1 when one does not hold.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.clients import Airbyte, Client, Dlt, Tap
from benchmarks.pretend import Pretend, pretend
from benchmarks.rooms import CHECKOUT, FOREIGN, MOCK
from benchmarks.usage import Broke, run

DEALS, REPS = 5_000, 40
MARKS = {True: "ok  ", False: "NOT ", None: "    "}
Proof = tuple[str, str, bool | None]  # who, what, and whether it holds; None is only for the record


def extraction(kind: type[Client], org: Pretend, folder: Path) -> Iterator[Proof]:
    """A client finds the objects, and reads every live record once."""
    client = kind(org, folder)
    truth, pull = org.truth(), client.pull()
    who = f"{client.name} {client.version}"
    for name, number in truth.items():
        yield who, f"{pull.live[name]:,} of {number:,} live {name} records read", pull.live[name] == number
        yield who, f"{pull.read[name]:,} {name} rows came in all", pull.read[name] == number
    again = client.pull()
    yield who, f"an unchanged org: {again.rows} rows and {again.calls} calls", again.rows < 100


def sdk(org: Pretend, folder: Path) -> Iterator[Proof]:
    """simple-salesforce by itself reads the same number both ways."""
    found = inside("sdk_pull", org, folder)
    for name, number in org.truth().items():
        for way, read in found[name].items():
            yield "simple-salesforce", f"{read:,} of {number:,} {name} records by {way}", read == number
    yield "simple-salesforce", "sign-in by client credentials and by password; limits", bool(found["limits"])


def mockforce(org: Pretend, folder: Path) -> Iterator[Proof]:
    """The other way round: our connector's words before a Salesforce that others pretend."""
    found, who = inside("mockforce", org, folder), f"{MOCK.name} {MOCK.version}"
    for what, holds in found["works"].items():
        yield who, what, holds
    for what, came in found["other"].items():
        yield who, f"{what}: {came}", None


def inside(script: str, org: Pretend, folder: Path) -> Any:
    """What a script in the environment of simple-mockforce found."""
    out = folder / f"{script}.json"
    run(
        [MOCK.ready().program("python"), str(FOREIGN / f"{script}.py")],
        out,
        org.https | {"PYTHONPATH": str(CHECKOUT)},
        folder,
    )
    return json.loads(out.read_text().splitlines()[-1])


def proofs(org: Pretend, folder: Path) -> Iterator[Proof]:
    """Every proof, a client that breaks being one that does not hold."""
    checks = [(kind.name, extraction(kind, org, folder)) for kind in (Tap, Airbyte, Dlt)]
    for name, check in [*checks, ("simple-salesforce", sdk(org, folder)), ("simple-mockforce", mockforce(org, folder))]:
        try:
            yield from check
        except Broke as error:
            yield name, str(error), False


def main() -> int:
    """Run every proof."""
    wrong = 0
    with tempfile.TemporaryDirectory() as place, pretend(Path(place), DEALS, REPS) as org:
        for who, what, holds in proofs(org, Path(place)):
            wrong += holds is False
            print(f"{MARKS[holds]} {who}: {what}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
