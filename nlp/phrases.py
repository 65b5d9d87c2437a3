"""The phrase language of keywords.toml, compiled to spaCy's matchers.

    waiting room      these words in this order       mom|dad      either
    wait*             any ending                      a ... b      up to five other words in between
Plain phrases go to the PhraseMatcher, whose cost does not grow with their number; the others to the Matcher.
"""

import itertools
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from spacy.attrs import NORM
from spacy.language import Language
from spacy.matcher import Matcher, PhraseMatcher
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from nlp.tokenizer import fold

_GAP = 5  # words that "..." stands for at most
_START = 3  # letters that a word before "*" has at least
# Nobody writes these to a patient, and such a pattern can take for ever on a text made for it.
_REGEX = re.compile(r"[\\\[\](){}^]|\.\*|\.\+|\w[+]\w*[$*+]|\$$")
_PLAIN_FORMS = 256  # a phrase of alternatives with more forms than this is left to the Matcher


class PhraseError(ValueError):
    """A phrase that cannot be read; the message says why."""


class Phrases:
    """Labelled phrases that are found in a Doc."""

    def __init__(self, language: Language, phrases: dict[str, Iterable[str]]) -> None:
        """`phrases`: label -> phrases as written. Raises PhraseError."""
        self._plain = PhraseMatcher(language.vocab, attr="NORM")
        self._shaped: list[_Shaped] = []
        # The Matcher tries every pattern at every word, so each of its patterns is tried only on
        # posts that hold one of its words: by word, or by the first letters of one with any ending.
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._by_start: dict[str, list[int]] = defaultdict(list)
        self._known: dict[int, tuple[int, ...]] = {}  # hash of a word -> the patterns to try
        self._strings = language.vocab.strings
        for label, written in phrases.items():
            plain: set[str] = set()
            for phrase in written:
                forms = _plain_forms(phrase)
                if forms is None:
                    self._add_shaped(language, label, phrase)
                else:
                    plain.update(forms)
            if plain:
                self._plain.add(label, [language.make_doc(form) for form in sorted(plain)])

    def __call__(self, doc: Doc) -> list[Span]:
        """Every occurrence as a labelled span, in order; none reaches over the end of a sentence."""
        found = {(start, end, label) for label, start, end in self._plain(doc)}
        for number in self._candidates(doc):
            found.update(self._shaped[number](doc))
        return [Span(doc, start, end, label=label) for start, end, label in sorted(found)]

    def _add_shaped(self, language: Language, label: str, phrase: str) -> None:
        for word in rarest_part(phrase):
            norm = next(iter(language.make_doc(word.rstrip("*")))).norm_
            if word.endswith("*"):
                self._by_start[norm[:_START]].append(len(self._shaped))
            else:
                self._by_word[norm].append(len(self._shaped))
        self._shaped.append(_Shaped(language, label, phrase))

    def _candidates(self, doc: Doc) -> set[int]:
        candidates: set[int] = set()
        if self._shaped:
            for norm in doc.to_array(NORM).tolist():
                numbers = self._known.get(norm)
                if numbers is None:
                    numbers = self._known[norm] = self._numbers(self._strings[norm])
                if numbers:
                    candidates.update(numbers)
        return candidates

    def _numbers(self, norm: str) -> tuple[int, ...]:
        return (*self._by_word.get(norm, ()), *self._by_start.get(norm[:_START], ()))


class _Shaped:
    """A phrase with any endings or gaps. What stands between two gaps is looked for by itself, then joined: a pattern with
    optional words would try every way to skip them, and three gaps over one repeated word take minutes."""

    def __init__(self, language: Language, label: str, phrase: str) -> None:
        self._label = language.vocab.strings.add(label)
        self._pieces: list[Matcher] = []
        for piece in " ".join(phrase.split()).split(" ... "):
            matcher = Matcher(language.vocab)
            matcher.add(label, _shapes(language, piece))
            self._pieces.append(matcher)

    def __call__(self, doc: Doc) -> Iterator[tuple[int, int, int]]:
        """Start, end and label of each occurrence, the longest where they overlap."""
        chains = self._places(doc, self._pieces[0])
        for piece in self._pieces[1:]:
            chains = _joined(doc, chains, self._places(doc, piece)) if chains else []
        spans = (Span(doc, start, end) for start, end in chains)
        for span in filter_spans([span for span in spans if not any(token.is_sent_start for token in span[1:])]):
            yield span.start, span.end, self._label

    @staticmethod
    def _places(doc: Doc, piece: Matcher) -> list[tuple[int, int]]:
        return sorted({(start, end) for _, start, end in piece(doc)})


