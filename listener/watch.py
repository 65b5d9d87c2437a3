"""Watch: how far each collector has heard. Gap, Spend, Alarm: what it could not hear, what it cost, what is wrong with it.

Watch, Gap and Spend are written by keep.py alone, Alarm by health.py, Lease by lease.py. Four rows of Watch are no
collector's: "spikes" and "proposals", how far alerts/spikes.py and alerts/proposals.py have looked; "gone" of deletions.py
and "forgotten" of tombstones.py.
"""

from datetime import date, datetime
from typing import Any

from sqlmodel import JSON, Column, Field, SQLModel, UniqueConstraint


def _json() -> Any:
    return Column(JSON, nullable=False)


class Watch(SQLModel, table=True):
    """One row a collector: its cursors and how it fares."""

    name: str = Field(primary_key=True)
    cursor: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    own_cursor: dict[str, Any] = Field(default_factory=dict, sa_column=_json())  # of the hospital's own replies
    started_at: datetime | None = None  # when it was first asked
    asked_at: datetime | None = None
    heard_at: datetime | None = None  # when the last new post was kept
    paused_until: datetime | None = None  # the place itself said: not before
    failures: int = 0  # in a row
    trouble: str | None = None  # the sentence of the last failure, None when the last pass went well
    kept: int = 0  # mentions kept, ever
    skipped: int = 0  # posts that could not be read, ever
    # Each search, tag or feed: {"since": when it was first asked, "last": when it last matched, None: never}
    filters: dict[str, Any] = Field(default_factory=dict, sa_column=_json())


class Gap(SQLModel, table=True):
    """A stretch that could not be heard. People are told once."""

    id: int | None = Field(default=None, primary_key=True)
    collector: str
    since: datetime
    until: datetime
    why: str
    found_at: datetime


class Spend(SQLModel, table=True):
    """What a collector was billed on one UTC day."""

    collector: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    reads: int = 0  # posts
    cost: float = 0.0  # US dollars


class Alarm(SQLModel, table=True):
    """Something wrong with a collector, from when it was seen until it is over. People are told of both, once."""

    __table_args__ = (UniqueConstraint("collector", "kind", "raised_at"),)

    id: int | None = Field(default=None, primary_key=True)
    collector: str
    kind: str  # "silent", "failing", "budget 80%", "budget 100%", "no match: QUERY"
    why: str  # the sentence that people read
    raised_at: datetime
    over_at: datetime | None = Field(default=None, index=True)
    over: str | None = None  # the sentence that people read when it is over


class Lease(SQLModel, table=True):
    """Which copy of the service collects. The others read, decide and deliver."""

    name: str = Field(primary_key=True)
    holder: str
    since: datetime
    until: datetime
