"""STAGE 3: read every mention that has no reading of this pipeline version. Newest first: danger must not wait behind old posts.

A fragment is read with what the same person said just before in the same thread: "3/3 and nobody came" says little alone.
After a change of the files the readings of posts that it cannot touch are taken over, the others are read again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import String, cast, insert, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, and_, col, exists, select

from listener.deletions import gone_since
from listener.logs import logger
from listener.mention import Mention
from nlp.pipeline import Reader, Text, unread
from nlp.reading import URGENCIES, Reading, ReadWith, reading_in_force
from nlp.tuning import Difference, Line

log = logger(__name__)

BATCH = 500
_AT_ONCE = 10_000  # posts whose readings are taken over before it is looked again what is new: about a second
_PARAMETERS = 5_000  # of one statement; SQLite takes 32,766
_ONE_STORY = timedelta(hours=1)  # so long after the last part the next one still belongs to what was being told
_PARTS = 10  # that are read together
_OF_THE_STORY = ("voice", "kind", "urgency", "danger_of", "signs", "readable", "language")
_WANTED: tuple[Any, ...] = (
    *(Mention.id, Mention.source, Mention.ref, Mention.thread, Mention.author, Mention.written_at),
    *(Mention.text, Mention.about_us, Mention.own, Mention.revision, Mention.place),
)


def read(session: Session, reader: Reader, now: datetime, limit: int = BATCH) -> int:
    """Read up to `limit` mentions, or take over readings that a change does not touch, and commit; how many are read now."""
    _take_up(session, reader, now)
    mentions, taken_over = _unread(session, reader.version, limit), 0
    if never_read := [mention for mention in mentions if mention.read_with is None]:
        mentions = never_read
    elif mentions:
        mentions, taken_over = _take_over(session, reader, mentions, limit)
    mentions = [*mentions, *_beginnings(session, reader.version, mentions)]
    # Those that began a thread first: what follows in it is then known to be about us.
    for part in ([m for m in mentions if not answers(m)], [m for m in mentions if answers(m)]):
        if part:
            rows = _rows(session, reader, part, now)
            _note_what_with(session, reader, now)
            try:
                session.execute(insert(Reading), rows)
            except IntegrityError:
                session.rollback()
                if not _is_read(session, rows):
                    raise
                return taken_over  # by another copy of the service, some of them: the next look says which
    if mentions:
        session.commit()
        ids = [mention.id for mention in mentions]
        log.info("read", count=len(ids), first=min(ids), last=max(ids), reader=reader.version)
    return len(mentions) + taken_over


# ---------------------------------------------------------------- after a change of the files


def _take_up(session: Session, reader: Reader, now: datetime) -> None:
    """Begin to read with something else than before. What was read with it once, and with other things since, is read again:
    the newest reading of a mention is in force."""
    newest = _newest_version(session)
    if newest is None or newest == reader.version:
        return
    in_force = reading_in_force()
    put_aside = col(Reading.pipeline_version).concat("~").concat(cast(col(Reading.id), String))
    session.execute(
        update(Reading)
        .where(col(Reading.pipeline_version) == reader.version, ~in_force)
        .values(pipeline_version=put_aside)
        .execution_options(synchronize_session=False)
    )
    _note_what_with(session, reader, now)
    session.commit()


def _take_over(session: Session, reader: Reader, mentions: Sequence[Any], limit: int) -> tuple[Sequence[Any], int]:
    """Take over the newest readings that are the same with this reader; which mentions are to be read again, of these or of
    the next ones, and how many were taken over. A crash in between is harmless: the next pass goes on."""
    known = _differences(session, reader, mentions)
    if all(mention.read_with not in known for mention in mentions):
        return mentions, 0
    mentions = _unread(session, reader.version, _AT_ONCE, mentions[0].id)
    known = _differences(session, reader, mentions)
    same = {mention.id: mention.reading_id for mention in mentions if mention.read_with in known}
    for version, difference in known.items():
        for changed in touched(session, difference, [one for one in mentions if one.read_with == version]):
            del same[changed]
    for some in in_parts(list(same.values())):
        as_it_is = update(Reading).where(col(Reading.id).in_(some)).values(pipeline_version=reader.version)
        session.execute(as_it_is.execution_options(synchronize_session=False))
    session.commit()
    log.info("read", taken_over=len(same), reader=reader.version)
    return [mention for mention in mentions if mention.id not in same][:limit], len(same)


def _differences(session: Session, reader: Reader, mentions: Sequence[Any]) -> dict[str, Difference]:
    """What is other since these were read, by pipeline version; none where all may be."""
    versions = {mention.read_with for mention in mentions} - {None}
    found = {version: Difference(lines, reader.lines) for version, lines in lines_of(session, versions).items()}
    return {version: difference for version, difference in found.items() if not difference.touches_all}


def lines_of(session: Session, versions: Collection[str]) -> dict[str, list[Line]]:
    """What posts were read with by these pipeline versions, as far as it was written down."""
    kept = select(ReadWith.pipeline_version, ReadWith.lines).where(
        col(ReadWith.pipeline_version).in_(versions), col(ReadWith.lines).is_not(None)
    )
    return {version: [tuple(line) for line in lines or ()] for version, lines in session.exec(kept)}


def touched(session: Session, difference: Difference, mentions: Sequence[Any]) -> set[int]:
    """The ids of those of these mentions that may read otherwise: by their words, or as answers by those of their thread.

    A name in a thread makes its answers about us, and a fragment is read with what its author said before.
    """
    if difference.touches_all or not difference:
        return {mention.id for mention in mentions if difference}
    found = {mention.id for mention in mentions if difference.touches(mention.text)}
    others = [mention for mention in mentions if mention.id not in found and answers(mention)]
    threads = _threads_touched(session, difference, {mention.thread for mention in others})
    return found | {mention.id for mention in others if (mention.source, mention.thread) in threads}


def _threads_touched(session: Session, difference: Difference, threads: Collection[str]) -> set[tuple[str, str | None]]:
    """Those in which a post holds the words, or what one person says in several posts."""
    said: dict[tuple[str, str | None], dict[str | None, list[tuple[datetime, str]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    wanted: tuple[Any, ...] = (Mention.source, Mention.thread, Mention.author, Mention.written_at, Mention.text)
    for some in in_parts(sorted(threads)):
        posts = select(*wanted).where(col(Mention.thread).in_(some))
        for source, thread, author, at, text in session.execute(posts.order_by(Mention.written_at, Mention.id)):
            said[source, thread][author].append((at, text))
    return {
        thread
        for thread, by in said.items()
        if any(difference.touches(text) for told in by.values() for text in (*(text for _, text in told), *_told(told)))
    }


def _told(posts: Sequence[tuple[datetime, str]]) -> Iterator[str]:
    """What one person says in several posts, each with those before it that it is read with: see `_said_before`."""
    for number, (at, text) in enumerate(posts):
        before = [part for then, part in posts[:number] if then < at]
        if before:
            yield " ".join((*before[-_PARTS:], text))


def in_parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Values for a statement each, no more than it may have."""
    for start in range(0, len(values), _PARAMETERS):
        yield values[start : start + _PARAMETERS]


