"""Accounts, sessions and the audit log."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field

from models.base import Table, id_field, one_of, serial_field


class Role(StrEnum):
    """What an account is for. Reports are found from reporting lines, not from the role."""

    REP = "rep"
    MANAGER = "manager"
    DIRECTOR = "director"
    HR = "hr"
    OPS = "ops"
    ADMIN = "admin"


class Account(Table, table=True):
    """A local sign-in; the password is kept only as an argon2id hash."""

    __table_args__ = (one_of("role", Role),)

    id: str = id_field()
    email: str = Field(unique=True)
    role: str = Role.REP
    person_id: str | None = Field(default=None, foreign_key="person.id")
    password_hash: str
    disabled: bool = False


class Session(Table, table=True):
    """A signed-in browser. Only a digest of its token is kept, and it can be revoked."""

    token_digest: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", index=True)
    csrf: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


class AuditEvent(Table, table=True):
    """Who did or read what, when. Append-only; the person concerned can read it."""

    id: int | None = serial_field()
    at: datetime
    account_id: str | None = Field(default=None, index=True)
    actor: str = ""  # "director", "ops", "worker": the role or process, for people without an account
    action: str
    subject_person_id: str | None = Field(default=None, index=True)
    subject: str = ""
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
