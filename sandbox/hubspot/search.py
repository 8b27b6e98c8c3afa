"""HubSpot's search bodies: groups of filters, operators, sorting, paging up to 10,000."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

CAP, LARGEST_PAGE, MOST_FILTERS = 10_000, 200, 18


class SearchError(Exception):
    """A search that is refused, with the reason."""


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        pass
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp() * 1000
    except ValueError:
        return None


def _ordered(test: Callable[[float, float], bool]) -> Callable[[Any, Mapping[str, Any]], bool]:
    def compare(value: Any, wanted: Mapping[str, Any]) -> bool:
        left, right = _number(value), _number(wanted["value"])
        return left is not None and right is not None and test(left, right)

    return compare


def _between(value: Any, wanted: Mapping[str, Any]) -> bool:
    found, low, high = _number(value), _number(wanted["value"]), _number(wanted["highValue"])
    return found is not None and low is not None and high is not None and low <= found <= high


OPERATORS: dict[str, Callable[[Any, Mapping[str, Any]], bool]] = {
    "EQ": lambda v, f: v == f["value"] or (_number(v) is not None and _number(v) == _number(f["value"])),
    "NEQ": lambda v, f: v != f["value"],
    "LT": _ordered(lambda a, b: a < b),
    "LTE": _ordered(lambda a, b: a <= b),
    "GT": _ordered(lambda a, b: a > b),
    "GTE": _ordered(lambda a, b: a >= b),
    "BETWEEN": _between,
    "IN": lambda v, f: v in f["values"],
    "NOT_IN": lambda v, f: v not in f["values"],
    "HAS_PROPERTY": lambda v, f: v not in (None, ""),
    "NOT_HAS_PROPERTY": lambda v, f: v in (None, ""),
}


def search(body: Mapping[str, Any], records: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int, str | None]:
    """One page of what a search finds, the total, and where the next page begins."""
    limit, after = int(body.get("limit", 10)), int(body.get("after") or 0)
    if limit > LARGEST_PAGE:
        raise SearchError(f"limit must be at most {LARGEST_PAGE}")
    if after + limit > CAP:
        raise SearchError(f"paging through more than {CAP} results is not possible")
    groups = body.get("filterGroups") or []
    if (
        len(groups) > 5
        or sum(len(g["filters"]) for g in groups) > MOST_FILTERS
        or any(len(g["filters"]) > 6 for g in groups)
    ):
        raise SearchError("too many filters")
    tests = [[(f["propertyName"], OPERATORS[f["operator"]], f) for f in group["filters"]] for group in groups]
    found = [
        r for r in records
        if not tests or any(all(test(r["properties"].get(name), f) for name, test, f in group) for group in tests)
    ]  # fmt: skip
    for sort in reversed(body.get("sorts") or []):
        name, down = (
            (sort.lstrip("-"), sort.startswith("-"))
            if isinstance(sort, str)
            else (sort["propertyName"], sort.get("direction") == "DESCENDING")
        )
        found.sort(key=lambda r, n=name: _number(r["properties"].get(n)) or 0.0, reverse=down)  # type: ignore[misc]
    page = found[after : after + limit]
    following = str(after + limit) if after + limit < len(found) else None
    return page, len(found), following
