"""Random histories of a portal, with faults at any call: after a healed run the store is what the portal is."""

import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from models.database import open_store, upgrade
from models.ledger import RunStatus
from sandbox.hubspot.pipelines import STAGES
from sandbox.hubspot.portal import Record, closing, stamp
from sandbox.hubspot.server import HubSpotServer
from tests.support.org import DEEP
from tests.support.portal import FAULTS, PAGES, PortalMirror, new_deal, small_portal

numbers = st.integers(0, 10**6)


class Histories(RuleBasedStateMachine):
    """People work, time passes, syncs run and fail; whatever happens, a healed run makes store and portal equal."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.patch = pytest.MonkeyPatch()
        self.coin = 0

    @initialize(
        page=st.sampled_from([1, 2, 3, 7, 50]),
        at_once=st.sampled_from([1, 3]),
        after=st.sampled_from(["id", "next", "position"]),
    )
    def begin(self, page: int, at_once: int, after: str) -> None:
        self.patch.setattr("connectors.guard.PAUSE", 0)
        self.patch.setattr("connectors.hubspot.client.SEARCHES", 100_000)
        for place in PAGES:
            self.patch.setattr(f"connectors.hubspot.{place}", page)
        self.portal = small_portal()
        self.server = HubSpotServer(self.portal).__enter__()
        self.server.after = after
        engine = open_store(f"sqlite:///{Path(self.folder.name) / 'store.sqlite3'}")
        upgrade(engine)
        self.mirror = PortalMirror(self.server, engine, Path(self.folder.name) / "landing", at_once=at_once)

    def amount(self) -> str:
        """A new amount, twice the last one in cents: no two sets of them have one sum."""
        self.coin += 1
        return str(Decimal(2 ** (self.coin % 50)).scaleb(-2))

    def pick(self, number: int, archived: bool = False) -> Record | None:
        found = self.portal.ordered("deals", archived)
        return found[number % len(found)] if found else None

    def owner(self, number: int) -> str:
        return list(self.portal.owners)[number % len(self.portal.owners)]

    @rule(number=numbers, days=st.integers(-200, 200))
    def create(self, number: int, days: int) -> None:
        new_deal(self.portal, self.owner(number), days, self.amount())

    @rule(number=numbers, days=st.integers(-100, 100), blank=st.booleans())
    def edit(self, number: int, days: int, blank: bool) -> None:
        deal = self.pick(number)
        if deal is not None:
            day = self.portal.today + timedelta(days=days)
            self.portal.change(deal, amount="" if blank else self.amount(), closedate=closing(day, 23))

    @rule(number=numbers, stage=st.sampled_from(list(STAGES)))
    def move(self, number: int, stage: str) -> None:
        deal = self.pick(number)
        if deal is not None:
            self.portal.change(deal, dealstage=stage)

    @rule(number=numbers, to=st.one_of(st.none(), numbers))
    def reassign(self, number: int, to: int | None) -> None:
        deal = self.pick(number)
        if deal is not None:
            self.portal.change(deal, hubspot_owner_id=None if to is None else self.owner(to))

    @rule(number=numbers, how=st.sampled_from(["archive", "forget"]))
    def remove(self, number: int, how: str) -> None:
        deal = self.pick(number)
        if deal is not None:
            getattr(self.portal, how)(deal)

    @rule(number=numbers, silent=st.booleans())
    def restore(self, number: int, silent: bool) -> None:
        deal = self.pick(number, archived=True)
        if deal is not None:
            self.portal.restore(deal, silent)
            self.mirror.silent |= silent

    @rule(one=numbers, two=numbers, anew=st.booleans())
    def merge(self, one: int, two: int, anew: bool) -> None:
        survivor, loser = self.pick(one), self.pick(two)
        if survivor is not None and loser is not None and survivor is not loser:
            self.portal.merge(survivor, loser, anew)

    @rule(number=numbers, owners=st.lists(numbers, max_size=3))
    def split(self, number: int, owners: list[int]) -> None:
        deal = self.pick(number)
        if deal is not None:
            shares = {0: [], 1: ["1.0"], 2: ["0.6", "0.4"], 3: ["0.5", "0.25", "0.25"]}[len(owners)]
            self.portal.split(deal, [(self.owner(o), share) for o, share in zip(owners, shares, strict=True)])

    @rule(number=numbers, days=st.integers(0, 20), kind=st.sampled_from(["meetings", "calls"]))
    def meet(self, number: int, days: int, kind: str) -> None:
        at = stamp(self.portal.clock - timedelta(days=days))
        self.portal.add(kind, hubspot_owner_id=self.owner(number), hs_timestamp=at)

    @rule(number=numbers)
    def raise_quota(self, number: int) -> None:
        goals = self.portal.ordered("goal_targets", archived=False)
        self.portal.change(goals[number % len(goals)], hs_target_amount=self.amount())

    @rule(count=st.integers(2, 6))
    def tie(self, count: int) -> None:
        """A bulk edit: many records share one millisecond."""
        for deal in self.portal.ordered("deals", archived=False)[:count]:
            self.portal.change(deal, amount=self.amount())

    @rule(minutes=st.sampled_from([0, 1, 5, 14]))
    def late_index(self, minutes: int) -> None:
        """From now on searches show what was done so many minutes ago."""
        self.portal.lag = timedelta(minutes=minutes)

    @rule(seconds=st.sampled_from([0.001, 1, 59, 600, 3600, 86_400, 5 * 86_400, 40 * 86_400, 95 * 86_400]))
    def wait(self, seconds: float) -> None:
        self.portal.wait(timedelta(seconds=seconds))

    @rule()
    def sync(self) -> None:
        self.mirror.sync(allow_removals=10**6)

    @rule(kind=st.sampled_from(FAULTS), nth=st.integers(1, 40), times=st.integers(1, 6))
    def sync_with_a_fault(self, kind: str, nth: int, times: int) -> None:
        self.server.fault(kind, nth, times)
        self.mirror.sync(allow_removals=10**6)
        self.server.faults.clear()

    @rule(
        nth=st.integers(1, 40), number=numbers, how=st.sampled_from(["change", "archive", "forget", "merge", "create"])
    )
    def sync_while_somebody_works(self, nth: int, number: int, how: str) -> None:
        """A record is edited, archived, merged or made between two pages."""
        due = self.server.calls + nth

        def work(call: int, _request: object) -> None:
            if call == due:
                deal = self.pick(number)
                if how == "change" and deal is not None:
                    self.portal.change(deal, amount=self.amount())
                elif how == "merge" and deal is not self.pick(number + 1) and deal is not None:
                    self.portal.merge(deal, self.pick(number + 1) or deal, anew=bool(number % 2))
                elif how == "create":
                    new_deal(self.portal, self.owner(number), number % 90, self.amount())
                elif how in ("archive", "forget") and deal is not None:
                    getattr(self.portal, how)(deal)

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
        try:
            if hasattr(self, "mirror"):
                self.heal()
        finally:
            if hasattr(self, "mirror"):
                self.server.stop()
                self.mirror.engine.dispose()
            self.patch.undo()
            self.folder.cleanup()


STEPS = 25
TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=500 if DEEP else 5, stateful_step_count=STEPS)
