"""fewer indexes: nothing looks deals up by their owner's id in the CRM

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_deal_owner_external_id", "deal")


def downgrade() -> None:
    op.create_index("ix_deal_owner_external_id", "deal", ["owner_external_id"])
