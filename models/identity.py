"""Who a CRM user is: the link from an outside system's user to one of our people."""

from enum import StrEnum

from sqlmodel import Field

from models.base import Table, one_of


class IdentityState(StrEnum):
    """How sure we are; money of anything but `matched` is shown on its own line, never dropped."""

    MATCHED = "matched"
    SUGGESTED = "suggested"
    UNMATCHED = "unmatched"
    IGNORED = "ignored"


class Identity(Table, table=True):
    """One user, owner or row label of an outside system, and the person it stands for when that is known."""

    __table_args__ = (one_of("state", IdentityState),)

    connection: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    name: str = ""
    email: str | None = None
    employee_id: str | None = None
    federation_id: str | None = None  # what single sign-on knows them by
    title: str = ""
    active: bool = True
    manager_external_id: str | None = None
    role_external_id: str | None = None
    person_id: str | None = Field(default=None, foreign_key="person.id", index=True)
    state: str = IdentityState.UNMATCHED
    matched_by: str = ""  # employee id, e-mail, created, hand
