"""Spikes: many posts about one topic at once, more than is usual at that hour of the week.

The portal is down, the phones are dead, a car park is flooded: whoever can mend it must know after five posts, not after
fifty cards. A spike has one card in the channel of the topic's owner, and a note of what we know that goes to the drafts.
Copies of one story are one post here: what everybody passes on is no outage.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.orm import aliased
from sqlmodel import Field as Column
from sqlmodel import Session, SQLModel, col, exists, or_, select

from alerts.delivery import Delivery
from alerts.form import Field, Form
from config.schema import Config, Spikes
from listener.errors import NeedsPerson
from listener.logs import logger
from listener.mention import Mention
from listener.watch import Watch
from nlp.reading import Reading

log = logger(__name__)

KNOWN = 160  # characters of what we know: a reply on X must hold it
KNOW = Form(
    "What we know",
    "Keep it",
    (Field("known", "A sentence that goes into drafts", "words", hint="As it could stand in public.", longest=KNOWN),),
)
_EVERY = timedelta(minutes=1)  # how often it is looked whether a spike is over when nothing new is said
# benchmarks/spike_rate.py tells where these come from.
_CHANCE = 3e-5  # that so many posts come together though nothing is wrong
_SWAY = 0.7  # deviation of the rate itself, as a share of it: weather, news, a school holiday
# Posts about a topic of which nothing is counted yet, for each post of other matters: rather too many than too few.
_SHARES = {
    **dict.fromkeys(("safety", "clinical_care", "waiting"), 0.3),
    **dict.fromkeys(("access", "attitude"), 0.2),
    **dict.fromkeys(("digital", "food", "parking", "privacy"), 0.1),
    "communication": 0.4,
}
_SHARE, _SPARE = 0.15, 0.1  # of any other topic; and so many in a window beside that
_TRUST = 8.0  # hours of history that weigh as much as what is known of wider spans
_HOUR = timedelta(hours=1)
_HISTORY = timedelta(weeks=8)
_AHEAD = timedelta(minutes=5)  # so far a place's clock may be ahead of ours
_ASKING = ("complaint", "question")
_BATCH = 600  # readings that are counted in one transaction: more than are read in one
_PLACE = "spikes"  # the Watch that says how far the readings were looked at


class Spike(SQLModel, table=True):
    """Many posts about one topic. At most one of a topic is on."""

    id: int | None = Column(default=None, primary_key=True)
    topic: str
    began_at: datetime  # when the first of its posts was written
    seen_at: datetime  # when it was last looked at
    over_at: datetime | None = Column(default=None, index=True)
    usual: float  # posts in a window, at the hour of the week when it was last looked at
    known: str | None = None  # what we know of it, for the drafts
    known_by: str | None = None
    version: int = 1  # goes up with everything that its card shows


class SpikePost(SQLModel, table=True):
    """A mention that belongs to a spike."""

    spike_id: int = Column(primary_key=True, foreign_key="spike.id")
    mention_id: int = Column(primary_key=True, foreign_key="mention.id")


class TopicHour(SQLModel, table=True):
    """How many stories about a topic were written in an hour, for what is usual."""

    topic: str = Column(primary_key=True)
    hour: datetime = Column(primary_key=True)  # its beginning, UTC
    posts: int


class Told(NamedTuple):
    """A post, as far as it counts."""

    mention_id: int
    at: datetime
    author: str | None
    story: int  # the first telling of what it says; its own id if it is no copy


@dataclass(frozen=True)
class Burst:
    """What a window holds, when that is far more than usual."""

    posts: int  # stories: copies count once
    people: int
    since: datetime


# ---------------------------------------------------------------- what is unusual; pure


def spiking(posts: Iterable[Told], usual: float, settings: Spikes) -> Burst | None:
    """Whether the posts of one window are a spike where `usual` of them are usual."""
    stories: dict[int, Told] = {}
    for post in sorted(posts, key=lambda post: (post.at, post.mention_id)):
        stories.setdefault(post.story, post)
    # Who leaves no name may be anyone: the form in the waiting room asks for none.
    people = {post.author or post.mention_id for post in stories.values()}
    if len(people) < settings.authors or len(stories) < needed(usual, settings):
        return None
    return Burst(len(stories), len(people), min(post.at for post in stories.values()))


def needed(usual: float, settings: Spikes) -> int:
    """How many posts of a window are a spike where `usual` of them are usual: what chance brings about too rarely.

    A Poisson count whose rate sways itself, a negative binomial one: its tail is longer, the more so the more is usual.
    """
    count, fewer = 0, 0.0  # how likely fewer than `count` are
    while count < settings.posts or 1 - fewer >= _CHANCE:
        fewer += _likely(count, usual)
        count += 1
    return count


def _likely(count: int, usual: float) -> float:
    """How likely just so many posts are."""
    shape = _SWAY**-2
    share = usual / (usual + shape)
    ways = math.lgamma(count + shape) - math.lgamma(shape) - math.lgamma(count + 1)
    return (
        math.exp(ways + shape * math.log1p(-share) + (count * math.log(share) if count else 0.0))
        if share
        else float(count == 0)
    )


def first_guess(topic: str, others: int) -> float:
    """Posts about a topic that a window has as a rule in which `others` speak of other matters alone: what is usual while
    nothing is counted yet.

    So the first busy hour of a big hospital is no spike of every topic, and five posts about one of which hardly anybody
    speaks are a spike on the first day.
    """
    return _SHARES.get(topic, _SHARE) * others + _SPARE


def usual_rate(hours: Mapping[datetime, int], now: datetime, zone: ZoneInfo, window: timedelta, guess: float) -> float:
    """Posts that a window has at this hour of the week, as far as the last eight weeks tell.

    `hours`: posts about the topic in every hour in which anything was heard, zeros too. Few hours say little, so each
    narrower span is drawn towards the wider one: this hour of the week and its neighbours towards this hour of any
    day, that towards all hours, and all towards the first guess, which is what an empty history gives.
    """
    here = _hour_of_week(now - window / 2, zone)
    ended = now - window - _HOUR
    past = [(_hour_of_week(hour, zone), posts) for hour, posts in hours.items() if now - _HISTORY <= hour <= ended]
    rate = guess / (window / _HOUR)
    for cycle in (1, 24, 168):
        near = [posts for at, posts in past if min((at - here) % cycle, (here - at) % cycle) <= 1]
        rate = (_TRUST * rate + sum(near)) / (_TRUST + len(near))
    return rate * (window / _HOUR)


def _hour_of_week(at: datetime, zone: ZoneInfo) -> int:
    local = at.astimezone(zone)
    return local.weekday() * 24 + local.hour


# ---------------------------------------------------------------- the stage


def watch(session: Session, config: Config, now: datetime) -> int:
    """Look at what was read since the last look: how many spikes began, grew or ended. Commits.

    Hours are counted anew from the readings in force, so that a post counts once however often it is read or this is
    cut off. A post heard late belongs to the time when it was written: it makes no spike now.
    """
    place = session.get(Watch, _PLACE, with_for_update=True) or Watch(name=_PLACE)
    on = session.exec(select(Spike).where(col(Spike.over_at).is_(None))).all()
    new = _new(session, place)
    if not new and not any(now - spike.seen_at >= _EVERY for spike in on):
        session.rollback()
        return 0
    for hour in sorted({_hour(at) for _, at in new if at > now - _HISTORY}):
        _count(session, hour, config)
    window = config.care.spikes.window
    told = _told(session, min([now, *(spike.seen_at for spike in on)]) - window, now + _AHEAD)
    usual = _Usual(session, config, now, told)
    changes = sum(_look(session, spike, told[spike.topic], usual, now) for spike in on)
    if len(new) < _BATCH:  # else the history is still being counted, and everything would seem unusual
        changes += _begin(session, told, {spike.topic for spike in on}, usual, now)
    if new:
        place.cursor = {"reading": new[-1][0]}
        session.add(place)
    session.commit()
    return changes


def on_topic(session: Session, topics: Collection[str], now: datetime) -> Spike | None:
    """The spike about one of these topics that is on, the newest if there are several."""
    is_on = or_(col(Spike.over_at).is_(None), col(Spike.over_at) > now)
    about = select(Spike).where(col(Spike.topic).in_(topics), is_on, Spike.began_at <= now)
    return session.exec(about.order_by(col(Spike.id).desc()).limit(1)).first()


def know(session: Session, spike_id: int, text: str, who: str, now: datetime) -> Spike:
    """Keep what `who` knows of a spike, for its card and the drafts; commits. It must have passed the privacy check.

    Raises NeedsPerson when there is no such spike, it is over, or the text is empty or longer than KNOWN.
    """
    spike = session.get(Spike, spike_id, with_for_update=True)
    text = " ".join(text.split())
    if spike is None:
        raise NeedsPerson("this spike is not known any more; look at the newest card in the channel")
    if spike.over_at is not None:
        raise NeedsPerson("this spike is over, so no reply speaks of it any more; nothing was kept")
    if not text or len(text) > KNOWN:
        raise NeedsPerson(f"what we know takes 1 to {KNOWN} characters, as a reply must hold it; these are {len(text)}")
    spike.known, spike.known_by = text, who
    spike.version += 1
    session.add(spike)
    # Who has just written it waits to see it.
    card = (col(Delivery.kind) == "spike", col(Delivery.about) == f"spike:{spike_id}", col(Delivery.state) == "sent")
    session.execute(update(Delivery).where(*card).values(next_try_at=now))
    session.commit()
    log.info("know", spike=spike_id)
    return spike


def _new(session: Session, place: Watch) -> list[tuple[int, datetime]]:
    """Readings that were not looked at yet, and when their posts were written."""
    new = select(Reading.id, Mention.written_at).where(
        col(Reading.id) > place.cursor.get("reading", 0), Reading.mention_id == Mention.id
    )
    return [(id_ or 0, at) for id_, at in session.exec(new.order_by(col(Reading.id)).limit(_BATCH))]


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _told(session: Session, since: datetime, until: datetime, gone: bool = False) -> defaultdict[str, list[Told]]:
    """Complaints and questions of patients written in a span, by topic; those that are gone only where asked for."""
    newer = aliased(Reading)
    of_post: tuple[Any, ...] = (Mention.id, Mention.written_at, Mention.source, Mention.author, Mention.story)
    columns: tuple[Any, ...] = (*of_post, Mention.own, Mention.deleted_at, Reading.categories)
    posts = select(*columns).where(
        *(Mention.written_at >= since, Mention.written_at < until),
        *(Reading.mention_id == Mention.id, Reading.voice == "patient", col(Reading.kind).in_(_ASKING)),
        ~exists().where(col(newer.mention_id) == Mention.id, col(newer.id) > col(Reading.id)),
    )
    told: defaultdict[str, list[Told]] = defaultdict(list)
    # Were `own` and `deleted_at` asked in SQL, SQLite would look at every post that is not, whenever it was written.
    for id_, at, source, author, story, own, deleted_at, topics in session.execute(posts):
        if own or (deleted_at is not None and not gone):
            continue
        post = Told(id_, at, f"{source}:{author}" if author else None, story or id_)
        for topic in topics:
            told[topic["id"]].append(post)
    return told


def _count(session: Session, hour: datetime, config: Config) -> None:
    """How many stories of each topic an hour holds, whatever was counted of it before."""
    told = _told(session, hour, hour + _HOUR, gone=True)
    topics = config.keywords.categories
    before = select(TopicHour).where(TopicHour.hour == hour, col(TopicHour.topic).in_(topics))
    counted = {row.topic: row for row in session.exec(before)}
    for topic in topics:
        posts = len({post.story for post in told.get(topic, ())})
        if topic in counted:
            counted[topic].posts = posts
        elif posts:
            session.add(TopicHour(topic=topic, hour=hour, posts=posts))


class _Usual:
    """What is usual now, by topic. What all topics share is asked once."""

    def __init__(self, session: Session, config: Config, now: datetime, told: Mapping[str, list[Told]]) -> None:
        self._session, self.config, self._now = session, config, now
        since = now - config.care.spikes.window
        self._stories = {topic: {post.story for post in posts if post.at > since} for topic, posts in told.items()}

    def __call__(self, topic: str) -> float:
        counted = select(TopicHour.hour, TopicHour.posts).where(TopicHour.topic == topic, self._lately)
        hours = self._heard | dict(self._session.exec(counted).all())
        others = len(set().union(*self._stories.values()) - self._stories.get(topic, set()))
        settings, zone = self.config.care.spikes, self.config.hospital.zone
        return usual_rate(hours, self._now, zone, settings.window, first_guess(topic, others))

    @property
    def _lately(self) -> Any:
        return TopicHour.hour > self._now - _HISTORY

    @cached_property
    def _heard(self) -> dict[datetime, int]:
        # An hour in which nobody said anything of anything may be one in which nobody listened: it counts for nothing.
        return dict.fromkeys(self._session.exec(select(TopicHour.hour).where(self._lately).distinct()), 0)


def _look(session: Session, spike: Spike, posts: Sequence[Told], usual: _Usual, now: datetime) -> bool:
    """Whether a spike grew or ended. It ends when a window holds fewer than half of what makes one."""
    settings = usual.config.care.spikes
    of_it = set(session.exec(select(SpikePost.mention_id).where(SpikePost.spike_id == spike.id)))
    fresh = [post for post in posts if post.mention_id not in of_it]
    _attach(session, spike, fresh)
    spike.usual, spike.seen_at = usual(spike.topic), now
    lately = {post.story for post in posts if post.at > now - settings.window}
    if 2 * len(lately) < needed(spike.usual, settings):
        spike.over_at = now
        log.info("spike", spike=spike.id, topic=spike.topic, over=True)
    grew = bool(fresh) or spike.over_at is not None
    spike.version += grew
    session.add(spike)
    return grew


def _begin(session: Session, told: Mapping[str, list[Told]], on: set[str], usual: _Usual, now: datetime) -> int:
    """Begin a spike of each topic that is far above its usual rate, the clearest first. Posts that speak of two topics
    are one matter: what one spike explains begins no second one."""
    settings = usual.config.care.spikes
    since = now - settings.window
    explained = {post.mention_id for topic in on for post in told.get(topic, ())}
    found = []
    for topic in usual.config.keywords.categories:
        posts = [post for post in told.get(topic, ()) if post.at > since]
        if topic not in on and len(posts) >= settings.posts:
            rate = usual(topic)
            found.append((len(posts) / needed(rate, settings), topic, posts, rate))
    begun = 0
    for _, topic, posts, rate in sorted(found, reverse=True):
        own = [post for post in posts if post.mention_id not in explained]
        if burst := spiking(own, rate, settings):
            spike = Spike(topic=topic, began_at=burst.since, seen_at=now, usual=rate)
            session.add(spike)
            session.flush()
            _attach(session, spike, own)
            explained |= {post.mention_id for post in own}
            begun += 1
            log.info("spike", spike=spike.id, topic=topic, posts=burst.posts, people=burst.people)
    return begun


def _attach(session: Session, spike: Spike, posts: Sequence[Told]) -> None:
    assert spike.id is not None
    session.add_all([SpikePost(spike_id=spike.id, mention_id=post.mention_id) for post in posts])
