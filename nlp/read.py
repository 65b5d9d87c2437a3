"""STAGE 3: read every mention that has no reading of this pipeline version. Newest first: danger must not wait behind old posts."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, and_, col, exists, select

from listener.mention import Mention
from nlp.pipeline import Reader, Text, unread
from nlp.reading import Reading

log = logging.getLogger(__name__)

BATCH = 500
_WANTED: tuple[Any, ...] = (
    *(Mention.id, Mention.source, Mention.ref, Mention.thread),
    *(Mention.text, Mention.about_us, Mention.own, Mention.revision),
)


def read(session: Session, reader: Reader, now: datetime, limit: int = BATCH) -> int:
    """Read up to `limit` mentions and commit; how many were read."""
    mentions = _unread(session, reader.version, limit)
    # Those that began a thread first: what follows in it is then known to be about us.
    for part in ([m for m in mentions if not _answers(m)], [m for m in mentions if _answers(m)]):
        if part:
            session.execute(insert(Reading), _rows(session, reader, part, now))
    if mentions:
        session.commit()
        log.info("action=read count=%d version=%s", len(mentions), reader.version)
    return len(mentions)


def _answers(mention: Any) -> bool:
    return bool(mention.thread is not None and mention.thread != mention.ref)


def _rows(session: Session, reader: Reader, mentions: Sequence[Any], now: datetime) -> list[dict[str, Any]]:
    in_threads = _threads_about_us(session, mentions)
    texts = [Text(m.text, m.about_us or (m.source, m.thread) in in_threads, m.own) for m in mentions]
    said = _said(reader, texts, [mention.id for mention in mentions])
    read_by = {"pipeline_version": reader.version, "read_at": now}
    return [
        {**fields, **read_by, "mention_id": mention.id, "revision": mention.revision}
        for mention, fields in zip(mentions, said, strict=True)
    ]


def _said(reader: Reader, texts: Sequence[Text], ids: Sequence[int]) -> list[dict[str, Any]]:
    """What each text says. One that breaks the reader goes to people unread: it must not hold up the others."""
    try:
        return list(reader.read(texts))
    except Exception as error:
        if len(texts) > 1:
            return [fields for text, id_ in zip(texts, ids, strict=True) for fields in _said(reader, [text], [id_])]
        log.error("action=read mention=%s error=%s", ids[0], type(error).__name__)
        return [unread(f"the program could not read it ({type(error).__name__}): a person must")]


def _unread(session: Session, version: str, limit: int) -> Sequence[Any]:
    read_already = exists().where(
        and_(
            col(Reading.mention_id) == Mention.id,
            col(Reading.revision) == Mention.revision,
            col(Reading.pipeline_version) == version,
        )
    )
    unread = select(*_WANTED).where(~read_already, col(Mention.deleted_at).is_(None))
    return session.execute(unread.order_by(col(Mention.id).desc()).limit(limit)).all()


def _threads_about_us(session: Session, mentions: Sequence[Any]) -> set[tuple[str, str | None]]:
    """The threads of these mentions in which a post names us: what is said there without a name is about us too."""
    threads = {mention.thread for mention in mentions if _answers(mention)}
    found: set[tuple[str, str | None]] = set()
    if threads:
        named = select(Mention.source, Mention.thread, Reading.mentions_us).where(
            col(Reading.mention_id) == Mention.id, col(Mention.thread).in_(threads)
        )
        found = {(source, thread) for source, thread, names in session.exec(named) if names}
    return found
