"""Half an hour of twenty posts a second with faults at random: memory and open files stay flat, the ledger adds up.

    python -m benchmarks.soak [--minutes 30] [--rate 20] [--picture soak.png]

`call-light run` has a process of its own, as in a hospital, with a database in a folder; X and Slack are on loopback and refuse,
stall, reset or answer twice a minute or so. People press Claim and Close on the cards, and pages of the Listening Center are open
and asked for. A row of the table every half minute; at the end everything is counted. Ends with status 1 if anything is wrong:
memory or files that grew by more than a twentieth after the first sixth of the time (files by more than one connection), a ledger that does not add up,
a post that was not kept, a case with two cards or none, a process that ended by itself or not at all.
"""

import argparse
import json
import os
import random
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the fakes

from fakes.server import DropAfter, Fault, NotJson, RateLimited, Reset, Stall, Status
from fakes.slack import CARE_CHANNELS, FakeSlack
from fakes.slack_people import Person
from fakes.x import FakeX

from benchmarks.center import _open_pages

_PROJECT = Path(__file__).parent.parent
_EVERY = 30.0  # seconds between two rows
_FLAT = 0.05  # how much memory and files may grow
_CONNECTION = 4  # files and threads at most: one connection more that the pool keeps for good is no leak
_PAGES = 8  # of the Listening Center that are open
_SETTLE = 180.0  # seconds at the end in which everything has to be told
# How often a kind of post comes, of a thousand. Slack takes a message a second: cards must not come faster for long.
_SAID = (
    (2, "my dad collapsed in the waiting room at St. Brigid's and nobody comes, please somebody, number {n}"),
    (8, "Waited {n} hours in the ER at St. Brigid's and nobody told us anything"),
    (6, "The St. Brigid's portal is down again, error {n}, I cannot see my results"),
    (4, "St. Brigid's billed me twice, invoice of {n} dollars, case number {n}"),
    (80, "The nurses at St. Brigid's were wonderful to my mother on day {n}, thank you"),
    (300, "Brigid sold {n} tickets for the concert tonight, what a show"),
    (600, "number {n} of my photographs of the brigid valley in autumn"),
)
_PRESSED = ("do:claim", "do:close")


@dataclass(frozen=True)
class Sample:
    """What the process holds, and what waits, at a moment."""

    minute: float
    memory: float  # MB
    files: int
    sockets: int
    threads: int
    cpu: float  # cores since the sample before
    database: float  # MB, with what is not yet brought into the one file
    kept: int
    unread: int
    undecided: int
    unsent: int
    cases: int


