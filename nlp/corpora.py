"""What the encoder learns from: our labelled posts, and public collections that each know some of the answers.

What a collection does not say is unknown, not false: a survey comment about food says nothing of parking, a tweet with
marked names nothing of its mood. The collections are no part of the program; nlp/model/CARD.md names their sources.
"""

import csv
import hashlib
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from nlp.heads import DANGER, MOOD, STAGE, TOPICS, URGENT, VOICE, Head
from nlp.labelled import MARKS, Labelled, Mark, Part, posts
from nlp.tokenizer import words_of

T = TypeVar("T")


@dataclass(frozen=True)
class Example:
    """One text and what is known of it."""

    text: str
    # Head -> label -> whether it is so. Of a "one" head: the labels that may be right.
    answers: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    marks: Sequence[Mark] = ()
    marked: frozenset[str] = frozenset()  # the kinds of marks that would be there if the text had any
    weight: float = 1.0


def one(head: Head, *labels: str) -> dict[str, bool]:
    """Any of these labels, and no other."""
    return {label: label in labels for label in head.labels}


def every(head: Head, labels: Iterable[str]) -> dict[str, bool]:
    """These labels are so, all others are not."""
    found = set(labels)
    return {label: label in found for label in head.labels}


# ---------------------------------------------------------------- our own


def ours(*parts: Part) -> Iterator[Example]:
    """Our labelled posts."""
    return (example(post) for post in posts() if post.part in parts)


def example(post: Labelled) -> Example:
    """A labelled post as the encoder learns it."""
    answers = {
        "voice": one(VOICE, post.voice),
        "mood": one(MOOD, MOOD.labels[post.mood + 1]),
        "urgent": every(URGENT, [post.urgency]),
    }
    # Which of the lesser two also holds in a worse post is not labelled.
    for worse, unknown in (("danger", ("here_now", "serious")), ("here_now", ("serious",))):
        if post.urgency == worse:
            answers["urgent"] = {label: so for label, so in answers["urgent"].items() if label not in unknown}
    if post.danger:
        answers["danger"] = every(DANGER, [post.danger])
    else:
        answers["danger"] = every(DANGER, [])
    if post.voice == "patient":
        answers["says"] = _says(post)
        answers["topics"] = every(TOPICS, post.categories)
        answers["stage"] = one(STAGE, post.stage or "none")
    return Example(post.shown, answers, post.marks, frozenset(MARKS))


def _says(post: Labelled) -> dict[str, bool]:
    """Of a complaint it is not known whether it also asks, or praises, unless its writer is plainly unhappy."""
    order = ("complaint", "question", "praise")
    known = order[: order.index(post.kind) + 1] if post.kind in order else order
    found = {label: label == post.kind for label in known}
    return {**found, "praise": False} if post.kind == "complaint" and post.mood < 0 else found


# ---------------------------------------------------------------- what patients wrote in surveys


def survey_themes(folder: Path) -> Iterator[Example]:
    """nhs_phase1: one topic each, and how bad the worst statement is."""
    topic_of = {
        row["label"]: row["category"] for row in _rows(folder / "label_mapping.csv") if row["column"] == "subcategory"
    }
    for row in _rows(folder / "nhs_phase1_train.csv"):
        topic = topic_of.get(row["subcategory"])
        answers = {"voice": one(VOICE, "patient")}
        if topic:
            answers["topics"] = {topic: True}
        if row["criticality"]:
            sign = float(row["criticality"])
            answers["says"] = {"complaint": sign < 0, **({"praise": True} if sign > 0 else {})}
        yield Example(row["text"], answers, weight=0.5)


def survey_topics(folder: Path, split: str) -> Iterator[Example]:
    """nhs_phase2: every topic, and how content the writer is, 1 (very) to 5."""
    topics_of = {
        row["label"]: row["category"] for row in _rows(folder / "label_mapping.csv") if row["column"] == "labels"
    }
    for row in _rows(folder / "nhs_phase2_train_dev.csv"):
        if row["split"] != split:
            continue
        topics = {topics_of[label] for label in row["labels"].split("|") if label in topics_of}
        # Survey answers are not asked about these: that none is named is no proof.
        unasked = {"billing", "privacy", "digital"} - topics
        answers = {
            "voice": one(VOICE, "patient"),
            "topics": {label: so for label, so in every(TOPICS, topics).items() if label not in unasked},
        }
        if row["sentiment_1vpos_5vneg"]:
            content = float(row["sentiment_1vpos_5vneg"])
            answers["mood"] = one(MOOD, "happy" if content < 3 else "unhappy" if content > 3 else "neither")
            if content != 3:
                answers["says"] = {"praise": True} if content < 3 else {"complaint": True}
        yield Example(row["text"], answers)


# ---------------------------------------------------------------- people on other things


def chatter(folder: Path, part: slice, seed: int) -> Iterator[Example]:
    """crisislex: tweets about storms, floods, crashes, and anything else; nobody in them needs a hospital's answer."""
    texts = sorted({text for text in tweets(folder) if is_training_chatter(text)})
    nothing = {
        "voice": one(VOICE, "news", "promo", "other"),
        "urgent": every(URGENT, []),
        "danger": every(DANGER, []),
    }
    random.Random(seed).shuffle(texts)
    return (Example(text, nothing) for text in texts[part])


