"""STAGE 6: what people do with a case, and what the hospital's own accounts did in public.

An action is a file in alerts/actions/ with LABEL (on the button), TO (the state it leads to) and WHAT (for the record).
"""

import importlib
import logging
import pkgutil
from datetime import datetime
from functools import cache
from typing import Protocol, cast

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, exists, func, select

import alerts.actions
from alerts.case import REOPENED, WAITING, Case, CaseEvent, State, move
from alerts.verdict import GOES_ON, Verdict
from listener.errors import NeedsPerson
from listener.mention import Mention

log = logging.getLogger(__name__)

OWN_ACCOUNT = "the hospital's account"


class Action(Protocol):
    """What a file in alerts/actions/ holds."""

    LABEL: str
    TO: State
    WHAT: str


@cache
def known_actions() -> dict[str, Action]:
    """Every action by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(alerts.actions.__path__))
    return {name: cast(Action, importlib.import_module(f"alerts.actions.{name}")) for name in names}


def act(session: Session, name: str, case_id: int, who: str, now: datetime) -> Case:
    """Do what person `who` asks and write it down; the case as it then is.

    Raises NeedsPerson when there is no such case, or someone else was first: the sentence says who.
    """
    action = known_actions().get(name)
    if action is None:
        raise NeedsPerson(f"no action {name!r}; there are {', '.join(known_actions())}")
    moved = move(session, case_id, action.TO, who, action.WHAT, now)
    if moved:
        session.commit()
        log.info("action=act case=%d do=%s", case_id, name)
    case = session.get(Case, case_id, populate_existing=True)
    if case is None:
        raise NeedsPerson(f"there is no case {case_id}; see call-light cases")
    if not moved:
        by = f" by {case.owner}" if case.owner else ""
        raise NeedsPerson(f"case {case_id} is {case.state}{by} already: {action.LABEL!r} cannot follow")
    return case


def contact(session: Session, case_id: int, who: str, now: datetime) -> str:
    """How the author of a case can be reached, for one person who is written down. Raises NeedsPerson."""
    author = session.exec(
        select(Mention.author).where(
            Case.id == case_id, Case.mention_id == Mention.id, col(Mention.author).is_not(None)
        )
    ).first()
    if author is None:
        raise NeedsPerson(f"nobody left a way to be reached in case {case_id}, or what they left is gone")
    session.add(CaseEvent(case_id=case_id, at=now, who=who, what="looked up how to reach its author"))
    session.commit()
    log.info("action=contact case=%d", case_id)
    return author


def own_replies(session: Session, now: datetime) -> int:
    """Stop the reply clock of every case that the hospital answered in public; how many.

    A reply counts when it answers a post of the case, was written after the case's clock began and after the last
    post of the case, and nobody has reopened the case since.
    """
    moved = 0
    for case_id, written_at in _replied(session):
        # A clock ahead of ours must not make the answer later than it can be.
        moved += move(session, case_id, "answered", OWN_ACCOUNT, "replied in public", min(written_at, now))
    session.commit()
    return moved


def _replied(session: Session) -> list[tuple[int, datetime]]:
    """Each waiting case that has a reply which counts, and when the first of these was written."""
    reply, post, other = aliased(Mention), aliased(Mention), aliased(Mention)
    verdict, newer, others = aliased(Verdict), aliased(Verdict), aliased(Verdict)
    in_force = ~exists().where(col(newer.mention_id) == verdict.mention_id, col(newer.id) > col(verdict.id))
    # Heard late and together: a reply from before the person's latest post does not answer that post.
    spoke_again = exists().where(
        *(col(others.case_id) == Case.id, col(others.mention_id) == other.id),
        *(col(other.written_at) > reply.written_at, col(others.reason) != GOES_ON),
    )
    reopened = exists().where(
        col(CaseEvent.case_id) == Case.id, col(CaseEvent.what) == REOPENED, col(CaseEvent.at) >= reply.written_at
    )
    found = session.exec(
        select(Case.id, func.min(reply.written_at))
        .where(
            col(reply.own).is_(True),
            reply.answers == post.ref,
            reply.source == post.source,
            verdict.mention_id == post.id,
            in_force,
            verdict.case_id == Case.id,
            col(Case.state).in_(WAITING),
            reply.written_at >= Case.clock_from,
            ~spoke_again,
            ~reopened,
        )
        .group_by(col(Case.id))
    )
    return [(case_id, written_at) for case_id, written_at in found if case_id is not None]
