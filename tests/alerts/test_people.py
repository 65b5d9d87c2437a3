"""Staff as Slack names them, and that what arrives twice is done once."""

import threading
from datetime import datetime, timedelta

import pytest
from conftest import NOW
from fakes.strangers import HOSTILE
from sqlalchemy import Engine
from sqlmodel import Session, select

from alerts.people import Person, Press, called, first_time, forget, in_slack, is_slack_id, met, named, spoken

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("who", "known"),
    [
        ("U0ANA1", True), ("W012A3CDE", True), ("U0123ABCD", True),
        ("ana", False), ("Ursula", False), ("", False), ("U0A", False), ("U0ANA1>", False), ("<@U0ANA1>", False),
        ("S0CARE1", False), ("U0ÄNA1", False), ("u0ana1", False), ("U0 ANA1", False), ("ana@st-brigid", False),
    ],
)  # fmt: skip
def test_who_is_known_by_slack(who: str, known: bool) -> None:
    assert is_slack_id(who) is known
    assert in_slack(who) == (f"<@{who}>" if known else who)


@pytest.mark.parametrize("who", HOSTILE)
def test_no_name_becomes_somebodys_mention(who: str) -> None:
    assert in_slack(who) == who


def test_a_name_is_known_once_somebody_was_met(session: Session) -> None:
    assert named(session, "U0ANA1") == "U0ANA1"
    met(session, "U0ANA1", "ana")
    met(session, "U0ANA1", "")  # a payload without a name
    session.commit()
    assert named(session, "U0ANA1") == "ana"
    met(session, "U0ANA1", "ana.b")
    session.commit()
    assert [person.name for person in session.exec(select(Person))] == ["ana.b"]
    assert named(session, "ben") == "ben"


def pressed(session: Session, key: str, now: datetime = NOW) -> bool:
    """Whether it was the first time, and what it does is done."""
    found = first_time(session, key, now)
    session.commit()
    return found


def test_a_press_is_done_once(session: Session) -> None:
    assert [pressed(session, key) for key in ("a", "a", "b", "a")] == [True, False, True, False]


def test_what_was_not_done_may_be_pressed_again(session: Session) -> None:
    assert first_time(session, "a", NOW) is True
    session.rollback()
    assert first_time(session, "a", NOW) is True


def test_after_a_day_a_press_is_forgotten(session: Session) -> None:
    pressed(session, "a")
    assert pressed(session, "b", NOW + DAY / 2) is True
    assert pressed(session, "a", NOW + DAY) is False, "as long as anyone could send it again"
    forget(session, NOW + DAY + timedelta(seconds=1))
    pressed(session, "c", NOW + DAY + timedelta(seconds=1))
    assert {press.key for press in session.exec(select(Press))} == {"b", "c"}


def test_two_at_once_and_one_is_first(engine: Engine) -> None:
    start, found = threading.Barrier(4), []

    def press() -> None:
        start.wait(10)
        with Session(engine) as session:
            found.append(pressed(session, "same"))

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(found) == [False, False, False, True]


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("case 1 is claimed by <@U0ANA1> already", "case 1 is claimed by Ana already"),
        ("<@U0ANA1> and <@W0BEN1>", "Ana and W0BEN1"),
        ("nobody at all", "nobody at all"),
        ("<@> <!here> <@U0ANA1|x> a <b>", "<@> <!here> <@U0ANA1|x> a <b>"),
    ],
)
def test_a_sentence_outside_slack_names_people(sentence: str, said: str) -> None:
    assert spoken(sentence, lambda who: {"U0ANA1": "Ana"}.get(who, who)) == said


def test_who_is_not_in_slack_is_called_by_name(session: Session) -> None:
    met(session, "U0ANA1", "ana")
    met(session, "ben", "Ben Ode")
    assert [called(session, who) for who in ("U0ANA1", "ben", "kim")] == ["<@U0ANA1>", "Ben Ode", "kim"]
