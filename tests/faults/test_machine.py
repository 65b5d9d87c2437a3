"""The machine under the product breaks: its disk, its database, its memory, its clock. Then it is mended, and the rules hold."""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import PROJECT
from fakes.server import RateLimited, Status
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from alerts import machine
from alerts.standstill import Standstill
from faults.world import COLLAPSED, MINUTE, WAITED, World
from listener import clock, lease
from listener.database import looked_through, open_database
from listener.errors import NeedsPerson
from listener.service import Service
from listener.watch import Watch

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
POSTS = 40
KNIFE = "someone is waving a knife in the ER at St. Brigid's"
YEAR, HOUR = timedelta(days=365), timedelta(hours=1)


@contextmanager
def _each_connection(engine: Engine, *pragmas: str) -> Iterator[None]:
    """A database with these settings of SQLite, as an odd disk or another program would have it."""
    engine.dispose()

    def prepare(connection: Any, _record: Any) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", prepare)
    try:
        yield
    finally:
        event.remove(engine, "connect", prepare)
        engine.dispose()


@contextmanager
def _full(world: World) -> Iterator[None]:
    """Not one more page fits."""
    with world.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    with _each_connection(world.engine, f"max_page_count = {pages}"):
        yield


@contextmanager
def _read_only(world: World) -> Iterator[None]:
    """As on a disk that is mounted for reading alone."""
    with _each_connection(world.engine, "query_only = ON"):
        yield


@contextmanager
def _locked(world: World) -> Iterator[None]:
    """Another program writes, and does not end; a test waits for it a shorter time than the service does."""
    with (
        _each_connection(world.engine, "busy_timeout = 50"),
        sqlite3.connect(str(world.engine.url.database), isolation_level=None) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    other.close()


def test_a_disk_at_the_edge_is_told_once_and_once_when_there_is_room(
    worlds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [0]
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free[0]))
    told = []
    with worlds() as world:
        world.start()
        for free[0] in (machine.LITTLE - 1, machine.LITTLE + 1, machine.LITTLE - 1, machine.ENOUGH, machine.LITTLE):
            world.at += 10 * MINUTE
            world.service.forget()
            world.service.flow()
            told.append(len(world.slack.messages("call-light-health")))
        assert "make room on the disk" in str(world.slack.messages("call-light-health")[0]["blocks"])
    assert told == [1, 1, 1, 2, 2]


BROKEN = {"disk full": _full, "disk read-only": _read_only, "database locked by another program": _locked}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_disk_that_takes_nothing(fault: str, worlds: Any, see: Any) -> None:
    """What could not be kept is asked for again: its cursor did not move either."""
    with worlds() as world:
        world.listens_to("x")
        world.pages()
        world.hears(WAITED)
        world.start()
        world.works()
        world.at += 5 * MINUTE
        world.hears(COLLAPSED + " " + "please hurry " * 400, author="lee")
        seconds = [0.0]
        world.service.standstill = Standstill(lambda: seconds[0])
        with BROKEN[fault](world):
            for seconds[0] in (0, 100, 200):
                for job in _jobs(world.service):
                    with suppress(OperationalError):  # the log says so, and nothing else
                        job.run()
            told = [page for page in world.pager.pages() if "stands still" in page]
        (page,) = told
        assert "the database " in page
        assert page.partition(" | ")[2] in str(world.slack.messages("call-light-health"))
        assert len(world.mentions()) == 1
        world.start()
        world.rests()
        world.adds_up()
        assert [page for page in world.pager.pages() if "case 2" in page], "who is on call hears of it afterwards"
    why = page.partition(": ")[2].partition("; ")[0]
    see("machine", "Disk and database", fault, "nothing was half kept; asked again, nothing lost; people are told: after "
        f"three minutes, in Slack and by the pager: Call Light stands still … {why}")  # fmt: skip


def _jobs(service: Service) -> list[clock.Job]:
    """What runs again and again, the one that tells people last."""
    return [job for job in service._jobs(None) if job.name not in ("pages", "pages_again", "center")]


