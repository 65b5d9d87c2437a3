"""Verdict: what becomes of a mention, and why. Written by decide.py alone."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class Verdict(SQLModel, table=True):
    """One row a reading; the newest of a mention is in force."""

    id: int | None = Field(default=None, primary_key=True)
    reading_id: int = Field(foreign_key="reading.id", unique=True)
    mention_id: int = Field(foreign_key="mention.id", index=True)
    outcome: str = Field(index=True)  # alert, digest, dismiss
    channel: str | None = None  # our name for it; None for dismiss
    reason: str
    case_id: int | None = Field(default=None, foreign_key="case.id", index=True)  # of an alert
    decided_at: datetime
