"""Replay: what kept mentions say under two configurations. What the change between them cannot touch is not read again."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import String, cast
from sqlmodel import Session, and_, col, select

from alerts.tuning import between
from alerts.verdict import Verdict
from config.schema import Config
from listener.mention import Mention
from nlp.reading import Reading, reading_in_force

if TYPE_CHECKING:
    from nlp.pipeline import Reader

Progress = Callable[[int, int], None]  # so many done, of so many
Thread = tuple[str, str | None]  # source, and ref of its first post

_AT_ONCE = 500  # posts that are read before progress is told
_SOME = {"yield_per": 2_000}
_DANGER = ("urgency", "danger", "phrases")


@dataclass(frozen=True, slots=True)
class Post:
    """A kept mention, and its case if it is on one."""

    case_id: int | None
    id: int
    source: str
    ref: str
    thread: str | None
    author: str | None
    answers: str | None
    quotes: str | None
    story: int | None
    written_at: datetime
    heard_at: datetime
    text: str
    about_us: bool
    own: bool
    place: str | None


@dataclass(slots=True)
class Said:
    """What a post says, as far as something is decided by it (decide.Said) or shown of it."""

    urgency: str
    readable: bool
    language: str
    kind: str | None
    voice: str
    categories: list[dict[str, Any]]
    signs: list[str]
    redacted_text: str
    names_us: bool
    reasons: list[str] = field(default_factory=list)

    @property
    def topics(self) -> frozenset[str]:
        """What it speaks of."""
        return frozenset(category["id"] for category in self.categories)


class Replayed(NamedTuple):
    """One post under both configurations."""

    post: Post
    before: Said
    after: Said
    own_before: bool  # whether the hospital wrote it, as hospital.toml names its accounts
    own_after: bool
    phrases: tuple[str, ...] = ()  # changed ones that it holds, as "+ portal (categories.digital)"
    held_danger: bool = False  # it holds a phrase that [urgency.danger] lost


def replay(
    session: Session, before: Config, after: Config, since: datetime, now: datetime, progress: Progress
) -> tuple[list[Replayed], int]:
    """Every post that was heard since then and is still there, in the order of hearing; and how many of them were read again."""
    from nlp.pipeline import Reader
    from nlp.read import answers, touched
    from nlp.tuning import Difference

    kept = list(_kept(session, since, now))
    posts = [post for post, _, _ in kept]
    old = Reader(before)
    # It takes half a second to build, and looks at nothing else.
    is_same = (before.hospital, before.keywords) == (after.hospital, after.keywords)
    new = old if is_same else Reader(after)
    own = {post.id: (_own(post, before, before), _own(post, before, after)) for post in posts}
    changed = touched(session, Difference(old.lines, new.lines), posts)
    changed |= {post.id for post in posts if own[post.id][0] != own[post.id][1]}
    said = {post.id: known for post, known, _ in kept if known is not None}
    stale = _stale(session, kept, old) | {post.id for post in posts if own[post.id][0] != post.own}
    # An answer depends on its thread as it was when it was read: it is read anew on both sides, or on none.
    stale |= {post.id for post in posts if post.id in changed and answers(post)}
    steps = _Steps(len(posts), len(posts) + len(stale) + len(changed), progress)
    reading = _Reading(session, posts, since, steps)
    said |= reading.read(old, said, stale, {id_: ours for id_, (ours, _) in own.items()})
    otherwise = reading.read(new, said, changed, {id_: ours for id_, (_, ours) in own.items()})
    phrases = _phrases([post for post in posts if post.id in changed], old, new, now)
    nothing: tuple[tuple[str, ...], bool] = ((), False)
    found = [
        Replayed(
            post, said[post.id], otherwise.get(post.id, said[post.id]), *own[post.id], *phrases.get(post.id, nothing)
        )
        for post in posts
    ]
    return found, len(stale | changed)


def _own(post: Post, before: Config, config: Config) -> bool:
    """Whether the hospital wrote it: its collector knows, or hospital.toml names the account."""
    is_named = before.hospital.is_own_account(post.source, post.author)
    return (post.own and not is_named) or config.hospital.is_own_account(post.source, post.author)


# ---------------------------------------------------------------- what is kept


def _kept(session: Session, since: datetime, now: datetime) -> Iterator[tuple[Post, Said | None, str | None]]:
    """Each post with what it says by the newest reading of its words, and the pipeline version that read it."""
    newest = reading_in_force()
    in_force = and_(col(Reading.mention_id) == Mention.id, col(Reading.revision) == Mention.revision, newest)
    columns: tuple[Any, ...] = (*_OF_MENTION, *_OF_READING)
    wanted: Any = select(*columns)
    wanted = wanted.select_from(Mention).join(Reading, in_force, isouter=True).where(*_in(since, now))
    cases = _cases_of(session, *_in(since, now))
    for row in session.connection().execute(wanted.order_by(col(Mention.id)), execution_options=_SOME):
        mention, reading = row[: len(_OF_MENTION)], row[len(_OF_MENTION) :]
        post = Post(cases.get(mention[0]), *mention)
        yield post, None if reading[0] is None else _said(*reading[1:]), reading[0]


_OF_MENTION: tuple[Any, ...] = (
    *(Mention.id, Mention.source, Mention.ref, Mention.thread, Mention.author, Mention.answers, Mention.quotes),
    *(Mention.story, Mention.written_at, Mention.heard_at, Mention.text, Mention.about_us, Mention.own, Mention.place),
)
_OF_READING: tuple[Any, ...] = (
    *(Reading.pipeline_version, Reading.urgency, Reading.readable, Reading.language, Reading.kind, Reading.voice),
    # As text: to parse it is most of the work, and most of it is "[]", or what was parsed before.
    *(cast(listed, String) for listed in (Reading.categories, Reading.signs, Reading.mentions_us)),
    Reading.redacted_text,
)


def before_span(session: Session, since: datetime, until: datetime) -> list[Post]:
    """Posts of cases that were heard between these times."""
    which = (Mention.heard_at >= since, Mention.heard_at < until, col(Mention.deleted_at).is_(None))
    cases = _cases_of(session, *which)
    wanted: Any = select(*_OF_MENTION)
    rows = session.connection().execute(wanted.where(*which).order_by(col(Mention.id)), execution_options=_SOME)
    return [Post(cases[row[0]], *row) for row in rows if row[0] in cases]


def _cases_of(session: Session, *which: Any) -> dict[int, int]:
    """The case of each of these mentions that has one."""
    on_case = select(Verdict.mention_id, Verdict.case_id).join(Mention, col(Mention.id) == Verdict.mention_id)
    rows = session.exec(on_case.where(col(Verdict.case_id).is_not(None), *which).order_by(col(Verdict.id)))
    return {mention_id: case_id for mention_id, case_id in rows if case_id is not None}


def _in(since: datetime, now: datetime) -> tuple[Any, ...]:
    return (Mention.heard_at >= since, Mention.heard_at <= now, col(Mention.deleted_at).is_(None))


def _said(
    urgency: str,
    readable: bool,
    language: str,
    kind: str | None,
    voice: str,
    topics: str,
    signs: str,
    us: str,
    shown: str,
) -> Said:
    return Said(
        *(urgency, readable, language, kind, voice, _parsed(topics), _parsed(signs), shown), names_us=bool(_parsed(us))
    )


@lru_cache(maxsize=20_000)
def _parsed(text: str) -> Any:
    return json.loads(text)


def _stale(session: Session, kept: Sequence[tuple[Post, Said | None, str | None]], reader: "Reader") -> set[int]:
    """The ids of those whose reading says nothing certain of what this reader would say."""
    from nlp.read import lines_of, touched
    from nlp.tuning import Difference

    by_version: dict[str | None, list[Post]] = {}
    for post, _, version in kept:
        by_version.setdefault(version, []).append(post)
    known = lines_of(session, {version for version in by_version if version is not None})
    differences: dict[str | None, Difference] = {v: Difference(lines, reader.lines) for v, lines in known.items()}
    found: set[int] = set()
    for version, posts in by_version.items():
        is_known = version in differences
        found |= touched(session, differences[version], posts) if is_known else {post.id for post in posts}
    return found


# ---------------------------------------------------------------- what is read again


@dataclass
class _Steps:
    done: int
    of: int
    progress: Progress

    def __post_init__(self) -> None:
        self.progress(self.done, self.of)

    def take(self, count: int) -> None:
        self.done = min(self.done + count, self.of)
        self.progress(self.done, self.of)


@dataclass(frozen=True)
class _Reading:
    """Reads some of the posts as stage 3 does, and writes nothing down."""

    session: Session
    posts: Sequence[Post]
    since: datetime
    steps: _Steps

    def read(
        self, reader: "Reader", known: Mapping[int, Said], ids: Collection[int], own: Mapping[int, bool]
    ) -> dict[int, Said]:
        """What these say; `known` is what the others say."""
        from nlp.read import answers

        asked = [replace(post, own=own[post.id]) for post in self.posts if post.id in ids]
        first, later = [post for post in asked if not answers(post)], [post for post in asked if answers(post)]
        found = self._say(reader, first, set())
        self.steps.take(0)
        about_us: set[Thread] = self._about_us_before(later)
        # A name makes all of its thread about us, also what was read a moment ago without knowing it.
        while later:
            says = {post.id: found.get(post.id) if post.id in ids else known.get(post.id) for post in self.posts}
            named = {(post.source, post.thread) for post in self.posts if (said := says[post.id]) and said.names_us}
            fresh = named - about_us
            about_us |= named
            again = [post for post in later if post.id not in found or (post.source, post.thread) in fresh]
            if not again:
                break
            found |= self._say(reader, again, about_us)
        return found

    def _say(self, reader: "Reader", posts: Sequence[Post], about_us: Collection[Thread]) -> dict[int, Said]:
        from nlp.read import say

        found: dict[int, Said] = {}
        for start in range(0, len(posts), _AT_ONCE):
            some = posts[start : start + _AT_ONCE]
            for post, fields in zip(some, say(self.session, reader, some, about_us), strict=True):
                wanted = {name: fields[name] for name in _TAKEN}
                found[post.id] = Said(**wanted, names_us=bool(fields["mentions_us"]))
            self.steps.take(len(some))
        return found

    def _about_us_before(self, posts: Sequence[Post]) -> set[Thread]:
        """Their threads in which an earlier post than those of the span names us."""
        from nlp.read import in_parts

        in_force = reading_in_force()
        found: set[Thread] = set()
        for some in in_parts(sorted({post.thread for post in posts if post.thread is not None})):
            named = select(Mention.source, Mention.thread, Reading.mentions_us).where(
                *(col(Reading.mention_id) == Mention.id, col(Mention.thread).in_(some), in_force),
                Mention.heard_at < self.since,
            )
            found |= {(source, thread) for source, thread, names in self.session.exec(named) if names}
        return found


_TAKEN = ("urgency", "readable", "language", "kind", "voice", "categories", "signs", "redacted_text")


def _phrases(
    posts: Sequence[Post], old: "Reader", new: "Reader", now: datetime
) -> dict[int, tuple[tuple[str, ...], bool]]:
    """The changed phrases that each post holds, and whether one of them is no danger any more."""
    from nlp.tuning import Seeker, phrases_of

    sought: dict[str, list[str]] = {}
    lost = set()
    for change in between(set(old.lines), set(new.lines), now):
        for phrase in phrases_of(change.where, change.words):
            label = f"{'+' if change.is_added else '−'} {phrase} ({_list(change.where)})"
            sought[label] = [phrase]
            if change.where == _DANGER and not change.is_added:
                lost.add(label)
    seeker = Seeker(sought)
    held = {post.id: seeker(post.text) for post in posts if seeker.may_hold(post.text)}
    return {id_: (tuple(sorted(labels)), not lost.isdisjoint(labels)) for id_, labels in held.items()}


def _list(where: tuple[str, ...]) -> str:
    """A list of the files as its table is written there."""
    return ".".join(key for key in where if key != "phrases")
