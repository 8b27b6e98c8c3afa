"""What holds for every connector, and the first things that have to be true of this one."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.errors import BadAnswer, NotAllowed, SignInAgain, SourceError, TryAgainLater
from connectors.salesforce import Salesforce
from models.period import FiscalCalendar
from sandbox.company import Company
from sandbox.salesforce.data import advance
from sandbox.salesforce.server import SalesforceServer
from sandbox.truth import salesforce_truth
from tests.connectors.salesforce.kit import Connect, read
from tests.support.contract import ConnectorContract, each_fault, one_sentence


class TestSalesforce(ConnectorContract):
    """The Salesforce connector."""

    def test_totals_are_the_truth(self, server: SalesforceServer, connect: Callable[[], Salesforce]) -> None:
        company = Company(7, server.org, None)  # type: ignore[arg-type]
        truth = salesforce_truth(company)
        days = [r["CloseDate"] for r in server.org.deals]
        quarters = {
            p.id: (p.first_day, p.end_day)
            for p in FiscalCalendar().periods(min(days), max(days))
            if p.kind == "quarter"
        }
        found = {
            (t.first_day, t.currency, t.status): (t.amount_minor, t.deals)
            for t in connect().totals(list(quarters.values()))
        }
        assert found == {(quarters[q][0], c, s): (int(a * 100), n) for (q, c, s), (a, n) in truth.items()}

    def test_totals_of_any_days_are_asked_span_by_span(self, server: SalesforceServer, connect: Connect) -> None:
        deal = next(d for d in server.org.deals if d["IsWon"] and d["Amount"] and not d["IsDeleted"])
        day = deal["CloseDate"]
        found = connect().totals([(day, day.replace(day=day.day + 1) if day.day < 28 else day)])
        same = [d for d in server.org.deals if d["CloseDate"] == day and d["IsWon"] and not d["IsDeleted"]]
        assert sum(t.deals for t in found if t.status == "won") == (len(same) if day.day < 28 else 0)

    def test_a_changed_record_is_read_again_and_a_deleted_one_is_seen(self, server: Any, connect: Any) -> None:
        _, _, cursor = self.read(connect(), "deals")
        advance(server.org, 7, 1)
        rows, _, _ = self.read(connect(), "deals", cursor)
        assert 4 <= len(rows) <= 12
        assert rows["removed"].sum() == 1

    def test_a_pull_goes_on_after_the_last_page_that_was_kept(self, server: Any, connect: Any) -> None:
        every = list(connect().pull("deals", None))
        rest = list(connect().pull("deals", every[1].cursor))
        assert sum(b.table.num_rows for b in rest) == sum(b.table.num_rows for b in every[2:])
        assert rest[-1].cursor == every[-1].cursor

    def test_quotas_of_another_type_are_noted_never_added(self, connect: Any) -> None:
        rows, drafts, _ = self.read(connect(), "quotas")
        assert (~rows["removed"]).sum() == 106
        assert drafts[0].notes[0].rule == "quota of another type, not counted"

    def test_optional_features_that_are_off_are_left_out_and_said_so(self, server: Any, connect: Any) -> None:
        server.org.features.clear()
        connector = connect()
        names = {s.name for s in connector.streams()}
        assert names == {"people", "roles", "stages", "fiscal_periods", "deals", "deal_history", "activities"}
        assert {f.what for f in connector.check() if not f.ok} >= {"object ForecastingQuota", "object OpportunitySplit"}
        rows, _, _ = self.read(connector, "deals")
        assert set(rows["currency"]) == {"EUR"}

    def test_a_field_that_may_not_be_seen_is_named(self, server: Any, connect: Any, monkeypatch: Any) -> None:
        fields = server.fields
        monkeypatch.setattr(server, "fields", lambda name: [f for f in fields(name) if f != "Amount"])
        with pytest.raises(NotAllowed, match="the fields Amount of Opportunity"):
            self.read(connect(), "deals")
        assert [f.detail for f in connect().check() if not f.ok and f.needed] == ["Amount"]

    def test_a_session_that_runs_out_is_renewed_in_the_middle(self, server: Any, connect: Any) -> None:
        server.fault("401", nth=6)
        rows, _, _ = self.read(connect(), "deals")
        assert len(rows) == 190
        assert server.log_ins == 2

    def test_a_session_that_is_never_accepted_ends_after_one_renewal(self, server: Any, connect: Any) -> None:
        server.rest = lambda path, request: server.error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        with pytest.raises(SignInAgain):
            connect().account()
        assert server.log_ins == 2

    def test_a_busy_server_is_tried_again(self, server: Any, connect: Any) -> None:
        server.fault("503", nth=4, times=2)
        rows, _, _ = self.read(connect(), "deals")
        assert len(rows) == 190

    @each_fault
    def test_what_cannot_be_proven_is_an_error(self, server: Any, connect: Any, fault: str, word: str) -> None:
        connector = connect()
        connector.account()
        server.fault(fault, nth=1, times=20)
        with pytest.raises(SourceError) as caught:
            self.read(connector, "deals")
        assert word in one_sentence(caught.value)

    def test_fewer_rows_than_promised_is_an_error(self, server: Any, connect: Any, monkeypatch: Any) -> None:
        shown = server.shown
        monkeypatch.setattr(server, "shown", lambda *a: (p := shown(*a)) | {"records": p["records"][:-1]})
        with pytest.raises(BadAnswer, match="were promised and"):
            connect().account()

    def test_wrong_secret(self, server: Any) -> None:
        wrong = Salesforce(
            "crm", {"address": server.address, "client_id": "x", "client_secret": "sandbox-secrets"}, loopback=True
        )
        with pytest.raises(SignInAgain) as caught:
            wrong.check()
        assert "client_id and client_secret" in one_sentence(caught.value)

    def test_a_stopped_server(self, server: Any, connect: Any) -> None:
        server.stop()
        with pytest.raises(TryAgainLater) as caught:
            connect().account()
        assert "cannot be reached" in one_sentence(caught.value)

    def test_calls_are_counted(self, server: SalesforceServer, connect: Connect) -> None:
        source = connect()
        read(source, "deals")
        assert source.calls == server.calls
