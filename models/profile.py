"""A working group's profile: which blocks and figures its people see, in which words, and how often they talk.

A profile is data with a date: it says from when it holds, and a scorecard names the version it was made with.
"""

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Block = Literal[
    "number", "pipeline", "development", "feedback", "obstacles", "relationships", "learning", "check_in", "blend"
]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CORE: tuple[Block, ...] = ("development", "feedback", "check_in")
"""What no profile can switch off: every group develops its people."""


class BlendPart(BaseModel):
    """One part of a blend: fixed goalposts and a weight, so that nobody's score moves when a colleague's does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weight: float = Field(ge=0)
    low: float = 0.0
    high: float

    @model_validator(mode="after")
    def _goalposts(self) -> "BlendPart":
        if self.high == self.low:
            raise ValueError("low and high are the same, so no value could be told from another")
        return self


class BlendRule(BaseModel):
    """How the single index is made, where a group wants one at all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = False
    parts: dict[str, BlendPart] = Field(default_factory=dict)


class QuotaRule(BaseModel):
    """What lessens a quota; all off, because the CRM's own number already is what the person is judged by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ramp: tuple[Decimal, ...] = ()  # the share asked of somebody in their first, second ... month with the company
    relieve_leave: bool = False  # days of relieved leave ask for nothing
    only_employed: bool = False  # days before somebody came and after they left ask for nothing

    @field_validator("ramp")
    @classmethod
    def _shares(cls, value: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        if any(not 0 <= share <= 1 for share in value):
            raise ValueError("a share of a ramp lies between 0 and 1")
        return value


class WorkingDays(BaseModel):
    """Which days are worked: a week, the public holidays of a country, and further days off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    week: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    holidays_of: str = ""  # a country, or a part of one: GB, GB-ENG, DE-BY
    holidays: tuple[date, ...] = ()


class Criterion(BaseModel):
    """One thing that the next role asks for, and what would show it: a figure, or objectives that serve it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: str
    metric: str = ""
    at_least: float | None = None
    serves: str = ""  # a done objective that serves this step is evidence

    @model_validator(mode="after")
    def _evidence(self) -> "Criterion":
        if self.metric and self.at_least is None:
            raise ValueError(f"{self.what}: say how much of {self.metric} is enough (at_least)")
        return self


class MeasuredBy(BaseModel):
    """A key result that a template proposes: from where to where."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    baseline: str = ""
    target: str = ""


class Template(BaseModel):
    """An objective to start from: everything in it can be changed, and why it matters is left to the person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    kind: Literal["personal", "organisational", "relationship"] = "personal"
    serves: str = ""
    days: int = Field(default=90, ge=1, le=1000)
    steps: tuple[str, ...] = ()
    key_results: tuple[MeasuredBy, ...] = ()
    learning: tuple[str, ...] = ()


class Step(BaseModel):
    """A role that people can grow into, from which titles, and what it asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str
    from_titles: tuple[str, ...]
    criteria: tuple[Criterion, ...] = Field(min_length=1)


class Profile(BaseModel):
    """One working group's profile."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    title: str
    version: date
    words: dict[str, str] = Field(default_factory=dict)
    blocks: tuple[Block, ...]
    metrics: tuple[str, ...]
    private_blocks: tuple[Block, ...] = ()  # seen by the person alone, not by those above
    ladder: tuple[Step, ...] = ()
    templates: tuple[Template, ...] = ()
    goal_scaling: bool = False  # objectives are rated from -2 to 2 by words written beforehand
    obstacle_kinds: tuple[str, ...] = ("pricing", "tools", "data", "time", "access", "other")
    check_in_every_days: int = Field(default=30, ge=1, le=366)
    release_from: int = Field(default=3, ge=3, le=20)
    stale_after_days: int = Field(default=30, ge=1)
    behind_by: float = Field(default=0.2, gt=0, le=1)
    quota: QuotaRule = QuotaRule()
    working_days: WorkingDays = WorkingDays()
    projection_from: float = Field(default=0.2, ge=0, lt=1)  # share of the period gone before a projection is made
    stalled_after_days: int = Field(default=30, ge=1)

    blend: BlendRule = BlendRule()

    @field_validator("blocks")
    @classmethod
    def _core(cls, value: tuple[Block, ...]) -> tuple[Block, ...]:
        missing = [block for block in CORE if block not in value]
        if missing:
            raise ValueError(f"{', '.join(missing)} cannot be switched off: every group has them")
        if len(set(value)) != len(value):
            raise ValueError("a block stands twice")
        return value

    def steps_from(self, title: str) -> tuple[Step, ...]:
        """The roles that somebody with this title can grow into."""
        return tuple(s for s in self.ladder if title.casefold() in {t.casefold() for t in s.from_titles})

    def word(self, key: str, usual: str) -> str:
        """The group's own word for something."""
        return self.words.get(key, usual)

    @field_validator("private_blocks")
    @classmethod
    def _private(cls, value: tuple[Block, ...]) -> tuple[Block, ...]:
        if odd := sorted({"number", "pipeline"} & set(value)):
            raise ValueError(f"{', '.join(odd)} cannot be private: a director sees the number")
        return value

    @model_validator(mode="after")
    def _blend(self) -> "Profile":
        if self.blend.enabled and sum(part.weight for part in self.blend.parts.values()) <= 0:
            raise ValueError("blend: at least one part needs a weight above 0")
        return self
