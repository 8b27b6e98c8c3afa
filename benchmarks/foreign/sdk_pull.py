"""simple-salesforce by itself: signs in two ways, describes, and reads users and opportunities by REST and Bulk 2.0."""

import csv
import io
import json
from typing import Any

from simple_salesforce.api import Salesforce

SOQL = "SELECT Id, Name FROM {} ORDER BY SystemModstamp, Id"


def main() -> None:
    """Print what was found as JSON."""
    by_secret: Any = Salesforce(consumer_key="sandbox-client", consumer_secret="sandbox-secret", domain="pretend.my",
                           version="66.0")  # fmt: skip
    by_password: Any = Salesforce(username="integration@example.com", password="sandbox-password",
                             security_token="sandbox-token", version="64.0")  # fmt: skip
    found: dict[str, Any] = {
        "objects": len(by_password.describe()["sobjects"]),
        "limits": "DailyApiRequests" in by_secret.limits(),
        "resources": "query" in by_secret.restful(""),
    }
    for name in ("User", "Opportunity"):
        fields = {f["name"] for f in getattr(by_secret, name).describe()["fields"]}
        rows = by_password.query_all(SOQL.format(name))["records"]
        pages = getattr(by_secret.bulk2, name).query_all(SOQL.format(name))
        jobs = [row["Id"] for page in pages for row in csv.DictReader(io.StringIO(page))]
        found[name] = {"REST": len({r["Id"] for r in rows}), "Bulk 2.0": len(set(jobs))}
        assert "SystemModstamp" in fields
    print(json.dumps(found))


main()
