"""Rows as HubSpot sends them, in our own words; nothing is called."""

from typing import Any

import pandas as pd
import pytest

from connectors.base import Batch, Drafts
from connectors.hubspot.facts import owners, stages
from connectors.hubspot.objects import GOAL, NEEDED, WANTED, records
from connectors.hubspot.translate import translate

WORDS = {**NEEDED, **WANTED}
FACTS: dict[str, Any] = {
    "currency": "USD", "zone": "America/New_York", "fields": WORDS, "extra": [], "only": {},
    "stages": {"closedwon": ["won", "Closed won"], "70010001": ["open", "Renewal due"]},
}  # fmt: skip


def deal(number: int = 1, archived: bool = False, **properties: str | None) -> dict[str, Any]:
    """A deal in the shape of a list or search answer: every value is text, or null."""
    usual = {
        "amount": "1200.50", "dealstage": "closedwon", "pipeline": "default", "closedate": "2026-10-01T03:00:00Z",
        "hubspot_owner_id": "41629779", "hs_lastmodifieddate": "2026-10-01T03:00:00.123Z", "dealname": "Add-on",
        "createdate": "2026-09-01T12:00:00.000Z", "hs_is_closed": "true", "hs_is_closed_won": "true",
        "hs_deal_stage_probability": "1.0", "hs_manual_forecast_category": "CLOSED",
    }  # fmt: skip
    return {
        "id": str(number), "properties": {**usual, **properties}, "createdAt": "2026-09-01T12:00:00.000Z",
        "updatedAt": "2026-10-01T03:00:00.123Z", "archived": archived,
    }  # fmt: skip


def deals(*rows: dict[str, Any], **facts: Any) -> Drafts:
    return translate(Batch("deals", records(rows, list(WORDS.values())), {}, FACTS | facts))


def one(*rows: dict[str, Any], **facts: Any) -> dict[str, Any]:
    (row,) = deals(*rows, **facts).rows.to_dict("records")
    return {str(k): None if pd.isna(v) else v for k, v in row.items()}


def test_a_deal_in_our_words() -> None:
    row = one(deal())
    assert row["amount_minor"] == 1200_50
    assert (row["status"], row["stage"], row["pipeline"]) == ("won", "Closed won", "default")
    assert (row["currency"], row["probability_bp"], row["forecast_category"]) == ("USD", 10_000, "closed")
    assert (str(row["close_day"].date()), str(row["created_day"].date())) == ("2026-09-30", "2026-09-01")
    assert row["owner_external_id"] == "41629779"
    assert row["extra"] == ""


@pytest.mark.parametrize("empty", ["", None])
def test_empty_null_and_missing_are_the_same_unknown(empty: str | None) -> None:
    found = deals(deal(amount=empty, hubspot_owner_id=empty, closedate=empty, deal_currency_code=empty))
    row = found.rows.iloc[0]
    assert row[["amount_minor", "owner_external_id", "close_day"]].isna().all()
    assert row["currency"] == "USD"
    assert [n.rule for n in found.notes] == ["deal without an amount"]
    assert not found.rejects


@pytest.mark.parametrize(("written", "day"), [
    ("1790823600000", "2026-09-30"), ("2026-10-01T03:00:00.000Z", "2026-09-30"), ("2026-10-01T04:00:00Z", "2026-10-01"),
    ("2026-11-01T05:30:00Z", "2026-11-01"), ("2026-03-08T04:59:59Z", "2026-03-07"), ("2026-10-01", "2026-09-30"),
])  # fmt: skip
def test_a_close_date_is_a_day_in_the_portals_zone(written: str, day: str) -> None:
    assert str(one(deal(closedate=written))["close_day"].date()) == day


@pytest.mark.parametrize(("properties", "rule", "field"), [
    ({"amount": "12;50"}, "amount is no number", "amount"),
    ({"amount": "1e400000000"}, "amount is no number", "amount"),
    ({"dealstage": "gone"}, "stage is not known", "dealstage"),
    ({"dealstage": None}, "stage is not known", "dealstage"),
    ({"closedate": "soon"}, "close date is no day", "closedate"),
])  # fmt: skip
def test_a_deal_that_cannot_be_read_is_a_reject_and_an_archived_one_is_gone(
    properties: dict[str, Any], rule: str, field: str
) -> None:
    (reject,) = deals(deal(7, **properties)).rejects
    assert (reject.external_id, reject.rule, reject.field, reject.status) == ("7", rule, field, "won")
    gone = deals(deal(7, archived=True, **properties))
    assert not gone.rejects
    assert gone.rows["removed"].tolist() == [True]


def test_a_merged_deal_is_gone_unless_it_comes_itself() -> None:
    rows = deals(deal(1, hs_merged_object_ids="2; 3"), deal(3)).rows
    assert dict(zip(rows["external_id"], rows["removed"], strict=True)) == {"1": False, "3": False, "2": True}


