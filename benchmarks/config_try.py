"""How long it takes to see what a change of the files would do: 100,000 kept mentions under other files.

    .venv/bin/python -m benchmarks.config_try [--mentions 100000] [--data DIR] [--all]

The posts are the bundled week over and over, each with invented words behind it, read once by the program's own reader. With
--all also a change that touches every post: the model switched off.
"""

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert
from sqlmodel import Session, func, select

from alerts.rehearse import rehearse
from config.load import load
from config.schema import Config
from listener import week
from listener.collect import settings_of_all
from listener.database import open_database, reading
from listener.mention import Mention
from nlp.pipeline import Reader, Text
from nlp.reading import Reading, ReadWith

NOW = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)
MONTH = timedelta(days=30)
AT_ONCE = 5_000
ABOUT_US = 4  # one of so many posts is one of the week; a search brings the others, which say nothing of us


def main() -> None:
    """Make the database unless it is there, then replay it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mentions", type=int, default=100_000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--all", action="store_true")
    given = parser.parse_args()
    config = load(Path("config"), settings_of_all())
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(given.data or Path(folder))
        with Session(engine) as session:
            is_made = session.exec(select(func.count()).select_from(Mention)).one() > 0
        if not is_made:
            make(engine, config, given.mentions)
        for name, after in changes(config, given.all):
            measure(engine, config, after, name)
    _print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def changes(config: Config, every: bool) -> Iterator[tuple[str, Config]]:
    """What an admin may change, and what it is called."""
    digital = config.keywords.categories["digital"].phrases
    yield "a phrase, 'valet'", with_phrases(config, (*digital, "valet"))
    yield "a phrase that many posts hold, 'nurse'", with_phrases(config, (*digital, "nurse"))
    yield (
        "a rule of care.toml",
        config.model_copy(update={"care": config.care.model_copy(update={"rules": config.care.rules[1:]})}),
    )
    if every:
        alone = config.keywords.reader.model_copy(update={"model": False})
        yield (
            "the model off",
            config.model_copy(update={"keywords": config.keywords.model_copy(update={"reader": alone})}),
        )


def with_phrases(config: Config, phrases: tuple[str, ...]) -> Config:
    """The configuration with other phrases for what is digital."""
    digital = config.keywords.categories["digital"].model_copy(update={"phrases": phrases})
    categories = {**config.keywords.categories, "digital": digital}
    return config.model_copy(update={"keywords": config.keywords.model_copy(update={"categories": categories})})


def measure(engine: Engine, before: Config, after: Config, name: str) -> None:
    """One change."""
    begin = time.perf_counter()
    with reading(engine) as session:
        found = rehearse(session, before, after, NOW - MONTH, NOW, lambda done, of: None)
    took = time.perf_counter() - begin
    _print(
        f"{name}: {took:.1f} s for {found.posts:,} posts, {found.read_again:,} read again; "
        f"{len(found.added):,} cards added, {len(found.dropped):,} dropped, {len(found.moved):,} moved"
    )


# ---------------------------------------------------------------- the month


def make(engine: Engine, config: Config, count: int) -> None:
    """Fill a database: posts with their readings, as the reader reads one of each."""
    reader, invented = Reader(config), random.Random(1)
    lines = [json.loads(line) for line in week.POSTS.read_text(encoding="utf-8").splitlines()]
    texts = [line["text"] for line in lines]
    said = list(reader.read([Text(text) for text in texts]))
    noise = ["".join(invented.choices("bcdfglmnprst", k=3)) + invented.choice("aeiou") for _ in range(2_000)]
    blank = next(reader.read([Text("nothing of ours")]))
    by = {"pipeline_version": reader.version, "revision": 1, "read_at": NOW}
    with Session(engine) as session:
        session.add(ReadWith(pipeline_version=reader.version, since=NOW - MONTH, lines=[list(o) for o in reader.lines]))
        for start in range(0, count, AT_ONCE):
            mentions, readings = [], []
            for id_ in range(start + 1, min(start + AT_ONCE, count) + 1):
                which = invented.randrange(len(texts)) if id_ % ABOUT_US == 0 else None
                words = " ".join(invented.choices(noise, k=25))
                text = words if which is None else f"{texts[which]} {' '.join(words.split()[:5])}"
                at = NOW - MONTH + id_ * MONTH / (count + 1)
                mentions.append(_mention(id_, at, text))
                fields = blank if which is None else said[which]
                readings.append({**fields, **by, "id": id_, "mention_id": id_, "redacted_text": text})
            session.execute(insert(Mention), mentions)
            session.execute(insert(Reading), readings)
            session.commit()


def _mention(id_: int, at: datetime, text: str) -> dict[str, Any]:
    return {
        "id": id_, "collector": "x", "source": "x", "ref": f"r{id_}", "text": text, "written_at": at, "heard_at": at,
        "looked_at": at, "author": f"a{id_ % 9_000}", "thread": f"r{id_ - (id_ % 10 == 0)}", "url": None,
    }  # fmt: skip


def _print(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
