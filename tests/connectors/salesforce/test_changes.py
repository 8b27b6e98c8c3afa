"""What changed since the last time: by the server's clock, nothing lost at its edges, deletions of every kind."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from connectors.salesforce.soql import moment
from tests.connectors.salesforce.kit import Connect, live, read, soql

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def test_a_window_goes_from_the_last_server_time_less_the_overlap_to_now(server: Any, connect: Connect) -> None:
    first = server.org.clock
    cursor = read(connect(), "deals").cursor
    server.org.clock += DAY
    server.log.clear()
    assert datetime.fromisoformat(read(connect(), "deals", cursor).cursor["since"]) == first + DAY
    (window,) = soql(server, "FROM Opportunity")
    since, until = moment(first - 10 * MINUTE), moment(first + DAY)
    assert f"WHERE SystemModstamp >= {since} AND SystemModstamp <= {until} ORDER BY SystemModstamp, Id" in window


def test_the_overlap_can_be_set(server: Any, connect: Connect) -> None:
    cursor = read(connect(), "deals").cursor
    server.log.clear()
    read(connect(overlap_minutes=90), "deals", cursor)
    assert f"SystemModstamp >= {moment(server.org.clock - 90 * MINUTE)}" in soql(server, "FROM Opportunity")[0]


@pytest.mark.parametrize("off", [timedelta(days=-4), timedelta(days=4)])
def test_a_client_whose_clock_is_days_off_loses_nothing(server: Any, connect: Connect, off: timedelta) -> None:
    org = server.org
    with time_machine.travel(org.clock + off, tick=True):
        cursor = read(connect(), "deals").cursor
        org.clock += DAY
        changed = live(org)[:7]
        for deal in changed:
            org.change(deal, NextStep="call")
        org.clock += MINUTE
        found = read(connect(), "deals", cursor)
    assert sorted(found.ids) == sorted(d["Id"] for d in changed)
    assert datetime.fromisoformat(found.cursor["since"]) == org.clock


@pytest.mark.parametrize("late", [timedelta(0), timedelta(minutes=9, seconds=59)])
def test_what_becomes_visible_late_is_read_the_next_time(server: Any, connect: Connect, late: timedelta) -> None:
    deal = live(server.org)[0]
    cursor = read(connect(), "deals").cursor
    server.org.change(deal, NextStep="call")
    deal["SystemModstamp"] -= late  # committed after the window was read, stamped before
    server.org.clock += DAY
    assert read(connect(), "deals", cursor).ids == [deal["Id"]]


def test_what_changes_in_the_very_second_of_the_end_is_read(server: Any, connect: Connect) -> None:
    cursor = read(connect(), "deals").cursor
    server.org.clock += DAY
    source = connect()
    _ = source.began
    server.org.change(live(server.org)[0], NextStep="call")
    assert len(read(source, "deals", cursor).ids) == 1


def test_what_changes_while_it_is_read_is_read_the_next_time(server: Any, connect: Connect) -> None:
    cursor = read(connect(), "deals").cursor
    source = connect()
    _ = source.began
    server.org.clock += MINUTE
    deal = live(server.org)[0]
    server.org.change(deal, NextStep="call")
    found = read(source, "deals", cursor)
    assert found.ids == []
    assert read(connect(), "deals", found.cursor).ids == [deal["Id"]]


@pytest.mark.parametrize("kind", ["locator", "html", "truncate"])
def test_rows_that_share_a_second_are_told_apart_over_the_borders_of_pages(
    server: Any, connect: Connect, kind: str
) -> None:
    cursor = read(connect(), "deals").cursor
    server.org.clock += DAY
    for deal in server.org.deals:
        server.org.change(deal, NextStep="call")
    source = connect()
    source.account()
    server.fault(kind, nth=2, path="/queryAll/")
    found = read(source, "deals", cursor)
    assert sorted(found.ids) == sorted(d["Id"] for d in server.org.deals)


def test_nothing_new_costs_one_call_beside_what_there_is(server: Any, connect: Connect) -> None:
    cursors = {s.name: read(connect(), s.name).cursor for s in connect().streams() if not s.snapshot}
    source = connect()
    source.account()
    before = server.calls
    source.ready(cursors)
    for stream in ("quotas", "deals", "splits"):
        assert read(source, stream, cursors[stream]).ids == []
    asked = server.calls - before
    assert asked <= 6  # thirteen streams, five queries a call, and the deletions of three among them


def deals_of(server: Any, connect: Connect) -> tuple[Any, dict[str, Any]]:
    deal = next(d for d in live(server.org) if d["Amount"])
    cursor = read(connect(), "deals").cursor
    server.org.clock += DAY
    return deal, cursor


def test_a_soft_deletion_is_seen_by_the_query(server: Any, connect: Connect) -> None:
    deal, cursor = deals_of(server, connect)
    server.org.delete(deal)
    found = read(connect(), "deals", cursor)
    assert found.ids == [deal["Id"]]
    assert found.of(deal)["removed"]
    assert set(found.batches[-1].checks) == {"recycle bin", "deletion log"}


def test_a_hard_deletion_is_seen_in_the_log(server: Any, connect: Connect) -> None:
    deal, cursor = deals_of(server, connect)
    server.org.hard_delete(deal)
    found = read(connect(), "deals", cursor)
    assert found.ids == [deal["Id"]]
    assert found.of(deal)["removed"]
    assert found.rejects == []


def test_what_was_deleted_and_brought_back_lives(server: Any, connect: Connect) -> None:
    deal, cursor = deals_of(server, connect)
    server.org.delete(deal)
    gone = read(connect(), "deals", cursor)
    server.org.clock += DAY
    server.org.undelete(deal)
    found = read(connect(), "deals", gone.cursor)
    assert not found.of(deal)["removed"]
    server.org.deletions["Opportunity"] = {deal["Id"]: server.org.clock}  # the log remembers, the record lives
    assert not read(connect(), "deals", found.cursor).of(deal)["removed"]


def test_a_record_of_the_log_that_lives_and_was_not_read_is_looked_up(server: Any, connect: Connect) -> None:
    deal, cursor = deals_of(server, connect)
    server.org.deletions["Opportunity"] = {deal["Id"][:15]: server.org.clock}
    assert read(connect(), "deals", cursor).ids == []


@pytest.mark.parametrize(("stream", "kind"), [("quotas", "ForecastingQuota"), ("splits", "OpportunitySplit")])
def test_deletions_of_other_objects_are_seen_too(server: Any, connect: Connect, stream: str, kind: str) -> None:
    cursor = read(connect(), stream).cursor
    server.org.clock += DAY
    record = next(iter(server.org.objects[kind].values()))
    server.org.hard_delete(record)
    found = read(connect(), stream, cursor)
    assert found.ids == [record["Id"]]
    assert found.of(record)["removed"]


def test_a_log_that_does_not_reach_back_is_not_taken_for_whole(server: Any, connect: Connect) -> None:
    deal, cursor = deals_of(server, connect)
    server.org.hard_delete(deal)
    server.org.clock += 16 * DAY
    found = read(connect(), "deals", cursor)
    assert found.ids == []
    assert found.cursor["overdue"] is True
    assert "deletion log" not in found.batches[-1].checks
    assert "overdue" not in read(connect(), "deals", found.cursor).cursor


@pytest.mark.parametrize("status", [400, 404])
def test_a_log_that_is_refused_is_not_taken_for_empty(server: Any, connect: Connect, status: int) -> None:
    _, cursor = deals_of(server, connect)
    about = server.about

    def refuse(name: str, what: str, request: Any) -> Any:
        no = server.error(status, "INVALID_REPLICATION_DATE", "no")
        return no if what == "deleted" else about(name, what, request)

    server.about = refuse
    assert read(connect(), "deals", cursor).cursor["overdue"] is True


def test_a_record_that_is_hidden_is_missing_where_the_org_counts(server: Any, connect: Connect) -> None:
    deal, cursor = deals_of(server, connect)
    source = connect()
    before = {p.first_day: p for p in source.survey("deals") or ()}
    server.org.hide(deal)
    assert read(connect(), "deals", cursor).ids == []  # nothing tells of it
    month = deal["CloseDate"].replace(day=1)
    (part,) = [p for p in source.survey("deals") or () if p.first_day == month]
    assert part.rows == before[month].rows - 1
    code = deal["CurrencyIsoCode"]
    assert part.amounts[code] == before[month].amounts[code] - int(deal["Amount"] * 100)
    known = [d["Id"] for d in live(server.org) if d["CloseDate"].replace(day=1) == month]
    came = {i for b in source.recheck("deals", part, [*known, deal["Id"]]) for i in b.table["Id"].to_pylist()}
    assert came == set(known)


def test_a_record_that_moved_to_another_month_is_found_by_its_id(server: Any, connect: Connect) -> None:
    source = connect()
    part = (source.survey("deals") or [])[0]
    other = next(d for d in live(server.org) if d["CloseDate"].replace(day=1) != part.first_day)
    came = [i for b in source.recheck("deals", part, [other["Id"]]) for i in b.table["Id"].to_pylist()]
    assert came.count(other["Id"]) == 1
    assert len(came) == part.rows + 1


def test_a_formula_that_changed_without_a_stamp_shows_in_the_sums(server: Any, connect: Connect) -> None:
    source = connect(fields={"deals": {"amount": "ARR__c"}})
    deal = next(d for d in live(server.org) if d["ARR__c"])
    cursor = read(source, "deals").cursor
    before = source.survey("deals")
    deal["ARR__c"] += Decimal("0.01")
    assert read(connect(), "deals", cursor).ids == []
    assert source.survey("deals") != before


def test_fields_that_change_between_a_look_and_a_query_are_looked_at_again(server: Any, connect: Connect) -> None:
    source = connect()
    source.account()
    server.hidden = {"Opportunity.ForecastCategory"}
    found = read(source, "deals")
    assert len(found.rows) == 190
    assert found.rows["forecast_category"].isna().all()
