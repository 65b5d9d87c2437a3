"""The phrases of keywords.toml, compiled to spaCy's matchers. How they are written: nlp/phrase_language.py.

Plain phrases go to the PhraseMatcher, whose cost does not grow with their number; the others to the Matcher.
"""

import itertools
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from unicodedata import normalize

from spacy.attrs import IS_PUNCT, IS_SPACE, NORM, SENT_START
from spacy.language import Language
from spacy.matcher import Matcher, PhraseMatcher
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from nlp.phrase_language import (
    GAP,
    Name,
    Part,
    Phrase,
    PhraseError,
    Piece,
    Side,
    check,
    folded,
    parse,
    plain_forms,
    rarest_part,
)
from nlp.tokenizer import REMEMBERED, fold

__all__ = ["Name", "PhraseError", "Phrases", "Sites", "check"]

_INDEXED = 3  # first letters by which a word with any ending is looked up

Place = tuple[int, int]  # the first word, and the one after the last


@dataclass(frozen=True)
class Sites:
    """What tells the site of a post, for site: in a phrase."""

    names: Mapping[str, str] = field(default_factory=dict)  # folded spelling -> name of the site
    places: Mapping[str, str] = field(default_factory=dict)  # a place that an author can choose -> name of its site


class Phrases:
    """Labelled phrases that are found in a Doc."""

    def __init__(
        self,
        language: Language,
        phrases: Mapping[str, Iterable[str]],
        sites: Sites | None = None,
        *,
        narrowed: bool = True,
    ) -> None:
        """`phrases`: label -> phrases as written. Not `narrowed`: NOT, site: and lang: are left out of account, for texts
        of which no more is known than their words. Raises PhraseError."""
        self._written: list[tuple[int, int]] = []  # label and phrase, as hashes
        self._plain = PhraseMatcher(language.vocab, attr="NORM")
        self._numbers: dict[int, int] = {}  # what the PhraseMatcher calls a phrase -> its place in _written
        self._shaped: dict[int, _Shaped] = {}  # by the same place
        # The Matcher tries every pattern at every word, so each of its patterns is tried only on
        # posts that hold one of its words: by word, or by the first letters of one with any ending.
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._by_start: dict[str, list[int]] = defaultdict(list)
        self._known: dict[int, tuple[int, ...]] = {}  # hash of a word -> the patterns to try
        self._strings = language.vocab.strings
        for label, written in phrases.items():
            for phrase in written:
                parsed = parse(phrase) if narrowed else parse(phrase).words
                self._written.append((self._strings.add(str(label)), self._strings.add(str(phrase))))
                self._add(language, parsed, sites or Sites())

    def __call__(self, doc: Doc) -> list[Span]:
        """Every occurrence as a labelled span, in order; none reaches over the end of a sentence. `id_` of a span is the
        phrase that found it, as written; of several of one label the first."""
        found = [(start, end, self._numbers[key]) for key, start, end in self._plain(doc)]
        if candidates := self._candidates(doc):
            layout = _Layout(doc)
            found += [(start, end, number) for number in candidates for start, end in self._shaped[number](layout)]
        spans: dict[tuple[int, int, int], int] = {}
        for start, end, number in sorted(found):
            label, phrase = self._written[number]
            spans.setdefault((start, end, label), phrase)
        return [
            Span(doc, start, end, label=label, span_id=phrase) for (start, end, label), phrase in sorted(spans.items())
        ]

    def _add(self, language: Language, phrase: Phrase, sites: Sites) -> None:
        number = len(self._written) - 1
        forms = plain_forms(phrase.sides[0]) if len(phrase.sides) == 1 and not phrase.is_narrowed else None
        if forms is not None:
            self._numbers[self._strings.add(str(number))] = number
            self._plain.add(str(number), [language.make_doc(form) for form in sorted(forms)])
            return
        for sought in rarest_part(phrase):
            first, *more = (token.norm_ for token in language.make_doc(sought.text))
            if sought.any_ending and not more:
                self._by_start[first[:_INDEXED]].append(number)
            else:
                self._by_word[first].append(number)
        self._shaped[number] = _Shaped(language, phrase, sites)

    def _candidates(self, doc: Doc) -> set[int]:
        candidates: set[int] = set()
        if self._shaped:
            for norm in doc.to_array(NORM).tolist():
                numbers = self._known.get(norm)
                if numbers is None:
                    numbers = self._to_try(self._strings[norm])
                    if len(self._known) < REMEMBERED:
                        self._known[norm] = numbers
                if numbers:
                    candidates.update(numbers)
        return candidates

    def _to_try(self, norm: str) -> tuple[int, ...]:
        return (*self._by_word.get(norm, ()), *self._by_start.get(norm[:_INDEXED], ()))


