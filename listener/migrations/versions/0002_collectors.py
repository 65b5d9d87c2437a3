"""What the collectors need: own replies, spend, alarms, one service at a time, stories, deletions."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_text = sqlmodel.sql.sqltypes.AutoString
_moment = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "alarm",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("collector", _text(), nullable=False),
        sa.Column("kind", _text(), nullable=False),
        sa.Column("why", _text(), nullable=False),
        sa.Column("raised_at", _moment(), nullable=False),
        sa.Column("over_at", _moment(), nullable=True),
        sa.Column("over", _text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("collector", "kind", "raised_at"),
    )
    op.create_index(op.f("ix_alarm_over_at"), "alarm", ["over_at"])
    op.create_table(
        "lease",
        sa.Column("name", _text(), nullable=False),
        sa.Column("holder", _text(), nullable=False),
        sa.Column("since", _moment(), nullable=False),
        sa.Column("until", _moment(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "spend",
        sa.Column("collector", _text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("collector", "day"),
    )
    op.execute(
        "INSERT INTO spend (collector, day, reads, cost) SELECT name, reads_day, reads, 0 FROM watch WHERE reads_day IS NOT NULL"
    )
    op.create_table(
        "sketch",
        sa.Column("shingle", sa.BigInteger(), nullable=False),
        sa.Column("mention_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"]),
        sa.PrimaryKeyConstraint("shingle", "mention_id"),
    )
    op.create_index(op.f("ix_sketch_mention_id"), "sketch", ["mention_id"])
    # Added and dropped without a copy of the table: deliveries and readings point to these rows.
    for column in (
        sa.Column("quotes", _text(), nullable=True),
        sa.Column("place", _text(), nullable=True),
        sa.Column("revised_at", _moment(), nullable=True),
        sa.Column("story", sa.Integer(), nullable=True),
        sa.Column("looked_at", _moment(), nullable=False, server_default="1970-01-01 00:00:00"),
        sa.Column("deleted_why", _text(), nullable=True),
    ):
        op.add_column("mention", column)
    op.execute("UPDATE mention SET looked_at = heard_at, revised_at = edited_at, thread = COALESCE(thread, ref)")
    op.execute("UPDATE mention SET deleted_why = 'deleted by its author' WHERE deleted_at IS NOT NULL")
    op.create_index(op.f("ix_mention_story"), "mention", ["story"])
    op.create_index(op.f("ix_mention_looked_at"), "mention", ["looked_at"])
    for column in (
        sa.Column("own_cursor", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("filters", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("started_at", _moment(), nullable=True),
    ):
        op.add_column("watch", column)
    op.execute("UPDATE watch SET started_at = COALESCE(heard_at, asked_at)")
    op.drop_column("watch", "reads_day")
    op.drop_column("watch", "reads")
    op.add_column("case", sa.Column("round", sa.Integer(), nullable=False, server_default="1"))
    for table in ("reading", "verdict"):
        op.add_column(table, sa.Column("forgotten", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(op.f("ix_mention_deleted_at"), "mention", ["deleted_at"])
    op.add_column("delivery", sa.Column("alarm_id", sa.Integer(), nullable=True))
    op.add_column("delivery", sa.Column("round", sa.Integer(), nullable=False, server_default="1"))
    op.create_index(op.f("ix_delivery_alarm_id"), "delivery", ["alarm_id"])


def downgrade() -> None:
    """Take back."""
    for index, table in (
        ("ix_delivery_alarm_id", "delivery"),
        ("ix_mention_deleted_at", "mention"),
        ("ix_mention_looked_at", "mention"),
        ("ix_mention_story", "mention"),
    ):
        op.drop_index(op.f(index), table_name=table)
    for table, column in (
        *(("delivery", name) for name in ("round", "alarm_id")),
        *((table, "forgotten") for table in ("reading", "verdict")),
        ("case", "round"),
        *(("watch", name) for name in ("started_at", "filters", "own_cursor")),
        *(("mention", name) for name in ("deleted_why", "looked_at", "story", "revised_at", "place", "quotes")),
    ):
        op.drop_column(table, column)
    op.add_column("watch", sa.Column("reads", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("watch", sa.Column("reads_day", sa.Date(), nullable=True))
    for table in ("sketch", "spend", "lease", "alarm"):
        op.drop_table(table)
