"""Watch and Gap: what a collector's row says before and after it is stored."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from listener.keep import watch_of
from listener.watch import Gap, Watch


def test_a_new_collector_has_heard_nothing(session: Session) -> None:
    watch = watch_of(session, "x")
    assert (watch.cursor, watch.failures, watch.kept, watch.heard_at, watch.trouble) == ({}, 0, 0, None, None)


def test_one_row_a_collector(session: Session) -> None:
    session.add(Watch(name="x", cursor={"q": {"since_id": "1"}}))
    session.commit()
    assert watch_of(session, "x").cursor == {"q": {"since_id": "1"}}
    session.expunge_all()
    session.add(Watch(name="x"))
    with pytest.raises(IntegrityError):
        session.commit()


def test_times_come_back_aware(session: Session, now: datetime) -> None:
    session.add(Gap(collector="x", since=now - timedelta(hours=2), until=now, why="off", found_at=now))
    session.commit()
    session.expire_all()
    gap = session.exec(select(Gap)).one()
    assert gap.until - gap.since == timedelta(hours=2)
    assert gap.until.tzinfo is not None
