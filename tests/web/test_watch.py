"""Readiness turns when the worker is silent or the store is gone; the metrics hold no person."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from models import MissedSlot
from models.base import core
from models.watch import Heartbeat
from tests.web.company import NOW
from tests.web.conftest import SignIn


@pytest.mark.parametrize(("silent", "status"), [(timedelta(minutes=1), 200), (timedelta(minutes=6), 503)])
def test_a_silent_worker_is_not_ready(company: Engine, browser: SignIn, silent: timedelta, status: int) -> None:
    with company.begin() as connection:
        connection.execute(core(Heartbeat).insert(), [{"name": "worker", "at": NOW - silent, "says": ""}])
    answer = browser().get("/ready")
    assert answer.status_code == status
    assert ("start: beyond-quota worker" in answer.text) == (status == 503)
    assert browser().get("/health").status_code == 200


def test_an_older_schema_is_not_ready(company: Engine, browser: SignIn) -> None:
    with company.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    answer: TestClient = browser()
    assert answer.get("/ready").json()["checks"][-1]["name"] == "schema"


def test_metrics_count_missed_slots_and_name_nobody(company: Engine, browser: SignIn) -> None:
    row = {"connection": "salesforce", "slot": "2026-11-20T02:00Z", "due_at": NOW, "counted_at": NOW, "reason": ""}
    with company.begin() as connection:
        connection.execute(core(MissedSlot).insert(), [row])
        names = [r[0] for r in connection.exec_driver_sql("SELECT name FROM person")]
    said = browser().get("/metrics").text
    assert 'beyond_quota_missed_slots_total{connection="salesforce"} 1.0' in said
    assert 'beyond_quota_fresh{connection="salesforce"} 1.0' in said
    assert not [name for name in names if name in said]
