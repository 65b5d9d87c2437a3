"""Pages to the people on call: danger that nobody has claimed, at once and again until somebody does. No word of the post."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, exists, select

from alerts.case import RANK, US, Case, CaseEvent, note
from alerts.delivery import PAGE, Delivery, pending
from alerts.message import Message
from alerts.view import foremost, posts_of
from config.schema import Config
from listener import health

THROUGH = "pager"
_CHANNEL = "on-call"  # as no channel of Slack can be called here: they have no hyphens
_LATELY = timedelta(days=1)  # longer ago, a page is in the record of its case


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """The next page of each such case: one at a time, so that after an outage one goes out and not thirty."""
    _write_down(session, now)
    _drop_needless(session)
    for case in session.exec(select(Case).where(Case.urgency == "danger", Case.state == "open")).all():
        if case.snoozed_until is not None and case.snoozed_until > now:
            continue
        earlier = _pages(session, case)
        last = earlier[-1] if earlier else None
        if last is None or (last.sent_at is not None and now - last.sent_at >= config.care.escalation.danger_again):
            about = f"{PAGE}{case.id}:{case.round}:{len(earlier) + 1}"
            row = pending("page", about, _CHANNEL, RANK["danger"], now, case.id)
            row.round = case.round
            session.add(row)
    _watch_over(session, now)


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """Which case, what kind of danger, where, since when, who has it, and where to look."""
    case = session.get_one(Case, row.case_id)
    _, reading = foremost(posts_of(session, case))
    kind = reading.danger_of.replace("_", " ") if reading.danger_of else ""
    where = " ".join([*([reading.site] if reading.site else []), *reading.departments[:1]])
    posted = f"posted {case.clock_from.astimezone(config.hospital.zone):%a %H:%M}"
    has_it = "nobody has it" if case.state == "open" else f"it is {case.state}"
    # The number is in the title, as services that put pages of one matter together go by that.
    title = f"Call Light: DANGER, case {case.id}"
    said = f"{', '.join(filter(None, (kind, where, posted, has_it)))}. {_look(config)}"
    return Message(f"{title}: {said}", [], {}, title, said, urgency="danger"), 0


def _look(config: Config) -> str:
    there = config.care.slack.channels["danger"]
    return f"Slack {there}" if there.startswith("#") else "Slack, the channel for danger"


def _pages(session: Session, case: Case) -> Sequence[Delivery]:
    """Those of its round, the newest last."""
    rows = select(Delivery).where(Delivery.case_id == case.id, Delivery.kind == "page", Delivery.round == case.round)
    return session.exec(rows.order_by(col(Delivery.id))).all()


def _write_down(session: Session, now: datetime) -> None:
    """In the record of its case: how many services took a page."""
    noted = exists().where(
        col(CaseEvent.case_id) == Delivery.case_id,
        col(CaseEvent.kind) == "paged",
        col(CaseEvent.at) == Delivery.sent_at,
    )
    rows = select(Delivery, Case).where(Delivery.kind == "page", Delivery.state == "sent", Delivery.case_id == Case.id)
    for row, case in session.exec(rows.where(col(Delivery.sent_at) > now - _LATELY, ~noted)).all():
        assert row.sent_at is not None
        note(session, case, row.sent_at, US, "paged", f"paged the people on call by {row.place} services")


def _drop_needless(session: Session) -> None:
    """Somebody took the case up, or it is no danger, before its page left."""
    needed = exists().where(col(Case.id) == Delivery.case_id, col(Case.urgency) == "danger", col(Case.state) == "open")
    waiting = (col(Delivery.kind) == "page", col(Delivery.state) == "pending", ~needed)
    session.execute(delete(Delivery).where(*waiting), execution_options={"synchronize_session": "fetch"})


def _watch_over(session: Session, now: datetime) -> None:
    """People hear when pages do not reach everybody, once when it begins and once when it is over."""
    newest = select(Delivery).where(Delivery.kind == "page", Delivery.attempts > 0)
    page = session.exec(newest.order_by(col(Delivery.id).desc()).limit(1)).first()
    if page is None:
        return
    if page.trouble:
        health.raised(session, "the pager", "pager", page.trouble, "the pager reaches every address again", now)
    elif page.state == "sent":
        health.over(session, "the pager", "pager", now)
