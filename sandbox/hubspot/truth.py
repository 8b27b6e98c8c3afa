"""What a sync of the portal should find, worked out from its records in the plainest way."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.hubspot.portal import ZONE, Portal

Key = tuple[str, str, str]  # quarter, currency, status


def truth(portal: Portal) -> dict[Key, tuple[Decimal, int]]:
    """Live deals by quarter of the close date in the portal's zone; an amount that is no number adds nothing."""
    found: dict[Key, list[Any]] = defaultdict(lambda: [Decimal(0), 0])
    for deal in portal.deals.values():
        own = deal["properties"]
        if not deal["archived"]:
            won, closed = own["hs_is_closed_won"] == "true", own["hs_is_closed"] == "true"
            day = datetime.fromisoformat(own["closedate"].replace("Z", "+00:00")).astimezone(ZONE).date()
            quarter, status = (
                f"{day.year}-Q{(day.month - 1) // 3 + 1}",
                "won" if won else ("lost" if closed else "open"),
            )
            bucket = found[quarter, own["deal_currency_code"], status]
            bucket[0] += _amount(own["amount"])
            bucket[1] += 1
    return {key: (amount, number) for key, (amount, number) in found.items()}


def _amount(text: str | None) -> Decimal:
    try:
        return Decimal(text or "0")
    except InvalidOperation:
        return Decimal(0)
