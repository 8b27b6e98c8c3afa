"""The schema goes up, down and up again on both databases, and the models match it."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from models import Deal, Feedback
from models.base import core
from models.database import alembic_config, open_store, upgrade


def test_the_migration_passes_up_down_and_check(empty_url: str) -> None:
    engine = open_store(empty_url)
    upgrade(engine)
    with engine.connect() as connection:
        command.check(alembic_config(connection))
    with engine.connect() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    upgrade(engine)
    assert "deal" in inspect(engine).get_table_names()
    engine.dispose()


def test_upgrading_twice_changes_nothing(store: Engine) -> None:
    before = inspect(store).get_table_names()
    upgrade(store)
    assert inspect(store).get_table_names() == before


def test_an_error_text_never_shows_what_was_being_stored(store: Engine) -> None:
    row = {
        "connection": "x",
        "external_id": "1",
        "status": "nonsense",
        "name": "a secret customer",
        "stage": "",
        "pipeline": "",
    }
    with pytest.raises(IntegrityError) as caught, store.begin() as connection:
        connection.execute(core(Deal).insert(), [row])
    # PostgreSQL adds the failing row itself; what SQLAlchemy adds is what we can keep out.
    assert "a secret customer" not in str(caught.value).split("[SQL:")[-1]


def test_sqlite_keeps_no_hidden_order_of_feedback(lite: Engine) -> None:
    with lite.connect() as connection, pytest.raises(Exception, match="no such column: rowid"):
        connection.execute(text("SELECT rowid FROM feedback"))
    assert not {"author_id", "author", "created_at", "at"} & set(core(Feedback).c.keys())


def test_money_larger_than_32_bits_survives(store: Engine) -> None:
    row = {
        "connection": "x",
        "external_id": "1",
        "status": "won",
        "amount_minor": 9_999_999_999_99,
        "name": "",
        "stage": "",
        "pipeline": "",
    }
    with store.begin() as connection:
        connection.execute(core(Deal).insert(), [row])
        assert connection.scalar(core(Deal).select().with_only_columns(core(Deal).c.amount_minor)) == 9_999_999_999_99


def test_opening_a_store_makes_its_folder(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'new' / 'folder' / 'x.sqlite3'}")
    upgrade(engine)
    assert (tmp_path / "new" / "folder" / "x.sqlite3").exists()
    engine.dispose()
