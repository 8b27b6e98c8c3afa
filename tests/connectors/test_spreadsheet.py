"""Spreadsheets: any columns by a mapping, every problem named, nothing guessed."""

import os
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import BadAnswer, NotAllowed
from connectors.spreadsheet import Spreadsheet
from connectors.spreadsheet.files import read
from connectors.spreadsheet.translate import number, period
from models.errors import UserError
from sandbox.cast import TODAY
from sandbox.sheets import write_sheets
from tests.support.contract import ConnectorContract

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "crm-sales.toml"
MAPPING = """
currency = "USD"
dates = "dd-mm-yy"
[deals]
file = "deals.csv"
external_id = "id"
owner = "agent"
stage = "stage"
amount = "value"
close = "closed"
product = "product"
[deals.status]
Won = "won"
Lost = "lost"
Engaging = "open"
[deals.known]
product = { file = "products.csv", column = "product" }
"""
HEADER = "id,agent,stage,value,closed,product\n"


class TestContract(ConnectorContract):
    """The pretend company's own spreadsheets."""

    @pytest.fixture
    def connect(self, tmp_path: Path) -> Callable[[], Spreadsheet]:
        write_sheets(tmp_path, TODAY, 7)
        return lambda: Spreadsheet("office", {"folder": str(tmp_path)})


@pytest.fixture
def deals(tmp_path: Path) -> Callable[..., Any]:
    """Drafts of a file of deals."""
    (tmp_path / "map.toml").write_text(MAPPING)
    (tmp_path / "products.csv").write_text("product\nGTX Pro\n")

    def run(rows: str, encoding: str = "utf-8") -> Any:
        (tmp_path / "deals.csv").write_bytes((HEADER + rows).encode(encoding))
        connector = Spreadsheet("x", {"folder": str(tmp_path), "mapping": str(tmp_path / "map.toml")})
        return connector, connector.translate(next(connector.pull("deals", None)))

    return run


def test_dates_are_read_as_stated_and_never_guessed(deals: Any) -> None:
    _, drafts = deals("a,Ana,Won,10,01-02-17,GTX Pro\nb,Ana,Won,10,31-02-17,GTX Pro\nc,Ana,Won,10,2017/02/01,GTX Pro\n")
    assert drafts.rows["close_day"].dt.date.tolist() == [date(2017, 2, 1)]
    assert [r.message for r in drafts.rejects] == [
        "deals.csv row 3, column closed: '31-02-17' is no date written dd-mm-yy",
        "deals.csv row 4, column closed: '2017/02/01' is no date written dd-mm-yy",
    ]


def test_an_empty_amount_is_unknown_and_a_bad_one_is_a_reject_that_keeps_the_rest(deals: Any) -> None:
    _, drafts = deals("a,Ana,Engaging,,,GTX Pro\nb,Ana,Won,12k5,01-02-17,GTX Pro\nc,,Won,1e9999,01-02-17,GTX Pro\n")
    assert drafts.rows["amount_minor"].isna().all()
    assert {r.external_id for r in drafts.rejects} == {"b", "c"}
    assert drafts.rejects[0].close_day == date(2017, 2, 1)
    assert drafts.rejects[0].status == "won"


def test_an_unknown_stage_is_a_reject_that_keeps_its_money(deals: Any) -> None:
    _, drafts = deals("a,Ana,Wonn,10.50,01-02-17,GTX Pro\n")
    assert drafts.rejects[0].amount_minor == 1050
    assert drafts.rejects[0].fix == "add 'Wonn' to [deals.status] of the mapping"


def test_values_that_a_list_does_not_have_are_noted_by_name(deals: Any) -> None:
    _, drafts = deals("a,Ana,Won,10,01-02-17,GTXPro\nb,Ana,Won,10,01-02-17,GTXPro\n")
    assert len(drafts.rows) == 2
    assert ("product 'GTXPro' is not in products.csv", 2) in [(n.rule, n.count) for n in drafts.notes]


def test_the_same_id_twice_is_a_reject_of_the_later_row(deals: Any) -> None:
    _, drafts = deals("a,Ana,Won,10,01-02-17,GTX Pro\na,Ana,Won,20,01-02-17,GTX Pro\n")
    assert drafts.rows["amount_minor"].tolist() == [1000]
    assert "its id stands in an earlier row" in drafts.rejects[0].message


