"""What is asked of somebody over a span of days: quota rows by their days, ramp, leave and employment."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pandas as pd

from metrics.facts import Facts
from models.profile import Profile, QuotaRule

Span = tuple[pd.Timestamp, pd.Timestamp]
ONE = Fraction(1)


@dataclass(frozen=True)
class Target:
    """A person's quota for a span: cents (None where a row's worth is not known) and how many rows made it."""

    cents: int | None
    rows: int


def targets(facts: Facts, profile: Profile, end: pd.Timestamp) -> dict[str, Target]:
    """Each person's quota for [period start, end); people without a row are left out.

    A row counts by its days in there. Where the profile says so, days of a ramp count by their share, and days of
    relieved leave or outside employment count nothing. Rounded once a row, half to even.
    Source: metrics reference §1.3, quota (effective).
    """
    rows = facts.frame("quotas")
    rows = rows[rows["person_id"].notna() & (rows["first_day"] < end) & (rows["end_day"] > facts.start)]
    first = rows["first_day"].where(rows["first_day"] > facts.start, facts.start)
    last = rows["end_day"].where(rows["end_day"] < end, end)
    spans = zip(
        rows["person_id"], rows["reporting_minor"], first, last, rows["first_day"], rows["end_day"], strict=True
    )
    lessened = _lessened(facts, profile.quota)
    parts: dict[str, list[int | None]] = {}
    for person, minor, begin, stop, opens, closes in spans:
        days = Fraction((stop - begin).days)
        for share_first, share_end, share in lessened.get(str(person), ()):
            days -= max((min(stop, share_end) - max(begin, share_first)).days, 0) * (ONE - share)
        whole = (closes - opens).days
        parts.setdefault(str(person), []).append(None if pd.isna(minor) else half_even(int(minor) * days / whole))
    return {
        person: Target(None if None in worth else sum(w for w in worth if w is not None), len(worth))
        for person, worth in parts.items()
    }


def half_even(value: Fraction) -> int:
    """A whole number of cents, halves to the even one."""
    return round(value)  # of a fraction, Python rounds exactly and half to even


def _lessened(facts: Facts, rule: QuotaRule) -> dict[str, list[tuple[pd.Timestamp, pd.Timestamp, Fraction]]]:
    """Spans in which less than the whole is asked of a person, none of which overlap: first day, end day, share."""
    if not (rule.ramp or rule.relieve_leave or rule.only_employed):
        return {}
    floor = pd.Timestamp("1900-01-01")
    stays: dict[str, list[Span]] = {}
    employed = facts.frame("employments").sort_values(["person_id", "hired_on"])
    for person, hired, left in zip(employed["person_id"], employed["hired_on"], employed["left_on"], strict=True):
        until = facts.end if pd.isna(left) else left
        stays.setdefault(str(person), []).append((hired, until))
    away: dict[str, list[Span]] = {}
    absences = facts.frame("absences")
    for person, first, end, relieved in zip(
        *(absences[c] for c in ("person_id", "first_day", "end_day", "relieved")), strict=True
    ):
        if rule.relieve_leave and (pd.isna(relieved) or bool(relieved)):
            away.setdefault(str(person), []).append((first, end))
    found = {}
    for person in {*stays, *away}:
        shares: list[tuple[pd.Timestamp, pd.Timestamp, Fraction]] = []
        own = stays.get(person, [])
        if rule.only_employed and own:
            edges = [floor, *(day for stay in own for day in stay), max(facts.end, own[-1][1])]
            shares += [(a, b, Fraction(0)) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
        for hired, until in own:
            shares += list(_ramp(hired, until, rule))
        found[person] = _least(shares, away.get(person, []))
    return found


def _ramp(hired: pd.Timestamp, until: pd.Timestamp, rule: QuotaRule) -> Iterator[tuple[Any, Any, Fraction]]:
    for step, share in enumerate(rule.ramp):
        first, end = hired + pd.DateOffset(months=step), hired + pd.DateOffset(months=step + 1)
        yield first, min(end, until), Fraction(share)


def _least(
    shares: list[tuple[pd.Timestamp, pd.Timestamp, Fraction]], away: list[Span]
) -> list[tuple[pd.Timestamp, pd.Timestamp, Fraction]]:
    """Cut at every edge, so that each day counts once, with the least share that holds for it."""
    every = [*shares, *((a, b, Fraction(0)) for a, b in away)]
    edges = sorted({edge for first, end, _ in every for edge in (first, end)})
    found = []
    for first, end in pairwise(edges):
        held = [share for a, b, share in every if a <= first and end <= b]
        if held:
            found.append((first, end, min(held)))
    return found
