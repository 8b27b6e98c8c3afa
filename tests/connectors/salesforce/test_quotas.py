"""Quotas: of Forecasts, of an object or a user's field of one's own; those that overlap are never added."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from connectors.errors import NotAllowed
from tests.connectors.salesforce.kit import Connect, Found, read, user

TARGETS = {
    "object": "Sales_Target__c", "owner": "Rep__c", "amount": "Target__c", "first_day": "Month__c",
    "currency": "CurrencyIsoCode",
}  # fmt: skip
FIELD = {"object": "User", "owner": "Id", "amount": "Quota__c"}


def of_ana(server: Any, found: Found) -> dict[str, int]:
    """What counts of Ana's quotas, month by month."""
    rows = found.rows[~found.rows["removed"] & (found.rows["owner_external_id"] == user(server.org, "Ana")["Id"])]
    return {str(r["first_day"].date())[:7]: r["amount_minor"] for _, r in rows.iterrows()}


def count(server: Any, **fields: Any) -> int:
    wanted = [q for q in server.org.objects["ForecastingQuota"].values() if q["IsAmount"]]
    return sum(all(q[k] == v for k, v in fields.items()) for q in wanted)


def test_a_quota_is_that_of_its_month(server: Any, connect: Connect) -> None:
    found = read(connect(), "quotas")
    mine = of_ana(server, found)
    assert len(mine) == 27
    assert (mine["2026-10"], mine["2026-11"]) == (12_000_00, 13_500_00)
    row = found.of(next(iter(server.org.objects["ForecastingQuota"])))
    assert (str(row["first_day"].date()), str(row["end_day"].date())) == ("2024-10-01", "2024-11-01")
    assert row["currency"] == "EUR"


def test_a_quota_of_0_is_0_and_no_quota_is_none(server: Any, connect: Connect) -> None:
    rows = read(connect(), "quotas").rows
    ben = rows[~rows["removed"] & (rows["owner_external_id"] == user(server.org, "Ben")["Id"])]
    now = ben[ben["first_day"] >= "2026-10-01"]["amount_minor"].tolist()
    assert now == [0, 0, 0]
    assert user(server.org, "Cleo")["Id"] not in set(rows["owner_external_id"])


def test_quotas_of_two_types_of_money_are_not_added_and_the_one_that_counts_is_named(
    server: Any, connect: Connect
) -> None:
    other = server.org.add("ForecastingType", DeveloperName="Bookings", IsActive=True, IsAmount=True, IsQuantity=False)
    quota = next(q for q in server.org.objects["ForecastingQuota"].values() if q["IsAmount"])
    double = server.org.add("ForecastingQuota", **{
        **{k: v for k, v in quota.items() if k not in ("Id", "SystemModstamp", "LastModifiedDate")},
        "ForecastingTypeId": other["Id"], "QuotaAmount": Decimal(77),
    })  # fmt: skip
    found = read(connect(), "quotas")
    assert "of 2 quota types, Bookings counts; set quota_type to choose another" in {n.rule for n in found.notes}
    assert found.rows.index[~found.rows["removed"]].tolist() == [double["Id"]]
    chosen = read(connect(quota_type="OpportunityRevenue"), "quotas")
    assert chosen.of(double)["removed"]
    assert (~chosen.rows["removed"]).sum() == 106
    assert {n.rule for n in chosen.notes} == {"quota of another type, not counted"}


def test_a_quota_type_that_is_not_there_is_named_with_those_that_are(connect: Connect) -> None:
    source = connect(quota_type="Bookings")
    with pytest.raises(
        NotAllowed, match="no quota type 'Bookings'; the org has OpportunityRevenue, OpportunityQuantity"
    ):
        read(source, "quotas")
    assert [f.ok for f in source.check() if f.what == "quotas"] == [False]


def test_without_their_types_quotas_are_not_added_up_blindly(server: Any, connect: Connect) -> None:
    server.hidden = {"ForecastingType"}
    source = connect()
    with pytest.raises(NotAllowed, match="quotas need the object ForecastingType"):
        read(source, "quotas")
    (finding,) = [f for f in source.check() if f.what == "quotas"]
    assert "by spreadsheet" in finding.without


