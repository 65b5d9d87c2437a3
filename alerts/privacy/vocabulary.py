"""What the privacy check knows of each language: the files *.toml, read once."""

import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from alerts.privacy.phrasebook import Phrasebook
from alerts.privacy.words import EMAIL, HANDLE, NUMBER, PHONE, Word, words

_LANGUAGES = ("en", "es")
# Classes of words that are looked for in every disguise; every word of HEALTH is a detail of somebody's health.
_DECISIVE = ("your", "event", "events", "relative", "staff", "staffs", "identifier", "person")
HEALTH = ("body", "condition", "medicine", "procedure")
_SHORT = 5
_SPELLED = (
    "zero, one una uno, two dos, three tres, four cuatro, five cinco, six seis, seven siete, eight ocho, nine nueve, ten diez, "
    "eleven once, twelve doce"
)
_DIGITS = {word: str(number) for number, same in enumerate(_SPELLED.split(", ")) for word in same.split()}
_ENDINGS = re.compile(r"(?:'s|s|es|ed|d|ing|ly|mente|os|as)$")


@dataclass(frozen=True)
class Language:
    """A file *.toml: its words by class, its phrases, and the endings that tell tenses and illnesses."""

    classes: dict[str, frozenset[str]]
    wrong: Phrasebook
    wrong_but_in_facts: Phrasebook  # wrong where a person is spoken of
    right: Phrasebook
    rules: dict[str, tuple[str, str]]  # why, instead
    mends: Phrasebook  # labelled by what to write in their place
    past_endings: tuple[str, ...]
    future_endings: tuple[str, ...]
    health_endings: tuple[str, ...]

    @classmethod
    def read(cls, code: str) -> "Language":
        """`code`: the two letters of the file's name."""
        written = tomllib.loads(Path(__file__).with_name(f"{code}.toml").read_text(encoding="utf-8"))
        classes = {name: frozenset(listed.split()) for name, listed in written["words"].items()}
        classes["number"] |= {NUMBER}
        classes["staffs"] = classes.get("staffs", frozenset()) | {f"{word}s" for word in classes["staff"]}
        return cls(
            classes,
            Phrasebook({rule: table["phrases"] for rule, table in written["rules"].items()}, classes),
            Phrasebook({rule: table.get("not_in_facts", ()) for rule, table in written["rules"].items()}, classes),
            Phrasebook({"": written["allowed"]["phrases"]}, classes),
            {rule: (table["why"], table["instead"]) for rule, table in written["rules"].items() if "why" in table},
            Phrasebook(written["mends"], classes),
            tuple(written["past_endings"]),
            tuple(written.get("future_endings", ())),
            tuple(written["health_endings"]),
        )

    def __getitem__(self, name: str) -> frozenset[str]:
        return self.classes.get(name, frozenset())

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Every word of it."""
        return frozenset().union(self.wrong.vocabulary, self.right.vocabulary, *self.classes.values())

    @cached_property
    def kinds(self) -> dict[str, frozenset[str]]:
        """Each word with the classes that it is in."""
        kinds: dict[str, set[str]] = defaultdict(set)
        for name, listed in self.classes.items():
            for word in listed:
                kinds[word].add(name)
        return {word: frozenset(names) for word, names in kinds.items()}

    @cached_property
    def general_roots(self) -> frozenset[str]:
        """What replies are made of in general, without endings."""
        return frozenset(map(bare, self["general"]))

    @cached_property
    def decisive(self) -> frozenset[str]:
        """Words that turn a reply: they are recognised in every disguise."""
        stems = {word for word in self.wrong.vocabulary if len(word) > 4}
        past = {word for word in self["past"] if len(word) > _SHORT}  # "vegan" is no slip of "began"
        return frozenset().union(*(self[name] for name in _DECISIVE + HEALTH), stems, past)

    def is_past(self, word: Word) -> bool:
        """Whether a word may be a verb in the past tense."""
        if word.text in self["not_past"] or word.text.startswith("<"):
            return False
        ends = word.said.endswith(self.past_endings) or word.text.endswith(self.past_endings)
        return word.text in self["past"] or (len(word.text) > 3 and ends)

    def is_future(self, word: Word) -> bool:
        """By its ending, as in Spanish."""
        return len(word.text) > 4 and word.said.endswith(self.future_endings) if self.future_endings else False


@cache
def languages() -> tuple[Language, ...]:
    """English and Spanish."""
    return tuple(map(Language.read, _LANGUAGES))


@cache
def decisive_words() -> frozenset[str]:
    """Words that turn a reply, of all languages."""
    return frozenset().union(*(language.decisive for language in languages()))


@cache
def known_words() -> frozenset[str]:
    """All words of all languages."""
    return frozenset().union(*(language.vocabulary for language in languages()))


def words_of(text: str) -> list[Word]:
    """The words of a text, whatever they are disguised as."""
    return words(text, decisive_words(), known_words())


def root(word: Word) -> str:
    """What a word has in common with its other forms; a number as digits."""
    if word.text in (NUMBER, PHONE, EMAIL, HANDLE):
        return word.said.strip("$€£.,:")
    return bare(_DIGITS.get(word.text, word.text))


def bare(text: str) -> str:
    """A word without its ending."""
    return _ENDINGS.sub("", text) if len(text) > 4 else text
