"""Rehearsal: what other files would make of the posts that are kept: cards, danger, topics, load, precision. Nothing is written.

Both sides are computed by the same functions, so that a difference is due to the files and not to what has happened since.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, select

from alerts.case import MERGED, RANK, Case, CaseEvent
from alerts.decide import DEEPEST, RECONSIDER, Decision, judge
from alerts.replay import Post, Progress, Replayed, Said, before_span, replay
from alerts.verdict import rule_in
from config.schema import Config
from listener.mention import Mention

_EARLIER = timedelta(days=30)  # so long before the span cards are known: what goes on with them opens no other
_NOT_FOR_US, _NOTHING_TO_DO = "not for us: ", "not for us: nothing to do"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Standing:
    """How urgent something is, and where it goes: "care" (a channel by our name for it), "care digest" or "nowhere"."""

    urgency: str
    goes_to: str


@dataclass(frozen=True)
class Change:
    """What is otherwise for one post, or for the card that it opens."""

    heard_at: datetime
    source: str
    case_id: int | None
    before: Standing
    after: Standing
    why: tuple[
        str, ...
    ]  # changed phrases that it holds, as "+ portal (categories.digital)", else the rule that decides
    text: str  # redacted
    is_young: bool  # so young that a card is made of it as soon as the files are saved


@dataclass(frozen=True)
class Load:
    """Cards of a channel."""

    channel: str
    before: int
    after: int
    most_before: int  # on its busiest day
    most_after: int


@dataclass(frozen=True)
class Precision:
    """Of the cards that people dealt with, so many were for us and so many were not."""

    good: int = 0
    bad: int = 0


@dataclass(frozen=True)
class Rehearsal:
    """What would differ."""

    since: datetime
    until: datetime
    first: datetime | None  # when the first of the posts was heard
    posts: int
    gone: int  # at their place, so that they are not replayed
    read_again: int
    danger_lost: tuple[Change, ...]  # each a post
    danger_gained: tuple[Change, ...]
    held_danger: int  # posts that were danger and hold a phrase that [urgency.danger] lost
    still_danger: int  # those of them that are danger all the same
    cards_before: int
    cards_after: int
    added: tuple[Change, ...]  # each a card
    dropped: tuple[Change, ...]
    moved: tuple[Change, ...]
    digest: tuple[Change, ...]  # each a post of a digest, on no card before or after
    more_posts: int  # further posts on cards that there are anyway
    fewer_posts: int
    topics_changed: int  # posts
    topics: tuple[tuple[str, int, int], ...]  # of each topic the posts gained and lost
    loads: tuple[Load, ...]
    precision_before: Precision
    precision_after: Precision
    lost_cases: tuple[int, ...]  # that people answered, and that there would be no card for
    spared_cases: tuple[int, ...]  # that were not for us, likewise

    @property
    def days(self) -> float:
        """For how long posts were heard in the span, at least one."""
        return max((self.until - max(self.since, self.first or self.since)) / _DAY, 1.0)

    @property
    def differs(self) -> bool:
        """Whether anything would."""
        danger, cards = (self.danger_lost or self.danger_gained), (self.added or self.dropped or self.moved)
        return bool(danger or cards or self.digest or self.more_posts or self.fewer_posts or self.topics_changed)


@dataclass
class Card:
    """Posts of one matter, as they would be on one card."""

    urgency: str
    channel: str
    posts: list[Post] = field(default_factory=list)
    is_earlier: bool = False  # it was opened before the span


@dataclass(frozen=True)
class _Side:
    """One post under one configuration."""

    said: Said
    decision: Decision

    @property
    def standing(self) -> Standing:
        outcome, channel = self.decision.outcome, self.decision.channel
        goes_to = {"alert": f"{channel}", "digest": f"{channel} digest", "dismiss": "nowhere"}[outcome]
        return Standing(self.said.urgency, goes_to)

    @property
    def is_danger(self) -> bool:
        return self.said.urgency == "danger"


@dataclass(frozen=True)
class _Pair:
    """One post under both."""

    post: Post
    before: _Side
    after: _Side
    phrases: tuple[str, ...]
    held_danger: bool
    by_rules: bool  # another care.toml alone makes something else of it
    by_words: bool  # and so does what it says under the other files

    @property
    def is_of_digest(self) -> bool:
        """Whether it stands otherwise in a digest, or under one of both alone, and is no matter of cards."""
        outcomes = {self.before.decision.outcome, self.after.decision.outcome}
        return "digest" in outcomes and "alert" not in outcomes and self.before.standing != self.after.standing


# ---------------------------------------------------------------- the whole


def rehearse(
    session: Session, before: Config, after: Config, since: datetime, now: datetime, progress: Progress
) -> Rehearsal:
    """What the posts that were heard since then would come to under both configurations. The session only looks."""
    replayed, read_again = replay(session, before, after, since, now, progress)
    same_rules = before.care.rules == after.care.rules
    pairs = [_judged(one, before, after, same_rules) for one in replayed]
    earlier = list(_earlier(session, since))
    old = cards(((pair.post, pair.before.said.urgency, pair.before.decision) for pair in pairs), earlier)
    new = cards(((pair.post, pair.after.said.urgency, pair.after.decision) for pair in pairs), earlier)
    changed = [pair for pair in pairs if pair.before != pair.after]
    held = [pair for pair in pairs if pair.held_danger and pair.before.is_danger]
    posts = [pair.post for pair in pairs]
    fates = _fates(session, {post.case_id for post in posts if post.case_id is not None})
    told = _Told({pair.post.id: pair for pair in pairs}, now)
    added, dropped, moved = compared(old, new, told)
    more, fewer = _on_others(old, new)
    return Rehearsal(
        *(since, now, min((post.heard_at for post in posts), default=None), len(posts)),
        gone=gone(session, since, now),
        read_again=read_again,
        danger_lost=tuple(told.of(p.post) for p in changed if p.before.is_danger and not p.after.is_danger),
        danger_gained=tuple(told.of(p.post) for p in changed if p.after.is_danger and not p.before.is_danger),
        held_danger=len(held),
        still_danger=sum(pair.after.is_danger for pair in held),
        cards_before=sum(not card.is_earlier for card in old),
        cards_after=sum(not card.is_earlier for card in new),
        added=added,
        dropped=dropped,
        moved=moved,
        digest=_in_order(told.of(pair.post) for pair in changed if pair.is_of_digest),
        more_posts=more,
        fewer_posts=fewer,
        topics_changed=sum(pair.before.said.topics != pair.after.said.topics for pair in changed),
        topics=_topics(changed),
        loads=_loads(old, new, before.hospital.zone),
        precision_before=_precision(_shown(old), fates),
        precision_after=_precision(_shown(new), fates),
        lost_cases=tuple(sorted(case for case in _shown(old) - _shown(new) if fates.get(case) is True)),
        spared_cases=tuple(sorted(case for case in _shown(old) - _shown(new) if fates.get(case) is False)),
    )


def _judged(one: Replayed, before: Config, after: Config, same_rules: bool) -> _Pair:
    source = one.post.source
    old = judge(one.before, one.own_before, before.care, source)
    side = _Side(one.before, old)
    if same_rules and one.before is one.after and one.own_before == one.own_after:  # nearly all of them
        return _Pair(one.post, side, side, one.phrases, one.held_danger, by_rules=False, by_words=False)
    new = judge(one.after, one.own_after, after.care, source)
    other_rules = old if same_rules else judge(one.before, one.own_before, after.care, source)
    by_rules, by_words = (old.outcome, old.channel) != (other_rules.outcome, other_rules.channel), new != other_rules
    return _Pair(one.post, side, _Side(one.after, new), one.phrases, one.held_danger, by_rules, by_words)


# ---------------------------------------------------------------- cards; pure


def cards(posts: Iterable[tuple[Post, str, Decision]], earlier: Iterable[tuple[Post, str, str]] = ()) -> list[Card]:
    """The cards of posts, in the order of hearing, each with its urgency and what is decided of it: as stage 4 opens cases.

    `earlier`: posts on cards from before, each with the urgency and the channel of its card.
    """
    desk = _Desk()
    for post, urgency, channel in earlier:
        desk.take(post, urgency, channel, is_earlier=True)
    for post, urgency, decision in posts:
        desk.above[post.source, post.ref] = post
        if decision.outcome == "alert" and decision.channel is not None:
            desk.take(post, urgency, decision.channel)
    return desk.cards


class _Desk:
    """Cards, and by what a further post finds its own."""

    def __init__(self) -> None:
        self.cards: list[Card] = []
        self.above: dict[tuple[str, str], Post] = {}
        self._of: dict[object, Card] = {}

    def take(self, post: Post, urgency: str, channel: str, is_earlier: bool = False) -> None:
        """Put a post on its card."""
        self.above[post.source, post.ref] = post
        card = self._card_of(post, urgency)
        if card is None:
            card = Card(urgency, channel, is_earlier=is_earlier)
            self.cards.append(card)
        elif RANK[urgency] < RANK[card.urgency]:
            card.urgency, card.channel = urgency, channel
        card.posts.append(post)
        for name in (*_names(post), ("post", post.id)):
            self._of.setdefault(name, card)

    def _card_of(self, post: Post, urgency: str) -> Card | None:
        """Its case as people left it, its author's in this thread, that of its copies, or that of what it answers, unless it
        is more urgent."""
        card = next((self._of[name] for name in _names(post) if name in self._of), None)
        if card is not None or urgency == "danger":
            return card
        card = self._answered(post)
        return card if card is not None and RANK[urgency] >= RANK[card.urgency] else None

    def _answered(self, post: Post) -> Card | None:
        ref = post.answers or post.quotes
        for _ in range(DEEPEST):
            above = self.above.get((post.source, ref)) if ref else None
            if above is None:
                break
            if card := self._of.get(("post", above.id)):
                return card
            ref = above.answers
        return None


def _names(post: Post) -> Iterator[tuple[object, ...]]:
    """By what the card of a post is known, the surest first."""
    if post.case_id is not None:
        yield "case", post.case_id
    if post.author is not None:
        yield "person", post.source, post.thread or post.ref, post.author
    yield "story", post.story or post.id


# ---------------------------------------------------------------- what differs; pure


@dataclass(frozen=True)
class _Told:
    """Tells of a post what is otherwise."""

    pairs: Mapping[int, _Pair]
    now: datetime

    def of(self, post: Post, before: Standing | None = None, after: Standing | None = None) -> Change:
        """A post that differs; `before` and `after`: how its card stands."""
        pair = self.pairs[post.id]
        shown = pair.after if pair.after.decision.outcome == "alert" else pair.before
        rule, phrases = rule_in(shown.decision.reason), () if pair.by_rules and not pair.by_words else pair.phrases
        return Change(
            heard_at=post.heard_at,
            source=post.source,
            case_id=post.case_id,
            before=before or pair.before.standing,
            after=after or pair.after.standing,
            why=(*phrases, *((f"rule {rule}",) if rule and (pair.by_rules or not phrases) else ())),
            text=shown.said.redacted_text,
            is_young=self.now - post.written_at <= RECONSIDER,
        )

    def differing(self, card: Card) -> Post:
        """The post by which a card is otherwise: the first that is, or its first."""
        ours = [post for post in card.posts if post.id in self.pairs]
        return next((post for post in ours if self.pairs[post.id].before != self.pairs[post.id].after), ours[0])


def compared(
    old: Sequence[Card], new: Sequence[Card], told: _Told
) -> tuple[tuple[Change, ...], tuple[Change, ...], tuple[Change, ...]]:
    """Cards that came, went, and stand otherwise. A card is the same where one of its posts was on it before."""
    left = {id(card): card for card in old}
    by_post = {post.id: card for card in old for post in card.posts}
    added, moved = [], []
    for card in new:
        same = (by_post[post.id] for post in card.posts if post.id in by_post)
        was = next((one for one in same if id(one) in left), None)
        after = Standing(card.urgency, card.channel)
        if was is None:
            added.append(told.of(told.differing(card), after=after))
            continue
        del left[id(was)]
        before = Standing(was.urgency, was.channel)
        if before != after:
            moved.append(told.of(told.differing(card), before, after))
    dropped = [told.of(told.differing(card), before=Standing(card.urgency, card.channel)) for card in left.values()]
    return _in_order(added), _in_order(dropped), _in_order(moved)


def _in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The worst first, then the latest."""
    worst = sorted(changes, key=lambda one: one.heard_at, reverse=True)
    return tuple(sorted(worst, key=lambda one: min(RANK[one.before.urgency], RANK[one.after.urgency])))


