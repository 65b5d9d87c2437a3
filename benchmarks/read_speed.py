"""How fast texts are read on one process, beside spaCy's bare tokenizer and, where installed, VADER and Presidio's patterns.

    python -m benchmarks.read_speed TWEETS.csv [--limit N] [--any-hospital] [--phrases N]

TWEETS.csv needs a column "text". --any-hospital reads every text as if it were about us: the careful pass on everything.
--phrases adds so many made-up phrases to keywords.toml.
"""

import argparse
import csv
import importlib
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import spacy

from config.load import load
from config.schema import Config
from listener.collect import settings_of_all
from nlp.pipeline import Reader, Text

_CONFIG = Path(__file__).parent.parent / "config"


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("tweets", type=Path)
    arguments.add_argument("--limit", type=int, default=None)
    arguments.add_argument("--any-hospital", action="store_true")
    arguments.add_argument("--phrases", type=int, default=0)
    given = arguments.parse_args()
    with given.tweets.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][: given.limit]

    tokenizer = spacy.blank("en").tokenizer
    bare = _rate(lambda: tokenizer.pipe(texts), len(texts))
    started = time.perf_counter()
    reader = Reader(_config(given.phrases))
    next(reader.read([Text("warm", about_us=True)]))
    print(f"{len(texts):,} texts, {len(reader.version)}-letter version {reader.version}")
    print(f"start                     {time.perf_counter() - started:9.2f} s")
    read = _rate(lambda: reader.read([Text(text, given.any_hospital) for text in texts]), len(texts))
    print(f"bare tokenizer            {bare:9,.0f} texts/s")
    name = "read, as if about us" if given.any_hospital else "read"
    print(f"{name:<25} {read:9,.0f} posts/s = {read / bare:.3f} of the bare tokenizer")
    alone = statistics.median(_seconds(lambda text=text: reader.read([Text(text, True)])) for text in texts[:200])
    print(f"one post alone            {alone * 1000:9.1f} ms")
    _others(texts, bare)
    print(f"peak memory               {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:9,.0f} MB")


def _config(phrases: int) -> Config:
    config = load(_CONFIG, settings_of_all())
    if phrases:
        food = config.keywords.categories["food"]
        more = tuple(f"word{n} and{n % 97} thing{n % 89}" for n in range(phrases))
        category = food.model_copy(update={"phrases": (*food.phrases, *more)})
        categories = {**config.keywords.categories, "food": category}
        config = config.model_copy(update={"keywords": config.keywords.model_copy(update={"categories": categories})})
    return config


def _others(texts: Sequence[str], bare: float) -> None:
    """What else is used for this, where it is installed."""
    some = texts[:5000]
    try:
        vader: Any = importlib.import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    except ImportError:
        print("VADER                     not installed (pip install vaderSentiment)")
    else:
        rate = _rate(lambda: map(vader.polarity_scores, some), len(some))
        print(f"VADER, mood only          {rate:9,.0f} texts/s = {rate / bare:.3f}")
    try:
        presidio: Any = importlib.import_module("presidio_analyzer")
    except ImportError:
        print("Presidio                  not installed (pip install presidio-analyzer)")
    else:
        rate = _rate(lambda: (_presidio(presidio, text) for text in some[:1000]), len(some[:1000]))
        print(f"Presidio's patterns       {rate:9,.0f} texts/s = {rate / bare:.3f}")


def _presidio(presidio: Any, text: str) -> list[Any]:
    found: list[Any] = []
    for name in ("PhoneRecognizer", "EmailRecognizer", "UsSsnRecognizer", "CreditCardRecognizer", "UrlRecognizer"):
        recognizer = _recognizers.setdefault(name, getattr(presidio.predefined_recognizers, name)())
        found += recognizer.analyze(text, recognizer.supported_entities, None)
    return found


_recognizers: dict[str, Any] = {}


def _rate(run: Callable[[], Iterable[Any]], count: int) -> float:
    return count / _seconds(run)


def _seconds(run: Callable[[], Iterable[Any]]) -> float:
    started = time.perf_counter()
    for _ in run():
        pass
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
