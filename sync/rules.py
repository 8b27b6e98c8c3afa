"""What an installation decided about its syncs, as the entry points hand it over."""

from dataclasses import dataclass, field
from pathlib import Path

from models.period import FiscalCalendar


@dataclass(frozen=True)
class Rules:
    """The settings that a run needs. `currency` is the reporting currency of every blended figure."""

    currency: str
    zone: str
    landing: Path
    calendar: FiscalCalendar = field(default_factory=FiscalCalendar)
    people: str = "create"  # create: users without a match become people; match: they wait as unmatched
    working_group: str | None = None  # of the people that a connection creates
    brake: float = 0.5  # a source that loses more than this share of a stream stops before anything is removed
    reconcile_hours: float = 20  # after so long, what a source counts by itself is compared with what is stored
    whole_days: float = 7  # after so long, a stream that is read by changes is read whole once; 0: never
    landing_days: int = 35  # what was landed longer ago goes, except back to the newest whole read
    brake_from: int = 10  # rows; a smaller loss is ordinary work
