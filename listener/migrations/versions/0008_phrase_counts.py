"""In how many posts of a day each phrase was, so that a filter that fell silent is told."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "phrasecount",
        sa.Column("list", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("phrase", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("posts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("list", "phrase", "day"),
    )
    op.create_index(op.f("ix_phrasecount_day"), "phrasecount", ["day"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("phrasecount")
