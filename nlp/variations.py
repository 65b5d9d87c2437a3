"""The same labelled post told in other ways, so that the encoder learns what matters and not who was named beside it.

Other names and numbers stand in place of the marked ones, a post begins in the middle of another, capitals and letters go
astray as they do on a phone.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from nlp.components.sentences import sentence_starts
from nlp.corpora import Example
from nlp.heads import HEADS
from nlp.labelled import Mark

_LONGEST = 700  # characters of two posts in one
_DIGITS = frozenset(["phone", "number", "room", "address"])  # kinds whose meaning does not depend on their digits


class Variations:
    """Tells labelled posts in other ways."""

    def __init__(self, examples: Sequence[Example], seed: int) -> None:
        """`examples`: those to vary; their names and texts are what others get."""
        self._shuffle = random.Random(seed)
        self._names = sorted(
            {_marked(example, mark) for example in examples for mark in example.marks if mark.kind == "name"}
        )
        self._patients = [
            example
            for example in examples
            if example.answers.get("voice", {}).get("patient") and len(example.text) < _LONGEST
        ]

    def __call__(self, examples: Sequence[Example]) -> Iterator[Example]:
        """Each example once, told in another way."""
        for example in examples:
            varied = self._renamed(example)
            chance = self._shuffle.random()
            if chance < 0.3 and example.answers.get("voice", {}).get("patient"):
                varied = self._joined(varied)
            elif chance < 0.4:
                varied = replace(varied, text=_small(varied.text))
            elif chance < 0.5:
                varied = self._mistyped(varied)
            yield varied

    def _renamed(self, example: Example) -> Example:
        """With other names and digits where marks stand."""
        text, marks, end = "", [], 0
        for mark in sorted(example.marks, key=lambda mark: mark.start):
            words = _marked(example, mark)
            if mark.kind == "name" and self._names:
                other = self._shuffle.choice(self._names)
                words = (
                    other.lower() if words.islower() else other.upper() if words.isupper() and len(words) > 3 else other
                )
            elif mark.kind in _DIGITS:
                words = "".join(self._shuffle.choice("0123456789") if sign.isdigit() else sign for sign in words)
            text += example.text[end : mark.start]
            marks.append(Mark(len(text), len(text) + len(words), mark.kind))
            text, end = text + words, mark.end
        return replace(example, text=text + example.text[end:], marks=tuple(marks))

    def _joined(self, example: Example) -> Example:
        """With another post before, after or within it."""
        other = self._shuffle.choice(self._patients)
        if len(example.text) + len(other.text) > _LONGEST:
            return example
        outer, inner = self._shuffle.sample([example, self._renamed(other)], 2)
        [starts] = sentence_starts([outer.text])
        return join(outer, inner, self._shuffle.choice([0, *starts[1:], len(outer.text)]))

    def _mistyped(self, example: Example) -> Example:
        """With two letters of a word exchanged, here and there; never in a mark."""
        letters = list(example.text)
        for _ in range(1 + len(letters) // 80):
            place = self._shuffle.randrange(len(letters))
            near = letters[place : place + 2]
            marked = any(mark.start - 1 <= place + 1 and place <= mark.end for mark in example.marks)
            if len(near) == 2 and all(sign.isalpha() and sign.isascii() for sign in near) and not marked:
                letters[place : place + 2] = near[::-1]
        return replace(example, text="".join(letters))


def join(outer: Example, inner: Example, place: int) -> Example:
    """One post in another, at a character: it says what either says. What is not known of both is not known."""
    before, after = outer.text[:place].rstrip(), outer.text[place:].lstrip()
    lead = f"{before}{_stop(before)} " if before else ""
    text = lead + inner.text
    text = f"{text}{_stop(text)} {after}" if after else text
    further = len(text) - len(outer.text)
    marks = [
        *(mark for mark in outer.marks if mark.end <= len(before)),
        *(_moved(mark, len(lead)) for mark in inner.marks),
        *(_moved(mark, further) for mark in outer.marks if mark.start >= place),
    ]
    return Example(text, _both(outer, inner), tuple(marks), outer.marked & inner.marked, outer.weight)


def _stop(text: str) -> str:
    """Ends a sentence that has no end."""
    return "." if text[-1].isalnum() else ""


def _moved(mark: Mark, by: int) -> Mark:
    return Mark(mark.start + by, mark.end + by, mark.kind)


def _both(outer: Example, inner: Example) -> dict[str, Mapping[str, bool]]:
    answers: dict[str, Mapping[str, bool]] = {}
    for head in HEADS:
        ones, others = outer.answers.get(head.name, {}), inner.answers.get(head.name, {})
        if head.how == "any":
            # So in one is so in both; not so must be known of each.
            so = {label for label in head.labels if ones.get(label) or others.get(label)}
            known = so | (ones.keys() & others.keys())
            answers[head.name] = {label: label in so for label in head.labels if label in known}
        elif ones == others:
            answers[head.name] = ones
    return answers


def _marked(example: Example, mark: Mark) -> str:
    return example.text[mark.start : mark.end]


def _small(text: str) -> str:
    """Without capitals, unless that moves the marks."""
    small = text.lower()
    return small if len(small) == len(text) else text
