"""What each stream gives: people, quotas, deals with mapped properties, splits, histories and activities."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.errors import BadAnswer, NotAllowed
from sandbox.hubspot import data
from sandbox.hubspot.portal import Portal
from sandbox.hubspot.server import HubSpotServer
from tests.connectors.hubspot.kit import Connect, each, read, watch


def deal_of(portal: Portal) -> dict[str, Any]:
    return next(d for d in portal.deals.values() if not d["archived"] and d["properties"]["amount"] == "3100.00")


def test_those_who_left_are_people_too_and_teams_come_along(portal: Portal, connect: Connect) -> None:
    rows = read(connect(), "people").rows
    assert set(rows.index) == set(portal.owners)
    for number, owner in portal.owners.items():
        assert rows.loc[number, "active"] == (not owner["archived"])
        assert rows.loc[number, "is_person"] == (owner["type"] == "PERSON")
        assert rows.loc[number, "team"] == "South"


def test_the_team_above_a_team_comes_along_where_the_account_tells_it(
    server: HubSpotServer, portal: Portal, connect: Connect
) -> None:
    portal.teams_above["11"] = ("10", "Europe")
    assert set(read(connect(), "people").rows["team_parent"]) == {"Europe"}
    server.scopes.remove("settings.users.teams.read")
    rows = read(connect(), "people").rows
    assert set(rows["team"]) == {"South"}
    assert rows["team_parent"].isna().all()


def test_goals_are_quotas_of_a_person_or_of_a_team_for_their_days(portal: Portal, connect: Connect) -> None:
    found = read(connect(), "quotas")
    money = {i for i, g in portal.goals.items() if g["properties"]["hs_goal_type"] == "sales_quota"}
    assert set(found.rows.index) == money
    assert found.notes[0].rule == "goal that is not a sales quota, not counted"
    lengths = {(r.end_day - r.first_day).days for r in each(found.rows)}
    assert {28, 30, 31} <= lengths <= {28, 29, 30, 31, 89, 90, 91, 92}
    teams = found.rows[found.rows["team_external_id"].notna()]
    assert teams["team_external_id"].tolist() == ["11"]
    assert teams["owner_external_id"].isna().all()


def test_an_installation_maps_its_own_properties_and_keeps_further_ones(portal: Portal, connect: Connect) -> None:
    deal = deal_of(portal)
    for other in portal.deals.values():
        other["properties"] |= {"arr": "77.5", "region": "north" if other is deal else "south"}
    deal["properties"] |= {"amount_in_home_currency": "3000.00", "hs_forecast_amount": "1500"}
    source = connect(
        fields={"deals": {"amount": "arr"}}, extra={"deals": ["region"]}, only={"deals": {"region": ["north"]}}
    )
    found = read(source, "deals")
    live = found.rows[~found.rows["removed"].astype(bool)]
    assert live.index.tolist() == [deal["id"]]
    row = found.of(deal["id"])
    assert row["amount_minor"] == 77_50
    assert row["extra"] == '{"amount_in_home_currency": "3000.00", "hs_forecast_amount": "1500", "region": "north"}'
    assert [p.rows for p in source.survey("deals") or []] == [1]


def test_a_needed_property_that_is_not_there_is_named(connect: Connect) -> None:
    source = connect(fields={"deals": {"amount": "arr"}})
    with pytest.raises(NotAllowed, match="deals need the properties arr"):
        read(source, "deals")
    wrong = [f for f in source.check() if not f.ok and f.needed]
    assert [f.what for f in wrong] == ["property arr"]


def test_a_filter_by_a_property_that_is_not_there_is_named(connect: Connect) -> None:
    findings = connect(only={"deals": {"region": ["north"]}}).check()
    assert any(f.what == "property region" and f.without == "deals cannot be filtered by it" for f in findings)


@pytest.mark.parametrize("unit", [1, 100])
def test_splits_share_the_credit_of_a_deal(server: HubSpotServer, portal: Portal, connect: Connect, unit: int) -> None:
    one, two = [i for i, d in portal.deals.items() if not d["archived"]][:2]
    owners = list(portal.owners)[:2]
    for deal in portal.deals.values():
        deal["properties"]["hs_is_deal_split"] = "false"
    portal.split(portal.deals[one], [(owners[0], str(0.7 * unit)), (owners[1], str(0.3 * unit))])
    rows = read(connect(), "splits").rows
    assert rows["share_ppm"].tolist() == [700_000, 300_000]
    assert rows["owner_external_id"].tolist() == owners
    assert set(rows["deal_external_id"]) == {one}
    portal.split(portal.deals[one], [])
    portal.split(portal.deals[two], [(owners[0], str(unit))])
    assert read(connect(), "splits").rows["deal_external_id"].tolist() == [two]


@pytest.mark.parametrize(("lacking", "streams", "what"), [
    ("splits", {"splits"}, "deal splits"), ("read", {"deal_history"}, "deal histories"),
    ("meetings", set(), "meetings"),
])  # fmt: skip
def test_what_an_account_does_not_have_is_left_out_and_named(
    server: HubSpotServer, connect: Connect, lacking: str, streams: set[str], what: str
) -> None:
    server.lacking = {lacking}
    every = {"people", "stages", "quotas", "deals", "splits", "deal_history", "activities"}
    assert {s.name for s in connect().streams()} == every - streams
    (finding,) = [f for f in connect().check() if not f.ok]
    assert (finding.what, finding.needed) == (what, False)
    assert finding.without


def test_a_stream_that_is_not_wanted_costs_no_call(server: HubSpotServer, connect: Connect) -> None:
    source = connect(leave_out=["quotas", "splits", "deal_history", "activities"])
    assert [s.name for s in source.streams()] == ["people", "stages", "deals"]
    assert server.calls == 0


def test_a_history_tells_what_was_before_in_our_words(server: HubSpotServer, portal: Portal, connect: Connect) -> None:
    deal, user = deal_of(portal), next(o for o in portal.owners.values() if o["userId"])
    at = ["2026-08-01T10:00:00.000Z", "2026-09-01T10:00:00.000Z", "2026-09-02T10:00:00.000Z"]
    portal.histories = {
        (deal["id"], "dealstage"): [
            {"value": "closedwon", "timestamp": at[2], "updatedByUserId": user["userId"]},
            {"value": "contractsent", "timestamp": at[1]},
            {"value": "contractsent", "timestamp": at[0]},
        ],
        (deal["id"], "closedate"): [
            {"value": "2026-10-01T03:00:00.000Z", "timestamp": at[1]},
            {"value": "2026-07-05T12:00:00Z", "timestamp": at[0]},
        ],
    }
    rows = read(connect(), "deal_history").rows
    rows = rows[rows["deal_external_id"] == deal["id"]]
    told = {(r.field, r.old_value, r.new_value) for r in each(rows.fillna(""))}
    assert {("stage", "", "Contract sent"), ("stage", "Contract sent", "Closed won")} <= told
    assert ("close_day", "2026-07-05", "2026-09-30") in told
    assert rows["changed_by_external_id"].dropna().tolist() == [user["id"]]


def test_histories_of_changed_deals_only_are_read_again(
    server: HubSpotServer, portal: Portal, connect: Connect
) -> None:
    source = connect(overlap_minutes=0)
    deals, first = read(source, "deals").cursor, read(source, "deal_history")
    data.advance(portal, 7, 1)
    source = connect(overlap_minutes=0)
    read(source, "deals", deals)
    seen = watch(server)
    again = read(source, "deal_history", first.cursor)
    assert {r.path.rsplit("/", 1)[-1] for r in seen} <= {
        "read",
        "owners",
        "2026-09-beta",
        "",
    }  # owners, and the teams above theirs
    assert 0 < again.rows["deal_external_id"].nunique() <= 8


def test_a_batch_that_lacks_rows_for_another_reason_is_an_error(server: HubSpotServer, connect: Connect) -> None:
    source = connect()
    cursor = read(source, "deal_history").cursor | {"since": "2026-01-01T00:00:00+00:00"}

    def broken(request: Any, route: Any) -> Any:
        errors = [{"category": "INTERNAL_ERROR", "message": "could not read"}]
        return server.answer({"results": [], "errors": errors, "numErrors": 1}, 207)

    server.do_read = broken  # type: ignore[method-assign]
    with pytest.raises(BadAnswer, match="1 rows did not come"):
        read(source, "deal_history", cursor)


def test_meetings_and_calls_are_counted_by_the_portals_month(portal: Portal, connect: Connect) -> None:
    # The last one is in October in New York, and in November in UTC.
    times = ("2026-11-03T10:00:00Z", "2026-11-04T10:00:00Z", "2026-11-01T02:00:00Z")
    portal.objects["meetings"].clear()
    portal.objects["calls"].clear()
    for at in times:
        portal.add("meetings", hubspot_owner_id="1001", hs_timestamp=at)
    portal.add("meetings", hubspot_owner_id=None, hs_timestamp=times[0])
    for _ in range(450):
        portal.add("calls", hubspot_owner_id="1001", hs_timestamp=times[0])
    portal.clock = datetime(2026, 11, 20, tzinfo=UTC)
    found = read(connect(), "activities")
    numbers = {(r.kind, str(r.first_day.date())): r.number for r in each(found.rows)}
    assert numbers == {
        ("meeting", "2026-11-01"): 2, ("meeting", "2026-10-01"): 1, ("call", "2026-11-01"): 450,
    }  # fmt: skip
    assert [str(d) for d in found.batches[0].span or ()] == ["2025-11-01", "2026-12-01"]
    later = read(connect(), "activities", found.cursor)
    assert [str(d) for d in later.batches[0].span or ()] == ["2026-10-01", "2026-12-01"]


def test_totals_of_a_first_pull_cost_no_further_call(server: HubSpotServer, portal: Portal, connect: Connect) -> None:
    spans = [(date(2026, n, 1), date(2026, n + 3, 1)) for n in (1, 4, 7)] + [(date(2026, 10, 1), date(2027, 1, 1))]
    asked = [vars(t) | {"how": ""} for t in connect().totals(spans)]
    source = connect()
    read(source, "deals")
    before = server.calls
    mine = source.totals(spans)
    assert [vars(t) | {"how": ""} for t in mine] == asked
    assert server.calls == before
    assert {t.how.split(" of the ")[1] for t in mine} == {"list as it was read"}


def test_totals_are_asked_for_when_a_deal_went_away_during_the_pull(
    server: HubSpotServer, portal: Portal, connect: Connect
) -> None:
    spans = [(date(2026, 10, 1), date(2027, 1, 1))]
    source, first = connect(), next(d for d in portal.deals.values() if not d["archived"])
    for number, _ in enumerate(source.pull("deals", None)):
        if number == 0:
            portal.archive(first)
    before = server.calls
    told = [vars(t) | {"how": ""} for t in source.totals(spans)]
    assert server.calls > before
    assert told == [vars(t) | {"how": ""} for t in connect().totals(spans)]


@pytest.mark.parametrize("few", [0, 10**6])
def test_spans_that_were_added_up_lately_are_counted_unless_adding_up_is_as_quick(
    server: HubSpotServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("connectors.hubspot.surveys.FEW", few)
    spans = [(date(2026, n, 1), date(2026, n + 3, 1)) for n in (1, 4, 7)]
    sums: dict[Any, int] = {}
    for total in connect().totals(spans):
        sums[total.first_day, total.status] = sums.get((total.first_day, total.status), 0) + total.deals
    source = connect()
    _ = source.words, source.facts
    before = server.calls
    found = source.totals(spans, spans[1:])
    counted = {(t.first_day, t.status): t.deals for t in found if t.amount_minor is None}
    assert server.calls - before == (1 + 2 * 3 if few == 0 else 1 + 2 * 2)
    assert {day for day, _ in counted} == ({first for first, _ in spans[1:]} if few == 0 else set())
    assert all(number == sums.get(key, 0) for key, number in counted.items())
    assert any(t.amount_minor for t in found if t.first_day == spans[0][0])


def test_two_portals_of_the_same_people_stand_side_by_side(connect: Connect) -> None:
    emails = [set(read(connect(), "people").rows["email"].dropna()) for _ in range(2)]
    assert emails[0] == emails[1]
