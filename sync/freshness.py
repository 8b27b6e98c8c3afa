"""How old each source's figures are, in a state and one sentence."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from metrics.scorecard import Source
from models import Connection as ConnectionRow
from models import SyncRun
from models.base import core
from models.ledger import RunStatus
from models.ledger import Schedule as Plan
from models.slots import freshness, stored_schedules


def sources(connection: Connection, now: datetime, zone: ZoneInfo) -> list[Source]:
    """One line per connection: fresh, late or stale, with when its figures are from."""
    runs, found, plans = core(SyncRun), [], stored_schedules(connection)
    for row in connection.execute(select(core(ConnectionRow)).order_by(core(ConnectionRow).c.name)):
        query = select(runs.c.status, runs.c.message).where(runs.c.connection == row.name)
        last = connection.execute(query.order_by(runs.c.started_at.desc()).limit(1)).first()
        state, sentence = _state(row.title or row.name, row.last_success_at, plans.get(row.name), now, zone)
        if last is not None and last.status == RunStatus.FAILED:
            sentence += "; the last sync failed, so these are the last good ones"
        found.append(Source(row.name, row.title or row.name, state, row.last_success_at, sentence))
    return found


def _state(title: str, last: datetime | None, plan: Plan | None, now: datetime, zone: ZoneInfo) -> tuple[str, str]:
    if last is None:
        return "stale", f"{title}: no figures yet"
    local, today = last.astimezone(zone), now.astimezone(zone).date()
    when = f"{local:%H:%M} today" if local.date() == today else f"{local:%A %-d %B, %H:%M}"
    state = freshness(last, plan, now)
    return state, f"{title}: as of {when}" if state == "fresh" else f"{title}: no newer figures since {when}"
