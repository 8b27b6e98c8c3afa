"""What a scorecard was made of, packed small: with it a page of any past day can be made again, byte for byte.

Only rows about the person are in it, and of feedback only what that day's page could know: months that were over.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from pydantic import TypeAdapter

from metrics.build import build
from metrics.facts import Facts
from metrics.feedback import over
from metrics.scorecard import Scorecard, Source
from models.frames import FRAMES, empty, typed
from models.period import Period
from models.profile import Profile

OF_DEALS = {"deals": "external_id", "changes": "external_id", "history": "deal_external_id",
            "field_history": "deal_external_id", "splits": "deal_external_id"}  # fmt: skip
"""Frames that hang on deals, and what their rows know the deal by."""

SHARED = ("stages", "crms", "runs", "teams")
"""Frames that are about nobody, and small."""

_SOURCES: TypeAdapter[tuple[Source, ...]] = TypeAdapter(tuple[Source, ...])


@dataclass(frozen=True)
class Inputs:
    """Everything that one scorecard was computed from."""

    person_id: str
    frames: Mapping[str, pd.DataFrame]
    period: Period
    as_of: date
    currency: str
    zone: str
    profile: Profile
    names: Mapping[str, Mapping[str, str]]
    sources: tuple[Source, ...]

    @property
    def facts(self) -> Facts:
        """The facts as a metric takes them."""
        people = pd.Index([self.person_id], dtype="str")
        return Facts(self.frames, self.period, self.as_of, self.currency, people, self.zone)

    def rebuild(self) -> Scorecard:
        """The scorecard, computed again."""
        return build(
            self.frames, self.period, self.as_of, {self.profile.key: self.profile}, currency=self.currency,
            names=self.names, sources=self.sources, people=[self.person_id], zone=self.zone,
        )[self.person_id]  # fmt: skip


def pick(facts: Facts) -> dict[str, dict[str, pd.DataFrame]]:
    """Each person's rows of every frame: a scorecard of these alone equals the one among everybody's."""
    mine = facts.credits[facts.credits["person_id"].isin(facts.people)]
    deals = {str(p): _keys(part, "external_id") for p, part in mine.groupby("person_id")}
    none = pd.MultiIndex.from_arrays([[], []])
    keyed = {n: _keys(facts.frame(n), column) for n, column in OF_DEALS.items()}
    own = {
        n: _by(facts.frame(n), "person_id") for n in FRAMES if "person_id" in FRAMES[n].columns and n not in OF_DEALS
    }
    results = _by(facts.frame("key_results"), "objective_id")
    everybody, identities = facts.frame("people"), facts.frame("identities")
    feedback = _by(over(facts, facts.frame("feedback")), "person_id")
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for person in facts.people:
        wanted = deals.get(person, none)
        rows = {n: facts.frame(n)[keyed[n].isin(wanted)] for n in OF_DEALS}
        rows |= {n: own[n].get(person, empty(n)) for n in own}
        rows |= {n: facts.frame(n) for n in SHARED}
        rows["feedback"] = feedback.get(person, empty("feedback"))
        goals = [results[o] for o in rows["objectives"]["id"] if o in results]
        rows["key_results"] = pd.concat(goals, ignore_index=True) if goals else empty("key_results")
        known = {person, *rows["lines"]["manager_id"], *rows["check_ins"]["with_person_id"].dropna()}
        rows["people"] = everybody[everybody["id"].isin(known)]
        # Former owners of these deals are told by their own user's row.
        before = (
            set(rows["changes"]["old_value"])
            | set(rows["field_history"]["old_value"])
            | set(rows["history"]["old_value"])
        )
        rows["identities"] = identities[(identities["person_id"] == person) | identities["external_id"].isin(before)]
        found[person] = rows
    return found


def _keys(frame: pd.DataFrame, column: str) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(frame[["connection", column]])


def _by(frame: pd.DataFrame, column: str) -> dict[str, pd.DataFrame]:
    return {str(key): part for key, part in frame.groupby(column)}


def pack(
    rows: Mapping[str, pd.DataFrame],
    card: Scorecard,
    period: Period,
    profile: Profile,
    names: Mapping[str, Mapping[str, str]],
    zone: str,
) -> bytes:
    """One scorecard's inputs as compressed JSON; the same inputs give the same bytes."""
    told = {
        "person_id": card.person_id,
        "period": {k: getattr(period, k) for k in Period.model_fields},
        "as_of": card.as_of,
        "currency": card.currency,
        "zone": zone,
        "profile": profile.model_dump(mode="json"),
        "names": names,
        "sources": _SOURCES.dump_python(card.sources, mode="json"),
        "frames": {n: _columns(f) for n, f in rows.items() if len(f)},
    }
    return zlib.compress(json.dumps(told, default=_plain, separators=(",", ":")).encode(), 6)


def unpack(packed: bytes) -> Inputs:
    """The inputs of a scorecard, as `pack` made them."""
    told = json.loads(zlib.decompress(packed))
    period: dict[str, Any] = {k: date.fromisoformat(v) if k.endswith("_day") else v for k, v in told["period"].items()}
    return Inputs(
        person_id=told["person_id"],
        frames={n: typed(pd.DataFrame(columns, dtype="object"), FRAMES[n]) for n, columns in told["frames"].items()},
        period=Period(**period),
        as_of=date.fromisoformat(told["as_of"]),
        currency=told["currency"],
        zone=told["zone"],
        profile=Profile.model_validate(told["profile"]),
        names=told["names"],
        sources=_SOURCES.validate_python(told["sources"]),
    )


def _columns(frame: pd.DataFrame) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name in frame.columns:
        column = frame[name]
        if column.dtype.kind == "M":
            column = column.dt.strftime("%Y-%m-%d %H:%M:%S")
        found[str(name)] = [None if pd.isna(v) else v for v in column.tolist()]
    return found


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else str(value)
