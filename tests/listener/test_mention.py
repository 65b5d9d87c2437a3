"""The tables that the first two stages write."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from listener.mention import Mention
from listener.watch import Gap, Watch

AT = datetime(2026, 11, 16, 14, tzinfo=UTC)


def mention(source: str, ref: str) -> Mention:
    return Mention(collector="x", source=source, ref=ref, text="brigid", written_at=AT, heard_at=AT, looked_at=AT)


def test_one_row_for_each_post_of_each_place(session: Session) -> None:
    session.add_all([mention("x", "1"), mention("x", "2"), mention("reddit", "1")])
    session.commit()
    session.add(mention("x", "1"))
    with pytest.raises(IntegrityError):
        session.commit()


def test_times_come_back_in_utc(session: Session) -> None:
    session.add(mention("x", "1"))
    session.add(Gap(collector="x", since=AT, until=AT, why="why", found_at=AT))
    session.commit()
    session.expire_all()
    assert session.exec(select(Mention)).one().written_at == AT
    assert session.exec(select(Gap)).one().until.tzinfo is UTC


def test_a_new_watch_has_done_nothing(session: Session) -> None:
    session.add(Watch(name="x"))
    session.commit()
    session.expire_all()
    found = session.exec(select(Watch)).one()
    assert (found.cursor, found.failures, found.kept, found.skipped) == ({}, 0, 0, 0)
    assert (found.asked_at, found.heard_at, found.paused_until, found.trouble) == (None, None, None, None)
