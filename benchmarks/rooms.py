"""A virtual environment for each foreign client, made once and kept; what it holds comes from the configured index."""

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
FOREIGN = CHECKOUT / "benchmarks" / "foreign"
PLACE = Path(os.environ.get("BEYOND_QUOTA_PEERS", CHECKOUT / ".peers"))
UV = str(Path(sys.executable).with_name("uv"))


@dataclass(frozen=True)
class Room:
    """One environment and the requirements in it."""

    name: str
    needs: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it is."""
        return PLACE / self.name

    def program(self, name: str) -> str:
        """One of its programs."""
        return str(self.folder / "bin" / name)

    @property
    def version(self) -> str:
        """The version of its first requirement."""
        return self.needs[0].split("==")[1]

    def ready(self) -> "Room":
        """Make it, unless it was made with these requirements before."""
        mark = self.folder / "needs"
        if mark.exists() and mark.read_text() == "\n".join(self.needs):
            return self
        print(f"making the environment of {self.name}", flush=True)
        subprocess.run([UV, "venv", "--quiet", "--clear", "--python", sys.executable, str(self.folder)], check=True)
        install = [
            UV,
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            self.program("python"),
            *self.needs,
        ]
        subprocess.run(install, check=True)
        mark.write_text("\n".join(self.needs))
        return self


TAP = Room("tap-salesforce", ("tap-salesforce==2.8.1",))
AIRBYTE = Room("airbyte-source-salesforce", ("airbyte-source-salesforce==2.10.3",))
DLT = Room("dlt", ("dlt[duckdb]==1.31.0",))
MOCK = Room(
    "simple-mockforce", ("simple-mockforce==0.8.1", f"simple-salesforce=={version('simple-salesforce')}", str(CHECKOUT))
)
PROXY = Room("tls-proxy", ("trustme==1.2.1",))
