"""growth: objectives worked on here, check-ins with notes and actions, obstacles resolved, dossiers

Revision ID: 0007
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0007"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dossier",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("periods", sa.JSON(), nullable=False),
        sa.Column("objectives", sa.JSON(), nullable=False),
        sa.Column("feedback", sa.JSON(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("changed_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_dossier_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_dossier")),
    )
    op.create_table(
        "ready_consent",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_ready_consent_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ready_consent")),
    )
    op.create_index(op.f("ix_ready_consent_person_id"), "ready_consent", ["person_id"])

    op.create_table(
        "check_in_action",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("check_in_id", sa.String(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.CheckConstraint("owner IN ('rep', 'manager')", name=op.f("ck_check_in_action_owner")),
        sa.ForeignKeyConstraint(["check_in_id"], ["check_in.id"], name=op.f("fk_check_in_action_check_in_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in_action")),
    )
    op.create_index(op.f("ix_check_in_action_check_in_id"), "check_in_action", ["check_in_id"])

    op.create_table(
        "check_in_change",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("check_in_id", sa.String(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("old_day", sa.Date(), nullable=True),
        sa.Column("new_day", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["check_in_id"], ["check_in.id"], name=op.f("fk_check_in_change_check_in_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in_change")),
    )
    op.create_index(op.f("ix_check_in_change_check_in_id"), "check_in_change", ["check_in_id"])

    op.create_table(
        "check_in_note",
        sa.Column("check_in_id", sa.String(), nullable=False),
        sa.Column("author_id", sa.String(), nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("by_next_time", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_check_in_note_author_id")),
        sa.ForeignKeyConstraint(["check_in_id"], ["check_in.id"], name=op.f("fk_check_in_note_check_in_id")),
        sa.PrimaryKeyConstraint("check_in_id", "author_id", name=op.f("pk_check_in_note")),
    )
    op.create_index(op.f("ix_check_in_note_author_id"), "check_in_note", ["author_id"])

    op.create_table(
        "private_note",
        sa.Column("check_in_id", sa.String(), nullable=False),
        sa.Column("author_id", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_private_note_author_id")),
        sa.ForeignKeyConstraint(["check_in_id"], ["check_in.id"], name=op.f("fk_private_note_check_in_id")),
        sa.PrimaryKeyConstraint("check_in_id", "author_id", name=op.f("pk_private_note")),
    )
    op.create_index(op.f("ix_private_note_author_id"), "private_note", ["author_id"])

    with op.batch_alter_table("check_in") as batch_op:
        batch_op.add_column(sa.Column("with_name", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("asked_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("planned_at", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("minutes", sa.Integer(), nullable=False, server_default="30"))
        batch_op.add_column(sa.Column("written_here", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_index(batch_op.f("ix_check_in_with_person_id"), ["with_person_id"], unique=False)

    with op.batch_alter_table("key_result") as batch_op:
        batch_op.add_column(sa.Column("step", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("written_here", sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table("learning_item") as batch_op:
        batch_op.add_column(sa.Column("objective_id", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("link", sa.String(), nullable=False, server_default=""))
        batch_op.create_index(batch_op.f("ix_learning_item_objective_id"), ["objective_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_learning_item_objective_id"), "objective", ["objective_id"], ["id"])

    with op.batch_alter_table("objective") as batch_op:
        batch_op.add_column(sa.Column("who", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("next_contact", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("percent", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("levels", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("level", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("written_here", sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table("objective_update") as batch_op:
        batch_op.add_column(sa.Column("about", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("link", sa.String(), nullable=False, server_default=""))

    with op.batch_alter_table("obstacle") as batch_op:
        batch_op.add_column(sa.Column("effect", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("resolved_by", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("written_here", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("obstacle") as batch_op:
        batch_op.drop_column("written_here")
        batch_op.drop_column("shared")
        batch_op.drop_column("resolved_by")
        batch_op.drop_column("effect")

    with op.batch_alter_table("objective_update") as batch_op:
        batch_op.drop_column("link")
        batch_op.drop_column("about")

    with op.batch_alter_table("objective") as batch_op:
        batch_op.drop_column("written_here")
        batch_op.drop_column("level")
        batch_op.drop_column("levels")
        batch_op.drop_column("percent")
        batch_op.drop_column("next_contact")
        batch_op.drop_column("who")

    with op.batch_alter_table("learning_item") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_learning_item_objective_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_learning_item_objective_id"))
        batch_op.drop_column("link")
        batch_op.drop_column("objective_id")

    with op.batch_alter_table("key_result") as batch_op:
        batch_op.drop_column("written_here")
        batch_op.drop_column("position")
        batch_op.drop_column("step")

    with op.batch_alter_table("check_in") as batch_op:
        batch_op.drop_index(batch_op.f("ix_check_in_with_person_id"))
        batch_op.drop_column("written_here")
        batch_op.drop_column("minutes")
        batch_op.drop_column("planned_at")
        batch_op.drop_column("asked_on")
        batch_op.drop_column("with_name")

    op.drop_table("private_note")
    op.drop_table("check_in_note")
    op.drop_table("check_in_change")
    op.drop_table("check_in_action")
    op.drop_table("ready_consent")
    op.drop_table("dossier")