@pytest.mark.parametrize(("option", "field", "value"), [
    ("quota_product_family", "ProductFamily", "Hardware"), ("quota_territory", "Territory2Id", "0MISa0000AAAAJ8OQP"),
])  # fmt: skip
def test_a_product_familys_or_territorys_quota_counts_only_where_it_is_asked_for(
    server: Any, connect: Connect, option: str, field: str, value: str
) -> None:
    for number, quota in enumerate(server.org.objects["ForecastingQuota"].values()):
        quota |= {"Territory2Id": None}
        quota[field] = value if number % 5 == 0 else None
    whole, part = read(connect(), "quotas"), read(connect(**{option: value}), "quotas")
    assert (~whole.rows["removed"]).sum() == count(server, **{field: None})
    assert (~part.rows["removed"]).sum() == count(server, **{field: value}) > 0
    what = "product family" if field == "ProductFamily" else "territory"
    assert f"quota of another {what}, not counted" in {n.rule for n in whole.notes}
    parts = connect(**{option: value}).survey("quotas")
    assert sum(p.rows for p in parts or ()) == count(server, **{field: value})


def test_a_territory_may_be_named_by_its_short_id(server: Any, connect: Connect) -> None:
    for quota in server.org.objects["ForecastingQuota"].values():
        quota |= {"Territory2Id": "0MISa0000AAAAJ8OQP"}
    assert (~read(connect(quota_territory="0MISa0000AAAAJ8"), "quotas").rows["removed"]).sum() == 106


def test_a_quota_of_a_custom_fiscal_period_holds_for_its_days(server: Any, connect: Connect) -> None:
    period = server.org.add("Period", Type="Month", StartDate=date(2026, 10, 26), EndDate=date(2026, 11, 29), Number=11,
                            FullyQualifiedLabel="P11", FiscalYearSettingsId="022x", IsForecastPeriod=True)  # fmt: skip
    for quota in server.org.objects["ForecastingQuota"].values():
        quota["PeriodId"] = None
    quota = next(q for q in server.org.objects["ForecastingQuota"].values() if q["StartDate"] == date(2026, 11, 1))
    quota["PeriodId"] = period["Id"]
    row = read(connect(), "quotas").of(quota)
    assert (str(row["first_day"].date()), str(row["end_day"].date())) == ("2026-10-26", "2026-11-30")


def test_quotas_in_an_object_of_the_installations_own_are_the_same(server: Any, connect: Connect) -> None:
    source = connect(quota=TARGETS)
    found = read(source, "quotas")
    assert of_ana(server, found) == of_ana(server, read(connect(), "quotas"))
    assert len(found.rows) == 106
    assert sum(p.rows for p in source.survey("quotas") or ()) == 106


def test_an_object_of_the_installations_own_can_be_filtered(server: Any, connect: Connect) -> None:
    for number, target in enumerate(server.org.objects["Sales_Target__c"].values()):
        target["Kind__c"] = ("Plan", "Stretch")[number % 2]
    options = TARGETS | {"only": {"Kind__c": ["Plan"]}}
    assert len(read(connect(quota=options), "quotas").rows) == 53
    server.hidden = {"Sales_Target__c.Kind__c"}
    findings = {f.what: f.without for f in connect(quota=options).check() if not f.ok}
    assert findings["field Sales_Target__c.Kind__c"] == "quotas cannot be filtered by it"


def test_an_object_of_the_installations_own_that_is_not_there_is_an_error_not_a_feature(
    server: Any, connect: Connect
) -> None:
    source = connect(quota=TARGETS | {"object": "Gone__c"})
    assert "quotas" in {s.name for s in source.streams()}
    with pytest.raises(NotAllowed, match="quotas need the object Gone__c"):
        read(source, "quotas")
    (finding,) = [f for f in source.check() if f.what == "object Gone__c"]
    assert (finding.ok, finding.needed) == (False, True)


