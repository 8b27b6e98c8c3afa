"""The connection test: what is missing is named, with what works without it."""

from typing import Any

import pytest

from connectors.base import Finding
from connectors.salesforce.checkup import WITHOUT
from tests.connectors.salesforce.kit import Connect


def missing(findings: list[Finding]) -> dict[str, Finding]:
    return {f.what: f for f in findings if not f.ok}


def test_an_org_with_everything_lacks_only_what_it_does_not_have(connect: Connect) -> None:
    assert set(missing(connect().check())) == {"field ForecastingQuota.PeriodId", "field ForecastingQuota.Territory2Id"}


@pytest.mark.parametrize(("hidden", "what", "detail", "without", "needed"), [
    ("User", "object User", 'the permission "View All Users"', WITHOUT["people"], True),
    ("Opportunity", "object Opportunity", "give the run-as user the right to read it", WITHOUT["deals"], True),
    ("OpportunityStage", "object OpportunityStage", "right to read it", WITHOUT["stages"], True),
    ("ForecastingQuota", "object ForecastingQuota", 'the permission "View All Forecasts"', WITHOUT["quotas"], False),
    ("Period", "object Period", 'the permission "View Setup and Configuration"', WITHOUT["fiscal_periods"], False),
    ("UserRole", "object UserRole", "roles not enabled", WITHOUT["roles"], False),
    ("OpportunityHistory", "object OpportunityHistory", "not enabled", WITHOUT["deal_history"], False),
    ("Task", "object Task", "tasks not enabled", "calls, e-mails and tasks are not counted", False),
    ("Opportunity.OwnerId", "object Opportunity", "OwnerId", WITHOUT["deals"], True),
    ("ForecastingQuota.QuotaAmount", "object ForecastingQuota", "QuotaAmount", WITHOUT["quotas"], True),
    ("User.EmployeeNumber", "field User.EmployeeNumber", "not visible", "employee id is left empty", False),
    ("Task.TaskSubtype", "field Task.TaskSubtype", "not visible", "kind is left empty", False),
    ("Event.OwnerId", "object Event", "OwnerId", WITHOUT["activities"], True),
])  # fmt: skip
def test_what_is_missing_is_named_and_what_works_without_it(
    server: Any, connect: Connect, hidden: str, what: str, detail: str, without: str, needed: bool
) -> None:
    server.hidden = {hidden}
    finding = missing(connect().check())[what]
    assert detail in finding.detail
    assert (finding.without, finding.needed) == (without, needed)


def test_both_objects_of_activities_are_named_when_neither_is_there(server: Any, connect: Connect) -> None:
    server.hidden = {"Event", "Task"}
    assert missing(connect().check())["object Event and Task"].without == "meetings and calls are not counted"


def test_the_calls_of_today_are_told_in_either_form_of_the_header(server: Any, connect: Connect) -> None:
    for per_app in (False, True):
        server.per_app, server.used = per_app, 1233
        (finding,) = [f for f in connect().check() if f.what == "calls"]
        assert (finding.ok, finding.detail) == (True, "1,234 of 100,000 used today")


def test_calls_that_are_nearly_used_up_are_named(server: Any, connect: Connect) -> None:
    server.used = 79_999
    assert missing(connect().check())["calls"].without == "a run would stop"


def test_an_org_that_does_not_tell_its_currency_asks_for_the_setting(server: Any, connect: Connect) -> None:
    server.hidden = {"Organization.DefaultCurrencyIsoCode"}
    assert "set currency in the settings" in missing(connect().check())["currency"].detail
    assert "currency" not in missing(connect(currency="EUR").check())


@pytest.mark.parametrize(("hidden", "said"), [
    ("Beyond_Quota_Scorecard__c", "deploy the package"),
    ("Beyond_Quota_Scorecard__c.Pace__c", "has no Pace__c that the run-as user may write"),
])  # fmt: skip
def test_what_writing_back_needs_is_tested_where_it_is_enabled(
    server: Any, connect: Connect, hidden: str, said: str
) -> None:
    server.hidden = {hidden}
    finding = missing(connect(write_back={"enabled": True}).check())["object Beyond_Quota_Scorecard__c"]
    assert said in finding.detail
    assert "object Beyond_Quota_Scorecard__c" not in missing(connect().check())


def test_a_stream_that_lacks_a_field_does_not_hold_up_the_first_pages_of_the_others(
    server: Any, connect: Connect
) -> None:
    source = connect()
    cursors = {s.name: dict(list(source.pull(s.name, None))[-1].cursor) for s in source.streams()}
    server.hidden = {"ForecastingQuota.QuotaAmount"}
    source = connect()
    source.ready(cursors)
    before = server.calls
    list(source.pull("deals", cursors["deals"]))
    assert server.calls == before  # its page and its deletions were asked for ahead
