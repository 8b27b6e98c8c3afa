"""Stored rows as pandas frames: declared columns, read in bulk, typed the same from both databases.

Days and instants (in UTC) are `datetime64[s]`, whole numbers `Int64` (nullable), booleans `boolean`, everything else
`str` or text.
Feedback has no author to read: only a signature where its author chose one.
"""

from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import pandas as pd
from sqlalchemy import Engine, Select, select
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

import models
from models.base import core


@dataclass(frozen=True)
class Frame:
    """Which columns of which table a frame holds."""

    table: type[SQLModel]
    columns: tuple[str, ...]


# fmt: off
FRAMES: dict[str, Frame] = {
    "people": Frame(models.Person, ("id", "employee_id", "name", "email", "title")),
    "employments": Frame(models.Employment, ("person_id", "hired_on", "left_on")),
    "teams": Frame(models.Team, ("id", "name", "parent_id")),
    "memberships": Frame(models.TeamMembership, ("person_id", "team_id", "from_day", "to_day")),
    "lines": Frame(models.ReportingLine, ("person_id", "manager_id", "from_day", "to_day")),
    "groups": Frame(models.WorkingGroupMembership, ("person_id", "working_group", "from_day", "to_day")),
    "identities": Frame(models.Identity, ("connection", "external_id", "name", "person_id", "state", "active")),
    "crms": Frame(models.Connection, ("name",)),
    "deals": Frame(
        models.Deal,
        (
            "connection",
            "external_id",
            "name",
            "account",
            "product",
            "pipeline",
            "stage",
            "status",
            "forecast_category",
            "probability_bp",
            "owner_external_id",
            "person_id",
            "amount_minor",
            "currency",
            "reporting_minor",
            "close_day",
            "period_id",
            "created_day",
        ),
    ),
    "stages": Frame(
        models.Stage, ("connection", "external_id", "pipeline", "name", "position", "status", "probability_bp")
    ),
    "changes": Frame(
        models.DealChange, ("id", "connection", "external_id", "field", "old_value", "new_value", "seen_at")
    ),
    "history": Frame(
        models.DealHistory, ("connection", "deal_external_id", "field", "old_value", "new_value", "changed_at")
    ),
    "field_history": Frame(
        models.DealFieldHistory, ("connection", "deal_external_id", "field", "old_value", "new_value", "changed_at")
    ),
    "runs": Frame(models.SyncRun, ("connection", "started_at", "status")),
    "cursors": Frame(models.StreamCursor, ("connection", "stream")),
    "activities": Frame(models.ActivityCount, ("connection", "person_id", "kind", "first_day", "end_day", "number")),
    "absences": Frame(models.Absence, ("person_id", "first_day", "end_day", "relieved")),
    "splits": Frame(
        models.DealSplit,
        ("connection", "external_id", "deal_external_id", "owner_external_id", "person_id", "share_ppm", "overlay"),
    ),
    "quotas": Frame(
        models.Quota,
        (
            "connection",
            "external_id",
            "owner_external_id",
            "person_id",
            "team_external_id",
            "first_day",
            "end_day",
            "amount_minor",
            "currency",
            "reporting_minor",
            "reason",
        ),
    ),
    "objectives": Frame(
        models.Objective,
        (
            "id",
            "person_id",
            "title",
            "kind",
            "why_it_matters",
            "serves",
            "starts_on",
            "due_on",
            "status",
            "shared",
            "weight",
            "updated_on",
            "who",
            "next_contact",
            "percent",
            "level",
        ),
    ),
    "key_results": Frame(
        models.KeyResult,
        ("id", "objective_id", "title", "baseline", "target", "current", "weight", "measured_on", "step", "position"),
    ),
    "updates": Frame(models.ObjectiveUpdate, ("id", "objective_id", "day", "field")),
    "check_ins": Frame(
        models.CheckIn,
        (
            *("id", "person_id", "with_person_id", "with_name", "asked_by", "asked_on", "status"),
            *("planned_on", "held_on", "topic"),
        ),
    ),
    "feedback": Frame(
        models.Feedback,
        ("id", "person_id", "batch", "asked", "what_happened", "effect", "suggestion", "signed_by"),
    ),
    "feedback_requests": Frame(
        models.FeedbackRequest, ("id", "person_id", "about", "asked_on", "asked_of", "answered")
    ),
    "obstacles": Frame(
        models.Obstacle,
        (
            *("id", "person_id", "kind", "what", "effect", "who_can_remove", "opened_on", "resolved_on"),
            *("resolved_by", "shared"),
        ),
    ),
    "relationships": Frame(models.Relationship, ("id", "person_id", "who", "why", "next_contact")),
    "learning": Frame(
        models.LearningItem,
        ("id", "person_id", "title", "due_on", "done_on", "status", "objective_id", "link"),
    ),
}
# fmt: on


