"""Verdict: what becomes of a mention, and why. Written by decide.py alone."""

import re
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col, exists

# Of a post that asks for nothing by itself.
GOES_ON = "goes on with what the same person said in this thread, which waits for an answer"


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
    forgotten: bool = False  # the post is gone, and with it what the reason quoted of it


@cache  # the second name of a table takes longer to make than many a question to answer
def verdict_in_force() -> Any:
    """For a question to the database: the verdict is the newest of its mention."""
    newer = aliased(Verdict)
    return ~exists().where(col(newer.mention_id) == Verdict.mention_id, col(newer.id) > col(Verdict.id))


def rule_in(reason: str) -> str | None:
    """The name of the rule that a reason begins with."""
    found = re.match(r"rule (['\"])(.*?)\1(?:: |$)", reason)
    return found[2] if found else None


def without_words(reason: str) -> str:
    """A reason without what it quotes of the post."""
    rule = rule_in(reason)
    return reason if rule is None else f"rule {rule!r}"
