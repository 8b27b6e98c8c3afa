"""Each engine reads the same Parquet file and answers the same twelve sums a person and quarter, in its own process.

All answers are compared: a run whose checksums differ is no result. Figures depend on the machine and on what else
runs on it; what counts are the ratios within one run. Nothing here fails because something was slow.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.recompute.deals import write
from benchmarks.rooms import CHECKOUT, Room
from benchmarks.usage import run

ENGINES = Room("engines", ("duckdb==2.0.1", "polars==2.1.0", "pandas==3.1.1", "pyarrow==26.0.1"))
HERE = Path(__file__).parent


def main() -> None:
    """Print one table: seconds, memory, and how each compares with DuckDB."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--deals", type=int, default=1_000_000)
    words.add_argument("--reps", type=int, default=5_000)
    words.add_argument("--times", type=int, default=3)
    wanted = words.parse_args()
    room = ENGINES.ready()
    with tempfile.TemporaryDirectory() as place:
        folder, file = Path(place), Path(place) / "deals.parquet"
        write(file, wanted.deals, wanted.reps)
        size = file.stat().st_size / 2**20
        print(f"{wanted.deals:,} deals of {wanted.reps:,} reps, {size:.0f} MiB of Parquet, {os.cpu_count()} cores")
        env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        commands = {
            "ours": [sys.executable, "-m", "benchmarks.recompute.ours", str(file)],
            **{
                n: [room.program("python"), str(HERE / "engines.py"), n, str(file)]
                for n in ("duckdb", "polars", "pandas")
            },
        }
        rows, answers = {}, {}
        for name, command in commands.items():
            uses = []
            for _ in range(wanted.times):
                out = folder / f"{name}.json"
                uses.append(run(command, out, env, CHECKOUT))
                answers[name] = json.loads(out.read_text())
            rows[name] = [statistics.median(getattr(u, what) for u in uses) for what in ("wall", "cpu", "peak")]
        print(f"{'engine':<10} {'wall s':>8} {'CPU s':>8} {'peak MiB':>9} {'× DuckDB':>9}  sums")
        for name, (wall, cpu, peak) in rows.items():
            same = "equal" if answers[name] == answers["duckdb"] else f"DIFFER: {answers[name]}"
            print(f"{name:<10} {wall:>8.2f} {cpu:>8.2f} {peak:>9.0f} {wall / rows['duckdb'][0]:>9.2f}  {same}")


if __name__ == "__main__":
    main()
