"""What a sync should find, worked out from the records in the plainest way; shares no code with the product."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.company import Company
from sandbox.hubspot.data import ZONE
from sandbox.salesforce.truth import Key, truth


def salesforce_truth(company: Company) -> dict[Key, tuple[Decimal, int]]:
    """Live opportunities by quarter of the close date, currency and status: amount and number."""
    return truth(company.salesforce)


def hubspot_truth(company: Company) -> dict[Key, tuple[Decimal, int]]:
    """Live deals by quarter of the close date in the portal's zone; an amount that is no number adds nothing."""
    found: dict[Key, list[Any]] = defaultdict(lambda: [Decimal(0), 0])
    for deal in company.hubspot.deals.values():
        own = deal["properties"]
        if not deal["archived"]:
            status = (
                "won" if own["hs_is_closed_won"] == "true" else ("lost" if own["hs_is_closed"] == "true" else "open")
            )
            day = datetime.fromisoformat(own["closedate"].replace("Z", "+00:00")).astimezone(ZONE).date()
            bucket = found[_quarter(day), own["deal_currency_code"], status]
            bucket[0] += _amount(own["amount"])
            bucket[1] += 1
    return {key: (amount, number) for key, (amount, number) in found.items()}


def _quarter(day: Any) -> str:
    return f"{day.year}-Q{(day.month - 1) // 3 + 1}"


def _amount(text: str | None) -> Decimal:
    try:
        return Decimal(text or "0")
    except InvalidOperation:
        return Decimal(0)