def main() -> None:
    """Run, print, draw, judge."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=30)
    arguments.add_argument("--rate", type=float, default=20)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--picture", type=Path, help="a chart of memory and files, PNG or SVG by its ending")
    given = arguments.parse_args()
    chance = random.Random(given.seed)
    with _world(given.rate) as world:
        samples = list(_soaked(world, given.minutes * 60, given.rate, chance))
        wrong = [*_grew(samples, given.minutes), *world.settled(), *world.counted()]
    if given.picture:
        _draw(samples, given.picture)
    print("\n".join(wrong) or "nothing is wrong")
    sys.exit(1 if wrong else 0)


# ---------------------------------------------------------------- the world around it


class World:
    """The service in its process, X, Slack, and the folder."""

    def __init__(
        self, folder: Path, x: FakeX, slack: FakeSlack, process: subprocess.Popen[bytes], address: str
    ) -> None:
        self.folder, self.x, self.slack, self.process, self.address = folder, x, slack, process, address
        self.posted: set[str] = set()
        self.faults: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.stop = threading.Event()
        self._cpu = (0.0, time.monotonic())

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """What the database says."""
        with closing(
            sqlite3.connect(f"file:{self.folder / 'data/call-light.db'}?mode=ro", uri=True, timeout=30)
        ) as there:
            return there.execute(question).fetchall()

    def count(self, table: str) -> int:
        """Rows of a table, with what limits them."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])

    def sample(self, began: float) -> Sample:
        """What is held and what waits now."""
        proc = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line)
        times = (proc / "stat").read_text().rpartition(")")[2].split()
        used, now = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK"), time.monotonic()
        cores, self._cpu = (used - self._cpu[0]) / (now - self._cpu[1]), (used, now)
        links = []
        for one in (proc / "fd").iterdir():
            with suppress(OSError):
                links.append(os.readlink(one))
        sockets = sum(link.startswith("socket:") for link in links)
        size = sum(file.stat().st_size for file in (self.folder / "data").glob("call-light.db*"))
        newest = "SELECT 1 FROM reading r WHERE r.mention_id = m.id"
        return Sample(
            (now - began) / 60,
            int(status["VmRSS"].split()[0]) / 1024,
            len(links),
            sockets,
            int(status["Threads"]),
            cores,
            size / 1e6,
            self.count("mention"),
            self.count(f"mention m WHERE NOT EXISTS ({newest})"),
            self.count("reading r WHERE NOT EXISTS (SELECT 1 FROM verdict v WHERE v.reading_id = r.id)"),
            self.count("delivery WHERE state != 'sent'"),
            self.count('"case"'),
        )

    # ------------------------------------------------------------ at the end

    def settled(self) -> Iterator[str]:
        """What is wrong when no more posts come and nothing fails any more: it has to come to rest, and to end when told."""
        self.x.heal()
        self.slack.heal()
        ends = time.monotonic() + _SETTLE
        while time.monotonic() < ends and (self.count("delivery WHERE state != 'sent'") or self._missing()):
            time.sleep(2)
        if self.process.poll() is not None:
            yield f"the service ended by itself with status {self.process.returncode}"
            return
        began = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(30)
            print(f"told to stop, it had ended {time.monotonic() - began:.1f} s later")
        except subprocess.TimeoutExpired:
            self.process.kill()
            yield "the service did not end within 30 s"

    def _missing(self) -> set[str]:
        return self.posted - {ref for (ref,) in self.rows("SELECT ref FROM mention")}

    def counted(self) -> Iterator[str]:
        """What does not add up: posts, the ledger, cards."""
        if missing := self._missing():
            yield f"{len(missing)} of {len(self.posted)} posts were never kept"
        if unsent := self.rows("SELECT kind, state, count(*) FROM delivery WHERE state != 'sent' GROUP BY 1, 2"):
            yield f"not told {_SETTLE:.0f} s after the last post: {unsent}"
        said = _call(self.folder, "ledger", "--json", self.x, self.slack)
        if '"adds_up": true' not in said:
            yield f"the ledger does not add up: {said}"
        folded = {case for (case,) in self.rows("SELECT case_id FROM fold")}
        cards = Counter(
            int(message["metadata"]["event_payload"]["case_id"])
            for channel in CARE_CHANNELS
            for message in self.slack.messages(channel)
            if "case_id" in message.get("metadata", {}).get("event_payload", {}) and _is_card(message)
        )
        cases = {case for (case,) in self.rows('SELECT id FROM "case"')}
        if twice := [case for case, count in cards.items() if count > 1]:
            yield f"{len(twice)} cases have more than one card: {twice[:9]}"
        if none := cases - set(cards) - folded:
            yield f"{len(none)} cases have no card: {sorted(none)[:9]}"
        print(
            f"{len(self.posted):,} posts, {len(cases):,} cases, {len(cards):,} cards, {len(folded):,} folded; "
            f"faults {dict(self.faults)}; people did {dict(self.done)}"
        )


def _is_card(message: dict[str, Any]) -> bool:
    return not message.get("thread_ts") or message["thread_ts"] == message["ts"]


@contextmanager
def _world(rate: float) -> Iterator[World]:
    with tempfile.TemporaryDirectory() as there, FakeX(lag=0, own_handle="StBrigidCares") as x, FakeSlack() as slack:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        folder = Path(there)
        address = _configured(folder, x, slack)
        log = (folder / "log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, "run"], env=_environment(folder, x, slack), stderr=log
        )
        try:
            slack.socket().wait_for(links=1, within=120)
            _until_open(address)
            yield World(folder, x, slack, process, address)
        finally:
            process.kill()
            process.wait()
            log.close()
            lines = ((folder / "log").read_text(encoding="utf-8")).splitlines()
            said = Counter(_event(json.loads(line)) for line in lines if line.startswith("{"))
            print("in its log:", "; ".join(f"{count} x {line}" for line, count in said.most_common(12)))


