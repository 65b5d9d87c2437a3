"""Posts per second through keep + read + decide on one process, beside spaCy's bare tokenizer on the same texts.

    python -m benchmarks.flow TWEETS.csv [--limit N]

TWEETS.csv needs a column "text". The database is a new SQLite file in a temporary folder.
"""

import argparse
import csv
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import spacy
from sqlmodel import Session

from alerts.decide import decide
from config.load import load
from listener.collect import settings_of_all
from listener.database import open_database
from listener.keep import keep
from listener.post import Page, Post
from nlp.pipeline import Reader
from nlp.read import read

_PAGE = 500
_CONFIG = Path(__file__).parent.parent / "config"


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("tweets", type=Path)
    arguments.add_argument("--limit", type=int, default=None)
    given = arguments.parse_args()
    with given.tweets.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][: given.limit]
    bare = _bare_tokenizer(texts)
    stages = _stages(texts)
    flow = len(texts) / sum(stages.values())
    print(f"{len(texts):,} texts")
    print(f"bare tokenizer        {bare:10,.0f} texts/s")
    for name, seconds in stages.items():
        print(f"{name:<21} {len(texts) / seconds:10,.0f} posts/s")
    print(f"keep + read + decide  {flow:10,.0f} posts/s = {flow / bare:.3f} of the bare tokenizer")
    print(f"peak memory           {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:10,.0f} MB")


def _bare_tokenizer(texts: Sequence[str]) -> float:
    tokenizer = spacy.blank("en").tokenizer
    started = time.perf_counter()
    for _ in tokenizer.pipe(texts):
        pass
    return len(texts) / (time.perf_counter() - started)


def _stages(texts: Sequence[str]) -> dict[str, float]:
    config = load(_CONFIG, settings_of_all())
    reader = Reader(config)
    now = datetime.now(UTC)
    seconds = {"keep": 0.0, "read": 0.0, "decide": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(Path(folder))
        for page in _pages(texts, now):
            for name in seconds:
                started = time.perf_counter()
                with Session(engine) as session:
                    if name == "keep":
                        keep(session, "benchmark", page, config.hospital, now)
                    elif name == "read":
                        read(session, reader, now)
                    else:
                        decide(session, config, now)
                seconds[name] += time.perf_counter() - started
        engine.dispose()
    return seconds


def _pages(texts: Sequence[str], now: datetime) -> Iterator[Page]:
    for start in range(0, len(texts), _PAGE):
        posts = tuple(
            Post(
                source="x",
                ref=str(number),
                text=text,
                written_at=now - timedelta(seconds=len(texts) - number),
                author=f"u{number}",
            )
            for number, text in enumerate(texts[start : start + _PAGE], start)
        )
        yield Page(posts, {"newest": start})


if __name__ == "__main__":
    main()