def test_the_files_own_total_counts_rejected_rows_too(deals: Any) -> None:
    connector, _ = deals("a,Ana,Won,10,01-02-17,GTX Pro\na,Ana,Won,20,01-02-17,GTX Pro\nb,Ana,Won,x,01-02-17,GTX Pro\n")
    found = connector.totals([(date(2017, 1, 1), date(2017, 4, 1))])
    assert [(t.status, t.amount_minor, t.deals) for t in found] == [("won", 3000, 3)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_are_recognised(deals: Any, encoding: str) -> None:
    _, drafts = deals("a,Zoë Müller,Won,10,01-02-17,GTX Pro\n", encoding)
    assert drafts.rows["owner_external_id"].tolist() == ["Zoë Müller"]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_separators_are_recognised_and_text_stays_text(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "x.csv"
    file.write_text('id;name;note\r\n00123;NA;"a, b"\r\n;;\r\n7;None;x\r\n'.replace(";", separator))
    frame = read(file)
    assert frame["id"].tolist() == ["00123", "7"]
    assert frame["name"].tolist() == ["NA", "None"]
    assert frame["_row"].tolist() == [2, 4]


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b'a,b\n"unclosed,1\n', b"a,a\n1,2\n", b"a,b\n1,2,3\n"])
def test_what_is_no_table_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(content)
    with pytest.raises(BadAnswer, match=r"x\.csv"):
        read(file)


def test_a_workbook_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"PK not really")
    with pytest.raises(BadAnswer, match="no readable workbook"):
        read(tmp_path / "x.xlsx")


def test_every_problem_of_a_mapping_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('dates = "dd-mm"\n[deels]\n[deals]\nfile = "none.csv"\nownr = "x"\n')
    with pytest.raises(UserError) as caught:
        Spreadsheet("x", {"folder": str(tmp_path), "mapping": str(tmp_path / "map.toml")}).streams()
    text = str(caught.value)
    for word in (
        "dates: 'dd-mm'",
        "deels: not a stream",
        "did you mean owner?",
        "no file none.csv",
        "deals: external_id is missing",
    ):
        assert word in text


def test_a_missing_column_is_named_with_the_closest_there_is(deals: Any, tmp_path: Path) -> None:
    deals("")
    (tmp_path / "deals.csv").write_text("id,agnt,stage,value,closed,product\n")
    with pytest.raises(
        NotAllowed, match=r"deals\.csv has no column 'agent' for deals\.owner_external_id; did you mean 'agnt'\?"
    ):
        Spreadsheet("x", {"folder": str(tmp_path), "mapping": str(tmp_path / "map.toml")}).check()


def test_an_unchanged_file_is_not_read_again(deals: Any) -> None:
    connector, _ = deals("a,Ana,Won,10,01-02-17,GTX Pro\n")
    first = list(connector.pull("deals", None))
    again = list(connector.pull("deals", first[-1].cursor))
    assert again[0].facts == {"unchanged": True}


@given(st.integers(-(10**11), 10**11), st.sampled_from([".", ","]), st.sampled_from(["", "$", "€ ", "USD "]))
def test_amounts_come_back_however_they_are_written(cents: int, decimal: str, sign: str) -> None:
    text = f"{Decimal(cents) / 100:,.2f}"
    if decimal == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    assert number(sign + text, decimal) * 100 == cents


@pytest.mark.parametrize(("word", "first", "end"), [
    ("2026-11", "2026-11-01", "2026-12-01"), ("2026-Q4", "2026-10-01", "2027-01-01"),
    ("2026", "2026-01-01", "2027-01-01"),
])  # fmt: skip
def test_periods_are_months_quarters_and_years(word: str, first: str, end: str) -> None:
    found = period(word)
    assert found is not None
    assert [str(day.date()) for day in found] == [first, end]
    assert period("2026-13") is None
    assert period("Q4 26") is None


def test_the_example_mapping_is_complete() -> None:
    assert "[deals.known]" in EXAMPLE.read_text()


@pytest.mark.skipif("BEYOND_QUOTA_CRM_SALES" not in os.environ, reason="BEYOND_QUOTA_CRM_SALES names no folder")
def test_the_public_data_set_comes_out_whole(tmp_path: Path) -> None:
    for file in Path(os.environ["BEYOND_QUOTA_CRM_SALES"]).glob("*.csv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "quotas.csv").write_text("sales_agent,month,quota\nAnna Snelling,2017-03,25000\n")
    connector = Spreadsheet("crm-sales", {"folder": str(tmp_path), "mapping": str(EXAMPLE)})
    drafts = [connector.translate(b) for b in connector.pull("deals", None)]
    won = sum(int((d.rows["status"] == "won").sum()) for d in drafts)
    cents = sum(int(d.rows.loc[d.rows["status"] == "won", "amount_minor"].sum()) for d in drafts)
    assert (sum(len(d.rows) for d in drafts), won, cents) == (8800, 4238, 10_005_534_00)
    assert min(d.rows["created_day"].min() for d in drafts).date() == date(2016, 10, 20)
