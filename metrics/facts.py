"""What metrics are computed from: frames, a period, a day, and the people asked about. Nothing else is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import pandas as pd

from metrics.credit import credit
from metrics.history import known_since, moves, owner_at_close
from metrics.sums import Sums
from models.frames import empty
from models.period import Period


@dataclass(frozen=True)
class Facts:
    """Frames as models.frames declares them, a stored period, the as-of day (inclusive), currency and zone."""

    frames: Mapping[str, pd.DataFrame]
    period: Period
    as_of: date
    currency: str
    people: pd.Index = field(default_factory=lambda: pd.Index([], dtype="str"))
    zone: str = "UTC"

    def frame(self, name: str) -> pd.DataFrame:
        """A frame; one that was not given has no rows."""
        return self.frames[name] if name in self.frames else empty(name)

    @property
    def until(self) -> pd.Timestamp:
        """The moment after the as-of day."""
        return pd.Timestamp(self.as_of + timedelta(days=1))

    @property
    def today(self) -> pd.Timestamp:
        """The as-of day."""
        return pd.Timestamp(self.as_of)

    @property
    def start(self) -> pd.Timestamp:
        """The period's first moment."""
        return pd.Timestamp(self.period.first_day)

    @property
    def end(self) -> pd.Timestamp:
        """The moment after the period."""
        return pd.Timestamp(self.period.end_day)

    @property
    def reached(self) -> pd.Timestamp:
        """How far into the period the as-of day is: never before its start or after its end."""
        return min(max(self.until, self.start), self.end)

    @cached_property
    def moves(self) -> pd.DataFrame:
        """Every change of a deal's owner, stage, amount or close date up to the as-of day: metrics.history.moves."""
        told = moves(self.frames, self.zone)
        return told[told["at"] < self.until]

    @cached_property
    def known_since(self) -> dict[str, pd.Timestamp]:
        """By connection, from when on changes of its deals are known."""
        return known_since(self.frames)

    @cached_property
    def credits(self) -> pd.DataFrame:
        """Every deal's credit, one row a share; a decided deal is its owner's at the close date."""
        owned = owner_at_close(self.frame("deals"), self.moves, self.frame("identities"))
        return credit(owned, self.frame("splits"))

    @cached_property
    def owned(self) -> pd.DataFrame:
        """One row a deal and person: the deals that somebody is credited with."""
        rows = self.credits[self.credits["person_id"].notna()]
        return rows.drop_duplicates(["connection", "external_id", "person_id"])

    @cached_property
    def sums(self) -> Sums:
        """The people's deals that close in the period, added up: metrics.sums."""
        rows = self.credits
        inside = (rows["close_day"] >= self.start) & (rows["close_day"] < self.end)
        return Sums.of(rows[inside & rows["person_id"].notna()], self.people, self.until)

    @cached_property
    def sellers(self) -> frozenset[str]:
        """People with a user in any CRM, a deal or a quota: the others have no number, and that is no lack."""
        crms = {*self.frame("crms")["name"].unique(), *self.frame("deals")["connection"].unique()}
        identities = self.frame("identities")
        in_crm = identities.loc[identities["connection"].isin(crms), "person_id"]
        parts = (in_crm, self.frame("quotas")["person_id"], self.credits["person_id"])
        return frozenset(person for part in parts for person in part.dropna().unique().tolist())
