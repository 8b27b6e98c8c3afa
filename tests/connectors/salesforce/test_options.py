"""What the settings of a Salesforce connection may say: every problem is named before any call is made."""

from typing import Any

import pytest
import responses

from connectors.errors import SignInAgain
from connectors.salesforce import Salesforce
from models.errors import UserError
from tests.connectors.salesforce.kit import CLIENT

REFUSED = '{"error": "invalid_client", "error_description": "invalid client credentials"}'


def problems(**options: Any) -> list[str]:
    with pytest.raises(UserError) as caught:
        Salesforce("crm", {"my_domain": "acme.my", **CLIENT, **options})
    return caught.value.problems


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "https://evil.example", "http://acme.my.salesforce.com"])
def test_a_foreign_address_is_refused_before_any_call(address: str) -> None:
    with pytest.raises(UserError, match="address"):
        Salesforce("crm", {"address": address, **CLIENT})


def test_wrong_options_are_all_named_at_once() -> None:
    with pytest.raises(UserError) as caught:
        Salesforce("crm", {"client_secrt": "x"})
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(("my_domain", "host"), [
    ("acme.my", "acme.my.salesforce.com"),
    ("https://acme.my.salesforce.com/", "acme.my.salesforce.com"),
    ("acme--uat.sandbox.my", "acme--uat.sandbox.my.salesforce.com"),
    ("acme.my.salesforce.mil", "acme.my.salesforce.mil"),
    ("acme.my.sfcrmproducts.cn", "acme.my.sfcrmproducts.cn"),
])  # fmt: skip
@responses.activate
def test_a_sign_in_goes_to_the_orgs_own_host(my_domain: str, host: str) -> None:
    asked = responses.post(f"https://{host}/services/oauth2/token", body=REFUSED, status=400)
    with pytest.raises(SignInAgain, match="invalid_client"):
        Salesforce("crm", {"my_domain": my_domain, **CLIENT}).account()
    assert asked.call_count == 1


@responses.activate
def test_a_sandbox_of_an_old_org_signs_in_at_the_test_host() -> None:
    asked = responses.post("https://test.salesforce.com/services/Soap/u/64.0", body="<busy/>", status=503)
    given = {"username": "u", "password": "p", "security_token": "t"}
    with pytest.raises(UserError):
        Salesforce("crm", {"my_domain": "test", "sign_in": "password", **given}).account()
    assert asked.call_count == 1


@pytest.mark.parametrize("my_domain", ["acme.lightning.force.com", "http://acme.my", "acme.my/x", "a b"])
def test_an_address_that_is_no_host_of_an_org_is_named(my_domain: str) -> None:
    assert problems(my_domain=my_domain) == [f'my_domain {my_domain!r} is no host of an org; write "acme.my"']


@pytest.mark.parametrize("host", ["login", "test"])
def test_client_credentials_need_the_orgs_own_host(host: str) -> None:
    assert problems(my_domain=host) == ["my_domain has to be the org's own for client credentials, not login or test"]


def test_a_signed_assertion_is_for_hosts_that_the_sdk_can_name() -> None:
    found = problems(my_domain="acme.my.salesforce.mil", sign_in="jwt", username="u", private_key="k")
    assert found == ["sign_in jwt is for hosts of .salesforce.com only; use client_credentials"]


@pytest.mark.parametrize(("options", "word"), [
    ({"extra": {"deals": ["Amount FROM User"]}}, "is no name"),
    ({"only": {"deals": {"Id) OR (Name": ["x"]}}}, "is no name"),
    ({"fields": {"deals": {"amount": "ARR__c, Name"}}}, "is no name"),
    ({"quota": {"object": "X/../User", "owner": "O", "amount": "A"}}, "is no name"),
    ({"write_back": {"object": "A B"}}, "is no name"),
    ({"only": {"deals": {"Type": []}}}, "no value is named"),
    ({"fields": {"deals": {"removed": "Gone__c"}}}, "is kept by Salesforce itself"),
    ({"fields": {"deals": {"nickname": "N__c"}}}, "deals have no 'nickname'"),
    ({"fields": {"dals": {}}}, "there is no stream 'dals'"),
    ({"extra": {"people": ["X__c"]}}, "only deals keep extra fields"),
    ({"only": {"people": {"X__c": [1]}}}, "only deals can be filtered"),
    ({"leave_out": ["dals"]}, "there is no stream 'dals'"),
    ({"write_back": {"fields": {"objective": "O__c"}}}, "use person, period"),
    ({"api_version": "66"}, "api_version"),
])  # fmt: skip
def test_an_option_that_would_not_do_what_it_says_is_named(options: Any, word: str) -> None:
    found = problems(**options)
    assert len(found) == 1, found
    assert word in found[0]
