"""A small company for the page tests: two teams under a director, their scorecards, and the sync's own books."""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import Connection, Engine

import models
from metrics.scorecard import Scorecard
from metrics.serial import dump
from models.base import core
from tests.web.cards import ana, others
from tests.web.growth import grow
from tests.web.people import BEFORE, NOW, PASSWORD, QUARTER, SECRET, TODAY, XSS, people

__all__ = ["NOW", "PASSWORD", "SECRET", "XSS", "ana", "fill", "others", "people"]


def keep(connection: Connection, scorecard: Scorecard) -> None:
    """Store a scorecard as a sync does."""
    row = {
        "person_id": scorecard.person_id,
        "period_id": scorecard.period_id,
        "as_of": scorecard.as_of,
        "profile": f"{scorecard.working_group} {scorecard.profile_version}",
        "computed_at": NOW,
        "body": dump(scorecard),
    }
    connection.execute(core(models.ScorecardSnapshot).insert(), [row])


def books(connection: Connection) -> None:
    """Connections, runs and a reject, with deals behind the totals."""
    connection.execute(
        core(models.Connection).insert(),
        [
            {
                "name": "salesforce",
                "kind": "salesforce",
                "title": "Salesforce (north)",
                "deal_link": "",
                "last_success_at": NOW - timedelta(hours=7),
                "last_success_run": "runone",
            },
            {
                "name": "hubspot",
                "kind": "hubspot",
                "title": "HubSpot (south)",
                "deal_link": "",
                "last_success_at": NOW - timedelta(hours=54),
                "last_success_run": None,
            },
        ],
    )
    connection.execute(
        core(models.Schedule).insert(),
        [
            {
                "connection": "salesforce",
                "at": "02:00",
                "weekdays": "mon,tue,wed,thu,fri,sat,sun",
                "time_zone": "Europe/London",
                "catch_up_hours": 6,
                "enabled": True,
            }
        ],
    )
    for run, name, status, hours, message in (
        ("runone", "salesforce", "success", 7, ""),
        (
            "runtwo",
            "hubspot",
            "failed",
            6,
            "HubSpot refused the sign-in (401). Make a new token in its settings and store it here.",
        ),
        ("runthree", "salesforce", "partial", 31, "3 of 212 deals were rejected."),
    ):
        begun = NOW - timedelta(hours=hours)
        connection.execute(
            core(models.SyncRun).insert(),
            [
                {
                    "id": run,
                    "connection": name,
                    "slot": f"hand:{run}",
                    "trigger": "schedule",
                    "status": status,
                    "started_at": begun,
                    "finished_at": begun + timedelta(seconds=83),
                    "calls": 14,
                    "message": message,
                }
            ],
        )
    for stream, read in (("deals", 212), ("quotas", 16), ("people", 12)):
        connection.execute(
            core(models.StreamRun).insert(),
            [
                {
                    "run_id": "runone",
                    "stream": stream,
                    "status": "success",
                    "read": read,
                    "created": 3,
                    "changed": 9,
                    "removed": 1,
                    "kept": read - 13,
                    "rejected": 1 if stream == "deals" else 0,
                    "calls": 4,
                    "seconds": 1.4,
                    "message": "",
                    "notes": [{"rule": "total", "message": "equal to the CRM's own total"}],
                }
            ],
        )
    connection.execute(
        core(models.Reject).insert(),
        [
            {
                "connection": "salesforce",
                "stream": "deals",
                "external_id": "006X9",
                "rule": "amount is a number",
                "field": "Amount",
                "raw_value": XSS,
                "message": "the amount is not a number",
                "fix": "Correct the amount in the CRM; the next sync takes the row over.",
                "status": "won",
                "amount_minor": 5_000_00,
                "currency": "EUR",
                "close_day": date(2026, 11, 2),
                "first_seen_at": NOW,
                "last_seen_at": NOW,
                "run_id": "runone",
            }
        ],
    )
    rows = [
        ("d1", "ana", "u1", 124_000_50),
        ("d2", "ben", "u2", 214_000_00),
        ("d3", None, "u9", 7_500_00),
        ("d4", None, None, 1_000_00),
        ("d5", "ana", "u1", 100_00),
    ]
    connection.execute(
        core(models.Deal).insert(),
        [
            {
                "connection": "salesforce",
                "external_id": k,
                "name": k,
                "pipeline": "",
                "stage": "Won",
                "status": "won",
                "owner_external_id": o,
                "person_id": p,
                "amount_minor": m,
                "currency": "EUR",
                "reporting_minor": m,
                "close_day": date(2026, 11, 3),
                "period_id": QUARTER,
            }
            for k, p, o, m in rows
        ],
    )
    connection.execute(
        core(models.DealSplit).insert(),
        [
            {
                "connection": "salesforce",
                "external_id": f"s{n}",
                "deal_external_id": "d5",
                "owner_external_id": o,
                "person_id": p,
                "share_ppm": 333_333,
                "overlay": False,
            }
            for n, (p, o) in enumerate((("ana", "u1"), ("finn", "u4")))
        ],
    )
    total = sum(m for _, _, _, m in rows) + 5_000_00
    connection.execute(
        core(models.SourceTotal).insert(),
        [
            {
                "connection": "salesforce",
                "first_day": date(2026, 10, 1),
                "end_day": date(2027, 1, 1),
                "status": "won",
                "currency": "EUR",
                "amount_minor": total,
                "deals": 6,
                "how": "SUM(Amount) by the CRM",
                "asked_at": NOW,
                "run_id": "runone",
            }
        ],
    )


def fill(engine: Engine) -> None:
    """The whole company."""
    with engine.begin() as connection:
        people(connection)
        grow(connection)
        books(connection)
        for scorecard in (ana(), *others()):
            keep(connection, scorecard)
        keep(connection, replace(ana(), as_of=TODAY - timedelta(days=1)))
        keep(connection, replace(ana(), period_id=BEFORE, period_label="Q3 2026", as_of=date(2026, 9, 30)))
