"""Which posts tell the same story in the same words: copies, cross-posts, a text passed on with a remark.

Texts are compared by their shingles, every three words that follow each other. Each first telling is stored with a
sketch, the smallest few of its shingles' numbers, so that its copies are found without looking at every text.
"""

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_WIDTH = 3  # words of a shingle
_SKETCH = 6  # numbers of a sketch
# Of the shorter text's shingles so many must be in the other one. Strangers who complain of the same thing in
# ordinary words must stay apart: each of them waits for an answer.
_BY_THE_SAME, _BY_OTHERS = 0.75, 0.9
_FEWEST_BY_OTHERS = 12  # shingles; shorter texts come about by chance
_FEWEST = 6
_LONGEST = 5_000  # characters that are compared
_CROWDED = 20  # first tellings with one number

_NOISE = re.compile(r"https?://\S+|(?<!\w)@[\w.@-]+|\bRT\b", re.IGNORECASE)
_WORD = re.compile(r"\w+(?:['’]\w+)?")


@dataclass(frozen=True)
class Telling:
    """A text as far as it is compared, and by whom: names of one person differ from place to place, so any may match."""

    key: int  # whatever the caller knows it by
    authors: frozenset[str]
    shingles: frozenset[int]
    words: int = field(compare=False)  # a number for all its words together

    @property
    def sketch(self) -> tuple[int, ...]:
        """The numbers by which it is found. A short text is found as a whole, and by its author alone."""
        if len(self.shingles) < _FEWEST:
            return tuple(_number(f"{author}\0{self.words}") for author in sorted(self.authors))
        return tuple(sorted(self.shingles)[:_SKETCH])


def telling(key: int, text: str, authors: Iterable[str | None]) -> Telling:
    """What is compared of a text."""
    words = [word.casefold() for word in _WORD.findall(_NOISE.sub(" ", text[:_LONGEST]))]
    shingles = frozenset(_number(" ".join(words[at : at + _WIDTH])) for at in range(len(words) - _WIDTH + 1))
    names = frozenset(name.casefold().removeprefix("@") for name in authors if name)
    return Telling(key, names, shingles, _number(" ".join(words)))


def same_story(one: Telling, other: Telling) -> bool:
    """Whether one is a copy of the other."""
    same_author = not one.authors.isdisjoint(other.authors)
    fewer = min(len(one.shingles), len(other.shingles))
    if fewer < _FEWEST:
        return same_author and one.words == other.words and bool(one.shingles)
    if not same_author and fewer < _FEWEST_BY_OTHERS:
        return False
    return len(one.shingles & other.shingles) >= fewer * (_BY_THE_SAME if same_author else _BY_OTHERS)


class Stories:
    """First tellings by their sketches."""

    def __init__(self, known: Iterable[Telling]) -> None:
        self._by_number: dict[int, list[Telling]] = {}
        for one in known:
            for number in one.sketch:
                self._by_number.setdefault(number, []).append(one)

    def first(self, new: Telling) -> Telling | None:
        """The first telling that `new` is a copy of."""
        near = {one.key: one for number in new.sketch for one in self._by_number.get(number, ())}
        return next((one for _, one in sorted(near.items()) if same_story(one, new)), None)

    def take(self, new: Telling) -> list[int]:
        """Make `new` a first telling; the numbers to find it by.

        Three words that dozens of stories share ("hours in the") find none of them, and would make each next one slower.
        """
        taken = [number for number in dict.fromkeys(new.sketch) if len(self._by_number.get(number, ())) < _CROWDED]
        for number in taken:
            self._by_number.setdefault(number, []).append(new)
        return taken


def numbers(tellings: Sequence[Telling]) -> list[int]:
    """Every number that a copy of one of these could be found by."""
    return sorted({number for one in tellings for number in one.sketch})


def _number(words: str) -> int:
    return zlib.crc32(words.encode(errors="replace"))
