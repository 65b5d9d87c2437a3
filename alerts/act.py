"""STAGE 6: what people do with a case, and what the hospital's own accounts did in public.

An action is a file in alerts/actions/ with
    LABEL                        what stands on its button
    ORDER                        its place among the others, the lowest first
    place(standing) -> "button" | "menu" | None    where the card of such a case offers it; None: it cannot be done now
    form(doing) -> Form          (may be left out) what it asks first
    check(doing)                 (may be left out) raises Refused for answers that will not do; only looks
    STAYS                        (may be left out) True: its modal stays open, and shows what came of it
    do(doing) -> Done            does it. Raises NeedsPerson, with the sentence that the person reads
It changes a case only through alerts/case.py, so that everything is written down. It is the same wherever it is
pressed: in Slack, in the terminal, on the page.
"""

import importlib
import pkgutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, Literal, Protocol, cast

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, exists, func, select

import alerts.actions
from alerts.answer import Answer, newest_answer, settled_by
from alerts.case import US, WAITING, Case, CaseEvent, EventKind, State, move, note
from alerts.form import Form, checked
from alerts.people import called
from alerts.verdict import GOES_ON, Verdict
from config.schema import Care, Config
from listener import stages
from listener.errors import NeedsPerson
from listener.logs import logger
from listener.mention import Mention

log = logger(__name__)

OWN_ACCOUNT = "the hospital's account"


@dataclass(frozen=True)
class Standing:
    """How a case stands, as far as it decides what can be done with it."""

    state: str
    urgency: str
    posts: int = 1
    is_snoozed: bool = False
    answer: str | None = None  # the state of the reply that somebody wrote
    can_tell: bool = False  # it was closed with an outcome that has words for the person, and nobody told them yet


@dataclass(frozen=True)
class Doing:
    """What an action is given. `answers` are those to its form, checked."""

    session: Session
    config: Config
    case: Case
    who: str
    now: datetime
    answers: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    seal: str | None = None  # of the exact words that the person was shown; None: it is not known what they saw

    @property
    def case_id(self) -> int:
        """Its number."""
        assert self.case.id is not None
        return self.case.id

    def move(self, state: State, what: str, kind: EventKind | None = None) -> None:
        """Bring the case to a state. Raises NeedsPerson when someone else was first: the sentence says who."""
        if not move(self.session, self.case_id, state, self.who, what, self.now, kind):
            self.session.expire_all()
            raise _too_late(self.session, self.session.get_one(Case, self.case_id), what)


@dataclass(frozen=True)
class Done:
    """What was done, as a sentence for who did it, and the action whose form follows."""

    sentence: str
    then: str | None = None


class Action(Protocol):
    """What a file in alerts/actions/ holds; form() is looked for."""

    LABEL: str
    ORDER: int

    def place(self, standing: Standing) -> Literal["button", "menu"] | None:
        """Where it is offered."""

    def do(self, doing: Doing) -> Done:
        """Do it."""


@cache
def known_actions() -> dict[str, Action]:
    """Every action by name, in the order in which cards offer them."""
    names = [module.name for module in pkgutil.iter_modules(alerts.actions.__path__)]
    actions = {name: cast(Action, importlib.import_module(f"alerts.actions.{name}")) for name in names}
    return dict(sorted(actions.items(), key=lambda item: (item[1].ORDER, item[0])))


def offered(standing: Standing) -> dict[str, Literal["button", "menu"]]:
    """The actions that a case in this standing allows: name -> "button" or "menu". Pure."""
    places = {name: action.place(standing) for name, action in known_actions().items()}
    return {name: place for name, place in places.items() if place is not None}


def standing(config: Config, case: Case, answer: Answer | None) -> Standing:
    """How a case stands, with the reply that somebody wrote for it. Pure."""
    return Standing(
        case.state,
        case.urgency,
        case.posts,
        case.snoozed_at is not None,
        answer.state if answer is not None else None,
        case.outcome is not None
        and any(case.outcome in one.when.outcome for one in config.care.replies.templates)
        and not _is_told(case, answer),
    )


def _is_told(case: Case, answer: Answer | None) -> bool:
    """Whether what became of a case is public: what was written after it was closed."""
    if answer is None or case.closed_at is None:
        return False
    return answer.state in ("sent", "by_hand") and answer.written_at >= case.closed_at


def permitted(care: Care, name: str, who: str, groups: Collection[str] = ()) -> bool:
    """Whether this person may do this action: care.toml names who may, or does not mention it. Pure."""
    members = care.permissions.get(name)
    return members is None or who in members or not set(groups).isdisjoint(members)


def form_of(doing: Doing, name: str) -> Form | None:
    """What the action asks, for this case as it now is. Raises NeedsPerson when it cannot be done."""
    action = _possible(doing, name)
    form: Form | None = action.form(doing) if hasattr(action, "form") else None
    return form


