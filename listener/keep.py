"""STAGE 2: store posts as mentions and move the cursor, in one transaction.

Hearing the same post again changes nothing; hearing it edited makes a new revision, which is read again.
"""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, update
from sqlmodel import Session, col, select

from config.schema import Hospital
from listener.errors import CallLightError, ReadsUsedUp, TryLater
from listener.mention import Mention
from listener.post import Page, Post
from listener.watch import Gap, Watch

log = logging.getLogger(__name__)

_AT_ONCE = 500  # refs in one question: databases limit the number of parameters


@dataclass(frozen=True)
class Kept:
    """What a page came to: counts of posts."""

    new: int = 0
    edited: int = 0
    again: int = 0
    skipped: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(
            self.new + other.new, self.edited + other.edited, self.again + other.again, self.skipped + other.skipped
        )


def keep(session: Session, name: str, page: Page, hospital: Hospital, now: datetime) -> Kept:
    """Store what collector `name` heard, and its cursor, and commit. Anything before the commit leaves both as they were."""
    watch = watch_of(session, name)
    kept = _store(session, name, page.posts, hospital, now)
    for unheard in page.unheard:
        session.add(Gap(collector=name, since=unheard.since, until=unheard.until, why=unheard.why, found_at=now))
    watch.cursor = dict(page.cursor)
    watch.asked_at, watch.failures, watch.trouble, watch.paused_until = now, 0, None, None
    watch.heard_at = now if kept.new else watch.heard_at
    watch.kept += kept.new
    watch.skipped += len(page.skipped)
    watch.reads = page.reads + reads_today(watch, now)
    watch.reads_day = now.date()
    session.add(watch)
    session.commit()
    counts = kept + Kept(skipped=len(page.skipped))
    log.info(
        "action=keep collector=%s new=%d edited=%d again=%d skipped=%d",
        name,
        counts.new,
        counts.edited,
        counts.again,
        counts.skipped,
    )
    return counts


def trouble(session: Session, name: str, error: CallLightError, now: datetime) -> None:
    """Write down that collector `name` failed, and until when its place asked to wait; commit."""
    watch = watch_of(session, name)
    watch.asked_at, watch.failures, watch.trouble = now, watch.failures + 1, str(error)
    asked_to_wait = isinstance(error, TryLater) and not isinstance(error, ReadsUsedUp)
    watch.paused_until = getattr(error, "at", None) if asked_to_wait else None
    session.add(watch)
    session.commit()
    log.warning("action=collect collector=%s failures=%d remedy=%s", name, watch.failures, type(error).__name__)


def watch_of(session: Session, name: str) -> Watch:
    """The row of a collector; a new one (not yet stored) at its first time."""
    return session.get(Watch, name) or Watch(name=name)


def reads_today(watch: Watch, now: datetime) -> int:
    """Posts billed so far on this UTC day."""
    return watch.reads if watch.reads_day == now.date() else 0


def _store(session: Session, name: str, posts: Iterable[Post], hospital: Hospital, now: datetime) -> Kept:
    latest: dict[tuple[str, str], Post] = {}
    heard = 0
    for post in posts:
        heard += 1
        before = latest.get((post.source, post.ref))
        if before is None or _is_newer(post, before.edited_at):
            latest[post.source, post.ref] = post
    known = _known(session, latest.values())
    new = [_row(name, post, hospital, now) for key, post in latest.items() if key not in known]
    if new:
        session.execute(insert(Mention), new)
    edited = 0
    for key, mention in known.items():
        post = latest[key]
        if post.text != mention.text and mention.deleted_at is None and _is_newer(post, mention.edited_at):
            changes = {"text": post.text, "edited_at": post.edited_at, "revision": mention.revision + 1}
            session.execute(update(Mention).where(col(Mention.id) == mention.id).values(**changes))
            edited += 1
    return Kept(new=len(new), edited=edited, again=heard - len(new) - edited)


def _is_newer(post: Post, edited_at: datetime | None) -> bool:
    """A place that gives no time of editing is believed; else an older version never replaces a newer one."""
    return edited_at is None or (post.edited_at is not None and post.edited_at > edited_at)


def _known(session: Session, posts: Collection[Post]) -> dict[tuple[str, str], Mention]:
    known: dict[tuple[str, str], Mention] = {}
    for source in {post.source for post in posts}:
        refs = [post.ref for post in posts if post.source == source]
        for start in range(0, len(refs), _AT_ONCE):
            wanted = col(Mention.ref).in_(refs[start : start + _AT_ONCE])
            for mention in session.exec(select(Mention).where(Mention.source == source, wanted)):
                known[source, mention.ref] = mention
    return known


def _row(name: str, post: Post, hospital: Hospital, now: datetime) -> dict[str, object]:
    own = hospital.is_own_account(post.source, post.author)
    return {**post.model_dump(), "collector": name, "heard_at": now, "own": own, "revision": 1}
