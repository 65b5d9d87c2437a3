"""The card of each case, edited in place with every change. In a burst the least urgent fold under one card."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, and_, col, exists, func, or_, select

from alerts.card import card
from alerts.case import RANK, Case
from alerts.delivery import PAGE, Delivery, Fold, pending
from alerts.message import Message
from alerts.view import view
from config.schema import Config

_MINUTE = timedelta(minutes=1)
_BURST = timedelta(minutes=10)  # so long after its last case a fold takes further ones


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """A card for each case that has none in its channel: a case that becomes danger gets one there too, and one that a
    post reopens gets a new one, as nobody looks at the old one any more."""
    room: dict[str, int] = {}
    without = sorted(session.exec(_without_card()), key=lambda case: (RANK[case.urgency], case.id))
    for case in without:
        if case.channel not in room:
            room[case.channel] = config.care.bursts.cards - _lately(session, case.channel, now)
        if case.urgency != "danger" and room[case.channel] <= 0 and case.state == "open":
            _fold(session, case, now)
            continue
        room[case.channel] -= case.urgency != "danger"
        about = f"case:{case.id}" if case.round == 1 else f"case:{case.id}:{case.round}"
        row = pending("card", about, case.channel, RANK[case.urgency], now, case.id)
        row.round = case.round
        session.add(row)
    waiting = select(Delivery, Case.urgency).where(Delivery.case_id == Case.id, Delivery.state != "sent")
    for row, urgency in session.exec(waiting.where(Delivery.kind == "card")):
        row.rank = RANK[urgency]  # it may have become worse since


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """The card of a case as it now stands; what stands in for the danger channel is no card of another place."""
    case = session.get_one(Case, row.case_id)
    channel = None if row.about.startswith(PAGE) else row.channel
    return card(view(session, config, case, row.key, now, channel), config.care.slack.oncall), case.version


def stale(session: Session, config: Config, may: Any, now: datetime) -> Sequence[Delivery]:
    """Cards whose case has moved on."""
    is_old = and_(col(Delivery.kind) == "card", col(Delivery.shown_version) < Case.version)
    cards = select(Delivery).where(col(Delivery.case_id) == Case.id, is_old, may)
    return session.exec(cards.order_by(col(Delivery.rank), col(Delivery.id))).all()


def page(session: Session, channel: str, now: datetime) -> None:
    """Danger that cannot reach its channel goes to the care team too: a page that nobody sees is a person harmed."""
    paged = (col(Delivery.kind) == "card", col(Delivery.about).startswith(PAGE))
    has_page = exists().where(col(Delivery.case_id) == Case.id, *paged)
    stranded = select(Case.id).where(
        Case.channel == channel,
        Case.channel != "care",
        Case.urgency == "danger",
        col(Case.state).in_(("open", "claimed")),
        exists().where(
            *(col(Delivery.case_id) == Case.id, col(Delivery.kind) == "card", col(Delivery.channel) == channel),
            col(Delivery.state) != "sent",
        ),
        ~has_page,
    )
    for case_id in session.exec(stranded).all():
        session.add(pending("card", f"{PAGE}{case_id}", "care", RANK["danger"], now, case_id))


def _without_card() -> Any:
    """Cases without a card where they belong. A folded one gets its own once it is taken up, or is danger."""
    card_there = exists().where(
        and_(col(Delivery.case_id) == Case.id, col(Delivery.channel) == Case.channel, col(Delivery.kind) == "card"),
        col(Delivery.round) == Case.round,
    )
    folded = exists().where(col(Fold.case_id) == Case.id, col(Fold.round) == Case.round)
    stays_folded = and_(folded, col(Case.urgency) != "danger", col(Case.state) != "claimed")
    return select(Case).where(~card_there, ~stays_folded)


def _lately(session: Session, channel: str, now: datetime) -> int:
    """How many cards that are no danger the channel got in the last minute."""
    cards = select(func.count()).select_from(Delivery).where(Delivery.kind == "card", Delivery.channel == channel)
    lately = or_(col(Delivery.created_at) > now - _MINUTE, col(Delivery.state) != "sent")
    return session.exec(cards.where(Delivery.rank > 0, lately)).one()


def _fold(session: Session, case: Case, now: datetime) -> None:
    """Put a case under the card that counts up in its channel, or under a new one."""
    folds = select(Delivery).where(Delivery.kind == "fold", Delivery.channel == case.channel)
    fold = session.exec(folds.order_by(col(Delivery.id).desc()).limit(1)).first()
    if fold is None or now - fold.created_at > _BURST:
        fold = pending("fold", f"fold:{case.id}", case.channel, RANK["routine"], now)
        session.add(fold)
        session.flush()
    assert case.id is not None
    assert fold.id is not None
    session.add(Fold(case_id=case.id, round=case.round, delivery_id=fold.id))
    session.flush()
