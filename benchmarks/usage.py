"""Runs a program and tells what it used: seconds of processor, seconds on the clock, and its largest memory.

It is started anew for each program and is small itself, for a child's peak memory begins at that of its parent.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class Broke(Exception):
    """A program ended with an error: its last words."""


@dataclass(frozen=True)
class Usage:
    """What a program and everything it started used."""

    cpu: float
    wall: float
    peak: float  # MiB, of the largest process

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.cpu + other.cpu, self.wall + other.wall, max(self.peak, other.peak))


def run(command: Sequence[str], out: Path, env: Mapping[str, str], folder: Path) -> Usage:
    """Run a program, its output into a file; Broke when it does not end well."""
    errors = out.with_suffix(".log")
    watcher = [sys.executable, "-S", __file__, str(out), str(errors), *command]
    done = subprocess.run(watcher, env=dict(env), cwd=folder, capture_output=True, text=True, check=True)
    code, cpu, wall, peak = json.loads(done.stdout)
    if code:
        raise Broke(f"{command[0]} ended with {code}:\n{errors.read_text()[-3000:]}\n{out.read_text()[-1000:]}")
    return Usage(cpu, wall, peak)


def main() -> None:
    """Run the command behind the names of two files for what it says."""
    out, errors, *command = sys.argv[1:]
    begun = time.perf_counter()
    with open(out, "wb") as one, open(errors, "wb") as two:
        child = subprocess.Popen(command, stdout=one, stderr=two)
        _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    json.dump(
        [os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024], sys.stdout
    )


if __name__ == "__main__":
    main()
