"""What every test may ask for: the shipped configuration, an empty database, a fixed time, and no network but loopback."""

import gc
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from leaks import Leaks, look_through_everything
from sqlalchemy import Engine, event
from sqlmodel import Session

from config.load import load
from config.schema import Config
from listener.collect import settings_of_all
from listener.database import open_database
from listener.environment import secret_names
from nlp.pipeline import Reader

PROJECT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)  # a Monday, 09:00 in the hospital's zone

# No test fails by the clock of a busy machine: neither an example that took long, nor one that took long to make up
# (the first of a fresh clone builds Hypothesis' table of all characters).
hypothesis_settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("timeless")


def deep_after(number: int, cases: Sequence[Any]) -> list[Any]:
    """Cases of one test: the first so many are of `make test`, the others of `make deep`."""
    rest = [case if isinstance(case, tuple) else (case,) for case in cases[number:]]
    return [*cases[:number], *(pytest.param(*case, marks=pytest.mark.deep) for case in rest)]


# As the product has it (listener/cli.py), and more: thousands of tests and what they import are looked through once.
gc.disable()


def pytest_collection_finish() -> None:
    """What is there by now stays to the end."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    gc.enable()


_LEAKS = Leaks()


def pytest_configure() -> None:
    look_through_everything(_LEAKS)


@pytest.fixture(autouse=True)
def leaks(config: Config) -> Iterator[Leaks]:
    """What a test hands over; it fails if a word of that gets into a log or a metric."""
    _LEAKS.start()
    if not _LEAKS.known:
        _LEAKS.knows(config)
    yield _LEAKS
    assert not _LEAKS.found


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to any other host fails the test; no secret or proxy of the machine reaches it."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in secret_names():
        monkeypatch.delenv(name, raising=False)
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else None
        if host not in (None, "127.0.0.1", "localhost", "::1"):
            raise AssertionError(f"a test reached for {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[float]]:
    """For a module's name: it sleeps no more, and what it would have slept, in seconds. Its own name `time` is replaced:
    without time.sleep itself every thread of the process that waits in a loop would spin."""

    def of(module: str) -> list[float]:
        slept: list[float] = []
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(sleep=slept.append, monotonic_ns=time.monotonic_ns))
        return slept

    return of


@pytest.fixture(scope="session")
def config() -> Config:
    """The configuration that ships."""
    return load(PROJECT / "config", settings_of_all())


@pytest.fixture(scope="session")
def reader(config: Config) -> Reader:
    """The pipeline for it."""
    return Reader(config)


@pytest.fixture(scope="session")
def rules(config: Config) -> Reader:
    """The pipeline without the trained model: phrases and rules alone."""
    alone = config.keywords.reader.model_copy(update={"model": False})
    return Reader(config.model_copy(update={"keywords": config.keywords.model_copy(update={"reader": alone})}))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that has just been made: to run every migration takes longer than most tests."""
    folder = tmp_path_factory.mktemp("empty")
    open_database(folder).dispose()  # closing the last connection brings everything into the one file
    return folder / "call-light.db"


@pytest.fixture(scope="session")
def new_database(empty_database: Path) -> Callable[[Path], Engine]:
    """Makes one in a folder. No test that takes it cuts the power, so nothing waits for the disk."""

    def made(data: Path) -> Engine:
        data.mkdir(exist_ok=True)
        shutil.copy(empty_database, data)
        engine = open_database(data)
        engine.dispose()
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
        return engine

    return made


@pytest.fixture
def engine(new_database: Callable[[Path], Engine], tmp_path: Path) -> Iterator[Engine]:
    """A new database."""
    engine = new_database(tmp_path / "data")
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session on it."""
    with Session(engine) as session:
        yield session


@pytest.fixture
def now() -> datetime:
    """The time it is in tests."""
    return NOW
