"""Every fault at every call of a first run and of a later one: no run claims what is not so, and the next one heals."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from models.database import open_store, upgrade
from models.ledger import RunStatus
from sandbox.hubspot.data import advance
from sandbox.hubspot.pipelines import STAGES
from sandbox.hubspot.portal import stamp
from sandbox.hubspot.server import HubSpotServer
from tests.support.org import DEEP
from tests.support.portal import FAULTS, PAGES, PortalMirror, small_portal

LAST = 45


def calls(number: int) -> Iterable[int]:
    """The call numbers to try something at: one of them, another for each thing; all with the profile `deep`."""
    return range(1, LAST) if DEEP else [1 + 11 * number % 24]


class Trial:
    """A portal, and copies of a store as it was before its first run, or before a later one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.copies = folder, 0
        self.portal = small_portal(16, 3)
        for deal in list(self.portal.deals.values())[:3]:
            self.portal.split(deal, [(deal["properties"]["hubspot_owner_id"], "1.0")])
        self.server = HubSpotServer(self.portal)
        self.before = folder / "before.sqlite3"
        engine = open_store(f"sqlite:///{self.before}")
        upgrade(engine)
        engine.dispose()  # so that all of it is in the file that is copied
        self.clock = self.portal.clock

    def once(self) -> None:
        """Let the first run be over, and work be done since."""
        mirror = self.mirror(self.before)
        mirror.sync()
        mirror.engine.dispose()
        for day in range(3):
            advance(self.portal, 7, day)
        self.portal.forget(self.portal.ordered("deals", archived=False)[0])
        self.clock = self.portal.clock

    def mirror(self, file: Path | None = None) -> PortalMirror:
        """A store that follows the portal: a copy unless it is named."""
        self.copies += 1
        path = file or Path(shutil.copy(self.before, self.folder / f"{self.copies}.sqlite3"))
        engine = open_store(f"sqlite:///{path}")
        return PortalMirror(self.server, engine, self.folder / "landing", at_once=1 + self.copies % 3)


@contextmanager
def small_steps(folder: Path) -> Iterator[Trial]:
    """A trial with small pages and no pauses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connectors.guard.PAUSE", 0)
        patch.setattr("connectors.hubspot.client.SEARCHES", 100_000)
        for place in PAGES:
            patch.setattr(f"connectors.hubspot.{place}", 7)
        trial = Trial(folder)
        with trial.server:
            yield trial


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    """Before the first run."""
    with small_steps(tmp_path) as trial:
        yield trial


@pytest.fixture(scope="module", params=["first", "later"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """Before the first run, or before a later one: for all that leaves the portal as it is."""
    with small_steps(tmp_path_factory.mktemp("shared")) as trial:
        if request.param == "later":
            trial.once()
        yield trial


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_at_any_call(shared: Trial, kind: str) -> None:
    trial = shared
    for nth in calls(FAULTS.index(kind) + trial.copies):
        trial.portal.clock = trial.clock
        mirror = trial.mirror()
        trial.server.fault(kind, nth, times=6)
        report = mirror.sync(allow_removals=10**6)
        where = f"{kind} at call {nth}: {report.message}"
        if report.status is RunStatus.SUCCESS:
            assert mirror.differences() == [], where
        unmet = any(f.nth > 0 for f in trial.server.faults)
        healed = mirror.heal()
        assert mirror.differences() == [], where
        assert healed.status is RunStatus.SUCCESS, where
        mirror.engine.dispose()
        if unmet:
            return


@pytest.mark.parametrize("work", ["archive", "forget", "restore", "merge", "edit"])
def test_somebody_works_at_any_call(trial: Trial, work: str) -> None:
    """What is done between two pages is in the store at the latest after the next run."""
    trial.once()
    done: dict[str, Callable[[], object]] = {
        "archive": lambda: trial.portal.archive(live()[3]),
        "forget": lambda: trial.portal.forget(live()[4]),
        "restore": lambda: trial.portal.restore(trial.portal.ordered("deals", archived=True)[0]),
        "merge": lambda: trial.portal.merge(live()[0], live()[-1], anew=True),
        "edit": lambda: trial.portal.change(live()[5], amount=str(trial.copies)),
    }

    def live() -> list[dict[str, object]]:
        return trial.portal.ordered("deals", archived=False)

    for nth in calls(len(work)):
        mirror = trial.mirror()
        if work == "restore":
            trial.portal.archive(live()[2])
        trial.server.later(done[work], nth)
        mirror.sync(allow_removals=10**6)
        unmet = bool(trial.server.faults)
        mirror.heal()
        assert mirror.differences() == [], f"{work} at call {nth}"
        mirror.engine.dispose()
        if unmet:
            return


def test_months_without_a_run_are_counted_when_runs_come_back(trial: Trial) -> None:
    """A meeting of a month that was neither this nor the last one when the next run came."""
    mirror = trial.mirror()
    mirror.sync()
    owner = next(iter(trial.portal.owners))
    trial.portal.wait(timedelta(days=40))
    trial.portal.add("meetings", hubspot_owner_id=owner, hs_timestamp=stamp(trial.portal.clock))
    trial.portal.wait(timedelta(days=80))
    mirror.sync(allow_removals=10**6)
    assert mirror.differences() == []


def test_times_with_and_without_milliseconds_stand_side_by_side(trial: Trial) -> None:
    mirror = trial.mirror()
    mirror.sync()
    one, two = trial.portal.ordered("deals", archived=False)[:2]
    for deal, pause in ((one, timedelta(milliseconds=1)), (two, timedelta(milliseconds=999))):
        trial.portal.wait(pause)
        trial.portal.change(deal, amount="1.00")
    mirror.sync()
    for deal in (one, two):
        trial.portal.change(deal, amount="2.00")
    assert mirror.heal().status is RunStatus.SUCCESS
    assert mirror.differences() == []


def test_a_stage_that_is_made_during_a_run_is_known_before_the_run_is_over(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = trial.mirror()
    mirror.sync()
    trial.portal.wait(timedelta(hours=1))

    def make() -> None:
        monkeypatch.setitem(STAGES, "8080", ("Verbal yes", False, "0.9", "default"))
        trial.portal.change(trial.portal.ordered("deals", archived=False)[0], dealstage="8080")

    trial.server.later(make, path="/deals/search")
    report = mirror.sync()
    assert report.status is RunStatus.SUCCESS
    assert mirror.differences() == []
