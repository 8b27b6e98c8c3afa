"""simple-mockforce, a Salesforce in memory made by others: what it can answer of what our connector asks."""

import json
import logging
from collections.abc import Callable
from typing import Any

from simple_mockforce import mock_salesforce
from simple_salesforce.api import Salesforce as Sdk

from connectors.errors import SourceError
from connectors.guard import guarded_session
from connectors.salesforce import Salesforce
from connectors.salesforce.options import Options
from connectors.salesforce.signin import sign_in
from connectors.salesforce.soql import Place, Reading

logging.disable(logging.WARNING)  # it warns of itself at every query
GIVEN: dict[str, Any] = {"my_domain": "acme.my", "client_id": "x", "client_secret": "y"}
FIELDS = ("Id", "Name", "Amount", "SystemModstamp")


def tried(ask: Callable[[], Any]) -> str:
    """What came of it: the answer, or the name of the error."""
    try:
        return str(ask())
    except Exception as error:
        return f"{type(error).__name__}"


def main() -> None:
    """Print what was found as JSON."""
    session, _ = guarded_session(None)
    signed = sign_in("crm", Options(**GIVEN), session)
    sdk: Any = Sdk(session_id=signed.token, instance=signed.host, version="66.0")
    for number in range(5):
        sdk.Opportunity.create({"Name": f"Sample {number}", "Amount": 100 + number})
    whole = Reading("Opportunity", FIELDS, "SystemModstamp", everything=True)
    rows = sdk.query_all(whole.soql, include_deleted=True)["records"]
    rest = Reading("Opportunity", FIELDS, after=Place("", rows[2]["Id"]))
    after = [r["Id"] for r in sdk.query_all(rest.soql)["records"]]
    window = f"{whole.soql.partition(' ORDER')[0]} WHERE SystemModstamp >= 2020-01-01T00:00:00Z"
    found: dict[str, Any] = {
        "our sign-in": bool(signed.token) and signed.host == "mock.salesforce.com",
        "our query of everything": [r["Name"] for r in rows] == [f"Sample {n}" for n in range(5)],
        "our query from a row on": after == sorted(r["Id"] for r in rows if r["Id"] > rows[2]["Id"]),
        "our query of a window of time": sdk.query(window)["totalSize"] == len(rows),
    }
    connector = Salesforce("crm", GIVEN)
    try:
        connector.account()
        found["our connector refuses it in one sentence"] = False
    except SourceError as error:
        found["our connector refuses it in one sentence"] = "Traceback" not in str(error) and "\n" not in str(error)
    cannot = {
        "describe": lambda: sdk.Opportunity.describe()["name"],
        "limits": lambda: len(sdk.limits()),
        "COUNT()": lambda: sdk.query("SELECT COUNT() FROM Opportunity")["totalSize"],
        "SUM": lambda: sdk.query("SELECT SUM(Amount) FROM Opportunity")["totalSize"],
        "an unknown field": lambda: sdk.query("SELECT Nope FROM Opportunity")["records"][0],
        "(stamp, Id) from a row on, 5 are right": lambda: sdk.query(
            Reading("Opportunity", FIELDS, "SystemModstamp", after=Place("2020-01-01T00:00:00Z", rows[2]["Id"])).soql
        )["totalSize"],
        "composite": lambda: sdk.restful("composite", method="POST", data="{}"),
        "Bulk 2.0": lambda: list(sdk.bulk2.Opportunity.query("SELECT Id FROM Opportunity")),
        "our query path": lambda: (
            session.get(
                "https://mock.salesforce.com/services/data/v66.0/query?q=SELECT+Id+FROM+Opportunity"
            ).status_code
        ),
        "a Date header": lambda: (
            "Date"
            in session.get(
                "https://mock.salesforce.com/services/data/v66.0/query/?q=SELECT+Id+FROM+Opportunity"
            ).headers
        ),
    }
    print(json.dumps({"works": found, "other": {what: tried(ask) for what, ask in cannot.items()}}))


mock_salesforce(main)()
