"""Random histories of an org, with faults at any call: after a healed run the store is what the org is."""

import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from models.database import open_store, upgrade
from models.ledger import RunStatus
from sandbox.salesforce.data import STAGES, _stage
from sandbox.salesforce.org import Record
from sandbox.salesforce.server import SalesforceServer
from tests.support.org import DEEP, Mirror, small_org, split

FAULTS = ("503", "429", "401", "html401", "html", "truncate", "empty", "reset", "redirect", "limit", "short",
          "duplicate", "query_timeout", "locator")  # fmt: skip
numbers = st.integers(0, 10**6)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries are for busy servers; here nobody has to recover."""
    monkeypatch.setattr("urllib3.util.retry.Retry.sleep", lambda *_: None)
    monkeypatch.setattr("connectors.salesforce.bulk.WAIT", 0.001)


class Histories(RuleBasedStateMachine):
    """People work, time passes, syncs run and fail; whatever happens, a healed run makes store and org equal."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.coin = 0

    @initialize(page=st.sampled_from([1, 2, 3, 7, 2000]), bulk_from=st.sampled_from([1, 5, 20_000]))
    def begin(self, page: int, bulk_from: int) -> None:
        self.org = small_org()
        self.server = SalesforceServer(self.org, page=page).__enter__()
        engine = open_store(f"sqlite:///{Path(self.folder.name) / 'store.sqlite3'}")
        upgrade(engine)
        self.mirror = Mirror(self.server, engine, Path(self.folder.name) / "landing", bulk_from=bulk_from)

    def amount(self) -> Decimal:
        """A new amount, twice the last one in cents: no two sets of them have one sum."""
        self.coin += 1
        return Decimal(2 ** (self.coin % 50)).scaleb(-2)

    def pick(self, kind: str, number: int, deleted: bool = False) -> Record | None:
        found = [r for r in self.org.objects.get(kind, {}).values() if bool(r.get("IsDeleted")) == deleted]
        return found[number % len(found)] if found else None

    def user(self, number: int) -> str:
        users = [str(u["Id"]) for u in self.org.objects["User"].values()]
        return users[number % len(users)]

    @rule(number=numbers, days=st.integers(-200, 200))
    def create(self, number: int, days: int) -> None:
        like = self.pick("Opportunity", number)
        if like is not None:
            fields = {k: v for k, v in like.items() if k not in ("Id", "SystemModstamp", "LastModifiedDate")}
            day = self.org.today + timedelta(days=days)
            self.org.add("Opportunity", **{**fields, "Amount": self.amount(), "CloseDate": day})

    @rule(number=numbers, stage=st.integers(0, len(STAGES) - 1), days=st.integers(-100, 100), blank=st.booleans())
    def edit(self, number: int, stage: int, days: int, blank: bool) -> None:
        deal = self.pick("Opportunity", number)
        if deal is not None:
            day = deal["CloseDate"] + timedelta(days=days)
            self.org.change(deal, **_stage(stage), CloseDate=day, Amount=None if blank else self.amount())

    @rule(number=numbers)
    def formula(self, number: int) -> None:
        """An amount that is worked out elsewhere moves, and no time stamp tells of it."""
        deal = self.pick("Opportunity", number)
        if deal is not None:
            deal["Amount"] = self.amount()

    @rule(number=numbers, to=numbers)
    def reassign(self, number: int, to: int) -> None:
        deal = self.pick("Opportunity", number)
        if deal is not None:
            self.org.change(deal, OwnerId=self.user(to))

    @rule(number=numbers, how=st.sampled_from(["delete", "hard_delete", "hide"]),
          kind=st.sampled_from(["Opportunity", "OpportunitySplit", "ForecastingQuota"]))  # fmt: skip
    def remove(self, number: int, how: str, kind: str) -> None:
        record = self.pick(kind, number)
        if record is not None:
            getattr(self.org, how)(record)

    @rule(number=numbers, kind=st.sampled_from(["Opportunity", "OpportunitySplit"]))
    def undelete(self, number: int, kind: str) -> None:
        record = self.pick(kind, number, deleted=True)
        if record is not None:
            self.org.undelete(record)

    @precondition(lambda self: self.org.hidden)
    @rule(number=numbers)
    def show(self, number: int) -> None:
        names = sorted(self.org.hidden)
        self.org.show(names[number % len(names)])

    @rule(number=numbers, to=numbers, percent=st.integers(1, 100))
    def share(self, number: int, to: int, percent: int) -> None:
        deal = self.pick("Opportunity", number)
        if deal is not None:
            split(self.org, deal, self.user(to), Decimal(percent))

    @rule(number=numbers, percent=st.integers(0, 10_000))
    def reshare(self, number: int, percent: int) -> None:
        record = self.pick("OpportunitySplit", number)
        if record is not None:
            self.org.change(record, SplitPercentage=Decimal(percent).scaleb(-2))

    @rule(number=numbers)
    def raise_quota(self, number: int) -> None:
        quotas = [q for q in self.org.objects["ForecastingQuota"].values() if q["IsAmount"]]
        if quotas:
            self.org.change(quotas[number % len(quotas)], QuotaAmount=self.amount())

    @rule(count=st.integers(2, 6))
    def tie(self, count: int) -> None:
        """A bulk edit: many records share one second."""
        for deal in [d for d in self.org.deals if not d["IsDeleted"]][:count]:
            self.org.change(deal, Amount=self.amount())

    @rule(number=numbers, seconds=st.integers(0, 290))
    def late_commit(self, number: int, seconds: int) -> None:
        """A change becomes visible now, stamped when its transaction began; a stamp never goes back."""
        deal = self.pick("Opportunity", number)
        if deal is not None:
            before = deal["SystemModstamp"]
            self.org.change(deal, Amount=self.amount())
            deal["SystemModstamp"] = max(before, self.org.clock - timedelta(seconds=seconds))

    @rule(seconds=st.sampled_from([1, 59, 600, 3600, 86_400, 5 * 86_400, 16 * 86_400]))
    def wait(self, seconds: int) -> None:
        self.org.clock += timedelta(seconds=seconds)
        self.org.purge()

    @rule()
    def sync(self) -> None:
        self.mirror.sync(allow_removals=10**6)

    @rule(kind=st.sampled_from(FAULTS), nth=st.integers(1, 30), times=st.integers(1, 4))
    def sync_with_a_fault(self, kind: str, nth: int, times: int) -> None:
        self.server.fault(kind, nth, times)
        self.mirror.sync(allow_removals=10**6)
        self.server.faults.clear()

    @rule(nth=st.integers(1, 30), number=numbers, how=st.sampled_from(["change", "delete", "hard_delete"]))
    def sync_while_somebody_works(self, nth: int, number: int, how: str) -> None:
        """A record is edited or deleted between two pages."""
        due = self.server.calls + nth

        def work(call: int, _request: object) -> None:
            if call == due:
                deal = self.pick("Opportunity", number)
                if deal is not None and how == "change":
                    self.org.change(deal, Amount=self.amount())
                elif deal is not None:
                    getattr(self.org, how)(deal)

        self.server.before = work
        self.mirror.sync(allow_removals=10**6)
        self.server.before = None

    @rule()
    def heal(self) -> None:
        report = self.mirror.heal()
        assert self.mirror.differences() == []
        assert report.status is RunStatus.SUCCESS, report.message
        again = self.mirror.replay()
        assert again.status is RunStatus.SUCCESS, again.message
        assert again.wrote == 0, again.streams

    def teardown(self) -> None:
        if hasattr(self, "mirror"):
            try:
                self.heal()
            finally:
                self.server.stop()
                self.mirror.engine.dispose()
        self.folder.cleanup()


STEPS = 25
TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=500 if DEEP else 10, stateful_step_count=STEPS)
