"""Finding a person by what people call them, and making sign-ins."""

import os
from pathlib import Path

import typer
from sqlalchemy import Engine, or_, select

from beyond_quota.wiring import Installation
from models import Person
from models.access import Role
from models.base import core
from models.errors import UserError


def find_person(engine: Engine, word: str) -> str:
    """The id of the one person with this name, e-mail or employee id (part of a name will do if only one has it)."""
    table = core(Person).c
    with engine.connect() as connection:
        exact = or_(table.employee_id == word, table.email == word, table.name == word, table.id == word)
        rows = connection.execute(select(table.id, table.name).where(exact)).all()
        if not rows:
            rows = connection.execute(select(table.id, table.name).where(table.name.ilike(f"%{word}%"))).all()
    if len(rows) == 1:
        return str(rows[0].id)
    if not rows:
        raise UserError(f"nobody here is called {word!r}; a name, an e-mail or an employee id finds a person")
    raise UserError(f"{word!r} could be {', '.join(sorted(r.name for r in rows)[:8])}; write more of it")


def make_account(config: Path, email: str, role: str, person: str | None) -> None:
    """Store a sign-in; the password never stands on the command line, where others could read it."""
    from web.session import create_account

    if role not in set(Role):
        raise UserError(f"there is no role {role!r}; use one of {', '.join(Role)}")
    here = Installation.open(config)
    person_id = find_person(here.engine, person) if person else None
    password = os.environ.get("BEYOND_QUOTA_PASSWORD") or typer.prompt(
        "Password (12 signs or more)", hide_input=True, confirmation_prompt=True
    )
    if len(password) < 12:
        raise UserError("that password is too short; take 12 signs or more")
    with here.engine.begin() as connection:
        create_account(connection, email, password, role, person_id)
    typer.echo(f"{email} can sign in as {role}")
