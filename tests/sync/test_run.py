"""One run of one connection, against a source in memory, on both databases."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, inspect, select

from connectors.errors import SignInAgain
from models import Deal, DealChange, Identity, Person, Quota, Reject, SourceTotal, StreamCursor, SyncRun
from models.base import core
from models.ledger import RunStatus
from sync.lease import KEPT_FOR, LeaseLost, Locked, take
from sync.report import RunReport
from sync.rules import Rules
from sync.run import run_sync
from tests.support.memory import Memory, deal, user

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
def go(store: Engine, tmp_path: Path) -> Callable[..., RunReport]:
    """Run a source once."""
    rules = Rules("EUR", "UTC", tmp_path / "landing")

    def run(source: Memory, **kwargs: Any) -> RunReport:
        return run_sync(store, "memory", source, rules, **({"clock": lambda: NOW} | kwargs))

    return run


def held(store: Engine) -> dict[str, int | None]:
    """Live deals and their cents."""
    table = core(Deal).c
    with store.connect() as connection:
        rows = connection.execute(select(table.external_id, table.amount_minor).where(table.removed_at.is_(None)))
        return {row.external_id: row.amount_minor for row in rows}


def count(store: Engine, model: Any) -> int:
    with store.connect() as connection:
        return connection.scalar(select(func.count()).select_from(core(model))) or 0


def seven() -> Memory:
    """Two users and seven deals, one of them nobody's and one of a user who is not in the list."""
    deals = [deal(f"d{n}", owner_external_id=["u1", "u2", None, "u9"][n % 4], amount_minor=n * 1000) for n in range(7)]
    return Memory({"people": [user("u1"), user("u2")], "deals": deals})


def test_a_first_run_stores_everything_and_proves_it(go: Any, store: Engine) -> None:
    report = go(seven())
    assert report.status is RunStatus.SUCCESS, report.message
    assert len(held(store)) == 7
    assert count(store, Person) == 2
    assert report.message == "9 rows written; totals equal the source's own"


def test_an_unchanged_source_writes_nothing(go: Any, store: Engine) -> None:
    source = seven()
    go(source)
    report = go(source)
    assert report.status is RunStatus.SUCCESS
    assert report.wrote == 0
    assert report.message == "nothing has changed"
    assert count(store, DealChange) == 0


def test_a_change_is_kept_in_history_and_only_its_person_is_touched(go: Any, store: Engine) -> None:
    source = seven()
    go(source)
    source.rows["deals"].append(deal("d1", owner_external_id="u2", amount_minor=1500))
    report = go(source)
    table = core(DealChange).c
    with store.connect() as connection:
        rows = connection.execute(select(table.field, table.old_value, table.new_value)).all()
        u2 = connection.scalar(select(core(Identity).c.person_id).where(core(Identity).c.external_id == "u2"))
    assert [tuple(r) for r in rows] == [("amount_minor", "1000", "1500")]
    assert report.touched == {u2}


def test_a_total_that_differs_from_the_source_is_partial_and_says_by_how_much(go: Any) -> None:
    source = seven()
    source.lie = 5
    report = go(source)
    assert report.status is RunStatus.PARTIAL
    assert "memory says 210.05 EUR, we hold 210.00" in report.message


def test_a_difference_is_partial_until_a_run_proves_that_it_is_gone(go: Any) -> None:
    """A quiet run is no proof: what was found different in another quarter is asked for again."""
    source = Memory({"people": [user("u1")], "deals": [deal("d1", close_day="2025-02-03", amount_minor=100)]})
    source.lie = 5
    assert go(source).status is RunStatus.PARTIAL
    assert "memory says 1.05 EUR, we hold 1.00" in go(source).message
    source.lie = 0
    assert go(source).status is RunStatus.SUCCESS


