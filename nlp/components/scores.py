"""What the trained encoder says of a post. The components after this one join it with the phrases and rules."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span

from nlp.components.sentences import starts_of
from nlp.encoder import FOLDER, Encoder, Scores
from nlp.heads import Head
from nlp.tokenizer import text_of, words_of

_SHOWN = 3  # words in a reason
_GRAMMAR = words_of(
    "a an the and or but so of to in on at for with from by as is are was were be been am it its that this these those there "
    "i me my we us our you your he him his she her they them their do does did has have had will would if than then "
    "el la los las un una de del al y o en que se su mi lo le es son fue ha he"
)

Doc.set_extension("scores", default=None, force=True)  # nlp.encoder.Scores, or None where reading is by rules alone


class Careful:
    """Sets doc._.scores."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def __call__(self, doc: Doc) -> Doc:
        """One post."""
        if doc._.in_question:
            self._weigh([doc])
        return doc

    def pipe(self, docs: Iterable[Doc], batch_size: int = 256) -> Iterator[Doc]:
        """Many posts, in order; those that are in question. The next ones are computed while the last ones are used."""
        waiting: deque[tuple[list[Doc], Future[None]]] = deque()
        with ThreadPoolExecutor(1) as ahead:
            remaining = iter(docs)
            while batch := list(islice(remaining, batch_size)):
                asked = [doc for doc in batch if doc._.in_question]
                waiting.append((batch, ahead.submit(self._weigh, asked)))
                if len(waiting) > 1:
                    yield from _finished(*waiting.popleft())
            while waiting:
                yield from _finished(*waiting.popleft())

    def _weigh(self, docs: Sequence[Doc]) -> None:
        if docs:
            found = self.encoder([text_of(doc) for doc in docs], [starts_of(doc) for doc in docs])
            for doc, scores in zip(docs, found, strict=True):
                doc._.scores = scores


def _finished(docs: list[Doc], weighed: "Future[None]") -> list[Doc]:
    weighed.result()
    return docs


@Language.factory("scores", requires=["doc.sents", "doc._.in_question"], assigns=["doc._.scores"])
def _factory(nlp: Language, name: str, folder: str | None = None) -> Careful:
    return Careful(Encoder(Path(folder) if folder else FOLDER))


def words(doc: Doc, head: Head, label: str, sentence: int | None = None) -> list[Span]:
    """The words that speak most for a label, as spans of the Doc, in its order. Never those that name a person, as reasons
    are shown, nor our own name. Words that carry grammar and no meaning only where there are no others."""
    scores: Scores = doc._.scores
    names = [(mark.start, mark.end) for mark in doc._.personal]
    names += [(span.start_char, span.end_char) for span in doc.spans["mentions"]]
    spans = [
        span
        for start, end in scores.words(head, label, sentence)
        if (span := doc.char_span(start, end, alignment_mode="expand")) is not None
        and not any(span.start_char < stop and begin < span.end_char for begin, stop in names)
    ]
    spans = list({span.start: span for span in spans}.values())
    telling = [span for span in spans if span.text.casefold() not in _GRAMMAR and any(map(str.isalnum, span.text))]
    return sorted((telling or spans)[:_SHOWN], key=lambda span: span.start)


def read_so(doc: Doc, head: Head, label: str, likely: float, sentence: int | None = None) -> str:
    """The reason for a label that the encoder reads."""
    shown = ", ".join(repr(span.text) for span in words(doc, head, label, sentence))
    return f"read so in {shown} ({likely:.2f})" if shown else f"read so ({likely:.2f})"