def _on_others(old: Sequence[Card], new: Sequence[Card]) -> tuple[int, int]:
    """Posts that came to cards which are there on both sides, and that went from them."""
    before, after = ({post.id: card for card in side for post in card.posts} for side in (old, new))
    more = sum(id_ not in before and any(p.id in before for p in card.posts) for id_, card in after.items())
    fewer = sum(id_ not in after and any(p.id in after for p in card.posts) for id_, card in before.items())
    return more, fewer


def _topics(changed: Sequence[_Pair]) -> tuple[tuple[str, int, int], ...]:
    gained: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for pair in changed:
        gained.update(pair.after.said.topics - pair.before.said.topics)
        lost.update(pair.before.said.topics - pair.after.said.topics)
    most = sorted({*gained, *lost}, key=lambda topic: (-gained[topic] - lost[topic], topic))
    return tuple((topic, gained[topic], lost[topic]) for topic in most)


def _loads(old: Sequence[Card], new: Sequence[Card], zone: ZoneInfo) -> tuple[Load, ...]:
    """Each channel's cards, the fullest channel first."""
    before, after = (
        Counter((card.channel, card.posts[0].heard_at.astimezone(zone).date()) for card in side if not card.is_earlier)
        for side in (old, new)
    )
    channels = {channel for channel, _ in (*before, *after)}
    found = [
        Load(
            channel,
            *(sum(_of(side, channel)) for side in (before, after)),
            *(max(_of(side, channel)) for side in (before, after)),
        )
        for channel in sorted(channels)
    ]
    return tuple(sorted(found, key=lambda load: -max(load.before, load.after)))


