"""The card under which a burst folds: it counts up, shows the most urgent, and gives each of them out."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from alerts.case import RANK, Case
from alerts.delivery import Delivery, Fold
from alerts.message import LINE, NAMES, SIGNS, Message, escape, header, place, plain, shorten
from alerts.view import foremost, posts_of
from config.schema import Config

EDIT_EVERY = timedelta(seconds=5)
_SHOWN = 8


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """Rows are made with the cards, which know what is too much."""


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """How many wait under it, the most urgent of them, and the button that gives out the next."""
    cases = folded(session, row)
    waiting = [case for case in cases if case.state == "open"]
    total = session.exec(select(func.count()).select_from(Fold).where(Fold.delivery_id == row.id)).one()
    many = "1 more case waits" if len(waiting) == 1 else f"{len(waiting)} more cases wait"
    title = f"📥 {many} here" if waiting else "📥 All of these were taken up"
    counts = Counter(case.urgency for case in waiting)
    lines = [(f"{SIGNS[urgency]} {NAMES[urgency]}", str(counts[urgency])) for urgency in RANK if counts[urgency]]
    said = [_line(session, case) for case in waiting[:_SHOWN]]
    more = [f"… and {len(waiting) - _SHOWN} more"] if len(waiting) > _SHOWN else []
    count = f"More than {config.care.bursts.cards} a minute came; {total} were folded, each is kept and its clock runs."
    blocks: list[dict[str, Any]] = [header(title), {"type": "context", "elements": [plain(count)]}]
    if waiting:
        blocks.append({"type": "section", "text": plain("\n".join([*said, *more]), emoji=True)})
        blocks.append({"type": "actions", "block_id": f"fold:{row.id}", "elements": [*_buttons(row)]})
    metadata = {"event_type": "call_light_fold", "event_payload": {"delivery": row.key}}
    message = Message(escape(title), blocks, metadata, title, "\n".join([*said, *more]), tuple(lines))
    return message, _version(session, row)


def stale(session: Session, config: Config, may: Any, now: datetime) -> Sequence[Delivery]:
    """Folds to which cases came, or whose cases moved on."""
    version = select(func.sum(Case.version)).where(Fold.case_id == Case.id, Fold.delivery_id == Delivery.id)
    rows = select(Delivery).where(Delivery.kind == "fold", may, col(Delivery.next_try_at) <= now)
    return session.exec(rows.where(col(Delivery.shown_version) < version.scalar_subquery())).all()


def folded(session: Session, row: Delivery) -> list[Case]:
    """The cases under it, the most urgent first, then by when they are due; those with a card of their own since, as
    they are danger now or were reopened, are none of them."""
    theirs = (Fold.case_id == Case.id, Fold.round == Case.round, Fold.delivery_id == row.id)
    cases = session.exec(select(Case).where(*theirs, Case.urgency != "danger")).all()
    return sorted(cases, key=lambda case: (RANK[case.urgency], case.due_at))


def _version(session: Session, row: Delivery) -> int:
    """Goes up with each case that comes and each change of one."""
    return (
        session.exec(select(func.sum(Case.version)).where(Fold.case_id == Case.id, Fold.delivery_id == row.id)).one()
        or 0
    )


def _line(session: Session, case: Case) -> str:
    _, reading = foremost(posts_of(session, case))
    words = shorten(reading.redacted_text, LINE).replace("\n", " ") or "(no words)"
    return f"{SIGNS[case.urgency]} {case.id} · {place(case.source)} · {words}"


def _buttons(row: Delivery) -> Sequence[dict[str, Any]]:
    value = str(row.id)
    return (
        {
            "type": "button",
            "action_id": "fold:next",
            "text": plain("Take the next"),
            "value": value,
            "style": "primary",
        },
        {"type": "button", "action_id": "fold:show", "text": plain("Show them"), "value": value},
    )
