"""The contract between an outside system and the sync, and the words used for it.

connection  one outside system as the installation names it ("salesforce", "hubspot-emea")
stream      one kind of record read from it: people, deals, quotas ...
batch       some source rows as received, in columns, with the cursor to keep once they are stored
cursor      where a stream stopped: a small JSON object that only its connector understands
field map   which source field holds which of our fields, where an installation differs from the usual
draft       a source row in our own words, not yet stored
reject      a source row that could not be put in our words, with the rule it broke and how to fix it

A connector reads and writes its system and knows nothing of storage. `translate` is pure: it needs nothing but the
batch, so that landed batches can be replayed without the source. Whatever account fact it needs (time zone,
currency, stages) travels with the batch as `facts`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Protocol

import pandas as pd
import pyarrow as pa

DRAFTS: dict[str, dict[str, str]] = {
    "people": {
        "external_id": "str", "name": "str", "email": "str", "employee_id": "str", "federation_id": "str",
        "title": "str", "active": "boolean", "manager_external_id": "str", "role_external_id": "str",
        "team": "str", "team_parent": "str", "working_group": "str", "hired_on": "day",
        "left_on": "day", "is_person": "boolean",
    },
    "roles": {"external_id": "str", "name": "str", "parent_external_id": "str"},
    "territories": {"external_id": "str", "name": "str", "parent_external_id": "str"},
    "territory_members": {
        "external_id": "str", "territory_external_id": "str", "owner_external_id": "str", "active": "boolean",
    },
    "stages": {
        "external_id": "str", "pipeline": "str", "name": "str", "position": "Int64", "status": "str",
        "probability_bp": "Int64", "forecast_category": "str",
    },
    "fiscal_periods": {
        "external_id": "str", "kind": "str", "label": "str", "number": "Int64", "first_day": "day", "end_day": "day",
        "fiscal_year": "str",
    },
    "rates": {"external_id": "str", "base": "str", "currency": "str", "first_day": "day", "units_per_base": "str"},
    "quotas": {
        "external_id": "str", "owner_external_id": "str", "team_external_id": "str", "first_day": "day",
        "end_day": "day", "amount_minor": "Int64", "currency": "str", "reason": "str", "modified_at": "instant",
        "removed": "boolean",
    },
    "deals": {
        "external_id": "str", "name": "str", "account": "str", "product": "str", "pipeline": "str", "stage": "str",
        "status": "str", "forecast_category": "str", "probability_bp": "Int64", "owner_external_id": "str",
        "amount_minor": "Int64", "currency": "str", "close_day": "day", "created_day": "day",
        "modified_at": "instant", "removed": "boolean", "extra": "str",
    },
    "splits": {
        "external_id": "str", "deal_external_id": "str", "owner_external_id": "str", "share_ppm": "Int64",
        "overlay": "boolean", "removed": "boolean",
    },
    "deal_history": {
        "external_id": "str", "deal_external_id": "str", "field": "str", "old_value": "str", "new_value": "str",
        "changed_at": "instant", "changed_by_external_id": "str", "removed": "boolean",
    },
    "deal_field_history": {
        "external_id": "str", "deal_external_id": "str", "field": "str", "old_value": "str", "new_value": "str",
        "changed_at": "instant", "changed_by_external_id": "str", "removed": "boolean",
    },
    "activities": {
        "external_id": "str", "owner_external_id": "str", "kind": "str", "first_day": "day", "end_day": "day",
        "number": "Int64",
    },
    "objectives": {
        "external_id": "str", "person": "str", "title": "str", "kind": "str", "why_it_matters": "str", "serves": "str",
        "starts_on": "day", "due_on": "day", "status": "str", "shared": "boolean", "weight": "Int64",
        "updated_on": "day",
    },
    "key_results": {
        "external_id": "str", "objective": "str", "title": "str", "baseline": "str", "target": "str",
        "current": "str", "weight": "Int64", "measured_on": "day",
    },
    "check_ins": {
        "external_id": "str", "person": "str", "with_person": "str", "asked_by": "str", "status": "str",
        "planned_on": "day", "held_on": "day", "topic": "str",
    },
    "feedback": {
        "external_id": "str", "person": "str", "batch": "str", "asked": "boolean", "what_happened": "str",
        "effect": "str", "suggestion": "str", "signed_by": "str",
    },
    "feedback_requests": {
        "external_id": "str", "person": "str", "about": "str", "asked_on": "str", "asked_of": "Int64",
        "answered": "Int64",
    },
    "obstacles": {
        "external_id": "str", "person": "str", "kind": "str", "what": "str", "effect": "str", "who_can_remove": "str",
        "opened_on": "day", "resolved_on": "day", "resolved_by": "str",
    },
    "relationships": {"external_id": "str", "person": "str", "who": "str", "why": "str", "next_contact": "day"},
    "learning": {
        "external_id": "str", "person": "str", "title": "str", "due_on": "day", "done_on": "day", "status": "str",
    },
    "absences": {
        "external_id": "str", "person": "str", "first_day": "day", "end_day": "day", "relieved": "boolean",
    },
    "leavers": {
        "external_id": "str", "person": "str", "left_on": "day", "reason": "str", "regretted": "boolean",
    },
}  # fmt: skip
"""The columns of a draft, stream by stream, in the order in which streams are read.

