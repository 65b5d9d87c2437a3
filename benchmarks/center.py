"""The Listening Center: how quick an inbox of thousands is, how soon open pages are told, and whether memory stays flat.

    python -m benchmarks.center [--cases 5000] [--pages 200 500] [--minutes 3] [--rate 50]
    python -m benchmarks.center --minutes 60 --only memory

The center has a process of its own, with uvicorn as `call-light run` starts it; posts come from this process, already read
and decided, and the open pages are real connections of a third one. Beside the inbox stands the page for
signing in, beside an event for many pages the same event for one, beside the memory at the end that after the first minutes.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine
from sqlmodel import Session, insert

from alerts.case import Case, CaseEvent, note
from alerts.known import load_config
from alerts.verdict import Verdict
from listener.database import open_database
from listener.mention import Mention
from nlp.reading import Reading

_CONFIG = Path(__file__).parent.parent / "config"
_SPAWN = multiprocessing.get_context("spawn")  # no locks of this process are taken along
_URGENCIES = ("routine", "routine", "routine", "here_now", "serious", "danger")
_WORDS = "Waited {n} hours in the ER at St. Brigid's and nobody told us anything, is there anybody we can ask? " * 2
_TOPICS = ("inbox", "waterfall", "wall", "case")
_TURNS = 40
_PLAINLY: dict[str, Any] = {"trust_env": False, "timeout": 60}


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--cases", type=int, default=5_000)
    arguments.add_argument("--pages", type=int, nargs="+", default=[200, 500])
    arguments.add_argument("--minutes", type=float, default=3)
    arguments.add_argument("--rate", type=int, default=50, help="posts a second, of which every tenth opens a case")
    arguments.add_argument("--only", choices=("inbox", "told", "memory"))
    given = arguments.parse_args()
    if given.only in (None, "inbox"):
        inbox(given.cases)
    if given.only in (None, "told"):
        told(given.cases, given.pages)
    if given.only in (None, "memory"):
        memory(given.minutes, given.rate)


# ---------------------------------------------------------------- the three


def inbox(cases: int) -> None:
    """Until the page is there, alone and while posts are read in the same process; beside it a page that asks for nothing."""
    with _filled(cases) as (folder, _):
        for is_reading in (False, True):
            with _center(folder, is_reading) as (_, address), httpx.Client(base_url=address, **_PLAINLY) as client:
                times = [[_seconds(client, page) for page in ("/inbox", "/sign-in")] for _ in range(_TURNS)][3:]
                size = len(client.get("/inbox").content) / 1024
            ours, bare = (sorted(column) for column in zip(*times, strict=True))
            middle = statistics.median(ours)
            print(
                f"inbox with {cases:,} open cases{', while posts are read' if is_reading else '':23} {size:.0f} KB: median "
                f"{middle * 1000:.0f} ms, slowest {ours[-1] * 1000:.0f} ms (wanted 300); "
                f"{middle / statistics.median(bare):.1f} times the page for signing in"
            )


def told(cases: int, numbers: Sequence[int]) -> None:
    """From the commit of an event to the last of so many open pages that has it."""
    alone = None
    with _filled(cases) as (folder, engine), _center(folder) as (_, address):
        for number in (1, *numbers):
            with _open_pages(address, number) as pages:
                waits = [_until_told(engine, pages, number, case_id) for case_id in range(1, _TURNS + 1)]
            middle = statistics.median(waits)
            alone = alone or middle
            print(
                f"an event reaches {number:4} pages          median {middle:.2f} s, slowest {max(waits):.2f} s "
                f"(wanted 1); {middle / alone:.1f} times a single page"
            )


def memory(minutes: float, rate: int) -> None:
    """What the center holds while posts come for a long time, with twenty pages of each kind open; half are left unread."""
    samples: list[tuple[float, float]] = []
    with (
        _filled(0) as (folder, engine),
        _center(folder) as (pid, address),
        _open_pages(address, 20 * len(_TOPICS), _TOPICS, unread=10 * len(_TOPICS)) as pages,
    ):
        began, done = time.monotonic(), 0
        while (passed := time.monotonic() - began) < minutes * 60:
            wanted = int(passed * rate)
            _add(engine, range(done + 1, wanted + 1), every=10)
            done = wanted
            samples.append((passed / 60, _rss(pid)))
            while pages.poll():
                pages.recv()
            time.sleep(max(0.0, 0.2 - (time.monotonic() - began - passed)))
    later = [(at, size) for at, size in samples if at > min(1.0, minutes / 3)]
    slope, _ = statistics.linear_regression(*zip(*later, strict=True))
    first, last = later[0][1], later[-1][1]
    print(
        f"{done:,} posts in {minutes:g} minutes       memory {first:.0f} MB after the first minute, {last:.0f} MB at the end "
        f"({last / first:.2f}), at most {max(size for _, size in samples):.0f} MB; slope {slope * 60:+.1f} MB an hour"
    )


# ---------------------------------------------------------------- the center, in a process of its own


@contextmanager
def _center(folder: Path, is_reading: bool = False) -> Iterator[tuple[int, str]]:
    """Its process, and its address."""
    here, there = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_serve, args=(folder, is_reading, there))
    process.start()
    try:
        port = here.recv()
        yield process.pid or 0, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join(10)


def _serve(folder: Path, is_reading: bool, said: Connection) -> None:
    """Until it is told to stop; with a reader beside it that is never done, as after a morning's backlog."""
    from rich.console import Console as Terminal

    from alerts.center.app import LIMITS, NAME, app
    from alerts.center.room import Room
    from alerts.console import Console
    from listener.serving import Where, serving

    config, engine = load_config(_CONFIG), open_database(folder)
    door = Console(config.care.slack.channels, Terminal(stderr=True))
    room = Room(
        lambda: config, engine, lambda: door, {}, lambda: datetime.now(UTC), folder, lambda: None, lambda: None
    )  # fmt: skip
    with serving(app(room), Where(NAME, "127.0.0.1", 0, ""), LIMITS) as served:
        if is_reading:
            from nlp.pipeline import Reader, Text

            reader, texts = Reader(config), (Text(_WORDS.format(n=n)) for n in count())
            threading.Thread(target=lambda: deque(reader.read(texts), maxlen=0), daemon=True).start()
        said.send(served.port)
        threading.Event().wait()