def _event(fields: dict[str, Any]) -> str:
    """What a line of the log says, without its numbers."""
    return " ".join(str(fields[name]) for name in ("event", "error", "remedy", "at") if name in fields)


def _until_open(address: str) -> None:
    """The Listening Center comes up beside the rest; a page that finds nobody there would end the visit."""
    ends = time.monotonic() + 120
    while True:
        try:
            httpx.get(f"{address}/readyz", trust_env=False, timeout=5)
            return
        except httpx.HTTPError:
            if time.monotonic() > ends:
                raise SystemExit("the Listening Center did not open within two minutes") from None
            time.sleep(0.5)


_PROGRAM = "from listener.cli import main; main()"


def _configured(folder: Path, x: FakeX, slack: FakeSlack) -> str:
    """The configuration that ships, with X and Slack at their places; where its center is."""
    shutil.copytree(_PROJECT / "config", folder / "config", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    changes = (
        ("listening.toml", "[collectors.x]\non = false\nevery = \"60s\"", f'[collectors.x]\non = true\nevery = "5s"\nbase_url = "{x.base_url}"\nqueries = ["brigid"]'),
        ("listening.toml", "daily_reads = 2000", "daily_reads = 10000000"),
        ("care.toml", "[slack]\n", f'[slack]\nbase_url = "{slack.base_url}"\n'),
        ("care.toml", "127.0.0.1:8765", f"127.0.0.1:{port}"),
    )  # fmt: skip
    for name, before, after in changes:
        text = (folder / "config" / name).read_text(encoding="utf-8")
        assert before in text, f"{before!r} is not in {name}"
        (folder / "config" / name).write_text(text.replace(before, after, 1), encoding="utf-8")
    return f"http://127.0.0.1:{port}"


def _environment(folder: Path, x: FakeX, slack: FakeSlack) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(_PROJECT),
        "CALL_LIGHT_CONFIG": str(folder / "config"),
        "CALL_LIGHT_DATA": str(folder / "data"),
        "X_BEARER_TOKEN": x.bearer,
        "SLACK_BOT_TOKEN": slack.token,
        "SLACK_APP_TOKEN": slack.app_token,
    }


