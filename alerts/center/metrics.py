"""What Prometheus is told of this installation: counts, ages and money, never a name, a handle or a word of a post.

Labels are doors, urgencies, and the collectors and places that we know: nobody can make more of them from outside.
"""

import importlib.metadata
import platform
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from sqlmodel import Session, col, exists, func, select

from alerts.case import WAITING, Case
from alerts.center.outbox import Door, outbox
from alerts.clockface import due_now
from alerts.delivery import Delivery
from alerts.figures import each_heard
from alerts.ledger import ledger
from alerts.message import PLACES
from alerts.verdict import Verdict
from config.schema import Config
from listener import keep, stages, versions
from listener.mention import Mention
from listener.watch import Alarm, Spend, Watch
from nlp.reading import URGENCIES, Reading

_SUM_EVERY, _SUM_OF = timedelta(minutes=10), timedelta(days=7)
_LATELY = timedelta(days=1)
_OTHER = "other"  # a place that an imported file named


@dataclass(frozen=True)
class Process:
    """What the process knows and the database does not."""

    open_pages: int
    flowed_at: datetime | None  # when the flow last came round
    database_bytes: int | None  # of a file; None where it is on a server
    free_bytes: int | None = None  # on the disk of the data
    pagers: int = 0  # addresses that danger pages


class Totals:
    """How much was heard, read and opened, ever, by place. Each scrape counts only what is new: rows are never taken out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = {"heard": 0, "read": 0, "cases": 0}
        self._counts: dict[str, Counter[str]] = {what: Counter() for what in self._last}

    def __call__(self, session: Session) -> Mapping[str, Mapping[str, int]]:
        """By "heard", "read" and "cases", for each place."""
        of_post = (col(Mention.id) == Reading.mention_id,)
        wanted: dict[str, tuple[Any, Any, Sequence[Any]]] = {
            "heard": (Mention.id, Mention.source, ()),
            "read": (Reading.id, Mention.source, of_post),
            "cases": (Case.id, Case.source, ()),
        }
        with self._lock:
            for what, (number, source, where) in wanted.items():
                newest = session.exec(select(func.max(number))).one() or 0
                new = select(source, func.count()).where(number > self._last[what], number <= newest, *where)
                self._counts[what].update(dict(session.execute(new.group_by(source)).all()))
                self._last[what] = newest
            return {what: dict(counts) for what, counts in self._counts.items()}


class Stuck:
    """How many posts of seven days nobody can account for, as the ledger has it; summed up every ten minutes at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: datetime | None = None
        self._count = 0

    def __call__(self, session: Session, now: datetime) -> int:
        """Posts."""
        with self._lock:
            if self._at is None or not timedelta() <= now - self._at < _SUM_EVERY:
                sum_ = ledger(each_heard(session, now - _SUM_OF, now), now)
                accounted = sum_.alerted + sum_.in_digest + sum_.dismissed + sum_.on_the_way
                self._at, self._count = now, sum_.collected - accounted
            return self._count


def text(
    session: Session, config: Config, totals: Totals, stuck: Stuck, process: Process, now: datetime, accept: str = ""
) -> tuple[bytes, str]:
    """All of it in the format that the scraper asks for, and the name of that format."""
    registry = CollectorRegistry()
    registry.register(_Found((*_families(session, config, totals, process, now), *_of_stages(session, stuck, now))))
    encode, kind = choose_encoder(accept)
    return encode(registry), kind


@dataclass(frozen=True, eq=False)  # it is told from others by itself
class _Found:
    """What prometheus-client asks for metrics."""

    families: Sequence[Metric]

    def collect(self) -> Iterable[Metric]:
        """Them."""
        return self.families


def _families(session: Session, config: Config, totals: Totals, process: Process, now: datetime) -> Iterator[Metric]:
    yield from _of_cases(session, now)
    yield from _of_outbox(outbox(session), now)
    known = {*PLACES, *config.collectors}
    for what, by_place in totals(session).items():
        name, help_ = _TOTALS[what]
        summed: Counter[str] = Counter()
        for source, count in by_place.items():
            summed[source if source in known else _OTHER] += count
        yield _counter(name, help_, "source", summed)
    yield from _of_collectors(session, config, now)
    yield from _of_process(session, process, now)


