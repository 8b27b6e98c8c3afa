"""What a run did, as it is printed, stored and returned."""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date

from connectors.base import Note
from models.ledger import RunStatus

Touched = Mapping[tuple[date, date], Set[str]]
"""People by quarter, which is known by its first day and its end."""


@dataclass
class StreamReport:
    """One stream of one run: how many rows were read and what became of them."""

    stream: str
    status: RunStatus = RunStatus.RUNNING
    read: int = 0
    created: int = 0
    changed: int = 0
    removed: int = 0
    kept: int = 0
    rejected: int = 0
    calls: int = 0
    seconds: float = 0.0
    message: str = ""
    noted: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def note(self, notes: "tuple[Note, ...] | list[Note]") -> None:
        """Add up what the batches noted."""
        for note in notes:
            self.noted[note.rule] += note.count
            self.examples.setdefault(note.rule, note.example)

    @property
    def notes(self) -> list[dict[str, str | int]]:
        """The notes as they are stored."""
        return [{"rule": r, "count": n, "example": self.examples[r]} for r, n in self.noted.most_common()]


@dataclass
class RunReport:
    """One run of one connection. `touched` are the people whose scorecards have to be computed anew."""

    run_id: str
    connection: str
    status: RunStatus = RunStatus.RUNNING
    message: str = ""
    calls: int = 0
    streams: list[StreamReport] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    spans: dict[tuple[date, date], set[str]] = field(default_factory=dict)  # whose deals changed, by quarter

    def mark(self, span: tuple[date, date], people: Iterable[str]) -> None:
        """These people's number of a quarter may be another one now."""
        self.spans.setdefault(span, set()).update(people)

    @property
    def wrote(self) -> int:
        """Rows created, changed or removed: 0 when nothing has changed."""
        return sum(s.created + s.changed + s.removed for s in self.streams)
