"""Configurations after a change of the files, without the model, and posts that went through the stages with them."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from alerts.decide import decide
from config.schema import Config
from listener.keep import keep
from listener.post import Page, Post
from nlp.pipeline import Reader
from nlp.read import read

DAY = timedelta(days=1)
GOWN, BILL, FINE = "they lost my gown at St. Brigid's", "a bill from St. Brigid's again", "a lovely day"


def changed(
    config: Config, phrases: tuple[str, ...] | None = None, danger: tuple[str, ...] | None = None, **more: Any
) -> Config:
    """Other phrases for billing or danger; other values of keywords, hospital and care."""
    values = config.keywords.model_dump()
    values["reader"]["model"] = False
    if phrases is not None:
        values["categories"]["billing"]["phrases"] = phrases
    if danger is not None:
        values["urgency"]["danger"]["phrases"] = danger
    keywords = type(config.keywords).model_validate({**values, **more.get("keywords", {})})
    hospital = config.hospital.model_copy(update=more.get("hospital", {}))
    care = config.care.model_copy(update=more.get("care", {}))
    return config.model_copy(update={"keywords": keywords, "hospital": hospital, "care": care})


def heard(session: Session, config: Config, reader: Reader, now: datetime, *posts: str | Post) -> None:
    """Keep posts, read them, decide on them."""
    made = [
        post if isinstance(post, Post) else Post(source="x", ref=f"{n}", text=post, written_at=now, author=f"a{n}")
        for n, post in enumerate(posts, 1)
    ]
    keep(session, "x", Page(tuple(made), {}), config.hospital, now)
    while read(session, reader, now) or decide(session, config, now):
        pass
