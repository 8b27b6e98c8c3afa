"""Deals are written a quarter quicker: SQLite builds a tree in memory for every row when a check says IN (…).

The same check on tables of few rows stays as it was made.
"""

from alembic import op

revision = "0013"
down_revision = "0005"
branch_labels = None
depends_on = None

ALIKE = "status = 'open' OR status = 'won' OR status = 'lost'"
IN = "status IN ('open', 'won', 'lost')"


def _replace(check: str) -> None:
    with op.batch_alter_table("deal") as deal:  # SQLite changes a check only by writing the table anew
        deal.drop_constraint(op.f("ck_deal_status"), type_="check")
        deal.create_check_constraint(op.f("ck_deal_status"), check)


def upgrade() -> None:
    """One comparison after the other."""
    _replace(ALIKE)


def downgrade() -> None:
    """IN again."""
    _replace(IN)
