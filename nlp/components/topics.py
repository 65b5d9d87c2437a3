"""What a post speaks of: the categories of keywords.toml, by their phrases, by the encoder, or by their examples.

Phrases are certain and win. A category that the encoder was not trained for, as an admin adds one, is found by its phrases
and by how near the post is to its example sentences.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from nlp.components.keywords import spoken
from nlp.components.scores import read_so, words
from nlp.components.sentences import sentence_starts
from nlp.encoder import Encoder, Floats, Scores
from nlp.heads import TOPICS

Doc.set_extension("topics", default=(), force=True)  # {"id", "score" 0-1, "words"}, the surest first
Doc.set_extension("topics_why", default=(), force=True)

_DOUBTS = 0.1  # below it the encoder speaks against a phrase, and the reasons say so


@Language.factory(
    "topics",
    requires=["doc.spans", "doc._.voice", "doc._.scores"],
    assigns=["doc._.topics", "doc._.topics_why"],
)
class Topics:
    """Sets doc._.topics of posts with a patient's voice."""

    def __init__(self, nlp: Language, name: str, categories: dict[str, dict[str, list[str]]]) -> None:
        """`categories`: the configured ones, each with its "match" and "no_match" sentences."""
        self._trained = [label for label in TOPICS.labels if label in categories]
        self._nearest: dict[str, _Examples] = {}
        added = {label: found for label, found in categories.items() if label not in TOPICS.labels and found["match"]}
        if added and "scores" in nlp.pipe_names:
            careful: Any = nlp.get_pipe("scores")
            self._nearest = {label: _Examples(careful.encoder, **found) for label, found in added.items()}

    def __call__(self, doc: Doc) -> Doc:
        """Set the topics and what speaks for and against them."""
        if doc._.voice == "patient":
            found, why = self._found(doc)
            doc._.topics = tuple(sorted(found, key=lambda topic: -float(topic["score"])))
            doc._.topics_why = tuple(why)
        return doc

    def _found(self, doc: Doc) -> tuple[list[dict[str, Any]], list[str]]:
        said, read = _phrases(doc), self._read(doc)
        found, why = [], []
        for label in dict.fromkeys([*said, *read]):
            likely, shown, reason = read.get(label, (0.0, [], ""))
            if label in said:
                likely, shown = max(likely, 1 - 0.4 ** len(said[label])), said[label]
                reason = ", ".join(map(repr, shown))
            found.append({"id": label, "score": round(likely, 2), "words": shown})
            why.append(f"{label}: {reason}")
        return found, [*why, *self._doubted(doc, said)]

    def _read(self, doc: Doc) -> dict[str, tuple[float, list[str], str]]:
        """What the encoder finds: how likely, the words that speak for it, and a reason."""
        scores: Scores | None = doc._.scores
        if scores is None:
            return {}
        found = {}
        answers = scores.any(TOPICS)
        for label in self._trained:
            answer = answers[label]
            if answer.likely >= scores.thresholds[TOPICS.name][label]:
                shown = [span.text for span in words(doc, TOPICS, label, answer.sentence)]
                found[label] = (answer.likely, shown, read_so(doc, TOPICS, label, answer.likely, answer.sentence))
        for label, examples in self._nearest.items():
            if near := examples.nearest(scores.vector):
                found[label] = (min(1.0, 2 * near[0]), [], f"near its example {near[1]!r}")
        return found

    def _doubted(self, doc: Doc, said: Mapping[str, list[str]]) -> list[str]:
        scores: Scores | None = doc._.scores
        if scores is None:
            return []
        answers = scores.any(TOPICS)
        doubted = [label for label in said if label in answers and answers[label].likely < _DOUBTS]
        return [
            f"{label}: by its phrase; the encoder does not see it ({answers[label].likely:.2f})" for label in doubted
        ]


def _phrases(doc: Doc) -> dict[str, list[str]]:
    """The phrases of each category in the post."""
    spans: dict[str, list[Span]] = {}
    for span in spoken(doc, "category:"):
        spans.setdefault(span.label_.removeprefix("category:"), []).append(span)
    # Of "waiting" and "waiting room" in one place the longer says more.
    return {label: list(dict.fromkeys(span.text for span in filter_spans(found))) for label, found in spans.items()}


def categories_of(keywords: Any) -> dict[str, dict[str, list[str]]]:
    """The settings of this component (config.schema.Keywords)."""
    return {
        name: {"match": list(table.match), "no_match": list(table.no_match)}
        for name, table in keywords.categories.items()
    }


class _Examples:
    """The sentences of a category as points: a post belongs to it when it is nearer to them than to those that do not."""

    _LEAST = 0.26  # cosine; one in a hundred posts about other things comes as near

    def __init__(self, encoder: Encoder, match: Sequence[str], no_match: Sequence[str]) -> None:
        self._sentences = match
        self._match, self._no_match = _points(encoder, match), _points(encoder, no_match)

    def nearest(self, vector: Floats) -> tuple[float, str] | None:
        """The example that the post is nearest to, and how near (cosine); None when that is too far."""
        if len(vector) != self._match.shape[1]:  # a post without words
            return None
        near = self._match @ vector
        best = int(near.argmax())
        against = float((self._no_match @ vector).max()) if len(self._no_match) else 0.0
        return (float(near[best]), self._sentences[best]) if near[best] >= max(self._LEAST, against) else None


def _points(encoder: Encoder, sentences: Sequence[str]) -> Floats:
    found = encoder(list(sentences), list(sentence_starts(sentences)))
    return np.array([scores.vector for scores in found], dtype=np.float32)
