"""Builds the spaCy pipeline and takes what it found out of each Doc.

text -> sentences -> mentions -> keywords -> signs -> language -> assertion -> mood -> stage -> voice -> kind -> urgency -> redaction
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from config.schema import Config
from nlp.components import (
    assertion,
    keywords,
    kind,
    language,
    mentions,
    mood,
    redaction,
    sentences,
    signs,
    stage,
    urgency,
    voice,
)
from nlp.tokenizer import blank, text_of, visible

# Goes up when the rules in this package change what is read, so that kept mentions are read again.
RULES_VERSION = 1
ORDER = (
    "sentences",
    "mentions",
    "keywords",
    "signs",
    "language",
    "assertion",
    "mood",
    "stage",
    "voice",
    "kind",
    "urgency",
    "redaction",
)
_COMPONENTS = (assertion, keywords, kind, language, mentions, mood, redaction, sentences, signs, stage, urgency, voice)
# Only posts in question are read closely: those about us, and those that may tell of danger where care is given.
_CLOSE = ("sentences", "keywords", "signs", "assertion", "mood", "stage", "voice", "kind", "urgency")
_LONGEST = 100_000  # characters; what follows is kept but not read, and the reasons say so


@dataclass(frozen=True)
class Text:
    """What is to be read, and what is known of where it comes from."""

    text: str
    about_us: bool = False  # it comes from where every post is about us
    own: bool = False  # the hospital wrote it


class Reader:
    """The pipeline for one configuration. `version` changes whenever readings could."""

    def __init__(self, config: Config) -> None:
        self.language = build(config)
        self.version = version(config)
        self._titles = {name: category.title for name, category in config.keywords.categories.items()}

    def read(self, texts: Iterable[Text]) -> Iterator[dict[str, Any]]:
        """What each text says, in order: the fields of a Reading."""
        closely = [component for name, component in self.language.pipeline if name in _CLOSE]
        for doc in self.language.pipe(map(self._doc, texts), disable=_CLOSE):
            if doc._.in_question:
                for component in closely:
                    component(doc)
                    if not doc._.in_question:
                        break
            yield fields(doc)

    def doc(self, text: Text) -> Doc:
        """The Doc of one text with everything that was found in it."""
        return self.language(self._doc(text))

    def _doc(self, text: Text) -> Doc:
        shown = visible(text.text[:_LONGEST])
        doc = self.language.make_doc(shown)
        doc._.text = shown
        if text.about_us or text.own:
            doc._.about_us, doc._.own = text.about_us, text.own
        return doc


def build(config: Config) -> Language:
    """The pipeline, its matchers filled from the configuration."""
    assert len(_COMPONENTS) == len(ORDER)  # imported above: importing a component registers it
    settings = {
        "mentions": mentions.names_of(config.hospital),
        "keywords": {"phrases": keywords.phrases_of(config.keywords)},
    }
    pipeline = blank()
    for name in ORDER:
        pipeline.add_pipe(name, config=settings.get(name, {}))
    return pipeline


def version(config: Config) -> str:
    """A short name for rules and phrases together: the same for the same readings."""
    seen = {
        "rules": RULES_VERSION,
        "hospital": config.hospital.model_dump(mode="json", exclude={"coverage", "timezone"}),
        "keywords": {**keywords.phrases_of(config.keywords), "categories": sorted(config.keywords.categories)},
    }
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:12]


def fields(doc: Doc) -> dict[str, Any]:
    """A Doc's findings as the fields of a Reading. Spans die with their Doc, so words are copied out here."""
    if not doc._.in_question:
        return {**_NOT_ABOUT_US, "language": doc._.language, "redacted_text": doc._.redacted}
    return {
        "mentions_us": list(doc._.mentions_us),
        "site": doc._.site,
        "departments": list(doc._.departments),
        "voice": doc._.voice,
        "kind": doc._.kind,
        "categories": _categories(doc),
        "stage": doc._.stage if doc._.voice == "patient" else None,
        "mood": doc._.mood,
        "urgency": doc._.urgency,
        "reasons": _reasons(doc),
        "language": doc._.language,
        "readable": doc._.language in language.READ or doc._.voice != "patient",
        "redacted_text": doc._.redacted,
    }


def unread(why: str) -> dict[str, Any]:
    """The fields of a Reading for a post that nothing can be said of; nothing of its text is shown, as nothing is redacted."""
    said = {**_NOT_ABOUT_US, "voice": "patient", "kind": "comment", "urgency": "routine", "reasons": [why]}
    return {**said, "readable": False, "language": "und", "redacted_text": ""}


_NOT_ABOUT_US: dict[str, Any] = {
    "mentions_us": [], "site": None, "departments": [], "voice": "other", "kind": None, "categories": [], "stage": None,
    "mood": 0.0, "urgency": "none", "reasons": ["voice other: names nothing of ours"], "readable": True,
}  # fmt: skip


def _categories(doc: Doc) -> list[dict[str, Any]]:
    """Each category with its words; the score grows with how much of the post speaks of it (0.6 for one phrase, to 1)."""
    if doc._.voice != "patient":
        return []
    spans: dict[str, list[Span]] = {}
    for span in keywords.spoken(doc, "category:"):
        spans.setdefault(span.label_.removeprefix("category:"), []).append(span)
    # Of "waiting" and "waiting room" in one place the longer says more.
    words = {name: list(dict.fromkeys(span.text for span in filter_spans(found))) for name, found in spans.items()}
    scored = [{"id": name, "score": round(1 - 0.4 ** len(found), 2), "words": found} for name, found in words.items()]
    return sorted(scored, key=lambda category: -float(category["score"]))


def _reasons(doc: Doc) -> list[str]:
    reasons = [f"about us: {name!r}" for name in doc._.mentions_us] or (
        ["about us: its place says so"] if doc._.about_us else []
    )
    reasons.append(f"voice {doc._.voice}: {doc._.voice_why}")
    if doc._.kind:
        reasons.append(f"{doc._.kind}: {doc._.kind_why}")
    reasons += doc._.urgency_why
    dropped = [span for span in keywords.spoken(doc, "urgency:") if span._.meant not in ("now", "past")]
    reasons += [
        f"{span.label_.removeprefix('urgency:')} left out: {span.text!r} is {_MEANT[span._.meant]}" for span in dropped
    ]
    if len(text_of(doc)) == _LONGEST:
        reasons.append(f"only the first {_LONGEST:,} characters were read")
    return reasons


_MEANT = {"hypothetical": "an if", "denied": "denied", "reported": "what others report", "figure": "a figure of speech"}
