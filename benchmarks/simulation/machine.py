"""The machine that the service runs on: its copies, their jobs and wake-ups, the disk, and the ways in which it dies.

Everything happens in one thread, so a copy gives way where in life another thread could run: at each request and after each
commit. There the simulation may let something else happen, or end the copy: `Killed` goes up through the product as no
exception of its own does, and whatever the copy still tries on the way (a request, a commit) ends at once.
"""

import json
import queue
import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fakes.server import Request
from fakes.slack import FakeSlack
from fakes.slack_lines import Delivery
from slack_bolt.request import BoltRequest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from alerts.hooks import Hooks
from alerts.known import config_of
from alerts.pager import Pager
from alerts.slack import Slack
from alerts.slack_app import SlackApp
from alerts.standstill import Standstill
from benchmarks.simulation.network import Door
from benchmarks.simulation.outside import forget_connections
from config.load import Problem
from config.schema import Config
from listener import clock
from listener.database import open_database
from listener.live import Live
from listener.service import InForce, Service
from nlp.pipeline import Reader

_MESSAGE = "/chat.postMessage"
YIELDS = ("before commit", "after commit", "before request", "after request")
LOSES = ("posts not yet kept", "message leaves", "message arrived")  # where something could get lost, or come twice


@dataclass(frozen=True)
class Death:
    """Where a copy ends: the kind of place, and how many more of them it sees."""

    place: str
    left: int


class Killed(BaseException):
    """The process of a copy ended here, as by SIGKILL."""


