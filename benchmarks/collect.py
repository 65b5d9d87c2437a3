"""How fast collectors hear, what a poll with nothing new costs, and how soon a post becomes a card.

    python -m benchmarks.collect [--posts 10000] [--only x,reddit,bluesky]
    python -m benchmarks.collect --latency [--cards 100]

Each site is played by its fake in a process of its own, on loopback. Beside each figure stand the same requests made
with nothing around them: the answers are fetched and thrown away. --latency starts the service, posts at random moments
to Bluesky (Jetstream, live) and X (polled every five seconds), and looks when the card is in Slack.
"""

import argparse
import importlib
import json
import multiprocessing
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import requests

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the fakes

from fakes.slack import CARE_CHANNELS, FakeSlack

from alerts.console import Console
from config.load import load
from listener.collect import known_collectors, settings_of_all
from listener.database import open_database
from listener.service import Service

_CONFIG = Path(__file__).parent.parent / "config"
_SAID = "Number {}: {} hours in the waiting room at St. Brigid's and {} people came by without a word"
_POLLS = 50
_MOST = {"reddit": 900}  # a listing of Reddit holds a thousand


class Now:
    """The real time, as the fakes want it."""

    at = property(lambda self: datetime.now(UTC))

    def __call__(self) -> float:
        return time.time()


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--posts", type=int, default=10_000)
    arguments.add_argument("--only", default="x,reddit,bluesky")
    arguments.add_argument("--latency", action="store_true")
    arguments.add_argument("--cards", type=int, default=100)
    given = arguments.parse_args()
    if given.latency:
        return _latency(given.cards)
    print(f"{'':<16}{'posts/s':>10}{'bare':>10}{'ratio':>8}{'poll':>10}{'bare':>10}{'beyond':>10}")
    for name in given.only.split(","):
        _one(name, min(given.posts, _MOST.get(name, given.posts)))


def _one(name: str, count: int) -> None:
    with _site(name, count) as (site, settings, secrets), tempfile.TemporaryDirectory() as folder:
        config = load(_CONFIG, settings_of_all())
        only = {name: known_collectors()[name].Settings(**{"on": True, **settings})}
        engine = open_database(Path(folder))
        service = Service(config.model_copy(update={"collectors": only}), engine, Console({}), secrets)
        heard, seconds = 0, 0.0
        while heard < count:
            started = time.perf_counter()
            new = service.collect(name).new
            seconds += time.perf_counter() - started
            heard += new
            if not new:
                break
        bare = _bare(_said(site, "requests"))
        polls = []
        for _ in range(_POLLS):
            started = time.perf_counter()
            service.collect(name)
            polls.append(time.perf_counter() - started)
        asked = _said(site, "requests")
        bare_poll = _bare(asked) / _POLLS
        poll = statistics.median(polls)
        engine.dispose()
    print(
        f"{name:<16}{heard / seconds:>10,.0f}{heard / bare:>10,.0f}{bare / seconds:>8.2f}"
        f"{poll * 1000:>8.1f}ms{bare_poll * 1000:>8.1f}ms{(poll - bare_poll) * 1000:>8.1f}ms"
    )


