"""A world for one cell, and the page of what was seen."""

import gc
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from config.schema import Config
from faults.page import save
from faults.world import World, fresh, world
from listener.database import open_database
from nlp.pipeline import Reader

_FOUND: dict[str, Any] = {"cells": {}, "machine": {}}
_BEGAN = time.monotonic()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--see", action="store_true", help="write what was seen into docs/faults.md")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The page of this run. Not of several processes: each has seen a part."""
    if session.config.getoption("--see", False) and (_FOUND["cells"] or _FOUND["machine"]):
        save(_FOUND["cells"], _FOUND["machine"], time.monotonic() - _BEGAN)


@pytest.fixture
def see(request: pytest.FixtureRequest) -> Callable[[str, str, str, str], bool]:
    """Note what a cell came to; whether the page is to be written from it, and not compared."""

    def note(kind: str, name: str, fault: str, came_to: str) -> bool:
        _FOUND[kind].setdefault(name, {})[fault] = came_to
        return bool(request.config.getoption("--see", False))

    return note


@pytest.fixture(autouse=True)
def nobody_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """prawcore and slack_sdk sleep between their tries."""
    monkeypatch.setattr("prawcore.sessions.FiniteRetryStrategy._sleep_seconds", lambda self: None)
    monkeypatch.setattr("slack_sdk.http_retry.handler.time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.fixture(scope="session", autouse=True)
def nothing_old_is_garbage(rules: Reader) -> None:
    """The reader and its libraries stay: to look through them for garbage again and again takes a tenth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared(empty_database: Path) -> Iterator[Engine]:
    """One engine for every cell of this process."""
    memory = Path("/dev/shm")  # no cell waits for a disk; those about disks have a database of their own
    with TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="faults-") as data:
        shutil.copy(empty_database, data)
        engine = open_database(Path(data))
        yield engine
        engine.dispose()


@pytest.fixture
def worlds(
    tmp_path_factory: pytest.TempPathFactory,
    shared: Engine,
    empty_database: Path,
    config: Config,
    rules: Reader,
    caplog: Any,
) -> Callable[[], AbstractContextManager[World]]:
    """A hospital each time; one at a time."""

    def made() -> AbstractContextManager[World]:
        fresh(shared, empty_database)
        return world(tmp_path_factory.mktemp("world"), shared, config, rules, caplog)

    return made
