"""The trained look at a reply: how likely it says what must not be said, by which rule and in which sentence.

A small transformer that was fitted on replies labelled by people's rules of thumb (labelled/, docs/replies.md): it knows
ways of saying a thing that no list has. What it cannot see, as what the post tells, the other looks do.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path

from alerts.privacy.words import Word
from nlp.components.sentences import sentence_starts
from nlp.encoder import Encoder, Scores
from nlp.heads import Head

FOLDER = Path(__file__).with_name("model")
RULES = ("confirms", "our_side", "detail", "name", "asks", "promises", "admits", "argues", "advises")
UNLAWFUL = "unlawful"
WRONG = Head("wrong", (UNLAWFUL, *RULES), "any")
_CONTACT = "our office"


@dataclass(frozen=True)
class Opinion:
    """How likely a reply says what must not be said (0 to 1), by which rule, and where the sentence stands that says so."""

    likely: float
    rule: str
    start: int
    end: int


def opinion(reply: str, found: Sequence[Word], contacts: Sequence[str] = ()) -> Opinion:
    """Of a reply and its words. One with disguised words is looked at as it is written, and as it is meant; the hospital's
    own `contacts` name nobody."""
    readings = dict.fromkeys((_seen(reply), _seen(_plain(reply, found))))
    return max((_best(text, reply, contacts) for text in readings), key=lambda one: one.likely)


def _best(text: str, reply: str, contacts: Sequence[str]) -> Opinion:
    """Of a text as it is, and with other words for the contacts."""
    texts = list(dict.fromkeys((text, _without(text, contacts))))
    starts = list(sentence_starts(texts))
    said = zip(texts, map(_of, texts, starts, _encoder()(texts, starts)), strict=True)
    looked, best = min(said, key=lambda one: one[1].likely)
    return best if looked == reply else replace(best, start=0, end=len(reply))  # its places are those of another text


def _without(text: str, contacts: Iterable[str]) -> str:
    for contact in contacts:
        text = text.replace(contact, _CONTACT)
    return text


def _of(text: str, starts: Sequence[int], scores: Scores) -> Opinion:
    """With the sentence of the word that says it most."""
    answers = scores.any(WRONG)
    worst = answers[UNLAWFUL]
    rule = max(RULES, key=lambda name: answers[name].likely)
    (said, _), *_ = scores.words(WRONG, UNLAWFUL, worst.sentence) or [(0, 0)]
    start = max([0, *(at for at in starts if at <= said)])
    return Opinion(worst.likely, rule, start, min([len(text), *(at for at in starts if at > said)]))


@cache
def _encoder() -> Encoder:
    return Encoder(FOLDER, (WRONG,))


def _seen(reply: str) -> str:
    """The reply in plain letters: wide ones narrow, accents on their letters, without what nobody sees."""
    shown = unicodedata.normalize("NFKC", reply)
    return "".join(letter for letter in shown if unicodedata.category(letter) != "Cf")


def _plain(reply: str, found: Sequence[Word]) -> str:
    """The reply with the plain word in the place of each that is disguised."""
    at, parts = 0, []
    for start, end, text in _disguised(reply, found):
        parts += [reply[at:start], text]
        at = end
    return "".join([*parts, reply[at:]])


def _disguised(reply: str, found: Sequence[Word]) -> Iterator[tuple[int, int, str]]:
    for (start, end), same in groupby(found, key=lambda word: (word.start, word.end)):
        meant = " ".join(word.text for word in same)
        written = unicodedata.normalize("NFD", reply[start:end]).casefold()
        bare = "".join(letter for letter in written if not unicodedata.combining(letter))
        if meant and "<" not in meant and not {"'", "’"} & set(bare) and bare != meant:
            yield start, end, meant