def test_money_beside_the_deal_is_kept_by_hubspots_names() -> None:
    row = one(deal(amount_in_home_currency="1100.25", hs_forecast_amount="600"))
    assert row["extra"] == '{"amount_in_home_currency": "1100.25", "hs_forecast_amount": "600"}'


def test_a_deal_that_the_filter_leaves_out_is_gone() -> None:
    rows = deals(deal(1), deal(2, pipeline="renewals"), only={"pipeline": ["default"]}).rows
    assert rows["removed"].tolist() == [False, True]


def goals(*properties: dict[str, Any]) -> Drafts:
    rows = [{"id": str(n), "properties": p, "archived": False} for n, p in enumerate(properties, 1)]
    facts = {"currency": "USD", "zone": "America/New_York", "fields": GOAL}
    return translate(Batch("quotas", records(rows, list(GOAL.values())), {}, facts))


QUOTA = {
    "hs_goal_name": "Quota", "hs_target_amount": "9000", "hs_start_datetime": "2026-10-01T04:00:00Z",
    "hs_end_datetime": "2026-11-01T03:59:59.999Z", "hs_milestone": "monthly", "hs_goal_type": "sales_quota",
    "hubspot_owner_id": "41", "hs_lastmodifieddate": "2026-09-01T00:00:00Z",
}  # fmt: skip


@pytest.mark.parametrize(("end", "end_day"), [
    ("2026-11-01T03:59:59.999Z", "2026-11-01"), ("2027-01-01T04:59:59Z", "2027-01-01"),
    ("2027-10-01T03:59:00Z", "2027-10-01"),
])  # fmt: skip
def test_a_goal_holds_for_its_month_quarter_or_year(end: str, end_day: str) -> None:
    row = goals(QUOTA | {"hs_end_datetime": end}).rows.iloc[0]
    assert (str(row["first_day"].date()), str(row["end_day"].date())) == ("2026-10-01", end_day)
    assert (row["amount_minor"], row["currency"]) == (9000_00, "USD")


def test_a_teams_goal_is_nobodys_own() -> None:
    row = goals(QUOTA | {"hubspot_owner_id": None, "hubspot_team_id": "11"}).rows.iloc[0]
    assert row["team_external_id"] == "11"
    assert pd.isna(row["owner_external_id"])
    own = goals(QUOTA | {"hubspot_team_id": "11"}).rows.iloc[0]  # the team that the person is in
    assert pd.isna(own["team_external_id"])


@pytest.mark.parametrize("other", [
    {"hs_goal_type": "meetings", "hs_kpi_object_type_id": "0-47", "hs_kpi_property_name": "hs_meetings"},
    {"hs_goal_type": None, "hs_kpi_object_type_id": "0-3", "hs_kpi_property_name": "hs_object_id"},
])  # fmt: skip
def test_a_goal_of_anything_but_deal_money_is_noted_never_counted(other: dict[str, Any]) -> None:
    found = goals(QUOTA | other)
    assert not len(found.rows)
    assert [(n.rule, n.count) for n in found.notes] == [("goal that is not a sales quota, not counted", 1)]


def test_a_goal_without_days_or_with_no_number_is_a_reject() -> None:
    found = goals(QUOTA | {"hs_end_datetime": ""}, QUOTA | {"hs_target_amount": "a lot"})
    assert [(r.external_id, r.rule) for r in found.rejects] == [
        ("2", "amount is no number"),
        ("1", "period is not known"),
    ]


def test_owner_ids_are_not_user_ids() -> None:
    rows = owners([
        {"id": "77", "email": "a@x.example", "firstName": "Ana", "lastName": "B", "type": "PERSON", "userId": 5,
         "archived": False, "teams": [{"id": "1", "name": "East"}, {"id": "2", "name": "West", "primary": True}]},
        {"id": "78", "email": "b@x.example", "firstName": None, "lastName": "", "userIdIncludingInactive": 6,
         "archived": True},
    ], {"2": "Europe"})  # fmt: skip
    assert [r["team_parent"] for r in rows] == ["Europe", None]
    assert [(r["id"], r["user"], r["name"], r["team"]) for r in rows] == [
        ("77", 5, "Ana B", "West"), ("78", 6, "", None),
    ]  # fmt: skip


@pytest.mark.parametrize(("metadata", "status"), [
    ({"isClosed": "true", "probability": "1.0"}, "won"), ({"isClosed": "true", "probability": "0.0"}, "lost"),
    ({"isClosed": "false", "probability": "0.0"}, "open"), ({"isClosed": "false", "probability": "1.0"}, "open"),
    ({}, "open"), (None, "open"),
])  # fmt: skip
def test_won_and_lost_are_told_by_probability_never_by_name(metadata: Any, status: str) -> None:
    stage = {"id": "s", "label": "Closed lost", "displayOrder": 1, "metadata": metadata}
    (found,) = stages("crm", [{"id": "default", "stages": [stage]}])
    assert found["status"] == status
