"""Which figures go back to a CRM: those that changed, once, and those that were refused, again."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from beyond_quota.answers import DONE, FAILED, PARTIAL
from beyond_quota.wiring import Installation
from beyond_quota.writing import publish_figures
from connectors.base import Figure, Outcome
from connectors.errors import TryAgainLater
from models import Publication
from models.base import core
from models.errors import UserError
from sandbox.cast import TODAY
from sandbox.company import Company
from sandbox.http import Request
from sandbox.salesforce.server import SalesforceServer
from sync.publish import Published, figures, publish

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
SCORECARD = "Beyond_Quota_Scorecard__c"


def figure(number: int, **given: Any) -> Figure:
    usual: dict[str, Any] = {"attainment": 0.5, "pace": None, "coverage": 2.0, "as_of": date(2026, 11, 24), "link": ""}
    return Figure(f"u{number:03}:2026-Q4", f"p{number}", f"u{number:03}", "2026-Q4", **usual | given)


class Crm:
    """A CRM in a list, which refuses some rows and may stop answering."""

    def __init__(self) -> None:
        self.calls: list[list[Figure]] = []
        self.refused: set[str] = set()
        self.stop_at = 10**6

    def publish(self, figures: Any) -> list[Outcome]:
        if len(self.calls) + 1 >= self.stop_at:
            raise TryAgainLater("crm: busy; try again later")
        self.calls.append(list(figures))
        return [Outcome(f.key, "LOCKED: row" if f.key in self.refused else "") for f in figures]

    @property
    def keys(self) -> list[str]:
        return [f.key for call in self.calls for f in call]


@pytest.fixture
def go(store: Engine) -> Callable[..., Published]:
    """Write once."""
    return lambda crm, wanted, dry_run=False: publish(store, "crm", crm, wanted, clock=lambda: NOW, dry_run=dry_run)


def kept(engine: Engine) -> dict[str, Any]:
    with engine.connect() as connection:
        return {r.external_id: r for r in connection.execute(select(core(Publication)))}


def test_a_second_run_writes_nothing(go: Any) -> None:
    crm = Crm()
    wanted = [figure(n) for n in range(3)]
    assert (go(crm, wanted).written, go(crm, wanted).written) == (3, 0)
    assert len(crm.calls) == 1


def test_only_what_changed_is_written(go: Any) -> None:
    crm = Crm()
    go(crm, [figure(n) for n in range(3)])
    done = go(crm, [figure(0), figure(1, attainment=0.51), figure(2, pace=0.0)])
    assert (done.written, done.unchanged) == (2, 1)
    assert crm.keys[3:] == ["u001:2026-Q4", "u002:2026-Q4"]


def test_another_day_with_the_same_figures_is_no_change(go: Any) -> None:
    crm = Crm()
    go(crm, [figure(0)])
    assert go(crm, [figure(0, as_of=date(2026, 11, 25))]).unchanged == 1


def test_a_refused_row_is_kept_with_its_reason_and_tried_again_until_it_goes_in(go: Any, store: Engine) -> None:
    crm = Crm()
    crm.refused = {"u001:2026-Q4"}
    for tries in (1, 2):
        assert go(crm, [figure(0), figure(1)]).refused == {"u001:2026-Q4": "LOCKED: row"}
        row = kept(store)["u001:2026-Q4"]
        assert (row.error, row.tries, row.written, row.written_at) == ("LOCKED: row", tries, "", None)
    crm.refused.clear()
    assert go(crm, [figure(0), figure(1)]).written == 1
    row = kept(store)["u001:2026-Q4"]
    assert (row.error, row.written_at is not None) == ("", True)
    assert crm.keys.count("u000:2026-Q4") == 1


def test_a_change_that_is_refused_does_not_pass_for_written(go: Any, store: Engine) -> None:
    crm = Crm()
    go(crm, [figure(0)])
    crm.refused = {"u000:2026-Q4"}
    go(crm, [figure(0, attainment=0.9)])
    assert json.loads(kept(store)["u000:2026-Q4"].written)["attainment"] == 0.5
    crm.refused.clear()
    assert go(crm, [figure(0)]).written == 1  # back to the old figure: the refusal is still open


def test_what_went_in_before_the_crm_stopped_is_not_written_again(go: Any) -> None:
    crm = Crm()
    crm.stop_at = 2
    wanted = [figure(n) for n in range(450)]
    done = go(crm, wanted)
    assert (done.written, done.stopped) == (200, "crm: busy; try again later")
    crm.stop_at = 10**6
    assert go(crm, wanted).written == 250
    assert [len(call) for call in crm.calls] == [200, 200, 50]
    assert len(set(crm.keys)) == 450


def test_a_dry_run_says_what_would_be_written_and_does_nothing(go: Any, store: Engine) -> None:
    crm = Crm()
    done = go(crm, [figure(0), figure(1)], dry_run=True)
    assert [f.key for f in done.figures] == ["u000:2026-Q4", "u001:2026-Q4"]
    assert (done.written, crm.calls, kept(store)) == (0, [], {})


def test_two_connections_do_not_share_what_was_written(store: Engine) -> None:
    crm = Crm()
    for name in ("north", "south"):
        assert publish(store, name, crm, [figure(0)], clock=lambda: NOW, dry_run=False).written == 1


SETTINGS = """\
database = "sqlite:///company.sqlite3"
zone = "Europe/London"
currency = "EUR"
loopback = true

[connections.salesforce]
kind = "salesforce"
people = "create"
address = "{address}"
client_id = "sandbox-client"
client_secret = "sandbox-secret"

