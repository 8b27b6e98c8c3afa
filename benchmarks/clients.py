"""The clients held against the pretend org: each reads users and opportunities, first whole and then what changed."""

import json
import sqlite3
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import beyond_quota
from benchmarks.pretend import Pretend
from benchmarks.rooms import AIRBYTE, CHECKOUT, DLT, FOREIGN, TAP, Room
from benchmarks.usage import Usage, run

USER = """Id Name IsActive Email EmployeeNumber FederationIdentifier Title ManagerId UserRoleId UserType
SystemModstamp"""
OPPORTUNITY = """Id Name OwnerId Amount StageName IsClosed IsWon CloseDate IsDeleted SystemModstamp CurrencyIsoCode
Probability ForecastCategory CreatedDate RecordTypeId"""
FIELDS = {"User": USER.split(), "Opportunity": OPPORTUNITY.split()}
"""The fields that our own connector reads. A client that can choose fields reads these, no more."""

LEAVE_OUT = """roles territories territory_members stages fiscal_periods quotas splits deal_history
deal_field_history activities"""
"""The streams that the others do not read. Exchange rates stay: an org of two currencies without them is no org."""

SIGN_IN = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}


@dataclass(frozen=True)
class Pull:
    """One run of a client: rows it read, live ids that it leads to by now, what it used, and calls it made."""

    read: Mapping[str, int]
    live: Mapping[str, int]
    usage: Usage
    calls: int

    @property
    def rows(self) -> int:
        """All rows read."""
        return sum(self.read.values())

    @property
    def pace(self) -> float:
        """Rows read by a second of processor."""
        return self.rows / self.usage.cpu


class Client(ABC):
    """One client and its folder; `stores` says what becomes of the rows."""

    name = stores = ""
    room: Room | None = None

    def __init__(self, org: Pretend, folder: Path) -> None:
        self.org, self.folder = org, folder / self.name
        self.folder.mkdir(parents=True)
        self.version = self.room.ready().version if self.room else beyond_quota.__version__
        self.prepare()

    @abstractmethod
    def prepare(self) -> None:
        """Whatever is done once, before anything is measured."""

    @abstractmethod
    def work(self) -> tuple[Usage, Mapping[str, int], Mapping[str, int]]:
        """One run: what it used, rows read, and ids that it leads to by now."""

    def pull(self) -> Pull:
        """One run with its calls; a second one reads what changed."""
        before = self.org.calls
        usage, read, live = self.work()
        return Pull(read, live, usage, self.org.calls - before)

    def write(self, name: str, facts: Any) -> Path:
        """A file of its folder, as JSON."""
        path = self.folder / name
        path.write_text(json.dumps(facts))
        return path


