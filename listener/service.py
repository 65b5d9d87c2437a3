"""The whole flow on one page.

    collect -> keep -> (is each collector well?) -> read -> decide -> (own replies stop the clock, the clocks of
    cases take their steps, many posts at once are a spike) -> deliver -> people press buttons: act -> deliver
                                 what is gone at its place, or was kept long enough, is forgotten by every stage

Each stage asks the database "what has no row of mine yet?" and adds it, so a crash anywhere needs no recovery code:
the next pass carries on.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlmodel import Session

from alerts import act, decide, deliver, fulltext, machine, people, proposals, reminders, report, silent, spikes
from alerts.door import Door, HasChannels
from alerts.notices import report as weekly
from alerts.standstill import Standstill
from config.schema import Center, Config
from listener import clock, collect, deletions, health, keep, lease, stages
from listener.database import emptied, reading
from listener.errors import AskedToWait, CallLightError, NeedsPerson
from listener.live import Live
from listener.logs import logger
from listener.post import Asking, Page, Post
from listener.watch import Watch

if TYPE_CHECKING:
    from alerts import slack_link
    from alerts.center.room import Room
    from nlp.pipeline import Reader

log = logger(__name__)

_LOOK = 0.5  # seconds
_FLOW_EVERY = timedelta(seconds=2)
_OUTBOX_EVERY = timedelta(seconds=1)  # as often as a channel takes a message
_CLOCKS_EVERY = timedelta(seconds=5)
_LINE_EVERY = timedelta(seconds=3)
_FORGET_EVERY = timedelta(minutes=10)
_PAGES_EVERY = timedelta(seconds=15)
_STANDSTILL_EVERY = timedelta(seconds=30)
_CENTER_EVERY = timedelta(seconds=10)  # how soon it opens again after it could not, or was changed
_WRONG_CLOCK = timedelta(days=2)  # no place asks to wait so long: such a time is of a clock of ours that was wrong
_FILES_EVERY = timedelta(seconds=2)  # a file is taken up at the second look at which it is the same


@dataclass
class Passed:
    """What one pass came to: counts, and a sentence for each collector that could not hear."""

    new: int = 0
    edited: int = 0
    again: int = 0
    skipped: int = 0
    deleted: int = 0
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


class InForce:
    """A configuration, and what goes by it: the doors, and the reader. Replaced as one when the files are changed."""

    def __init__(self, config: Config, doors: Mapping[str, Door], reader: "Reader | None" = None) -> None:
        """`doors`: "people" and perhaps others, each with its outbox: a slow one holds up no other."""
        self.config, self.doors = config, doors
        if reader is not None:
            self.reader = reader

    @cached_property
    def reader(self) -> "Reader":
        """The pipeline; spaCy is loaded and the matchers are filled at its first use."""
        from nlp.pipeline import Reader

        return Reader(self.config)


class Service:
    """Every stage, with what it needs. Nothing here is kept between passes but open connections and the reader."""

    def __init__(
        self,
        config: Config,
        engine: Engine,
        door: Door,
        secrets: Mapping[str, str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        reports: Path | None = None,
        other_doors: Mapping[str, Door] | None = None,
        live: Live[InForce] | None = None,
    ) -> None:
        self.in_force, self.live = InForce(config, {"people": door, **(other_doors or {})}), live
        self.engine, self.secrets, self.now = engine, secrets, now
        self.reports = reports  # the folder of the weekly pages
        self.stop = threading.Event()
        self.heard = threading.Event()  # something new was kept since the flow last looked
        self.sooner: queue.SimpleQueue[str] = queue.SimpleQueue()  # jobs that must not wait for their time
        self.me = lease.holder()
        self.collects = False  # as far as is known: this copy and no other
        self.told = False  # that another copy does
        self.overwritten = True  # whether words of what is gone may stand in SQLite's log still
        self.flowed_at: datetime | None = None  # when the flow last came round
        self.standstill = Standstill()
        self.center_at: str | None = None  # where the Listening Center is open

    @property
    def config(self) -> Config:
        """What the config files say, as they were last taken up."""
        return self.in_force.config

    @property
    def reader(self) -> "Reader":
        """The pipeline that goes by it."""
        return self.in_force.reader

    @property
    def door(self) -> Door:
        """The way to people."""
        return self.in_force.doors["people"]

    def tick(self) -> Passed:
        """One pass of every stage. Every collector is asked that may be, whatever its rhythm."""
        passed = Passed()
        for name in self._listening():
            self.collect(name, passed)
        self.flow(passed)  # before anything is looked for again, which may take long: danger does not wait
        before = passed.deleted
        self.forget(passed)
        self.release()
        if passed.deleted > before:
            self.flow(passed)
        for through in self.in_force.doors:
            while self.deliver(through, passed).is_paced and self._time_goes_on():
                pass
        try:
            self.pages_again()
            self.pages()
        except Exception as error:  # no page is worth a pass
            log.error("pages", error=error)
            why = error if isinstance(error, CallLightError | OSError) else f"{type(error).__name__}; please report it"
            passed.trouble.append(f"the page of a week cannot be written: {why}")
            passed.failed = True
        return passed

    def _time_goes_on(self) -> bool:
        """Wait until a channel takes another message; False when nobody should wait, or the clock stands still."""
        before = self.now()
        return not self.stop.wait(_OUTBOX_EVERY.total_seconds()) and self.now() > before

    def run(self, clocks: bool = True) -> None:
        """The service: each collector at its rhythm, the rest of the flow every few seconds, until told to stop.

        Without `clocks`, nobody is reminded of what waits.
        """
        with self._line() as line:
            clock.run(
                lambda: [job for job in self._jobs(line) if clocks or job.name != "clocks"], self.stop, self.sooner
            )
        self.release()

    def _jobs(self, line: "slack_link.SocketLine | slack_link.HttpLine | None") -> list[clock.Job]:
        """What has to be done again and again, as the files say now."""
        jobs = [
            clock.Job("flow", _FLOW_EVERY, partial(self.flow, clocks=False), lags=True),
            clock.Job("clocks", _CLOCKS_EVERY, self.clocks, lags=True),
            clock.Job("forget", _FORGET_EVERY, self.forget),
            clock.Job("pages", _PAGES_EVERY, self.pages, lags=True),
            clock.Job("pages_again", _FORGET_EVERY, self.pages_again, lags=True),  # no more often: a page takes seconds
        ]
        for through in self.in_force.doors:
            jobs.append(clock.Job(through, _OUTBOX_EVERY, partial(self.deliver, through), lags=True))
        if self.config.care.center.on:
            jobs.append(clock.Job("center", _CENTER_EVERY, self.open_center, is_long=True))
        if line is not None:
            jobs.append(clock.Job("line", _LINE_EVERY, partial(self._watch_over, line)))
        if self.live is not None:
            jobs.append(clock.Job("files", _FILES_EVERY, self.look_at_files, lags=True))
        for name in self._listening():
            every = self.config.collectors[name].every
            jobs.append(clock.Job(name, every, partial(self.collect, name, stays=True), collect.is_live(name)))
        told = clock.Job("standstill", _STANDSTILL_EVERY, self.tell_of_standstill, lags=True)
        return [*(replace(job, run=partial(self._noting, job)) for job in jobs), told]

    def _noting(self, job: clock.Job) -> None:
        """A job whose end is noted: one that fails at every pass is told to people."""
        try:
            job.run()
        except Exception as error:
            self.standstill.failed(job.name, error, job.every.total_seconds())
            raise
        self.standstill.went(job.name)

    def tell_of_standstill(self) -> None:
        """What stops the service, in the health channel and by the pager; it needs no database."""
        self.standstill.tell(self.in_force.doors)

    def open_center(self) -> None:
        """The Listening Center, until the service ends or care.toml has it elsewhere. Nothing else waits for it."""
        from alerts.center.app import LIMITS, NAME, app
        from listener.serving import Where, serving

        center = self.config.care.center
        if self.center_at is not None or self.reports is None:
            return
        try:
            where = Where(NAME, center.host, center.port, "[center] listen in care.toml")
            with serving(app(self._room(self.reports.parent)), where, LIMITS) as served:
                self.center_at = f"http://{center.listen.rpartition(':')[0]}:{served.port}"
                self._center_is(None)
                while served.is_alive() and not self.stop.wait(_LOOK) and self._is_same(center):
                    pass
        except NeedsPerson as error:
            self._center_is(error)
        finally:
            self.center_at = None

    def _is_same(self, center: Center) -> bool:
        """Whether it is still wanted there; what else is said of it counts at once."""
        now = self.config.care.center
        return now.on and now.listen == center.listen

    def _center_is(self, trouble: NeedsPerson | None) -> None:
        """People are told once when it cannot be opened, and once when it is open again."""
        with Session(self.engine) as session:
            if trouble is None:
                health.over(session, "center", "center", self.now())
            else:
                health.raised(
                    session, "center", "center", str(trouble), "The Listening Center is open again", self.now()
                )
            session.commit()

    def _room(self, data: Path) -> "Room":
        from alerts.center.room import Room

        return Room(
            config=lambda: self.config,
            engine=self.engine,
            door=lambda: self.door,
            secrets=self.secrets,
            now=self.now,
            data=data,
            wake=self._press_was_done,
            flowed_at=lambda: self.flowed_at,
            files=self.live.folder if self.live is not None else None,
        )

    def look_at_files(self) -> None:
        """Take up what admins have saved, if it is right."""
        if self.live is not None and (ready := self.live.look()):
            self.take_up(ready)

    def take_up(self, ready: InForce) -> None:
        """Go by this from now on. What a live source hears by the old files ends soon, and begins again by the new ones."""
        self.in_force = ready
        if isinstance(self.door, HasChannels):
            self.door.channels = ready.config.care.slack.channels
        self.sooner.put(clock.RENEWED)
        self.sooner.put("flow")

    def may_collect(self, passed: Passed) -> bool:
        """Whether this copy of the service is the one that collects; if not, `passed` says which does."""
        with Session(self.engine) as session:
            other = lease.take(session, self.me, self.now())
        if other is not None and not self.told:
            passed.trouble.append(
                f"another copy of the service ({other.holder}) collects since {other.since:%Y-%m-%d %H:%M} UTC; "
                "this one leaves that to it, and takes over when it stops"
            )
            log.warning("collect", holder=other.holder)
        self.collects, self.told = other is None, other is not None
        return self.collects

    def release(self) -> None:
        """Let another copy of the service collect at once."""
        self.collects = False
        with Session(self.engine) as session:
            lease.give_back(session, self.me)

    def collect(self, name: str, passed: Passed | None = None, stays: bool = False) -> Passed:
        """Stages 1 and 2 for one collector: each page is kept, with its cursor, before the next is asked for."""
        passed, config = passed or Passed(), self.config
        if name not in config.collectors or not self.may_collect(passed) or self._is_paused(name):
            return passed
        asking = self._asking(name, config, stays)
        with Session(self.engine) as session:
            watch = keep.watch_of(session, name)
        errors: list[CallLightError] = []
        with stages.timed("collect", collect.is_live(name)) as of_it:
            self._hear(name, config, watch, asking, passed, errors, of_it)
            of_it.failed = not all(isinstance(error, AskedToWait) for error in errors)
        self._went(name, errors, passed)
        if asking.stopped():  # by other files, perhaps: then it goes on by these at once
            self.sooner.put(name)
        return passed

    def _hear(
        self,
        name: str,
        config: Config,
        watch: Watch,
        asking: Asking,
        passed: Passed,
        errors: list[CallLightError],
        of_it: stages.Pass,
    ) -> None:
        """Each ear of a collector in turn; what went wrong is added to `errors`."""
        for ear in collect.ears(name):
            cursor = watch.cursor if ear == "fetch" else watch.own_cursor
            pages = collect.pages(name, ear, config.collectors[name], cursor, asking)
            pages = pages if collect.is_live(name) else collect.without_empty_ones(pages)
            try:
                with closing(pages):  # at once, also when keeping failed: it may hold a connection, or a port
                    for page in pages:
                        self._keep(name, page, passed, ear)
                        of_it.done += 1
                        if watch.trouble and collect.is_live(name):  # its pass may last for days
                            self._went(name, [], passed)
                            watch.trouble = None
                        if asking.stopped():
                            break
            except CallLightError as error:
                errors.append(error)
                if isinstance(error, AskedToWait) and error.at:
                    break

    def forget(self, passed: Passed | None = None) -> Passed:
        """What is gone at its place, or was kept as long as it may be, is forgotten here too."""
        passed, config = passed or Passed(), self.config
        with Session(self.engine) as session:
            passed.deleted += deletions.expire(session, config.collectors, self.now())
            people.forget(session, self.now())
            self._look_at_disk(session)
        for name, settings in config.collectors.items():
            if not (settings.on and collect.can_look(name) and self.may_collect(passed)) or self._is_paused(name):
                continue
            try:
                passed.deleted += deletions.look_again(
                    self.engine, name, settings, self._asking(name, config), self.stop.is_set
                )
            except CallLightError as error:
                self._went(name, [error], passed)
        return passed

    def _look_at_disk(self, session: Session) -> None:
        """People hear that the disk fills up while there is room left to write that down."""
        if self.reports is None:
            return
        stands = bool(health.standing(session, "disk"))
        found = machine.disk(self.reports.parent, machine.ENOUGH if stands else machine.LITTLE)
        if found.todo:
            health.raised(session, "the disk", "disk", found.todo, "the disk has room again", self.now())
        else:
            health.over(session, "the disk", "disk", self.now())
        session.commit()

    def bring_in(self, name: str, pages: Iterable[Page]) -> Iterator[Passed]:
        """Stage 2 for posts that did not come from asking: an imported file, the bundled week. One result a page."""
        for page in pages:
            yield self._keep(name, page, Passed())

    def flow(self, passed: Passed | None = None, clocks: bool = True) -> Passed:
        """Stages 3 to 6 until nothing is left to do. Danger is decided and sent before the next batch is read.

        Without `clocks`, these are somebody else's: the service looks at them less often than at what was heard.
        """
        from nlp.read import read

        passed = passed or Passed()
        if self.collects:  # a live source collects for days: the lease has to be renewed meanwhile
            self.may_collect(passed)
        self._forget_what_is_gone()
        with Session(self.engine) as session:
            health.watch_over(session, self.config.collectors, self.now())
        while not self.stop.is_set():
            now, going_by = self.now(), self.in_force
            self.heard.clear()
            with stages.timed("read") as of_it, Session(self.engine) as session:
                of_it.done = count = read(session, going_by.reader, now)
                passed.read += count
            with stages.timed("decide") as of_it, Session(self.engine) as session:
                while decided := decide.decide(session, going_by.config, now):
                    of_it.done += decided
                    passed.decided += decided
            with Session(self.engine) as session:
                passed.answered += act.own_replies(session, now)
            if clocks:
                self.clocks()
            self.deliver("people", passed)
            self.flowed_at = self.now()  # after each batch: to read everything anew takes an hour, and is no standstill
            self.standstill.came_round()
            if not count and not self.heard.is_set():
                break
        return passed

    def clocks(self) -> None:
        """What time brings about: many posts at once are a spike, waiting cases remind people, "not for us" teaches."""
        now = self.now()
        with Session(self.engine) as session:
            spikes.watch(session, self.config, now)
            proposals.watch(session, self.config, now)
            reminders.remind(session, self.config, now)
            silent.watch(session, self.config, now)

    def pages(self) -> None:
        """The page of each week whose summary is due, where a link in Slack may lead."""
        if self.reports is None:
            return
        now = self.now()
        with reading(self.engine) as session:
            for week in weekly.due(self.config, now):
                if not report.is_written(self.reports, week) and weekly.had_begun(session, week):
                    with stages.timed("report") as of_it:
                        report.write(self.reports, session, self.config, week, now)
                        of_it.done = 1

    def pages_again(self) -> None:
        """The pages that quote what is gone."""
        if self.reports is not None:
            with reading(self.engine) as session:
                report.write_again(self.reports, session, self.config, self.now())

    def deliver(self, through: str, passed: Passed | None = None) -> deliver.Delivered:
        """Stage 5 for one door."""
        passed, going_by = passed or Passed(), self.in_force
        if through not in going_by.doors:  # the files name no hook any more
            return deliver.Delivered()
        with stages.timed("deliver") as of_it, Session(self.engine) as session:
            door = going_by.doors[through]
            delivered = deliver.deliver(session, going_by.config, door, self.now(), self.stop.is_set, through)
            of_it.done, of_it.failed = delivered.sent + delivered.updated, bool(delivered.trouble)
        passed.sent += delivered.sent
        passed.updated += delivered.updated
        passed.waiting = delivered.waiting if through == "people" else passed.waiting
        passed.trouble += delivered.trouble
        passed.failed = passed.failed or bool(delivered.trouble)
        return delivered

    @contextmanager
    def _line(self) -> "Iterator[slack_link.SocketLine | slack_link.HttpLine | None]":
        """Where presses come in, while the service runs."""
        from alerts import slack_link

        line = slack_link.line(
            lambda: self.config, self.engine, self.door, self.secrets, self.now, self._press_was_done
        )
        try:
            yield line
        finally:
            if line is not None:
                line.close()

    def _watch_over(self, line: "slack_link.SocketLine | slack_link.HttpLine") -> None:
        from alerts import slack_link

        slack_link.watch_over(self.engine, self.door, line, self.now())

    def _press_was_done(self) -> None:
        self.sooner.put("people")

    def _forget_what_is_gone(self) -> None:
        """Every stage takes out what it made of the words of posts that are gone."""
        count, is_tidy = forget_derived(self.engine, self.now())
        with Session(self.engine) as session:
            deletions.came_round(session, self.now())
        self.overwritten = self.overwritten or count > 0
        if self.overwritten and is_tidy:  # else the old words would stand in the log for as long as a quiet week
            self.overwritten = not emptied(self.engine)

    def _listening(self) -> Sequence[str]:
        return [name for name, settings in self.config.collectors.items() if settings.on]

    def _asking(self, name: str, config: Config, stays: bool = False) -> Asking:
        now, settings = self.now(), config.collectors[name]
        with Session(self.engine) as session:
            left = keep.reads_left(session, name, settings, now)

        def stopped() -> bool:
            is_other = self.config.hospital != config.hospital or self.config.collectors.get(name) != settings
            return self.stop.is_set() or is_other

        return Asking(config.hospital, now, self.secrets, left, stays, stopped)

    def _is_paused(self, name: str) -> bool:
        """Whether its place asked to wait."""
        with Session(self.engine) as session:
            until = keep.watch_of(session, name).paused_until
        now = self.now()
        return until is not None and now < until <= now + _WRONG_CLOCK

    def _went(self, name: str, errors: Sequence[CallLightError], passed: Passed) -> None:
        passed.trouble += [str(error) for error in errors]
        passed.failed = passed.failed or not all(isinstance(error, AskedToWait) for error in errors)
        with Session(self.engine) as session:
            keep.went(session, name, errors, self.now())

    def _keep(self, name: str, page: Page, passed: Passed, ear: keep.Ear = "fetch") -> Passed:
        with stages.timed("keep") as of_it, Session(self.engine) as session:
            kept = keep.keep(session, name, page, self.config.hospital, self.now(), ear)
            of_it.done = kept.new + kept.edited + kept.deleted
        if kept.new or kept.edited or kept.deleted:  # somebody may be waiting for help: not with the next beat
            self.heard.set()
            self.sooner.put("flow")
        passed.new += kept.new
        passed.edited += kept.edited
        passed.again += kept.again
        passed.skipped += kept.skipped
        passed.deleted += kept.deleted
        passed.skips += [str(skip) for skip in page.skipped]
        return passed


def forget_derived(engine: Engine, now: datetime) -> tuple[int, bool]:
    """Take out what each stage made of posts that are gone; how much there was, and whether the index of words is rid of it."""
    from nlp import read

    with Session(engine) as session:
        count = read.forget(session, now)
    with Session(engine) as session:
        count += decide.forget(session, now)
    with Session(engine) as session:
        count += proposals.forget(session)
    with Session(engine) as session:
        return count, fulltext.tidy(session)


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
        service.flow(clocks=False)  # nobody is at the desk of a played week, and would be reminded all the time
        yield len(now_heard)


def _heard_at(post: Post) -> datetime:
    return post.edited_at or post.written_at
