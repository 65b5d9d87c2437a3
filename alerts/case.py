"""Case: what a person has to answer. Its states, its events, and the only functions that write them.

open -> claimed -> answered -> closed        open, claimed -> dismissed        any end -> open (reopened)
"""

from datetime import datetime
from typing import Literal

from sqlalchemy import CursorResult, update
from sqlmodel import Field, Session, SQLModel, col

State = Literal["open", "claimed", "answered", "closed", "dismissed"]
WAITING: tuple[State, ...] = ("open", "claimed")  # someone must still act
MOVES: dict[str, tuple[State, ...]] = {  # to a state: from which it may be reached
    "open": ("claimed", "answered", "closed", "dismissed"),
    "claimed": ("open",),
    "answered": ("open", "claimed"),
    "closed": ("open", "claimed", "answered"),
    "dismissed": ("open", "claimed"),
}
RANK = {"danger": 0, "here_now": 1, "serious": 2, "routine": 3, "low": 4, "none": 5}  # the worst first


class Case(SQLModel, table=True):
    """One matter of one person: a post, and what the same person adds in the same thread."""

    id: int | None = Field(default=None, primary_key=True)
    mention_id: int = Field(foreign_key="mention.id", unique=True)  # the post that opened it
    source: str
    thread: str = Field(index=True)
    author: str | None = None
    channel: str  # our name for it
    urgency: str
    state: str = Field(default="open", index=True)
    owner: str | None = None
    opened_at: datetime
    clock_from: datetime  # when the author posted: the reply clock starts there
    due_at: datetime = Field(index=True)
    answered_at: datetime | None = None
    posts: int = 1
    version: int = 1  # goes up with every change, so that a card knows that it is stale


class CaseEvent(SQLModel, table=True):
    """What happened to a case: who, when, what. Rows are only ever added."""

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id", index=True)
    at: datetime
    who: str
    what: str


def open_case(session: Session, case: Case, why: str) -> Case:
    """Store a new case with its first event; the caller commits."""
    session.add(case)
    session.flush()
    _note(session, case, case.opened_at, "call-light", f"opened: {why}")
    return case


def join(session: Session, case: Case, urgency: str, channel: str, due_at: datetime, now: datetime) -> None:
    """Another post of the same person belongs to `case`: it counts, may raise it, and reopens it; the caller commits."""
    case.posts += 1
    case.version += 1
    _note(session, case, now, "call-light", "another post of the same person")
    if case.state not in WAITING:
        _note(session, case, now, "call-light", "reopened")
        case.state, case.owner, case.answered_at, case.clock_from, case.due_at = "open", None, None, now, due_at
    raise_urgency(session, case, urgency, channel, due_at, now)


def raise_urgency(session: Session, case: Case, urgency: str, channel: str, due_at: datetime, now: datetime) -> None:
    """Make a case more urgent, never less; the caller commits."""
    if RANK[urgency] < RANK[case.urgency]:
        _note(session, case, now, "call-light", f"now {urgency}, was {case.urgency}")
        case.urgency, case.channel, case.due_at = urgency, channel, min(due_at, case.due_at)
        case.version += 1
    session.add(case)


def move(session: Session, case_id: int, state: State, who: str, what: str, at: datetime) -> bool:
    """Bring a case to `state` if it may go there from where it is now; False if someone else was first.

    One UPDATE with the condition in it: two people who press at once cannot both win. The caller commits.
    """
    values: dict[str, object] = {"state": state, "version": Case.version + 1}  # type: ignore[operator]
    if state == "claimed":
        values["owner"] = who
    if state == "answered":
        values["answered_at"] = at
    changed = session.execute(
        update(Case).where(col(Case.id) == case_id, col(Case.state).in_(MOVES[state])).values(**values),
        execution_options={"synchronize_session": False},
    )
    assert isinstance(changed, CursorResult)
    if changed.rowcount != 1:
        return False
    session.expire_all()
    session.add(CaseEvent(case_id=case_id, at=at, who=who, what=what))
    return True


def _note(session: Session, case: Case, at: datetime, who: str, what: str) -> None:
    assert case.id is not None
    session.add(CaseEvent(case_id=case.id, at=at, who=who, what=what))
