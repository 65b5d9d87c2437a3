"""Answer: a public reply that a person wrote with the tool, from the words to their being public. Written by actions alone.

written (checked) -> sending -> sent            danger and serious: waiting -> written, by a second person
sending -> unknown (no answer came: look at the place before anyone sends again)
written -> by_hand (the person posts it on the site itself)      any that is not public yet -> withdrawn
"""

from datetime import datetime

from sqlalchemy import CursorResult, update
from sqlmodel import Field, Session, SQLModel, col, select

PENDING = ("waiting", "written")  # not public yet, and nobody is sending it


class Answer(SQLModel, table=True):
    """One row a draft that passed the privacy check. Its text is ours, never the author's."""

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id", index=True)
    mention_id: int = Field(foreign_key="mention.id")  # the post that it answers
    text: str
    written_by: str
    written_at: datetime
    approved_by: str | None = None  # the second person
    state: str
    trouble: str | None = None  # why it is not public
    sent_by: str | None = None
    sent_at: datetime | None = None
    ref: str | None = None  # the place's name for it
    url: str | None = None


def newest_answer(session: Session, case_id: int) -> Answer | None:
    """The last reply that somebody wrote for a case and did not withdraw."""
    answers = select(Answer).where(Answer.case_id == case_id, Answer.state != "withdrawn")
    return session.exec(answers.order_by(col(Answer.id).desc()).limit(1)).first()


def write(
    session: Session, case_id: int, mention_id: int, text: str, who: str, now: datetime, needs_second: bool
) -> Answer:
    """Store a reply that passed the check, in place of one that nobody has sent; the caller commits."""
    pending = (col(Answer.case_id) == case_id, col(Answer.state).in_(PENDING))
    session.execute(update(Answer).where(*pending).values(state="withdrawn"))
    answer = Answer(
        case_id=case_id,
        mention_id=mention_id,
        text=text,
        written_by=who,
        written_at=now,
        state="waiting" if needs_second else "written",
    )
    session.add(answer)
    session.flush()
    return answer


def take(session: Session, answer: Answer, to: str, **values: object) -> bool:
    """Bring an answer from the state it was seen in to another; False if someone else was first. The caller commits."""
    seen = (col(Answer.id) == answer.id, col(Answer.state) == answer.state)
    changed = session.execute(
        update(Answer).where(*seen).values(state=to, **values), execution_options={"synchronize_session": False}
    )
    assert isinstance(changed, CursorResult)
    session.expire(answer)
    return changed.rowcount == 1


def settled_by(session: Session, case_id: int) -> None:
    """The hospital's reply was heard: one whose outcome was unknown, or that a person posted, is public. The caller commits."""
    unsure = (col(Answer.case_id) == case_id, col(Answer.state).in_(("unknown", "by_hand", "sending")))
    session.execute(update(Answer).where(*unsure).values(state="sent", trouble=None))