_TOTALS = {
    "heard": ("call_light_posts_heard", "Posts that were kept, ever."),
    "read": ("call_light_posts_read", "Posts that were read, ever; one that is read again counts again."),
    "cases": ("call_light_cases_opened", "Cases that were opened, ever."),
}


def _of_stages(session: Session, stuck: Stuck, now: datetime) -> Iterator[Metric]:
    """What each stage did, and what waits before it."""
    yield from stages.registry.collect()
    waiting = {"read": _unread(session, now), "decide": _undecided(session, now)}
    counts = {stage: count for stage, (count, _) in waiting.items()}
    yield _gauge("call_light_stage_waiting", "Posts of the last day that wait for this stage.", "stage", counts)
    ages = {stage: _age(oldest or now, now) for stage, (_, oldest) in waiting.items()}
    help_ = "How long ago the oldest of them was heard; 0: none waits."
    yield _gauge("call_light_stage_oldest_age_seconds", help_, "stage", ages)
    carded = exists().where(
        col(Delivery.case_id) == Case.id, col(Delivery.kind) == "card", col(Delivery.state) == "sent"
    )
    without = select(func.min(Case.opened_at)).where(col(Case.state).in_(WAITING), Case.urgency == "danger", ~carded)
    help_ = "How long the oldest danger case waits for its card; 0: each has one."
    oldest = session.exec(without).one()
    yield _single("call_light_danger_without_card_seconds", help_, _age(oldest or now, now))
    help_ = "Posts of seven days that nobody can account for, looked at every ten minutes; 0: the ledger adds up."
    yield _single("call_light_ledger_stuck", help_, stuck(session, now))


def _unread(session: Session, now: datetime) -> tuple[int, datetime | None]:
    """How many posts of the last day have no reading of any version, and when the oldest was heard."""
    read = exists().where(col(Reading.mention_id) == Mention.id, col(Reading.revision) == Mention.revision)
    wanted = select(func.count(), func.min(Mention.heard_at))
    return session.exec(wanted.where(Mention.heard_at > now - _LATELY, col(Mention.deleted_at).is_(None), ~read)).one()


def _undecided(session: Session, now: datetime) -> tuple[int, datetime | None]:
    """The same of readings that have no verdict."""
    decided = exists().where(col(Verdict.reading_id) == Reading.id)
    of_post = (col(Mention.id) == Reading.mention_id, Mention.heard_at > now - _LATELY)
    return session.exec(select(func.count(), func.min(Mention.heard_at)).where(*of_post, ~decided)).one()


def _of_cases(session: Session, now: datetime) -> Iterator[Metric]:
    waiting = select(Case.urgency, func.count(), func.min(Case.clock_from)).where(col(Case.state).in_(WAITING))
    rows = session.exec(waiting.group_by(col(Case.urgency))).all()
    counts = dict.fromkeys(URGENCIES, 0) | {urgency: count for urgency, count, _ in rows}
    yield _gauge("call_light_cases_waiting", "Cases that somebody must still act on.", "urgency", counts)
    oldest = min((since for *_, since in rows), default=now)
    yield _single(
        "call_light_oldest_case_age_seconds", "How long ago the author of the oldest waiting case posted; 0: none waits.",
        _age(oldest, now),
    )  # fmt: skip
    # One that sleeps is due later than its row says, so that these are looked at one by one.
    past = select(Case).where(col(Case.state).in_(WAITING), Case.due_at < now)
    late = session.exec(select(func.count()).select_from(past.where(col(Case.snoozed_at).is_(None)).subquery())).one()
    asleep = session.exec(past.where(col(Case.snoozed_at).is_not(None)))
    late += sum(due_now(case, now) < now for case in asleep)
    yield _single("call_light_cases_late", "Waiting cases that are past their reply target.", late)


