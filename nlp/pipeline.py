"""Builds the spaCy pipeline and takes what it found out of each Doc.

text -> mentions -> language -> sentences -> keywords -> acute -> scores -> redaction -> assertion -> danger -> mood -> stage -> voice -> kind -> topics
     -> urgency -> signs -> staff

The fast pass (mentions, language, and redaction) is for every post, the careful one for those that are in question: about us, or smelling of
danger where care is given. Most posts that a search brings are not.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from config.schema import Config
from nlp.components import (
    acute,
    assertion,
    danger,
    keywords,
    kind,
    language,
    mentions,
    mood,
    redaction,
    scores,
    sentences,
    signs,
    staff,
    stage,
    topics,
    urgency,
    voice,
)
from nlp.tokenizer import REMEMBERED, blank, text_of, visible
from nlp.tuning import lines

# What decides a reading, beside phrases and model. Kept mentions are read again when one of these files changes.
_RULES = (
    "components/*.*",
    "encoder.py",
    "phrase_language.py",
    "phrases.py",
    "pipeline.py",
    "tokenizer.py",
    "wordforms.py",
)
_FAST = ("mentions", "language")
_CAREFUL = (
    *("sentences", "keywords", "acute", "scores", "redaction", "assertion", "danger"),
    *("mood", "stage", "voice", "kind", "topics", "urgency", "signs", "staff"),
)
ORDER = (*_FAST, *_CAREFUL)
_COMPONENTS = (
    *(acute, assertion, danger, keywords, kind, language, mentions, mood, redaction, scores, sentences, signs, staff),
    *(stage, topics, urgency, voice),
)
LONGEST = 100_000  # characters; what follows is kept but not read, and the reasons say so


@dataclass(frozen=True)
class Text:
    """What is to be read, and what is known of where it comes from."""

    text: str
    about_us: bool = False  # it comes from where every post is about us
    own: bool = False  # the hospital wrote it
    place: str | None = None  # where in the hospital, as its author chose it from our list


class Reader:
    """The pipeline for one configuration. `version` changes whenever readings could; `lines` say with what."""

    def __init__(self, config: Config) -> None:
        """Raises nlp.encoder.ModelError when the trained model cannot be used and the configuration asks for it."""
        self.language = build(config)
        self._room = len(self.language.vocab) + REMEMBERED  # words
        model = _model(self.language)
        self.version = version(config, model)
        self.lines = lines(config, rules(), model)

    def read_at_once(self, texts: Sequence[Text]) -> list[dict[str, Any]]:
        """What `read` says, by one thread at a time. New words are forgotten afterwards where many are known already: each
        name, number and slip of the pen that strangers write would else stay in memory as long as the service runs."""
        with self.language.memory_zone() if len(self.language.vocab) >= self._room else nullcontext():
            return list(self.read(texts))

    def read(self, texts: Iterable[Text]) -> Iterator[dict[str, Any]]:
        """What each text says, in order: the fields of a Reading."""
        yield from map(fields, self.docs(texts))

    def docs(self, texts: Iterable[Text]) -> Iterator[Doc]:
        """The Doc of each text with everything that was found in it, in order."""
        careful = [(name, component) for name, component in self.language.pipeline if name in _CAREFUL]
        docs: Iterable[Doc] = self.language.pipe(map(self._doc, texts), disable=_CAREFUL)
        for how, parts in groupby(careful, lambda part: part[0] if part[0] in ("scores", "redaction") else "asked"):
            components: list[Any] = [component for _, component in parts]
            if how == "scores":
                docs = components[0].pipe(docs)
            else:
                docs = map(components[0], docs) if how == "redaction" else _asked(components, docs)
        return iter(docs)

    def doc(self, text: Text) -> Doc:
        """The Doc of one text."""
        return next(self.docs([text]))

    def _doc(self, text: Text) -> Doc:
        shown = visible(text.text[:LONGEST])
        doc = self.language.make_doc(shown)
        doc._.text = shown
        if text.about_us or text.own:
            doc._.about_us, doc._.own = text.about_us, text.own
        doc._.place = text.place
        return doc


def _asked(components: Sequence[Callable[[Doc], Doc]], docs: Iterable[Doc]) -> Iterator[Doc]:
    """All the docs; those in question have been through the components, until they were in question no longer."""
    for doc in docs:
        if doc._.in_question:
            for component in components:
                component(doc)
                if not doc._.in_question:
                    break
        yield doc


def build(config: Config) -> Language:
    """The pipeline, its matchers filled from the configuration."""
    assert len(_COMPONENTS) == len(ORDER)  # imported above: importing a component registers it
    settings = {
        "mentions": mentions.names_of(config.hospital),
        "keywords": {"phrases": keywords.phrases_of(config.keywords), **keywords.sites_known(config.hospital)},
        "scores": {"folder": config.keywords.reader.folder},
        "topics": {"categories": topics.categories_of(config.keywords)},
        "signs": {"voices": signs.voices_of(config.keywords)},
    }
    pipeline = blank()
    for name in ORDER:
        if name != "scores" or config.keywords.reader.model:
            pipeline.add_pipe(name, config=settings.get(name, {}))
    return pipeline


def version(config: Config, model: str | None) -> str:
    """A short name for rules, phrases and model together: the same for the same readings."""
    seen = {
        "rules": rules(),
        "model": model,
        "hospital": config.hospital.model_dump(mode="json", exclude={"coverage", "timezone"}),
        "keywords": {**keywords.phrases_of(config.keywords), **topics.categories_of(config.keywords)},
        "signs": signs.voices_of(config.keywords),
    }
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:12]


@cache
def rules(folder: Path = Path(__file__).parent) -> str:
    """A short name for the rules as they are written in this package."""
    paths = sorted(path for pattern in _RULES for path in folder.glob(pattern) if path.is_file())
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()[:12]


def _model(pipeline: Language) -> str | None:
    """The version of the trained model; None where reading is by rules alone."""
    if "scores" not in pipeline.pipe_names:
        return None
    careful: Any = pipeline.get_pipe("scores")
    return str(careful.encoder.version)


def fields(doc: Doc) -> dict[str, Any]:
    """A Doc's findings as the fields of a Reading. Spans die with their Doc, so words are copied out here."""
    if not doc._.in_question:
        said = _NO_WORDS if doc._.about_us and not doc._.own else _NOT_ABOUT_US
        more = {"departments": _departments(doc)} if said is _NO_WORDS else {}
        return {**said, **more, "language": doc._.language, "redacted_text": doc._.redacted}
    return {
        "mentions_us": list(doc._.mentions_us),
        "site": doc._.site,
        "departments": _departments(doc),
        "voice": doc._.voice,
        "kind": doc._.kind,
        "categories": [dict(topic) for topic in doc._.topics],
        "stage": doc._.stage if doc._.voice == "patient" else None,
        "mood": doc._.mood,
        "urgency": doc._.urgency,
        "danger_of": doc._.danger_of if doc._.urgency == "danger" else None,
        "signs": list(doc._.signs),
        "staff": list(doc._.staff),
        "reasons": _reasons(doc),
        "language": doc._.language,
        "readable": doc._.language in language.READ or doc._.voice != "patient",
        "redacted_text": doc._.redacted,
    }


