"""Every phrase of keywords.toml by itself: where it stands, and which posts hold it. Quick: no model, nothing is judged."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from spacy.tokens import Doc, Span

from config.places import Path_
from config.schema import Hospital, Keywords
from nlp.components.keywords import sites_known
from nlp.components.language import language as in_language
from nlp.components.mentions import Mentions, names_of
from nlp.components.sentences import sentences
from nlp.phrase_language import parse
from nlp.phrases import Phrases, Sites
from nlp.tokenizer import blank, visible

FILE = "keywords.toml"
_THEIRS = "not us: "  # begins a label


class Entry(NamedTuple):
    """A phrase and its place."""

    path: Path_  # ("categories", "food", "phrases", 3)
    phrase: str
    label: str  # what it speaks for, as components/keywords.py says it: "category:food"

    @property
    def table(self) -> str:
        """As people write it: "categories.food"."""
        return ".".join(str(part) for part in self.path[:-2])


class Kept(NamedTuple):
    """A kept post, as far as phrases ask."""

    text: str  # redacted
    site: str | None = None
    language: str = "en"
    place: str | None = None  # in the hospital, as its author chose it


def entries(keywords: Keywords) -> list[Entry]:
    """Every phrase of keywords.toml, list after list."""
    tables = [
        *((("categories", name), f"category:{name}", one.phrases) for name, one in keywords.categories.items()),
        *((("urgency", level), f"urgency:{level}", one.phrases) for level, one in keywords.urgency),
        *((("voices", voice), f"voice:{voice}", one.phrases) for voice, one in keywords.voices),
        *((("signs", name), f"sign:{name}", one.phrases) for name, one in keywords.signs.items()),
        (("exclude",), "exclude", keywords.exclude.phrases),
    ]
    return [
        Entry((*path, "phrases", number), phrase, label)
        for path, label, phrases in tables
        for number, phrase in enumerate(phrases)
    ]


class Listed:
    """Finds each phrase under its own number."""

    def __init__(self, keywords: Keywords, hospital: Hospital) -> None:
        """Raises nlp.phrases.PhraseError; a configuration that was loaded has no phrase that does."""
        self.entries = entries(keywords)
        self.language = blank()
        self._mentions = Mentions(self.language, "mentions", **names_of(hospital))
        known = sites_known(hospital)
        self._sites = Sites(known["sites"], known["places"])
        phrases = [parse(one.phrase) for one in self.entries]
        self._asks_language = any(one.language for one in phrases)  # to tell it takes longer than all the rest
        numbered = {str(number): [one.phrase] for number, one in enumerate(self.entries)}
        self._phrases = Phrases(self.language, numbered, self._sites)

    def example(self, text: str) -> Doc:
        """A text about us as the reader has it when it looks for phrases."""
        doc = self.language.make_doc(visible(text))
        doc._.about_us = True
        self._mentions(doc)
        if self._asks_language:
            in_language(doc)
        sentences(doc)
        return doc

    def doc(self, post: Kept) -> Doc:
        """A post of which is known already where it was and in which language."""
        doc = self.language.make_doc(visible(post.text))
        doc._.site, doc._.language, doc._.place = post.site, post.language, post.place
        if not post.text.replace(" ", "").isalnum():  # letters alone are one sentence
            sentences(doc)
        return doc

    def __call__(self, doc: Doc) -> Iterator[tuple[int, Span]]:
        """The number in `entries` of each phrase that it holds, and the words."""
        for span in self._phrases(doc):
            yield int(span.label_), span

    def numbers(self, doc: Doc) -> set[int]:
        """The numbers alone."""
        return {number for number, _ in self(doc)}

    def counts(self, phrases: Mapping[int, str], docs: Iterable[Doc]) -> Counter[int]:
        """How many texts hold each of these few phrases, by the numbers that they have here."""
        found: Counter[int] = Counter()
        if phrases:
            few = Phrases(self.language, {str(number): [one] for number, one in phrases.items()}, self._sites)
            for doc in docs:
                found.update({int(span.label_) for span in few(doc)})
        return found


class Taken:
    """Finds the names of not_us by which a post that holds our name is none about us."""

    def __init__(self, hospital: Hospital) -> None:
        self._language = blank()
        theirs = {f"{_THEIRS}{name}": [name] for name in hospital.not_us}
        names = {**names_of(hospital)["names"], **theirs}
        self._mentions = Mentions(self._language, "mentions", names, not_us=[], departments={})

    def __call__(self, text: str) -> set[str]:
        """These names; none where one of ours stands beside them."""
        doc = self._mentions(self._language.make_doc(visible(text)))
        labels = {span.label_ for span in doc.spans["mentions"]}
        if all(label.startswith(_THEIRS) for label in labels):
            return {label.removeprefix(_THEIRS) for label in labels}
        return set()
