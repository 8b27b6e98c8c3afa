"""For machines that watch: alive, ready, and the figures that Prometheus collects. No names of people, no amounts."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from models import Connection as ConnectionRow
from models import Reject, StreamRun, SyncRun
from models.base import core
from models.database import is_current
from models.slots import freshness, stored_schedules
from models.watch import last_seen, missed, silent
from web.site import site_of

router = APIRouter()


@dataclass(frozen=True)
class Check:
    """One thing that has to be so before people should be sent here."""

    name: str
    ok: bool
    sentence: str


@router.get("/health")
def health() -> PlainTextResponse:
    """For a load balancer: the process answers."""
    return PlainTextResponse("ok\n")


@router.get("/ready")
def ready(request: Request) -> JSONResponse:
    """Whether the store answers, has the right schema, and a worker is at work; 503 when one is not so."""
    site = site_of(request)
    found = list(checks(site.engine, site.now()))
    good = all(check.ok for check in found)
    return JSONResponse({"ready": good, "checks": [asdict(c) for c in found]}, 200 if good else 503)


def checks(engine: Engine, now: datetime) -> Iterator[Check]:
    """The checks of readiness, in their order; what cannot be asked is not ready."""
    try:
        current = is_current(engine)
        yield Check("store", ok=True, sentence="the store answers")
        if not current:
            yield Check("schema", ok=False, sentence="the store has another version's schema; run: beyond-quota status")
            return
        yield Check("schema", ok=True, sentence="the schema is this version's")
        with engine.connect() as connection:
            yield _worker(connection, now)
    except SQLAlchemyError as error:
        yield Check("store", ok=False, sentence=f"the store does not answer ({type(error).__name__})")


def _worker(connection: Connection, now: datetime) -> Check:
    if not any(s.enabled for s in stored_schedules(connection).values()):
        return Check("worker", ok=True, sentence="nothing is scheduled, so no worker is needed")
    last = last_seen(connection)
    if last is None:
        return Check("worker", ok=False, sentence="no worker was ever at work; start: beyond-quota worker")
    said = f"the worker last gave a sign of life at {last:%Y-%m-%d %H:%M} UTC"
    if silent(last, now):
        return Check("worker", ok=False, sentence=f"{said}; start: beyond-quota worker")
    return Check("worker", ok=True, sentence=said)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Runs, rows, rejects, ages and missed slots, for Prometheus."""
    site = site_of(request)
    registry = CollectorRegistry()
    with site.engine.connect() as connection:
        found = list(_families(connection, site.now()))
    registry.register(_Found(found))
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")


@dataclass(frozen=True, eq=False)
class _Found:
    """What a registry asks for its figures."""

    families: list[Metric]

    def collect(self) -> list[Metric]:
        return self.families


def _families(connection: Connection, now: datetime) -> Iterator[Metric]:
    runs, streams, rejects = core(SyncRun).c, core(StreamRun).c, core(Reject).c
    family = CounterMetricFamily("beyond_quota_runs", "Runs by how they ended", labels=["connection", "status"])
    for row in connection.execute(select(runs.connection, runs.status, func.count()).group_by("connection", "status")):
        family.add_metric([row[0], row[1]], int(row[2]))
    yield family
    calls = CounterMetricFamily("beyond_quota_api_calls", "Calls to the source", labels=["connection"])
    for row in connection.execute(select(runs.connection, func.sum(runs.calls)).group_by(runs.connection)):
        calls.add_metric([row[0]], int(row[1] or 0))
    yield calls
    rows = CounterMetricFamily("beyond_quota_rows", "Rows by what became of them", labels=["connection", "outcome"])
    kinds = ("read", "created", "changed", "removed", "rejected")
    query = select(runs.connection, *(func.sum(streams[k]) for k in kinds)).select_from(core(StreamRun))
    for row in connection.execute(query.join(core(SyncRun), runs.id == streams.run_id).group_by(runs.connection)):
        for kind, number in zip(kinds, row[1:], strict=True):
            rows.add_metric([row[0], kind], int(number or 0))
    yield rows
    waiting = GaugeMetricFamily("beyond_quota_rejects_waiting", "Rejected rows that wait", labels=["connection"])
    for row in connection.execute(select(rejects.connection, func.count()).group_by(rejects.connection)):
        waiting.add_metric([row[0]], int(row[1] or 0))
    yield waiting
    lost = CounterMetricFamily("beyond_quota_missed_slots", "Scheduled runs that never ran", labels=["connection"])
    for name, number in missed(connection).items():
        lost.add_metric([name], number)
    yield lost
    age = GaugeMetricFamily("beyond_quota_age_seconds", "Age of the last good run", labels=["connection"])
    fresh = GaugeMetricFamily("beyond_quota_fresh", "1 when fresh, else 0", labels=["connection"])
    plans = stored_schedules(connection)
    for row in connection.execute(select(core(ConnectionRow))):
        if row.last_success_at is not None:
            age.add_metric([row.name], (now - row.last_success_at).total_seconds())
        fresh.add_metric([row.name], int(freshness(row.last_success_at, plans.get(row.name), now) == "fresh"))
    yield age
    yield fresh
    last = last_seen(connection)
    sign = GaugeMetricFamily("beyond_quota_worker_silent_seconds", "Since the worker's last sign of life")
    if last is not None:
        sign.add_metric([], (now - last).total_seconds())
    yield sign
