"""Case: what a person has to answer. Its states, its events, and the only functions that write them.

open -> claimed -> answered -> closed        open, claimed -> dismissed        any end -> open (reopened)
"""

from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import CursorResult, update
from sqlmodel import JSON, Column, Field, Session, SQLModel, col, select

from nlp.reading import URGENCIES

State = Literal["open", "claimed", "answered", "closed", "dismissed"]
EventKind = Literal[
    "opened", "joined", "raised", "claimed", "answered", "closed", "dismissed", "reopened", "snoozed", "woken",
    "assigned", "escalated", "urgency", "topics", "split", "merged", "draft", "given_back", "reminded", "paged",
    "contact", "viewed", "forgotten", "changed",
]  # fmt: skip
WAITING: tuple[State, ...] = ("open", "claimed")  # someone must still act
OVER: tuple[State, ...] = ("answered", "closed", "dismissed")
MOVES: dict[str, tuple[State, ...]] = {  # to a state: from which it may be reached
    "open": ("claimed", "answered", "closed", "dismissed"),
    "claimed": ("open",),
    "answered": ("open", "claimed"),
    "closed": ("open", "claimed", "answered"),
    "dismissed": ("open", "claimed"),
}
_EVENT_OF: dict[State, EventKind] = {
    "open": "reopened",
    "claimed": "claimed",
    "answered": "answered",
    "closed": "closed",
    "dismissed": "dismissed",
}
US = "call-light"  # who did what nobody pressed for
# What a further post of a case is, in its record.
SAME_PERSON, OTHER_PERSON, COPY = "another post of the same person", "a post of another person", "a copy of it"
MERGED = "merged"  # the outcome of a case that went into another: it counts for itself no more
RANK = {urgency: rank for rank, urgency in enumerate(URGENCIES)}  # the worst first


class Case(SQLModel, table=True):
    """One matter: a post, what is added to it in its thread, and its copies."""

    id: int | None = Field(default=None, primary_key=True)
    mention_id: int = Field(foreign_key="mention.id", unique=True)  # the post that opened it
    source: str
    thread: str = Field(index=True)
    author: str | None = None  # of the first post
    channel: str  # our name for it
    urgency: str
    state: str = Field(default="open", index=True)
    owner: str | None = None  # a Slack ID, or a name given in the terminal
    opened_at: datetime
    clock_from: datetime  # when the author posted: the reply clock starts there
    due_at: datetime = Field(index=True)  # without the time of a snooze that is still on: see clockface.due_now
    claimed_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    snoozed_at: datetime | None = None
    snoozed_until: datetime | None = None
    snooze_why: str | None = None
    outcome: str | None = None  # one of care.toml's, when it was closed
    topics: list[str] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )  # as a person corrected them
    posts: int = 1
    round: int = 1  # goes up when a post reopens it: people get a new card, an old one is far up in the channel
    version: int = 1  # goes up with every change, so that a card knows that it is stale


class CaseEvent(SQLModel, table=True):
    """What happened to a case: who, when, what. Rows are only ever added."""

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id", index=True)
    at: datetime
    who: str
    kind: str = Field(default="changed", index=True)  # one of EventKind
    what: str


def waiting_cases(session: Session) -> list[Case]:
    """Every case that someone must still act on, the most urgent first, then by when it is due."""
    waiting = session.exec(select(Case).where(col(Case.state).in_(WAITING))).all()
    return sorted(waiting, key=lambda case: (RANK[case.urgency], case.due_at))


def open_case(session: Session, case: Case, why: str, who: str = US) -> Case:
    """Store a new case with its first event; the caller commits."""
    session.add(case)
    session.flush()
    note(session, case, case.opened_at, who, "opened", f"opened: {why}")
    return case


def join(
    session: Session,
    case: Case,
    what: str,
    urgency: str,
    channel: str,
    clock_from: datetime,
    due_at: datetime,
    now: datetime,
) -> None:
    """Another post belongs to `case`: it counts, may raise it, wakes and reopens it; the caller commits.

    A copy says nothing that people have not dealt with, so it reopens nothing.
    """
    case.posts += 1
    case.version += 1
    note(session, case, now, US, "joined", what)
    if what == COPY:
        session.add(case)
        return
    wake(session, case, US, now)
    if case.state not in WAITING:
        _reopen(session, case, clock_from, due_at, now)
    raise_urgency(session, case, urgency, channel, clock_from, due_at, now)