def _of_outbox(doors: Mapping[str, Door], now: datetime) -> Iterator[Metric]:
    named = doors.items()
    waiting = {name: door.waiting for name, door in named}
    yield _gauge("call_light_outbox_waiting", "Messages that wait to be sent.", "door", waiting)
    ages = {name: _age(door.oldest or now, now) for name, door in named}
    yield _gauge("call_light_outbox_oldest_age_seconds", "How long the oldest of them waits.", "door", ages)
    given_up = {name: door.given_up for name, door in named}
    yield _gauge("call_light_outbox_given_up", "Messages that were given up.", "door", given_up)


def _of_collectors(session: Session, config: Config, now: datetime) -> Iterator[Metric]:
    """Only those that are switched on: the others are quiet with good reason."""
    on = {name: settings for name, settings in config.collectors.items() if settings.on}
    watches = {watch.name: watch for watch in session.exec(select(Watch)) if watch.name in on}
    heard = {name: _age(watch.heard_at, now) for name, watch in watches.items() if watch.heard_at}
    asked = {name: _age(watch.asked_at, now) for name, watch in watches.items() if watch.asked_at}
    yield _gauge("call_light_collector_heard_age_seconds", "How long ago a new post was heard.", "collector", heard)
    yield _gauge("call_light_collector_asked_age_seconds", "How long ago its place was asked.", "collector", asked)
    failures = {name: watch.failures for name, watch in watches.items()}
    yield _gauge("call_light_collector_failures", "Failures in a row; 0: it works.", "collector", failures)
    billed = select(Spend.collector, func.sum(Spend.reads), func.sum(Spend.cost)).group_by(Spend.collector)
    rows = [row for row in session.exec(billed) if row[0] in config.collectors]
    reads = {name: count for name, count, _ in rows}
    yield _counter("call_light_reads", "Posts that a place has billed, ever.", "collector", reads)
    dollars = {name: cost for name, _, cost in rows}
    yield _counter("call_light_spent_dollars", "What the places have billed, ever.", "collector", dollars)
    limits = ((name, keep.reads_left(session, name, settings, now)) for name, settings in on.items())
    left = {name: reads for name, reads in limits if reads is not None}
    yield _gauge("call_light_reads_left", "Reads left of the tighter of its budgets.", "collector", left)


def _of_process(session: Session, process: Process, now: datetime) -> Iterator[Metric]:
    standing = session.exec(select(func.count()).where(col(Alarm.over_at).is_(None))).one()
    yield _single("call_light_alarms", "Alarms that stand.", standing)
    if process.flowed_at is not None:
        help_ = "How long ago the service last came round; it is missing until it does."
        yield _single("call_light_flow_age_seconds", help_, _age(process.flowed_at, now))
    yield _single("call_light_open_pages", "Pages that are open and live.", process.open_pages)
    yield _single("call_light_pager_addresses", "Addresses that danger pages.", process.pagers)
    if process.free_bytes is not None:
        yield _single("call_light_disk_free_bytes", "What is free on the disk of the data.", process.free_bytes)
    if process.database_bytes is not None:
        yield _single("call_light_database_bytes", "How large the database file is.", process.database_bytes)
    version, newest = versions.in_force(session), versions.newest(session)
    number = version.number or 0 if version is not None else 0
    yield _single("call_light_config_version", "The version of the config files in force; 0: none is kept.", number)
    refused = newest is not None and newest.trouble not in (None, *versions.UNTRIED)
    yield _single("call_light_config_refused", "1: the files that were saved last cannot be used.", int(refused))
    about = {"version": importlib.metadata.version("call-light"), "python": platform.python_version()}
    yield InfoMetricFamily("call_light_build", "What runs here.", value=about)


def _age(since: datetime, now: datetime) -> float:
    """In seconds; none where a clock was put back."""
    return max(0.0, (now - since).total_seconds())


def _single(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_, value=value)


def _gauge(name: str, help_: str, label: str, values: Mapping[str, float]) -> Metric:
    return _filled(GaugeMetricFamily(name, help_, labels=[label]), values)


def _counter(name: str, help_: str, label: str, values: Mapping[str, float]) -> Metric:
    return _filled(CounterMetricFamily(name, help_, labels=[label]), values)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[str, float]) -> Metric:
    for label, value in sorted(values.items()):
        family.add_metric([label], value)
    return family
