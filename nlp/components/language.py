"""Which language. The commonest words settle most posts; py3langid the rest; the script those that it cannot."""

import re
from functools import cache
from typing import Any

from spacy.attrs import NORM
from spacy.language import Language
from spacy.tokens import Doc

from nlp.tokenizer import text_of

READ = ("en", "es")  # the languages whose phrases we have

Doc.set_extension("language", default="en", force=True)

_COMMON = {
    "en": frozenset(
        [
            "the",
            "and",
            "to",
            "of",
            "in",
            "is",
            "it",
            "you",
            "that",
            "was",
            "for",
            "on",
            "are",
            "with",
            "they",
            "be",
            "at",
            "this",
            "have",
            "from",
            "or",
            "had",
            "by",
            "not",
            "but",
            "what",
            "all",
            "were",
            "we",
            "when",
            "your",
            "can",
            "said",
            "there",
            "an",
            "how",
            "their",
            "if",
            "will",
            "up",
            "out",
            "them",
            "then",
            "she",
            "many",
            "some",
            "so",
            "her",
            "would",
            "him",
            "has",
            "my",
            "our",
            "me",
            "us",
            "no",
            "who",
            "did",
            "get",
            "just",
            "about",
            "after",
            "been",
            "still",
            "i",
            "im",
            "its",
            "he",
            "do",
            "does",
            "dont",
            "cant",
            "very",
            "got",
            "again",
            "here",
            "they’re",
            "why",
            "really",
        ]
    ),
    "es": frozenset(
        [
            "el",
            "la",
            "los",
            "las",
            "un",
            "una",
            "de",
            "del",
            "que",
            "y",
            "en",
            "es",
            "por",
            "con",
            "para",
            "su",
            "se",
            "lo",
            "como",
            "mas",
            "pero",
            "sus",
            "le",
            "ya",
            "o",
            "este",
            "si",
            "porque",
            "esta",
            "cuando",
            "muy",
            "sin",
            "sobre",
            "mi",
            "me",
            "nos",
            "hay",
            "donde",
            "estoy",
            "estamos",
            "mama",
            "papa",
            "usted",
            "gracias",
            "tiene",
            "nadie",
            "todo",
            "hola",
            "esperando",
            "no",
            "fue",
            "son",
        ]
    ),
}
_LATIN = re.compile(r"[a-zA-ZÀ-ÿ]")
_LETTERS = re.compile(r"[^\W\d_]")


@Language.component("language", assigns=["doc._.language"])
def language(doc: Doc) -> Doc:
    """Set doc._.language to an ISO 639-1 code; English where there are too few words to tell."""
    strings = doc.vocab.strings
    words = [word for word in map(strings.__getitem__, doc.to_array(NORM).tolist()) if word.isalpha()]
    english = len([word for word in words if word in _COMMON["en"]])
    spanish = len([word for word in words if word in _COMMON["es"]])
    start = text_of(doc)[:2000]
    if not start.isascii() and _is_another_script(start):
        doc._.language = _classified(start)
    elif english >= 2 and english > spanish and english >= len(words) * 0.15:
        pass  # "en" is the default
    elif spanish >= 2 and spanish >= english and spanish >= len(words) * 0.25:
        doc._.language = "es"
    elif len(words) >= 4:
        doc._.language = _classified(start)
    return doc


def _is_another_script(text: str) -> bool:
    letters = len(_LETTERS.findall(text))
    return letters > 0 and len(_LATIN.findall(text)) < letters / 2


def _classified(text: str) -> str:
    code, sure = _classifier().classify(text)
    return str(code) if sure > 0.8 or not _LATIN.search(text) else "en"


@cache
def _classifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
