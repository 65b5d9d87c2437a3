"""STAGE 5: the outbox. Every card, digest and note reaches people once.

First it writes down what has to be sent ("which case has no card?"), then it sends, the most urgent first. A row is
`sending` before the request leaves; after an unknown outcome, or a kill, the message is looked for before it is sent again.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, and_, col, exists, func, or_, select

from alerts.case import RANK, Case
from alerts.delivery import Delivery, DigestLine
from alerts.door import Door, Sent
from alerts.message import DIGEST_LINES, CaseView, DigestItem, Message, card, digest, note
from alerts.verdict import Verdict
from config.schema import Config
from listener.errors import CallLightError, NeedsPerson, OutcomeUnknown, TryLater
from listener.mention import Mention
from listener.watch import Gap
from nlp.reading import Reading

log = logging.getLogger(__name__)

_BACKOFF = (timedelta(seconds=5), timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=5))
_REPAIR = timedelta(minutes=2)  # until a person may have mended what needs one
_NOTE_RANK, _DIGEST_RANK = 6, 7
_DIGEST_TITLES = {"praise": "Kind words", "care": "Remarks", "ops": "In the news"}


@dataclass(frozen=True)
class Delivered:
    """What a pass came to."""

    sent: int = 0
    updated: int = 0
    waiting: int = 0


def deliver(
    session: Session, config: Config, door: Door, now: datetime, stop: Callable[[], bool] = lambda: False
) -> Delivered:
    """Write down what must be sent, then send what may be sent now."""
    _enqueue_cards(session, now)
    _enqueue_notes(session, now)
    _enqueue_digests(session, config, now)
    session.commit()
    sent = 0
    held: set[str] = set()  # channels that said to wait, in this pass
    while not stop() and (row := _next(session, now, held)):
        sent += _send(session, config, door, row, now, held)
    updated = 0 if stop() else _update_cards(session, config, door, now)
    waiting = session.exec(select(func.count()).select_from(Delivery).where(Delivery.state != "sent")).one()
    if sent or updated or waiting:
        log.info("action=deliver sent=%d updated=%d waiting=%d", sent, updated, waiting)
    return Delivered(sent, updated, waiting)


# ---------------------------------------------------------------- what must be sent


def _row(kind: str, about: str, channel: str, rank: int, now: datetime, case_id: int | None = None) -> Delivery:
    key = uuid.uuid4().hex
    return Delivery(
        key=key, kind=kind, about=about, channel=channel, rank=rank, created_at=now, next_try_at=now, case_id=case_id
    )


def _enqueue_cards(session: Session, now: datetime) -> None:
    """A card for each case that has none in its channel (a case that becomes danger gets one there too)."""
    has_card = exists().where(
        and_(col(Delivery.case_id) == Case.id, col(Delivery.channel) == Case.channel, col(Delivery.kind) == "card")
    )
    for case in session.exec(select(Case).where(~has_card).order_by(col(Case.id))).all():
        session.add(_row("card", f"case:{case.id}", case.channel, RANK[case.urgency], now, case.id))


def _enqueue_notes(session: Session, now: datetime) -> None:
    told = exists().where(col(Delivery.gap_id) == Gap.id)
    for gap in session.exec(select(Gap).where(~told)).all():
        row = _row("note", f"gap:{gap.id}", "health", _NOTE_RANK, now)
        row.gap_id = gap.id
        session.add(row)


def _enqueue_digests(session: Session, config: Config, now: datetime) -> None:
    """Digests of what waited long enough, in messages of DIGEST_LINES."""
    newest = select(func.max(Verdict.id)).group_by(col(Verdict.mention_id))
    lined = exists().where(col(DigestLine.mention_id) == Verdict.mention_id)
    waiting = session.exec(
        select(Verdict)
        .where(Verdict.outcome == "digest", ~lined, col(Verdict.id).in_(newest))
        .order_by(col(Verdict.mention_id))
    ).all()
    for channel in dict.fromkeys(verdict.channel for verdict in waiting):
        lines = [verdict for verdict in waiting if verdict.channel == channel]
        if channel is None or now - min(verdict.decided_at for verdict in lines) < config.care.digest.every:
            continue
        for start in range(0, len(lines), DIGEST_LINES):
            row = _row("digest", f"digest:{now.isoformat()}:{start}", channel, _DIGEST_RANK, now)
            session.add(row)
            session.flush()
            assert row.id is not None
            for verdict in lines[start : start + DIGEST_LINES]:
                session.add(DigestLine(mention_id=verdict.mention_id, delivery_id=row.id))


# ---------------------------------------------------------------- sending


def _next(session: Session, now: datetime, held: set[str]) -> Delivery | None:
    """The most urgent message that may be sent now. Asked anew each time: danger that came meanwhile goes first."""
    waiting = select(Delivery).where(
        col(Delivery.state).in_(("pending", "sending")),
        col(Delivery.next_try_at) <= now,
        col(Delivery.channel).not_in(held),
    )
    return session.exec(waiting.order_by(col(Delivery.rank), col(Delivery.id)).limit(1)).first()


def _send(session: Session, config: Config, door: Door, row: Delivery, now: datetime, held: set[str]) -> bool:
    was_cut_off = row.state == "sending"
    message, version = _message(session, config, row, now)
    row.state, row.attempts = "sending", row.attempts + 1
    row.next_try_at = now + _BACKOFF[min(row.attempts, len(_BACKOFF)) - 1]
    session.add(row)
    session.commit()
    try:
        found = (
            door.find(row.channel, row.key, row.created_at, _place_of(session, row.channel, door))
            if was_cut_off
            else None
        )
        sent = found or door.post(row.channel, message, row.key)
    except CallLightError as error:
        _put_off(session, row, error, was_cut_off, now, held)
        return False
    # A card that was found may have been sent before the case changed.
    row.shown_version = 0 if found else version
    row.state, row.trouble, row.sent_at, row.door, row.place, row.ref = (
        "sent",
        None,
        now,
        door.name,
        sent.place,
        sent.ref,
    )
    session.add(row)
    session.commit()
    log.info(
        "action=send kind=%s delivery=%s case=%s channel=%s attempts=%d",
        row.kind,
        row.id,
        row.case_id,
        row.channel,
        row.attempts,
    )
    return True


def _put_off(
    session: Session, row: Delivery, error: CallLightError, was_cut_off: bool, now: datetime, held: set[str]
) -> None:
    """Back to the queue: `sending` stays where the outcome is unknown, so that it is looked for first."""
    row.trouble = str(error)
    held.add(row.channel)
    if isinstance(error, OutcomeUnknown):
        pass
    elif not was_cut_off:
        row.state = "pending"
    if isinstance(error, NeedsPerson):
        row.next_try_at = now + _REPAIR
    if isinstance(error, TryLater) and error.at:
        row.next_try_at = max(error.at, now)
        same = and_(
            col(Delivery.channel) == row.channel,
            col(Delivery.state) != "sent",
            col(Delivery.next_try_at) < row.next_try_at,
        )
        session.execute(update(Delivery).where(same).values(next_try_at=row.next_try_at))
    session.add(row)
    session.commit()
    log.warning(
        "action=send delivery=%s case=%s channel=%s attempts=%d remedy=%s",
        row.id,
        row.case_id,
        row.channel,
        row.attempts,
        type(error).__name__,
    )


def _place_of(session: Session, channel: str, door: Door) -> str | None:
    """The door's name for a channel, as an earlier message taught it."""
    earlier = select(Delivery.place).where(Delivery.channel == channel, Delivery.door == door.name)
    return session.exec(earlier.order_by(col(Delivery.id).desc()).limit(1)).first()


