"""The one shape of every figure: a value, or the reason why there is none, with what it was made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import Any


class State(StrEnum):
    """Why a figure is there or not. Only `ok` and `stale` carry a value: unknown is never 0."""

    OK = "ok"
    NO_QUOTA = "no_quota"
    ZERO_QUOTA = "zero_quota"
    QUOTA_MET = "quota_met"
    NO_DATA = "no_data"
    SUPPRESSED = "suppressed"
    STALE = "stale"


class Unit(StrEnum):
    """What a value is counted in. Money is in minor units of the scorecard's currency."""

    RATIO = "ratio"  # 0.62 is shown as 62 %
    MONEY = "money"
    TIMES = "times"  # 2.4x
    DAYS = "days"
    COUNT = "count"


@dataclass(frozen=True)
class Result:
    """One figure of one person: opens into its formula, its parts and the records behind it."""

    metric: str
    label: str
    unit: Unit
    state: State
    value: float | int | None
    reason: str  # a full sentence when state is not ok; otherwise what is worth adding, or empty
    numerator: int | float | None
    denominator: int | float | None
    n: int | None
    as_of: date
    formula: str  # in words: "won amount / quota"
    version: str  # of the formula
    sources: tuple[str, ...] = ()  # connections and tables it was read from
    inputs: Mapping[str, Any] = field(default_factory=dict)  # named parts, and record ids

    def __post_init__(self) -> None:
        if (self.value is None) == (self.state in (State.OK, State.STALE)):
            raise ValueError(f"{self.metric}: state {self.state} and value {self.value!r} contradict each other")
        if isinstance(self.value, float) and not isfinite(self.value):
            raise ValueError(f"{self.metric}: {self.value} is no figure; say why there is none")
        if isinstance(self.value, Decimal):
            raise TypeError(f"{self.metric}: money is integer minor units, not Decimal")