class _Layout:
    """A Doc, and where its sentences and words are: `sentence[i]` the sentence of word i, `words[i]` and `signs[i]` how
    many words and punctuation marks stand before it."""

    def __init__(self, doc: Doc) -> None:
        self.doc = doc

    @cached_property
    def sentence(self) -> list[int]:
        return list(itertools.accumulate(start == 1 for start in self.doc.to_array(SENT_START).tolist()))

    @cached_property
    def signs(self) -> list[int]:
        return [0, *itertools.accumulate(self.doc.to_array(IS_PUNCT).tolist())]

    @cached_property
    def words(self) -> list[int]:
        rows = self.doc.to_array([IS_PUNCT, IS_SPACE]).tolist()
        return [0, *itertools.accumulate(not (punct or space) for punct, space in rows)]

    def is_whole(self, place: Place) -> bool:
        """Whether it is all in one sentence."""
        return place[1] - place[0] == 1 or self.sentence[place[0]] == self.sentence[place[1] - 1]


class _Shaped:
    """A phrase with more than plain words."""

    def __init__(self, language: Language, phrase: Phrase, sites: Sites) -> None:
        self._orders = _orders(language, phrase)
        self._without = [[_steps(language, side)] for side in phrase.without]
        self._language, self._places = phrase.language, sites.places
        self._site = None if phrase.site is None else sites.names.get(folded(phrase.site))
        if phrase.site is not None and self._site is None:
            raise PhraseError(f"site:{phrase.site}: no site of hospital.toml is called so")

    def __call__(self, layout: _Layout) -> list[Place]:
        """Each occurrence, the longest where they overlap."""
        if not self._fits(layout.doc):
            return []
        found = _places(layout, self._orders)
        if not found or any(_places(layout, side) for side in self._without):
            return []
        spans = filter_spans([Span(layout.doc, start, end) for start, end in found])
        return [(span.start, span.end) for span in spans]

    def _fits(self, doc: Doc) -> bool:
        if self._language is not None and doc._.language != self._language:
            return False
        return self._site is None or self._site in (doc._.site, self._places.get(doc._.place))


# ---------------------------------------------------------------- what is looked for, piece by piece

_Next = Literal["next"]
_Gap = Literal["..."]
_Joint = _Next | _Gap | int  # to the piece before: side by side, with a gap, or so many words in between at most


@dataclass(frozen=True)
class _Step:
    """Words that one matcher finds. Pieces are looked for by themselves, then joined: a pattern with optional words would
    try every way to skip them, and three gaps over one repeated word take minutes."""

    matcher: Matcher | PhraseMatcher
    joint: _Joint = "next"


def _orders(language: Language, phrase: Phrase) -> list[list[_Step]]:
    """The steps of a phrase in every order in which its sides can stand."""
    first, *others = (_steps(language, side) for side in phrase.sides)
    orders = [first]
    for steps, near in zip(others, phrase.within, strict=True):
        orders = [
            [*one, _Step(other[0].matcher, near), *other[1:]]
            for order in orders
            for one, other in ((order, steps), (steps, order))
        ]
    return orders


def _steps(language: Language, side: Side) -> list[_Step]:
    forms = plain_forms(side)
    if forms is not None:
        plain = PhraseMatcher(language.vocab, attr="NORM")
        plain.add("", [language.make_doc(form) for form in sorted(forms)])
        return [_Step(plain)]
    steps = []
    for number, piece in enumerate(side):
        for place, patterns in enumerate(_shapes(language, piece)):
            matcher = Matcher(language.vocab)
            matcher.add("", patterns)
            steps.append(_Step(matcher, "..." if number and not place else "next"))
    return steps


