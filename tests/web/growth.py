"""What people of the company work on: a shared objective, a planned check-in, an obstacle, and secrets beside them."""

from datetime import date
from typing import Any

from sqlalchemy import Connection

import models
from models.base import core

MINE = "Only I may ever read that my knees shake"
THEIRS = "Mo alone may read that Ana looked tired"


def put(connection: Connection, model: Any, *rows: dict[str, Any]) -> None:
    """Rows with only what matters said; the rest is the model's own default."""
    for row in rows:
        full = {k: v for k, v in model(**row).model_dump().items() if k in core(model).c}
        connection.execute(core(model).insert(), [full])


def grow(connection: Connection) -> None:
    """Ana's objective, check-in and obstacle."""
    put(
        connection,
        models.Objective,
        {"id": "objone", "person_id": "ana", "title": "Hold the price", "shared": True, "due_on": date(2026, 12, 18),
         "why_it_matters": "I want to stop giving away margin.", "starts_on": date(2026, 10, 1)},
    )  # fmt: skip
    put(
        connection,
        models.KeyResult,
        {"id": "stepone", "objective_id": "objone", "title": "Write my opening", "baseline": "0", "target": "1",
         "current": "1", "step": True},
        {"id": "steptwo", "objective_id": "objone", "title": "Lead one", "baseline": "0", "target": "1",
         "current": "0", "step": True, "position": 1},
        {"id": "keyone", "objective_id": "objone", "title": "Discount in percent", "baseline": "12", "target": "4",
         "current": "10", "position": 2},
    )  # fmt: skip
    put(
        connection,
        models.CheckIn,
        {"id": "talkone", "person_id": "ana", "with_person_id": "mo", "asked_by": "rep", "status": "planned",
         "planned_on": date(2026, 11, 27), "topic": "The Cedar Labs blockade"},
    )  # fmt: skip
    put(
        connection,
        models.PrivateNote,
        {"check_in_id": "talkone", "author_id": "ana", "words": MINE},
        {"check_in_id": "talkone", "author_id": "mo", "words": THEIRS},
    )
    put(
        connection,
        models.Obstacle,
        {"id": "wallone", "person_id": "ana", "kind": "pricing", "what": "Quotes wait four days",
         "opened_on": date(2026, 10, 12), "who_can_remove": "Finance"},
    )  # fmt: skip
