"""Changes are followed without a gap: ties, the lagging index, what vanished; and a whole list is read side by side."""

import random
from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import BadAnswer
from sandbox.hubspot import data
from sandbox.hubspot.portal import Portal, stamp
from sandbox.hubspot.server import HubSpotServer
from tests.connectors.hubspot.kit import Connect, read, stored, until_it_breaks, watch


def many(portal: Portal, number: int) -> None:
    """So many more deals, all changed in one moment."""
    rng, owner = random.Random(1), next(iter(portal.owners))
    for _ in range(number):
        data.make_deal(portal, rng, owner, "appointment", portal.today)


def live(portal: Portal) -> set[str]:
    return {i for i, d in portal.deals.items() if not d["archived"]}


def searches(seen: list[Any]) -> int:
    return sum(1 for r in seen if r.path.endswith("/search"))


def test_12_000_deals_of_one_moment_end_in_sixty_calls(server: HubSpotServer, portal: Portal, connect: Connect) -> None:
    cursor = read(connect(), "deals").cursor
    portal.clock += timedelta(hours=1)
    before = live(portal)
    many(portal, 12_000)
    seen = watch(server)
    found = read(connect(overlap_minutes=0), "deals", cursor)
    assert set(found.ids) == live(portal) - before
    assert len(found.ids) == len(set(found.ids)) == 12_000
    assert searches(seen) == 60
    assert not any(r.json.get("after") for r in seen if r.path.endswith("/search"))


def test_changes_that_the_index_shows_late_are_found_by_the_overlap(
    server: HubSpotServer, portal: Portal, connect: Connect
) -> None:
    cursor = read(connect(), "deals").cursor
    portal.lag = timedelta(minutes=10)
    many(portal, 3)
    portal.clock += timedelta(minutes=5)
    first = read(connect(), "deals", cursor)
    portal.clock += timedelta(minutes=8)
    second = read(connect(), "deals", first.cursor)
    new = set(sorted(live(portal), key=int)[-3:])
    assert not new & set(first.ids)
    assert new <= set(second.ids)


def test_deals_that_change_while_they_are_read_move_no_other_out_of_sight(
    server: HubSpotServer, portal: Portal, connect: Connect
) -> None:
    cursor = read(connect(), "deals").cursor
    portal.clock += timedelta(hours=1)
    before = live(portal)
    many(portal, 1000)
    new = sorted(live(portal) - before, key=int)

    def change() -> None:
        portal.clock += timedelta(minutes=1)
        for i in new[:150]:
            portal.archive(portal.deals[i])

    server.later(change, nth=3, path="/search")
    found = read(connect(), "deals", cursor)
    assert set(new) <= set(found.ids) | set(found.rows[found.rows["removed"].astype(bool)].index)
    assert set(new[150:]) <= set(found.ids)


def test_a_pull_that_broke_off_goes_on_after_the_last_page_that_was_kept(
    server: HubSpotServer, portal: Portal, connect: Connect
) -> None:
    cursor = read(connect(), "deals").cursor
    portal.clock += timedelta(hours=1)
    many(portal, 1000)
    server.fault("html", nth=4, times=50, path="/search")
    kept = until_it_breaks(connect(overlap_minutes=0), "deals", cursor)
    server.faults.clear()
    assert len(kept) == 3
    portal.clock += timedelta(hours=1)
    rest = read(connect(overlap_minutes=0), "deals", stored(kept[-1].cursor))
    assert len(rest.ids) == 400
    assert rest.cursor["since"] == kept[-1].cursor["stamp"]  # what changed meanwhile is read by the next run


@pytest.mark.parametrize("after", ["id", "next"])
@pytest.mark.parametrize("at_once", [1, 3, 8])
def test_a_whole_list_is_read_once_however_many_read_it(
    server: HubSpotServer, portal: Portal, connect: Connect, at_once: int, after: str
) -> None:
    server.after = after
    many(portal, 3000)
    seen = watch(server)
    found = read(connect(at_once=at_once), "deals")
    assert sorted(found.ids, key=int) == sorted(live(portal), key=int)
    lists = sum(1 for r in seen if r.path.endswith("/deals") and r.one("archived", "false") == "false")
    assert lists <= (len(live(portal)) / 100 + 1) * 1.05 + 2 * at_once


def test_ids_that_lie_far_apart_are_read_once_too(server: HubSpotServer, portal: Portal, connect: Connect) -> None:
    rng = random.Random(3)
    for _ in range(3000):
        portal.numbers += int(rng.expovariate(1 / 10)) ** 3
        many(portal, 1)
    found = read(connect(), "deals")
    assert sorted(found.ids, key=int) == sorted(live(portal), key=int)


