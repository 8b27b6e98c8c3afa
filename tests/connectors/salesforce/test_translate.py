"""Rows in our own words: the same from a page and from a bulk job, and what cannot be read is named, never guessed."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from connectors.base import Batch, Drafts
from connectors.salesforce.bulk import as_columns, flags
from connectors.salesforce.objects import FLAGS, OBJECTS
from connectors.salesforce.reading import columns
from connectors.salesforce.translate import translate
from tests.connectors.salesforce.kit import Connect, read

ID = "006Sa0000AAAAAXIQ5"
OWNER = "005Sa0000AAAAARIQ5"
DEAL = {
    "Id": ID, "Name": "Mock Mills", "OwnerId": OWNER, "Amount": Decimal("100.00"), "StageName": "Proposal",
    "IsClosed": False, "IsWon": False, "CloseDate": "2026-11-30", "IsDeleted": False,
    "SystemModstamp": "2026-11-24T02:00:00.000+0000", "CurrencyIsoCode": "EUR", "Probability": Decimal("50.0"),
    "ForecastCategory": "BestCase", "CreatedDate": "2026-08-17T09:00:00.000+0000", "RecordTypeId": None,
}  # fmt: skip


def facts(stream: str, **more: Any) -> dict[str, Any]:
    return {"currency": "EUR", "fields": OBJECTS[stream][0].words, **more}


def drafts(stream: str, records: Sequence[Mapping[str, Any]], **more: Any) -> Drafts:
    """Records of a page in our own words."""
    names = list(dict.fromkeys(n for r in records for n in r))
    return translate(Batch(stream, columns(records, names), {}, facts(stream, **more)))


def deal(**fields: Any) -> Drafts:
    return drafts("deals", [DEAL | fields])


def from_json(text: str, names: list[str]) -> Any:
    return columns(json.loads(text, parse_float=Decimal)["records"], names)


ROWS = """{"records": [
 {"Id": "006Sa0000AAAAAXIQ5", "Name": "Mock \\"Mills\\", first\\norder – Söhne", "OwnerId": "005Sa0000AAAAAR",
  "Amount": 1.0E7, "StageName": "Proposal", "IsClosed": false, "IsWon": false, "CloseDate": "2026-11-30",
  "IsDeleted": false, "SystemModstamp": "2026-11-24T02:00:00.000+0000", "Probability": 50.0,
  "CreatedDate": "2026-08-17T09:00:00.000+0000", "Partner__c": true, "Signed__c": "2026-11-20T10:30:00.000+0000",
  "Seats__c": 12.0, "Region__c": "", "Code__c": "007"},
 {"Id": "006Sa0000AAAAAYIQ5", "Name": "", "OwnerId": null, "Amount": null, "StageName": "Closed Won",
  "IsClosed": true, "IsWon": true, "CloseDate": "2026-10-01", "IsDeleted": true,
  "SystemModstamp": "2026-11-24T02:00:01.000+0000", "Probability": 100.0, "CreatedDate": null,
  "Partner__c": false, "Signed__c": null, "Seats__c": null, "Region__c": null, "Code__c": "1E5"}]}"""
CSV = """"Id","Name","OwnerId","Amount","StageName","IsClosed","IsWon","CloseDate","IsDeleted","SystemModstamp","Probability","CreatedDate","Partner__c","Signed__c","Seats__c","Region__c","Code__c"
"006Sa0000AAAAAXIQ5","Mock ""Mills"", first
order – Söhne","005Sa0000AAAAAR","10000000","Proposal","false","false","2026-11-30","false","2026-11-24T02:00:00.000Z","50.0","2026-08-17T09:00:00.000Z","true","2026-11-20T10:30:00.000Z","12.0","","007"
"006Sa0000AAAAAYIQ5","","","","Closed Won","true","true","2026-10-01","true","2026-11-24T02:00:01.000Z","100.0","","false","","","","1E5"
"""  # noqa: E501
EXTRA = {
    "Partner__c": "boolean", "Signed__c": "datetime", "Seats__c": "double", "Region__c": "string", "Code__c": "string",
}  # fmt: skip


def test_a_page_and_a_bulk_job_give_the_same_drafts_of_the_same_rows() -> None:
    names = next(csv.reader(io.StringIO(CSV)))
    words = OBJECTS["deals"][0].words | {f"extra.{name}": name for name in EXTRA}
    known = {"currency": "EUR", "fields": words, "extra": EXTRA}
    page = translate(Batch("deals", from_json(ROWS, names), {}, known))
    job = translate(Batch("deals", flags(as_columns(CSV.encode(), "here"), FLAGS), {}, known))
    pd.testing.assert_frame_equal(page.rows, job.rows)
    assert page.rejects == job.rejects == []
    first = page.rows.iloc[0]
    assert (first["name"], first["amount_minor"], first["owner_external_id"]) == (
        'Mock "Mills", first\norder – Söhne', 10_000_000_00, OWNER,
    )  # fmt: skip
    assert json.loads(first["extra"]) == {
        "Partner__c": "true", "Signed__c": "2026-11-20T10:30:00.000Z", "Seats__c": "12", "Region__c": None,
        "Code__c": "007",
    }  # fmt: skip
    assert json.loads(page.rows["extra"][1])["Code__c"] == "1E5"


@pytest.mark.parametrize("stream", ["deals", "quotas", "splits", "deal_history", "deal_field_history"])
def test_a_stream_is_the_same_by_pages_and_by_bulk_jobs(server: Any, connect: Connect, stream: str) -> None:
    for number, record in enumerate(server.org.deals):
        record |= {"Partner__c": number % 2 == 0, "Signed__c": record["CreatedDate"]}
    for number, record in enumerate(server.org.deals[:20]):
        server.org.change(record, Amount=Decimal(number), OwnerId=server.org.deals[30]["OwnerId"])
    extra = {"deals": ["Partner__c", "Signed__c", "ARR__c", "Region__c"]}
    pages, jobs = (read(connect(bulk_from=n, extra=extra), stream) for n in (10**6, 1))
    assert "job" not in pages.batches[0].cursor
    pd.testing.assert_frame_equal(pages.rows.sort_index(), jobs.rows.sort_index())
    assert len(pages.rows) > 8


@pytest.mark.parametrize(("amount", "minor"), [
    (Decimal("12.345"), 1234), (Decimal("12.355"), 1236), (Decimal("-500.5"), -50050),
    (Decimal("1.0E7"), 1_000_000_000), (0, 0), (Decimal("0.0"), 0), (Decimal("90071992547409.92"), 2**53),
    (None, None), ("", None),
])  # fmt: skip
def test_an_amount_is_what_was_written_to_the_cent(amount: Any, minor: int | None) -> None:
    found = deal(Amount=amount)
    assert found.rejects == []
    value = found.rows["amount_minor"][0]
    assert (None if pd.isna(value) else value) == minor


@pytest.mark.parametrize(("currency", "amount", "minor"), [("JPY", "1500.5", 1500), ("KWD", "1.2345", 1234)])
def test_a_currency_has_the_digits_that_it_has(currency: str, amount: str, minor: int) -> None:
    assert deal(CurrencyIsoCode=currency, Amount=Decimal(amount)).rows["amount_minor"][0] == minor


@pytest.mark.parametrize("amount", [
    Decimal("1e400"), Decimal("1e400000000"), float("nan"), float("inf"), "1,200", "12 €", Decimal("90071992547410"),
])  # fmt: skip
def test_an_amount_that_is_none_is_a_reject_with_its_reason(amount: Any) -> None:
    found = deal(Amount=amount, IsClosed=True, IsWon=True)
    assert found.rows.empty
    (reject,) = found.rejects
    assert (reject.external_id, reject.rule, reject.field) == (ID, "amount is no number", "Amount")
    assert (reject.raw_value, reject.status, reject.amount_minor) == (str(amount), "won", None)
    assert str(reject.close_day) == "2026-11-30"
    assert reject.fix == "correct Amount in Salesforce"


def test_an_amount_of_no_known_currency_is_a_reject() -> None:
    (reject,) = deal(CurrencyIsoCode="ZZZ").rejects
    assert "'ZZZ' is not an ISO 4217 currency code" in reject.message


def test_an_amount_that_cannot_be_read_of_a_deal_that_is_gone_troubles_nobody() -> None:
    found = deal(Amount="1,200", CloseDate="2026-02-30", IsDeleted=True)
    assert found.rejects == []
    assert found.rows["removed"].tolist() == [True]


@pytest.mark.parametrize("day", ["2026-02-30", "30.11.2026", "soon", "2026-13-01"])
def test_a_close_date_that_is_no_day_is_a_reject_that_keeps_its_money(day: str) -> None:
    found = drafts("deals", [DEAL | {"CloseDate": day}, DEAL | {"Id": "006Sa0000AAAAAYIQ5"}])
    assert found.rows["external_id"].tolist() == ["006Sa0000AAAAAYIQ5"]
    (reject,) = found.rejects
    assert (reject.rule, reject.field, reject.raw_value) == ("close date is no day", "CloseDate", day)
    assert (reject.amount_minor, reject.currency, reject.close_day) == (100_00, "EUR", None)


def test_a_row_with_two_faults_is_rejected_once() -> None:
    found = deal(CloseDate="soon", Amount="much")
    assert [r.rule for r in found.rejects] == ["amount is no number"]


@pytest.mark.parametrize("day", ["1700-01-01", "4000-12-31"])
def test_a_day_far_away_is_a_day(day: str) -> None:
    assert str(deal(CloseDate=day).rows["close_day"][0].date()) == day


def test_a_created_date_that_cannot_be_read_costs_no_row() -> None:
    found = deal(CreatedDate="yesterday")
    assert found.rejects == []
    assert found.rows["created_day"].isna().all()


@pytest.mark.parametrize("stamp", ["2026-11-24T02:00:00.000+0000", "2026-11-24T02:00:00.000Z", "2026-11-24T02:00:00Z"])
def test_every_spelling_of_an_instant_is_that_instant(stamp: str) -> None:
    rows = drafts("deals", [DEAL, DEAL | {"Id": "006Sa0000AAAAAYIQ5", "SystemModstamp": stamp}]).rows
    assert rows["modified_at"].nunique() == 1


def test_an_id_of_15_signs_becomes_the_one_of_18() -> None:
    assert deal(OwnerId=OWNER[:15]).rows["owner_external_id"].tolist() == [OWNER]
    member = {"Id": "0JTSa0000AAAAJ9OQP", "UserId": OWNER[:15], "Territory2Id": "0MISa0000AAAAJ8", "IsActive": True}
    row = drafts("territory_members", [member]).rows.iloc[0]
    assert (row["owner_external_id"], row["territory_external_id"]) == (OWNER, "0MISa0000AAAAJ8OQP")


def change(field: str, old: Any, new: Any) -> dict[str, Any]:
    return {"Id": f"017Sa0000AAAA{field[:2]}IQ5", "OpportunityId": ID[:15], "Field": field, "OldValue": old,
            "NewValue": new, "CreatedById": OWNER[:15], "CreatedDate": "2026-11-24T02:00:00.000+0000",
            "IsDeleted": False}  # fmt: skip


def test_only_the_values_that_are_ids_are_lengthened_in_the_history() -> None:
    rows = drafts("deal_field_history", [
        change("StageName", "ProofOfConcepts", "Negotiation"), change("Amount", 123456789012345, Decimal("1.5")),
        change("Owner", "005Sa0000AAAAAQ", OWNER[:15]), change("Owner", "Mo Manager", "Ana Sample"),
    ]).rows.set_index("field")  # fmt: skip
    assert rows["old_value"].to_dict() == {
        "stage": "ProofOfConcepts", "amount": "123456789012345", "owner_external_id": "005Sa0000AAAAAQIQ5",
    }  # fmt: skip
    assert rows.loc["owner_external_id", "new_value"] == OWNER  # once, though the history has it by name too
    assert set(rows["deal_external_id"]) == {ID}


def test_the_history_tells_what_was_before_only_where_it_is_known() -> None:
    common = {
        "OpportunityId": ID,
        "CreatedDate": "2026-11-24T02:00:00.000Z",
        "StageName": "Proposal",
        "IsDeleted": False,
    }
    names = ("Id", "Amount", "PrevAmount", "CloseDate", "PrevCloseDate")
    rows = drafts("deal_history", [
        common | dict(zip(names, values, strict=True)) for values in (
            ("008a", 5, None, "2026-11-30", "2026-11-30"), ("008b", 7, 5, "2026-12-30", "2026-11-30"),
            ("008c", None, 7, "2026-12-30", None),
        )
    ]).rows.set_index("external_id")  # fmt: skip
    told = {i: (r["old_value"], r["new_value"]) for i, r in rows.iterrows() if r["field"] != "stage"}
    assert {i: tuple(None if pd.isna(v) else v for v in pair) for i, pair in told.items()} == {
        "008b:amount": ("5", "7"), "008b:close_day": ("2026-11-30", "2026-12-30"), "008c:amount": ("7", None),
    }  # fmt: skip


def test_a_flag_of_the_installations_own_is_true_only_where_it_says_so() -> None:
    words = OBJECTS["deals"][0].words | {"won": "Signed__c", "closed": "Done__c"}
    records = [DEAL | {"Id": f"006{n}", "Signed__c": won, "Done__c": True} for n, won in enumerate((True, False, None))]
    table = columns(records, list(records[0]))
    rows = translate(Batch("deals", table, {}, {"currency": "EUR", "fields": words})).rows
    assert rows["status"].tolist() == ["won", "lost", "lost"]


def test_tasks_that_say_nothing_of_their_kind_are_counted_with_those_that_are_tasks() -> None:
    rows = drafts("activities", [
        {"object": "Task", "owner": OWNER, "kind": kind, "y": "2026", "m": "9", "n": n}
        for kind, n in ((None, "2"), ("Task", "3"), ("Call", "4"))
    ]).rows.set_index("external_id")  # fmt: skip
    assert rows["number"].to_dict() == {f"task:{OWNER}:2026-09": 5, f"call:{OWNER}:2026-09": 4}


@pytest.mark.parametrize(("first_day", "rule"), [("2026-02-30", "month is no day"), (None, "month is missing")])
def test_a_quota_without_a_month_is_a_reject(first_day: Any, rule: str) -> None:
    quota = {"Id": "0J9a", "QuotaOwnerId": OWNER, "StartDate": first_day, "QuotaAmount": 5, "SystemModstamp": None}
    found = drafts("quotas", [quota, quota | {"Id": "0J9b", "StartDate": "2026-11-17"}])
    assert [r.rule for r in found.rejects] == [rule]
    row = found.rows.set_index("external_id").loc["0J9b"]
    assert (str(row["first_day"].date()), str(row["end_day"].date())) == ("2026-11-01", "2026-12-01")


@pytest.mark.parametrize(("period", "start", "span"), [
    ("month", 1, ("2026-11-01", "2026-12-01")), ("quarter", 1, ("2026-10-01", "2027-01-01")),
    ("quarter", 2, ("2026-11-01", "2027-02-01")), ("year", 4, ("2026-04-01", "2027-04-01")),
    ("year", 12, ("2025-12-01", "2026-12-01")),
])  # fmt: skip
def test_a_quota_holds_for_the_fiscal_period_that_its_day_lies_in(
    period: str, start: int, span: tuple[str, str]
) -> None:
    quota = {"Id": "0J9a", "QuotaOwnerId": OWNER, "StartDate": "2026-11-17", "QuotaAmount": 5, "SystemModstamp": None}
    row = drafts("quotas", [quota], quota_period=period, fiscal_start_month=start).rows.iloc[0]
    assert (str(row["first_day"].date()), str(row["end_day"].date())) == span
