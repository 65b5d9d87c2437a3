"""Person: a member of staff as Slack names them. Press: something that they pressed and that was done. Written by slack_app.py."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, delete

_KEPT = timedelta(days=1)  # longer than Slack, or anyone who replays it, can send the same press again


class Person(SQLModel, table=True):
    """So that the terminal and reports can say a name instead of an ID."""

    id: str = Field(primary_key=True)  # U…
    name: str


class Press(SQLModel, table=True):
    """One row a press: what arrives twice is done once."""

    key: str = Field(primary_key=True)
    at: datetime


def is_slack_id(who: str) -> bool:
    """Whether somebody is known by a Slack ID."""
    return re.fullmatch(r"[UW](?=[A-Z]*[0-9])[A-Z0-9]{5,}", who) is not None


def in_slack(who: str) -> str:
    """Somebody in Slack's markup, or the name that was given in the terminal."""
    return f"<@{who}>" if is_slack_id(who) else who


def named(session: Session, who: str) -> str:
    """Somebody's name, as far as it is known."""
    person = session.get(Person, who)
    return person.name if person else who


def called(session: Session, who: str) -> str:
    """Somebody in a sentence: in Slack's markup, or by their name where they are not in Slack."""
    return in_slack(who) if is_slack_id(who) else named(session, who)


def spoken(sentence: str, name: Callable[[str], str]) -> str:
    """A sentence with what `name` gives in the place of Slack's markup of people, for whoever reads it elsewhere."""
    return re.sub(r"<@([A-Z0-9]+)>", lambda found: name(found[1]), sentence)


def met(session: Session, id_: str, name: str) -> None:
    """Remember what Slack calls somebody. The caller commits."""
    person = session.get(Person, id_)
    if name and (person is None or person.name != name):
        session.merge(Person(id=id_, name=name))


def forget(session: Session, now: datetime) -> None:
    """Presses that nobody can send again. Commits."""
    session.execute(delete(Press).where(col(Press.at) < now - _KEPT))
    session.commit()


def first_time(session: Session, key: str, now: datetime) -> bool:
    """Whether this press was not seen before; it is once the caller commits, together with what it does."""
    session.add(Press(key=key, at=now))
    try:
        session.flush()
    except IntegrityError:
        session.rollback()
        return False
    return True
