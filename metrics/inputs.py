"""What a scorecard was made of, packed small: with it a page of any past day can be made again, byte for byte.

Only rows about the person are in it, and of feedback only what that day's page could know: months that were over.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from pydantic import TypeAdapter

from metrics.build import build
from metrics.facts import Facts
from metrics.feedback import over
from metrics.scorecard import Scorecard, Source
from models.frames import FRAMES, typed, values
from models.period import Period
from models.profile import Profile

OF_DEALS = {"deals": "external_id", "changes": "external_id", "history": "deal_external_id",
            "field_history": "deal_external_id", "splits": "deal_external_id"}  # fmt: skip
"""Frames that hang on deals, and what their rows know the deal by."""

OF_OBJECTIVES = ("key_results", "updates")
"""Frames that hang on objectives."""

SHARED = ("stages", "crms", "runs", "cursors", "teams")
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


Columns = dict[str, list[Any]]


def pick(facts: Facts) -> Iterator[tuple[str, dict[str, Columns]]]:
    """Each person's rows of every frame: a scorecard of these alone equals the one among everybody's.

    Frames become plain columns once for all the people asked about; a person's part is then taken by row numbers.
    """
    credits = facts.credits
    mine = credits[credits["person_id"].isin(facts.people)]
    deals: dict[str, list[tuple[Any, Any]]] = {}
    for person, connection, deal in values(mine, "person_id", "connection", "external_id"):
        deals.setdefault(str(person), []).append((connection, deal))
    frames = _concerning(facts)
    plain = {name: _columns(frame) for name, frame in frames.items()}
    by_deal = {n: _rows(values(frames[n], "connection", c)) for n, c in OF_DEALS.items()}
    own = [n for n in frames if "person_id" in FRAMES[n].columns and n not in (*OF_DEALS, "identities")]
    by_person = {n: _rows(frames[n]["person_id"].tolist()) for n in own}
    by_goal = {n: _rows(frames[n]["objective_id"].tolist()) for n in OF_OBJECTIVES}
    by_id = _rows(frames["people"]["id"].tolist())
    by_user, users_of = (_rows(frames["identities"][c].tolist()) for c in ("external_id", "person_id"))
    for person in map(str, facts.people):
        keys = list(dict.fromkeys(deals.get(person, ())))
        parts = {n: _take(plain[n], sorted(i for k in keys for i in by_deal[n].get(k, ()))) for n in OF_DEALS}
        parts |= {n: _take(plain[n], by_person[n].get(person, [])) for n in own}
        parts |= {n: plain[n] for n in SHARED}
        goals = parts["objectives"]["id"]
        parts |= {n: _take(plain[n], [i for g in goals for i in by_goal[n].get(g, ())]) for n in OF_OBJECTIVES}
        known = dict.fromkeys([person, *parts["lines"]["manager_id"], *parts["check_ins"]["with_person_id"]])
        parts["people"] = _take(plain["people"], sorted(i for k in known for i in by_id.get(k, ())))
        # A former owner of these deals is told by their own user's row.
        before = {v for n in ("changes", "history", "field_history") for v in parts[n]["old_value"]}
        users = {*users_of.get(person, ()), *(i for v in before for i in by_user.get(v, ()))}
        parts["identities"] = _take(plain["identities"], sorted(users))
        yield person, {n: part for n, part in parts.items() if next(iter(part.values()))}


def _concerning(facts: Facts) -> dict[str, pd.DataFrame]:
    """The frames, less rows that are about none of the people asked about; of feedback only months that are over."""
    frames = {name: facts.frame(name) for name in FRAMES}
    for name, frame in frames.items():
        if "person_id" in frame and name not in OF_DEALS and name != "identities":
            frames[name] = frame[frame["person_id"].isin(facts.people)]
    frames["feedback"] = over(facts, frames["feedback"])
    for name in OF_OBJECTIVES:
        frames[name] = frames[name][frames[name]["objective_id"].isin(frames["objectives"]["id"])]
    known = {*facts.people, *frames["lines"]["manager_id"], *frames["check_ins"]["with_person_id"].dropna()}
    frames["people"] = frames["people"][frames["people"]["id"].isin(known)]
    before = {v for n in ("changes", "history", "field_history") for v in frames[n]["old_value"].dropna().unique()}
    users = frames["identities"]
    frames["identities"] = users[users["person_id"].isin(facts.people) | users["external_id"].isin(before)]
    return frames


def _rows(keys: Iterable[Any]) -> dict[Any, list[int]]:
    """By key, the numbers of its rows."""
    found: dict[Any, list[int]] = {}
    for number, key in enumerate(keys):
        found.setdefault(key, []).append(number)
    return found


def _take(columns: Columns, numbers: Sequence[int]) -> Columns:
    return {name: [values[i] for i in numbers] for name, values in columns.items()}


def pack(
    rows: Mapping[str, Columns],
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
        "frames": rows,
    }
    return zlib.compress(json.dumps(told, default=_plain, separators=(",", ":")).encode(), 6)


def unpack(packed: bytes) -> Inputs:
    """The inputs of a scorecard, as `pack` made them."""
    told = json.loads(zlib.decompress(packed))
    period: dict[str, Any] = {k: date.fromisoformat(v) if k.endswith("_day") else v for k, v in told["period"].items()}
    return Inputs(
        person_id=told["person_id"],
        frames={n: _frame(n, columns) for n, columns in told["frames"].items()},
        period=Period(**period),
        as_of=date.fromisoformat(told["as_of"]),
        currency=told["currency"],
        zone=told["zone"],
        profile=Profile.model_validate(told["profile"]),
        names=told["names"],
        sources=_SOURCES.validate_python(told["sources"]),
    )


def _frame(name: str, columns: Columns) -> pd.DataFrame:
    """A frame as it was packed; what a page of an older version did not have is unknown."""
    known = pd.DataFrame(columns, dtype="object").reindex(columns=list(FRAMES[name].columns))
    return typed(known.astype("object").where(known.notna(), None), FRAMES[name])


def _columns(frame: pd.DataFrame) -> Columns:
    found: Columns = {}
    for name in frame.columns:
        column = frame[name]
        if column.dtype.kind == "M":
            column = column.dt.strftime("%Y-%m-%d %H:%M:%S")
        found[str(name)] = column.astype("object").where(column.notna(), None).tolist()
    return found


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else str(value)