def act(
    session: Session,
    config: Config,
    name: str,
    case_id: int,
    who: str,
    now: datetime,
    given: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    seal: str | None = None,
) -> Done:
    """Do what person `who` asks, with their answers to its form, write it down, and commit.

    Raises Refused for answers that will not do, NeedsPerson when there is no such case, it cannot be done, or someone
    else was first: the sentence says who. Who may do it is asked of permitted() before.
    """
    with stages.timed("act") as of_it:
        doing = Doing(session, config, case_of(session, case_id), who, now, {}, secrets or {}, seal)
        doing = check(doing, name, given or {})
        done = known_actions()[name].do(doing)
        session.commit()
        of_it.done = 1
    log.info("act", case=case_id, do=name)
    return done


def check(doing: Doing, name: str, given: Mapping[str, Any]) -> Doing:
    """The same with the answers to the action's form. Only looks. Raises Refused, and NeedsPerson when it cannot be done."""
    form = form_of(doing, name)
    if form is not None and doing.seal not in (None, form.seal):
        raise NeedsPerson("these are not the words any more that you have read, so nothing was done: open it anew")
    doing = replace(doing, answers=checked(form or Form("", ""), given))
    action = known_actions()[name]
    if hasattr(action, "check"):
        action.check(doing)
    return doing


def case_of(session: Session, case_id: int, lock: bool = True) -> Case:
    """A case by its number, locked until the transaction ends. Raises NeedsPerson."""
    case = session.get(Case, case_id, populate_existing=True, with_for_update=lock)
    if case is None:
        raise NeedsPerson(f"there is no case {case_id}; see call-light cases")
    return case


def _possible(doing: Doing, name: str) -> Action:
    action = known_actions().get(name)
    if action is None:
        raise NeedsPerson(f"no action {name!r}; there are {', '.join(known_actions())}")
    answer = newest_answer(doing.session, doing.case_id)
    if action.place(standing(doing.config, doing.case, answer)) is None:
        raise _too_late(doing.session, doing.case, repr(action.LABEL))
    return action


def _too_late(session: Session, case: Case, what: str) -> NeedsPerson:
    by = f" by {called(session, case.owner)}" if case.owner else ""
    urgency = " and danger" if case.urgency == "danger" else ""
    return NeedsPerson(f"case {case.id} is {case.state}{by}{urgency} already: {what} cannot follow")


def contact(session: Session, case_id: int, who: str, now: datetime) -> str:
    """How the author of a case can be reached, for one person who is written down. Raises NeedsPerson."""
    author = session.exec(
        select(Mention.author).where(
            Case.id == case_id, Case.mention_id == Mention.id, col(Mention.author).is_not(None)
        )
    ).first()
    if author is None:
        raise NeedsPerson(f"nobody left a way to be reached in case {case_id}, or what they left is gone")
    note(session, session.get_one(Case, case_id), now, who, "contact", "looked up how to reach its author")
    session.commit()
    log.info("contact", case=case_id)
    return author


def own_replies(session: Session, now: datetime) -> int:
    """Stop the reply clock of every case that the hospital answered in public; how many.

    A reply counts when it answers a post of the case, was written after the case's clock began and after the last
    post of the case, and nobody has reopened the case since.
    """
    moved = 0
    for case_id, written_at in _replied(session):
        # A clock ahead of ours must not make the answer later than it can be.
        at = min(written_at, now)
        if move(session, case_id, "answered", OWN_ACCOUNT, "replied in public", at):
            settled_by(session, case_id)
            moved += 1
    session.commit()
    return moved


def _replied(session: Session) -> list[tuple[int, datetime]]:
    """Each waiting case that has a reply which counts, and when the first of these was written."""
    return [(case_id, written_at) for case_id, written_at in session.exec(_replies()) if case_id is not None]


@cache
def _replies() -> Any:
    """The question for them, asked with every pass. To put it together takes longer than to answer it."""
    reply, post, other = aliased(Mention), aliased(Mention), aliased(Mention)
    verdict, newer, others = aliased(Verdict), aliased(Verdict), aliased(Verdict)
    in_force = ~exists().where(col(newer.mention_id) == verdict.mention_id, col(newer.id) > col(verdict.id))
    # Heard late and together: a reply from before the person's latest post does not answer that post.
    spoke_again = exists().where(
        *(col(others.case_id) == Case.id, col(others.mention_id) == other.id),
        *(col(other.written_at) > reply.written_at, col(others.reason) != GOES_ON),
    )
    reopened = exists().where(
        *(col(CaseEvent.case_id) == Case.id, col(CaseEvent.kind) == "reopened", col(CaseEvent.who) != US),
        col(CaseEvent.at) >= reply.written_at,
    )
    return (
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