def _shapes(language: Language, piece: Piece) -> Iterator[list[list[dict[str, Any]]]]:
    """The Matcher's patterns for words in a row, cut where two of them have several shapes: together they would have as
    many patterns as the product of both."""
    patterns: list[list[dict[str, Any]]] = [[]]
    for part in piece:
        ways = _ways(language, part)
        if len(ways) > 1 and len(patterns) > 1:
            yield patterns
            patterns = [[]]
        patterns = [before + way for before in patterns for way in ways]
    yield patterns


def _ways(language: Language, part: Part) -> list[list[dict[str, Any]]]:
    """The ways to write one word: one pattern for all that are one token, one for each that the tokenizer cuts."""
    single: list[str] = []
    exact: list[str] = []
    endings: list[str] = []
    cut: list[list[dict[str, Any]]] = []
    for word in part:
        for text in word.written:
            tokens = list(language.make_doc(text))
            if word.kind == "exact":
                shape: list[dict[str, Any]] = [{"ORTH": {"IN": _typed(token.text)}} for token in tokens]
                exact += _typed(text) if len(shape) == 1 else []
            else:
                shape = [{"NORM": token.norm_} for token in tokens]
                if word.kind == "start":
                    shape[-1] = {"NORM": {"REGEX": f"^{re.escape(tokens[-1].norm_)}"}}
                    endings += [re.escape(fold(text))] if len(shape) == 1 else []
                elif len(shape) == 1:
                    single.append(tokens[0].norm_)
            cut += [shape] if len(shape) > 1 else []
    ways = cut
    if endings:
        stems, whole = "|".join(endings), "".join("|" + re.escape(norm) for norm in single)
        ways.append([{"NORM": {"REGEX": f"^(?:(?:{stems}).*{whole})$"}}])
    elif single:
        ways.append([{"NORM": {"IN": single}}])
    return [*ways, [{"ORTH": {"IN": exact}}]] if exact else ways


def _typed(text: str) -> list[str]:
    """A word exactly as it may come from a phone: with either apostrophe, accents in one sign with their letter or two."""
    shapes = (re.sub("['’]", apostrophe, text) for apostrophe in "'’")
    return sorted({normalize(form, shape) for shape in shapes for form in ("NFC", "NFD")})


# ---------------------------------------------------------------- joining


def _places(layout: _Layout, orders: Sequence[Sequence[_Step]]) -> set[Place]:
    """Where a phrase stands: from each word on which it can begin the longest, inside one sentence."""
    known: dict[int, list[Place]] = {}
    found: set[Place] = set()
    for steps in orders:
        rows = []
        for step in steps:
            if (row := known.get(id(step.matcher))) is None:
                places = {(start, end) for _, start, end in step.matcher(layout.doc)}
                row = known[id(step.matcher)] = sorted(place for place in places if layout.is_whole(place))
            if not row:
                break
            rows.append(row)
        else:
            ends = {place: place[1] for place in rows[-1]}
            for step, row in zip(reversed(steps[1:]), reversed(rows[:-1]), strict=True):
                ends = _joined(layout, row, step.joint, ends)
            found |= {(start, end) for (start, _), end in ends.items()}
    return found


def _joined(layout: _Layout, before: list[Place], joint: _Joint, after: dict[Place, int]) -> dict[Place, int]:
    """Each place that one of `after` follows as the joint says, with the farthest end that is reached from there.
    `after` is in order, and says how far each of its places reaches."""
    places = list(after)
    starts = [start for start, _ in places]
    words = [layout.words[start] for start in starts] if isinstance(joint, int) else []
    joined = {}
    for place in before:
        end = place[1]
        low, high = bisect_left(starts, end), bisect_right(starts, end + (GAP if joint == "..." else 0))
        if isinstance(joint, int):
            high = bisect_right(words, layout.words[end] + joint)
        ends = [
            after[other]
            for other in places[low:high]
            if layout.sentence[other[0]] == layout.sentence[end - 1]
            and (joint != "..." or layout.signs[other[0]] == layout.signs[end])
        ]
        if ends:
            joined[place] = max(ends)
    return joined