def _call(folder: Path, *arguments: Any) -> str:
    *said, x, slack = arguments
    command = [sys.executable, "-c", _PROGRAM, *said]
    done = subprocess.run(command, env=_environment(folder, x, slack), capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


# ---------------------------------------------------------------- what happens in it


def _soaked(world: World, seconds: float, rate: float, chance: random.Random) -> Iterator[Sample]:
    """Everything at once until the time is over; a sample every half minute."""
    began = time.monotonic()
    with _open_pages(world.address, _PAGES, ("inbox", "waterfall", "wall"), unread=2) as pages:
        doing: tuple[Callable[[World, random.Random], None], ...] = (_fails, _press, _look)
        threads = [threading.Thread(target=_again, args=(world, do, random.Random(chance.random()))) for do in doing]
        threads.append(threading.Thread(target=_post, args=(world, began, seconds, rate, chance)))
        for thread in threads:
            thread.start()
        print(" ".join(f"{one.name:>9}" for one in fields(Sample)), flush=True)
        while (passed := time.monotonic() - began) < seconds and world.process.poll() is None:
            time.sleep(min(_EVERY, seconds - passed))
            while pages.poll():
                pages.recv()
            sample = world.sample(began)
            print(
                " ".join(f"{one:9.2f}" if isinstance(one, float) else f"{one:9,}" for one in astuple(sample)),
                flush=True,
            )
            yield sample
        world.stop.set()
        for thread in threads:
            thread.join(30)


def _post(world: World, began: float, seconds: float, rate: float, chance: random.Random) -> None:
    """Posts at the rate, evenly."""
    weights, texts = zip(*_SAID, strict=True)
    n = 0
    while (passed := time.monotonic() - began) < seconds and not world.stop.is_set():
        while n < passed * rate:
            n += 1
            said = chance.choices(texts, weights)[0].format(n=n)
            world.posted.add(world.x.post(said, f"author{n % 5000}", datetime.now(UTC)))
        world.stop.wait(0.05)


def _again(world: World, do: Callable[[World, random.Random], None], chance: random.Random) -> None:
    while not world.stop.wait(chance.uniform(0.5, 2.5)):
        try:
            do(world, chance)
        except (LookupError, httpx.HTTPError, AssertionError, TimeoutError, OSError, sqlite3.Error) as error:
            world.done[f"{do.__name__}: {type(error).__name__}"] += 1  # a button that is gone, an answer that was cut


def _fails(world: World, chance: random.Random) -> None:
    """Now and then a request to X or to Slack goes wrong."""
    fault: Fault = chance.choice(
        (
            Reset(),
            DropAfter(),
            Status(500),
            Status(503),
            NotJson(),
            RateLimited(time.time() + 3, 3),
            Stall(chance.uniform(1, 12)),
        )
    )
    if chance.random() < 0.1:
        where = chance.choice((world.x, world.slack))
        where.fail_next(fault, on=None if where is world.x else "chat.")
        world.faults[type(fault).__name__] += 1


def _press(world: World, chance: random.Random) -> None:
    """Somebody of five takes up or ends what one of the last cards shows: a team that keeps up with what comes."""
    who = Person(world.slack, f"U0AGENT{chance.randrange(5)}")
    cards = [(name, one) for name in CARE_CHANNELS for one in world.slack.messages(name)[-40:] if one.get("blocks")]
    todo = [
        (channel, card["ts"], action)
        for channel, card in cards
        for action in _PRESSED
        if f'"{action}"' in json.dumps(card["blocks"])
    ]
    if todo:
        channel, card, action = chance.choice(todo)
        who.press(channel, card, action)
        world.done[action] += 1


def _look(world: World, chance: random.Random) -> None:
    """Somebody opens a page."""
    path = chance.choice(("/inbox", "/", "/wall", "/health", "/cases/1", "/search?q=waited", "/metrics", "/readyz"))
    httpx.get(f"{world.address}{path}", trust_env=False, timeout=30, headers={"accept": "text/html"})
    world.done["page"] += 1


# ---------------------------------------------------------------- what came out


def _grew(samples: Sequence[Sample], minutes: float) -> Iterator[str]:
    """What is not flat from the first sixth of the time on."""
    later = [one for one in samples if one.minute >= minutes / 6]
    if len(later) < 4:
        yield "too short to judge memory: give it more --minutes"
        return
    quarter = max(1, len(later) // 4)
    for name in ("memory", "files", "threads"):
        values = [float(getattr(one, name)) for one in later]
        first, last = statistics.median(values[:quarter]), statistics.median(values[-quarter:])
        slope, _ = statistics.linear_regression([one.minute for one in later], values)
        print(
            f"{name:8} {first:8.1f} in the first quarter, {last:8.1f} in the last ({last / first - 1:+.1%}); {slope * 60:+.1f} an hour"
        )
        if last / first - 1 > _FLAT and (name == "memory" or last - first > _CONNECTION):
            yield f"{name} grew by {last / first - 1:.1%}"
    print(f"cpu      {statistics.fmean(one.cpu for one in later):8.2f} cores")


def _draw(samples: Sequence[Sample], picture: Path) -> None:
    """Memory, files and what waits, over time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(3, 1, figsize=(8, 6), sharex=True)
    for axis, names in zip(
        axes, (("memory",), ("files", "sockets", "threads"), ("unread", "undecided", "unsent")), strict=True
    ):
        for name in names:
            axis.plot([one.minute for one in samples], [getattr(one, name) for one in samples], label=name)
        axis.set_ylim(bottom=0)
        axis.legend(loc="lower right")
    axes[0].set_ylabel("MB")
    axes[-1].set_xlabel("minutes")
    figure.savefig(picture, bbox_inches="tight")


if __name__ == "__main__":
    main()
