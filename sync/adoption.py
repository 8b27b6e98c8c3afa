"""Puts the fiscal calendar that the settings ask for in force, while no sync is running."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime

from sqlalchemy import Engine, select

from models import Connection as ConnectionRow
from models import Deal, Period
from models.base import core
from models.period import FiscalCalendar, in_force
from sync import calendar, lease
from sync.stream import keep_unproven, lease_of


def adopt(engine: Engine, wanted: FiscalCalendar, clock: Callable[[], datetime], by: str) -> calendar.Change:
    """Put a calendar in force in one transaction; Locked while a sync runs, which would still follow the old one.

    The next run of each connection asks the source anew for its totals of every quarter that has deals.
    """
    with ExitStack() as leases:
        with engine.connect() as connection:
            names = sorted(connection.scalars(select(core(ConnectionRow).c.name)))
        holds = [
            leases.enter_context(lease.held(engine, name, clock))
            for source in names
            for name in (lease_of(source), f"{lease_of(source)}:deals")
        ]
        with engine.begin() as connection:
            for hold in holds:
                hold.renew(connection, clock())
            change = calendar.replace(connection, wanted, clock(), by)
            deal, period = core(Deal).c, core(Period).c
            for source in names if change else []:
                here = select(deal.external_id).where(
                    deal.connection == source, deal.period_id == period.id, deal.removed_at.is_(None)
                )
                query = select(period.first_day, period.end_day).where(
                    in_force(), period.kind == "quarter", here.exists()
                )
                spans = {(row.first_day, row.end_day) for row in connection.execute(query)}
                keep_unproven(connection, source, spans, set())
    return change
