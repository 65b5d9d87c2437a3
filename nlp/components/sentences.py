"""Sentences of social text: they end at a stop, a line break, or an emoji before a capital."""

from spacy.language import Language
from spacy.tokens import Doc

_STOPS = frozenset(".!?…") | {"...", "..", "!!", "??", "!?", "?!", "。", "！", "？", "؟"}
_CLOSING = frozenset("\"')]»”’")


@Language.component("sentences", assigns=["token.is_sent_start", "doc.sents"])
def sentences(doc: Doc) -> Doc:
    """Mark where each sentence starts."""
    ended = False
    for index, token in enumerate(doc):
        text = token.text
        starts = index == 0
        if ended and text not in _STOPS and text not in _CLOSING and not token.is_space:
            starts, ended = True, False
        token.is_sent_start = starts
        if text in _STOPS or "\n" in text:
            ended = True
    return doc
