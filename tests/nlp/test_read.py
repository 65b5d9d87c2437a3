"""Stage 3: every mention is read once for each pipeline version."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from config.schema import Config
from listener.keep import keep
from listener.post import Page, Post
from nlp.pipeline import Reader
from nlp.read import read
from nlp.reading import Reading


def post(ref: str, text: str, now: datetime, thread: str | None = None) -> Post:
    return Post(source="x", ref=ref, text=text, written_at=now - timedelta(minutes=5), author="jo", thread=thread)


def kept(session: Session, config: Config, now: datetime, *posts: Post) -> None:
    keep(session, "x", Page(posts, {"newest": len(posts)}), config.hospital, now)


def test_reads_what_is_unread_once(session: Session, config: Config, reader: Reader, now: datetime) -> None:
    kept(session, config, now, post("1", "St. Brigid's ER was kind to me", now), post("2", "a lovely day", now))
    assert read(session, reader, now) == 2
    assert read(session, reader, now) == 0
    assert len(session.exec(select(Reading)).all()) == 2


def test_reads_no_more_than_asked(session: Session, config: Config, reader: Reader, now: datetime) -> None:
    kept(session, config, now, *(post(str(number), "St. Brigid's", now) for number in range(5)))
    assert [read(session, reader, now, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_an_answer_in_a_thread_about_us_is_about_us(
    session: Session, config: Config, reader: Reader, now: datetime
) -> None:
    kept(
        session,
        config,
        now,
        post("1", "my father is unconscious on the floor at St. Brigid's, no one is coming", now, thread="1"),
        post("2", "he's breathing but he won't answer me", now, thread="1"),
    )
    read(session, reader, now)
    assert [reading.urgency for reading in session.exec(select(Reading))] == ["danger", "danger"]


def test_a_post_that_breaks_the_reader_goes_to_people_and_holds_up_nobody(
    session: Session, config: Config, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(config)
    doc_of = reader.language.make_doc

    def breaks(text: str) -> object:
        if "poison" in text:
            raise IndexError(text)
        return doc_of(text)

    monkeypatch.setattr(reader.language, "make_doc", breaks)
    kept(session, config, now, post("1", "a poison post", now), post("2", "St. Brigid's ER was rude", now))
    assert read(session, reader, now) == 2
    bad, good = session.exec(select(Reading).order_by(col(Reading.mention_id))).all()
    assert (bad.readable, bad.redacted_text, bad.voice) == (False, "", "patient")
    assert "poison" not in str(bad.reasons)
    assert (good.readable, good.kind) == (True, "complaint")
