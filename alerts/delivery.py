"""Delivery: one message to people. DigestLine: a mention's line in a digest. Written by deliver.py alone."""

from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

PAGE = "page:"  # `about` of a danger card that goes to the care team because its own channel cannot be reached


class Delivery(SQLModel, table=True):
    """One row a message, saved before it is sent.

    pending -> sending -> sent. A row found in `sending` was cut off: whether it arrived is unknown, so it is
    looked for before it is sent again.
    """

    __table_args__ = (UniqueConstraint("kind", "about", "channel"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)  # goes with the message, so that it can be found again
    kind: str  # card, digest, note, report
    # "case:12", "case:12:2" (reopened once), "page:12", "gap:3", "alarm:5", "alarm:5:over", "digest:45" (its first
    # mention), "week:2026-W46"
    about: str
    case_id: int | None = Field(default=None, foreign_key="case.id", index=True)
    gap_id: int | None = Field(default=None, foreign_key="gap.id", index=True)
    alarm_id: int | None = Field(default=None, index=True)
    round: int = 1  # of the case
    channel: str  # our name for it
    rank: int  # 0 is danger; the lowest goes first
    state: str = Field(default="pending", index=True)
    created_at: datetime
    sent_at: datetime | None = None
    next_try_at: datetime
    attempts: int = 0
    trouble: str | None = None  # why the last attempt failed
    door: str | None = None  # slack or console: where it went
    place: str | None = None  # the door's name for the channel
    ref: str | None = None  # the door's name for the message
    # What the message shows: a card the version of its case; a digest and a report how many of its posts are gone.
    shown_version: int = 0


class DigestLine(SQLModel, table=True):
    """A mention is in one digest at most, whatever happens."""

    mention_id: int = Field(primary_key=True, foreign_key="mention.id")
    delivery_id: int = Field(foreign_key="delivery.id", index=True)
