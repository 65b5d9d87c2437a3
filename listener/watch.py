"""Watch: how far each collector has heard. Gap: what it could not hear. Written by keep.py alone."""

from datetime import date, datetime
from typing import Any

from sqlmodel import JSON, Column, Field, SQLModel


class Watch(SQLModel, table=True):
    """One row a collector: its cursor and how it fares."""

    name: str = Field(primary_key=True)
    cursor: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    asked_at: datetime | None = None
    heard_at: datetime | None = None  # when the last new post was kept
    paused_until: datetime | None = None  # the place itself said: not before
    failures: int = 0  # in a row
    trouble: str | None = None  # the sentence of the last failure, None when the last pass went well
    kept: int = 0  # mentions kept, ever
    skipped: int = 0  # posts that could not be read, ever
    reads_day: date | None = None  # the UTC day that `reads` counts
    reads: int = 0  # posts billed on that day


class Gap(SQLModel, table=True):
    """A stretch that could not be heard. People are told once."""

    id: int | None = Field(default=None, primary_key=True)
    collector: str
    since: datetime
    until: datetime
    why: str
    found_at: datetime
