"""Reads the records of a range of days anew, whatever the cursor says."""

from collections.abc import Callable
from datetime import date, datetime

import pandas as pd
from sqlalchemy import Engine

from connectors.base import Connector, Part
from models.base import new_id
from models.errors import UserError
from sync import calendar, counts
from sync.plan import Plan
from sync.report import RunReport, StreamReport
from sync.rules import Rules
from sync.run import open_run, part_of, prove, recorded
from sync.stream import Run, read_part


def backfill(
    engine: Engine,
    source: str,
    connector: Connector,
    rules: Rules,
    first: date,
    end: date,
    *,
    clock: Callable[[], datetime],
    allow_removals: int = 0,
    progress: Callable[[StreamReport], None] = lambda report: None,
    watch: Callable[[str, Plan, pd.DataFrame], None] = lambda stream, todo, stored: None,
) -> RunReport:
    """Read deals that close in [first, end), and quotas that begin in it where a source can tell, and prove totals.

    What is stored of those days and does not come any more is gone. No cursor moves: the next sync goes on from
    where it was.
    """
    run = Run(engine, source, connector, rules, clock, RunReport(new_id(), source), (), allow_removals, watch=watch)
    open_run(run, None, "backfill")
    with recorded(run, proves=False):
        known = [s for s in connector.streams() if s.countable and s.name in counts.DAYS]
        if not known:
            raise UserError(f"{source} is read whole each time, so there is nothing to fill in; run: beyond-quota sync "
                            f"{source} --full")  # fmt: skip
        with engine.begin() as connection:
            days = pd.Series(pd.date_range(first, end, freq="D", inclusive="left"))
            periods = calendar.ensure_periods(connection, rules.calendar, days)
        quarters = [p for p in periods if p.kind == "quarter" and p.first_day < end and p.end_day > first]
        run.spans |= {(p.first_day, p.end_day) for p in quarters}
        for stream in known:
            with part_of(run, stream.name, progress) as report:
                with engine.connect() as connection:
                    stored = counts.ids_within(connection, source, stream.name, (first, end))
                read_part(run, stream.name, Part(first, end, 0), stored, report)
        prove(run)
    return run.report
