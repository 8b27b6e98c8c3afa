"""What is stored of a stream, counted and added up as a source counts it: where the two differ, it is read anew."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, func, select

from connectors.base import Part
from models import Reject
from models.base import core
from models.period import month_start
from sync.targets import TARGETS

DAYS = {"deals": "close_day", "quotas": "first_day", "activities": "first_day"}


def _live(table: Table, source: str) -> list[Any]:
    here = [table.c.connection == source]
    if "removed_at" in table.c:
        here.append(table.c.removed_at.is_(None))
    return here


def ids_within(connection: Connection, source: str, stream: str, span: tuple[date | None, date | None]) -> set[str]:
    """Ids of the live rows of [first, end), or of all of them where there are no days."""
    table = core(TARGETS[stream].table)
    here = _live(table, source)
    if span[0] is not None and span[1] is not None:
        day = table.c[DAYS[stream]]
        here += [day >= span[0], day < span[1]]
    return set(connection.scalars(select(table.c.external_id).where(*here)))


def differing(connection: Connection, source: str, stream: str, parts: Sequence[Part]) -> list[tuple[Part, set[str]]]:
    """The parts whose number or money is not what is stored, with the ids that are stored of each."""
    ours = _counted(connection, source, stream, by_month=any(p.first_day for p in parts))
    theirs = {(p.first_day, p.end_day): p for p in parts}
    missing = [Part(*span, 0) for span in ours if span not in theirs]
    found = []
    for part in [*parts, *missing]:
        number, sums = ours.get((part.first_day, part.end_day), (0, {}))
        if number != part.rows or any(sums.get(code, 0) != minor for code, minor in part.amounts.items()):
            span = (part.first_day, part.end_day)
            found.append((part, ids_within(connection, source, stream, span)))
    return found


Counted = dict[tuple[date | None, date | None], tuple[int, dict[str, int]]]


def _counted(connection: Connection, source: str, stream: str, by_month: bool) -> Counted:
    found: Counted = {}
    table = core(TARGETS[stream].table)
    _add(connection, found, table, _live(table, source), stream, by_month)
    rejects = core(Reject)
    if not by_month or stream in ("deals",):
        _add(
            connection, found, rejects, [rejects.c.connection == source, rejects.c.stream == stream], "deals", by_month
        )
    return found


def _add(connection: Connection, found: Counted, table: Table, here: list[Any], stream: str, by_month: bool) -> None:
    """Add what a table holds: day by day, since cutting days into months in the database takes twice as long."""
    days = [table.c[DAYS[stream]]] if by_month else []
    money = [table.c.currency, func.sum(table.c.amount_minor)] if "amount_minor" in table.c else []
    query = select(func.count(), *days, *money).where(*here).group_by(*days, *money[:1])
    for row in connection.execute(query):
        number, values = int(row[0]), list(row[1:])
        span: tuple[date | None, date | None] = (None, None)
        if days:
            if values[0] is None:
                continue  # without a day it lies in no month
            span = (values[0].replace(day=1), month_start(values[0], 1))
        before, sums = found.get(span, (0, {}))
        code, minor = values[-2:] if money else (None, None)
        if code is not None:
            sums = sums | {code: sums.get(code, 0) + int(minor or 0)}
        found[span] = (before + number, sums)
