"""Which scorecards are written to a CRM: those whose figures changed since the last time, and those refused then."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from connectors.base import Figure, Outcome, Publisher
from connectors.errors import SourceError
from metrics.scorecard import Scorecard
from metrics.serial import parse
from models import Identity, Publication, ScorecardSnapshot
from models.base import core, insert_into
from models.identity import IdentityState

AT_ONCE = 200


@dataclass(frozen=True)
class Published:
    """What a writing did, or would do: rows to write, rows that the CRM has already, and the refused ones."""

    figures: Sequence[Figure]
    unchanged: int
    written: int = 0
    refused: Mapping[str, str] | None = None
    stopped: str = ""


def figures(engine: Engine, source: str, as_of: date, link: str) -> list[Figure]:
    """The figures of everybody who has a user in this CRM, from the latest scorecard of the current period."""
    table = core(ScorecardSnapshot)
    identity = core(Identity).c
    with engine.connect() as connection:
        here = (identity.connection == source, identity.state == IdentityState.MATCHED, identity.active)
        users = connection.execute(select(identity.person_id, identity.external_id).where(*here)).all()
        latest = connection.scalar(select(func.max(table.c.as_of)).where(table.c.as_of <= as_of))
        pages = select(table.c.person_id, table.c.body).where(table.c.as_of == latest)
        # A closed quarter may have a page of the same day; the running one comes last.
        bodies = {row.person_id: row.body for row in connection.execute(pages.order_by(table.c.period_id))}
    found = []
    for user in sorted(users, key=lambda u: str(u.external_id)):
        if user.person_id in bodies:
            found.append(_figure(parse(bodies[user.person_id]), user.external_id, link))
    return found


def _figure(card: Scorecard, user: str, link: str) -> Figure:
    def value(metric: str) -> float | None:
        result = card.results.get(metric)
        return None if result is None or result.value is None else float(result.value)

    return Figure(
        key=f"{user}:{card.period_id}",
        person_id=card.person_id,
        owner_external_id=user,
        period=card.period_id,
        attainment=value("attainment"),
        pace=value("pace"),
        coverage=value("coverage"),
        as_of=card.as_of,
        link=link.replace("{person}", card.person_id),
    )


def publish(
    engine: Engine,
    source: str,
    publisher: Publisher,
    wanted: Sequence[Figure],
    *,
    clock: Callable[[], datetime],
    dry_run: bool,
) -> Published:
    """Write what differs from what the CRM was last given. A dry run writes nothing and says what would be written.

    Each call's outcomes are stored before the next call: a process that dies writes those rows again, to no effect.
    """
    with engine.connect() as connection:
        table = core(Publication).c
        known = {
            r.external_id: r for r in connection.execute(select(core(Publication)).where(table.connection == source))
        }
    fresh = [f for f in wanted if f.key not in known or known[f.key].error or known[f.key].written != _text(f)]
    if dry_run:
        return Published(fresh, len(wanted) - len(fresh))
    written, refused, stopped = 0, dict[str, str](), ""
    for start in range(0, len(fresh), AT_ONCE):
        part = fresh[start : start + AT_ONCE]
        try:
            outcomes = publisher.publish(part)
        except SourceError as error:
            stopped = str(error)
            break
        with engine.begin() as connection:
            _keep(connection, source, part, outcomes, clock())
        refused |= {o.key: o.error for o in outcomes if o.error}
        written += sum(1 for o in outcomes if not o.error)
    return Published(fresh, len(wanted) - len(fresh), written, refused, stopped)


def _text(figure: Figure) -> str:
    """What is compared: the figures, not the day on which they were the same."""
    facts = asdict(figure)
    del facts["as_of"]
    return json.dumps(facts, sort_keys=True)


def _keep(
    connection: Connection, source: str, part: Sequence[Figure], outcomes: Sequence[Outcome], now: datetime
) -> None:
    table = core(Publication)
    for figure, outcome in zip(part, outcomes, strict=True):
        row = {"person_id": figure.person_id, "period_id": figure.period, "error": outcome.error, "tried_at": now}
        first: dict[str, Any] = {"written": "", "written_at": None, "tries": 1}
        changed: dict[str, Any] = row | {"tries": table.c.tries + 1}
        if not outcome.error:
            went_in = {"written": _text(figure), "written_at": now}
            first, changed = first | went_in, changed | went_in | {"tries": 1}
        statement = insert_into(connection, table).values(connection=source, external_id=figure.key, **row, **first)
        keys = ["connection", "external_id"]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))
