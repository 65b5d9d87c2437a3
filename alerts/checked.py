"""What is found in config files that can be used: examples that fail, and what is odd, each at its line. Pure.

What cannot be used at all is found where the files are loaded (config/load.py).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from config.load import Problem, problem_at
from config.schema import Config
from nlp.examples import failures
from nlp.listed import FILE, Kept, Listed
from nlp.vet import Kind, oddities

_WITH_NUMBERS = ("broad", "owners", "excluded", "capitals")  # of the others they tell nothing
_GROUPED: dict[Kind, str] = {
    "twice": "phrases stand in this list twice, which changes nothing",
    "covered": "phrases find nothing that a wider phrase of this list does not find",
    "excluded": "phrases are found only in posts that [exclude] leaves out or [voices] takes for adverts or news",
    "owners": "phrases stand in a category of another owner too",
}
_SHOWN = 3  # phrases of a group


@dataclass(frozen=True)
class Warned:
    """Something odd, and where it stands. It keeps nobody from using the files."""

    file: str
    line: int
    column: int
    key: str
    kind: Kind
    says: str
    posts: int | None = None  # newest kept posts about us that hold the phrase
    of: int | None = None
    is_small: bool = False  # shown only to who asks for everything
    phrase: str = ""

    def __str__(self) -> str:
        sentence = f"{self.file}:{self.line}:{self.column}: {self.key}: {self.says}"
        if self.posts is None or self.kind not in _WITH_NUMBERS:
            return sentence
        return f"{sentence} (in {self.posts:,} of the {self.of:,} newest posts about us)"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {name: value for name, value in asdict(self).items() if name not in ("is_small", "phrase")}


@dataclass(frozen=True)
class Checked:
    """Everything that was found."""

    problems: list[Problem]
    warnings: list[Warned]
    phrases: int


def checked(config: Config, texts: Mapping[str, str], folder: Path, kept: Sequence[Kept]) -> Checked:
    """Of files that could be loaded as `config`: their texts by name. `kept`: the newest posts about us."""
    listed = Listed(config.keywords, config.hospital)
    warnings = []
    for one in oddities(config, listed, kept):
        at = problem_at(folder / one.file, texts[one.file], one.path, "", "")
        place = (at.file, at.line, at.column, at.key)
        warnings.append(Warned(*place, one.kind, one.says, one.posts, one.of, one.is_small, one.phrase))
    warnings.sort(key=lambda one: (one.file, one.line, one.column))
    return Checked(failing(config, texts, folder, listed), warnings, len(listed.entries))


def failing(config: Config, texts: Mapping[str, str], folder: Path, listed: Listed | None = None) -> list[Problem]:
    """The examples that fail, in the order of the file."""
    saved = texts[FILE]
    found = [problem_at(folder / FILE, saved, one.path, one.found, one.allowed) for one in failures(config, listed)]
    return sorted(found, key=lambda one: (one.line, one.column))


def grouped(warnings: Sequence[Warned]) -> Iterator[str]:
    """Warnings as lines, those of one kind that are many in one list as one line, at the first of them."""
    lists: defaultdict[tuple[Kind, str], list[Warned]] = defaultdict(list)
    for one in warnings:
        lists[one.kind, one.key.partition("[")[0]].append(one)
    for one in warnings:
        together = lists[one.kind, one.key.partition("[")[0]]
        if one.kind not in _GROUPED or len(together) == 1:
            yield str(one)
        elif one is together[0]:
            yield _as_one(together)


def _as_one(together: Sequence[Warned]) -> str:
    first = together[0]
    table = first.key.partition("[")[0].removesuffix(".phrases")
    words = ", ".join(f"{one.phrase!r} in line {one.line}" for one in together[:_SHOWN])
    more = ", …" if len(together) > _SHOWN else ""
    place = f"{first.file}:{first.line}:{first.column}: {table}"
    return f"{place}: {len(together)} {_GROUPED[first.kind]} ({words}{more}); --all shows each"
