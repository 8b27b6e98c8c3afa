"""Money is converted once, here, as rows come in."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
from sqlalchemy import Connection, bindparam, select, update

from models import Deal, ExchangeRate, Quota
from models.base import core
from models.frames import Frame, typed
from models.money import convert

CHUNK = 5000  # rows converted at a time


class Rates:
    """Dated exchange rates: a connection's own where it has any, else those of the other sources, by name."""

    def __init__(self, rows: Sequence[Any]) -> None:
        table: dict[tuple[str, str, str], list[tuple[date, Decimal]]] = defaultdict(list)
        for row in rows:
            table[row.connection, row.base, row.currency].append((row.first_day, Decimal(row.units_per_base)))
        self.table = {key: sorted(dated) for key, dated in table.items()}
        self.bases = sorted({(connection, base) for connection, base, _ in self.table})
        self._between: dict[tuple[str, str, str, date], tuple[Decimal, Decimal] | None] = {}

    @classmethod
    def stored(cls, connection: Connection) -> "Rates":
        """Every rate that is in force somewhere."""
        return cls(
            connection.execute(select(core(ExchangeRate)).where(core(ExchangeRate).c.removed_at.is_(None))).all()
        )

    def units(self, source: str, base: str, currency: str, day: date) -> Decimal | None:
        """Units of `currency` for one `base` on a day, from one source's table; None when it has no such rate."""
        if currency == base:
            return Decimal(1)
        dated = self.table.get((source, base, currency), [])
        at = bisect_right(dated, day, key=lambda pair: pair[0])
        return dated[at - 1][1] if at else None

    def between(self, source: str, currency: str, reporting: str, day: date) -> tuple[Decimal, Decimal] | None:
        """Units of both currencies for one of a common base on that day; None when no source knows both."""
        key = (source, currency, reporting, day)
        if key not in self._between:
            self._between[key] = self._looked_up(*key)
        return self._between[key]

    def _looked_up(self, source: str, currency: str, reporting: str, day: date) -> tuple[Decimal, Decimal] | None:
        ordered = sorted(self.bases, key=lambda pair: (pair[0] != source, pair))
        for connection, base in ordered:
            units_from = self.units(connection, base, currency, day)
            units_to = self.units(connection, base, reporting, day)
            if units_from is not None and units_to is not None:
                return units_from, units_to
        return None


def reporting_minor(frame: pd.DataFrame, day: str, source: str, rates: Rates, reporting: str) -> "pd.Series[Any]":
    """Each row's money in the reporting currency at the rate of its `day` column; unknown where a part is unknown."""
    out = frame["amount_minor"].where((frame["currency"] == reporting).fillna(False)).astype("Int64")
    foreign = frame.index[
        frame["amount_minor"].notna()
        & frame[day].notna()
        & frame["currency"].notna()
        & (frame["currency"] != reporting)
    ]
    values: dict[Any, int] = {}
    abroad = frame.loc[foreign]
    days = abroad[day].dt.date.tolist()
    columns = (foreign.tolist(), abroad["amount_minor"].tolist(), abroad["currency"].tolist(), days)
    for index, minor, currency, on in zip(*columns, strict=True):
        pair = rates.between(source, currency, reporting, on)
        if pair is not None:
            values[index] = convert(int(minor), *pair, currency, reporting)
    if values:
        out.loc[list(values)] = pd.array(list(values.values()), dtype="Int64")
    return out


def reconvert(connection: Connection, reporting: str) -> set[str]:
    """Convert stored deals and quotas in foreign currency anew, after rates changed; answers the people concerned."""
    rates, touched = Rates.stored(connection), set()
    for model, day in ((Deal, "close_day"), (Quota, "first_day")):
        table = core(model).c
        for frame in _foreign(connection, model, day, reporting):
            source = str(frame["connection"].iloc[0])
            fresh = reporting_minor(frame, day, source, rates, reporting)
            same = (fresh == frame["reporting_minor"]).fillna(False) | (fresh.isna() & frame["reporting_minor"].isna())
            moved = frame[~same.astype(bool)]
            touched |= set(moved["person_id"].dropna())
            values = [
                {"at": external_id, "minor": None if pd.isna(minor) else int(minor)}
                for external_id, minor in zip(moved["external_id"], fresh[moved.index], strict=True)
            ]
            if values:
                statement = update(core(model)).where(table.connection == source, table.external_id == bindparam("at"))
                connection.execute(statement.values(reporting_minor=bindparam("minor")), values)
    return touched


def _foreign(connection: Connection, model: Any, day: str, reporting: str) -> Iterator[pd.DataFrame]:
    """Rows in other currencies, some thousand of one connection at a time, so that memory stays flat."""
    table = core(model).c
    names = ("connection", "external_id", "person_id", "amount_minor", "currency", "reporting_minor", day)
    here = (table.currency != reporting, table.amount_minor.is_not(None), table.removed_at.is_(None))
    for source in connection.scalars(select(table.connection).distinct()).all():
        last = ""
        while True:
            after = (*here, table.connection == source, table.external_id > last)
            query = select(*(table[n] for n in names)).where(*after).order_by(table.external_id).limit(CHUNK)
            rows = connection.execute(query).all()
            if not rows:
                break
            last = rows[-1].external_id
            yield typed(pd.DataFrame(rows, columns=list(names), dtype="object"), Frame(model, names))
