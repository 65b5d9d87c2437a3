"""Delivery: one message to people, a pager or another system. DigestLine, Fold, Reminder: what it tells of.

Delivery is written by deliver.py and the notices alone, DigestLine and Fold by the notices, Reminder by reminders.py.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlmodel import JSON, Column, Field, SQLModel, UniqueConstraint

GIVEN_UP = "given_up"  # the state of what another system did not take for days; a person can send it again
# How a reminder that no clock made begins: a case was given to somebody, its author said more, people are asked to look.
ASSIGNED, POST, ASKED = "assigned", "post", "asked"
PAGE = "page:"  # `about` of a danger card that goes to the care team because its own channel cannot be reached


class Delivery(SQLModel, table=True):
    """One row a message, saved before it is sent.

    pending -> sending -> sent. A row found in `sending` was cut off: whether it arrived is unknown, so it is
    looked for before it is sent again.
    """

    __table_args__ = (UniqueConstraint("kind", "about", "channel"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)  # goes with the message, so that it can be found again
    kind: str  # the file in alerts/notices/ that wrote it
    # "case:12", "case:12:2" (reopened once), "page:12", "gap:3", "alarm:5", "alarm:5:over", "digest:45" (its first
    # mention), "week:2026-W46", "version:8", "oncall:7:1:page 3" (case, round, step) ...
    about: str
    case_id: int | None = Field(default=None, foreign_key="case.id", index=True)
    gap_id: int | None = Field(default=None, foreign_key="gap.id", index=True)
    alarm_id: int | None = Field(default=None, index=True)
    round: int = 1  # of the case
    channel: str  # our name for it; a Slack ID for a word to one person; the hook's name
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
    # What was uploaded to the door for it; alerts/uploads.py says what stands in it.
    files: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class DigestLine(SQLModel, table=True):
    """A mention is in one digest at most, whatever happens."""

    mention_id: int = Field(primary_key=True, foreign_key="mention.id")
    delivery_id: int = Field(foreign_key="delivery.id", index=True)


class Fold(SQLModel, table=True):
    """A case of a burst that is shown under another card until somebody takes it up."""

    case_id: int = Field(primary_key=True, foreign_key="case.id")
    round: int = Field(primary_key=True)
    delivery_id: int = Field(foreign_key="delivery.id", index=True)


class Reminder(SQLModel, table=True):
    """A step that the clock of a case has taken, once, and the message that told of it."""

    case_id: int = Field(primary_key=True, foreign_key="case.id")
    round: int = Field(primary_key=True)
    step: str = Field(primary_key=True)
    at: datetime
    tells: str | None = None  # channel, oncall, manager, owner, team; None: a louder one was told instead
    delivery_id: int | None = Field(default=None, foreign_key="delivery.id", index=True)


def pending(kind: str, about: str, channel: str, rank: int, now: datetime, case_id: int | None = None) -> Delivery:
    """A message that has to be sent."""
    key = uuid.uuid4().hex
    return Delivery(
        key=key, kind=kind, about=about, channel=channel, rank=rank, created_at=now, next_try_at=now, case_id=case_id
    )
