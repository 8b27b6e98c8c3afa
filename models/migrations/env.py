"""Alembic's entry: migrates the connection it is handed, in one transaction, the same way on both databases."""

import sqlmodel
from alembic import context

import models  # noqa: F401  (registers every table)

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=sqlmodel.SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
    user_module_prefix="sqlmodel.sql.sqltypes.",
)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
