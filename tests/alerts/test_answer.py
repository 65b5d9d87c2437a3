"""A public reply from its words to its being public: one at a time, never two people sending it."""

import threading
from typing import Any

import pytest
from conftest import NOW
from sqlalchemy import Engine
from sqlmodel import Session, select

from alerts.answer import Answer, newest_answer, settled_by, take, write

STATES = ("waiting", "written", "sending", "sent", "unknown", "by_hand", "withdrawn")


@pytest.fixture
def written(desk: Any) -> Any:
    """A case, and a reply that may be sent."""
    desk.alert()
    write(desk.session, 1, desk.case().mention_id, "Please call us.", "ana", NOW, needs_second=False)
    desk.session.commit()
    return desk


def put(desk: Any, state: str) -> Answer:
    (answer,) = desk.session.exec(select(Answer)).all()
    answer.state, answer.trouble = state, "no answer came"
    desk.session.commit()
    return answer  # type: ignore[no-any-return]


@pytest.mark.parametrize(("needs_second", "state"), [(False, "written"), (True, "waiting")])
def test_as_it_begins(desk: Any, needs_second: bool, state: str) -> None:
    desk.alert()
    answer = write(desk.session, 1, desk.case().mention_id, "Please call us.", "ana", NOW, needs_second)
    assert (answer.state, answer.written_by, answer.written_at, answer.approved_by) == (state, "ana", NOW, None)
    assert newest_answer(desk.session, 1) is answer


@pytest.mark.parametrize("state", STATES)
def test_what_another_reply_takes_the_place_of(written: Any, state: str) -> None:
    first = put(written, state)
    second = write(written.session, 1, first.mention_id, "Please write to us.", "ben", NOW, needs_second=False)
    written.session.commit()
    replaced = state in ("waiting", "written", "withdrawn")
    assert first.state == ("withdrawn" if replaced else state), "what may be public is never taken back"
    assert newest_answer(written.session, 1) is second


def test_of_another_case_nothing_is_withdrawn(written: Any) -> None:
    number = written.alert()
    write(written.session, number, written.case(number).mention_id, "Hello.", "ben", NOW, needs_second=False)
    assert [answer.state for answer in written.session.exec(select(Answer))] == ["written", "written"]
    assert newest_answer(written.session, 99) is None


def test_what_was_withdrawn_is_no_reply(written: Any) -> None:
    put(written, "withdrawn")
    assert newest_answer(written.session, 1) is None


def test_two_send_at_once_and_one_does(written: Any, engine: Engine) -> None:
    start = threading.Barrier(2)
    took: list[str] = []

    def send(who: str) -> None:
        with Session(engine, expire_on_commit=False) as session:
            answer = newest_answer(session, 1)
            assert answer is not None
            session.commit()
            start.wait(10)
            if take(session, answer, "sending", sent_by=who, sent_at=NOW):
                took.append(who)
            session.commit()

    people = [threading.Thread(target=send, args=(who,)) for who in ("ana", "ben")]
    for person in people:
        person.start()
    for person in people:
        person.join(20)
    assert len(took) == 1
    (answer,) = written.session.exec(select(Answer).execution_options(populate_existing=True)).all()
    assert (answer.state, answer.sent_by) == ("sending", took[0])


def test_taken_it_is_as_the_database_has_it(written: Any) -> None:
    answer = newest_answer(written.session, 1)
    assert answer is not None
    assert take(written.session, answer, "sending", sent_by="ana", sent_at=NOW) is True
    assert (answer.state, answer.sent_by) == ("sending", "ana")


@pytest.mark.parametrize("state", STATES)
def test_what_the_hospitals_public_reply_settles(written: Any, state: str) -> None:
    answer = put(written, state)
    settled_by(written.session, 1)
    written.session.commit()
    if state in ("unknown", "by_hand", "sending"):
        assert (answer.state, answer.trouble) == ("sent", None)
    else:
        assert (answer.state, answer.trouble) == (state, "no answer came"), "it is another reply that was heard"
