"""Texts that hold a phrase, made of its own words: said in as few ways as tell all that it finds. Pure."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from nlp.phrase_language import GAP, Part, Phrase, Side

MOST = 300  # ways; a phrase with more is said in no more
_ANY = "xq"  # an ending, and a word, that nobody writes


@dataclass(frozen=True)
class Sayings:
    """Texts with the words of a phrase, the plainest first; what NOT, site: and lang: ask is not in them."""

    texts: tuple[str, ...]
    is_all: bool  # what else finds each of these texts finds every post that the phrase finds


def sayings(phrase: Phrase) -> Sayings:
    """How a phrase is said."""
    texts = tuple(itertools.islice(_said(phrase), MOST + 1))
    return Sayings(texts[:MOST], len(texts) <= MOST)


def _said(phrase: Phrase) -> Iterator[str]:
    for sides in itertools.product(*map(list, map(_ways, phrase.sides))):
        chains = [sides[0]]
        for side, within in zip(sides[1:], phrase.within, strict=True):
            chains = [
                _between(one, other, gap)
                for chain in chains
                for one, other in ((chain, side), (side, chain))
                for gap in (0, within)
            ]
        yield from chains


def _ways(side: Side) -> Iterator[str]:
    pieces = [itertools.product(*map(_words, piece)) for piece in side]
    for chosen in itertools.product(*pieces):
        first, *others = (" ".join(words) for words in chosen)
        for gaps in itertools.product((0, GAP), repeat=len(others)):
            said = first
            for other, gap in zip(others, gaps, strict=True):
                said = _between(said, other, gap)
            yield said


def _words(part: Part) -> list[str]:
    return [
        said
        for word in part
        for text in word.written
        for said in ((text, text + _ANY) if word.kind == "start" else (text,))
    ]


def _between(one: str, other: str, gap: int) -> str:
    return " ".join([one, *[_ANY] * gap, other])