class Printer(Client):
    """A client that prints rows; `kept` are the ids that a loader behind it would hold by now."""

    def __init__(self, org: Pretend, folder: Path) -> None:
        self.kept: dict[str, set[str]] = {name: set() for name in FIELDS}
        super().__init__(org, folder)

    @abstractmethod
    def command(self) -> list[str]:
        """What is run, in its folder."""

    @abstractmethod
    def row(self, message: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
        """The object and the row in a message; any other message is taken note of."""

    @abstractmethod
    def finish(self) -> None:
        """Keep the state for the next run."""

    def work(self) -> tuple[Usage, Mapping[str, int], Mapping[str, int]]:
        out, read = self.folder / "out.jsonl", dict.fromkeys(FIELDS, 0)
        usage = run(self.command(), out, self.org.https, self.folder)
        for name, row in filter(None, map(self.row, messages(out))):
            read[name] += 1
            gone = str(row.get("IsDeleted", False)).lower() == "true"
            (self.kept[name].discard if gone else self.kept[name].add)(row["Id"])
        out.unlink()
        self.finish()
        return usage, read, {name: len(ids) for name, ids in self.kept.items()}


def messages(path: Path) -> Iterator[dict[str, Any]]:
    """What a client printed, line by line."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("{"):
                yield json.loads(line)


class Tap(Printer):
    """The Singer tap over REST: prints JSON."""

    name, stores, room = "tap-salesforce", "prints JSON", TAP

    def prepare(self) -> None:
        start = {"start_date": "2000-01-01T00:00:00Z", "api_type": "REST"}
        self.write("config.json", {**SIGN_IN, **start, "refresh_token": next_token(self.org)})
        run([self.room.program(self.name), "--config", "config.json", "--discover"], self.folder / "found.json",
            self.org.https, self.folder)  # fmt: skip
        found = json.loads((self.folder / "found.json").read_text())
        streams = [s for s in found["streams"] if s["stream"] in FIELDS]
        for stream in streams:
            for part in stream["metadata"]:
                own, wanted = part["metadata"], FIELDS[stream["stream"]]
                if part["breadcrumb"]:
                    own["selected"] = part["breadcrumb"][1] in wanted
                else:
                    own |= {"selected": True, "replication-method": "INCREMENTAL", "replication-key": "SystemModstamp"}
        self.write("catalog.json", {"streams": streams})
        self.state: Any = {}
        self.finish()

    def command(self) -> list[str]:
        program = self.room.program(self.name)
        return [program, "--config", "config.json", "--properties", "catalog.json", "--state", "state.json"]

    def row(self, message: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
        if message["type"] == "STATE":
            self.state = message["value"]
        return (message["stream"], message["record"]) if message["type"] == "RECORD" else None

    def finish(self) -> None:
        self.write("state.json", self.state)


class Airbyte(Printer):
    """Airbyte's source over Bulk 2.0: prints JSON; it cannot choose fields."""

    name, stores, room = "airbyte-source-salesforce", "prints JSON, all fields", AIRBYTE

    def prepare(self) -> None:
        start = {"start_date": "2024-01-01T00:00:00Z", "is_sandbox": False, "auth_type": "Client"}
        self.write("config.json", {**SIGN_IN, **start, "refresh_token": next_token(self.org)})
        out = self.folder / "found.jsonl"
        run([self.room.program("source-salesforce"), "discover", "--config", "config.json"], out, self.org.https,
            self.folder)  # fmt: skip
        streams: list[dict[str, Any]] = []
        for message in messages(out):
            self.row(message)
            if message["type"] == "CATALOG":
                streams = [s for s in message["catalog"]["streams"] if s["name"] in FIELDS]
        modes = {"sync_mode": "incremental", "destination_sync_mode": "append", "cursor_field": ["SystemModstamp"]}
        self.write("catalog.json", {"streams": [{"stream": stream, **modes} for stream in streams]})
        self.states: dict[str, Any] = {}
        self.finish()

    def command(self) -> list[str]:
        program = self.room.program("source-salesforce")
        return [program, "read", "--config", "config.json", "--catalog", "catalog.json", "--state", "state.json"]

    def row(self, message: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
        if message["type"] == "CONTROL":  # a new refresh token in place of the old one, which its platform keeps
            self.write("config.json", message["control"]["connectorConfig"]["config"])
        elif message["type"] == "STATE":
            self.states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
        return (message["record"]["stream"], message["record"]["data"]) if message["type"] == "RECORD" else None

    def finish(self) -> None:
        self.write("state.json", list(self.states.values()))


class Dlt(Client):
    """dlt's REST source: stores in DuckDB. It is given plain http, which costs it no TLS."""

    name, stores, room = "dlt", "stores in DuckDB", DLT

    def prepare(self) -> None:
        """Nothing: its script says all."""

    def work(self) -> tuple[Usage, Mapping[str, int], Mapping[str, int]]:
        out = self.folder / "out.json"
        script = str(FOREIGN / "dlt_pull.py")
        quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "HOME": str(self.folder)}
        command = [self.room.program("python"), script, self.org.address, str(self.folder), json.dumps(FIELDS)]
        usage = run(command, out, self.org.plain | quiet, self.folder)
        found = json.loads(out.read_text().splitlines()[-1])
        read = {name: found["read"].get(name.lower(), 0) for name in FIELDS}
        return usage, read, {"User": found["kept"]["user"][1], "Opportunity": found["live"]}


class Ours(Client):
    """`beyond-quota sync` into SQLite, compared with the org's own sums, and every scorecard. Plain http too."""

    name, stores = "beyond-quota", "stores in SQLite, scorecards"
    command: tuple[str, ...] = ("-m", "beyond_quota", "sync", "--json")

    def prepare(self) -> None:
        (self.folder / "beyond-quota.toml").write_text(
            f'loopback = true\ncurrency = "EUR"\n[connections.crm]\nkind = "salesforce"\npeople = "create"\n'
            f'address = "{self.org.address}"\nclient_id = "{SIGN_IN["client_id"]}"\n'
            f'client_secret = "{SIGN_IN["client_secret"]}"\nleave_out = {json.dumps(LEAVE_OUT.split())}\n'
        )

    def work(self) -> tuple[Usage, Mapping[str, int], Mapping[str, int]]:
        out = self.folder / "out.json"
        env = self.org.plain | {"PYTHONPATH": str(CHECKOUT)}
        usage = run([sys.executable, *self.command], out, env, self.folder)
        streams = {s["stream"]: s["read"] for s in json.loads(out.read_text())["runs"][0]["streams"]}
        with sqlite3.connect(self.folder / "beyond-quota.sqlite3") as store:
            deals = store.execute("SELECT count(*) FROM deal WHERE removed_at IS NULL").fetchone()[0]
        return usage, {"User": streams["people"], "Opportunity": streams["deals"]}, {"Opportunity": deals}


class Stored(Ours):
    """The same up to the rows in the store, which is as far as the others go."""

    name, stores = "beyond-quota, store only", "stores in SQLite"
    command = ("-m", "benchmarks.store_only")


def next_token(org: Pretend) -> str:
    """A refresh token for one more client: the pretend org gives a new grant for the asking."""
    return str(org.tell("grant")["refresh_token"])
