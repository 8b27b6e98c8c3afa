"""fiscal: calendars that were put in force, periods that another calendar took the place of

Revision ID: 0011
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0011"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_version",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("adopted_at", UTCDateTime(), nullable=True),
        sa.Column("adopted_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_calendar_version")),
    )
    with op.batch_alter_table("period") as batch_op:
        batch_op.add_column(sa.Column("retired_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("period") as batch_op:
        batch_op.drop_column("retired_at")
    op.drop_table("calendar_version")