@pytest.mark.parametrize("after", ["id", "next"])
@pytest.mark.parametrize("nth", [2, 5, 9, 14])
def test_a_whole_list_that_broke_off_goes_on_with_what_is_left(
    server: HubSpotServer, portal: Portal, connect: Connect, nth: int, after: str
) -> None:
    server.after = after
    many(portal, 1500)
    server.fault("html", nth=nth, times=100, path="/deals?")
    kept = until_it_breaks(connect(at_once=3), "deals")
    server.faults.clear()
    rest = read(connect(at_once=3), "deals", stored(kept[-1].cursor))
    before = [i for b in kept for i in b.table["id"].to_pylist()]
    assert sorted([*before, *rest.ids], key=int) == sorted(live(portal), key=int)


def test_deals_made_and_archived_while_the_list_is_read_are_neither_lost_nor_doubled(
    server: HubSpotServer, portal: Portal, connect: Connect
) -> None:
    many(portal, 2000)
    old = sorted(live(portal), key=int)

    def change() -> None:
        many(portal, 150)
        for i in old[:100]:
            portal.archive(portal.deals[i])

    server.later(change, nth=6, path="/deals?")
    found = read(connect(), "deals")
    assert len(found.ids) == len(set(found.ids))
    assert set(old[100:]) <= set(found.ids)
    # The last range may have been read before the new deals were made: what the first run missed the next one brings.
    assert live(portal) <= set(found.ids) | set(read(connect(), "deals", found.cursor).ids)


def test_a_list_that_does_not_go_on_after_ids_is_read_page_by_page(
    server: HubSpotServer, portal: Portal, connect: Connect
) -> None:
    server.after = "position"
    many(portal, 500)
    found = read(connect(), "deals")
    assert sorted(found.ids, key=int) == sorted(live(portal), key=int)


def test_rows_out_of_order_are_an_error(
    server: HubSpotServer, portal: Portal, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(portal, 1500)
    page, pages = server.page, [0]

    def spoilt(request: Any, *given: Any) -> Any:
        pages[0] += 1
        request.query.update({"after": ["0"]} if pages[0] > 4 else {})
        return page(request, *given)

    monkeypatch.setattr(server, "page", spoilt)
    with pytest.raises(BadAnswer, match="rows came twice or in no order"):
        read(connect(leave_out=["quotas"]), "deals")


def test_what_vanished_without_a_trace_is_found_by_counting(
    server: HubSpotServer, portal: Portal, connect: Connect
) -> None:
    source = connect()
    found = read(source, "deals")
    (part,) = source.survey("deals") or []
    assert part.rows == len(found.ids)
    lost = next(iter(live(portal)))
    del portal.deals[lost]
    portal.version += 1
    (part,) = connect().survey("deals") or []
    assert part.rows == len(found.ids) - 1
    again = [i for b in connect().recheck("deals", part, found.ids) for i in b.table["id"].to_pylist()]
    assert set(found.ids) - set(again) == {lost}


def test_a_merged_deal_is_gone_and_its_survivor_counts_once(portal: Portal, connect: Connect) -> None:
    cursor = read(connect(), "deals").cursor
    one, two = sorted(live(portal))[:2]
    portal.clock += timedelta(hours=1)
    portal.merge(portal.deals[one], portal.deals[two])
    rows = read(connect(overlap_minutes=0), "deals", cursor).rows
    assert not rows.loc[one, "removed"]
    assert rows.loc[two, "removed"]


def test_a_restored_deal_is_counted_again(portal: Portal, connect: Connect) -> None:
    one = sorted(live(portal))[0]
    portal.archive(portal.deals[one])
    cursor = read(connect(), "deals").cursor
    portal.clock += timedelta(hours=1)
    portal.deals[one] |= {"archived": False}
    portal.change(portal.deals[one])
    rows = read(connect(overlap_minutes=0), "deals", cursor).rows
    assert not rows.loc[one, "removed"]


def test_the_calls_of_a_run_are_in_proportion_to_what_changed(
    server: HubSpotServer, portal: Portal, connect: Connect
) -> None:
    many(portal, 5000)
    portal.clock += timedelta(hours=1)
    cursor = read(connect(), "deals").cursor
    portal.clock += timedelta(hours=1)
    for i in sorted(live(portal))[:10]:
        portal.change(portal.deals[i], amount="1.00")
    source = connect(overlap_minutes=0)
    source.batch_facts()
    _ = source.words
    before = server.calls
    found = read(source, "deals", cursor)
    assert len(found.ids) == 10
    assert server.calls - before == 2  # one search, one page of archived deals
    assert stamp(portal.clock) in found.batches[0].table["hs_lastmodifieddate"].to_pylist()