def tweets(folder: Path) -> Iterator[str]:
    """crisislex, all of it."""
    return (row["text"] for row in _rows(folder / "crisislex_t6.csv"))


def is_training_chatter(text: str) -> bool:
    """Whether a tweet is of the fifth that may train; the others measure false alarms."""
    return hashlib.sha256(" ".join(text.split()).encode()).digest()[0] < 51


_HAPPY = words_of("admiration approval gratitude joy love pride relief excitement amusement caring optimism")
_UNHAPPY = words_of("anger annoyance disappointment disapproval disgust sadness grief fear")


def feelings(folder: Path, most: int, seed: int) -> Iterator[Example]:
    """goemotions: Reddit comments with one clear feeling."""
    found = []
    for row in _rows(folder / "goemotions.csv"):
        labels = set(row["labels"].replace(",", "|").split("|"))
        if row["split"] == "train" and labels <= _HAPPY:
            found.append((row["text"], "happy"))
        elif row["split"] == "train" and labels <= _UNHAPPY:
            found.append((row["text"], "unhappy"))
    return (Example(text, {"mood": one(MOOD, mood)}, weight=0.3) for text, mood in some(sorted(found), most, seed))


# ---------------------------------------------------------------- names


def names_in_tweets(folder: Path, split: str, name: str = "") -> Iterator[Example]:
    """wnut17 and broad_twitter: persons are marked, phones and dates are not. `name`: one of the two files."""
    for file in ("wnut17_ner.jsonl", "broad_twitter_ner.jsonl"):
        if not file.startswith(name):
            continue
        for row in _lines(folder / file):
            if row["split"] == split:
                yield Example(row["text"], {}, tuple(persons(row)), frozenset(["name"]))


def persons(row: Mapping[str, Any]) -> Iterator[Mark]:
    """The persons of a row, without the handles that one collection counts as such."""
    text = row["text"]
    for span in row["spans"]:
        if span["label"] in ("person", "PER"):
            start, end = span["start"], span["end"]
            written = text[start:end]
            if "@" in written or text[:start].rstrip().endswith("@"):
                continue
            yield Mark(start, end, "name")


_PERSONAL = {
    **{"PERSON": "name", "PHONE_NUMBER": "phone", "EMAIL_ADDRESS": "email", "STREET_ADDRESS": "address", "ADDRESS": "address"},
    **{"US_SSN": "number", "CREDIT_CARD": "number", "IBAN_CODE": "number", "US_DRIVER_LICENSE": "number", "ZIP_CODE": "address"},
}  # fmt: skip


def personal(folder: Path, *, held_back: bool) -> Iterator[Example]:
    """presidio: made-up sentences with personal data. A sentence pattern is held back with all its sentences."""
    for row in _lines(folder / "presidio_synth_v2.jsonl"):
        if is_held_back(row) == held_back:
            marks = [
                Mark(span["start"], span["end"], _PERSONAL[span["label"]])
                for span in row["spans"]
                if span["label"] in _PERSONAL
            ]
            # Places, companies and ages are no marks of ours; dates are marked there also without a day.
            yield Example(row["text"], {}, tuple(marks), frozenset(_PERSONAL.values()), weight=0.5)


def is_held_back(row: Mapping[str, Any]) -> bool:
    """Whether a row of presidio tests rather than trains."""
    return int(row["template_id"]) % 4 == 0


# ---------------------------------------------------------------- all of it


def some(found: Iterable[T], most: int, seed: int) -> Sequence[T]:
    """At most so many, the same for the same seed."""
    every = list(found)
    return random.Random(seed).sample(every, min(most, len(every)))


def everything(folder: Path, seed: int) -> dict[str, list[Example]]:
    """What the model that ships is trained on, by source."""
    sources: dict[str, Callable[[], Iterable[Example]]] = {
        "ours": lambda: ours("train"),
        "survey_themes": lambda: survey_themes(folder),
        "survey_topics": lambda: (example for example in survey_topics(folder, "train") if not _tunes(example)),
        "chatter": lambda: chatter(folder, slice(4_000), seed),
        "feelings": lambda: feelings(folder, 2_000, seed),
        "names": lambda: some(names_in_tweets(folder, "train"), 6_000, seed),
        "personal": lambda: personal(folder, held_back=False),
    }
    return {name: list(examples()) for name, examples in sources.items()}


def tuning(folder: Path, seed: int) -> list[Example]:
    """What thresholds are chosen on: nothing of it has trained, nothing of it tests."""
    surveys = (example for example in survey_topics(folder, "train") if _tunes(example))
    return [*ours("dev"), *surveys, *chatter(folder, slice(4_000, 10_000), seed)]


def _tunes(example: Example) -> bool:
    """Every tenth survey comment."""
    return hashlib.sha256(" ".join(example.text.lower().split()).encode()).digest()[0] < 26


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
