"""Sentences of social text: they end at a stop, a line break, or an emoji before a capital."""

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Literal

import numpy
from spacy.attrs import IDX, ORTH, SENT_START
from spacy.language import Language
from spacy.strings import StringStore
from spacy.tokens import Doc

from nlp.tokenizer import REMEMBERED, blank

_STOPS = frozenset(".!?…") | {"...", "..", "!!", "??", "!?", "?!", "。", "！", "？", "؟"}
_CLOSING = frozenset("\"')]»”’")

_Role = Literal["word", "ends", "closes"]
_YES, _NO = 1, (1 << 64) - 1  # spaCy's 1 and -1 in an unsigned array


@Language.component("sentences", assigns=["token.is_sent_start", "doc.sents"])
def sentences(doc: Doc) -> Doc:
    """Mark where each sentence starts."""
    starts = numpy.full((len(doc), 1), _NO, dtype="uint64")
    known, strings = _known(doc.vocab.strings), doc.vocab.strings
    ended = False
    # Over the array: making a Token for every word costs more than the rest of this.
    for index, word in enumerate(doc.to_array(ORTH).tolist()):
        role = known.get(word)
        if role is None:
            role = _role(strings[word])
            if len(known) < REMEMBERED:
                known[word] = role
        if role == "ends":
            ended = True
        elif ended and role == "word":
            starts[index], ended = _YES, False
    if len(doc):
        starts[0] = _YES
        doc.from_array([SENT_START], starts)  # type: ignore[arg-type]  # an array of one column
    return doc


def sentence_starts(texts: Iterable[str]) -> Iterator[list[int]]:
    """The first character of each sentence of each text, outside the pipeline."""
    language = _alone()
    for text in texts:
        yield starts_of(language(text))


def starts_of(doc: Doc) -> list[int]:
    """The first character of each sentence."""
    rows = doc.to_array([IDX, SENT_START])
    return [int(place) for place, start in rows.tolist() if start == _YES]


@cache
def _alone() -> Language:
    language = blank()
    language.add_pipe("sentences")
    return language


def _role(text: str) -> _Role:
    if text in _STOPS or "\n" in text:
        return "ends"
    return "closes" if text in _CLOSING or text.isspace() else "word"


@lru_cache(maxsize=4)  # no more: a pipeline that is no longer used would stay, words and all
def _known(strings: StringStore) -> dict[int, _Role]:
    """What each of the first words does that were met."""
    return {}
