"""Praise that names a department or one of the staff, told at once, so that it reaches who earned it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from alerts.case import RANK
from alerts.delivery import Delivery, DigestLine, pending
from alerts.message import LINE, Message, escape, header, link, place, plain, shorten
from alerts.notices.digest import gone_from, names_somebody, with_gone_lines, without_line
from alerts.view import newest_reading
from config.schema import Config
from listener.mention import Mention

_RANK = len(RANK) + 1  # after every card and note
_URL = 2000
_EXCERPT = 3 * LINE


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """One message a post of praise that names somebody, in place of its line in a digest."""
    if config.care.recognition is None:
        return
    for one in without_line(session, only_praise=True):
        if not names_somebody(config, one):
            continue
        row = pending("praise", f"praise:{one.mention_id}", config.care.recognition, _RANK, now)
        session.add(row)
        session.flush()
        assert row.id is not None
        session.add(DigestLine(mention_id=one.mention_id, delivery_id=row.id))


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """Whom it thanks, and the words without any patient's name."""
    mention = session.exec(
        select(Mention).where(col(DigestLine.mention_id) == Mention.id, DigestLine.delivery_id == row.id)
    ).one()
    reading = newest_reading(session, mention.id or 0)
    who = ", ".join([*reading.staff, *reading.departments[:2], *([reading.site] if reading.site else [])])
    title = shorten(f"💚 Praise for {who}" if who and mention.deleted_at is None else "💚 Praise", 150)
    words = f"({mention.deleted_why})" if mention.deleted_at else shorten(reading.redacted_text, _EXCERPT)
    posted = f"{mention.written_at.astimezone(config.hospital.zone):%a %H:%M} on {place(mention.source)}"
    blocks: list[dict[str, Any]] = [header(title), {"type": "section", "text": plain(words or "(no words)")}]
    if there := link(mention.url, f"Open on {place(mention.source)}", _URL):
        blocks.append({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [there]}]})
    blocks.append({"type": "context", "elements": [plain(f"Posted {posted}. Please pass it on to them.")]})
    metadata = {"event_type": "call_light_praise", "event_payload": {"delivery": row.key}}
    message = Message(escape(title), blocks, metadata, title, words, (("Posted", posted),))
    return message, gone_from(session, row)


def stale(session: Session, config: Config, may: Any, now: datetime) -> Sequence[Delivery]:
    """Praise whose post is gone since."""
    return with_gone_lines(session, "praise", may, now)