def _newest_version(session: Session) -> str | None:
    return session.exec(select(ReadWith.pipeline_version).order_by(col(ReadWith.id).desc()).limit(1)).first()


def _note_what_with(session: Session, reader: Reader, now: datetime) -> None:
    """Write down what posts are read with, if it is not what they were read with last: also when it is taken back."""
    if _newest_version(session) == reader.version:
        return
    known = select(ReadWith.id).where(ReadWith.pipeline_version == reader.version).limit(1)
    kept = None if session.exec(known).first() else [list(line) for line in reader.lines]
    session.add(ReadWith(pipeline_version=reader.version, since=now, lines=kept))


# ---------------------------------------------------------------- reading


def answers(mention: Any) -> bool:
    """Whether it is a further post of a thread."""
    return bool(mention.thread is not None and mention.thread != mention.ref)


def _rows(session: Session, reader: Reader, mentions: Sequence[Any], now: datetime) -> list[dict[str, Any]]:
    said = say(session, reader, mentions, _threads_about_us(session, mentions))
    read_by = {"pipeline_version": reader.version, "read_at": now}
    return [
        {**fields, **read_by, "mention_id": mention.id, "revision": mention.revision}
        for mention, fields in zip(mentions, said, strict=True)
    ]


def _is_read(session: Session, rows: Sequence[dict[str, Any]]) -> bool:
    """Whether there is a reading for some of these already."""
    theirs = (
        Reading.pipeline_version == rows[0]["pipeline_version"],
        col(Reading.mention_id).in_([row["mention_id"] for row in rows]),
    )
    found = {tuple(row) for row in session.execute(select(Reading.mention_id, Reading.revision).where(*theirs))}
    return any((row["mention_id"], row["revision"]) in found for row in rows)