# ---------------------------------------------------------------- a damaged database


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A database with something on most of its pages, in one file."""
    engine = open_database(tmp_path / "data")
    with Session(engine) as session:
        for number in range(POSTS):
            session.add(Watch(name=f"place{number}", cursor={"seen": ["x" * 400] * 5}))
        session.commit()
    engine.dispose()
    return tmp_path / "data" / "call-light.db"


def _header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"something else entirely")


def _torn(path: Path) -> None:
    """Every page from the middle on but the last is what another file was."""
    size = path.stat().st_size // 4096
    with path.open("r+b") as file:
        for page in range(size // 2, size - 1):
            file.seek(page * 4096)
            file.write(bytes([7]) * 4096)


def _truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


DAMAGED = {"header overwritten": _header, "pages torn in the middle": _torn, "file cut in half": _truncated}


@pytest.mark.parametrize("fault", DAMAGED)
def test_a_damaged_database_is_told_at_the_start(fault: str, filled: Path, see: Any) -> None:
    DAMAGED[fault](filled)
    with pytest.raises(NeedsPerson, match="restore") as caught:
        looked_through(open_database(filled.parent))
    told = str(caught.value).replace(str(filled), "data/call-light.db").partition(" (")[0]
    why = str(caught.value).partition("); ")[2]
    see("machine", "Damaged database", fault, f"the service does not start; people are told: {told} …; {why}")


def test_a_database_that_is_well_is_taken(filled: Path) -> None:
    engine = open_database(filled.parent)
    looked_through(engine)
    engine.dispose()


def test_a_log_that_is_gone(worlds: Any, see: Any, tmp_path: Path) -> None:
    """Somebody deleted call-light.db-wal: the database is as it was before, and what is missing is asked for again."""
    with worlds() as world:
        world.listens_to("x")
        world.hears(WAITED)
        world.start()
        world.works()
        world.engine.dispose()
        there = Path(str(world.engine.url.database))
        before = tmp_path / "before.db"
        shutil.copy(there, before)  # what stands in the file while the rest stands in the log
        world.at += 5 * MINUTE
        world.hears(COLLAPSED, author="lee")
        world.service.collect(world.name)  # kept, and not told yet
        world.engine.dispose()
        for old in there.parent.glob(f"{there.name}*"):
            old.unlink()
        shutil.copy(before, there)
        world.start()
        world.rests()
        world.adds_up()
    see("machine", "Damaged database", "the file -wal is deleted", "what was in it is asked for again; a card of which only "
        "that file knew comes a second time: cannot be known")  # fmt: skip


# ---------------------------------------------------------------- memory, files, processes, clock


def _in_a_child(what: Callable[[], Any]) -> int:
    """Do it in a process of its own, which ends at once; 0 if it came to its end."""
    child = os.fork()
    if child == 0:
        ended = 1
        try:
            with suppress(BaseException):
                what()
                ended = 0
        finally:
            os._exit(ended)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _no_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * 4096 + 500_000, -1))


def _no_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 1, 4096))


def _no_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, -1))


POOR = {"out of memory": _no_memory, "no file can be opened any more": _no_files, "no file may grow": _no_room}


@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process are Linux's")
@pytest.mark.parametrize("fault", POOR)
def test_a_process_that_gets_nothing_more(fault: str, worlds: Any, see: Any) -> None:
    with worlds() as world:
        world.listens_to("x")
        world.hears(WAITED)
        world.start()
        world.works()
        world.at += 5 * MINUTE
        for number in range(5):
            world.hears(f"{COLLAPSED} {number}", author=f"lee{number}")
        world.engine.dispose()

        def beat() -> None:
            POOR[fault]()
            world.works()

        _in_a_child(beat)
        world.start()
        world.rests()
        world.adds_up()
    see(
        "machine",
        "Memory, files, processes",
        fault,
        "that pass fails, or the process ends; a new one goes on: nothing lost, nothing twice",
    )


def test_two_processes_at_once(worlds: Any, see: Any) -> None:
    """One collects; both read, decide and deliver, and nothing is there twice."""
    with worlds() as world:
        world.listens_to("x")
        world.hears(WAITED)
        world.start()
        first = world.service
        second = Service(first.config, world.engine, first.door, world.secrets, world.now, first.reports)
        second.in_force, second.me = first.in_force, "elsewhere:1"
        for number in range(6):
            world.hears(f"{COLLAPSED} {number}", author=f"lee{number}")
        wrong: list[Exception] = []
        both = [threading.Thread(target=_beats, args=(one, world.name, wrong)) for one in (first, second)]
        for one in both:
            one.start()
        for one in both:
            one.join(60)
        assert wrong == []
        assert [first.collects, second.collects].count(True) == 1
        world.rests()
        world.adds_up()
    see(
        "machine", "Memory, files, processes", "two processes on one database", "one collects, both work; nothing twice"
    )


def _beats(service: Service, name: str, wrong: list[Exception]) -> None:
    try:
        for _ in range(3):
            service.collect(name)
            service.flow(clocks=False)
    except Exception as error:
        wrong.append(error)


@pytest.mark.parametrize(("fault", "jump"), [("clock a year ahead", YEAR), ("clock an hour back", -HOUR)])
def test_a_clock_that_jumps(fault: str, jump: timedelta, worlds: Any, see: Any) -> None:
    """And comes back: nothing is lost in between, and nothing waits for the wrong time."""
    with worlds() as world:
        world.listens_to("x")
        world.hears(WAITED)
        world.start()
        world.works()
        right = world.at
        world.at += jump
        world.hears(COLLAPSED, ago=jump + MINUTE if jump > HOUR else -HOUR, author="lee")
        world.service.collect(world.name)
        world.slack.fail_next(Status(500), times=None)
        world.service.flow(clocks=False)  # its card is put off, by the wrong clock
        world.slack.heal()
        world.server("place").fail_next(RateLimited(reset=world.clock() + 900))
        world.service.collect(world.name)  # and so is asking
        world.at = right + 10 * MINUTE
        world.hears(KNIFE, author="mia")
        world.start()
        world.rests()
        with Session(world.engine) as session:
            assert lease.take(session, "elsewhere:1", world.at + HOUR) is None, "another copy may take over"
        assert {2, 3} <= set(world.cards())
        world.adds_up()
    see("machine", "Clock", fault, "and right again: nothing lost, nothing twice, nothing waits for the wrong time")


def test_a_reader_of_feeds_that_dies(worlds: Any, see: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Feeds are read in a process of their own: that it is killed, for want of memory say, is a feed that could not be read."""
    with worlds() as world:
        world.listens_to("rss")
        world.hears(WAITED)
        world.start()
        world.works()
        world.at += 20 * MINUTE
        world.hears(COLLAPSED)
        gone = world.folder / "python"
        gone.write_text("#!/bin/sh\nkill -9 $$\n")
        gone.chmod(0o700)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", str(gone))
            world.told.clear()
            world.works()
        told = " | ".join(world.told)
        assert "cannot be read" in told
        world.start()
        world.rests()
        world.adds_up()
    see(
        "machine",
        "Memory, files, processes",
        "the process that reads feeds is killed",
        f"asked again, nothing lost; people are told: {told}",
    )


def test_commands_say_it_in_a_sentence(filled: Path) -> None:
    """Not a traceback, and status 1."""
    size = filled.stat().st_size // 4096
    with filled.open("r+b") as file:  # nothing that is asked for at the start
        file.seek((size - 3) * 4096)
        file.write(bytes([7]) * 4096)
    command = [sys.executable, "-c", "from listener.cli import main; main()", "run"]
    places = {"CALL_LIGHT_DATA": str(filled.parent), "CALL_LIGHT_CONFIG": str(PROJECT / "config")}
    around = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), **places}
    done = subprocess.run(command, capture_output=True, text=True, env=around, check=False, timeout=60)
    assert done.returncode == 1
    assert "is damaged" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_was_half_written_is_not_there(worlds: Any) -> None:
    """A Watch of which the commit failed is as it was."""
    with worlds() as world:
        world.listens_to("x")
        world.start()
        with _read_only(world), pytest.raises(Exception, match="readonly"):
            world.works()
        with world.session() as session:
            assert session.exec(select(Watch)).all() == []
