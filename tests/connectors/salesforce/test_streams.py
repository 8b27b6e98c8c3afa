"""Every stream of the pretend org, with the values of a few known records."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import NotAllowed
from tests.connectors.salesforce.kit import Connect, live, read, user

EVERY = [
    "people", "roles", "territories", "territory_members", "stages", "fiscal_periods", "rates", "quotas", "deals",
    "splits", "deal_history", "deal_field_history", "activities",
]  # fmt: skip


def test_an_org_with_everything_has_every_stream_of_the_vocabulary(connect: Connect) -> None:
    streams = connect().streams()
    assert [s.name for s in streams] == EVERY
    assert {s.name for s in streams if s.countable} == {"people", "quotas", "deals", "splits"}
    assert {s.name for s in streams if not s.snapshot} == {
        "quotas", "deals", "splits", "deal_history", "deal_field_history", "activities",
    }  # fmt: skip


def test_a_person_has_manager_role_and_both_keys_to_the_hr_system(server: Any, connect: Connect) -> None:
    ana, mo = user(server.org, "Ana"), user(server.org, "Mo")
    assert read(connect(), "people").of(ana) == {
        "external_id": ana["Id"], "name": "Ana Sample", "email": "ana.sample@example.com", "employee_id": "E103",
        "federation_id": "ana.sample@example.com", "title": "Account executive", "active": True,
        "manager_external_id": mo["Id"], "role_external_id": ana["UserRoleId"], "is_person": True, "team": None,
        "team_parent": None, "working_group": None, "hired_on": None, "left_on": None,
    }  # fmt: skip


def test_a_person_without_an_employee_number_or_manager_has_none(server: Any, connect: Connect) -> None:
    found = read(connect(), "people")
    assert found.of(user(server.org, "Ben"))["employee_id"] is None
    assert found.of(user(server.org, "Dana"))["manager_external_id"] is None


def test_who_left_is_read_and_not_active_and_a_robot_is_nobody(server: Any, connect: Connect) -> None:
    found = read(connect(), "people")
    assert not found.of(user(server.org, "Eve"))["active"]
    robot = found.of(user(server.org, "Integration"))
    assert (robot["active"], robot["is_person"]) == (True, False)
    assert found.rows["is_person"].sum() == 7


def test_roles_have_their_parent(server: Any, connect: Connect) -> None:
    found = read(connect(), "roles")
    top, team = (next(r for r in server.org.objects["UserRole"].values() if r["Name"] == n) for n in (
        "Sales direction", "Sales team",
    ))  # fmt: skip
    assert found.of(top)["parent_external_id"] is None
    assert (found.of(team)["name"], found.of(team)["parent_external_id"]) == ("Sales team", top["Id"])


def test_stages_say_what_they_mean_not_what_they_are_called(server: Any, connect: Connect) -> None:
    stage = next(s for s in server.org.objects["OpportunityStage"].values() if s["MasterLabel"] == "Closed Won")
    stage["MasterLabel"] = "Champagne"
    rows = read(connect(), "stages").rows
    assert rows["name"].tolist() == [
        "Prospecting",
        "Qualification",
        "Proposal",
        "Negotiation",
        "Champagne",
        "Closed Lost",
    ]
    assert rows["status"].tolist() == ["open"] * 4 + ["won", "lost"]
    assert rows["position"].tolist() == [1, 2, 3, 4, 5, 6]
    assert rows["probability_bp"].tolist() == [1000, 2500, 5000, 7500, 10000, 0]
    assert rows["forecast_category"].tolist() == ["pipeline", "pipeline", "best_case", "commit", "closed", "omitted"]


def test_fiscal_periods_are_those_of_the_org_to_the_day(server: Any, connect: Connect) -> None:
    periods = server.org.objects["Period"]
    span = {"StartDate": date(2027, 1, 31), "EndDate": date(2027, 5, 1), "Number": 1, "FiscalYearSettingsId": "022x"}
    odd = server.org.add("Period", Type="Quarter", FullyQualifiedLabel="Q1 of 4-4-5", IsForecastPeriod=True, **span)
    server.org.add("Period", Type="Fortnight", FullyQualifiedLabel="x", IsForecastPeriod=False, **span)
    found = read(connect(), "fiscal_periods")
    assert len(found.rows) == len(periods) - 1
    row = found.of(odd)
    assert (row["kind"], row["label"], row["number"]) == ("quarter", "Q1 of 4-4-5", 1)
    assert (row["first_day"].date(), row["end_day"].date()) == (date(2027, 1, 31), date(2027, 5, 2))


def test_dated_rates_hold_from_their_day_and_the_base_is_left_out(server: Any, connect: Connect) -> None:
    server.org.add("DatedConversionRate", IsoCode="EUR", StartDate=date(1900, 1, 1), ConversionRate=Decimal(1))
    rows = read(connect(), "rates").rows
    assert rows["currency"].tolist() == ["USD"] * 3
    assert rows["base"].tolist() == ["EUR"] * 3
    assert rows["units_per_base"].tolist() == ["1.08", "1.10", "1.12"]
    assert [str(d.date()) for d in rows["first_day"]] == ["1900-01-01", "2026-01-28", "2026-10-05"]


def test_an_org_without_dated_rates_has_one_for_every_day(server: Any, connect: Connect) -> None:
    server.hidden = {"DatedConversionRate"}
    source = connect()
    rows = read(source, "rates").rows
    assert rows[["currency", "base", "units_per_base"]].to_numpy().tolist() == [["USD", "EUR", "1.12"]]
    assert str(rows["first_day"].iloc[0].date()) == "1900-01-01"
    assert {f.what: f.without for f in source.check() if not f.ok}["object DatedConversionRate"] == (
        "one rate for each currency holds for every day"
    )


def test_an_opportunity_is_what_it_is_in_the_org(server: Any, connect: Connect) -> None:
    deal = live(server.org)[0]
    row = read(connect(), "deals").of(deal)
    assert {n: row[n] for n in ("name", "stage", "status", "owner_external_id", "currency", "removed")} == {
        "name": deal["Name"], "stage": deal["StageName"], "status": "won" if deal["IsWon"] else "lost",
        "owner_external_id": deal["OwnerId"], "currency": deal["CurrencyIsoCode"], "removed": False,
    }  # fmt: skip
    assert row["amount_minor"] == int(deal["Amount"] * 100)
    assert row["probability_bp"] == int(deal["Probability"] * 100)
    assert (row["close_day"].date(), row["created_day"].date()) == (deal["CloseDate"], deal["CreatedDate"].date())
    assert row["modified_at"] == deal["SystemModstamp"]
    assert row["pipeline"] == server.org.objects["RecordType"][deal["RecordTypeId"]]["Name"]


def test_an_amount_that_nobody_entered_is_unknown_not_0(server: Any, connect: Connect) -> None:
    blank = [d for d in live(server.org) if d["Amount"] is None]
    found = read(connect(), "deals")
    assert [found.of(d)["amount_minor"] for d in blank] == [None, None]
    assert sum(n.count for n in found.notes if n.rule == "deal without an amount") == 2


def test_shares_of_a_deal_are_told_from_those_on_top_of_it(server: Any, connect: Connect) -> None:
    splits = server.org.objects["OpportunitySplit"]
    kinds = {i: t["IsTotalValidated"] for i, t in server.org.objects["OpportunitySplitType"].items()}
    found = read(connect(), "splits")
    assert len(found.rows) == len(splits) == 9
    for split in splits.values():
        row = found.of(split)
        assert row["share_ppm"] == int(split["SplitPercentage"] * 10_000)
        assert row["overlay"] is not kinds[split["SplitTypeId"]]
        assert (row["deal_external_id"], row["owner_external_id"]) == (split["OpportunityId"], split["SplitOwnerId"])
    assert found.rows["overlay"].sum() == 1


def test_without_their_types_shares_are_not_taken_for_credit(server: Any, connect: Connect) -> None:
    server.hidden = {"OpportunitySplitType"}
    source = connect()
    with pytest.raises(NotAllowed, match="splits need the object OpportunitySplitType"):
        read(source, "splits")
    (finding,) = [f for f in source.check() if f.what == "splits"]
    assert (finding.ok, finding.without) == (False, "the whole deal counts for its owner")


def test_a_change_is_in_both_histories_with_what_was_before(server: Any, connect: Connect) -> None:
    org = server.org
    deal = next(d for d in live(org) if not d["IsClosed"] and d["Amount"])
    before, heir = dict(deal), user(org, "Cleo")["Id"]
    org.change(deal, Amount=Decimal("999.50"), OwnerId=heir, CloseDate=date(2027, 1, 15))
    (row,) = [r for r in org.objects["OpportunityHistory"].values() if r["PrevAmount"] is not None]
    snapshot = read(connect(), "deal_history")
    told = snapshot.of(f"{row['Id']}:amount")
    assert (told["old_value"], told["new_value"]) == (str(before["Amount"]), "999.50")
    assert (told["deal_external_id"], told["field"], told["changed_at"]) == (deal["Id"], "amount", org.clock)
    assert snapshot.of(f"{row['Id']}:close_day")["new_value"] == "2027-01-15"
    tracked = read(connect(), "deal_field_history").rows.set_index("field")
    owner = tracked.loc["owner_external_id"]
    assert (owner["old_value"], owner["new_value"]) == (before["OwnerId"], heir)
    assert tracked.loc["amount", "new_value"] == "999.50"
    assert len(tracked) == 3


def test_territories_have_their_members(server: Any, connect: Connect) -> None:
    (north,) = server.org.objects["Territory2"].values()
    assert read(connect(), "territories").of(north)["name"] == "North"
    rows = read(connect(), "territory_members").rows
    assert set(rows["owner_external_id"]) == {u["Id"] for u in list(server.org.objects["User"].values())[:4]}
    assert set(rows["territory_external_id"]) == {north["Id"]}
    assert rows["active"].all()


def test_activities_are_counted_by_person_kind_and_month(server: Any, connect: Connect) -> None:
    ana = user(server.org, "Ana")["Id"]
    server.org.add("Event", OwnerId=ana, ActivityDate=date(2026, 11, 3), IsDeleted=True)
    found = read(connect(), "activities")
    for name, kind, shown in (("Event", None, "meeting"), ("Task", "Call", "call"), ("Task", "Email", "email")):
        mine = [
            r for r in live(server.org, name)
            if r["OwnerId"] == ana and r["ActivityDate"].month == 11 and r.get("TaskSubtype") == kind
        ]  # fmt: skip
        row = found.of(f"{shown}:{ana}:2026-11")
        assert row["number"] == len(mine) > 0
        assert (row["first_day"].date(), row["end_day"].date()) == (date(2026, 11, 1), date(2026, 12, 1))
    assert found.batches[-1].span == (date(2025, 11, 1), date(2026, 12, 1))
    assert read(connect(), "activities", found.cursor).batches[-1].span == (date(2026, 10, 1), date(2026, 12, 1))


def test_more_groups_of_activities_than_a_query_may_have_are_all_counted(
    server: Any, connect: Connect, monkeypatch: Any
) -> None:
    whole = read(connect(), "activities").rows["number"]
    monkeypatch.setattr("connectors.salesforce.activities.GROUPS", 7)
    assert read(connect(), "activities").rows["number"].to_dict() == whole.to_dict()


def test_an_org_that_shows_only_one_kind_of_activity_is_read_and_the_other_named(server: Any, connect: Connect) -> None:
    server.hidden = {"Event"}
    source = connect()
    assert "meeting" not in set(read(source, "activities").rows["kind"])
    findings = {f.what: f.without for f in source.check() if not f.ok}
    assert findings["object Event"] == "meetings are not counted"


@pytest.mark.parametrize(("feature", "streams", "name"), [
    ("multicurrency", {"rates"}, "DatedConversionRate"), ("forecasting", {"quotas"}, "ForecastingQuota"),
    ("splits", {"splits"}, "OpportunitySplit"), ("history", {"deal_field_history"}, "OpportunityFieldHistory"),
    ("territories", {"territories", "territory_members"}, "Territory2"),
])  # fmt: skip
def test_a_feature_that_is_off_is_left_out_never_read_as_empty(
    server: Any, connect: Connect, feature: str, streams: set[str], name: str
) -> None:
    server.org.features.remove(feature)
    source = connect()
    assert [s.name for s in source.streams()] == [n for n in EVERY if n not in streams]
    for stream in streams:
        with pytest.raises(NotAllowed, match="need the object"):
            read(source, stream)
    (finding,) = [f for f in source.check() if name in f.what.split()]
    assert (finding.ok, finding.needed) == (False, False)
    assert finding.without


def test_a_stream_that_the_installation_leaves_out_is_neither_read_nor_tested(connect: Connect) -> None:
    source = connect(leave_out=["activities", "splits"])
    assert {s.name for s in source.streams()} == set(EVERY) - {"activities", "splits"}
    assert not [f for f in source.check() if f.what in ("object Task", "object OpportunitySplit")]


def test_an_org_of_one_currency_tells_its_fiscal_year_all_the_same(server: Any, connect: Connect) -> None:
    server.hidden = {"Organization.DefaultCurrencyIsoCode"}
    server.org.objects["Organization"].popitem()[1]
    periods = server.org.objects["Period"]  # the pretend org's years begin in January; where there are any they count
    for name in [n for n, row in periods.items() if row["Type"] == "Year"]:
        del periods[name]
    server.org.add("Organization", Name="x", DefaultCurrencyIsoCode="EUR", TimeZoneSidKey="Asia/Tokyo",
                   FiscalYearStartMonth=4)  # fmt: skip
    quota = {"object": "Sales_Target__c", "owner": "Rep__c", "amount": "Target__c", "first_day": "Month__c",
             "period": "year"}  # fmt: skip
    source = connect(currency="JPY", quota=quota)
    assert (source.account().currency, source.account().time_zone) == ("JPY", "Asia/Tokyo")
    assert {d.month for d in read(source, "quotas").rows["first_day"]} == {4}
