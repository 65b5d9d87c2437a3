"""The example sentences of keywords.toml, run as tests: what an admin meant, checked at every edit.

Only what decides is run: phrases, and whether they are meant. The model has no part in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from spacy.tokens import Span

from config.places import Path_
from config.schema import Config, Phrases
from nlp.components.acute import Acute
from nlp.components.assertion import MEANT, assertion
from nlp.components.keywords import spoken
from nlp.listed import FILE, Listed

_LABELS = {"categories": "category", "urgency": "urgency", "voices": "voice", "signs": "sign"}
_SERIOUS = "urgency:serious"


@dataclass(frozen=True)
class Failure:
    """An example that the phrases do not bear out."""

    path: Path_  # ("categories", "food", "match", 0)
    sentence: str
    words: tuple[str, ...]  # that were found

    @property
    def expected(self) -> bool:
        """Whether it should have been found."""
        return self.path[-2] == "match"

    @property
    def found(self) -> str:
        """For people."""
        if self.expected:
            return f"{self.sentence!r}, in which no phrase of this table is found"
        return f"{self.sentence!r}, in which {', '.join(map(repr, self.words))} is found"

    @property
    def allowed(self) -> str:
        """For people, too."""
        if self.expected:
            return "a sentence that its phrases find: add a phrase that does, or take the sentence out"
        return "a sentence that its phrases do not find: make the phrase narrower, or take the sentence out"

    def __str__(self) -> str:
        return f"{FILE}: {'.'.join(map(str, self.path[:-1]))}: found {self.found}; allowed: {self.allowed}"


def failures(config: Config, listed: Listed | None = None) -> Iterator[Failure]:
    """Every example sentence that fails."""
    found = _Found(config, listed or Listed(config.keywords, config.hospital))
    for path, table in _tables(config):
        label = f"{_LABELS[str(path[0])]}:{path[1]}"
        # A category without phrases lives from its examples alone: they find themselves.
        for key, sentences in (("match", table.match if table.phrases else ()), ("no_match", table.no_match)):
            for number, sentence in enumerate(sentences):
                words = found(sentence, label)
                if bool(words) != (key == "match"):
                    yield Failure((*path, key, number), sentence, words)


def _tables(config: Config) -> Iterator[tuple[Path_, Phrases]]:
    keywords = config.keywords
    yield from ((("categories", name), table) for name, table in keywords.categories.items())
    yield from ((("urgency", level), table) for level, table in keywords.urgency)
    yield from ((("voices", voice), table) for voice, table in keywords.voices)
    yield from ((("signs", name), table) for name, table in keywords.signs.items())


class _Found:
    """The words of a sentence that speak for a label."""

    def __init__(self, config: Config, listed: Listed) -> None:
        self._listed = listed
        self._labels = [
            {entry.label, _SERIOUS} if _is_grave(config, entry.label) else {entry.label} for entry in listed.entries
        ]
        self._acute = Acute(listed.language, "acute")

    def __call__(self, sentence: str, label: str) -> tuple[str, ...]:
        doc = self._listed.example(sentence)
        places = {(span.start, span.end) for number, span in self._listed(doc) if label in self._labels[number]}
        doc.spans["keywords"] = [Span(doc, start, end, label) for start, end in sorted(places)]
        doc = self._acute(doc)
        if label.startswith(MEANT):
            doc = assertion(doc)
        # What is meant as a figure of speech or an "if" does not count as found.
        spans = [span for span in spoken(doc, label) if span.label_ == label]
        return tuple(span.text for span in spans if span._.meant in ("now", "past"))


def _is_grave(config: Config, label: str) -> bool:
    kind, _, name = label.partition(":")
    return kind == "sign" and config.keywords.signs[name].serious