def test_quarters_of_a_run_that_broke_off_are_proven_by_the_next_one(go: Any, monkeypatch: Any) -> None:
    source = Memory({"people": [user("u1")], "deals": [deal("d1", close_day="2025-02-03", amount_minor=100)]})

    def break_off(run: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("sync.run.prove", break_off)
        with pytest.raises(RuntimeError):
            go(source)
    source.lie = 5
    assert "memory says 1.05 EUR" in go(source).message


def test_money_that_the_source_says_nothing_of_is_a_difference(go: Any) -> None:
    source = seven()
    source.silent = {"won"}
    report = go(source)
    assert report.status is RunStatus.PARTIAL
    assert "memory says 0.00 EUR, we hold 210.00" in report.message


def test_a_rejected_row_is_counted_kept_and_mended_later(go: Any, store: Engine) -> None:
    source = seven()
    source.broken = {"d5"}
    report = go(source)
    assert report.status is RunStatus.PARTIAL
    assert report.message == "1 row is rejected, each with its reason"
    assert "d5" not in held(store)
    assert count(store, Reject) == 1
    source.broken, source.rows["deals"] = set(), [*source.rows["deals"], source.rows["deals"][5]]
    assert go(source).status is RunStatus.SUCCESS
    assert held(store)["d5"] == 5000
    assert count(store, Reject) == 0


def test_a_good_row_that_turns_bad_is_counted_once_as_a_reject(go: Any, store: Engine) -> None:
    source = seven()
    go(source)
    source.broken = {"d5"}
    source.rows["deals"].append(source.rows["deals"][5])
    report = go(source)
    assert "d5" not in held(store)
    assert "we hold" not in report.message  # the reject's money still adds up to the source's total
    assert count(store, Reject) == 1


def test_a_snapshot_that_lost_its_rows_stops_before_anything_is_removed(go: Any, store: Engine) -> None:
    source = Memory({"people": [user(f"u{n}") for n in range(20)], "deals": []})
    go(source)
    source.rows["people"] = []
    report = go(source)
    assert report.streams[0].status is RunStatus.FAILED
    assert "20 of 20 people are gone" in report.streams[0].message
    with store.connect() as connection:
        assert connection.scalar(select(func.count()).where(core(Identity).c.active)) == 20
    assert go(source, allow_removals=20).status is RunStatus.SUCCESS


def test_a_run_that_breaks_off_goes_on_from_the_last_kept_page(go: Any, store: Engine, monkeypatch: Any) -> None:
    monkeypatch.setattr("sync.landing.gather.__defaults__", (1,))
    source = Memory({"deals": [deal(f"d{n}") for n in range(30)]}, fail_at=5)
    report = go(source)
    assert report.status is RunStatus.FAILED
    assert report.message == "memory stopped answering; start it again"
    assert len(held(store)) == 12
    source.fail_at = None
    go(source)
    assert source.reads[-1] == {"n": 12}
    assert len(held(store)) == 30


def test_a_failed_sign_in_stops_the_run_and_keeps_what_was_there(go: Any, store: Engine) -> None:
    source = seven()
    go(source)
    source.fail_at, source.calls, source.error = 1, 0, SignInAgain("memory does not take the token; make a new one")
    report = go(source)
    assert report.status is RunStatus.FAILED
    assert len(report.streams) == 1
    assert len(held(store)) == 7


def test_a_slot_runs_once(go: Any, store: Engine) -> None:
    assert go(seven(), slot="2026-11-24T02:00Z").status is RunStatus.SUCCESS
    again = go(seven(), slot="2026-11-24T02:00Z")
    assert again.status is RunStatus.SKIPPED
    assert count(store, SyncRun) == 1


def test_only_one_process_syncs_a_connection(go: Any, store: Engine) -> None:
    take(store, "sync:memory", NOW)
    with pytest.raises(Locked, match="sync:memory is held by"):
        go(seven())


def test_a_lease_that_ran_out_is_taken_over_and_the_old_holder_writes_nothing(store: Engine) -> None:
    first = take(store, "x", NOW)
    second = take(store, "x", NOW + KEPT_FOR)
    assert second.fence == first.fence + 1
    with store.begin() as connection:
        second.renew(connection, NOW + KEPT_FOR)
    with pytest.raises(LeaseLost), store.begin() as connection:
        first.renew(connection, NOW + KEPT_FOR)


def test_the_same_person_in_two_sources_is_one_person(store: Engine, tmp_path: Path) -> None:
    rules = {"a": Rules("EUR", "UTC", tmp_path), "b": Rules("EUR", "UTC", tmp_path, people="match")}
    people = {
        "a": [user("ana", employee_id="E1", email="Ana@Example.com"), user("ben")],
        "b": [user("x1", employee_id="E1", email="other@example.com"), user("x2", email="BEN@example.com"), user("x3")],
    }
    for name in ("a", "b"):
        run_sync(store, name, Memory({"people": people[name]}), rules[name], clock=lambda: NOW)
    table = core(Identity).c
    with store.connect() as connection:
        found = {(r.connection, r.external_id): r for r in connection.execute(select(core(Identity)))}
    assert count(store, Person) == 2
    assert found["b", "x1"].person_id == found["a", "ana"].person_id
    assert (found["b", "x1"].matched_by, found["b", "x2"].matched_by) == ("employee id", "e-mail")
    assert (found["b", "x3"].state, found["b", "x3"].person_id) == ("unmatched", None)
    assert table is not None


def test_a_queue_or_a_robot_owns_deals_but_nobody_is_made_of_it(go: Any, store: Engine) -> None:
    go(
        Memory(
            {"people": [user("u1"), user("robot", is_person=False)], "deals": [deal("d", owner_external_id="robot")]}
        )
    )
    assert count(store, Person) == 1
    with store.connect() as connection:
        state = connection.scalar(select(core(Identity).c.state).where(core(Identity).c.external_id == "robot"))
    assert state == "unmatched"


def test_deals_that_came_before_their_owner_are_given_to_them_when_matched(go: Any, store: Engine) -> None:
    source = seven()
    go(source)
    source.rows["people"].append(user("u9"))
    report = go(source)
    with store.connect() as connection:
        person = connection.scalar(select(core(Identity).c.person_id).where(core(Identity).c.external_id == "u9"))
        owned = connection.scalar(select(func.count()).where(core(Deal).c.person_id == person))
    assert owned == 1
    assert person in report.touched


def test_money_is_converted_by_the_rate_of_the_close_date_and_again_when_rates_change(go: Any, store: Engine) -> None:
    rate = {"base": "EUR", "currency": "USD"}
    rates = [rate | {"external_id": "1", "first_day": "2026-01-01", "units_per_base": "1.25"}]
    deals = [
        deal("old", currency="USD", close_day="2026-05-05", amount_minor=100_00),
        deal("new", currency="USD", close_day="2026-11-05", amount_minor=100_00),
        deal("before", currency="USD", close_day="2025-11-05", amount_minor=100_00),
        deal("yen", currency="JPY", amount_minor=1000),
    ]
    source = Memory({"people": [user("u1")], "rates": rates, "deals": deals})
    go(source)

    def worth() -> dict[str, int | None]:
        with store.connect() as connection:
            return {r.external_id: r.reporting_minor for r in connection.execute(select(core(Deal)))}

    # No rate for 2025 and none for yen: unknown, never 1 and never 0.
    assert worth() == {"old": 8000, "new": 8000, "before": None, "yen": None}
    source.rows["rates"] = [*rates, rate | {"external_id": "2", "first_day": "2026-07-01", "units_per_base": "1.60"}]
    go(source)
    assert worth() == {"old": 8000, "new": 6250, "before": None, "yen": None}


def test_quotas_are_kept_with_their_history(go: Any, store: Engine) -> None:
    quota = {"external_id": "q1", "owner_external_id": "u1", "first_day": "2026-10-01", "end_day": "2026-11-01"}
    source = Memory({"people": [user("u1")], "quotas": [quota | {"amount_minor": 1000, "currency": "EUR"}]})
    go(source)
    source.rows["quotas"] = [quota | {"amount_minor": 1500, "currency": "EUR"}]
    go(source)
    with store.connect() as connection:
        row = connection.execute(select(core(Quota))).one()
        assert (row.amount_minor, row.reporting_minor) == (1500, 1500)
        assert row.person_id is not None


def test_cursor_and_rows_are_one_transaction(go: Any, store: Engine, monkeypatch: Any) -> None:
    def break_off(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sync.apply.keep_cursor", break_off)
    report = go(Memory({"deals": [deal("d1")]}))
    assert report.status is RunStatus.FAILED
    assert "No space left on device" in report.message
    assert held(store) == {}
    assert count(store, StreamCursor) == 0


def test_a_first_fill_has_its_indexes_at_the_end_also_after_it_broke_off(
    go: Any, store: Engine, monkeypatch: Any
) -> None:
    monkeypatch.setattr("sync.landing.gather.__defaults__", (1,))
    wanted = {index.name for index in core(Deal).indexes}
    source = Memory({"deals": [deal(f"d{n}") for n in range(30)]}, fail_at=5)
    go(source)
    assert count(store, Deal) == 12
    if store.dialect.name == "sqlite":
        assert _indexes(store).isdisjoint(wanted)
    source.fail_at = None
    go(source)
    assert count(store, Deal) == 30
    assert _indexes(store) >= wanted


def _indexes(store: Engine) -> set[Any]:
    return {index["name"] for index in inspect(store).get_indexes("deal")}


def test_the_sources_own_totals_are_stored_by_quarter(go: Any, store: Engine) -> None:
    go(Memory({"deals": [deal("a", close_day="2026-08-01"), deal("b"), deal("c", status="open", amount_minor=None)]}))
    with store.connect() as connection:
        rows = {
            (r.first_day, r.status): (r.amount_minor, r.deals) for r in connection.execute(select(core(SourceTotal)))
        }
    assert rows == {
        (date(2026, 7, 1), "won"): (10000, 1),
        (date(2026, 10, 1), "won"): (10000, 1),
        (date(2026, 10, 1), "open"): (0, 1),
    }


def test_batches_are_landed_as_received_but_feedback_never_is(go: Any, tmp_path: Path) -> None:
    feedback = {"external_id": "f", "person": "u1@example.com", "batch": "2026-10", "what_happened": "x"}
    go(Memory({"people": [user("u1")], "deals": [deal("a")], "feedback": [feedback]}))
    landed = {p.parent.parent.name for p in (tmp_path / "landing").rglob("*.parquet")}
    assert landed == {"people", "deals"}


def test_a_user_who_came_back_under_a_new_id_is_one_person_and_a_shared_mailbox_nobody(go: Any, store: Engine) -> None:
    """HubSpot archives an owner who leaves and makes a new one, with the same e-mail, when they return."""
    deals = [deal("old", owner_external_id="u1"), deal("new", owner_external_id="u2")]
    back = [user("u1", email="Ana@example.com", active=False), user("u2", email="ana@example.com")]
    both = [user(n, email="sales@example.com") for n in ("u3", "u4")]
    go(Memory({"people": [*back, *both], "deals": deals}))
    identity, table = core(Identity).c, core(Deal).c
    with store.connect() as connection:
        who = dict(connection.execute(select(identity.external_id, identity.person_id)).all())
        credited = set(connection.scalars(select(table.person_id)))
    assert who["u1"] == who["u2"]
    assert credited == {who["u1"]}
    assert len({who["u3"], who["u4"], who["u1"]}) == 3
