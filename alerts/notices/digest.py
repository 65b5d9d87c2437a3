"""Digests: what asks for nothing by itself, in one message an hour."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session, and_, col, exists, func, select

from alerts.case import RANK
from alerts.delivery import Delivery, DigestLine, pending
from alerts.message import DIGEST_LINES, DigestItem, Message, digest
from alerts.verdict import Verdict, verdict_in_force
from alerts.view import newest_reading
from config.schema import Config
from listener.deletions import gone_since
from listener.mention import Mention
from nlp.reading import Reading

_RANK = len(RANK) + 1  # after every card and note
_TITLES = {"praise": "Kind words", "care": "Remarks", "ops": "In the news"}


class Waits(NamedTuple):
    """A post that goes into a digest and is in none yet; of praise whom it names."""

    mention_id: int
    channel: str | None
    decided_at: datetime
    staff: Sequence[str] | None
    departments: Sequence[str] | None


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """Digests of what waited long enough, in messages of DIGEST_LINES."""
    oldest = session.exec(select(func.min(Verdict.decided_at)).where(*_in_no_digest())).one()
    if oldest is None or now - oldest < config.care.digest.every:  # asked each second, and true once an hour
        return
    waiting = [one for one in without_line(session) if not names_somebody(config, one)]
    for channel in dict.fromkeys(one.channel for one in waiting):
        lines = [one for one in waiting if one.channel == channel]
        if channel is None or now - min(one.decided_at for one in lines) < config.care.digest.every:
            continue
        for start in range(0, len(lines), DIGEST_LINES):
            row = pending("digest", f"digest:{lines[start].mention_id}", channel, _RANK, now)
            session.add(row)
            session.flush()
            assert row.id is not None
            for one in lines[start : start + DIGEST_LINES]:
                session.add(DigestLine(mention_id=one.mention_id, delivery_id=row.id))


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """Its lines without those that are gone by now."""
    title = _TITLES.get(row.channel, "Digest")
    return digest(_items(session, row), title, row.key, config.hospital.zone), gone_from(session, row)


def stale(session: Session, config: Config, may: Any, now: datetime) -> Sequence[Delivery]:
    """Digests that were sent before a post in them was gone."""
    return with_gone_lines(session, "digest", may, now)


def with_gone_lines(session: Session, kind: str, may: Any, now: datetime) -> list[Delivery]:
    """Messages of a kind that quote a post which is gone since they were written."""
    lately = col(Mention.deleted_at) > gone_since(session, now)
    quoting = (
        select(Delivery)
        .where(col(DigestLine.delivery_id) == Delivery.id, DigestLine.mention_id == Mention.id, lately, may)
        .where(Delivery.kind == kind)
        .distinct()
    )
    return [row for row in session.exec(quoting) if gone_from(session, row) > row.shown_version]


def without_line(session: Session, only_praise: bool = False) -> list[Waits]:
    """What is decided to go into a digest and is in none yet."""
    of_praise = and_(col(Reading.id) == Verdict.reading_id, col(Reading.kind) == "praise")
    # Not the whole rows: thousands may wait for their hour.
    wanted: tuple[Any, ...] = (
        Verdict.mention_id,
        Verdict.channel,
        Verdict.decided_at,
        Reading.staff,
        Reading.departments,
    )
    waiting = select(*wanted).join(Reading, of_praise, isouter=not only_praise).where(*_in_no_digest())
    return [Waits(*row) for row in session.execute(waiting.order_by(col(Verdict.mention_id)))]


def _in_no_digest() -> tuple[Any, ...]:
    lined = exists().where(col(DigestLine.mention_id) == Verdict.mention_id)
    return Verdict.outcome == "digest", ~lined, verdict_in_force()


def names_somebody(config: Config, one: Waits) -> bool:
    """Whether it is praise of a department or one of the staff, which praise.py tells at once."""
    return config.care.recognition is not None and bool(one.staff or one.departments)


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