`day` is datetime64[s] at midnight, `instant` datetime64[us, UTC]; "str" columns hold None or NaN where unknown.
`is_person` false is a queue or a robot: it may own deals, but nobody is made of it.
`external_id` is the source's own id and is never null. `person` is an employee id, e-mail or name in the source.
"""


@dataclass(frozen=True)
class Stream:
    """One kind of record of a source.

    A `snapshot` stream is read whole each time, so that what is missing from it is gone. An incremental one gives
    what changed since the cursor, deletions as rows with `removed`; its first pull, and a full one, give everything.
    A `countable` one can be compared with what the source counts by itself, and read anew where they differ.
    """

    name: str
    snapshot: bool = False
    countable: bool = False


@dataclass(frozen=True)
class Batch:
    """Some source rows as received. `cursor` may be stored once they are; the last batch of a pull has `last`.

    `span` says that these are all rows of [first, end): others that are stored there are gone.
    `checks` are the ways in which deletions were looked for, and when by the source's clock.
    """

    stream: str
    table: pa.Table
    cursor: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    last: bool = False
    span: tuple[date, date] | None = None
    checks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """What a source itself counts and adds up of a stream: live rows of [first_day, end_day), or of all of it.

    `amounts` is the sum per currency in minor units, of streams that have money.
    """

    first_day: date | None
    end_day: date | None
    rows: int
    amounts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class RejectDraft:
    """A source row that was not taken over. Money that can be read is kept, so that totals still add up."""

    external_id: str
    rule: str  # a short fixed name: "amount is no number"
    field: str
    raw_value: str
    message: str  # which row, what is wrong
    fix: str  # what to do
    status: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    close_day: date | None = None


@dataclass(frozen=True)
class Note:
    """Something worth knowing that stops nothing: 1,425 deals have no account."""

    rule: str
    count: int
    example: str = ""


@dataclass(frozen=True)
class Drafts:
    """A batch in our own words: rows with the columns of DRAFTS, and what could not be taken over."""

    stream: str
    rows: pd.DataFrame
    rejects: Sequence[RejectDraft] = ()
    notes: Sequence[Note] = ()


@dataclass(frozen=True)
class SourceTotalDraft:
    """The source's own total for deals closing in [first_day, end_day), per status and currency.

    `amount_minor` is None where the source was only asked how many they are, of all currencies together.
    """

    first_day: date
    end_day: date
    status: str
    currency: str
    amount_minor: int | None
    deals: int
    how: str


@dataclass(frozen=True)
class Finding:
    """One line of a connection test: what was tried, whether it works, and what works without it."""

    what: str
    ok: bool
    detail: str = ""
    without: str = ""
    needed: bool = True  # False: an optional feature that is not enabled


@dataclass(frozen=True)
class Account:
    """What the source says of itself: currency, time zone, and how a link to a deal looks ({id})."""

    currency: str | None = None
    time_zone: str | None = None
    deal_link: str = ""


@dataclass(frozen=True)
class Figure:
    """A scorecard's figures for a CRM; ratios as such (0.62), unknown ones None. Nothing that anybody said."""

    key: str  # the user and the period: the row's external id
    person_id: str
    owner_external_id: str
    period: str
    attainment: float | None
    pace: float | None
    coverage: float | None
    as_of: date
    link: str