class TestFieldOfTheUser:
    """A quota that stands on the user record, without a day."""

    @pytest.fixture(autouse=True)
    def quota(self, server: Any) -> None:
        for number, one in enumerate(server.org.objects["User"].values()):
            one["Quota__c"] = Decimal(1000 + number) if number else None

    def test_it_is_that_of_the_month_in_which_it_is_read(self, server: Any, connect: Connect) -> None:
        found = read(connect(quota=FIELD), "quotas")
        ana = user(server.org, "Ana")["Id"]
        row = found.of(f"{ana}:2026-11-01")
        assert (row["owner_external_id"], row["amount_minor"]) == (ana, 1002_00)
        assert (str(row["first_day"].date()), str(row["end_day"].date())) == ("2026-11-01", "2026-12-01")

    def test_it_is_unknown_where_nobody_entered_it(self, server: Any, connect: Connect) -> None:
        dana = user(server.org, "Dana")["Id"]
        assert read(connect(quota=FIELD), "quotas").of(f"{dana}:2026-11-01")["amount_minor"] is None

    def test_it_speaks_for_its_own_period_only(self, server: Any, connect: Connect) -> None:
        source = connect(quota=FIELD | {"period": "quarter"})
        (batch,) = read(source, "quotas").batches
        assert batch.span == (date(2026, 10, 1), date(2027, 1, 1))
        assert source.survey("quotas") is None
        assert "quotas" not in {s.name for s in source.streams() if s.countable}

    def test_the_month_turns_where_the_org_is(self, server: Any, connect: Connect) -> None:
        (org,) = server.org.objects["Organization"].values()
        org["TimeZoneSidKey"] = "Asia/Tokyo"
        server.org.clock = server.org.clock.replace(day=30, hour=16)  # the first of December there
        assert {i.split(":")[1] for i in read(connect(quota=FIELD), "quotas").rows.index} == {"2026-12-01"}

    def test_next_month_it_is_another_one_and_is_read_whole(self, server: Any, connect: Connect) -> None:
        server.page = 3
        first = read(connect(quota=FIELD), "quotas")
        server.org.clock = server.org.clock.replace(month=12)
        second = read(connect(quota=FIELD), "quotas", first.cursor)
        assert len(second.rows) == len(first.rows) == 8
        assert {i.split(":")[1] for i in second.rows.index} == {"2026-12-01"}
        assert second.batches[-1].span == (date(2026, 12, 1), date(2027, 1, 1))

    def test_a_formula_is_named_for_nothing_tells_of_its_changes(self, server: Any, connect: Connect) -> None:
        server.formulas = {"User.Quota__c", "Opportunity.Amount"}
        findings = {f.what: f.detail for f in connect(quota=FIELD).check() if not f.ok}
        assert findings == dict.fromkeys(
            ("field User.Quota__c", "field Opportunity.Amount"), "a formula: its changes move no time stamp"
        )


def periods(server: Any, kind: str, *edges: date, forecast: bool = True) -> None:
    """The org's own fiscal periods of a kind, one after the other, in place of all that it has."""
    server.org.objects["Period"].clear()
    for first, end in pairwise(edges):
        server.org.add("Period", Type=kind, StartDate=first, EndDate=end - timedelta(days=1), Number=1,
                       FullyQualifiedLabel="P", FiscalYearSettingsId="022x", IsForecastPeriod=forecast)  # fmt: skip


def spans(found: Found, day: str) -> set[tuple[str, str]]:
    rows = found.rows[~found.rows["removed"]]
    held = rows[(rows["first_day"] <= day) & (rows["end_day"] > day)]
    return {(str(f.date()), str(e.date())) for f, e in zip(held["first_day"], held["end_day"], strict=True)}


@pytest.mark.parametrize(("kind", "edges"), [
    ("Month", (date(2026, 10, 26), date(2026, 11, 29), date(2027, 1, 3))),  # of custom years
    ("Quarter", (date(2026, 11, 1), date(2027, 2, 1), date(2027, 5, 1))),  # the API does not tell a quarterly org
])  # fmt: skip
def test_a_quota_without_a_period_holds_for_the_orgs_own_one_around_its_day(
    server: Any, connect: Connect, kind: str, edges: tuple[date, ...]
) -> None:
    periods(server, kind, *edges)
    next(iter(server.org.objects["Organization"].values()))["FiscalYearStartMonth"] = 2
    for quota in server.org.objects["ForecastingQuota"].values():
        quota["PeriodId"] = None
    source = connect()
    assert spans(read(source, "quotas"), "2026-11-15") == {(str(edges[0]), str(edges[1]))}
    (whole,) = source.survey("quotas") or []  # not told apart by months, which would look different for ever
    assert (whole.first_day, whole.rows) == (None, 106)


def test_quotas_by_week_hold_for_the_orgs_own_week_or_for_seven_days(server: Any, connect: Connect) -> None:
    monday = date(2026, 11, 2)
    periods(server, "Week", *(monday + timedelta(weeks=n) for n in range(4)), forecast=False)
    rows = list(server.org.objects["Sales_Target__c"].values())
    for n, row in enumerate(rows):
        row["Month__c"] = date(2026, 11, 4) if n == 0 else date(2027, 3, 3)
    found = read(connect(quota=TARGETS | {"period": "week"}), "quotas")
    assert spans(found, "2026-11-05") == {("2026-11-02", "2026-11-09")}
    assert spans(found, "2027-03-05") == {("2027-03-03", "2027-03-10")}
