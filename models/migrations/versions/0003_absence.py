"""absence

Revision ID: 0003_absence
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0003_absence"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "absence",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("end_day", sa.Date(), nullable=False),
        sa.Column("relieved", sa.Boolean(), nullable=False),
        sa.Column("removed_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_absence_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
        sa.UniqueConstraint("connection", "external_id", name=op.f("uq_absence_connection_external_id")),
    )
    with op.batch_alter_table("absence") as batch_op:
        batch_op.create_index(batch_op.f("ix_absence_person_id"), ["person_id"], unique=False)

    op.create_index("ix_deal_split_person_id", "deal_split", ["person_id"])
    owners = sa.text("field = 'owner_external_id'")
    for table in ("deal_change", "deal_history", "deal_field_history"):
        name = f"ix_{table}_former_owner"
        op.create_index(name, table, ["old_value"], sqlite_where=owners, postgresql_where=owners)
    op.create_table(
        "profile_version",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.Date(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("applied_at", UTCDateTime(), nullable=False),
        sa.Column("applied_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", "version", name=op.f("pk_profile_version")),
    )
    with op.batch_alter_table("scorecard_snapshot") as batch_op:
        batch_op.add_column(sa.Column("inputs", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    for table in ("deal_change", "deal_history", "deal_field_history"):
        op.drop_index(f"ix_{table}_former_owner", table)
    op.drop_index("ix_deal_split_person_id", "deal_split")
    with op.batch_alter_table("scorecard_snapshot") as batch_op:
        batch_op.drop_column("inputs")
    op.drop_table("profile_version")
    op.drop_table("absence")
