"""What would come into the simulation from outside: time that passes by itself, chance, threads, other processes, the disk.

Each comes from the simulation's own clock and seed instead, so that a seed gives the same weeks on any machine, busy or not,
and nobody waits. What a process keeps for as long as it lives is let go when a copy starts, as it is a process of its own.
"""

import itertools
import json
import random
import threading
import time
import types
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from alerts.finding import Finding
from benchmarks.simulation.town import Clock
from listener import feed, x_door
from listener.collectors import google_reviews, reddit

_WAITING = ("prawcore.sessions", "prawcore.rate_limit", "prawcore.auth", "praw.reddit", "listener.web")
_MEASURING = ("alerts.deliver", "alerts.pager", "alerts.uploads")  # which know monotonic by its name


class Thread:
    """As much of threading.Thread as the product uses to do something beside: done when it is started."""

    def __init__(self, target: Callable[..., Any], args: Sequence[Any] = (), **_: Any) -> None:
        self._run = lambda: target(*args)

    def start(self) -> None:
        """Do it now."""
        self._run()

    def join(self, timeout: float | None = None) -> None:
        """It is done."""

    def is_alive(self) -> bool:
        """It is done."""
        return False


@contextmanager
def kept_out(chance: random.Random, clock: Clock, passes: Callable[[timedelta], None]) -> Iterator[None]:
    """None of it comes in, until the end of the block; a library that sleeps lets the clock's time pass."""
    with ExitStack() as spent:
        for name, instead in (*_times(clock, passes), *_drawn(chance), *_machine()):
            spent.enter_context(patch(name, instead))
        spent.callback(random.setstate, random.getstate())
        random.seed(chance.getrandbits(64))  # by it libraries draw how long they wait before they try again
        yield


def forget_connections() -> None:
    """A process that starts has asked nobody yet who it is."""
    x_door._owners.clear()
    reddit._connected.cache_clear()
    google_reviews._credentials.cache_clear()


def _times(clock: Clock, passes: Callable[[timedelta], None]) -> Iterator[tuple[str, Any]]:
    def sleep(seconds: float) -> None:
        passes(timedelta(seconds=round(seconds, 3)))

    waits = types.SimpleNamespace(sleep=sleep, time=clock, monotonic=clock, monotonic_ns=lambda: int(clock() * 10**9))
    yield from ((f"{module}.time", waits) for module in _WAITING)
    yield from ((f"{module}.monotonic", clock) for module in _MEASURING)
    inline = types.SimpleNamespace(Thread=Thread, Lock=threading.Lock)
    yield from ((f"{module}.threading", inline) for module in ("alerts.press", "alerts.pager"))
    # Whoever does not answer has done so by now: bolt would sleep until a clock that stands still has moved.
    hurried = itertools.count(time.time(), 10.0)
    late = types.SimpleNamespace(time=lambda: next(hurried), sleep=lambda seconds: None)
    yield "slack_bolt.listener.thread_runner.time", late


def _drawn(chance: random.Random) -> Iterator[tuple[str, Any]]:
    yield "uuid.uuid4", lambda: uuid.UUID(int=chance.getrandbits(128), version=4)
    yield "secrets.token_hex", lambda size: chance.randbytes(size).hex()


def _machine() -> Iterator[tuple[str, Any]]:
    yield "listener.collectors.rss.subprocess", types.SimpleNamespace(run=_reads_feed, TimeoutExpired=TimeoutError)
    yield "listener.versions.author", lambda folder, names: "an admin"  # else git, and the account that simulates
    yield "alerts.machine.disk", lambda *_: Finding("disk: enough", True)


def _reads_feed(command: Sequence[str], **given: Any) -> Any:
    """What the process that reads a feed does, in this one: its answer is never large."""
    try:
        return types.SimpleNamespace(returncode=0, stdout=json.dumps(feed.parsed(given["input"], command[-1])))
    except Exception:
        return types.SimpleNamespace(returncode=1, stdout="")
