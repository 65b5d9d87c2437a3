"""Mention: a post that was kept. Sketch: what finds its copies. Written by keep.py alone."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel, UniqueConstraint


class Mention(SQLModel, table=True):
    """One row for each post of each source, however often it is heard."""

    __table_args__ = (UniqueConstraint("source", "ref"),)

    id: int | None = Field(default=None, primary_key=True)
    collector: str
    source: str
    ref: str
    text: str
    written_at: datetime = Field(index=True)
    heard_at: datetime = Field(index=True)
    edited_at: datetime | None = None  # as its place says
    revised_at: datetime | None = None  # when these words replaced others, by the place's time or else by ours
    url: str | None = None
    author: str | None = None
    author_name: str | None = None
    thread: str | None = Field(default=None, index=True)  # ref of its first post, which may be this one
    answers: str | None = None
    quotes: str | None = None
    place: str | None = None
    rating: float | None = None
    reach: int | None = None
    about_us: bool = False
    own: bool = Field(default=False, index=True)  # written by one of the hospital's own accounts
    revision: int = 1  # goes up when it has to be read again: its author edited it, or what it answers was heard later
    story: int | None = Field(default=None, index=True)  # the first mention of which this one is a copy, or itself
    looked_at: datetime = Field(index=True)  # when its place last had it
    deleted_at: datetime | None = Field(default=None, index=True)  # its content is gone, the row stays for the ledger
    deleted_why: str | None = None


class Sketch(SQLModel, table=True):
    """A few numbers that a text shares with its copies, whatever else was changed. See story.py."""

    shingle: int = Field(primary_key=True, sa_type=BigInteger)
    mention_id: int = Field(primary_key=True, foreign_key="mention.id", index=True)
