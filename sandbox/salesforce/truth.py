"""What a sync of the org should find, worked out from its records in the plainest way."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from sandbox.salesforce.org import SalesforceOrg

Key = tuple[str, str, str]  # quarter, currency, status


def truth(org: SalesforceOrg) -> dict[Key, tuple[Decimal, int]]:
    """Live opportunities by quarter of the close date, currency and status: amount and number."""
    found: dict[Key, list[Any]] = defaultdict(lambda: [Decimal(0), 0])
    for deal in org.deals:
        if not deal["IsDeleted"]:
            status = "won" if deal["IsWon"] else ("lost" if deal["IsClosed"] else "open")
            day = deal["CloseDate"]
            bucket = found[f"{day.year}-Q{(day.month - 1) // 3 + 1}", deal["CurrencyIsoCode"], status]
            bucket[0] += deal["Amount"] or 0
            bucket[1] += 1
    return {key: (amount, number) for key, (amount, number) in found.items()}
