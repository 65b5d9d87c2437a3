"""The whole flow on one page.

    collect -> keep -> read -> decide -> (own replies stop the clock) -> deliver

Each stage asks the database "what has no row of mine yet?" and adds it, so a crash anywhere needs no recovery code:
the next pass carries on.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlmodel import Session

from alerts import act, decide, deliver
from alerts.door import Door
from config.schema import Config
from listener import clock, collect, keep
from listener.errors import AskedToWait, CallLightError
from listener.post import Asking, Page, Post

if TYPE_CHECKING:
    from nlp.pipeline import Reader

log = logging.getLogger(__name__)

_FLOW_EVERY = timedelta(seconds=2)


@dataclass
class Passed:
    """What one pass came to: counts, and a sentence for each collector that could not hear."""

    new: int = 0
    edited: int = 0
    again: int = 0
    skipped: int = 0
    read: int = 0
    decided: int = 0
    answered: int = 0
    sent: int = 0
    updated: int = 0
    waiting: int = 0
    failed: bool = False  # something else than a request to wait
    trouble: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)

    def add(self, other: "Passed") -> None:
        """Add the counts of another pass."""
        for name, value in asdict(other).items():
            mine = getattr(self, name)
            setattr(self, name, mine or value if isinstance(mine, bool) else mine + value)

    def as_json(self) -> dict[str, object]:
        """For --json."""
        return asdict(self)


class Service:
    """Every stage, with what it needs. Nothing here is kept between passes but open connections and the reader."""

    def __init__(
        self,
        config: Config,
        engine: Engine,
        door: Door,
        secrets: Mapping[str, str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.config, self.engine, self.door, self.secrets, self.now = config, engine, door, secrets, now
        self.stop = threading.Event()

    @cached_property
    def reader(self) -> "Reader":
        """The pipeline; spaCy is loaded and the matchers are filled at its first use."""
        from nlp.pipeline import Reader

        return Reader(self.config)

    def tick(self) -> Passed:
        """One pass of every stage. Every collector is asked that may be, whatever its rhythm."""
        passed = Passed()
        for name in self._listening():
            self.collect(name, passed)
        return self.flow(passed)

    def run(self) -> None:
        """The service: each collector at its rhythm, the rest of the flow every few seconds, until told to stop."""
        jobs = [
            clock.Job(name, self.config.collectors[name].every, self._collecting(name)) for name in self._listening()
        ]
        clock.run([clock.Job("flow", _FLOW_EVERY, self.flow), *jobs], self.stop)

    def collect(self, name: str, passed: Passed | None = None) -> Passed:
        """Stages 1 and 2 for one collector: each page is kept, with its cursor, before the next is asked for."""
        passed, settings, now = passed or Passed(), self.config.collectors[name], self.now()
        with Session(self.engine) as session:
            watch = keep.watch_of(session, name)
        if not collect.may_ask(watch, settings, now):
            return passed
        try:
            for page in collect.pages(name, settings, watch, Asking(self.config.hospital, now), self.secrets):
                self._keep(name, page, passed)
                if self.stop.is_set():
                    break
        except CallLightError as error:
            passed.trouble.append(str(error))
            passed.failed = passed.failed or not isinstance(error, AskedToWait)
            with Session(self.engine) as session:
                keep.trouble(session, name, error, now)
        return passed

    def bring_in(self, name: str, pages: Iterable[Page]) -> Iterator[Passed]:
        """Stage 2 for posts that did not come from asking: an imported file, the bundled week. One result a page."""
        for page in pages:
            yield self._keep(name, page, Passed())

    def flow(self, passed: Passed | None = None) -> Passed:
        """Stages 3 to 6 until nothing is left to do. Danger is decided and sent before the next batch is read."""
        from nlp.read import read

        passed = passed or Passed()
        while not self.stop.is_set():
            now = self.now()
            with Session(self.engine) as session:
                count = read(session, self.reader, now)
                passed.read += count
            with Session(self.engine) as session:
                while decided := decide.decide(session, self.config, now):
                    passed.decided += decided
            with Session(self.engine) as session:
                passed.answered += act.own_replies(session, now)
            with Session(self.engine) as session:
                delivered = deliver.deliver(session, self.config, self.door, now, self.stop.is_set)
            passed.sent += delivered.sent
            passed.updated += delivered.updated
            passed.waiting = delivered.waiting
            passed.trouble += delivered.trouble
            passed.failed = passed.failed or bool(delivered.trouble)
            if not count:
                break
        return passed

    def _listening(self) -> Sequence[str]:
        return [name for name, settings in self.config.collectors.items() if settings.on]

    def _collecting(self, name: str) -> Callable[[], Passed]:
        return lambda: self.collect(name)

    def _keep(self, name: str, page: Page, passed: Passed) -> Passed:
        with Session(self.engine) as session:
            kept = keep.keep(session, name, page, self.config.hospital, self.now())
        passed.new += kept.new
        passed.edited += kept.edited
        passed.again += kept.again
        passed.skipped += kept.skipped
        passed.skips += [str(skip) for skip in page.skipped]
        return passed


def replay(
    service: Service, posts: Sequence[Post], step: timedelta, set_time: Callable[[datetime], None]
) -> Iterator[int]:
    """Play posts through the real stages as if time passed, `step` by `step`; yields how many were played."""
    ordered = sorted(posts, key=_heard_at)
    at, done = _heard_at(ordered[0]), 0
    while done < len(ordered):
        at += step
        now_heard = [post for post in ordered[done:] if _heard_at(post) <= at]
        done += len(now_heard)
        set_time(at)
        if now_heard:
            list(service.bring_in("file", [Page(tuple(now_heard), {})]))
        service.flow()
        yield len(now_heard)


def _heard_at(post: Post) -> datetime:
    return post.edited_at or post.written_at
