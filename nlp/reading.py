"""Reading: what one mention says, and why we think so. ReadWith: what it was read with. Written by read.py alone."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy.orm import aliased
from sqlmodel import JSON, Column, Field, SQLModel, UniqueConstraint, col, exists

URGENCIES = ("danger", "here_now", "serious", "routine", "low", "none")  # the worst first


def _json() -> Any:
    return Column(JSON, nullable=False)


class ReadWith(SQLModel, table=True):
    """What posts were read with from a time on: a row whenever that is not what the newest row says."""

    id: int | None = Field(default=None, primary_key=True)
    pipeline_version: str = Field(index=True)
    since: datetime = Field(index=True)  # when the first post was read with it
    # See nlp/tuning.py; None where an earlier row of the same version has them.
    lines: list[list[str]] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class Reading(SQLModel, table=True):
    """One row for each revision of a mention and each pipeline version that read it. About the post, never its author."""

    __table_args__ = (UniqueConstraint("mention_id", "revision", "pipeline_version"),)

    id: int | None = Field(default=None, primary_key=True)
    mention_id: int = Field(foreign_key="mention.id", index=True)
    revision: int
    pipeline_version: str
    read_at: datetime

    mentions_us: list[str] = Field(sa_column=_json())
    site: str | None = None
    departments: list[str] = Field(sa_column=_json())
    voice: str  # patient, news, promo, other
    kind: str | None = None  # complaint, question, praise, comment
    categories: list[dict[str, Any]] = Field(sa_column=_json())  # [{"id", "score" 0-1, "words"}]
    stage: str | None = None
    mood: float  # -1 to 1
    urgency: str = Field(index=True)  # one of URGENCIES
    danger_of: str | None = None  # one of nlp.labelled.DANGERS where the urgency is danger
    signs: list[str] = Field(default_factory=list, sa_column=_json())  # of [signs] in keywords.toml: legal, press
    staff: list[str] = Field(default_factory=list, sa_column=_json())  # whom praise names, as written; never patients
    reasons: list[str] = Field(sa_column=_json())
    language: str  # ISO 639-1
    readable: bool  # False: no phrases of this language; a person must read it
    redacted_text: str
    forgotten: bool = False  # the post is gone, and with it what was quoted of it here


@cache  # the second name of a table takes longer to make than many a question to answer
def reading_in_force() -> Any:
    """For a question to the database: the reading is the newest of its mention."""
    newer = aliased(Reading)
    return ~exists().where(col(newer.mention_id) == Reading.mention_id, col(newer.id) > col(Reading.id))
