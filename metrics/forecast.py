"""Open deals by forecast category, each alone and added up to the usual forecast figures.

A deal's category is the CRM's own, mapped to our words where it is read; it is never guessed from the stage. Which
stages or bands of probability make a category differs by CRM, so that is a mapping, not arithmetic.
"""

from collections.abc import Callable
from typing import Any

import pandas as pd

from metrics.facts import Facts
from metrics.quota import bookings_of
from metrics.registry import known, metric, of_sellers, unknown
from metrics.result import State, Unit
from models.profile import Profile

SINGLE = {
    "commit": "Commit",
    "most_likely": "Most likely",
    "best_case": "Best case",
    "pipeline": "Pipeline",
    "omitted": "Omitted",
}
"""Open categories, the surest first."""

CUMULATIVE = {
    "forecast_commit": ("Won and commit", ("commit",)),
    "forecast_best_case": ("Won, commit and best case", ("commit", "most_likely", "best_case")),
    "forecast_open": ("Won and everything open", ("commit", "most_likely", "best_case", "pipeline", "")),
}
"""What the cumulative view of a CRM's forecast page adds up; most likely counts with best case where it is used."""


def _figure(facts: Facts, categories: tuple[str, ...], with_won: bool) -> pd.DataFrame:
    found = facts.sums.money(*(f"category_{name}" for name in categories))
    got = bookings_of(facts) if with_won else {}

    def row(person: str) -> tuple[Any, ...]:
        cents, n, blank = found.get(person, (0, 0, 0))
        won, wins, _, _ = got.get(person, (0, 0, 0, ""))
        if cents is None or won is None:
            return unknown(State.NO_DATA, f"A deal is not in {facts.currency} and its rate is missing.", n=n + wins)
        words = f"{blank} open {'deal has' if blank == 1 else 'deals have'} no amount yet." if blank else ""
        return known(won + cents, won + cents, None, n + wins, words)

    return of_sellers(facts, row)


def _single(category: str, label: str) -> Callable[[Facts, Profile], pd.DataFrame]:
    def compute(facts: Facts, profile: Profile) -> pd.DataFrame:
        return _figure(facts, (category,), with_won=False)

    compute.__doc__ = f"Open deals due in the period that the CRM's forecast calls {label.lower()}, in cents."
    return compute


def _cumulative(label: str, categories: tuple[str, ...]) -> Callable[[Facts, Profile], pd.DataFrame]:
    def compute(facts: Facts, profile: Profile) -> pd.DataFrame:
        return _figure(facts, categories, with_won=True)

    compute.__doc__ = f"{label}, in cents: the cumulative view of the forecast."
    return compute


def _words(category: str) -> str:
    return category.replace("_", " ") or "no category"


_COMMON: dict[str, Any] = {
    "unit": Unit.MONEY,
    "better": "higher",
    "reference": "metrics reference 1.3, forecast categories",
    "version": "1",
    "states": (State.OK, State.NO_DATA),
    "sources": ("deal", "deal_split", "exchange_rate"),
}
for _key, _label in SINGLE.items():
    metric(
        **{**_COMMON, "better": "neither" if _key == "omitted" else "higher"},
        key=f"category_{_key}",
        label=f"Open: {_label.lower()}",
        definition=f"credit of open deals due in the period whose forecast category is {_label.lower()}",
    )(_single(_key, _label))
for _key, (_label, _categories) in CUMULATIVE.items():
    metric(
        **_COMMON,
        key=_key,
        label=_label,
        definition=f"won + open deals due in the period: {', '.join(_words(c) for c in _categories)}",
    )(_cumulative(_label, _categories))