def _of(days: Mapping[tuple[str, date], int], channel: str) -> list[int]:
    return [0, *(count for (name, _), count in days.items() if name == channel)]


def _shown(side: Sequence[Card]) -> set[int]:
    """The cases that have a card."""
    return {post.case_id for card in side for post in card.posts if post.case_id is not None}


def _precision(shown: set[int], fates: Mapping[int, bool]) -> Precision:
    found = Counter(fates[case_id] for case_id in shown if case_id in fates)
    return Precision(found[True], found[False])


# ---------------------------------------------------------------- the database


def _earlier(session: Session, since: datetime) -> Iterator[tuple[Post, str, str]]:
    """Posts that came on cards shortly before the span, each with how its card stands."""
    posts = before_span(session, since - _EARLIER, since)
    numbers = sorted({post.case_id for post in posts if post.case_id is not None})
    of_case: dict[int | None, tuple[str, str]] = {}
    for start in range(0, len(numbers), 5_000):
        some = select(Case.id, Case.urgency, Case.channel).where(col(Case.id).in_(numbers[start : start + 5_000]))
        of_case |= {number: (urgency, channel) for number, urgency, channel in session.exec(some)}
    for post in posts:
        if post.case_id in of_case:
            yield post, *of_case[post.case_id]


def _fates(session: Session, numbers: set[int]) -> dict[int, bool]:
    """Of the cases that people dealt with, whether it was for us. What went into another case counts for itself no more."""
    over = select(Case.id, Case.state, Case.outcome).where(col(Case.state).in_(("answered", "closed", "dismissed")))
    why = select(CaseEvent.case_id, CaseEvent.what).where(
        CaseEvent.kind == "dismissed", col(CaseEvent.what).startswith(_NOT_FOR_US)
    )
    said = dict(session.exec(why.order_by(col(CaseEvent.id))).all())
    fates = {}
    for number, state, outcome in session.exec(over):
        if number in numbers and outcome != MERGED and (state != "dismissed" or _is_no_matter(said.get(number, ""))):
            fates[number] = state != "dismissed"
    return fates


def _is_no_matter(why: str) -> bool:
    return why.startswith(_NOT_FOR_US) and why != _NOTHING_TO_DO


def gone(session: Session, since: datetime, now: datetime) -> int:
    """How many posts of a span are gone at their place: of two looks at it, more of them mean other words."""
    lost = select(func.count()).where(Mention.heard_at >= since, Mention.heard_at <= now)
    return session.exec(lost.where(col(Mention.deleted_at).is_not(None))).one()
