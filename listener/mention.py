"""Mention: a post that was kept. Written by keep.py alone."""

from datetime import datetime

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
    edited_at: datetime | None = None
    url: str | None = None
    author: str | None = None
    author_name: str | None = None
    thread: str | None = Field(default=None, index=True)
    answers: str | None = None
    rating: float | None = None
    reach: int | None = None
    about_us: bool = False
    own: bool = Field(default=False, index=True)  # written by one of the hospital's own accounts
    revision: int = 1  # goes up when the author edits
    deleted_at: datetime | None = None  # deleted at its source: content gone, row stays for the ledger