def _departments(doc: Doc) -> list[str]:
    """What its author chose, then what the words name."""
    return list(dict.fromkeys([*([doc._.place] if doc._.place else []), *doc._.departments]))


def unread(why: str) -> dict[str, Any]:
    """The fields of a Reading for a post that nothing can be said of; nothing of its text is shown, as nothing is redacted."""
    said = {**_NOT_ABOUT_US, "voice": "patient", "kind": "comment", "urgency": "routine", "reasons": [why]}
    return {**said, "readable": False, "language": "und", "redacted_text": ""}


_NOT_ABOUT_US: dict[str, Any] = {
    "mentions_us": [], "site": None, "departments": [], "voice": "other", "kind": None, "categories": [], "stage": None,
    "mood": 0.0, "urgency": "none", "danger_of": None, "signs": [], "staff": [],
    "reasons": ["voice other: names nothing of ours"], "readable": True,
}  # fmt: skip


# Its place says that it is about us, and there was nothing to read: a review of stars alone.
_NO_WORDS: dict[str, Any] = {
    **_NOT_ABOUT_US, "voice": "patient", "kind": "comment", "urgency": "low", "reasons": ["no words to read"],
}  # fmt: skip


def _reasons(doc: Doc) -> list[str]:
    reasons = [f"about us: {name!r}" for name in doc._.mentions_us] or (
        ["about us: its place says so"] if doc._.about_us else []
    )
    reasons += doc._.urgency_why
    reasons.append(f"voice {doc._.voice}: {doc._.voice_why}")
    if doc._.kind:
        reasons.append(f"{doc._.kind}: {doc._.kind_why}")
    if doc._.urgency != "danger":
        dropped = [span for span in keywords.spoken(doc, "urgency:") if span._.meant not in ("now", "past")]
        reasons += [
            f"{span.label_.removeprefix('urgency:')} left out: {span.text!r} is {assertion.SHOWN[span._.meant]}"
            for span in dropped
        ]
    reasons += doc._.topics_why
    if len(text_of(doc)) == LONGEST:
        reasons.append(f"only the first {LONGEST:,} characters were read")
    elif doc._.scores is not None and len(doc._.scores.weights) < len(doc._.scores.pieces.ids):
        reasons.append("very long: the encoder read its beginning, phrases were looked for in all of it")
    return reasons