@contextmanager
def _site(name: str, count: int) -> Iterator[tuple[Connection, dict[str, Any], dict[str, str]]]:
    """The fake with so many posts on it, in a process of its own."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(name, count, there), daemon=True)
    process.start()
    settings, secrets = here.recv()
    try:
        yield here, settings, secrets
    finally:
        here.send("end")
        process.join()


def _serve(name: str, count: int, pipe: Connection) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        importlib.import_module(f"fakes.{name}").place(Now(), Path(folder)) as place,
    ):
        # A second apart, and at last five minutes: a poll must not look busy because some sites are read again a while back.
        now = datetime.now(UTC)
        for n in range(count):
            before = timedelta(minutes=5 * (count - n)) if count - n < 40 else timedelta(hours=4, seconds=count - n)
            place.post(_SAID.format(n, n % 9, n % 7), now - before, f"author{n % 997}")
        pipe.send((dict(place.settings), dict(place.secrets)))
        seen = 0
        while pipe.recv() == "requests":
            new, seen = place.server.requests[seen:], len(place.server.requests)
            pipe.send([(place.server.base_url, one.method, one.path, one.query, one.headers, one.raw) for one in new])
            seen = len(place.server.requests)


def _said(site: Connection, what: str) -> list[Any]:
    site.send(what)
    return list(site.recv())


def _bare(asked: list[Any]) -> float:
    """Seconds for the same requests with nothing around them."""
    with requests.Session() as session:
        session.trust_env = False
        started = time.perf_counter()
        for base, method, path, query, headers, body in asked:
            kept = {name: value for name, value in headers.items() if name not in ("host", "content-length")}
            session.request(method, base + path, params=query, headers=kept, data=body)
        return time.perf_counter() - started


# ---------------------------------------------------------------- how soon it is a card


def _latency(count: int) -> None:
    """Seconds from a post to its card, with everything on: the service, two sites, Slack."""
    with tempfile.TemporaryDirectory() as folder, FakeSlack() as slack, ExitStack() as open_:
        for channel in CARE_CHANNELS:
            slack.add_channel(channel)
        sites = {
            name: open_.enter_context(importlib.import_module(f"fakes.{name}").place(Now(), Path(folder)))
            for name in ("bluesky_live", "x")
        }
        config = _configured(Path(folder), slack.base_url, sites)
        secrets = {"SLACK_BOT_TOKEN": slack.token, **sites["x"].secrets}
        service = subprocess.Popen(
            [sys.executable, "-m", "listener.cli", "run", "--config", str(config), "--data", f"{folder}/data"],
            env={**os.environ, **secrets},
            cwd=_CONFIG.parent,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_until(lambda: all(site.server.requests for site in sites.values()))
            time.sleep(5)  # the model is loaded
            for at, (name, site) in enumerate(sites.items()):
                # Other numbers for each site: the same words at two places are one story, and get one card.
                numbers = range(at * count, (at + 1) * count)
                _print_latency(name, sorted(_seconds_to_card(site, slack, n) for n in numbers))
        finally:
            service.terminate()
            service.wait()


def _configured(folder: Path, slack: str, sites: dict[str, Any]) -> Path:
    """The configuration that ships, with these sites on and their addresses put in."""
    config = folder / "config"
    shutil.copytree(_CONFIG, config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    care = config / "care.toml"
    care.write_text(care.read_text().replace("[slack]\n", f'[slack]\nbase_url = "{slack}"\n', 1))
    tables = []
    for name, site in sites.items():
        values = {"on": True, **site.settings, "every": "5s" if name == "x" else "30s"}
        tables += [f"[collectors.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    (config / "listening.toml").write_text("\n".join(tables))
    return config


def _seconds_to_card(site: Any, slack: FakeSlack, number: int) -> float:
    time.sleep(random.Random(number).uniform(0.2, 1.5))
    known = len(slack.seen("chat.postMessage"))
    # X shows a post in its search no sooner than this: what follows is ours.
    at = datetime.now(UTC) - timedelta(seconds=35)
    posted = time.time()
    words = (
        f"Waited {number} hours, I am number {number} in the line of {number} at St. Brigid's ER, {number} people left"
    )
    site.post(words, at, f"ann{number}")
    _wait_until(lambda: len(slack.seen("chat.postMessage")) > known)
    return slack.seen("chat.postMessage")[known].at - posted


def _wait_until(happened: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not happened():
        if time.monotonic() > ends:
            raise SystemExit("nothing happened for a minute")
        time.sleep(0.002)


def _print_latency(name: str, seconds: list[float]) -> None:
    shown = (seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.95)], seconds[-1])
    print("{:<16}median {:.2f} s, 95 of 100 within {:.2f} s, slowest {:.2f} s".format(name, *shown), flush=True)


if __name__ == "__main__":
    main()
