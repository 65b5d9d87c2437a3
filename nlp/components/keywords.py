"""The phrases of keywords.toml.

Danger is looked for in every post that can be ours; the rest only in posts that are about us or smell of danger.
"""

from collections.abc import Iterable
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span

from nlp.components.mentions import is_about_us
from nlp.phrases import Phrases

DANGER = "urgency:danger"
_MOST = 400  # spans; a text of one phrase a thousand times says no more than with it a hundred times


@Language.factory("keywords", requires=["doc._.mentions_us", "doc.sents"], assigns=["doc.spans"])
class Keywords:
    """Finds phrases; each span's label says what it speaks for: "category:food", "urgency:danger", "sign:press"."""

    def __init__(self, nlp: Language, name: str, phrases: dict[str, list[str]]) -> None:
        self._always = Phrases(nlp, {label: found for label, found in phrases.items() if label == DANGER})
        self._closer = Phrases(nlp, {label: found for label, found in phrases.items() if label != DANGER})

    def __call__(self, doc: Doc) -> Doc:
        """Set doc.spans["keywords"]."""
        spans = self._always(doc)
        if spans or is_about_us(doc):
            spans += self._closer(doc)
        doc.spans["keywords"] = spans[:_MOST]
        return doc


def spoken(doc: Doc, label: str | tuple[str, ...]) -> list[Span]:
    """The spans whose label begins with `label`, or with one of them."""
    return [span for span in doc.spans["keywords"] if span.label_.startswith(label)]


def phrases_of(keywords: Any) -> dict[str, list[str]]:
    """Every phrase of keywords.toml by label (config.schema.Keywords)."""
    labelled: dict[str, Iterable[str]] = {
        f"category:{name}": table.phrases for name, table in keywords.categories.items()
    }
    labelled |= {
        f"urgency:{level}": getattr(keywords.urgency, level).phrases for level in ("danger", "here_now", "serious")
    }
    labelled |= {f"voice:{voice}": getattr(keywords.voices, voice).phrases for voice in ("promo", "news")}
    labelled["exclude"] = keywords.exclude.phrases
    labelled |= {f"sign:{name}": sign.phrases for name, sign in keywords.signs.items()}
    grave = [phrase for sign in keywords.signs.values() if sign.serious for phrase in sign.phrases]
    labelled["urgency:serious"] = [*labelled["urgency:serious"], *grave]
    return {label: list(found) for label, found in labelled.items()}