@dataclass(frozen=True)
class Outcome:
    """What became of one written row: error is "" when it went in."""

    key: str
    error: str = ""


class Publisher(Protocol):
    """A connector that can write figures back."""

    def publish(self, figures: Sequence[Figure]) -> list[Outcome]:
        """Write rows by their external id; one outcome each, in order."""
        ...


class Connector(Protocol):
    """One outside system. Made with the connection's name, its options and whether loopback addresses are allowed.

    Every method raises a SourceError whose message names the thing and the fix. Options that are wrong raise
    UserError with every problem at once, on construction and without a call.
    """

    kind: ClassVar[str]
    calls: int  # requests made so far

    def __init__(self, name: str, options: Mapping[str, Any], *, loopback: bool = False) -> None: ...

    def check(self) -> list[Finding]:
        """Try sign-in and every object and field that is read; one finding each."""
        ...

    def account(self) -> Account:
        """Currency, time zone and links of the source."""
        ...

    def streams(self) -> list[Stream]:
        """What can be read, in reading order; features that are not enabled are left out."""
        ...

    def ready(self, cursors: Mapping[str, Mapping[str, Any]]) -> None:
        """Told before a run where each stream stopped, so that several first pages can be asked for in one call."""
        ...

    def pull(self, stream: str, cursor: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Read a stream: everything when there is no cursor, else what changed since. At least one batch, the last
        one marked; a pull that was interrupted goes on from the cursor of the last batch that was kept."""
        ...

    def translate(self, batch: Batch) -> Drafts:
        """Put a batch into our own words. Pure: no call, no clock, no storage."""
        ...

    def remap(self, batch: Batch) -> Batch:
        """A landed batch with today's field map. Pure; SourceError when it was read without what that map names."""
        ...

    def survey(self, stream: str) -> list[Part] | None:
        """What the source counts of a countable stream, part by part; None when it cannot tell."""
        ...

    def recheck(self, stream: str, part: Part, known: Sequence[str]) -> Iterator[Batch]:
        """Read a part anew. Rows of `known` that are elsewhere come too, so that those that do not come are gone."""
        ...

    def totals(
        self, spans: Sequence[tuple[date, date]], lately: Sequence[tuple[date, date]] = ()
    ) -> list[SourceTotalDraft]:
        """The source's own totals of live deals for these [first, end) spans of close dates.

        The money of those in `lately` was added up not long ago: a source that adds nothing up by itself may count them
        only.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def draft_frame(stream: str, columns: Mapping[str, Any], length: int | None = None) -> pd.DataFrame:
    """A frame with exactly the draft columns of a stream, typed; columns not given are unknown."""
    rows = length if length is not None else next((len(v) for v in columns.values()), 0)
    out: dict[str, pd.Series[Any]] = {}
    for name, kind in DRAFTS[stream].items():
        values = columns.get(name)
        series = pd.Series([None] * rows, dtype="object") if values is None else pd.Series(values)
        out[name] = as_kind(series.reset_index(drop=True), kind)
    return pd.DataFrame(out)


def as_kind(series: "pd.Series[Any]", kind: str) -> "pd.Series[Any]":
    """Give a column the type its draft declares."""
    if kind == "day":
        return pd.to_datetime(series).dt.tz_localize(None).dt.normalize().astype("datetime64[s]")
    if kind == "instant":
        return pd.to_datetime(series, utc=True).astype("datetime64[us, UTC]")
    return series.astype(kind)  # type: ignore[call-overload, no-any-return]


def instant(text: str) -> datetime:
    """An ISO instant such as 2026-11-24T02:00:00.000+0000 as an aware datetime."""
    return pd.Timestamp(text).to_pydatetime()
