"""Today, as the wall shows it: what was heard and answered, what waits, what is on, and whether we hear at all.

Counted as in a report of this day: docs/figures.md says what counts as what.
"""

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from alerts.case import Case
from alerts.figures import Heard, cases_in, each_said
from alerts.inbox import counts
from alerts.message import face
from alerts.sections.reply_times import median, taken
from alerts.span import days
from alerts.spikes import Spike, SpikePost
from alerts.topic import title_of, titles_of
from config.schema import CollectorSettings, Config
from listener.database import reading
from listener.health import DESK, is_listening
from listener.watch import Alarm, Watch

ROWS = {
    "danger": "danger",
    "here_now": "here_now",
    "serious": "serious",
}  # what is none of these is there to be answered
_FRESH = timedelta(seconds=1)  # so long numbers are taken for those of now

Sound = Literal["heard", "nothing", "off", "paused", "budget", "quiet", "failing", "asleep"]


@dataclass(frozen=True)
class Day:
    """What was heard on a day, and the cases that it opened."""

    heard: int
    faces: Mapping[str, int]  # of patients' posts, by message.face()
    cases: int
    answered: int
    median: timedelta | None  # from the author's post to the public reply


@dataclass(frozen=True)
class Wait:
    """Cases of one urgency that wait: how many nobody has, and how many somebody has."""

    urgency: str
    free: int
    taken: int


@dataclass(frozen=True)
class Oldest:
    """Of the cases that nobody has the one whose author waits longest."""

    case_id: int
    urgency: str
    since: datetime


@dataclass(frozen=True)
class On:
    """A spike that is on."""

    title: str
    since: datetime
    posts: int


@dataclass(frozen=True)
class Ear:
    """A source: how it sounds, and when it last brought something new."""

    name: str
    sound: Sound
    heard_at: datetime | None


@dataclass(frozen=True)
class Today:
    """Everything that the wall tells."""

    at: datetime
    day: Day
    waits: Sequence[Wait]
    oldest: Oldest | None
    spikes: Sequence[On]
    ears: Sequence[Ear]
    is_mute: bool  # something on the way to the team does not work


def today(session: Session, config: Config, now: datetime) -> Today:
    """The numbers of this moment."""
    local = now.astimezone(config.hospital.zone).date()
    span = days(local, local + timedelta(days=1), config.hospital.zone)
    waiting = counts(session)
    alarms = session.exec(select(Alarm).where(col(Alarm.over_at).is_(None))).all()
    return Today(
        now,
        day(each_said(session, span.since, span.until), cases_in(session, span)),
        waits(waiting.free, waiting.all),
        _oldest(session),
        _spikes(session, config),
        ears(config.collectors, session.exec(select(Watch)).all(), alarms, now),
        any(alarm.kind in DESK for alarm in alarms),
    )


def day(heard: Iterable[Heard], cases: Sequence[Case]) -> Day:
    """What a day comes to. Pure."""
    count, faces = 0, Counter[str]()
    for one in heard:
        count += 1
        faces[face(one.mood)] += one.voice == "patient"
    spans = taken(cases)
    return Day(count, +faces, len(cases), len(spans), median(spans) if spans else None)


def waits(free: Mapping[str, int], everything: Mapping[str, int]) -> list[Wait]:
    """Four rows, whatever waits: remarks that became a case are there to be answered, as in the report. Pure."""
    open_, all_ = Counter[str](), Counter[str]()
    for urgency, count in everything.items():
        all_[ROWS.get(urgency, "routine")] += count
        open_[ROWS.get(urgency, "routine")] += free.get(urgency, 0)
    return [Wait(row, open_[row], all_[row] - open_[row]) for row in (*ROWS, "routine")]


def ears(
    collectors: Mapping[str, CollectorSettings], watches: Sequence[Watch], alarms: Sequence[Alarm], now: datetime
) -> list[Ear]:
    """Every source that is switched on, and those that were asked once and are off now. Pure."""
    known, troubles = {watch.name: watch for watch in watches}, by_collector(alarms)
    names = [name for name, settings in collectors.items() if settings.on or name in known]
    found = []
    for name in names:
        watch, wrong = known.get(name), troubles.get(name, frozenset())
        found.append(Ear(name, sound(collectors[name], watch, wrong, now), watch.heard_at if watch else None))
    return found


def by_collector(alarms: Sequence[Alarm]) -> dict[str, frozenset[str]]:
    """The kinds of what is wrong with each collector. Pure."""
    return {
        name: frozenset(alarm.kind for alarm in alarms if alarm.collector == name)
        for name in {alarm.collector for alarm in alarms}
    }


def sound(settings: CollectorSettings, watch: Watch | None, troubles: Collection[str], now: datetime) -> Sound:
    """What is worst about a source: the same on the wall and on the page of how everything fares. Pure."""
    if not settings.on:
        return "off"
    if "failing" in troubles:
        return "failing"
    if any(kind.endswith("used up") and "nearly" not in kind for kind in troubles):
        return "budget"
    if watch is not None and watch.paused_until is not None and watch.paused_until > now:
        return "paused"
    if watch is None or not is_listening(watch, settings, now):
        return "asleep"
    if "silent" in troubles:
        return "quiet"
    return "heard" if watch.heard_at is not None else "nothing"


def _oldest(session: Session) -> Oldest | None:
    waiting = select(Case).where(Case.state == "open", col(Case.snoozed_at).is_(None))
    case = session.exec(waiting.order_by(col(Case.clock_from), col(Case.id)).limit(1)).first()
    return Oldest(case.id or 0, case.urgency, case.clock_from) if case is not None else None


def _spikes(session: Session, config: Config) -> list[On]:
    titles = titles_of(config)
    counted = (
        select(Spike, func.count(col(SpikePost.mention_id)))
        .where(SpikePost.spike_id == Spike.id, col(Spike.over_at).is_(None))
        .group_by(col(Spike.id))
        .order_by(col(Spike.began_at))
    )
    return [On(title_of(spike.topic, titles), spike.began_at, posts) for spike, posts in session.exec(counted)]


class Latest:
    """The numbers as they were a second ago at most: many walls ask at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: Today | None = None

    def of(self, engine: Engine, config: Config, now: datetime) -> Today:
        """The numbers of now, or of just before."""
        with self._lock:
            known = self._known
            if known is None or not timedelta() <= now - known.at < _FRESH:
                with reading(engine) as session:
                    known = self._known = today(session, config, now)
            return known
