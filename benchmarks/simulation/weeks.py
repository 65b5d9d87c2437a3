"""Simulated weeks: what happens next is drawn from one seeded generator, and every rule is checked after every step.

Time is the fakes' clock and time-machine's, one moment for the whole process until a step lets some pass; uuids come from the
seed too. So the same seed gives the same weeks, event by event, in any process.
"""

import contextlib
import hashlib
import logging
import os
import random
import re
import shutil
import sqlite3
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import time_machine
from fakes.pager import FakePager
from fakes.slack import CARE_CHANNELS, FakeSlack
from sqlalchemy import event
from sqlmodel import Session

from alerts.pager import Pager
from benchmarks.simulation.machine import DAY, HOUR, MINUTE, SECOND, Copy, Machine, drawn_death, toml_of
from benchmarks.simulation.network import FAULTS, Door, Network
from benchmarks.simulation.outside import kept_out
from benchmarks.simulation.people import Team
from benchmarks.simulation.rules import Broken, Rules
from benchmarks.simulation.town import Clock, Town
from config.load import load
from config.schema import Config
from listener.collect import settings_of_all
from listener.database import open_database
from nlp.pipeline import Reader, Text

_CONFIG = Path(__file__).parent.parent.parent / "config"
_MONDAYS = (  # the weeks begin here: quiet ones, and those in which the clock changes in March and November
    *(
        datetime(2026, 10, 26, 6, tzinfo=UTC),
        datetime(2027, 3, 8, 7, tzinfo=UTC),
        datetime(2026, 11, 16, 6, tzinfo=UTC),
    ),
    *(datetime(2026, 6, 1, 6, tzinfo=UTC), datetime(2026, 12, 28, 6, tzinfo=UTC)),
)
_EVENTS = {  # what happens next, and how often among a thousand steps
    "time": 440,
    "says": 180,
    "acts": 130,
    "edits": 30,
    "deletes": 35,
    "answers": 25,
    "fault": 45,
    "healed": 50,
    "dies": 32,
    "another": 10,
    "disk": 12,
    "config": 14,
    "skew": 9,
}
_SPANS = (  # how long nothing happens: seconds to most of a day
    *((SECOND, 10 * SECOND, 25), (MINUTE, 5 * MINUTE, 20), (10 * MINUTE, HOUR, 15)),
    *((2 * HOUR, 10 * HOUR, 22), (10 * HOUR, 20 * HOUR, 13)),
)
_KEPT_EVENTS = 30
_ROUNDS = 90  # passes after which what still waits at a quiet point will wait for ever


@dataclass
class Failure(Exception):
    """A rule that does not hold, where it was seen, and what came before."""

    seed: int
    week: int
    step: int
    rule: int
    expected: str
    seen: str
    events: list[str]

    def __str__(self) -> str:
        before = "\n".join(f"    {event}" for event in self.events)
        return (
            f"seed {self.seed}, week {self.week}, step {self.step}: rule {self.rule} is broken\n"
            f"  expected: {self.expected}\n  seen:     {self.seen}\n  the last events:\n{before}"
        )


@dataclass
class Run:
    """What a run came to."""

    seed: int
    weeks: int = 0
    steps: int = 0
    posts: int = 0
    presses: int = 0
    requests: int = 0
    faults: int = 0
    kills: int = 0
    seconds: float = 0.0  # of a core
    digest: str = ""


