"""How posts are cut into words: spaCy's tokenizer, tuned for what people type on phones."""

import re
import unicodedata
from functools import lru_cache
from typing import Any

import spacy
from spacy.attrs import (
    IS_ASCII,
    IS_BRACKET,
    IS_CURRENCY,
    IS_DIGIT,
    IS_LOWER,
    IS_QUOTE,
    IS_STOP,
    IS_TITLE,
    IS_UPPER,
    LIKE_EMAIL,
    LIKE_NUM,
    LIKE_URL,
    NORM,
    PREFIX,
    SHAPE,
    SUFFIX,
)
from spacy.language import Language
from spacy.symbols import ORTH
from spacy.tokens import Doc

# A stop after these ends no sentence.
_ABBREVIATIONS = (
    "St.",
    "Dr.",
    "Mr.",
    "Mrs.",
    "Ms.",
    "Prof.",
    "Ste.",
    "Mt.",
    "Jr.",
    "Sr.",
    "a.m.",
    "p.m.",
    "vs.",
    "e.g.",
    "i.e.",
    "No.",
    "ext.",
    "Sra.",
)
_APOSTROPHES = re.compile("['’‘`´ʼ]")
_ELONGATED = re.compile(r"([^\W\d_])\1{2,}")
# Direction overrides and isolates, zero-width characters, byte order marks: they can hide words
# from a reader and from a phrase.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad]")


# spaCy computes these for every new word, and social text is full of new words.
_UNUSED = (
    *(SHAPE, PREFIX, SUFFIX, LIKE_NUM, LIKE_URL, LIKE_EMAIL, IS_STOP, IS_BRACKET, IS_QUOTE, IS_CURRENCY),
    *(IS_ASCII, IS_DIGIT, IS_LOWER, IS_TITLE, IS_UPPER),
)


_LONGEST_ENDING = 100  # characters; to look for one from the beginning of an endless word takes hours
# The tokenizer takes signs off the end of a word one by one: time grows with the square of their number.
_ENDLESS = re.compile(r"((?:[^\w\s]|_){60})(?=[^\w\s]|_)")
_GIANT = re.compile(r"(\S{2000})(?=\S)")  # "A$A$A$": it takes currencies off too


def visible(text: str) -> str:
    """The text without characters that show nothing, with plain spaces, and with a space in endless rows of signs and endless words."""
    if not text.isascii():
        text = _INVISIBLE.sub("", text).replace("\u00a0", " ")
    return _GIANT.sub(r"\1 ", _ENDLESS.sub(r"\1 ", text)).replace("\r\n", "\n")


# Words of posts that stay known: most come again, and who never forgot one would grow with each number and name.
REMEMBERED = 5_000


@lru_cache(maxsize=REMEMBERED)
def fold(word: str) -> str:
    """A word without capitals, accents, apostrophes, a last stop and drawn-out letters: "Can’t" and "cant" are one."""
    plain = _APOSTROPHES.sub("", word).casefold()
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return _ELONGATED.sub(r"\1", plain).rstrip(".") or word


def words_of(*lines: str) -> frozenset[str]:
    """The words in these lines, for lists that are easier to read in lines than one word at a time."""
    return frozenset(word for line in lines for word in line.split())


Doc.set_extension("text", default=None, force=True)


def text_of(doc: Doc) -> str:
    """The text of a Doc. doc.text puts it together from its words each time."""
    known: str | None = doc._.text
    return doc.text if known is None else known


def blank() -> Language:
    """spaCy's blank English whose tokens carry `fold` as NORM, with contractions in one piece."""
    language = spacy.blank("en")
    getters = language.vocab.lex_attr_getters  # type: ignore[attr-defined]
    getters[NORM] = fold
    for unused in _UNUSED:
        getters.pop(unused, None)
    tokenizer: Any = language.tokenizer
    tokenizer.rules = {form: [{ORTH: form}] for word in _ABBREVIATIONS for form in (word, word.lower(), word.upper())}
    defaults = language.Defaults
    suffixes = [suffix for suffix in defaults.suffixes or () if suffix not in ("'s", "'S", "’s", "’S")]
    ending = spacy.util.compile_suffix_regex(suffixes)
    tokenizer.suffix_search = lambda text: ending.search(text, max(0, len(text) - _LONGEST_ENDING))
    infixes = [*(defaults.infixes or ()), r"[!?…]+", r"(?<=[a-z])[.](?=[A-Z])", r"/"]
    tokenizer.infix_finditer = spacy.util.compile_infix_regex(infixes).finditer
    for lexeme in language.vocab:  # those that spaCy made before it knew `fold`
        lexeme.norm_ = fold(lexeme.orth_)
    return language
