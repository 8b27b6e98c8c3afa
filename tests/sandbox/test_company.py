"""The pretend company: the same seed gives the same company, and its query language refuses what the real one would."""

from datetime import date
from typing import Any

import pytest

from sandbox.company import Company
from sandbox.salesforce.data import quarter_start
from sandbox.salesforce.org import make_id
from sandbox.salesforce.soql import Parser, SoqlError, run
from sandbox.truth import hubspot_truth, salesforce_truth

ROWS: list[dict[str, Any]] = [
    {"Id": "a", "N": 1, "D": date(2026, 1, 2), "F": True},
    {"Id": "b", "N": None, "D": date(2026, 4, 2), "F": False},
    {"Id": "c", "N": 3, "D": date(2026, 4, 3), "F": True},
]


def ask(soql: str) -> list[str]:
    """Ids that a query finds."""
    return [str(r["Id"]) for r in run(Parser(soql, {"X": ROWS[0]}).parse(), ROWS)]


def test_the_same_seed_gives_the_same_company_and_another_seed_another() -> None:
    one, two, other = Company.generate(), Company.generate(), Company.generate(seed=8)
    for company in (one, two, other):
        company.advance(3)
    assert one.salesforce.objects == two.salesforce.objects
    assert one.hubspot.deals == two.hubspot.deals
    assert salesforce_truth(one) != salesforce_truth(other)
    assert hubspot_truth(one) != hubspot_truth(other)


def test_the_stories_are_all_there() -> None:
    company = Company.generate()
    deals = company.salesforce.deals
    assert any(d["IsDeleted"] for d in deals)
    assert any(d["Amount"] is None and d["IsWon"] for d in deals)
    assert any(d["IsWon"] and d["CloseDate"] > company.salesforce.today for d in deals)
    assert {d["CurrencyIsoCode"] for d in deals} == {"EUR", "USD"}
    stamps = [d["SystemModstamp"] for d in deals]
    assert max(stamps.count(s) for s in stamps) >= 40
    portal = company.hubspot
    assert any(d["properties"]["hubspot_owner_id"] in (None, "") for d in portal.deals.values())
    assert any(d["archived"] for d in portal.deals.values())
    assert any(d["properties"]["hs_merged_object_ids"] for d in portal.deals.values())
    assert [o["email"] for o in portal.owners.values()].count("hana.mockup@example.com") == 2


def test_a_company_of_any_size() -> None:
    company = Company.generate(deals=500, reps=5)
    assert len(company.salesforce.deals) == len(company.hubspot.deals) == 500


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("N > 1", ["c"]),
        ("N != null", ["a", "c"]),
        ("F = true AND D >= 2026-04-01", ["c"]),
        ("N = 1 OR N = 3", ["a", "c"]),
        ("NOT (F = true)", ["b"]),
        ("Id IN ('a', 'b') ORDER BY D DESC", ["b", "a"]),
        ("Id NOT IN ('a') LIMIT 1", ["b"]),
    ],
)
def test_queries_find_what_they_say(where: str, found: list[str]) -> None:
    assert ask(f"SELECT Id FROM X WHERE {where}") == found


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Nope FROM X", "INVALID_FIELD"),
        ("SELECT Id FROM Y", "INVALID_TYPE"),
        ("SELECT Id FROM X WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM X; DROP", "MALFORMED_QUERY"),
    ],
)
def test_wrong_queries_fail_as_documented(soql: str, code: str) -> None:
    with pytest.raises(SoqlError) as caught:
        ask(soql)
    assert caught.value.code == code


def test_ids_have_eighteen_signs_and_quarters_begin_on_their_first_day() -> None:
    ids = {make_id("User", n) for n in range(500)}
    assert len(ids) == 500
    assert {len(i) for i in ids} == {18}
    assert quarter_start(date(2026, 11, 24), 4) == date(2025, 10, 1)