def load(engine: Engine, name: str, *conditions: Any) -> pd.DataFrame:
    """Read one declared frame; rows gone from their source (`removed_at`) are left out.

    `conditions` are SQLAlchemy expressions over the frame's table, such as `Deal.person_id.in_([...])`.
    """
    frame = FRAMES[name]
    columns = core(frame.table).columns
    query = select(*(columns[c] for c in frame.columns))
    if "removed_at" in columns:
        query = query.where(columns["removed_at"].is_(None))
    if conditions:
        query = query.where(*conditions)
    found = read(engine, query)
    return typed(found, frame) if len(found) else empty(name)


def read(engine: Engine, query: Select[Any]) -> pd.DataFrame:
    """Run a query into columns: through ADBC on PostgreSQL, through the store's own connection on SQLite.

    Never through ADBC on SQLite: its driver brings a second copy of the SQLite library, and two copies in one process
    undo each other's file locks (docs/adr/0006).
    """
    text = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            found = connection.exec_driver_sql(text)
            names = list(found.keys())
            columns = list(zip(*(tuple(row) for row in found.fetchall()), strict=True)) or [()] * len(names)
        return pd.DataFrame({n: pd.Series(c, dtype="object") for n, c in zip(names, columns, strict=True)})
    from adbc_driver_postgresql import dbapi as postgres

    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with postgres.connect(address) as opened:
        return pd.read_sql(text, opened, dtype_backend="pyarrow")


def typed(raw: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """The same types from both databases: SQLite hands out days as text and booleans as 0 and 1."""
    columns = core(frame.table).columns
    out: dict[str, Any] = {}
    for name in frame.columns:
        kind = columns[name].type.python_type
        series = raw[name]
        if kind is date or isinstance(columns[name].type, UTCDateTime):
            moments = pd.to_datetime(series.astype("str"), errors="coerce", utc=True, format="ISO8601")
            out[name] = moments.dt.tz_localize(None).astype("datetime64[s]")
        elif kind is bool:
            out[name] = series.astype("Int64").astype("boolean")
        elif kind is int:
            out[name] = series.astype("Int64")
        else:
            out[name] = series.astype("str")
    return pd.DataFrame(out, columns=list(frame.columns))


@cache
def empty(name: str) -> pd.DataFrame:
    """A frame with its columns and types but no rows."""
    frame = FRAMES[name]
    return typed(pd.DataFrame({c: pd.Series([], dtype="str") for c in frame.columns}), frame)


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a frame one by one, with their columns as attributes; for lists that people read, not for sums."""
    make = namedtuple("Row", list(frame.columns))  # type: ignore[misc]
    return (make(*row) for row in values(frame, *frame.columns))


def values(frame: pd.DataFrame, *names: str) -> Iterator[tuple[Any, ...]]:
    """Some columns of a frame, row by row; as lists first, because text columns are slow to walk through one by one."""
    return zip(*(frame[name].tolist() for name in names), strict=True)