def say(
    session: Session, reader: Reader, mentions: Sequence[Any], in_threads: Collection[tuple[str, str | None]]
) -> list[dict[str, Any]]:
    """What these mentions say, in order: the fields of a Reading. `in_threads`: source and thread where a post names us."""
    texts = [Text(m.text, m.about_us or (m.source, m.thread) in in_threads, m.own, m.place) for m in mentions]
    session.commit()  # no transaction while the reader thinks: somebody may be pressing a button
    said = _said(reader, texts, [mention.id for mention in mentions])
    _read_with_what_came_before(session, reader, mentions, texts, said)
    return said


def _said(reader: Reader, texts: Sequence[Text], ids: Sequence[int]) -> list[dict[str, Any]]:
    """What each text says. One that breaks the reader goes to people unread: it must not hold up the others."""
    try:
        return reader.read_at_once(texts)
    except Exception as error:
        if len(texts) > 1:
            return [fields for text, id_ in zip(texts, ids, strict=True) for fields in _said(reader, [text], [id_])]
        log.error("read", mention=ids[0], error=error)
        return [unread(f"the program could not read it ({type(error).__name__}): a person must")]


def _read_with_what_came_before(
    session: Session, reader: Reader, mentions: Sequence[Any], texts: Sequence[Text], said: list[dict[str, Any]]
) -> None:
    """Where a post and what its author said just before are worse together than each alone, that is what is meant."""
    parts = [
        (at, before)
        for at, mention in enumerate(mentions)
        if answers(mention) and mention.author and (before := _said_before(session, mention))
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
    newest = col(Mention.written_at).desc(), col(Mention.id).desc()
    parts: list[str] = []
    later = mention.written_at
    for text, written_at in session.exec(earlier.order_by(*newest).limit(_PARTS)):
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
        .where(col(Mention.deleted_at) > gone_since(session, now))
    ).all()
    for id_, categories in gone:
        quoted: dict[str, Any] = {"redacted_text": "", "reasons": [], "mentions_us": [], "forgotten": True}
        quoted |= {"signs": [], "staff": []}
        quoted["categories"] = [{**category, "words": []} for category in categories]
        session.execute(update(Reading).where(col(Reading.id) == id_).values(**quoted))
    session.commit()
    return len(gone)


def _unread(session: Session, version: str, limit: int, newest: int | None = None) -> Sequence[Any]:
    """The newest mentions without a reading of this version, each with the newest reading of its words, if there is one."""
    unread = _without_reading(version)
    if newest is not None:  # so that it need not be looked through what is newer once more
        unread = unread.where(col(Mention.id) <= newest)
    return session.execute(unread.order_by(col(Mention.id).desc()).limit(limit)).all()


def _beginnings(session: Session, version: str, mentions: Sequence[Any]) -> list[Any]:
    """What begins the threads of these and is unread too, but no part of this pass: a name in it is for its answers."""
    taken, refs = {mention.id for mention in mentions}, defaultdict(set)
    for mention in filter(answers, mentions):
        refs[mention.source].add(mention.thread)
    found: list[Any] = []
    for source, threads in refs.items():
        for some in in_parts(sorted(threads)):
            first = _without_reading(version).where(Mention.source == source, col(Mention.ref).in_(some))
            found += session.execute(first).all()
    return [mention for mention in found if mention.id not in taken]


@lru_cache(maxsize=4)  # asked with every pass: to put it together takes longer than to answer it
def _without_reading(version: str) -> Any:
    read_already = exists().where(
        and_(
            col(Reading.mention_id) == Mention.id,
            col(Reading.revision) == Mention.revision,
            col(Reading.pipeline_version) == version,
        )
    )
    last: tuple[Any, ...] = (_last(Reading.id, "reading_id"), _last(Reading.pipeline_version, "read_with"))
    return select(*_WANTED, *last).where(~read_already, col(Mention.deleted_at).is_(None))


def _last(value: Any, name: str) -> Any:
    """A value of the newest reading of a mention as it now is."""
    of_it = select(value).where(Reading.mention_id == Mention.id, Reading.revision == Mention.revision)
    return of_it.order_by(col(Reading.id).desc()).limit(1).scalar_subquery().label(name)


def _threads_about_us(session: Session, mentions: Sequence[Any]) -> set[tuple[str, str | None]]:
    """The threads of these mentions in which a post names us: what is said there without a name is about us too."""
    threads = {mention.thread for mention in mentions if answers(mention)}
    found: set[tuple[str, str | None]] = set()
    if threads:
        in_force = reading_in_force()  # a name that is ours no more makes nothing about us
        named = select(Mention.source, Mention.thread, Reading.mentions_us).where(
            *(col(Reading.mention_id) == Mention.id, col(Mention.thread).in_(threads), in_force)
        )
        found = {(source, thread) for source, thread, names in session.exec(named) if names}
    return found
