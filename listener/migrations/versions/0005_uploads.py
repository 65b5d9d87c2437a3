"""Charts and pages: what was uploaded for a message."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("delivery", sa.Column("files", sa.JSON(), nullable=False, server_default="{}"))
