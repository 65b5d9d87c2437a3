"""What posts were read with, so that a report can tell what was changed."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "readwith",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pipeline_version", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("since", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_readwith_pipeline_version"), "readwith", ["pipeline_version"])
    op.create_index(op.f("ix_readwith_since"), "readwith", ["since"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("readwith")
