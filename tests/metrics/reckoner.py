"""A second, slow and simple calculation of the number in plain Python and Decimal, written without ours in sight.

It shares no code with `metrics`: rows are dicts, money is Decimal cents, days are dates, one deal at a time.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

FIRST, END = date(2026, 7, 1), date(2026, 10, 1)
WHOLE = Decimal(1_000_000)


def day(text: str) -> date:
    """A day from its text."""
    return date.fromisoformat(text[:10])


def owner_then(deal: Mapping[str, Any], changes: Sequence[Mapping[str, Any]], users: Mapping[str, str]) -> str | None:
    """The person who owned a decided deal at the end of its close date; today's owner of an open one."""
    if deal["status"] == "open":
        return deal["person_id"]  # type: ignore[no-any-return]
    later = [
        c
        for c in changes
        if c["external_id"] == deal["external_id"]
        and datetime.fromisoformat(c["seen_at"]).date() > day(deal["close_day"])
    ]
    if not later:
        return deal["person_id"]  # type: ignore[no-any-return]
    return users.get(min(later, key=lambda c: c["seen_at"])["old_value"])


def reckon(
    deals: Sequence[Mapping[str, Any]],
    quotas: Sequence[Mapping[str, Any]],
    changes: Sequence[Mapping[str, Any]],
    users: Mapping[str, str],
    as_of: date,
) -> dict[str, dict[str, Decimal | int]]:
    """Each person's won, open, lost numbers and quota, for July to September 2026."""
    found: dict[str, dict[str, Any]] = defaultdict(
        lambda: {"won": Decimal(0), "wins": 0, "losses": 0, "open": Decimal(0), "weighted": Decimal(0), "quota": None}
    )
    for deal in deals:
        person, closes = owner_then(deal, changes, users), day(deal["close_day"])
        if person is None or not FIRST <= closes < END:
            continue
        mine, cents = found[person], Decimal(deal["amount_minor"] or 0)
        if deal["status"] == "open" and deal.get("forecast_category") != "omitted":
            mine["open"] += cents
            part = cents * Decimal(deal.get("probability_bp") or 0) / 10_000
            mine["weighted"] += part.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
        if closes > as_of:
            continue
        if deal["status"] == "won":
            mine["won"] += cents
        if deal["status"] in ("won", "lost") and not (deal["amount_minor"] or 0) < 0:
            mine["wins" if deal["status"] == "won" else "losses"] += 1
    for quota in quotas:
        begin, stop = max(day(quota["first_day"]), FIRST), min(day(quota["end_day"]), END)
        if begin >= stop:
            continue
        whole = (day(quota["end_day"]) - day(quota["first_day"])).days
        part = Decimal(quota["amount_minor"]) * (stop - begin).days / whole
        mine = found[quota["person_id"]]
        mine["quota"] = (mine["quota"] or Decimal(0)) + part.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    return dict(found)
