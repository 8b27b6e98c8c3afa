"""A dry run says what a run would write, and writes nothing: the store is the same to the byte."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, select

from models.ledger import RunStatus
from sync.lease import Locked, take
from sync.rehearsal import Samples, rehearsal
from sync.report import RunReport
from sync.rules import Rules
from sync.run import run_sync
from tests.support.memory import Memory, deal, user

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def contents(store: Engine) -> dict[str, list[Any]]:
    """Every row of every table."""
    found = MetaData()
    found.reflect(store)
    with store.connect() as connection:
        return {t.name: sorted(map(repr, connection.execute(select(t)))) for t in found.sorted_tables}


def test_a_dry_run_says_what_a_run_then_does_and_writes_nothing(store: Engine, tmp_path: Path) -> None:
    source = Memory({"people": [user("u1"), user("u2")], "deals": [deal(f"d{n}") for n in range(9)]})

    def go(engine: Engine, landing: Path, **kwargs: Any) -> RunReport:
        return run_sync(engine, "memory", source, Rules("EUR", "UTC", landing), clock=lambda: NOW, **kwargs)

    go(store, tmp_path)
    source.rows["deals"] += [deal("d1", amount_minor=5), deal("d2", removed=True), deal("d9")]
    before, samples = contents(store), Samples()
    with rehearsal(store) as (pretended, folder):
        dry = go(pretended, folder, watch=samples)
    assert contents(store) == before
    assert not folder.exists()
    assert len(list(tmp_path.rglob("*.parquet"))) == 2
    assert samples.streams["deals"] == {
        "create": ["d9"],
        "change": [{"external_id": "d1", "fields": {"amount_minor": [10000, 5], "reporting_minor": [10000, 5]}}],
        "remove": ["d2"],
    }
    real = go(store, tmp_path)
    counts = [(s.stream, s.created, s.changed, s.removed) for s in real.streams]
    assert [(s.stream, s.created, s.changed, s.removed) for s in dry.streams] == counts
    assert (dry.status, dry.message) == (real.status, real.message)
    assert real.status is RunStatus.SUCCESS


def test_a_dry_run_shows_the_brake(store: Engine, tmp_path: Path) -> None:
    source = Memory({"people": [user(f"u{n}") for n in range(20)], "deals": []})
    run_sync(store, "memory", source, Rules("EUR", "UTC", tmp_path), clock=lambda: NOW)
    source.rows["people"] = []
    with rehearsal(store) as (pretended, folder):
        dry = run_sync(pretended, "memory", source, Rules("EUR", "UTC", folder), clock=lambda: NOW)
    assert "run again with --allow-removals 20" in dry.message


def test_only_a_few_rows_of_each_kind_are_shown(store: Engine, tmp_path: Path) -> None:
    source, samples = Memory({"deals": [deal(f"d{n}") for n in range(30)]}), Samples(4)
    with rehearsal(store) as (pretended, folder):
        run_sync(pretended, "memory", source, Rules("EUR", "UTC", folder), clock=lambda: NOW, watch=samples)
    assert samples.streams["deals"]["create"] == ["d0", "d1", "d2", "d3"]


def test_a_dry_run_waits_for_nobody_when_a_run_is_going_on(lite: Engine, tmp_path: Path) -> None:
    take(lite, "sync:memory", NOW)
    with rehearsal(lite) as (pretended, folder), pytest.raises(Locked):
        run_sync(pretended, "memory", Memory({}), Rules("EUR", "UTC", folder), clock=lambda: NOW)
