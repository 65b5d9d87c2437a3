"""The one place that figures come from: what was heard in a span of time, and what became of it. docs/figures.md defines each.

Everything is counted by the time a mention was heard, so that the sections of a report and the ledger agree. What people
corrected counts as corrected.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from sys import intern
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import String, cast
from sqlmodel import Session, and_, col, exists, func, or_, select

from alerts.case import MERGED, Case, CaseEvent
from alerts.delivery import PAGE, Delivery, DigestLine, Fold
from alerts.span import Span
from alerts.spikes import Spike, SpikePost
from alerts.topic import title_of, titles_of
from alerts.tuning import Change, changes
from alerts.verdict import Verdict, verdict_in_force
from config.schema import Config, Hospital
from listener.mention import Mention
from listener.watch import Alarm, Gap, Spend
from nlp.measured import measured
from nlp.reading import Reading, reading_in_force

# Two passes of the slowest usual rhythm: what has gone no further by then is stuck.
STUCK_AFTER = timedelta(minutes=10)
WEEKS = 8  # before a span, that tell what is usual
AFTER = timedelta(days=28)  # so long after a span it is looked whether what was fixed came back
FEW = 5  # fewer posts than these are not told by place: who wrote one might be known
# Texts of patients that are compared for what rose, at most; evenly taken from more. Beyond it no word changes its place.
_TEXTS, _TEXTS_BEFORE = 4_000, 8_000
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Heard:
    """One mention with its newest reading and the verdict in force; None for what it does not have yet."""

    mention_id: int
    source: str
    collector: str
    heard_at: datetime
    deleted: bool = False
    # How it was read, and corrected.
    voice: str | None = None
    kind: str | None = None
    categories: Sequence[str] = ()
    stage: str | None = None
    mood: float = 0.0
    urgency: str | None = None
    site: str | None = None
    departments: Sequence[str] = ()
    staff: Sequence[str] = ()  # whom praise names
    redacted_text: str = ""  # of what was heard in the span, not of the weeks before
    # What became of it; of what was heard in the span.
    outcome: str | None = None
    reason: str | None = None
    case_id: int | None = None
    card_sent: bool = False
    digest_held: datetime | None = None  # since when its digest is ready and not sent

    @property
    def is_complaint(self) -> bool:
        """Whether a patient, relative or visitor complains."""
        return self.voice == "patient" and self.kind == "complaint"


@dataclass(frozen=True)
class Spiked:
    """A spike that was on in the span, and how many posts belong to it."""

    spike: Spike
    posts: int
    cases: Sequence[Case] = ()  # that these posts opened or joined


@dataclass(frozen=True)
class Ended:
    """A case that was closed in the span, with what became of it."""

    case: Case
    topics: Sequence[str]
    site: str | None
    departments: Sequence[str]


@dataclass(frozen=True)
class Reopened:
    """A case that was closed in the span and opened again since; its outcome is that of then, None if config has it no more."""

    case: Case
    topics: Sequence[str]
    outcome: str | None


@dataclass(frozen=True)
class Words:
    """Texts of patients, without personal details, to be compared: (id of the mention, text)."""

    now: Sequence[tuple[int, str]] = ()
    before: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True)
class Figures:
    """Everything a report is counted from."""

    span: Span
    zone: ZoneInfo
    now: datetime
    hospital: str
    heard: Sequence[Heard] = ()
    cases: Sequence[Case] = ()  # that these mentions opened
    ended: Sequence[Ended] = ()
    spikes: Sequence[Spiked] = ()
    gaps: Sequence[Gap] = ()
    spends: Sequence[Spend] = ()  # of the UTC days that begin in the span
    alarms: Sequence[Alarm] = ()  # that were on at some time in the span
    words: Words = field(default=Words(), repr=False)
    titles: dict[str, str] = field(default_factory=dict)  # of the categories
    owners: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    targets: dict[str, timedelta] = field(default_factory=dict)
    before: "Figures | None" = field(default=None, repr=False)  # the span it is compared with
    weeks: Sequence["Figures"] = field(default=(), repr=False)  # the WEEKS before it, the latest first
    collectors: Sequence[str] = ()  # that are switched on
    spike_window: timedelta = timedelta(minutes=20)
    passed_on: frozenset[int] = frozenset()  # mentions whose praise the recognition channel was sent
    measured: dict[str, str] = field(default_factory=dict)  # how well the reader reads, as its card prints
    own_names: Sequence[str] = ()  # of the hospital, its town, sites and accounts
    against: Span | None = None  # what it is compared with, where that was asked for
    changes: Sequence[Change] = ()  # in what posts are read with
    reopened: Sequence[Reopened] = ()
    after: Sequence[Heard] = field(default=(), repr=False)  # in the AFTER that follows, where a case was closed
    began: datetime | None = None  # when the first post of all was heard; None: long ago
    endangered: dict[int, datetime] = field(default_factory=dict)  # cases that became danger, and when last

    @property
    def since(self) -> datetime:
        """The first moment that counts."""
        return self.span.since

    @property
    def until(self) -> datetime:
        """The first moment that counts no more."""
        return self.span.until

    @property
    def compared_with(self) -> str:
        """What people call the span before: "the week before", or the one that was asked for: "week 40 of 2026"."""
        if self.against:
            return self.against.called
        return f"the {self.called} before"

    @property
    def called(self) -> str:
        """What people call such a span: "week", "10 days"."""
        if self.span.kind != "days":
            return self.span.kind
        return f"{len(self.span.days)} days" if len(self.span.days) > 1 else "day"

    @property
    def is_over(self) -> bool:
        """Whether all of it counts: what is not over is compared with nothing."""
        return self.until <= self.now

    @cached_property
    def patients(self) -> list[Heard]:
        """What patients, relatives and visitors said."""
        return [heard for heard in self.heard if heard.voice == "patient"]

    @cached_property
    def complaints(self) -> list[Heard]:
        """Their posts that complain of something."""
        return [heard for heard in self.patients if heard.kind == "complaint"]

    @cached_property
    def praise(self) -> list[Heard]:
        """Their posts that praise and complain of nothing."""
        return [heard for heard in self.patients if heard.kind == "praise"]

    @property
    def is_whole(self) -> bool:
        """Whether it was listened from its beginning: a part of a week is not usual."""
        return self.began is None or self.began < self.since + (self.until - self.since) / 7

    @property
    def whole_weeks(self) -> Sequence["Figures"]:
        """The weeks that it is compared with: those before it, without the one in which listening began."""
        if not self.is_over:
            return ()
        return self.weeks if not self.weeks or self.weeks[-1].is_whole else self.weeks[:-1]

    def title(self, category: str) -> str:
        """What people call a category; one that config has no more keeps its name."""
        return title_of(category, self.titles) or "No topic named"


def figures(session: Session, config: Config, span: Span, now: datetime, against: Span | None = None) -> Figures:
    """The figures of a span, of the one it is compared with (None: the one before), and of the weeks before it."""
    compared = against or span.before
    spans = [span.week_before]
    while len(spans) < WEEKS:
        spans.append(spans[-1].before)
    first = session.exec(select(func.min(Mention.heard_at))).one()
    known = [
        week for week in spans if first is not None and week.until > first
    ]  # a week before the first tells nothing
    began = first or now
    before = _slim(session, config, compared, now, began)
    weeks = [_cut(before, week) or _slim(session, config, week, now, began) for week in known]
    return replace(_whole(session, config, span, now, before, weeks), against=against, began=began)


def heard_between(session: Session, since: datetime | None, until: datetime) -> list[Heard]:
    """Every mention heard from `since` (None: ever) until `until`, and what became of it."""
    return list(each_heard(session, since, until))


def each_heard(session: Session, since: datetime | None, until: datetime) -> Iterator[Heard]:
    """The same one by one, for sums: a service that held a week in memory each time would be larger with each post."""
    newest = verdict_in_force()
    # Its card where its urgency belongs, or the page that stands in for it.
    there = or_(
        and_(col(Delivery.channel) == Case.channel, col(Delivery.round) == Case.round),
        col(Delivery.about).startswith(PAGE),
    )
    there = and_(there, col(Delivery.kind) == "card")
    carded = exists().where(
        and_(col(Case.id) == Verdict.case_id, col(Delivery.case_id) == Case.id, col(Delivery.state) == "sent", there)
    )
    folded = exists().where(
        *(col(Fold.case_id) == Verdict.case_id, col(Fold.delivery_id) == Delivery.id, col(Delivery.state) == "sent")
    )
    fate = (Verdict.outcome, Verdict.reason, Verdict.case_id, or_(carded, folded))
    in_force = and_(col(Verdict.mention_id) == Mention.id, newest)
    waiting = select(DigestLine.mention_id, Delivery.created_at).where(
        DigestLine.delivery_id == Delivery.id, Delivery.state != "sent"
    )
    held = dict(session.exec(waiting).all())
    corrected = _corrected(session, since, until)
    wanted = _readings(*_READ, Reading.redacted_text, *fate).join(Verdict, in_force, isouter=True)
    rows = session.connection().execute(wanted.where(*_in(since, until)), execution_options=_SOME)
    for row in map(tuple, rows):
        yield _heard(row[: len(_READ)], corrected, row[-5], (*row[-4:-1], bool(row[-1]), held.get(row[0])))


# A quarter may have 250,000 rows: not all of them at once beside what is made of them.
_SOME = {"yield_per": 2_000}
_READ: tuple[Any, ...] = (
    *(Mention.id, Mention.source, Mention.collector, Reading.voice, Reading.kind, Reading.stage, Reading.urgency),
    *(Reading.site, Reading.mood, Mention.heard_at, col(Mention.deleted_at).is_not(None)),
    # As text: to parse it is most of the work, and most of it is "[]", or what was parsed before.
    *(cast(listed, String) for listed in (Reading.categories, Reading.departments, Reading.staff)),
)


def _readings(*columns: Any) -> Any:
    """Mentions with the reading in force, in the order of hearing."""
    wanted: Any = select(*columns)
    with_reading = wanted.select_from(Mention).join(Reading, _in_force(Mention.id), isouter=True)
    return with_reading.order_by(col(Mention.heard_at), col(Mention.id))  # as an index has them: nothing is sorted


def _in_force(mention_id: Any) -> Any:
    """The reading of a mention that counts."""
    newest = reading_in_force()
    return and_(col(Reading.mention_id) == mention_id, newest)


def _in(since: datetime | None, until: datetime) -> list[Any]:
    return [Mention.heard_at < until, *([Mention.heard_at >= since] if since else [])]


def _slim(session: Session, config: Config, span: Span, now: datetime, began: datetime) -> Figures:
    """What was said in a span, to compare with."""
    heard = list(each_said(session, span.since, span.until))
    return Figures(
        span,
        config.hospital.zone,
        now,
        config.hospital.name,
        heard,
        cases=cases_in(session, span),
        spends=_spends(session, span),
        began=began,
    )


def each_said(session: Session, since: datetime, until: datetime) -> Iterator[Heard]:
    """What was heard from `since` until `until`, as it was read and corrected; not what became of it, which takes longer."""
    corrected = _corrected(session, since, until)
    rows = session.connection().execute(_readings(*_READ).where(*_in(since, until)), execution_options=_SOME)
    yield from (_heard(row, corrected) for row in map(tuple, rows))


def _cut(whole: Figures, part: Span) -> Figures | None:
    """What was said in a part of a span; None of what is no part of it."""
    if part.since < whole.since or part.until > whole.until:
        return None
    since, until = part.since.astimezone(UTC), part.until.astimezone(UTC)  # to compare within one zone is far quicker
    heard = [one for one in whole.heard if since <= one.heard_at < until]
    ids = {one.mention_id for one in heard}
    first, last = _utc_days(part)
    return replace(
        whole,
        span=part,
        heard=heard,
        cases=[case for case in whole.cases if case.mention_id in ids],
        spends=[spend for spend in whole.spends if first <= spend.day < last],
    )


def _whole(
    session: Session, config: Config, span: Span, now: datetime, before: Figures, weeks: Sequence[Figures]
) -> Figures:
    heard, ended = heard_between(session, span.since, span.until), _ended(session, span)
    inside = (col(Gap.found_at) >= span.since, col(Gap.found_at) < span.until)
    still_on = or_(col(Alarm.over_at).is_(None), col(Alarm.over_at) >= span.since)
    alarms = select(Alarm).where(col(Alarm.raised_at) < span.until, still_on)
    targets = config.care.targets
    return Figures(
        span,
        config.hospital.zone,
        now,
        config.hospital.name,
        heard,
        cases_in(session, span),
        ended,
        _spiked(session, span),
        session.exec(select(Gap).where(*inside).order_by(col(Gap.id))).all(),
        _spends(session, span),
        session.exec(alarms.order_by(col(Alarm.id))).all(),
        _words(session, heard, weeks),
        titles_of(config),
        {name: category.owner for name, category in config.keywords.categories.items()},
        dict(config.care.outcomes),
        {name: getattr(targets, name) for name in ("danger", "here_now", "serious", "routine")},
        before,
        weeks,
        [name for name, settings in config.collectors.items() if settings.on],
        config.care.spikes.window,
        _passed_on(session, span),
        measured(Path(folder) if (folder := config.keywords.reader.folder) else None)
        if config.keywords.reader.model
        else {},
        _own_names(config.hospital),
        changes=changes(session, span, heard),
        reopened=_reopened(session, config, span),
        endangered=_endangered(session, span),
        after=_after(session, span, ended, now),
    )


def _own_names(hospital: Hospital) -> tuple[str, ...]:
    sites = [name for site in hospital.sites for name in (site.name, *site.aliases)]
    accounts = [name for name in hospital.accounts.model_dump().values() if name]
    return (hospital.name, *hospital.aliases, hospital.town, *sites, *accounts)


def cases_in(session: Session, span: Span) -> Sequence[Case]:
    """The cases that were opened by what was heard in a span; those that went into another count there."""
    opened_by = and_(
        col(Case.mention_id) == Mention.id, col(Mention.heard_at) >= span.since, col(Mention.heard_at) < span.until
    )
    counts = or_(col(Case.outcome).is_(None), col(Case.outcome) != MERGED)  # else its posts are another case's
    return session.exec(select(Case).where(opened_by, counts).order_by(col(Case.id))).all()


def _endangered(session: Session, span: Span) -> dict[int, datetime]:
    of_case = (CaseEvent.case_id == Case.id, Case.mention_id == Mention.id, *_in(span.since, span.until))
    became = (col(CaseEvent.kind).in_(("raised", "urgency")), col(CaseEvent.what).startswith("now danger"))
    told = select(CaseEvent.case_id, CaseEvent.at).where(*of_case, *became)
    return dict(session.exec(told.order_by(col(CaseEvent.id))).all())


def _ended(session: Session, span: Span) -> list[Ended]:
    closed = (Case.state == "closed", col(Case.closed_at) >= span.since, col(Case.closed_at) < span.until)
    counts = and_(col(Case.outcome).is_not(None), col(Case.outcome) != MERGED)
    rows = session.execute(
        _readings(Case, Reading.categories, Reading.site, Reading.departments)
        .join(Case, col(Case.mention_id) == Mention.id)
        .where(*closed, counts)
    )
    return [
        Ended(case, _topics(case.topics, categories), site, tuple(departments or ()))
        for case, categories, site, departments in rows
    ]


def _reopened(session: Session, config: Config, span: Span) -> list[Reopened]:
    again = select(CaseEvent.case_id, func.max(CaseEvent.id).label("event")).where(CaseEvent.kind == "reopened")
    last = again.group_by(col(CaseEvent.case_id)).subquery()
    wanted: Any = select(Case, CaseEvent.what, Reading.categories)
    wanted = wanted.select_from(CaseEvent).join(Case, col(CaseEvent.case_id) == Case.id)
    wanted = wanted.join(last, and_(last.c.case_id == Case.id, last.c.event > CaseEvent.id))
    wanted = wanted.join(Reading, _in_force(Case.mention_id), isouter=True).order_by(col(CaseEvent.id))
    inside = (col(CaseEvent.at) >= span.since, col(CaseEvent.at) < span.until)
    rows = session.execute(wanted.where(CaseEvent.kind == "closed", *inside))
    outcomes = {f"closed it: {title.lower()}": name for name, title in config.care.outcomes.items()}
    found = {case.id: Reopened(case, _topics(case.topics, read), outcomes.get(what)) for case, what, read in rows}
    return list(found.values())  # one that was closed twice counts once, as it was closed last


def _after(session: Session, span: Span, ended: Sequence[Ended], now: datetime) -> list[Heard]:
    """What was heard after a span in which a case was closed, as far as the time has passed."""
    return list(each_said(session, span.until, min(span.until + AFTER, now))) if ended else []


def _spiked(session: Session, span: Span) -> list[Spiked]:
    was_on = (Spike.began_at < span.until, or_(col(Spike.over_at).is_(None), col(Spike.over_at) >= span.since))
    counted = (
        select(Spike, func.count(col(SpikePost.mention_id)))
        .where(SpikePost.spike_id == Spike.id, *was_on)
        .group_by(col(Spike.id))
        .order_by(col(Spike.began_at))
    )
    of_posts = (SpikePost.spike_id == Spike.id, SpikePost.mention_id == Verdict.mention_id, Verdict.case_id == Case.id)
    cases: defaultdict[int, dict[int | None, Case]] = defaultdict(dict)
    for spike_id, case in session.exec(select(SpikePost.spike_id, Case).where(*of_posts, *was_on)):
        cases[spike_id][case.id] = case
    return [Spiked(spike, posts, list(cases[spike.id or 0].values())) for spike, posts in session.exec(counted)]


def _passed_on(session: Session, span: Span) -> frozenset[int]:
    told = select(DigestLine.mention_id).where(
        *(DigestLine.delivery_id == Delivery.id, Delivery.kind == "praise", Delivery.state == "sent"),
        *(DigestLine.mention_id == Mention.id, *_in(span.since, span.until)),
    )
    return frozenset(session.exec(told))


def _spends(session: Session, span: Span) -> Sequence[Spend]:
    first, last = _utc_days(span)
    return session.exec(select(Spend).where(col(Spend.day) >= first, col(Spend.day) < last)).all()


def _utc_days(span: Span) -> tuple[date, date]:
    """The first that begins in the span, and the first after it."""
    return span.since.astimezone(UTC).date(), span.until.astimezone(UTC).date()


def _words(session: Session, heard: Sequence[Heard], weeks: Sequence[Figures]) -> Words:
    said = [(one.mention_id, one.redacted_text) for one in heard if speaks(one) and one.redacted_text]
    ids = _evenly([one.mention_id for week in weeks for one in week.heard if speaks(one)], _TEXTS_BEFORE)
    newest = select(func.max(Reading.id)).group_by(col(Reading.mention_id))
    before: list[tuple[int, str]] = []
    for start in range(0, len(ids), 500):
        some = newest.where(col(Reading.mention_id).in_(ids[start : start + 500]))
        wanted = select(Reading.mention_id, Reading.redacted_text).where(col(Reading.id).in_(some))
        before += [(id_, text) for id_, text in session.exec(wanted) if text]
    return Words(_evenly(said, _TEXTS), before)


def speaks(one: Heard) -> bool:
    """Whether its words may rise: what is praised or told in passing rises too, but no advert, and danger is not quoted."""
    return one.voice == "patient" and one.urgency != "danger" and not one.deleted


def _evenly(values: Sequence[_Value], most: int) -> Sequence[_Value]:
    return values if len(values) <= most else [values[number * len(values) // most] for number in range(most)]


@dataclass(frozen=True)
class _Corrected:
    """What people said: these posts are not for us, those that opened a case are about something else."""

    not_us: frozenset[int]
    topics: dict[int, Sequence[str]]


def _corrected(session: Session, since: datetime | None, until: datetime) -> _Corrected:
    newest = verdict_in_force()
    of_post = (col(Verdict.mention_id) == Mention.id, Verdict.case_id == Case.id, newest, *_in(since, until))
    dismissed = select(Mention.id, CaseEvent.what).where(
        *of_post, Case.state == "dismissed", col(CaseEvent.case_id) == Case.id, CaseEvent.kind == "dismissed"
    )
    last = dict(session.exec(dismissed.order_by(col(CaseEvent.id))).all())
    of_case = (col(Case.mention_id) == Mention.id, *_in(since, until))
    topics = select(Case.mention_id, Case.topics).where(*of_case, col(Case.topics).is_not(None))
    return _Corrected(
        frozenset(id_ for id_, what in last.items() if id_ and not what.endswith(": nothing to do")),
        {id_: tuple(corrected or ()) for id_, corrected in session.exec(topics)},
    )


def _topics(corrected: Sequence[str] | None, categories: Any) -> tuple[str, ...]:
    return tuple(corrected) if corrected is not None else tuple(one["id"] for one in categories or ())


@lru_cache(maxsize=10_000)
def _parsed(text: str | None) -> tuple[Any, ...]:
    return tuple(json.loads(text)) if text else ()


def _heard(row: Any, corrected: _Corrected, text: str | None = None, fate: tuple[Any, ...] = ()) -> Heard:
    id_, *words, mood, heard_at, deleted, categories, departments, staff = row
    # The same few words in every row: each is kept once.
    source, collector, voice, kind, stage, urgency, site = [word and intern(word) for word in words]
    is_us = id_ not in corrected.not_us
    return Heard(
        id_,
        source,
        collector,
        heard_at,
        deleted,
        voice if is_us else "other",
        kind if is_us else None,
        _topics(corrected.topics.get(id_), _parsed(categories)),
        stage,
        mood or 0.0,
        urgency,
        site,
        _parsed(departments),
        () if deleted else _parsed(staff),
        "" if deleted else text or "",
        *fate,
    )
