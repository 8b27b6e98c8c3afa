"""What every connector has to hold, whatever it reads: subclass ConnectorContract and give it a source."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from connectors.base import DRAFTS, Connector, Drafts
from connectors.errors import SourceError


class ConnectorContract:
    """Subclasses give `connect`: a fixture that makes a fresh connector to an unchanged source."""

    def read(self, connector: Connector, stream: str, cursor: Any = None) -> tuple[pd.DataFrame, list[Drafts], Any]:
        """Every draft of a stream, the drafts batch by batch, and the cursor to keep."""
        batches = list(connector.pull(stream, cursor))
        drafts = [connector.translate(b) for b in batches if not b.facts.get("unchanged")]
        rows = pd.concat([d.rows for d in drafts]) if drafts else pd.DataFrame(columns=list(DRAFTS[stream]))
        return rows, drafts, batches[-1].cursor

    def test_streams_are_named_in_the_vocabulary_and_in_its_order(self, connect: Callable[[], Connector]) -> None:
        names = [s.name for s in connect().streams()]
        assert names == [n for n in DRAFTS if n in names]
        assert len(set(names)) == len(names)

    def test_a_pull_ends_with_exactly_one_last_batch(self, connect: Callable[[], Connector]) -> None:
        connector = connect()
        for stream in connector.streams():
            marks = [batch.last for batch in connector.pull(stream.name, None)]
            assert marks == [False] * (len(marks) - 1) + [True], stream.name

    def test_drafts_have_exactly_the_declared_columns_and_types(self, connect: Callable[[], Connector]) -> None:
        kinds = {"day": "datetime64[s]", "instant": "datetime64[us, UTC]"}
        connector = connect()
        for stream in connector.streams():
            for draft in self.read(connector, stream.name)[1]:
                wanted = {n: kinds.get(k, k) for n, k in DRAFTS[stream.name].items()}
                assert {n: str(t) for n, t in draft.rows.dtypes.items()} == wanted, stream.name

    def test_every_draft_has_an_id_of_its_own(self, connect: Callable[[], Connector]) -> None:
        connector = connect()
        for stream in connector.streams():
            rows, drafts, _ = self.read(connector, stream.name)
            ids = [*rows["external_id"], *(r.external_id for d in drafts for r in d.rejects)]
            assert rows["external_id"].notna().all(), stream.name
            assert len(set(ids)) == len(ids), stream.name

    def test_translating_a_batch_twice_gives_the_same(self, connect: Callable[[], Connector]) -> None:
        connector = connect()
        for stream in connector.streams():
            for batch in connector.pull(stream.name, None):
                if not batch.facts.get("unchanged"):
                    pd.testing.assert_frame_equal(connector.translate(batch).rows, connector.translate(batch).rows)

    def test_reading_on_from_the_cursor_brings_nothing_new(self, connect: Callable[[], Connector]) -> None:
        connector = connect()
        for stream in connector.streams():
            first, _, cursor = self.read(connector, stream.name)
            again, _, _ = self.read(connect(), stream.name, cursor)
            merged = again.merge(first, how="left", indicator=True) if len(again) else again
            assert not len(merged) or (merged["_merge"] == "both").all(), stream.name

    def test_every_reject_says_which_row_what_and_what_to_do(self, connect: Callable[[], Connector]) -> None:
        connector = connect()
        for stream in connector.streams():
            for reject in (r for d in self.read(connector, stream.name)[1] for r in d.rejects):
                assert reject.message
                assert reject.fix
                assert reject.rule

    def test_a_connection_test_finds_everything_in_order(self, connect: Callable[[], Connector]) -> None:
        assert all(finding.ok or not finding.needed for finding in connect().check())


def one_sentence(error: SourceError) -> str:
    """The error's sentence; it holds no traceback and no secret."""
    text = str(error)
    assert "Traceback" not in text
    assert "sandbox-secret" not in text
    assert "SELECT" not in text
    return text


FAULTS = [("html", "web page"), ("empty", "nothing"), ("truncate", "again later"), ("redirect", "not followed")]
"""Answers that the SDKs would take as empty data, and a word of what is said instead."""

each_fault = pytest.mark.parametrize(("fault", "word"), FAULTS)