def _update_cards(session: Session, config: Config, door: Door, now: datetime) -> int:
    """Edit the cards that no longer show their case as it is."""
    stale = session.exec(
        select(Delivery).where(
            col(Delivery.case_id) == Case.id,
            Delivery.state == "sent",
            Delivery.kind == "card",
            Delivery.door == door.name,
            col(Delivery.shown_version) < Case.version,
            or_(col(Delivery.next_try_at) <= now, col(Delivery.trouble).is_(None)),
        )
    ).all()
    updated = 0
    for row in stale:
        assert row.place is not None and row.ref is not None
        message, version = _message(session, config, row, now)
        try:
            door.update(Sent(row.place, row.ref), message)
        except CallLightError as error:
            row.trouble = str(error)
            row.next_try_at = (error.at if isinstance(error, TryLater) else None) or now + _REPAIR
            session.add(row)
            session.commit()
            break
        row.shown_version, row.trouble = version, None
        session.add(row)
        session.commit()
        updated += 1
    return updated


# ---------------------------------------------------------------- what a row says


def _message(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """The message of a row as things stand now, and the version of the case that it shows."""
    if row.kind == "card":
        case = session.get_one(Case, row.case_id)
        return card(_view(session, config, case, row.key), config.care.slack.oncall), case.version
    if row.kind == "digest":
        title = _DIGEST_TITLES.get(row.channel, "Digest")
        return digest(_items(session, row), title, row.key, config.hospital.zone), 0
    gap = session.get_one(Gap, row.gap_id)
    zone = config.hospital.zone
    since, until = (moment.astimezone(zone).strftime("%a %d %b %H:%M") for moment in (gap.since, gap.until))
    sentence = f"{gap.collector} could not be heard from {since} to {until}: {gap.why}. Posts of that time are not in the ledger; please look there by hand."
    return note(sentence, f"Not heard: {gap.collector}", row.key), 0


def newest_reading(session: Session, mention_id: int) -> Reading:
    """The reading of a mention that is in force."""
    readings = select(Reading).where(Reading.mention_id == mention_id)
    return session.exec(readings.order_by(col(Reading.id).desc())).first() or session.get_one(Reading, -1)


def _view(session: Session, config: Config, case: Case, key: str) -> CaseView:
    mention = session.get_one(Mention, case.mention_id)
    reading = _worst_reading(session, case)
    assert case.id is not None
    return CaseView(
        case_id=case.id,
        delivery_key=key,
        state=case.state,
        urgency=case.urgency,
        owner=case.owner,
        posts=case.posts,
        clock_from=case.clock_from,
        due_at=case.due_at,
        answered_at=case.answered_at,
        source=case.source,
        url=mention.url,
        reach=mention.reach,
        rating=mention.rating,
        redacted_text=reading.redacted_text,
        language=reading.language,
        readable=reading.readable,
        mood=reading.mood,
        kind=reading.kind,
        categories=reading.categories,
        titles={name: category.title for name, category in config.keywords.categories.items()},
        site=reading.site,
        departments=reading.departments,
        reasons=reading.reasons,
        deleted=mention.deleted_at is not None,
        zone=config.hospital.zone,
    )


def _worst_reading(session: Session, case: Case) -> Reading:
    """The reading of the case's most urgent post: that is what people must see."""
    verdicts = select(Verdict.mention_id).where(Verdict.case_id == case.id).distinct()
    readings = [newest_reading(session, mention_id) for mention_id in session.exec(verdicts)]
    return min(readings or [newest_reading(session, case.mention_id)], key=lambda reading: RANK[reading.urgency])


def _items(session: Session, row: Delivery) -> Sequence[DigestItem]:
    items = []
    lines = select(Mention).where(col(DigestLine.mention_id) == Mention.id, DigestLine.delivery_id == row.id)
    for mention in session.exec(lines.order_by(col(Mention.id))):
        assert mention.id is not None
        reading = newest_reading(session, mention.id)
        if mention.deleted_at is None:
            items.append(
                DigestItem(mention.source, mention.written_at, mention.url, reading.redacted_text, reading.mood)
            )
    return items