[connections.salesforce.write_back]
enabled = {enabled}
page = "https://here.example/person/{{person}}"
"""


class House:
    """The company's org and an installation that has synced it once."""

    def __init__(self, folder: Path, server: SalesforceServer) -> None:
        self.server, self.file, self.day = server, folder / "beyond-quota.toml", 0
        self.write_back("true")
        self.sync()
        self.seen: list[Request] = []
        server.before = lambda _, request: self.seen.append(request)

    def write_back(self, enabled: str) -> None:
        self.file.write_text(SETTINGS.format(address=self.server.address, enabled=enabled))

    @property
    def now(self) -> datetime:
        return datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC) + timedelta(days=self.day)

    def sync(self) -> None:
        here = Installation.open(self.file, self.now)
        here.refresh(set(here.sync("salesforce").touched))

    def publish(self, dry_run: bool = False, as_json: bool = False) -> int:
        return publish_figures(self.file, "salesforce", self.now.isoformat(), dry_run, as_json)

    @property
    def rows(self) -> dict[str, Any]:
        return {r["Key__c"]: r for r in self.server.org.objects.get(SCORECARD, {}).values()}

    @property
    def writes(self) -> list[Request]:
        return [r for r in self.seen if r.method != "GET" and "/sobjects/" in r.path]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with SalesforceServer(Company.generate().salesforce) as server:
        yield House(tmp_path, server)


def test_everybody_with_a_user_gets_the_figures_of_their_page(house: House) -> None:
    assert house.publish() == DONE
    users = {u["Id"]: u for u in house.server.org.objects["User"].values() if u["UserType"] == "Standard"}
    assert {r["Person__c"] for r in house.rows.values()} <= set(users)
    ana = next(r for r in house.rows.values() if users[r["Person__c"]]["Name"] == "Ana Sample")
    cleo = next(r for r in house.rows.values() if users[r["Person__c"]]["Name"] == "Cleo Placeholder")
    here = Installation.open(house.file, house.now)
    card = {f.owner_external_id: f for f in figures(here.engine, "salesforce", here.today, "")}[ana["Person__c"]]
    assert card.attainment is not None
    assert float(ana["Attainment__c"]) == round(card.attainment * 100, 2) > 0
    assert (ana["Period__c"], str(ana["As_Of__c"])) == ("2026-Q4", "2026-11-24")
    assert re.fullmatch(r"https://here\.example/person/[\w-]+", ana["Link__c"])
    assert cleo["Attainment__c"] is None  # no quota is not 0 percent


def test_nothing_that_anybody_said_is_ever_in_a_request(house: House) -> None:
    house.publish()
    allowed = {"attributes", "Key__c", "Person__c", "Period__c", "Attainment__c", "Pace__c", "Coverage__c", "As_Of__c",
               "Link__c"}  # fmt: skip
    assert house.writes
    assert {k for r in house.writes for record in r.json["records"] for k in record} == allowed


def test_a_second_publish_makes_no_call_that_writes(house: House) -> None:
    house.publish()
    first = len(house.writes)
    assert house.publish() == DONE
    assert len(house.writes) == first == 1


def test_a_dry_run_calls_nobody_and_says_what_it_would_write(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.write_back("false")
    assert house.publish(dry_run=True, as_json=True) == DONE
    told = json.loads(capsys.readouterr().out)
    assert told["dry_run"] is True
    assert told["written"] == 0
    assert len(told["rows"]) >= 6
    assert house.seen == []
    assert house.rows == {}


def test_writing_back_is_off_by_default(house: House) -> None:
    house.write_back("false")
    with pytest.raises(UserError, match=r"does not write back.*--dry-run"):
        house.publish()
    assert house.seen == []


def test_a_locked_row_ends_in_partial_and_goes_in_the_next_time(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    key = next(f.key for f in figures(Installation.open(house.file, house.now).engine, "salesforce", TODAY, ""))
    house.server.locked = {key}
    assert house.publish() == PARTIAL
    assert f"{key}: UNABLE_TO_LOCK_ROW" in capsys.readouterr().err
    house.server.locked = set()
    assert house.publish() == DONE
    assert [len(r.json["records"]) for r in house.writes][1:] == [1]
    assert key in house.rows


def test_a_missing_package_ends_in_failed_and_names_it(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.server.org.features.remove("scorecards")
    assert house.publish() == FAILED
    assert "deploy the package" in capsys.readouterr().err
    assert house.writes == []


def test_a_won_deal_changes_one_row(house: House) -> None:
    house.publish()
    org = house.server.org
    org.clock += timedelta(hours=1)
    deal = next(
        d for d in org.deals if not d["IsClosed"] and not d["IsDeleted"] and d["Amount"]
        and org.objects["User"].get(d["OwnerId"], {}).get("Name") == "Ana Sample"
    )  # fmt: skip
    org.change(deal, StageName="Closed Won", IsClosed=True, IsWon=True, CloseDate=TODAY)
    house.sync()
    assert house.publish() == DONE
    changed = house.writes[-1].json["records"]
    assert [r["Person__c"] for r in changed] == [deal["OwnerId"]]


def test_a_link_may_hold_other_signs_than_the_person(house: House) -> None:
    here = Installation.open(house.file, house.now)
    (first, *_) = figures(here.engine, "salesforce", TODAY, "https://here.example/{x}/{person}")
    assert first.link == f"https://here.example/{{x}}/{first.person_id}"
    assert replace(first, link="").link == ""
