"""Sentences of social text: they end at a stop, a line break, or an emoji before a capital."""

import numpy
from spacy.attrs import ORTH, SENT_START
from spacy.language import Language
from spacy.tokens import Doc

_STOPS = frozenset(".!?…") | {"...", "..", "!!", "??", "!?", "?!", "。", "！", "？", "؟"}
_CLOSING = frozenset("\"')]»”’")

_YES, _NO = 1, (1 << 64) - 1  # spaCy's 1 and -1 in an unsigned array


@Language.component("sentences", assigns=["token.is_sent_start", "doc.sents"])
def sentences(doc: Doc) -> Doc:
    """Mark where each sentence starts."""
    starts = [_NO] * len(doc)
    ended = True
    # Over the array: making a Token for every word costs more than the rest of this.
    for index, text in enumerate(map(doc.vocab.strings.__getitem__, doc.to_array(ORTH).tolist())):
        if ended and text not in _STOPS and text not in _CLOSING and not text.isspace():
            starts[index], ended = _YES, False
        if text in _STOPS or "\n" in text:
            ended = True
    if starts:
        starts[0] = _YES
        doc.from_array([SENT_START], numpy.asarray(starts, dtype="uint64").reshape(-1, 1))
    return doc
