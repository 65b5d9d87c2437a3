"""STAGE 2: store posts as mentions and move the cursor, in one transaction.

Hearing the same post again changes nothing; hearing it edited makes a new revision, which is read again. What is gone
at its place loses its content here.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, insert, update
from sqlmodel import Session, col, or_, select

from config.schema import CollectorSettings, Hospital
from listener import tombstones
from listener.errors import CallLightError, ReadsUsedUp, TryLater
from listener.logs import logger
from listener.mention import Mention, Sketch
from listener.post import Page, Post, Ref
from listener.story import Stories, Telling, numbers, telling
from listener.watch import Gap, Spend, Watch

log = logger(__name__)

Ear = Literal["fetch", "own_replies"]  # which of a collector's functions heard it

DELETED = "deleted by its author"
EXPIRED = "not kept any longer; its place may still have it"
FORGOTTEN = "forgotten, as its author wished"
_HAS_WORDS = col(Mention.deleted_at).is_(None)
_AT_ONCE = 500  # values in one question: databases limit the number of parameters
_SAME_STORY = timedelta(days=7)  # so long a copy joins the story
_LATE = timedelta(days=1)  # a thread's older posts that come later than that change nothing any more


@dataclass(frozen=True)
class Kept:
    """What a page came to: counts of posts."""

    new: int = 0
    edited: int = 0
    again: int = 0
    skipped: int = 0
    deleted: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(
            self.new + other.new,
            self.edited + other.edited,
            self.again + other.again,
            self.skipped + other.skipped,
            self.deleted + other.deleted,
        )


def keep(session: Session, name: str, page: Page, hospital: Hospital, now: datetime, ear: Ear = "fetch") -> Kept:
    """Store what collector `name` heard, and its cursor, and commit. Anything before the commit leaves both as they were."""
    watch = watch_of(session, name)
    kept = _store(session, name, page, hospital, now)
    for unheard in page.unheard:
        session.add(Gap(collector=name, since=unheard.since, until=unheard.until, why=unheard.why, found_at=now))
    if ear == "fetch":
        watch.cursor = dict(page.cursor)
    else:
        watch.own_cursor = dict(page.cursor)
    watch.started_at, watch.asked_at = watch.started_at or now, now
    # What another collector of the same place was first to hear was heard all the same; the hospital's own replies, which
    # are asked for in another way, say nothing of whether people are heard.
    since = watch.heard_at
    if ear == "fetch" and (kept.new or (since is not None and _heard_by_another(session, name, page, since))):
        watch.heard_at = now
    watch.kept += kept.new
    watch.skipped += kept.skipped
    watch.filters = _filters(watch, page, now)
    session.add(watch)
    bill(session, name, page.reads, page.cost, now)
    session.commit()
    level = logging.INFO if kept != Kept() else logging.DEBUG  # a poll a minute that brings nothing is no event
    log.log(level, "keep", collector=name, **asdict(kept))
    return kept


def look_again(
    session: Session, name: str, page: Page, asked: Sequence[Ref], hospital: Hospital, now: datetime
) -> Kept:
    """Keep what a place says of posts that were kept before, and that it was asked about them; commit."""
    kept = _store(session, name, page, hospital, now)
    for ids in _at_once(list(ids_of(session, asked))):
        session.execute(update(Mention).where(col(Mention.id).in_(ids)).values(looked_at=now))
    bill(session, name, page.reads, page.cost, now)
    session.commit()
    log.info("look_again", collector=name, asked=len(asked), edited=kept.edited, deleted=kept.deleted)
    return kept


def forget(session: Session, ids: Collection[int], why: str, now: datetime) -> int:
    """Take the content out of these mentions; how many had some. The row stays for the ledger. The caller commits.

    What was not deleted but only kept long enough can still be opened at its place. Of the others not even their name at
    the place stays, which may say who wrote them: a mark stands there, by which they are known when they are heard again.
    """
    gone, named = 0, list[Mention]()
    for some in _at_once(list(ids)):
        rows = session.exec(select(Mention).where(col(Mention.id).in_(some))).all()
        for mention in rows:
            if mention.deleted_at is not None and (why != FORGOTTEN or mention.deleted_why == FORGOTTEN):
                continue
            gone += mention.deleted_at is None
            stays = why == EXPIRED and mention.url and not _names_author(mention)
            mention.url = mention.url if stays else None
            mention.text, mention.author, mention.author_name = "", None, None
            mention.rating, mention.reach = None, None
            mention.deleted_at, mention.deleted_why = now, why
            session.add(mention)
            named += [] if stays else [mention]
        session.execute(delete(Sketch).where(col(Sketch.mention_id).in_(some)))
    _seal(session, named)
    return gone


def _names_author(mention: Mention) -> bool:
    return mention.author is not None and mention.author.casefold() in (mention.url or "").casefold()


def _seal(session: Session, mentions: Collection[Mention]) -> None:
    """Put marks in the place of the names of posts, wherever other posts name them too."""
    if not mentions:
        return
    stones = tombstones.begun(session)
    for source in {mention.source for mention in mentions}:
        theirs = [mention for mention in mentions if mention.source == source]
        marks = {mention.ref: stones.of_post(source, mention.ref) for mention in theirs}
        for mention in theirs:
            mention.ref, mention.answers, mention.quotes = marks[mention.ref], None, None
        session.flush()
        for some in _at_once(list(marks)):
            of_thread = (Mention.source == source, col(Mention.thread).in_(some))
            for other in session.exec(select(Mention).where(*of_thread)):
                other.thread = marks[other.thread or ""]
            # Of what is gone itself neither stands there any more: few rows are looked through.
            names = or_(col(Mention.answers).in_(some), col(Mention.quotes).in_(some))
            for other in session.exec(select(Mention).where(Mention.source == source, names, _HAS_WORDS)):
                other.answers = marks.get(other.answers or "", other.answers)
                other.quotes = marks.get(other.quotes or "", other.quotes)
        session.flush()


def ids_of(session: Session, refs: Collection[Ref]) -> Iterator[int]:
    """The mentions with these names, as far as they were kept."""
    for source in {ref.source for ref in refs}:
        for some in _at_once([ref.ref for ref in refs if ref.source == source]):
            found = select(Mention.id).where(Mention.source == source, col(Mention.ref).in_(some))
            yield from (id_ for id_ in session.exec(found) if id_ is not None)


def went(session: Session, name: str, errors: Sequence[CallLightError], now: datetime) -> None:
    """Write down how a whole pass of collector `name` went, and until when its place asked to wait; commit.

    A page that could be kept says nothing of the next search: only a pass without errors ends a row of failures.
    """
    watch = watch_of(session, name)
    if not errors and watch.asked_at and not (watch.failures or watch.trouble or watch.paused_until):
        session.rollback()  # as before: the pages said the rest
        return
    said = "; ".join(dict.fromkeys(map(str, errors))) or None
    # A used-up budget is no failure, and no place asks to wait: a larger one goes on at once.
    failed = [error for error in errors if not isinstance(error, ReadsUsedUp)]
    news = bool(failed) or said != watch.trouble
    watch.started_at, watch.asked_at, watch.trouble = watch.started_at or now, now, said
    watch.failures = watch.failures + 1 if failed else 0
    watch.paused_until = max((error.at for error in failed if isinstance(error, TryLater) and error.at), default=None)
    session.add(watch)
    session.commit()
    for error in errors if news else ():
        log.warning("collect", collector=name, failures=watch.failures, remedy=type(error).__name__)


def _heard_by_another(session: Session, name: str, page: Page, since: datetime) -> bool:
    """Whether another collector was the first to hear something of this since then. By our clock alone: the place's may
    be ahead, and the same post would be news twice."""
    for ids in _at_once(list(ids_of(session, [Ref(post.source, post.ref) for post in page.posts]))):
        others = select(Mention.id).where(col(Mention.id).in_(ids), Mention.collector != name, Mention.heard_at > since)
        if session.exec(others.limit(1)).first() is not None:
            return True
    return False


def watch_of(session: Session, name: str) -> Watch:
    """The row of a collector; a new one (not yet stored) at its first time."""
    return session.get(Watch, name) or Watch(name=name)


# ---------------------------------------------------------------- what was billed


def spent(session: Session, name: str, now: datetime) -> tuple[int, int]:
    """Posts billed today and in this month, in UTC."""
    day = now.date()
    month = select(Spend).where(Spend.collector == name, Spend.day >= day.replace(day=1))
    days = {spend.day: spend.reads for spend in session.exec(month)}
    return days.get(day, 0), sum(days.values())


def reads_left(session: Session, name: str, settings: CollectorSettings, now: datetime) -> int | None:
    """How many posts may still be billed, None where nothing limits them."""
    if settings.daily_reads is None and settings.monthly_reads is None:
        return None
    today, month = spent(session, name, now)
    left = [
        limit - used
        for limit, used in ((settings.daily_reads, today), (settings.monthly_reads, month))
        if limit is not None
    ]
    return max(0, min(left))


def bill(session: Session, name: str, reads: int, cost: float, now: datetime) -> None:
    """Add posts that were read and US dollars to what the place of a collector bills today; the caller commits."""
    if reads or cost:
        spend = session.get(Spend, (name, now.date()), with_for_update=True) or Spend(collector=name, day=now.date())
        spend.reads += reads
        spend.cost += cost
        session.add(spend)


def _filters(watch: Watch, page: Page, now: datetime) -> dict[str, Any]:
    filters = dict(watch.filters)
    for name, count in page.matched.items():
        before = filters.get(name, {"since": now.isoformat(), "last": None})
        filters[name] = {**before, "asked": now.isoformat(), **({"last": now.isoformat()} if count else {})}
    return filters


# ---------------------------------------------------------------- posts as mentions


def _store(session: Session, name: str, page: Page, hospital: Hospital, now: datetime) -> Kept:
    latest: dict[tuple[str, str], Post] = {}
    for post in tombstones.as_kept(session, page.posts):
        before = latest.get((post.source, post.ref))
        if before is None or _is_newer(post, before.edited_at):
            latest[post.source, post.ref] = post
    known = _known(session, latest.values())
    new = [_row(name, post, hospital, now) for key, post in latest.items() if key not in known]
    if new:
        session.execute(insert(Mention), new)
        made = list(_known(session, [post for key, post in latest.items() if key not in known]).values())
        _link_copies(session, made, now)
        _read_threads_again(session, made, now)
    edited = 0
    for key, mention in known.items():
        post = latest[key]
        if post.text != mention.text and mention.deleted_at is None and _is_newer(post, mention.edited_at):
            changes = {"text": post.text, "edited_at": post.edited_at, "revised_at": post.edited_at or now}
            changes["revision"] = mention.revision + 1
            session.execute(update(Mention).where(col(Mention.id) == mention.id).values(**changes))
            edited += 1
    deleted = forget(session, list(ids_of(session, page.deleted)), DELETED, now) if page.deleted else 0
    again = len(page.posts) - len(new) - edited
    return Kept(len(new), edited, again, len(page.skipped), deleted)


def _is_newer(post: Post, edited_at: datetime | None) -> bool:
    """A place that gives no time of editing is believed; else an older version never replaces a newer one."""
    return edited_at is None or (post.edited_at is not None and post.edited_at > edited_at)


def _known(session: Session, posts: Collection[Post]) -> dict[tuple[str, str], Any]:
    """What is kept of these posts already, in the order of writing within a place."""
    wanted: tuple[Any, ...] = (
        *(Mention.id, Mention.source, Mention.ref, Mention.text, Mention.thread, Mention.author, Mention.author_name),
        *(Mention.written_at, Mention.edited_at, Mention.revision, Mention.deleted_at, Mention.own),
    )
    known: dict[tuple[str, str], Any] = {}
    for source in {post.source for post in posts}:
        for some in _at_once([post.ref for post in posts if post.source == source]):
            found = select(*wanted).where(Mention.source == source, col(Mention.ref).in_(some))
            for mention in session.execute(found):
                known[source, mention.ref] = mention
    return known


def _row(name: str, post: Post, hospital: Hospital, now: datetime) -> dict[str, object]:
    own = post.own or hospital.is_own_account(post.source, post.author)
    fields = {**post.model_dump(), "thread": post.thread or post.ref, "own": own, "revision": 1}
    # The words date from their last edit: an answer from before it is no answer to them.
    return {**fields, "collector": name, "heard_at": now, "looked_at": now, "revised_at": post.edited_at}


def _link_copies(session: Session, made: Sequence[Any], now: datetime) -> None:
    """Point each copy to the first telling of its story; a first telling is found by its sketch from now on."""
    ordered = sorted((mention for mention in made if not mention.own), key=lambda m: (m.written_at, m.id))
    tellings = [telling(m.id, m.text, (m.author, m.author_name)) for m in ordered]
    stories = Stories(_first_tellings(session, tellings, now))
    sketches: list[dict[str, int]] = []
    for one in tellings:
        first = stories.first(one)
        if first is not None:
            session.execute(update(Mention).where(col(Mention.id) == one.key).values(story=first.key))
        else:
            sketches += [{"shingle": number, "mention_id": one.key} for number in stories.take(one)]
    if sketches:
        session.execute(insert(Sketch), sketches)


def _first_tellings(session: Session, tellings: Sequence[Telling], now: datetime) -> list[Telling]:
    ids: set[int] = set()
    for some in _at_once(numbers(tellings)):
        ids.update(session.exec(select(Sketch.mention_id).where(col(Sketch.shingle).in_(some))))
    found = []
    for some in _at_once(sorted(ids)):
        wanted: tuple[Any, ...] = (Mention.id, Mention.text, Mention.author, Mention.author_name)
        near = select(*wanted).where(col(Mention.id).in_(some), Mention.heard_at > now - _SAME_STORY)
        found += [telling(id_, text, (author, name)) for id_, text, author, name in session.execute(near)]
    return found


def _read_threads_again(session: Session, made: Sequence[Any], now: datetime) -> None:
    """What was kept of a thread before its beginning came is read once more: what it says depends on what it answers."""
    earliest: dict[tuple[str, str], datetime] = {}
    for mention in made:
        thread = (mention.source, mention.thread)
        earliest[thread] = min(mention.written_at, earliest.get(thread, mention.written_at))
    new = {mention.id for mention in made}
    later: list[int] = []
    for some in _at_once(sorted({name for _, name in earliest})):
        kept = select(Mention.id, Mention.source, Mention.thread, Mention.written_at).where(
            col(Mention.thread).in_(some), Mention.heard_at > now - _LATE, col(Mention.deleted_at).is_(None)
        )
        for id_, source, name, written_at in session.exec(kept):
            first = earliest.get((source, name or ""))
            if id_ is not None and id_ not in new and first is not None and written_at > first:
                later.append(id_)
    for ids in _at_once(later):
        again = update(Mention).where(col(Mention.id).in_(ids)).values(revision=col(Mention.revision) + 1)
        session.execute(again, execution_options={"synchronize_session": False})


def _at_once(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
