"""Which language. The commonest words settle most posts; py3langid the rest; the script those that it cannot."""

import re
from functools import cache, lru_cache
from typing import Any

from spacy.attrs import NORM
from spacy.language import Language
from spacy.strings import StringStore
from spacy.tokens import Doc

from nlp.tokenizer import text_of

READ = ("en", "es")  # the languages whose phrases we have

Doc.set_extension("language", default="en", force=True)

_COMMON = {
    "en": (
        "more new now one over than into only other time people please help good day today like know need could "
        "should because where which any also back first two most down off right around while am too go going being "
        "those these never must last next before his near thanks thank great love see make take been off long "
        "the and to of in is it you that was for on are with they be at this have from or had by not but what "
        "all were we when your can said there an how their if will up out them then she many some so her "
        "would him has my our me us no who did get just about after been still i im its he do does dont cant "
        "very got again here they’re why really"
    ),
    "es": (
        "el la los las un una de del que y en es por con para su se lo como mas pero sus le ya o este si "
        "porque esta cuando muy sin sobre mi me nos hay donde estoy estamos mama papa usted gracias tiene "
        "nadie todo hola esperando fue son"
    ),
}
_LATIN = re.compile(r"[a-zA-ZÀ-ÿ]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_NO_LANGUAGE = re.compile(r"(?:https?://|www\.)\S+|[@#]\w+")
_MOSTLY = 0.7  # our own name is in Latin letters in every script
# Letters and words that Spanish has not.
_PORTUGUESE = re.compile(r"[ãõçâêô]|\b(?:não|minha|meu|tem|você|ninguém|alguém|obrigad[ao])\b", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]")


@Language.component("language", assigns=["doc._.language"])
def language(doc: Doc) -> Doc:
    """Set doc._.language to an ISO 639-1 code; English where there are too few words to tell."""
    norms = doc.to_array(NORM).tolist()
    start = text_of(doc)[:2000]
    english, spanish = (len([norm for norm in norms if norm in common]) for common in _common(doc.vocab.strings))
    if not start.isascii() and _is_another_script(start):
        doc._.language = _classified(_LATIN.sub("", _bare(start)))
    elif english >= 2 and english > spanish and english >= len(norms) * 0.15:
        pass  # "en" is the default
    else:
        words = len(_WORD.findall(_bare(start)))
        if _PORTUGUESE.search(start):
            doc._.language = _classified(_bare(start))
        elif spanish >= 2 and spanish >= english and spanish >= words * 0.25:
            doc._.language = "es"
        elif words >= 4 and english < max(2, words * 0.15):
            doc._.language = _classified(_bare(start))
    return doc


@lru_cache(maxsize=4)  # no more: a pipeline that is no longer used would stay, words and all
def _common(strings: StringStore) -> tuple[frozenset[int], ...]:
    return tuple(frozenset(map(strings.add, _COMMON[code].split())) for code in READ)


def _bare(text: str) -> str:
    """The text without links, handles and hashtags: they are of no language."""
    return _NO_LANGUAGE.sub(" ", text)


def _is_another_script(text: str) -> bool:
    letters = len(_LETTERS.findall(text))
    return letters > 0 and len(_LATIN.findall(text)) < letters * _MOSTLY


def _classified(text: str) -> str:
    code, sure = _classifier().classify(text)
    return str(code) if sure > 0.8 or not _LATIN.search(text) else "en"


@cache
def _classifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
