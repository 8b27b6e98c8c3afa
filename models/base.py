"""What every table shares: constraint names, random ids, and short column helpers."""

import re
import secrets
from enum import StrEnum
from typing import Any

import sqlalchemy
from sqlalchemy import BigInteger, CheckConstraint, Connection, Integer, Text, UniqueConstraint
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
# Stable constraint names, so that a migration can drop on one database what it made on another.
SQLModel.metadata.naming_convention = NAMING


class Table(SQLModel):
    """A table is named like its noun: SyncRun is sync_run."""

    @declared_attr.directive
    def __tablename__(cls) -> str:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()


ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # no l, o, 0, 1: ids are read aloud in support calls


def new_id() -> str:
    """A random id of 16 signs: it tells nothing about order, and cannot be guessed from another one."""
    return "".join(secrets.choice(ALPHABET) for _ in range(16))


def id_field() -> Any:
    """Primary key of a row that people can see in an address."""
    return Field(default_factory=new_id, primary_key=True, max_length=16)


def serial_field() -> Any:
    """Running number of an append-only row; 64 bits, and SQLite's own row number where there is one."""
    return Field(default=None, primary_key=True, sa_type=BigInteger().with_variant(Integer, "sqlite"))


def money_field(**kwargs: Any) -> Any:
    """Integer minor units (cents); null means unknown. BigInteger because 32 bits end at 21 million in cents."""
    return Field(default=None, sa_type=BigInteger, nullable=True, **kwargs)


def text_field(default: str = "") -> Any:
    """Text of any length that a person wrote."""
    return Field(default=default, sa_type=Text)


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """The column holds one of the enum's words; the database refuses anything else.

    Not `IN (…)`: for a list of three or more SQLite builds a small tree in memory for every row that is written.
    """
    return CheckConstraint(" OR ".join(f"{column} = '{value}'" for value in values), name=column)


def natural_key() -> UniqueConstraint:
    """A row that came from a source is known by the source's own id; one written here has a random one of its own."""
    return UniqueConstraint("connection", "external_id")


def core(model: type[SQLModel]) -> sqlalchemy.Table:
    """The Core table of a model: bulk reads and writes go through it, not through objects."""
    table: sqlalchemy.Table = model.__table__  # type: ignore[attr-defined]
    return table


def insert_into(connection: Connection, table: sqlalchemy.Table) -> sqlite.Insert:
    """An insert that can say what happens when a row is there already, in the words of the database at hand."""
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement: sqlite.Insert = insert(table)  # PostgreSQL's has the same methods
    return statement
