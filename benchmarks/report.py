"""What the weekly report and search take when a year of 1,000,000 mentions lies in the database.

    python -m benchmarks.report [--mentions 1000000] [--data DIR]

The year is invented: the bundled week's posts with invented words behind them, as they were labelled, with cases,
answers and deliveries. With --data the database is made once and found again. Beside the report stands a bare query for
the rows that it needs, beside search a LIKE over the same texts.
"""

import argparse
import json
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert
from sqlmodel import Session

from alerts.case import Case
from alerts.delivery import Delivery, DigestLine
from alerts.figures import figures
from alerts.report import html, report
from alerts.search import Filters, search
from alerts.span import last
from alerts.verdict import Verdict
from config.load import load
from config.schema import Config
from listener import week
from listener.collect import settings_of_all
from listener.database import open_database
from listener.mention import Mention
from nlp.reading import Reading

NOW = datetime(2026, 11, 16, 15, tzinfo=UTC)
YEAR = timedelta(days=365)
AT_ONCE = 5_000
WORDS = 60_000  # invented ones, beside those of the week
SYLLABLES = [
    "ba",
    "be",
    "bi",
    "bo",
    "bu",
    "da",
    "de",
    "di",
    "do",
    "du",
    "ka",
    "ke",
    "ki",
    "ko",
    "ku",
    "la",
    "le",
    "li",
    "lo",
    "lu",
    "ma",
    "me",
    "mi",
    "mo",
    "mu",
    "na",
    "ne",
    "ni",
    "no",
    "nu",
    "ra",
    "re",
    "ri",
    "ro",
    "ru",
]
QUERIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("wait", {}),
    ("parking garage", {}),
    ('"waiting room"', {}),
    ("nurse kind", {"category": "attitude"}),
    ("billing insurance", {}),
    ("portal", {"since": NOW - timedelta(days=30)}),
    ("lost my chart", {}),
    ("emergency", {"urgency": "danger"}),
    ("parkng", {}),
    ("emergancy wait", {}),
    ("zzyzzx", {}),
    ("hours -parking", {}),
    ("food OR cafeteria", {}),
)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--mentions", type=int, default=1_000_000)
    arguments.add_argument("--data", type=Path, help="a folder where the database is made, or found again")
    arguments.add_argument("--part", choices=("report", "search"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.part:
        return measure(given.part, given.data)
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.data or Path(scratch)
        if not (folder / "call-light.db").exists():
            started = time.perf_counter()
            make(open_database(folder), given.mentions)
            print(f"made {given.mentions:,} mentions in {time.perf_counter() - started:.0f} s")
        size = (folder / "call-light.db").stat().st_size
        print(f"the database has {size / 2**20:,.0f} MB")
        for part in ("report", "search"):  # each in a process of its own, for its memory
            subprocess.run([sys.executable, "-m", "benchmarks.report", "--part", part, "--data", folder], check=True)


def measure(part: str, folder: Path) -> None:
    """One part in this process."""
    config = load(Path(__file__).parents[1] / "config", settings_of_all())
    engine = open_database(folder)
    {"report": measure_report, "search": measure_search}[part](engine, config, folder)
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def measure_report(engine: Engine, config: Config, folder: Path) -> None:
    """The week that is over, from the database to the page."""
    span = last("week", config.hospital.zone, NOW)
    since, until = (
        at.astimezone(UTC).replace(tzinfo=None).isoformat(" ") for at in (span.since - 8 * timedelta(7), span.until)
    )
    with sqlite3.connect(folder / "call-light.db") as bare:
        rows = "SELECT m.*, r.* FROM mention m JOIN reading r ON r.mention_id = m.id WHERE m.heard_at BETWEEN ? AND ?"
        beside = seconds(lambda: sum(1 for _ in bare.execute(rows, (since, until))))
    command = [Path(sys.executable).with_name("call-light"), "--data", folder, "report", "--week", "2026-W46"]
    whole = seconds(lambda: subprocess.run(command, check=True, capture_output=True))
    with Session(engine) as session:
        began = time.perf_counter()
        numbers = figures(session, config, span, NOW)
        counted = time.perf_counter()
        sections = report(numbers, config.report.sections)
        made = time.perf_counter()
        page = html(sections, numbers)
        ended = time.perf_counter()
    print(
        f"weekly report of {len(numbers.heard):,} mentions, {sum(len(w.heard) for w in numbers.weeks):,} in the weeks before"
    )
    print(
        f"  {ended - began:.2f} s: figures {counted - began:.2f}, sections {made - counted:.2f}, page {ended - made:.2f}"
    )
    print(f"  {whole:.2f} s for the whole command, with its start and its look at the config")
    print(
        f"  {(ended - began) / beside:.1f} times a bare query for the same rows ({beside:.2f} s); page {len(page) / 1024:,.0f} KB"
    )


def measure_search(engine: Engine, config: Config, folder: Path) -> None:
    """Each query several times."""
    taken: dict[str, list[float]] = {}
    with Session(engine) as session:
        for _ in range(10):
            for query, filters in QUERIES:
                name = f"{query} {' '.join(filters)}".strip()
                once = seconds(lambda q=query, f=filters: search(session, config, q, Filters(**f)))  # type: ignore[misc]
                taken.setdefault(name, []).append(once)
    with sqlite3.connect(folder / "call-light.db") as bare:
        like = "SELECT id FROM reading WHERE redacted_text LIKE '%parking%garage%' ORDER BY id DESC LIMIT 20000"
        beside = seconds(lambda: bare.execute(like).fetchall())
    every = sorted(once for times in taken.values() for once in times)
    p95 = every[int(0.95 * len(every))]
    print(
        f"search: median {statistics.median(every) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, slowest {every[-1] * 1000:.0f} ms"
    )
    print(f"  p95 is {p95 / beside:.3f} of a LIKE over the same texts ({beside:.2f} s)")
    for name, times in sorted(taken.items(), key=lambda one: -statistics.median(one[1])):
        print(f"  {statistics.median(times) * 1000:6.0f} ms  {name}")


def seconds(work: Callable[[], Any]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


# ---------------------------------------------------------------- the year


def make(engine: Engine, count: int) -> None:
    """Fill a database."""
    invented = random.Random(1)
    posts = [json.loads(line) for line in week.POSTS.read_text(encoding="utf-8").splitlines()]
    labels = [json.loads(line) for line in week.EXPECTED.read_text(encoding="utf-8").splitlines()]
    words = ["".join(invented.choices(SYLLABLES, k=invented.randint(2, 4))) for _ in range(WORDS)]
    weights = [1 / rank for rank in range(1, WORDS + 1)]
    more = invented.choices(words, weights, k=200_000)
    with Session(engine) as session:
        for start in range(0, count, AT_ONCE):
            tables: dict[Any, list[dict[str, Any]]] = {
                Mention: [],
                Reading: [],
                Case: [],
                Verdict: [],
                Delivery: [],
                DigestLine: [],
            }
            for id_ in range(start + 1, min(start + AT_ONCE, count) + 1):
                which = invented.randrange(len(posts))
                at = NOW - YEAR + id_ * YEAR / count
                begin = invented.randrange(len(more) - 20)
                text = f"{posts[which]['text']} {' '.join(more[begin : begin + 12])}"
                for table, row in _rows(id_, at, posts[which], labels[which], text):
                    tables[table].append(row)
            for table, rows in tables.items():
                if rows:
                    session.execute(insert(table), rows)
            session.commit()


def _rows(
    id_: int, at: datetime, post: dict[str, Any], label: dict[str, Any], text: str
) -> Iterator[tuple[Any, dict[str, Any]]]:
    yield Mention, {
        "id": id_, "collector": post["source"], "source": post["source"], "ref": f"r{id_}", "text": text, "written_at": at,
        "heard_at": at, "looked_at": at, "author": f"a{id_ % 90_000}", "thread": f"r{id_}", "url": f"https://x.example/{id_}",
    }  # fmt: skip
    yield Reading, {
        "id": id_, "mention_id": id_, "revision": 1, "pipeline_version": "1", "read_at": at, "mentions_us": ["us"],
        "departments": ["Emergency"] if id_ % 5 == 0 else [], "site": ("Harbor Campus", None)[id_ % 2], "voice": label["voice"],
        "kind": label["kind"], "categories": [{"id": name, "score": 0.9, "words": ["w"]} for name in label["categories"]],
        "stage": label["stage"], "mood": (-0.6, 0.0, 0.5)[id_ % 3], "urgency": label["urgency"], "signs": [], "staff": [],
        "reasons": ["a phrase of keywords.toml", "the encoder is sure"], "language": "en", "readable": True, "redacted_text": text,
    }  # fmt: skip
    outcome = "alert" if label["urgency"] in ("danger", "here_now", "serious", "routine") else "digest"
    is_new = outcome == "alert" and id_ % 3 == 0
    yield Verdict, {
        "id": id_, "reading_id": id_, "mention_id": id_, "outcome": outcome, "channel": "care", "reason": "rule 'a': b",
        "case_id": id_ if is_new else None, "decided_at": at,
    }  # fmt: skip
    if not is_new:
        return
    answered = at + timedelta(minutes=id_ % 90) if id_ % 10 else None
    yield Case, {
        "id": id_, "mention_id": id_, "source": post["source"], "thread": f"r{id_}", "channel": "care", "urgency": label["urgency"],
        "state": "closed" if answered else "open", "opened_at": at, "clock_from": at, "due_at": at + timedelta(minutes=30),
        "claimed_at": answered, "answered_at": answered, "closed_at": answered, "outcome": "fixed" if answered else None,
        "topics": None,
    }  # fmt: skip
    yield Delivery, {
        "id": id_, "key": f"k{id_}", "kind": "card", "about": f"case:{id_}", "case_id": id_, "channel": "care", "rank": 3,
        "state": "sent", "created_at": at, "sent_at": at, "next_try_at": at,
    }  # fmt: skip


if __name__ == "__main__":
    main()