def _joined(doc: Doc, before: list[tuple[int, int]], after: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Each place with the farthest one that follows it over a gap without punctuation."""
    starts = [start for start, _ in after]
    joined = []
    for first, end in before:
        near = after[bisect_left(starts, end) : bisect_right(starts, end + _GAP)]
        ends = [stop for start, stop in near if not any(token.is_punct for token in doc[end:start])]
        if ends:
            joined.append((first, max(ends)))
    return joined


def check(phrase: str) -> None:
    """Raises PhraseError for a phrase that cannot be read or would match everything."""
    if _REGEX.search(phrase):
        raise PhraseError(
            f"{phrase!r} looks like a regular expression; phrases know only these signs: a|b, any ending*, and ... for up to"
            " five words"
        )
    _parts(phrase)


def _parts(phrase: str) -> list[list[str]]:
    """A phrase as a list of words, each a list of alternatives; "..." is ["..."]."""
    parts = [part.split("|") for part in phrase.split()]
    flat = [word for part in parts for word in part]
    if not flat or any(not word for word in flat):
        raise PhraseError("an empty word: write a|b without spaces, and something on both sides")
    if (
        parts[0] == ["..."]
        or parts[-1] == ["..."]
        or [["..."], ["..."]] in (parts[i : i + 2] for i in range(len(parts)))
    ):
        raise PhraseError('"..." stands between two words')
    for word in flat:
        if "*" in word.rstrip("*") or word.count("*") > 1:
            raise PhraseError(f'{word!r}: "*" stands once, at the end of a word')
        if word.endswith("*") and len(word) < 4:
            raise PhraseError(f'{word!r} would match too much: at least three letters before "*"')
    return parts


def rarest_part(phrase: str) -> list[str]:
    """The ways to write the part of a phrase that the fewest posts hold, as far as the length of its words tells."""
    return max((part for part in _parts(phrase) if part != ["..."]), key=lambda part: min(len(word) for word in part))


def _plain_forms(phrase: str) -> set[str] | None:
    """Every plain way to say the phrase, hyphens too; None when it needs the Matcher."""
    parts = _parts(phrase)
    if any(word == "..." or word.endswith("*") for part in parts for word in part):
        return None
    forms = {" ".join(words) for words in itertools.islice(itertools.product(*parts), _PLAIN_FORMS + 1)}
    if len(forms) > _PLAIN_FORMS:
        return None
    hyphened = {form.replace(" ", "-") for form in forms if form.count(" ") in (1, 2)}
    return forms | hyphened


def _shapes(language: Language, phrase: str) -> list[list[dict[str, Any]]]:
    """The Matcher's patterns for a phrase without gaps."""
    parts = [_word(language, part) for part in _parts(phrase)]
    return [list(itertools.chain.from_iterable(shape)) for shape in itertools.product(*parts)]


def _word(language: Language, alternatives: list[str]) -> list[list[dict[str, Any]]]:
    """The ways to write one word: one pattern for all that are one token, one for each that the tokenizer cuts."""
    endings = [fold(word[:-1]) for word in alternatives if word.endswith("*")]
    cut = [[token.norm_ for token in language.make_doc(word)] for word in alternatives if not word.endswith("*")]
    single = [norms[0] for norms in cut if len(norms) == 1]
    ways: list[list[dict[str, Any]]] = [[{"NORM": norm} for norm in norms] for norms in cut if len(norms) > 1]
    if endings:
        stems, whole = "|".join(map(re.escape, endings)), "".join("|" + re.escape(norm) for norm in single)
        ways.append([{"NORM": {"REGEX": f"^(?:(?:{stems}).*{whole})$"}}])
    elif single:
        ways.append([{"NORM": {"IN": single}}])
    return ways
