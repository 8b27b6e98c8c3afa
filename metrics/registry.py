"""The metrics there are: one entry each, with its label, unit, definition and source."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from metrics.facts import Facts
from metrics.result import Result, State, Unit
from models.profile import Profile

Compute = Callable[[Facts, Profile], pd.DataFrame]
COLUMNS = ("value", "state", "reason", "numerator", "denominator", "n")


@dataclass(frozen=True)
class Metric:
    """One figure: what it is called, counted in, made of, and where its definition comes from."""

    key: str
    label: str
    unit: Unit
    better: str  # higher, lower, or neither
    definition: str
    reference: str
    version: str
    states: tuple[State, ...]
    sources: tuple[str, ...]
    compute: Compute
    parameters: tuple[str, ...] = ()  # fields of the profile that it depends on
    adds_up: str = ""  # over people: "sum", "ratio" (sum of numerators ÷ sum of denominators) or "no"

    @property
    def rolls_up(self) -> str:
        """How people's figures become a team's: shares by their parts, amounts and counts added, else not at all."""
        usual = "ratio" if self.unit in (Unit.RATIO, Unit.TIMES) else "sum" if self.unit is not Unit.DAYS else "no"
        return self.adds_up or usual

    @property
    def personal(self) -> bool:
        """Whether it is about somebody's development: of a team it is shown from five people up."""
        return bool(DEVELOPMENT & set(self.sources))


DEVELOPMENT = frozenset(
    {"objective", "key_result", "check_in", "feedback", "feedback_request", "obstacle", "learning_item"}
)
"""Tables that hold what people work on, rather than the number."""

METRICS: dict[str, Metric] = {}


def metric(**about: Any) -> Callable[[Compute], Compute]:
    """Register a function (facts, profile) -> one row a person with the columns of COLUMNS."""

    def register(function: Compute) -> Compute:
        found = Metric(compute=function, **about)
        if found.key in METRICS:
            raise ValueError(f"two metrics are called {found.key}")
        METRICS[found.key] = found
        return function

    return register


def compute(keys: Iterable[str], facts: Facts, profile: Profile) -> dict[str, pd.DataFrame]:
    """These metrics for everybody in `facts.people`."""
    return {key: METRICS[key].compute(facts, profile) for key in keys}


Row = tuple[Any, ...]
NO_CRM = "No CRM is connected for this person, and none is needed: their page stands without it."


def table(facts: Facts, row: Callable[[str], Row]) -> pd.DataFrame:
    """A metric's table: a row by each person's id, in the order of `facts.people`."""
    rows = [row(person) for person in facts.people]
    return pd.DataFrame(rows, index=facts.people, columns=list(COLUMNS), dtype="object")


def of_sellers(facts: Facts, row: Callable[[str], Row]) -> pd.DataFrame:
    """The table of a metric that is made of a CRM's records: people without one have no such figure."""
    return table(facts, lambda person: row(person) if person in facts.sellers else unknown(State.NO_DATA, NO_CRM))


def unknown(
    state: State, reason: str, numerator: Any = None, denominator: Any = None, n: Any = None
) -> tuple[Any, ...]:
    """A row without a value: why there is none, and what is known all the same."""
    return (None, state, reason, numerator, denominator, n)


def known(
    value: Any, numerator: Any = None, denominator: Any = None, n: Any = None, reason: str = ""
) -> tuple[Any, ...]:
    """A row with a value."""
    return (value, State.OK, reason, numerator, denominator, n)


def result(key: str, row: Mapping[Any, Any], facts: Facts, inputs: Mapping[str, Any] | None = None) -> Result:
    """One person's figure, from their row of a metric's table."""
    about = METRICS[key]
    return Result(
        metric=key,
        label=about.label,
        unit=about.unit,
        state=State(row["state"]),
        value=row["value"],
        reason=row["reason"],
        numerator=row["numerator"],
        denominator=row["denominator"],
        n=row["n"],
        as_of=facts.as_of,
        formula=about.definition,
        version=about.version,
        sources=about.sources,
        inputs=dict(inputs or {}),
    )
