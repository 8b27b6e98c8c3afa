"""A store or a disk that fails at any write: one sentence says what to do, the last good state stays, the next run
heals."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from connectors.base import Batch, Drafts
from models import Connection, Deal, DealChange, Identity, Person, SyncRun
from models.base import core
from models.ledger import RunStatus
from sync.lease import Locked
from sync.report import RunReport
from sync.rules import Rules
from sync.run import run_sync
from tests.support.memory import Memory, deal, user

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
DEALS = 12
Go = Callable[..., RunReport]


def source(round_: int) -> Memory:
    """Two users and twelve deals, whose amounts changed in every round so far."""
    deals = [
        deal(f"d{n}", owner_external_id=["u1", "u2"][n % 2], amount_minor=n * 1000 + r)
        for r in range(round_ + 1)
        for n in range(DEALS)
    ]
    return Memory({"people": [user("u1"), user("u2")], "deals": deals})


@pytest.fixture
def go(store: Engine, tmp_path: Path) -> Go:
    """Run a source once."""
    rules = Rules("EUR", "UTC", tmp_path / "landing")
    return lambda memory, **how: run_sync(store, "memory", memory, rules, **({"clock": lambda: NOW} | how))


def at(round_: int, later: int = 0) -> Callable[[], datetime]:
    """The clock of a round: one an hour."""
    return lambda: NOW + timedelta(hours=round_, minutes=later)


def amounts(store: Engine) -> list[int]:
    """The amounts of all deals, by deal; one that is there twice shows."""
    table = core(Deal).c
    with store.connect() as connection:
        return list(connection.scalars(select(table.amount_minor).order_by(table.external_id)))


def number(store: Engine, model: Any) -> int:
    """How many rows there are."""
    with store.connect() as connection:
        return connection.scalar(select(func.count()).select_from(core(model))) or 0


def truth(round_: int) -> list[int]:
    """What the amounts of a round are, by deal."""
    return [n * 1000 + round_ for n in sorted(range(DEALS), key=lambda n: f"d{n}")]


@contextmanager
def failing(store: Engine, nth: int) -> Iterator[list[int]]:
    """The nth write of whatever runs inside fails as on a full disk; tells how many writes there were."""
    seen = [0]

    def refuse(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.lstrip().split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE", "COPY"):
            seen[0] += 1
            if seen[0] == nth:
                raise OperationalError("", {}, Exception("database or disk is full"))

    event.listen(store, "before_cursor_execute", refuse)
    try:
        yield seen
    finally:
        event.remove(store, "before_cursor_execute", refuse)


def test_a_failure_at_any_write_of_the_store_is_healed_by_the_next_run(go: Go, store: Engine) -> None:
    """Before every write the store refuses once; each deal has one history row for each time that it changed."""
    assert go(source(0)).status is RunStatus.SUCCESS
    round_ = 0
    while True:
        round_ += 1
        with failing(store, round_) as seen:
            try:
                report = go(source(round_), clock=at(round_))
            except SQLAlchemyError:
                report = None  # not even the run's own row could be written
        assert amounts(store) in (truth(round_ - 1), truth(round_))  # a batch is there whole or not at all
        if seen[0] < round_:
            break
        if report is not None and report.status is RunStatus.FAILED:
            assert "is full" in report.message
            assert "the next run goes on from there" in report.message
        healed = go(source(round_), clock=at(round_, later=10))  # a lease that could not be given back has run out
        assert healed.status is RunStatus.SUCCESS, (round_, healed.message)
        assert amounts(store) == truth(round_)
    assert round_ > 10, "the sweep saw too few writes to be one"
    with store.connect() as connection:
        table = core(DealChange).c
        changes = connection.execute(
            select(table.external_id, func.count()).where(table.field == "amount_minor").group_by(table.external_id)
        )
        assert {row[1] for row in changes} == {round_}
    assert (number(store, Person), number(store, Identity), number(store, Deal)) == (2, 2, DEALS)


def test_a_failure_at_any_file_is_healed_by_the_next_run(go: Go, store: Engine, monkeypatch: Any) -> None:
    assert go(source(0)).status is RunStatus.SUCCESS
    round_, real = 0, pq.write_table
    while True:
        round_ += 1
        written = [0]

        def write(table: Any, path: Path, at: int = round_, tally: list[int] = written, **how: Any) -> None:
            tally[0] += 1
            if tally[0] == at:
                Path(path).write_bytes(b"PAR1 half a fi")
                raise OSError(errno.ENOSPC, "No space left on device")
            real(table, path, **how)

        with monkeypatch.context() as patched:
            patched.setattr("sync.landing.pq.write_table", write)
            report = go(source(round_))
        if written[0] < round_:
            break
        assert report.status in (RunStatus.FAILED, RunStatus.PARTIAL)
        assert "the disk of the landing folder is full" in report.message
        healed = go(source(round_))
        assert healed.status is RunStatus.SUCCESS, healed.message
        assert amounts(store) == truth(round_)
    assert round_ > 2


def test_a_full_disk_leaves_the_last_good_state(lite: Engine, tmp_path: Path) -> None:
    """SQLite's own limit: the file may not grow by more than a few pages."""
    rules = Rules("EUR", "UTC", tmp_path / "landing")
    many = Memory({"people": [user("u1")], "deals": [deal(f"d{n}", owner_external_id="u1") for n in range(3000)]})
    few = Memory({"people": [user("u1")], "deals": [deal(f"d{n}", owner_external_id="u1") for n in range(5)]})
    assert run_sync(lite, "memory", few, rules, clock=lambda: NOW).status is RunStatus.SUCCESS
    before = amounts(lite)
    with lite.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    lite.dispose()
    limit = lambda raw, _: raw.execute(f"PRAGMA max_page_count={pages + 20}")  # noqa: E731
    event.listen(lite, "connect", limit)
    report = run_sync(lite, "memory", many, rules, clock=lambda: NOW)
    assert report.status is RunStatus.PARTIAL  # the people were read
    assert "the disk of the store is full; nothing of this batch was written; free some space" in report.message
    assert amounts(lite) == before
    with lite.connect() as connection:
        proven = connection.scalar(select(core(Connection).c.last_success_run))
        assert proven != report.run_id  # figures of deals that could not be stored are no fresher than they were
    event.remove(lite, "connect", limit)
    lite.dispose()
    healed = run_sync(lite, "memory", many, rules, clock=lambda: NOW)
    assert healed.status is RunStatus.SUCCESS, healed.message
    assert len(amounts(lite)) == 3000