class Inline(Executor):
    """Threads of the product, without threads: what is handed over is done before the call returns."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it now."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Copy:
    """A running service: its connections, its jobs and when each is due."""

    def __init__(self, machine: "Machine", name: str) -> None:
        self.machine, self.name = machine, name
        self.is_dead = False
        self.dies_at: Death | None = None
        self.writing = 0  # transactions that are open and may write
        self.has_posts = False  # new ones, in the transaction that is open
        self.database_fault: str | None = None
        self.running: set[str] = set()
        self._again: set[str] = set()
        self.engine = self._open()
        self.service = self._start()
        self.app = SlackApp(
            lambda: self.service.config,
            self.engine,
            self.service.door,  # type: ignore[arg-type]
            machine.secrets,
            machine.now,
            self.service._press_was_done,
        )
        self.app.bolt.listener_runner.listener_executor = Inline()
        self.app._workers = Inline()  # type: ignore[assignment]
        self.jobs: dict[str, clock.Job] = {}
        self.due: dict[str, datetime] = {}
        self.renew()

    # ------------------------------------------------------------ its life

    def _open(self) -> Engine:
        engine = open_database(self.machine.data)
        event.listen(engine, "begin", self._begins, insert=True)
        event.listen(engine, "commit", self._commits)
        event.listen(engine, "rollback", self._rolls_back)
        event.listen(engine, "after_cursor_execute", self._executed)
        return engine

    def _start(self) -> Service:
        machine = self.machine
        door = Slack(machine.slack.token, machine.slack.base_url, {}, machine.now)
        service = Service(machine.read_config(), self.engine, door, machine.secrets, machine.now, machine.reports)
        service.me = self.name
        service.standstill = Standstill(lambda: 0.0)  # hours pass between two steps, and nothing hangs by them
        service.live = Live(machine.config_folder, self.engine, self._make_ready, machine.now)
        service.take_up(service.live.begin())
        return service

    def _make_ready(self, texts: Mapping[str, str], unread: Sequence[Problem], _: bool) -> InForce:
        machine = self.machine
        config = machine.config_of(texts, unread)
        doors = {"pager": machine.pager, "hooks": Hooks(config.care.hooks, machine.secrets, machine.now)}
        door = Slack(machine.slack.token, machine.slack.base_url, config.care.slack.channels, machine.now)
        people = self.service.door if hasattr(self, "service") else door
        return InForce(config, {"people": people, **doors}, machine.reader(config))

    def renew(self) -> None:
        """Its jobs, as the files say now; what is new is due at once."""
        self.jobs = {job.name: job for job in self.service._jobs(None) if job.name != "center"}
        now = self.machine.now()
        self.due = {name: self.due.get(name, now) for name in self.jobs}

    def end(self) -> None:
        """Everything that it holds is let go."""
        self.is_dead = True
        self.engine.dispose()

    # ------------------------------------------------------------ what it does

    def run(self, name: str) -> None:
        """One of its jobs, as the clock would; what it raises is written down."""
        job = self.jobs[name]
        now = self.machine.now()
        self.due[name] = now + job.every
        self.running.add(name)
        try:
            with self.machine.runs(self, name):
                job.run()
        finally:
            self.running.discard(name)
            if name in self._again:
                self._again.discard(name)
                self.service.sooner.put(name)

    def wake_up(self) -> str | None:
        """The next job that was asked for out of its rhythm; None when there is none."""
        while True:
            try:
                name = self.service.sooner.get_nowait()
            except queue.Empty:
                return None
            if name == clock.RENEWED:
                self.renew()
            elif name in self.running:
                self._again.add(name)
            elif name in self.jobs:
                return name

    def send(self, kind: str, payload: Any, **_: Any) -> Delivery:
        """Something from Slack arrives by Socket Mode."""
        answered = self.app.bolt.dispatch(BoltRequest(body=json.dumps(payload), mode="socket_mode"))
        body = answered.body if answered is not None else None
        said = json.loads(body) if body and body.startswith("{") else {"text": body} if body else None
        return Delivery(answered is not None and answered.status == 200, 0.0, said)

    # ------------------------------------------------------------ where it may end

    def _begins(self, connection: Any) -> None:
        if self.is_dead:
            raise Killed
        if connection.get_execution_options().get("call_light_reads"):
            return
        if self.database_fault == "locked":
            self.machine.database_failed = True
            raise OperationalError("BEGIN IMMEDIATE", (), sqlite3.OperationalError("database is locked"))
        self.writing += 1

    def _commits(self, connection: Any) -> None:
        if connection.get_execution_options().get("call_light_reads"):
            return
        if self.has_posts:
            self.has_posts = False
            self.reaches("posts not yet kept")
        self.reaches("before commit")
        self.writing -= 1  # also where it fails: SQLAlchemy takes the transaction for ended then
        if self.database_fault == "full":
            self.machine.database_failed = True
            raise OperationalError("COMMIT", (), sqlite3.OperationalError("database or disk is full"))

    def _rolls_back(self, connection: Any) -> None:
        if not connection.get_execution_options().get("call_light_reads"):
            self.writing -= 1
            self.has_posts = False

    def _executed(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.has_posts |= statement.startswith("INSERT INTO mention ")

    def reaches(self, place: str) -> None:
        """It is at a place where it may be killed. Raises Killed."""
        if self.is_dead:
            raise Killed
        if self.dies_at is None or self.dies_at.place != place:
            return
        self.dies_at = replace(self.dies_at, left=self.dies_at.left - 1)
        if self.dies_at.left <= 0:
            self.is_dead = True
            raise Killed


class Machine:
    """The disk and the time of one machine, and the copies of the service on it."""

    def __init__(
        self,
        folder: Path,
        now: Callable[[], datetime],
        secrets: Mapping[str, str],
        slack: FakeSlack,
        pager: Pager,
        read: Callable[[Config], Reader],
    ) -> None:
        self.config_folder, self.data = folder / "config", folder / "data"
        self.reports = self.data / "reports"
        self.now, self.secrets, self.slack, self.pager, self.reader = now, secrets, slack, pager, read
        self.copies: list[Copy] = []
        self.stack: list[tuple[Copy, str]] = []  # what runs now, the innermost last
        self.database_failed = False  # in the job that runs now
        self.started = 0
        self._configs: dict[tuple[tuple[str, str], ...], Config] = {}
        self.gives_way: Callable[[Copy, str | None], None] = lambda copy, asked: None
        self.failed: Callable[[Copy, str, Exception], None] = lambda copy, what, error: None
        self.killed: Callable[[Copy, str], None] = lambda copy, what: None

    def read_config(self) -> Config:
        """The files as they are, which are right when the first copy starts."""
        texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(self.config_folder.glob("*.toml"))}
        return self.config_of(self._good or texts, ())

    def config_of(self, texts: Mapping[str, str], unread: Sequence[Problem]) -> Config:
        """What these files say; the same files were read before by most copies. Raises ConfigError."""
        key = tuple(sorted(texts.items()))
        if unread or key not in self._configs:
            self._configs[key] = config_of(texts, self.config_folder, unread, replies=False)
        return self._configs[key]

    _good: dict[str, str] | None = None

    def keep_good(self) -> None:
        """From now on a copy that starts is given these files first, as it would take them from the database."""
        self._good = {p.name: p.read_text(encoding="utf-8") for p in sorted(self.config_folder.glob("*.toml"))}

    def start(self) -> Copy:
        """One more copy of the service."""
        self.started += 1
        forget_connections()
        copy = Copy(self, f"copy-{self.started}")
        self.copies.append(copy)
        return copy

    @contextmanager
    def runs(self, copy: Copy, what: str) -> Iterator[None]:
        """Something of a copy runs; what it raises is told, and its death ends it."""
        self.stack.append((copy, what))
        failed_before, self.database_failed = self.database_failed, False
        try:
            yield
        except Killed:
            if not copy.is_dead:
                raise
            if not any(one is copy for one, _ in self.stack[:-1]):
                copy.end()
                if copy in self.copies:
                    self.copies.remove(copy)
                    self.killed(copy, what)
            else:
                raise
        except Exception as error:
            self.failed(copy, what, error)
        finally:
            self.stack.pop()
            self.database_failed = failed_before

    # ------------------------------------------------------------ hooks of the network and of sessions

    def before_request(self, door: Door, request: Request) -> None:
        """A request leaves."""
        if self.stack:
            copy = self.stack[-1][0]
            copy.reaches("before request")
            if request.path.endswith(_MESSAGE):
                copy.reaches("message leaves")
            self.gives_way(copy, door.name)

    def after_request(self, door: Door, request: Request) -> None:
        """A request had its effect, and its answer is on the way."""
        if self.stack:
            copy = self.stack[-1][0]
            self.gives_way(copy, door.name)
            copy.reaches("after request")
            if request.path.endswith(_MESSAGE):
                copy.reaches("message arrived")

    def after_commit(self, session: Session) -> None:
        """Something was written."""
        if self.stack:
            copy = self.stack[-1][0]
            copy.reaches("after commit")
            self.gives_way(copy, None)


def toml_of(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """The tables as a listening.toml; JSON's strings, numbers and lists are TOML's too."""
    return "".join(
        f"[collectors.{name}]\non = true\n" + "".join(f"{key} = {_value(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def drawn_death(chance: random.Random) -> Death:
    """Where a copy is to be killed: anywhere, or where something could get lost."""
    if chance.random() < 0.5:
        return Death(chance.choice((LOSES[0], *LOSES)), chance.randrange(1, 3))
    return Death(chance.choice(YIELDS), chance.randrange(1, 14))


SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
