"""The scorecard: one frozen object that the page, the terminal, JSON and CSV all show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from metrics.result import Result


@dataclass(frozen=True)
class Source:
    """How fresh a connection's figures are. `state` is fresh, late or stale; a failed run keeps the last good ones."""

    connection: str
    title: str
    state: str
    last_success_at: datetime | None
    sentence: str  # "as of 02:14 today", "no figures since Monday 02:00; showing Sunday's"


@dataclass(frozen=True)
class DealLine:
    """One deal in a person's list: credit is their share, in the reporting currency; None when it has no amount."""

    connection: str
    external_id: str
    name: str
    account: str | None
    status: str
    stage: str
    forecast_category: str | None
    amount_minor: int | None
    currency: str | None
    credit_minor: int | None
    share_ppm: int
    close_day: date | None
    link: str
    flags: tuple[str, ...] = ()  # "close date passed", "no amount", "won with a future close date"


@dataclass(frozen=True)
class ObjectiveLine:
    """One objective: why it matters comes first; progress is a Result, never a grade."""

    id: str
    title: str
    kind: str
    why_it_matters: str
    serves: str
    status: str
    due_on: date | None
    shared: bool
    progress: Result
    key_results: tuple[Mapping[str, Any], ...] = ()  # title, baseline, target, current, progress (None if not), step
    who: str = ""  # of a relationship: with whom
    next_contact: date | None = None
    evidence: int = 0
    last_evidence: date | None = None
    learning: tuple[Mapping[str, Any], ...] = ()  # title, link, due_on, done_on, status


@dataclass(frozen=True)
class FeedbackBlock:
    """What others said. Under the release threshold: only how many of how many are in, and why there is no text."""

    received: int
    released: bool
    sentence: str
    items: tuple[Mapping[str, str], ...] = ()  # what_happened, effect, suggestion, signed_by ("" if anonymous), batch
    requests: tuple[Mapping[str, Any], ...] = ()  # about, asked_on, asked_of, answered


@dataclass(frozen=True)
class Contribution:
    """One part of the blend: value, goalposts, weight and what it adds; the parts sum to the score exactly."""

    metric: str
    label: str
    normalised: float | None  # 0..100 between the goalposts, capped; None when missing
    weight: float
    contribution: float | None
    reason: str = ""


@dataclass(frozen=True)
class Blend:
    """The single index, only where a profile turns it on; no score under 60 % of the weight."""

    score: float | None
    present_weight: float
    low: float  # with everything missing at 0
    high: float  # with everything missing at 100
    contributions: tuple[Contribution, ...]
    reason: str = ""
    sensitivity: tuple[float, float] | None = None  # the score with each weight 25 % off, and as a geometric mean


@dataclass(frozen=True)
class Readiness:
    """One thing that the next role asks for: met, not met, or not assessed; never added up into a grade."""

    role: str
    what: str
    state: str  # met, not met, not assessed
    evidence: str = ""
    day: date | None = None


@dataclass(frozen=True)
class Scorecard:
    """One person's page for one period as of one day."""

    person_id: str
    name: str
    title: str
    working_group: str
    profile: str  # the profile's title
    profile_version: str
    team: str
    manager: str
    period_id: str
    period_label: str
    first_day: date
    end_day: date
    as_of: date
    currency: str  # of every money figure on it
    results: Mapping[str, Result]  # by metric key, in the profile's order
    blocks: tuple[str, ...]  # which blocks the profile shows, in order
    words: Mapping[str, str]  # the profile's own words for things
    deals: tuple[DealLine, ...] = ()
    objectives: tuple[ObjectiveLine, ...] = ()
    feedback: FeedbackBlock | None = None
    check_ins: tuple[Mapping[str, Any], ...] = ()  # status, planned_on, held_on, asked_by, with_name, topic
    # id, kind, what, effect, who_can_remove, opened_on, resolved_on, resolved_by, days_open, shared
    obstacles: tuple[Mapping[str, Any], ...] = ()
    relationships: tuple[Mapping[str, Any], ...] = ()  # who, why, next_contact
    learning: tuple[Mapping[str, Any], ...] = ()  # title, due_on, done_on, status
    blend: Blend | None = None
    readiness: tuple[Readiness, ...] = ()
    private_blocks: tuple[str, ...] = ()  # of the profile: for the person alone
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)  # "1 won deal has no amount"
