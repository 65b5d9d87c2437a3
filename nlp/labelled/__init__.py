"""The posts that train and test the reader: written for it, labelled by docs/labels.md, one JSON object a line.

A story is told by several posts, whose ids share what stands before the last "-". Stories are never divided: all posts
of one train, or tune thresholds, or test.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

Part = Literal["train", "dev", "test"]
MARKS = ("name", "handle", "phone", "email", "url", "number", "date", "address", "room", "age")
DANGERS = ("self_harm", "emergency", "unattended", "missing", "violence", "overdose_allergy", "abuse")
CATEGORIES = (
    *("access", "waiting", "communication", "attitude", "clinical_care", "safety", "continuity", "facilities", "food"),
    *("parking", "billing", "privacy", "dignity", "staffing", "digital"),
)
STAGES = ("booking", "arrival", "waiting", "treatment", "stay", "discharge", "after")

_MARK = re.compile(r"\[\[(\w+)\|(.*?)\]\]", re.DOTALL)


@dataclass(frozen=True)
class Mark:
    """Words that name a person: where, and of which kind."""

    start: int
    end: int
    kind: str


class Labelled(BaseModel):
    """One labelled post, as written in the file: its text still carries the marks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    text: str
    voice: Literal["patient", "news", "promo", "other"]
    kind: Literal["complaint", "question", "praise", "comment"] | None
    categories: tuple[str, ...]
    stage: Literal["booking", "arrival", "waiting", "treatment", "stay", "discharge", "after"] | None
    mood: Literal[-1, 0, 1]
    urgency: Literal["danger", "here_now", "serious", "routine", "low", "none"]
    danger: str | None = None
    language: Literal["en", "es"] = "en"

    @model_validator(mode="after")
    def _agrees(self) -> "Labelled":
        if (self.kind is not None) != (self.voice == "patient"):
            raise ValueError("kind: of a patient voice, and of no other")
        if self.categories and self.voice != "patient":
            raise ValueError("categories: empty when the voice is not patient")
        if unknown := set(self.categories) - set(CATEGORIES):
            raise ValueError(f"categories: no such topic {sorted(unknown)}")
        if (self.danger in DANGERS) != (self.urgency == "danger"):
            raise ValueError(f"danger: one of {DANGERS} when the urgency is danger, else absent")
        if self.voice != "patient" and self.urgency not in ("none", "danger"):
            raise ValueError("urgency: none (or danger) when the voice is not patient")
        if self.voice == "patient" and self.urgency == "none":
            raise ValueError("urgency: none only when the voice is not patient")
        allowed = {"praise": ("low", "danger", "here_now"), "comment": ("low", "danger", "here_now", "serious")}
        if self.kind in allowed and self.urgency not in allowed[self.kind]:
            raise ValueError(f"urgency: {self.urgency} does not go with {self.kind}")
        if self.kind in ("complaint", "question") and self.urgency == "low":
            raise ValueError("urgency: a complaint or question is at least routine")
        if unknown := {kind for kind, _ in _MARK.findall(self.text)} - set(MARKS):
            raise ValueError(f"text: no such mark {sorted(unknown)}")
        if "[[" in self.shown or "]]" in self.shown:
            raise ValueError("text: a mark that does not close; write [[kind|words]]")
        return self

    @property
    def story(self) -> str:
        """What the post tells of, with others."""
        return self.id.rpartition("-")[0]

    @property
    def part(self) -> Part:
        """Whether it trains, tunes thresholds or tests. By the story's name, so that it never changes."""
        share = hashlib.sha256(self.story.encode()).digest()[0]
        return "test" if share < 64 else "dev" if share < 90 else "train"

    @property
    def shown(self) -> str:
        """The post as a reader sees it."""
        return _MARK.sub(r"\2", self.text)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Where in `shown` the marked words stand."""
        found, cut = [], 0
        for match in _MARK.finditer(self.text):
            start = match.start() - cut
            cut += len(match.group()) - len(match.group(2))
            found.append(Mark(start, start + len(match.group(2)), match.group(1)))
        return tuple(found)


def read(path: Path) -> Iterator[Labelled]:
    """The posts of one file. Raises ValueError that names the line."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            yield Labelled.model_validate(json.loads(line))
        except ValueError as error:
            raise ValueError(f"{path.name}:{number}: {error}") from error


@cache
def posts() -> tuple[Labelled, ...]:
    """Every labelled post that ships."""
    return tuple(post for path in sorted(Path(__file__).parent.glob("*.jsonl")) for post in read(path))


@cache
def second() -> dict[str, dict[str, Any]]:
    """The labels of a second labeller, who saw a fifth of the posts without the first labels: by id."""
    lines = (Path(__file__).parent / "second" / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    known = {post.id for post in posts()}
    return {row["id"]: row for row in rows if row["id"] in known}


def agreement() -> dict[str, float]:
    """How far both labellers agree: Cohen's kappa of each field, and the F1 of the categories against each other."""
    first = {post.id: post for post in posts()}
    found = {}
    for name in ("voice", "kind", "stage", "mood", "urgency"):
        found[name] = _kappa([(str(getattr(first[id_], name)), str(row[name])) for id_, row in second().items()])
    pairs = [(set(first[id_].categories), set(row["categories"])) for id_, row in second().items()]
    both = sum(len(one & other) for one, other in pairs)
    found["categories"] = 2 * both / sum(len(one) + len(other) for one, other in pairs)
    return found


def _kappa(pairs: Sequence[tuple[str, str]]) -> float:
    """Agreement beyond what chance would give (Cohen 1960)."""
    seen = sum(one == other for one, other in pairs) / len(pairs)
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    chance = sum(ones[label] * others[label] for label in ones) / len(pairs) ** 2
    return (seen - chance) / (1 - chance)