def _seconds(client: httpx.Client, page: str) -> float:
    """How long a page takes."""
    began = time.perf_counter()
    client.get(page).raise_for_status()
    return time.perf_counter() - began


def _rss(pid: int) -> float:
    """MB of a process that are in memory."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines())
    return int(lines["VmRSS"].split()[0]) / 1024


# ---------------------------------------------------------------- the open pages, in another


@contextmanager
def _open_pages(address: str, number: int, topics: Sequence[str] = ("inbox",), unread: int = 0) -> Iterator[Connection]:
    """Pages that are open; for each event, what it was and when, as each page has it."""
    here, there = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_browse, args=(address, number, topics, unread, there))
    process.start()
    try:
        assert here.recv() == "open"
        yield here
    finally:
        process.terminate()
        process.join(10)


def _browse(address: str, number: int, topics: Sequence[str], unread: int, said: Connection) -> None:
    asyncio.run(_browsing(address, number, topics, unread, said))


async def _browsing(address: str, number: int, topics: Sequence[str], unread: int, said: Connection) -> None:
    limits = httpx.Limits(max_connections=None)
    opened = asyncio.Semaphore(0)

    async def page(client: httpx.AsyncClient, topic: str, position: str, is_read: bool) -> None:
        while True:
            async with client.stream("GET", f"/live/{topic}?from={position}") as answer:
                opened.release()
                lines = answer.aiter_lines()
                while not is_read:
                    await asyncio.sleep(3600)
                async for line in lines:
                    if line.startswith('data: {"case": '):
                        said.send((int(line[15:].partition(",")[0]), time.time()))
                    elif line.startswith("id: "):
                        position = line.removeprefix("id: ")

    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=None, limits=limits) as client:
        first = (await client.get("/inbox")).text.partition('data-position="')[2].partition('"')[0]
        open_ones = [
            asyncio.create_task(page(client, topics[n % len(topics)], first, n >= unread)) for n in range(number)
        ]
        for _ in range(number):
            await opened.acquire()
        said.send("open")
        await asyncio.gather(*open_ones)


def _until_told(engine: Engine, pages: Connection, number: int, case_id: int) -> float:
    """How long it takes from the commit until the last page has it."""
    with Session(engine) as session:
        note(session, session.get_one(Case, case_id), datetime.now(UTC), "ana", "changed", "touched")
        session.commit()
    began, told = time.time(), []
    while len(told) < number:
        if not pages.poll(10):
            raise SystemExit(f"{number - len(told)} of {number} pages were not told within ten seconds")
        case, at = pages.recv()
        told += [at] if case == case_id else []
    return max(told) - began


# ---------------------------------------------------------------- posts that are read and decided


@contextmanager
def _filled(cases: int) -> Iterator[tuple[Path, Engine]]:
    """A folder with a new database, and so many cases in it."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(Path(folder))
        _add(engine, range(1, cases + 1), every=1)
        yield Path(folder), engine
        engine.dispose()


