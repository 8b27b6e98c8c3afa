"""The sync's own books: connections, runs, cursors, rejects, leases and schedules."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field

from models.base import Table, id_field, money_field, one_of, text_field


class RunStatus(StrEnum):
    """`success` needs positive proof; `partial` says what is missing; a `failed` run keeps the last good values."""

    RUNNING = "running"
    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    STALE = "stale"


class Connection(Table, table=True):
    """An outside system as the installation names it, and what a link into it looks like."""

    name: str = Field(primary_key=True)
    kind: str
    title: str = ""
    deal_link: str = ""  # with {id} where the record's id goes; empty when there is nothing to open
    time_zone: str | None = None
    currency: str | None = None
    last_success_at: datetime | None = None
    last_success_run: str | None = None


class SyncRun(Table, table=True):
    """One run of one connection. (connection, slot) is unique: two schedulers cannot both run a slot."""

    __table_args__ = (UniqueConstraint("connection", "slot"), one_of("status", RunStatus))

    id: str = id_field()
    connection: str = Field(index=True)
    slot: str  # "2026-11-24T02:00Z" for a scheduled run, "hand:<id>" for one started by hand
    trigger: str = "hand"  # hand, schedule, catch-up
    status: str = RunStatus.RUNNING
    started_at: datetime
    finished_at: datetime | None = None
    calls: int = 0
    message: str = text_field()


class StreamRun(Table, table=True):
    """What one run did with one stream: rows read, created, changed, removed, kept, rejected."""

    __table_args__ = (one_of("status", RunStatus),)

    run_id: str = Field(primary_key=True, foreign_key="sync_run.id")
    stream: str = Field(primary_key=True)
    status: str = RunStatus.RUNNING
    read: int = 0
    created: int = 0
    changed: int = 0
    removed: int = 0
    kept: int = 0
    rejected: int = 0
    calls: int = 0
    seconds: float = 0.0
    message: str = text_field()
    notes: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)


class StreamCursor(Table, table=True):
    """Where a stream stopped. Written in the same transaction as the rows it stands for."""

    connection: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    cursor: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    checks: dict[str, str] = Field(default_factory=dict, sa_type=JSON)  # how lost rows are looked for, and when last
    run_id: str = ""
    updated_at: datetime


class Publication(Table, table=True):
    """A scorecard's figures as they were last written to a CRM; an error is kept until the row goes in."""

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)  # the key in the CRM: person and period
    person_id: str = Field(index=True)
    period_id: str
    written: str = text_field()  # the figures that the CRM has, as JSON; empty while it has none
    error: str = text_field()
    tries: int = 0
    written_at: datetime | None = None
    tried_at: datetime


class Reject(Table, table=True):
    """A source row that could not be taken over: which row, which rule, the raw value, and how to fix it.

    Money that could be read is kept, so that totals still equal the source's own.
    """

    connection: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    rule: str
    field: str = ""
    raw_value: str = text_field()
    message: str = text_field()
    fix: str = text_field()
    status: str | None = None  # won, open, lost, where the row tells
    amount_minor: int | None = money_field()
    currency: str | None = None
    close_day: date | None = None
    first_seen_at: datetime
    last_seen_at: datetime
    run_id: str = ""


class SourceTotal(Table, table=True):
    """The source's own total, asked of it or added up from its raw rows, before anything of ours touched them."""

    connection: str = Field(primary_key=True)
    first_day: date = Field(primary_key=True)
    end_day: date = Field(primary_key=True)
    status: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    amount_minor: int | None = money_field()
    deals: int = 0
    how: str = ""  # "SUM(Amount) by the CRM", "added up from 212 search results", "added up from the file"
    asked_at: datetime
    run_id: str = ""


class Lease(Table, table=True):
    """Who may do a thing that only one may do; `fence` grows with every new holder."""

    name: str = Field(primary_key=True)
    holder: str = ""
    fence: int = 0
    expires_at: datetime


class Schedule(Table, table=True):
    """When a connection syncs: a local time of day, on which weekdays, and how late it may catch up."""

    connection: str = Field(primary_key=True)
    at: str = "02:00"
    weekdays: str = "mon,tue,wed,thu,fri,sat,sun"
    time_zone: str = "UTC"
    catch_up_hours: int = 6
    enabled: bool = True
    set_by: str = "settings"  # or ops: then the settings file no longer changes it
    counted_until: datetime | None = None  # slots up to here have run, or are counted as missed
    problem: str = text_field()  # why the slot that is due cannot start, while that is so
