"""What changed in a period after it had closed: its page then beside its page now, figure by figure, deal by deal."""

from dataclasses import dataclass

from metrics.registry import METRICS
from metrics.result import State, Unit
from metrics.scorecard import DealLine, Scorecard


@dataclass(frozen=True)
class Figure:
    """A figure of a closed period that is another one today."""

    metric: str
    label: str
    unit: Unit
    was: int | float | None
    now: int | float | None


@dataclass(frozen=True)
class Record:
    """A deal that is why: what it was then and what it is now; None where it was not there."""

    was: DealLine | None
    now: DealLine | None

    @property
    def words(self) -> str:
        """What happened to it."""
        if self.was is None:
            return "counts now and did not then"
        if self.now is None:
            return "counted then and does not now"
        changes = [
            f"{label}: {getattr(self.was, field)} → {getattr(self.now, field)}"
            for field, label in (("status", "status"), ("close_day", "close date"), ("share_ppm", "share"))
            if getattr(self.was, field) != getattr(self.now, field)
        ]
        if self.was.amount_minor != self.now.amount_minor or self.was.currency != self.now.currency:
            changes.append("its amount changed")
        elif self.was.credit_minor != self.now.credit_minor and self.was.share_ppm == self.now.share_ppm:
            changes.append("its exchange rate changed")
        return "; ".join(changes)


@dataclass(frozen=True)
class Restatement:
    """A closed period as it was and as it is."""

    closed: Scorecard
    figures: tuple[Figure, ...]
    records: tuple[Record, ...]


def restated(closed: Scorecard, now: Scorecard) -> Restatement | None:
    """What of a closed period's number is different now; None where nothing is.

    `closed` is the period's first page of a day after its end. Figures about development are not restated: they are
    not the period's number.
    """
    figures = tuple(
        Figure(key, shown.label, shown.unit, then.value, shown.value)
        for key, shown in now.results.items()
        if key in METRICS and not METRICS[key].personal and (then := closed.results.get(key)) is not None
        if (then.value, then.state) != (shown.value, shown.state) and State.STALE not in (then.state, shown.state)
    )
    before, after = _counted(closed), _counted(now)
    records = tuple(
        Record(before.get(key), after.get(key))
        for key in sorted({*before, *after})
        if _worth(before.get(key)) != _worth(after.get(key))
    )
    return Restatement(closed, figures, records) if figures or records else None


def _counted(card: Scorecard) -> dict[tuple[str, str], DealLine]:
    return {(d.connection, d.external_id): d for d in card.deals}


def _worth(deal: DealLine | None) -> tuple[object, ...]:
    if deal is None:
        return ()
    return deal.status, deal.amount_minor, deal.currency, deal.credit_minor, deal.share_ppm, deal.close_day