def _add(engine: Engine, numbers: range, every: int) -> None:
    """Posts as the stages before would leave them, in one transaction; of so many, one is a case."""
    tables: dict[Any, list[dict[str, Any]]] = {Mention: [], Reading: [], Case: [], Verdict: [], CaseEvent: []}
    for n in numbers:
        for table, row in _rows(n, datetime.now(UTC), n % every == 0):
            tables[table].append(row)
    with Session(engine) as session:
        for table, rows in tables.items():
            if rows:
                session.execute(insert(table), rows)
        session.commit()


def _rows(n: int, now: datetime, is_case: bool) -> Iterator[tuple[Any, dict[str, Any]]]:
    urgency = _URGENCIES[n % len(_URGENCIES)]
    yield Mention, {
        "id": n, "collector": "x", "source": "x", "ref": f"r{n}", "text": _WORDS.format(n=n), "written_at": now, "heard_at": now,
        "looked_at": now, "author": f"a{n}", "thread": f"r{n}", "url": f"https://x.example/{n}",
    }  # fmt: skip
    yield Reading, {
        "id": n, "mention_id": n, "revision": 1, "pipeline_version": "1", "read_at": now, "mentions_us": ["St. Brigid's"],
        "departments": ["Emergency"], "site": None, "voice": "patient", "kind": "complaint",
        "categories": [{"id": "waiting", "score": 0.9, "words": ["Waited"]}], "stage": "waiting", "mood": -0.5, "urgency": urgency,
        "signs": [], "staff": [], "reasons": ["'hours in the ER' (waiting)"], "language": "en", "readable": True,
        "redacted_text": _WORDS.format(n=n),
    }  # fmt: skip
    if is_case:
        yield Case, {
            "id": n, "mention_id": n, "source": "x", "thread": f"r{n}", "channel": "care", "urgency": urgency,
            "state": "claimed" if n % 5 == 0 else "open", "owner": f"U{n % 7}" if n % 5 == 0 else None, "opened_at": now,
            "clock_from": now, "due_at": now + timedelta(minutes=n % 90),
        }  # fmt: skip
        yield CaseEvent, {"case_id": n, "at": now, "who": "call-light", "kind": "opened", "what": "opened"}
    yield Verdict, {
        "id": n, "reading_id": n, "mention_id": n, "outcome": "alert" if is_case else "digest", "channel": "care",
        "reason": "rule 'care': b", "case_id": n if is_case else None, "decided_at": now,
    }  # fmt: skip


if __name__ == "__main__":
    main()
