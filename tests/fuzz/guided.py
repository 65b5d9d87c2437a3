"""Fuzzing that looks for branches which no input has reached yet, by atheris (pip install atheris).

    python -m tests.fuzz.guided feed|config|export|phrase [options of libFuzzer, as -max_total_time=3600]

What was found stands as a row of a table with the tests of the file that was mended, as what hypothesis finds.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent.parent))
with atheris.instrument_imports(include=["config", "listener.feed", "listener.collectors", "nlp.phrase_language"]):
    from config.load import NAMES, ConfigError, load_files
    from listener.collect import settings_of_all
    from listener.collectors.file import Lines, read
    from listener.errors import NeedsPerson
    from listener.feed import parsed
    from nlp.phrase_language import PhraseError, parse

_CONFIG = Path(__file__).parent.parent.parent / "config"
_SHIPPED = {name: (_CONFIG / name).read_text(encoding="utf-8") for name in NAMES}
_COLLECTORS = settings_of_all()


def feed(data: bytes) -> None:
    """An answer of somebody's server. A process of its own reads it, so that an exception is a feed which is none."""
    charset, _, body = data.partition(b"\n")
    with suppress(Exception):
        parsed(body, charset.decode("latin-1"))


def config(data: bytes) -> None:
    """A file that an admin saves: taken, or every mistake has its place and its sentence."""
    name = NAMES[data[0] % len(NAMES)] if data else NAMES[0]
    try:
        load_files(_SHIPPED | {name: data[1:].decode("utf-8", "replace")}, (), _CONFIG, _COLLECTORS)
    except ConfigError as error:
        problems = error.problems
    else:
        return
    assert problems
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)


def export(data: bytes) -> None:
    """A file of another tool: what is right in it is taken, the rest is told."""
    name = ("posts.csv", "posts.jsonl")[data[0] % 2] if data else "posts.csv"
    with suppress(NeedsPerson):
        list(read(Lines(name, data[1:].decode("utf-8-sig", "replace")), ZoneInfo("America/Chicago")))


def phrase(data: bytes) -> None:
    """A line of keywords.toml."""
    with suppress(PhraseError):
        parse(data.decode("utf-8", "replace"))


TARGETS: dict[str, Callable[[bytes], None]] = {"feed": feed, "config": config, "export": export, "phrase": phrase}

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