def raise_urgency(
    session: Session, case: Case, urgency: str, channel: str, clock_from: datetime, due_at: datetime, now: datetime
) -> None:
    """Make a case more urgent, never less; one that was over is open again. The caller commits."""
    if RANK[urgency] < RANK[case.urgency]:
        note(session, case, now, US, "raised", f"now {urgency}, was {case.urgency}")
        wake(session, case, US, now)
        if case.state not in WAITING:
            _reopen(session, case, clock_from, due_at, now)
        case.urgency, case.channel, case.due_at = urgency, channel, min(due_at, case.due_at)
        case.version += 1
        if urgency == "danger":
            to_everybody(session, case, US, now)
    session.add(case)


def to_everybody(session: Session, case: Case, who: str, now: datetime) -> None:
    """Danger is claimed anew: who took up something less may have gone home, and nobody is paged for what somebody has.
    The caller commits."""
    if case.state == "claimed":
        case.state, case.owner, case.claimed_at = "open", None, None
        note(session, case, now, who, "given_back", "it is danger now: whoever is on call takes it")
    session.add(case)


def _reopen(session: Session, case: Case, clock_from: datetime, due_at: datetime, now: datetime) -> None:
    """The clock starts with what the author has said since, not when we heard of it."""
    note(session, case, now, US, "reopened", "reopened")
    case.state, case.owner, case.claimed_at, case.answered_at, case.outcome = "open", None, None, None, None
    case.closed_at = None
    case.round += 1
    case.clock_from, case.due_at = clock_from, due_at


def move(
    session: Session, case_id: int, state: State, who: str, what: str, at: datetime, kind: EventKind | None = None
) -> bool:
    """Bring a case to `state` if it may go there from where it is now; False if someone else was first.

    One UPDATE with the condition in it: two people who press at once cannot both win. The caller commits.
    """
    values: dict[str, Any] = {"state": state, "version": col(Case.version) + 1}
    if state == "claimed":
        values |= {"owner": who, "claimed_at": at}
    if state == "answered":
        values["answered_at"] = at
    if state == "closed":
        values["closed_at"] = at
    if state == "open":  # nobody has it, and what was taken for an answer was none: the clock runs on
        values |= {"owner": None, "claimed_at": None, "answered_at": None, "closed_at": None, "outcome": None}
    changed = session.execute(
        update(Case).where(col(Case.id) == case_id, col(Case.state).in_(MOVES[state])).values(**values),
        execution_options={"synchronize_session": False},
    )
    assert isinstance(changed, CursorResult)
    if changed.rowcount != 1:
        return False
    session.expire_all()
    case = session.get_one(Case, case_id)
    if state != "claimed":
        wake(session, case, who, at)
    note(session, case, at, who, kind or _EVENT_OF[state], what)
    return True


def snooze(session: Session, case: Case, until: datetime, why: str, who: str, at: datetime) -> None:
    """Stop the clock until a time, with a reason; the caller commits."""
    wake(session, case, who, at)
    case.snoozed_at, case.snoozed_until, case.snooze_why = at, until, why
    case.version += 1
    session.add(case)
    note(session, case, at, who, "snoozed", f"snoozed: {why}")


def wake(session: Session, case: Case, who: str, at: datetime) -> None:
    """The clock of a snoozed case runs on: its target moves by as long as it stood still. The caller commits."""
    if case.snoozed_at is None or case.snoozed_until is None:
        return
    case.due_at += max(min(at, case.snoozed_until) - case.snoozed_at, timedelta())
    case.snoozed_at = case.snoozed_until = case.snooze_why = None
    case.version += 1
    session.add(case)
    note(session, case, at, who, "woken", "snooze over")


def forget_author(session: Session, case_id: int, now: datetime) -> None:
    """A post of the case is gone: nobody is named any more, and its card must be shown anew. The caller commits."""
    case = session.get_one(Case, case_id, with_for_update=True)
    case.author = None
    changed(session, case, now, US, "forgotten", "a post of it is gone at its place, or was kept as long as it may be")


def forget_before(session: Session, case_id: int, now: datetime) -> None:
    """A post that one of the case answers is gone: its card must not quote it any more. The caller commits."""
    case = session.get_one(Case, case_id, with_for_update=True)
    changed(
        session, case, now, US, "forgotten", "what it answers is gone at its place, or was kept as long as it may be"
    )


def changed(session: Session, case: Case, at: datetime, who: str, kind: EventKind, what: str) -> None:
    """Write down that a case is not as it was; its cards are shown anew. The caller commits."""
    case.version += 1
    session.add(case)
    note(session, case, at, who, kind, what)


def note(session: Session, case: Case, at: datetime, who: str, kind: EventKind, what: str) -> None:
    """Add an event; the caller commits."""
    assert case.id is not None
    session.add(CaseEvent(case_id=case.id, at=at, who=who, kind=kind, what=what))