def test_a_store_that_another_process_keeps_locked_is_said_so(lite: Engine, tmp_path: Path) -> None:
    rules = Rules("EUR", "UTC", tmp_path / "landing")
    assert run_sync(lite, "memory", source(0), rules, clock=lambda: NOW).status is RunStatus.SUCCESS
    patience = lambda raw, _: raw.execute("PRAGMA busy_timeout=50")  # noqa: E731
    lite.dispose()
    event.listen(lite, "connect", patience)
    other: list[Any] = []

    class Shared(Memory):
        """Another process takes the store for itself between two transactions of the run."""

        def translate(self, batch: Batch) -> Drafts:
            """As ever."""
            if batch.stream == "deals" and not other:
                other.append(lite.raw_connection())
                other[0].cursor().execute("BEGIN IMMEDIATE")
            return super().translate(batch)

    memory = Shared(source(1).rows)
    with pytest.raises(OperationalError, match="locked"):  # not even the end of the run can be written down
        run_sync(lite, "memory", memory, rules, clock=lambda: NOW)
    other[0].rollback()
    other[0].close()
    assert amounts(lite) == truth(0)
    with pytest.raises(Locked):  # its lease could not be given back, so it has to run out
        run_sync(lite, "memory", source(1), rules, clock=lambda: NOW)
    assert run_sync(lite, "memory", source(1), rules, clock=at(0, later=6)).status is RunStatus.SUCCESS
    assert amounts(lite) == truth(1)
    with lite.connect() as connection:
        assert "stale" in set(connection.scalars(select(core(SyncRun).c.status)))


def test_a_connection_lost_in_the_middle_of_a_transaction_leaves_the_last_good_state(
    store_postgres: Engine, tmp_path: Path
) -> None:
    store, rules = store_postgres, Rules("EUR", "UTC", tmp_path / "landing")
    assert run_sync(store, "memory", source(0), rules, clock=lambda: NOW).status is RunStatus.SUCCESS
    killed = [0]

    def terminate(stream: str, *_: Any) -> None:  # called inside the batch's transaction
        if stream == "deals" and not killed[0]:
            with store.connect() as connection:
                others = text("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                              "WHERE datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip
                killed[0] = connection.scalar(others) or 0

    report = run_sync(store, "memory", source(1), rules, clock=lambda: NOW, watch=terminate)
    assert killed[0] > 0
    assert report.status in (RunStatus.FAILED, RunStatus.PARTIAL)
    assert "the connection to the store was lost; nothing of this batch was written" in report.message
    assert amounts(store) == truth(0)
    healed = run_sync(store, "memory", source(1), rules, clock=lambda: NOW)
    assert healed.status is RunStatus.SUCCESS, healed.message
    assert amounts(store) == truth(1)
