"""Digests: what asks for nothing by itself, in one message an hour."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, exists, func, select

from alerts.case import RANK
from alerts.delivery import Delivery, DigestLine, pending
from alerts.message import DIGEST_LINES, DigestItem, Message, digest
from alerts.verdict import Verdict
from alerts.view import newest_reading
from config.schema import Config
from listener.mention import Mention
from nlp.reading import Reading

FORGETS = timedelta(days=7)  # so far back it is looked for what is gone: far longer than any stop
_RANK = len(RANK) + 1  # after every card and note
_TITLES = {"praise": "Kind words", "care": "Remarks", "ops": "In the news"}


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """Digests of what waited long enough, in messages of DIGEST_LINES."""
    waiting = [verdict for verdict, reading in without_line(session) if not names_somebody(config, reading)]
    for channel in dict.fromkeys(verdict.channel for verdict in waiting):
        lines = [verdict for verdict in waiting if verdict.channel == channel]
        if channel is None or now - min(verdict.decided_at for verdict in lines) < config.care.digest.every:
            continue
        for start in range(0, len(lines), DIGEST_LINES):
            row = pending("digest", f"digest:{lines[start].mention_id}", channel, _RANK, now)
            session.add(row)
            session.flush()
            assert row.id is not None
            for verdict in lines[start : start + DIGEST_LINES]:
                session.add(DigestLine(mention_id=verdict.mention_id, delivery_id=row.id))


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """Its lines without those that are gone by now."""
    title = _TITLES.get(row.channel, "Digest")
    return digest(_items(session, row), title, row.key, config.hospital.zone), gone_from(session, row)


def stale(session: Session, config: Config, may: Any, now: datetime) -> Sequence[Delivery]:
    """Digests that were sent before a post in them was gone."""
    return with_gone_lines(session, "digest", may, now)


def with_gone_lines(session: Session, kind: str, may: Any, now: datetime) -> list[Delivery]:
    """Messages of a kind that quote a post which is gone since they were written."""
    lately = col(Mention.deleted_at) > now - FORGETS
    quoting = (
        select(Delivery)
        .where(col(DigestLine.delivery_id) == Delivery.id, DigestLine.mention_id == Mention.id, lately, may)
        .where(Delivery.kind == kind)
        .distinct()
    )
    return [row for row in session.exec(quoting) if gone_from(session, row) > row.shown_version]


def without_line(session: Session) -> Sequence[tuple[Verdict, Reading | None]]:
    """What is decided to go into a digest and is in none yet; of praise with its reading."""
    newer = aliased(Verdict)
    is_old = exists().where(col(newer.mention_id) == Verdict.mention_id, col(newer.id) > col(Verdict.id))
    lined = exists().where(col(DigestLine.mention_id) == Verdict.mention_id)
    of_praise = and_(col(Reading.id) == Verdict.reading_id, col(Reading.kind) == "praise")
    waiting = select(Verdict, Reading).join(Reading, of_praise, isouter=True)
    waiting = waiting.where(Verdict.outcome == "digest", ~lined, ~is_old)
    return session.exec(waiting.order_by(col(Verdict.mention_id))).all()


def names_somebody(config: Config, reading: Reading | None) -> bool:
    """Whether it is praise of a department or one of the staff, which praise.py tells at once."""
    return config.care.recognition is not None and reading is not None and bool(reading.staff or reading.departments)


def gone_from(session: Session, row: Delivery) -> int:
    """How many posts that a message was made of are gone by now."""
    lines = select(DigestLine.mention_id).where(DigestLine.delivery_id == row.id)
    gone = select(func.count()).select_from(Mention).where(col(Mention.deleted_at).is_not(None))
    return session.exec(gone.where(col(Mention.id).in_(lines))).one()


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
