"""The care desk: what people do with cases, reminders, folded cards, answers, spikes, names of people in Slack."""

from typing import Any

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_text = sqlmodel.sql.sqltypes.AutoString
_moment = sqlmodel.sql.sqltypes.UTCDateTime
_KINDS = {  # of the events that older versions wrote in words alone
    "opened:%": "opened",
    "claimed it": "claimed",
    "answered in public": "answered",
    "replied in public": "answered",
    "closed it": "closed",
    "said it is not for us": "dismissed",
    "reopened%": "reopened",
}


def upgrade() -> None:
    """Apply."""
    for table, columns in _new_columns().items():
        for column in columns:
            op.add_column(table, column)
    kinds = " ".join(f"WHEN what LIKE '{words}' THEN '{kind}'" for words, kind in _KINDS.items())
    op.execute(f"UPDATE caseevent SET kind = CASE {kinds} ELSE 'changed' END")
    claims = "SELECT max(at) FROM caseevent WHERE case_id = \"case\".id AND kind = 'claimed'"
    op.execute(f'UPDATE "case" SET claimed_at = ({claims}) WHERE owner IS NOT NULL')
    op.create_index(op.f("ix_caseevent_kind"), "caseevent", ["kind"])
    _reminders_and_folds()
    _answers()
    _spikes()
    _people()


def _new_columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "reading": (
            sa.Column("danger_of", _text(), nullable=True),
            sa.Column("signs", sa.JSON(), nullable=False, server_default="[]"),
            sa.Column("staff", sa.JSON(), nullable=False, server_default="[]"),
        ),
        "case": (
            sa.Column("claimed_at", _moment(), nullable=True),
            sa.Column("closed_at", _moment(), nullable=True),
            sa.Column("outcome", _text(), nullable=True),
            sa.Column("snoozed_at", _moment(), nullable=True),
            sa.Column("snoozed_until", _moment(), nullable=True),
            sa.Column("snooze_why", _text(), nullable=True),
            sa.Column("topics", sa.JSON(), nullable=True),
        ),
        "caseevent": (sa.Column("kind", _text(), nullable=False, server_default="changed"),),
    }


def _reminders_and_folds() -> None:
    op.create_table(
        "reminder",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step", _text(), nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.Column("tells", _text(), nullable=True),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"]),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"]),
        sa.PrimaryKeyConstraint("case_id", "round", "step"),
    )
    op.create_index(op.f("ix_reminder_delivery_id"), "reminder", ["delivery_id"])
    op.create_table(
        "fold",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"]),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"]),
        sa.PrimaryKeyConstraint("case_id", "round"),
    )
    op.create_index(op.f("ix_fold_delivery_id"), "fold", ["delivery_id"])


def _answers() -> None:
    op.create_table(
        "answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("mention_id", sa.Integer(), nullable=False),
        sa.Column("text", _text(), nullable=False),
        sa.Column("written_by", _text(), nullable=False),
        sa.Column("written_at", _moment(), nullable=False),
        sa.Column("approved_by", _text(), nullable=True),
        sa.Column("state", _text(), nullable=False),
        sa.Column("trouble", _text(), nullable=True),
        sa.Column("sent_by", _text(), nullable=True),
        sa.Column("sent_at", _moment(), nullable=True),
        sa.Column("ref", _text(), nullable=True),
        sa.Column("url", _text(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"]),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_answer_case_id"), "answer", ["case_id"])


def _spikes() -> None:
    op.create_table(
        "spike",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("topic", _text(), nullable=False),
        sa.Column("began_at", _moment(), nullable=False),
        sa.Column("seen_at", _moment(), nullable=False),
        sa.Column("over_at", _moment(), nullable=True),
        sa.Column("usual", sa.Float(), nullable=False),
        sa.Column("known", _text(), nullable=True),
        sa.Column("known_by", _text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_spike_over_at"), "spike", ["over_at"])
    op.create_table(
        "spikepost",
        sa.Column("spike_id", sa.Integer(), nullable=False),
        sa.Column("mention_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["spike_id"], ["spike.id"]),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"]),
        sa.PrimaryKeyConstraint("spike_id", "mention_id"),
    )
    op.create_table(
        "topichour",
        sa.Column("topic", _text(), nullable=False),
        sa.Column("hour", _moment(), nullable=False),
        sa.Column("posts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "hour"),
    )


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("id", _text(), nullable=False),
        sa.Column("name", _text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "press",
        sa.Column("key", _text(), nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list", _text(), nullable=False),
        sa.Column("phrase", _text(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("why", _text(), nullable=False),
        sa.Column("made_at", _moment(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("list", "phrase"),
    )


def downgrade() -> None:
    """Take back."""
    for table in ("proposal", "press", "person", "topichour", "spikepost", "spike", "answer", "fold", "reminder"):
        op.drop_table(table)
    op.drop_index(op.f("ix_caseevent_kind"), "caseevent")
    for table, columns in _new_columns().items():
        for column in columns:
            op.drop_column(table, column.name)
