"""The clocks of waiting cases: takes each step that is due once, ends snoozes, and gives back what its owner leaves lying.

clockface.py says which steps there are and when; notices/reminder.py tells people of those taken here.
"""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from alerts.answer import Answer
from alerts.case import COPY, US, WAITING, Case, CaseEvent, changed, move, note, wake
from alerts.clockface import Step, loudest, steps
from alerts.delivery import POST, Reminder
from config.schema import Config
from listener.logs import logger

log = logger(__name__)

_LATELY = timedelta(hours=1)
_SENDING = timedelta(minutes=2)  # longer than any request: whoever was sending is gone


def remind(session: Session, config: Config, now: datetime) -> int:
    """Take every step that is due by now, and commit; how many."""
    count = _give_up_sending(session, now)
    taken = _taken(session)
    for case in session.exec(select(Case).where(col(Case.state).in_(WAITING))).all():
        if case.snoozed_until is not None and case.snoozed_until <= now:
            wake(session, case, US, now)
        due = steps(case, config.hospital, config.care, now)
        if new := [step for step in due if (case.id, case.round, step.name) not in taken]:
            _take(session, case, new, now)
            count += len(new)
    count += _new_posts(session, taken, now)
    session.commit()
    if count:
        log.info("remind", count=count)
    return count


def _taken(session: Session) -> set[tuple[int, int, str]]:
    rows = select(Reminder.case_id, Reminder.round, Reminder.step).where(Reminder.case_id == Case.id)
    return {(case_id, round_, step) for case_id, round_, step in session.exec(rows.where(col(Case.state).in_(WAITING)))}


def _take(session: Session, case: Case, new: list[Step], now: datetime) -> None:
    """Write the steps down. After an outage several fall together: people are told of the loudest alone."""
    assert case.id is not None
    told = loudest(new)
    for step in new:
        tells = step.to if step is told else None
        session.add(Reminder(case_id=case.id, round=case.round, step=step.name, at=now, tells=tells))
    if told.to == "team":
        move(session, case.id, "open", US, "went back to the team: claimed, and no reply", now, "given_back")
    else:
        note(session, case, now, US, "reminded", f"told the {told.to}: {told.name}")


def _new_posts(session: Session, taken: set[tuple[int, int, str]], now: datetime) -> int:
    """Somebody has a case, and its author says more: its card changes silently, so its owner is told."""
    joined = (
        select(CaseEvent, Case)
        .where(CaseEvent.case_id == Case.id, CaseEvent.kind == "joined", CaseEvent.what != COPY)
        .where(Case.state == "claimed", CaseEvent.at > col(Case.claimed_at), CaseEvent.at > now - _LATELY)
    )
    count = 0
    for event, case in session.exec(joined).all():
        step = f"{POST} {event.id}"
        if (case.id, case.round, step) not in taken:
            session.add(Reminder(case_id=event.case_id, round=case.round, step=step, at=now, tells="owner"))
            count += 1
    return count


def _give_up_sending(session: Session, now: datetime) -> int:
    """A reply whose sending was cut off: nobody knows whether it is public, and its card says so."""
    cut_off = select(Answer).where(Answer.state == "sending", col(Answer.sent_at) < now - _SENDING)
    answers = session.exec(cut_off).all()
    for answer in answers:
        session.execute(update(Answer).where(col(Answer.id) == answer.id).values(state="unknown"))
        changed(
            session,
            session.get_one(Case, answer.case_id),
            now,
            US,
            "changed",
            "it is not known whether the reply was posted",
        )
    return len(answers)
