"""The reports of spans of time, counted on demand: one at a time, each at most once at a time, and kept for a while."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session, col, exists, select

from alerts import report
from alerts.center.room import Room
from alerts.center.task import Progress, Task
from alerts.figures import Figures, figures
from alerts.rehearse import gone
from alerts.section import Section
from alerts.span import Kind, Span, holding, named
from config.schema import Config
from listener.database import reading
from listener.errors import NeedsPerson
from listener.mention import Mention

_KEPT = 12  # reports
_UNDER_WAY = 4  # that are counted or wait for it: each has a thread, and whoever may look can ask for any days
_FRESH, _KEPT_FOR = timedelta(minutes=5), timedelta(days=1)  # of a span that is not over, and of one that is
_LONGEST = 92  # days that somebody may ask for
_LISTED: dict[Kind, int] = {"week": 60, "month": 24, "quarter": 8}  # back from now
_ALONE = threading.Lock()  # a quarter with a million posts needs a gigabyte


@dataclass(frozen=True)
class Counted:
    """The report of a span, as of when it was counted."""

    figures: Figures  # without what the sections were made of
    compared: Span | None
    sections: Sequence[Section]
    config: Config
    gone: int  # posts of the span that were gone by then

    @property
    def at(self) -> datetime:
        """When."""
        return self.figures.now


class Reports:
    """What was counted, and what is being counted."""

    def __init__(self, room: Room) -> None:
        self._room, self._lock = room, threading.Lock()
        self._counted: OrderedDict[str, Counted] = OrderedDict()
        self._tasks: dict[str, Task[Counted]] = {}

    def counted(self, session: Session, span: Span) -> Counted | None:
        """The report, if it was counted lately: by these config files, and none of its posts is gone since."""
        with self._lock:
            found = self._counted.get(span.name)
        now = self._room.now()
        if found is None or found.config != self._room.config():
            return None
        kept_for = _KEPT_FOR if span.until <= found.at else _FRESH
        is_old = (
            now - found.at > kept_for or gone(session, span.since, span.until) != found.gone
        )  # it may quote what is gone now
        return None if is_old else found

    def task(self, span: Span) -> Task[Counted] | None:
        """The task that counts it, or that failed to."""
        with self._lock:
            return self._tasks.get(span.name)

    def begin(self, span: Span) -> Task[Counted]:
        """Count it, unless it is being counted. Raises NeedsPerson while many others are."""
        with self._lock:
            task = self._tasks.get(span.name)
            if task is None or task.is_over:
                if sum(not other.is_over for other in self._tasks.values()) >= _UNDER_WAY:
                    raise NeedsPerson("other reports are being counted; try again in a minute")
                task = self._tasks[span.name] = Task("report", lambda progress: self._count(span, progress))
            return task

    def _count(self, span: Span, progress: Progress) -> Counted:
        with _ALONE:
            config, now = self._room.config(), self._room.now()
            with reading(self._room.engine) as session:
                lost = gone(session, span.since, span.until)
                whole = figures(session, config, span, now)
                sections = report.report(whole, report.chosen(config.report, span))
        compared = whole.before.span if whole.before and whole.before.heard else None
        counted = Counted(Figures(span, whole.zone, now, whole.hospital), compared, sections, config, lost)
        with self._lock:
            self._counted[span.name] = counted
            self._counted.move_to_end(span.name)
            while len(self._counted) > _KEPT:
                self._counted.popitem(last=False)
            self._tasks.pop(span.name, None)
        return counted


def asked(name: str, config: Config, now: datetime) -> Span:
    """The span of a name. Raises NeedsPerson for what is none, has not begun, or is very long."""
    span = named(name, config.hospital.zone)
    if span.since > now:
        raise NeedsPerson(f"{span.in_words} is still to come")
    if len(span.days) > _LONGEST:
        raise NeedsPerson(f"{span.in_words} is longer than a quarter; call-light report counts it")
    return span


def spans(session: Session, config: Config, folder: Path, now: datetime) -> dict[Kind, list[Span]]:
    """The spans in which something was heard, the latest first, and the days that there is a page of."""
    zone, today = config.hospital.zone, now.astimezone(config.hospital.zone).date()
    found: dict[Kind, list[Span]] = {}
    for kind, most in _LISTED.items():
        span, some = holding(kind, today, zone), []
        for _ in range(most):
            some.append(span)
            span = span.before
        found[kind] = [one for one in some if _has_posts(session, one)]
    return found | {"days": sorted(_days(folder, config), key=lambda one: one.since, reverse=True)}


def _has_posts(session: Session, span: Span) -> bool:
    inside = exists().where(col(Mention.heard_at) >= span.since, col(Mention.heard_at) < span.until)
    return bool(session.exec(select(inside)).one())


def _days(folder: Path, config: Config) -> Iterator[Span]:
    for path in folder.glob("*-to-*.html"):
        try:
            yield named(path.stem, config.hospital.zone)
        except NeedsPerson:  # it compares two spans, or people put it there
            continue
