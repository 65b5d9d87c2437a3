"""STAGE 3: read every mention that has no reading of this pipeline version. Newest first: danger must not wait behind old posts.

A fragment is read with what the same person said just before in the same thread: "3/3 and nobody came" says little alone.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, update
from sqlmodel import Session, and_, col, exists, select

from listener.mention import Mention
from nlp.pipeline import Reader, Text, unread
from nlp.reading import URGENCIES, Reading, ReadWith

log = logging.getLogger(__name__)

BATCH = 500
_ONE_STORY = timedelta(hours=1)  # so long after the last part the next one still belongs to what was being told
_PARTS = 10  # that are read together
_FORGETS = timedelta(days=7)  # so far back it is looked for what is gone: far longer than any stop
_OF_THE_STORY = ("voice", "kind", "urgency", "danger_of", "signs", "readable", "language")
_WANTED: tuple[Any, ...] = (
    *(Mention.id, Mention.source, Mention.ref, Mention.thread, Mention.author, Mention.written_at),
    *(Mention.text, Mention.about_us, Mention.own, Mention.revision, Mention.place),
)


def read(session: Session, reader: Reader, now: datetime, limit: int = BATCH) -> int:
    """Read up to `limit` mentions and commit; how many were read."""
    mentions = _unread(session, reader.version, limit)
    # Those that began a thread first: what follows in it is then known to be about us.
    for part in ([m for m in mentions if not _answers(m)], [m for m in mentions if _answers(m)]):
        if part:
            rows = _rows(session, reader, part, now)
            _note_what_with(session, reader, now)
            session.execute(insert(Reading), rows)
    if mentions:
        session.commit()
        log.info("action=read count=%d version=%s", len(mentions), reader.version)
    return len(mentions)


def _note_what_with(session: Session, reader: Reader, now: datetime) -> None:
    """Write down what posts are read with, if it is not what they were read with last: also when it is taken back."""
    newest = select(ReadWith.pipeline_version).order_by(col(ReadWith.id).desc()).limit(1)
    if session.exec(newest).first() == reader.version:
        return
    known = select(ReadWith.id).where(ReadWith.pipeline_version == reader.version).limit(1)
    kept = None if session.exec(known).first() else [list(line) for line in reader.lines]
    session.add(ReadWith(pipeline_version=reader.version, since=now, lines=kept))


def _answers(mention: Any) -> bool:
    return bool(mention.thread is not None and mention.thread != mention.ref)


def _rows(session: Session, reader: Reader, mentions: Sequence[Any], now: datetime) -> list[dict[str, Any]]:
    in_threads = _threads_about_us(session, mentions)
    texts = [Text(m.text, m.about_us or (m.source, m.thread) in in_threads, m.own, m.place) for m in mentions]
    session.commit()  # no transaction while the reader thinks: somebody may be pressing a button
    said = _said(reader, texts, [mention.id for mention in mentions])
    _read_with_what_came_before(session, reader, mentions, texts, said)
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


def _read_with_what_came_before(
    session: Session, reader: Reader, mentions: Sequence[Any], texts: Sequence[Text], said: list[dict[str, Any]]
) -> None:
    """Where a post and what its author said just before are worse together than each alone, that is what is meant."""
    parts = [
        (at, before)
        for at, mention in enumerate(mentions)
        if _answers(mention) and mention.author and (before := _said_before(session, mention))
    ]
    ids = [mentions[at].id for at, _ in parts]
    session.commit()
    befores = _said(reader, [replace(texts[at], text=before) for at, before in parts], ids)
    together = [replace(texts[at], text=f"{before} {texts[at].text}") for at, before in parts]
    for (at, _), alone, whole in zip(parts, befores, _said(reader, together, ids), strict=True):
        if _urgency(whole) < min(_urgency(alone), _urgency(said[at])):
            reasons = ["read with what the same person said just before", *whole["reasons"]]
            taken = {name: whole[name] for name in _OF_THE_STORY}
            said[at] = {**said[at], **taken, "staff": [], "reasons": reasons}


def _urgency(fields: dict[str, Any]) -> int:
    return URGENCIES.index(fields["urgency"])


def _said_before(session: Session, mention: Any) -> str:
    """The earlier parts of a story that its author tells in several posts of one thread."""
    earlier = select(Mention.text, Mention.written_at).where(
        Mention.source == mention.source,
        Mention.thread == mention.thread,
        Mention.author == mention.author,
        Mention.written_at < mention.written_at,
        Mention.written_at > mention.written_at - _PARTS * _ONE_STORY,
        col(Mention.deleted_at).is_(None),
    )
    parts: list[str] = []
    later = mention.written_at
    for text, written_at in session.exec(earlier.order_by(col(Mention.written_at).desc()).limit(_PARTS)):
        if later - written_at > _ONE_STORY:
            break
        parts.insert(0, text)
        later = written_at
    return " ".join(parts)  # people break off in the middle of a sentence


def forget(session: Session, now: datetime) -> int:
    """Take out of the readings what they quote of posts that are gone; how many. What was counted of them stays counted."""
    gone = session.exec(
        select(Reading.id, Reading.categories)
        .where(col(Reading.mention_id) == Mention.id, col(Reading.forgotten).is_(False))
        .where(col(Mention.deleted_at) > now - _FORGETS)
    ).all()
    for id_, categories in gone:
        quoted: dict[str, Any] = {"redacted_text": "", "reasons": [], "mentions_us": [], "forgotten": True}
        quoted |= {"signs": [], "staff": []}
        quoted["categories"] = [{**category, "words": []} for category in categories]
        session.execute(update(Reading).where(col(Reading.id) == id_).values(**quoted))
    session.commit()
    return len(gone)


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
