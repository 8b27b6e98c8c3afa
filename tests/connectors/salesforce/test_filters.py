"""Which opportunities count: the installation's filter holds in queries and changes; no value alters a query."""

import re
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import NotAllowed, SourceError
from tests.connectors.salesforce.kit import Connect, live, read, soql

NASTY = "O'Brien \\ Söhne') OR (IsDeleted = true"
LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'")


@pytest.fixture(autouse=True)
def told_apart(server: Any) -> None:
    """A few opportunities with values of every kind."""
    for number, deal in enumerate(server.org.deals):
        deal |= {"Partner__c": number % 3 == 0, "PushCount": number % 4, "Type": ("New", "Renewal")[number % 2]}
    server.org.deals[5]["Type"] = NASTY


@pytest.mark.parametrize(("field", "values"), [
    ("Partner__c", [True]), ("Partner__c", [False]), ("PushCount", [0, 3]), ("Probability", [50, 100]),
    ("Type", ["New", NASTY]), ("Type", [NASTY]), ("RecordType", ["Renewal"]), ("RecordType", ["New_Business"]),
    ("RecordType", ["New business", "Renewal"]),
])  # fmt: skip
@pytest.mark.parametrize("bulk_from", [1, 1000])
def test_only_what_the_filter_lets_in_is_read(
    server: Any, connect: Connect, field: str, values: list[Any], bulk_from: int
) -> None:
    types = {i: (r["Name"], r["DeveloperName"]) for i, r in server.org.objects["RecordType"].items()}

    def let_in(deal: dict[str, Any]) -> bool:
        return bool(set(types[deal["RecordTypeId"]]) & set(values)) if field == "RecordType" else deal[field] in values

    found = read(connect(only={"deals": {field: values}}, bulk_from=bulk_from), "deals")
    wanted = {d["Id"] for d in server.org.deals if let_in(d)}
    assert set(found.ids) == wanted
    assert set(found.rows.index[~found.rows["removed"]]) == {d["Id"] for d in live(server.org) if let_in(d)}
    assert wanted


def test_no_value_changes_the_shape_of_a_query(server: Any, connect: Connect) -> None:
    shapes = []
    for value in ("plain", NASTY, "'", "\\", "\\'", "a\nb"):
        server.log.clear()
        source = connect(only={"deals": {"Type": [value]}})
        list(source.pull("deals", None))
        source.survey("deals")
        shapes.append([LITERAL.sub("?", query) for query in soql(server)])
    assert len(shapes[0]) == 3
    assert all(shape == shapes[0] for shape in shapes)


def test_a_deal_that_the_filter_no_longer_lets_in_is_gone_and_comes_back(server: Any, connect: Connect) -> None:
    options: dict[str, Any] = {"only": {"deals": {"Type": ["New"]}}}
    deal = next(d for d in live(server.org) if d["Type"] == "New")
    cursor = read(connect(**options), "deals").cursor
    server.org.change(deal, Type="Renewal")
    found = read(connect(**options), "deals", cursor)
    assert found.of(deal)["removed"]
    server.org.change(deal, Type="new")  # the query language does not tell case apart
    assert not read(connect(**options), "deals", found.cursor).of(deal)["removed"]


@pytest.mark.parametrize("spelling", ["50", "50.0", "5E1"])
def test_a_number_is_let_in_however_it_is_spelt(server: Any, connect: Connect, spelling: str) -> None:
    deal = live(server.org)[0]
    deal["Probability"] = Decimal(spelling)
    found = read(connect(only={"deals": {"Probability": [50]}}), "deals")
    assert not found.of(deal)["removed"]


def test_totals_and_surveys_count_what_the_filter_lets_in(server: Any, connect: Connect) -> None:
    source = connect(only={"deals": {"Type": ["Renewal"]}})
    wanted = [d for d in live(server.org) if d["Type"] == "Renewal"]
    parts = source.survey("deals")
    assert parts is not None
    assert sum(part.rows for part in parts) == len(wanted)
    days = [d["CloseDate"].replace(day=1) for d in wanted]
    span = (min(days), max(days).replace(year=2030))
    assert sum(t.deals for t in source.totals([span])) == len(wanted)


def test_a_record_type_that_is_not_there_is_named_with_those_that_are(connect: Connect) -> None:
    with pytest.raises(SourceError, match="there is no record type Upsell; the org has New business, Renewal"):
        read(connect(only={"deals": {"RecordType": ["Upsell"]}}), "deals")


def test_a_field_of_the_filter_that_may_not_be_seen_is_named(server: Any, connect: Connect) -> None:
    server.hidden = {"Opportunity.Type"}
    source = connect(only={"deals": {"Type": ["New"]}})
    with pytest.raises(NotAllowed, match="No such column 'Type'"):
        read(source, "deals")
    (finding,) = [f for f in source.check() if f.what == "field Opportunity.Type"]
    assert (finding.ok, finding.needed, finding.without) == (False, True, "deals cannot be filtered by it")


def test_further_fields_are_kept_by_their_own_names(server: Any, connect: Connect) -> None:
    deal = live(server.org)[0]
    found = read(connect(extra={"deals": ["ARR__c", "Region__c", "Gone__c"]}), "deals")
    assert found.of(deal)["extra"] == f'{{"ARR__c": "{deal["ARR__c"]}", "Region__c": "{deal["Region__c"]}"}}'


def test_a_field_of_the_installations_own_stands_for_ours_everywhere(server: Any, connect: Connect) -> None:
    source = connect(fields={"deals": {"amount": "ARR__c"}})
    deal = next(d for d in live(server.org) if d["ARR__c"])
    assert read(source, "deals").of(deal)["amount_minor"] == int(deal["ARR__c"] * 100)
    day = deal["CloseDate"].replace(day=1)
    (month,) = [p for p in source.survey("deals") or () if p.first_day == day]
    same = [d for d in live(server.org) if d["CloseDate"].replace(day=1) == day and d["CurrencyIsoCode"] == "EUR"]
    assert month.amounts["EUR"] == sum(int((d["ARR__c"] or 0) * 100) for d in same)