class Simulation:
    """One installation, its town and its people, from a seed."""

    def __init__(self, seed: int, folder: Path, plant: Callable[["Simulation"], None] = lambda one: None) -> None:
        self.seed, self.folder, self.run = seed, folder, Run(seed)
        self.chance = random.Random(f"call-light {seed}")
        self.clock = Clock(self.chance.choice(_MONDAYS))
        self.skew = timedelta()
        self.events: deque[str] = deque(maxlen=_KEPT_EVENTS)
        self.trace = hashlib.sha256()
        self.week, self.step_number = 0, 0
        self.lines: list[str] = []
        self.found: Broken | None = None  # where the product could swallow it
        self.is_clean = True  # in this step nothing stood in the way of danger
        self.disk_failed = False  # in this step
        self._lines_seen = 0
        self.hits: list[tuple[str, str]] = []  # requests of this step: the door, and what came
        self._inside = 0
        self._spent = ExitStack()
        self.empty: Callable[[], bytes] = empty_database
        self._plant = plant

    def until_the_end(self, what: contextlib.AbstractContextManager[Any]) -> None:
        """Enter something, and leave it when the simulation ends."""
        self._spent.enter_context(what)

    # ------------------------------------------------------------ making it

    def __enter__(self) -> "Simulation":
        try:
            self._set_up()
        except BaseException:
            self._spent.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._spent.close()

    def _set_up(self) -> None:
        inbox = self.folder / "inbox"
        inbox.mkdir(parents=True)
        network = self.network = Network(self.chance, seen=self._seen)
        self.town = Town(self.chance, self.clock, network, inbox)
        slack = self.slack = FakeSlack(now=self.clock, enforce_rate=True)
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        pager = FakePager(self.clock)
        network.add("slack", slack)
        network.add("pager", pager)
        _write_config(self.folder / "config", self.town, inbox, slack.base_url)
        self._spent.enter_context(network.plugged_in())
        self.traveller = self._spent.enter_context(time_machine.travel(self.clock.at, tick=False))
        self._spent.enter_context(kept_out(self.chance, self.clock, self._passes))
        self._spent.enter_context(_log_into(self.lines))
        machine = self.machine = Machine(
            self.folder, self.now, self.town.secrets, slack, Pager(pager.json()), reader_for
        )
        network.before, network.after = machine.before_request, machine.after_request
        event.listen(Session, "after_commit", machine.after_commit)
        self._spent.callback(event.remove, Session, "after_commit", machine.after_commit)
        machine.gives_way, machine.failed, machine.killed = self._gives_way, self._failed, self._killed
        self._spent.callback(self._end)
        self.team = Team(self.chance, machine, slack, drops_next=network.drops_next_reply)
        self.rules = Rules(self.town, self.team, slack, self.clock, machine.data, self.lines)
        self._spent.callback(self.rules.close)
        self._plant(self)
        machine.data.mkdir()
        (machine.data / "call-light.db").write_bytes(self.empty())
        machine.keep_good()
        machine.start()

    def now(self) -> datetime:
        """The machine's own time, which may be wrong by a little."""
        return self.clock.at + self.skew

    def _end(self) -> None:
        for copy in [*self.machine.copies]:
            copy.end()

    # ------------------------------------------------------------ a week

    def weeks(self, count: int, stop_at: int | None = None) -> Iterator[Run]:
        """Week by week; what it came to so far. Raises Failure."""
        for self.week in range(1, count + 1):
            self.run, before = Run(self.seed, 1), (self.step_number, len(self.town.said), len(self.team.pressed))
            ends = self.clock.at + 7 * DAY
            while self.clock.at < ends:
                self.step_number += 1
                self._guarded(self._step)
                if stop_at is not None and self.step_number >= stop_at:
                    return
            self.step_number += 1
            self._guarded(self._quiet)
            now = (self.step_number, len(self.town.said), len(self.team.pressed))
            self.run.steps, self.run.posts, self.run.presses = (
                after - was for after, was in zip(now, before, strict=True)
            )
            self.run.digest = self._digest()
            yield self.run

    def _guarded(self, happens: Callable[[], None]) -> None:
        try:
            happens()
            if self.found is not None:
                raise self.found
        except Broken as broken:
            raise Failure(
                *(self.seed, self.week, self.step_number, broken.rule, broken.expected, broken.seen, list(self.events))
            ) from broken

    def _step(self) -> None:
        self.is_clean, self.hits, before = True, [], self.rules.newest()
        self.disk_failed = any(copy.database_fault for copy in self.machine.copies)
        kind = self.chance.choices(list(_EVENTS), list(_EVENTS.values()))[0]
        getattr(self, f"_{kind}")()
        self._wakes_up()
        self._errors_have_a_reason()
        self.rules.step()
        if self.machine.copies:
            self.rules.ledger_knows_all(self.machine.copies[0])
        if self.is_clean and self.machine.copies:
            self.rules.danger_is_told(before)

    # ------------------------------------------------------------ what may happen

    def _time(self) -> None:
        low, high = self.chance.choices([span[:2] for span in _SPANS], [span[2] for span in _SPANS])[0]
        self._passes(timedelta(seconds=round(self.chance.uniform(low.total_seconds(), high.total_seconds()))))
        if not self.machine.copies and self.chance.random() < 0.7:
            self._starts()
        for copy in [*self.machine.copies]:
            due = sorted(name for name, at in copy.due.items() if at <= self.now())
            self.chance.shuffle(due)
            for name in due[: self.chance.randrange(1, 6)]:
                self._runs(copy, name)
                self._wakes_up()

    def _says(self) -> None:
        one = self.town.says()
        self._note(f"{one.author} says at {one.place}{' DANGER' if one.danger else ''}: {one.ref}")

    def _edits(self) -> None:
        one = self.town.edits()
        self._note(f"edited: {one.key if one else 'nothing'}{' DANGER' if one and one.danger else ''}")

    def _deletes(self) -> None:
        one = self.town.deletes()
        self._note(f"deleted: {one.key if one else 'nothing'}")

    def _answers(self) -> None:
        one = self.town.answered_by_hand()
        self._note(f"the hospital answers by hand: {one.key if one else 'nothing'}")

    def _acts(self) -> None:
        self._note(self.team.acts())

    def _fault(self) -> None:
        door = self.chance.choice(list(self.network.doors.values()))
        door.fault, door.share = self.chance.choice(FAULTS), self.chance.choice((0.3, 0.7, 1.0))
        self.run.faults += 1
        self._note(f"{door.name} begins to fail: {door.fault}, {door.share:.0%}")

    def _healed(self) -> None:
        ill = [door for door in self.network.doors.values() if door.fault]
        for door in ill if self.chance.random() < 0.5 else ill[:1]:
            door.fault = None
        self._note(f"healed: {', '.join(door.name for door in ill) or 'nothing'}")

    def _dies(self) -> None:
        if self.machine.copies:
            copy = self.chance.choice(self.machine.copies)
            copy.dies_at = drawn_death(self.chance)
            self._note(f"{copy.name} will be killed: {copy.dies_at.place}, {copy.dies_at.left}")

    def _another(self) -> None:
        if len(self.machine.copies) < 2:
            self._starts()
        else:
            self._stops(self.chance.choice(self.machine.copies))

    def _disk(self) -> None:
        for copy in self.machine.copies:
            copy.database_fault = None if copy.database_fault else self.chance.choice(("locked", "full"))
            self._note(f"the database of {copy.name} is {copy.database_fault or 'well again'}")

    def _config(self) -> None:
        self._note(f"an admin saves: {_save_something(self.chance, self.folder / 'config')}")
        # No two savings share a time, however quick the disk is.
        saved = (self.clock.at + timedelta(microseconds=self.step_number)).timestamp()
        os.utime(self.folder / "config" / "care.toml", (saved, saved))

    def _skew(self) -> None:
        self.skew = timedelta(seconds=self.chance.randrange(-90, 91))
        self._passes(timedelta())
        self._note(f"the machine's clock is set: {self.skew.total_seconds():+.0f} s")

    # ------------------------------------------------------------ how the service goes on

    def _passes(self, span: timedelta) -> None:
        self.clock.at += span
        self.traveller.move_to(self.now())
        if span:
            self._note(f"{span} pass")

    def _starts(self) -> None:
        copy = self.machine.start()
        self._note(f"{copy.name} starts")

    def _stops(self, copy: Copy) -> None:
        with self.machine.runs(copy, "the end"):
            copy.service.release()
        copy.end()
        if copy in self.machine.copies:
            self.machine.copies.remove(copy)
        self._note(f"{copy.name} ends")

    def _runs(self, copy: Copy, name: str) -> None:
        """One job; where nothing stood in its way, what it had to do is done."""
        if copy.is_dead or name not in copy.jobs or name in copy.running:
            return
        before, failed = len(self.hits), self.is_clean
        self._note(f"{copy.name} runs {name}")
        copy.run(name)
        asked = [what for door, what in self.hits[before:] if door == name]
        is_place = name in copy.service.config.collectors  # the pager is a job too
        went_well = is_place and asked and all(what in ("200", "304") for what in asked)
        if went_well and not copy.is_dead and copy.database_fault is None and self.is_clean == failed:
            if not self.rules.waits_in_part(name):
                self.rules.heard(name)
            self.rules.one_collects(copy)
            self.rules.ledger_knows_all(copy)  # nobody has read yet what it brought

    def _wakes_up(self) -> None:
        """What was asked for out of its rhythm runs at once."""
        for _ in range(40):
            woken = [(copy, name) for copy in self.machine.copies if (name := copy.wake_up())]
            if not woken:
                return
            for copy, name in woken:
                self._runs(copy, name)
        raise Broken(1, "wake-ups that come to an end", "40 in a row")

    def _gives_way(self, copy: Copy, asked: str | None) -> None:
        """Something else may happen here, as in another thread, perhaps while a place is asked."""
        if copy.writing and self._inside == 0 and self.machine.stack[-1][1] != "start":
            self.found = self.found or Broken(2, "no request while a transaction is open", self.machine.stack[-1][1])
        if self._inside or copy.writing or self.chance.random() > 0.02:
            return
        self._inside += 1
        try:
            self._meanwhile(asked)
        except Broken as broken:
            self.found = self.found or broken
        finally:
            self._inside -= 1

    def _meanwhile(self, asked: str | None) -> None:
        kinds = ("says", "edits", "deletes", "answers", "acts", "acts")
        # Reddit is asked by one thread at a time (listener/collectors/reddit.py): here another would wait for itself.
        kind = self.chance.choice(kinds if asked == "reddit" else (*kinds, "job", "job"))
        self._note(f"meanwhile ({kind}):")
        if kind != "job":
            getattr(self, f"_{kind}")()
            return
        other = self.chance.choice(self.machine.copies) if self.machine.copies else None
        names = sorted(other.jobs.keys() - other.running) if other else []
        if other and names:
            self._runs(other, self.chance.choice(names))

    # ------------------------------------------------------------ what it hears of

    def _seen(self, door: Door, asked: str, came: str) -> None:
        self.run.requests += 1
        self.hits.append((door.name, came))
        if door.name == "slack" and came != "200":
            self.is_clean = False
        self._note(f"  {door.name} {asked}: {came}")

    def _errors_have_a_reason(self) -> None:
        """An error in the log is one of the database, which was made to fail: the product expects no other."""
        for line in self.lines[self._lines_seen :]:
            if line.startswith("ERROR") and not line.startswith("ERROR config") and not self.disk_failed:
                raise Broken(1, "no error but those of the disk", line)
        self._lines_seen = len(self.lines)

    def _failed(self, copy: Copy, what: str, error: Exception) -> None:
        self.is_clean = False
        self._note(f"  {copy.name} {what} failed: {type(error).__name__}")
        if not self.machine.database_failed and self.found is None:
            self.found = Broken(1, f"{what} to end without an error", f"{type(error).__name__}: {error}"[:400])
            self.found.__cause__ = error

    def _killed(self, copy: Copy, what: str) -> None:
        self.is_clean = False
        self.run.kills += 1
        self._note(f"  {copy.name} is killed in {what}")

    def _note(self, what: str) -> None:
        line = f"{self.week}.{self.step_number} {self.clock.at:%a %d %b %H:%M:%S} {what}"
        self.events.append(line)
        self.trace.update(line.encode())

    # ------------------------------------------------------------ a quiet point

    def _quiet(self) -> None:
        """Everything is mended, nobody says anything, the service catches up, and then every rule has to hold."""
        self._inside += 1
        try:
            self._catches_up()
        finally:
            self._inside -= 1
        self.rules.step()
        self.rules.quiet(self.machine.copies[0])

    def _catches_up(self) -> None:
        self._note("everything is healed")
        self.network.heal()
        self.skew = timedelta()
        self._passes(timedelta())
        for copy in self.machine.copies:
            copy.dies_at, copy.database_fault = None, None
        for copy in [*self.machine.copies][1:]:
            self._stops(copy)
        if not self.machine.copies:
            self._starts()
        copy = self.machine.copies[0]
        for span in (2 * MINUTE, 65 * MINUTE, 65 * MINUTE):
            self._passes(span)
            for name in (*sorted(copy.jobs), "flow"):  # and it looks at what the collectors came to
                self._runs(copy, name)
                self._wakes_up()
        quiet = 0
        for _ in range(_ROUNDS):
            quiet = 0 if self._waits() else quiet + 1
            if quiet > 1:  # what the last pass sent may have been waited for
                break
            self._passes(timedelta(seconds=self._patience()))
            for name in ("clocks", "flow", "pager", "hooks"):  # the flow sends to people too
                self._runs(copy, name)
                self._wakes_up()

    def _waits(self) -> bool:
        waiting = "select 1 from delivery where state in ('pending', 'sending') limit 1"
        return bool(self.rules.ask(waiting))

    def _patience(self) -> float:
        """Seconds until the next message may be tried again, at least as long as a channel takes to have room."""
        soonest = self.rules.ask("select min(next_try_at) from delivery where state in ('pending', 'sending')")[0][0]
        at = datetime.fromisoformat(soonest).replace(tzinfo=UTC) if soonest else self.clock.at
        return max(4.0, (at - self.clock.at).total_seconds())

    def _digest(self) -> str:
        """Of every event so far, and of everything in the database but the config files, which name this run's folder."""
        whole = self.trace.copy()
        with contextlib.closing(sqlite3.connect(self.machine.data / "call-light.db")) as database:
            for line in sorted(database.iterdump()):  # what is counted is written in any order
                if not line.startswith('INSERT INTO "configversion"'):
                    whole.update(line.replace(str(self.folder), "").encode())
        return whole.hexdigest()


# ---------------------------------------------------------------- what runs share


@cache
def empty_database(without_key: bool = False) -> bytes:
    """A database that has just been made, as to run every migration takes seconds; or one where posts have no unique key."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "call-light.db"
        if not without_key:
            open_database(file.parent).dispose()
            return file.read_bytes()
        file.write_bytes(empty_database())
        with contextlib.closing(sqlite3.connect(file)) as database:
            tables = "select sql from sqlite_master where tbl_name = 'mention' and sql is not null order by type = 'table' desc"
            made = [sql for (sql,) in database.execute(tables)]
            database.execute("drop table mention")
            for sql in made:
                database.execute(re.sub(r",\s*(constraint \w+ )?unique \(source, ref\)", "", sql, flags=re.IGNORECASE))
            database.commit()
        return file.read_bytes()


_readers: dict[tuple[str, str], Reader] = {}


def reader_for(config: Config) -> Reader:
    """The pipeline for a configuration, without the model: phrases and rules alone are quick."""
    key = config.hospital.model_dump_json(), config.keywords.model_dump_json()
    if key not in _readers:
        alone = config.keywords.reader.model_copy(update={"model": False})
        keywords = config.keywords.model_copy(update={"reader": alone})
        _readers[key] = Reader(config.model_copy(update={"keywords": keywords}))
        list(_readers[key].read([Text("St. Brigid's", False, False, None)]))
    return _readers[key]


def shipped() -> Config:
    """The configuration that ships."""
    return load(_CONFIG, settings_of_all())


def _write_config(folder: Path, town: Town, inbox: Path, slack: str) -> None:
    shutil.copytree(_CONFIG, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "schemas"))
    (folder / "listening.toml").write_text(toml_of(town.settings(inbox)), encoding="utf-8")
    care = (folder / "care.toml").read_text(encoding="utf-8")
    care = care.replace("send = []", 'send = ["x", "reddit", "mastodon", "google_reviews"]')
    care = care.replace("\n[slack]\n", f'\n[slack]\nbase_url = "{slack}"\n', 1)
    (folder / "care.toml").write_text(care, encoding="utf-8")
    report = (folder / "report.toml").read_text(encoding="utf-8")
    few = 'sections = ["headline", "categories", "ledger"]\nlong_sections = ["headline", "categories", "ledger"]\n'
    (folder / "report.toml").write_text(
        report[: report.index("# In this order")] + few + 'slack = ["headline", "ledger"]\ncharts = []\n',
        encoding="utf-8",
    )


def _save_something(chance: random.Random, folder: Path) -> str:
    """An admin edits a file: well, or badly, and then mends it."""
    care, broken = folder / "care.toml", "\nthis is no toml"
    text = care.read_text(encoding="utf-8")
    if broken in text:
        care.write_text(text.replace(broken, ""), encoding="utf-8")
        return "care.toml mended"
    if chance.random() < 0.4:
        care.write_text(text + broken, encoding="utf-8")
        return "care.toml broken"
    before = next(line for line in text.splitlines() if line.startswith("cards = "))
    after = f"cards = {chance.choice((1, 3, 12))}"
    care.write_text(text.replace(before, after, 1), encoding="utf-8")
    return after


@contextmanager
def _log_into(lines: list[str]) -> Iterator[None]:
    """What the service would write to its log goes into a list."""

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.levelname} {self.format(record)}")

    handler, root = Kept(), logging.getLogger()
    ours = [logging.getLogger(name) for name in ("listener", "nlp", "alerts")]
    before = [(logger, logger.level) for logger in (root, *ours)]
    root.addHandler(handler)
    for logger in ours:
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        for logger, level in before:
            logger.setLevel(level)
