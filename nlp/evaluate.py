"""How well the reader reads: every figure of nlp/model/CARD.md, from labelled data that did not train it."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spacy.tokens import Doc

from config.schema import Config
from listener import week
from nlp import corpora
from nlp.heads import SAYS, TOPICS, URGENT
from nlp.labelled import Labelled, Mark, posts
from nlp.pipeline import Reader, Text, fields

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Tally:
    """Right and wrong of one label."""

    label: str
    found: int  # said and so
    false: int  # said and not so
    missed: int  # so and not said

    @property
    def support(self) -> int:
        """How many there are."""
        return self.found + self.missed

    @property
    def precision(self) -> float:
        """Of what is said, how much is so."""
        return self.found / (self.found + self.false) if self.found + self.false else 0.0

    @property
    def recall(self) -> float:
        """Of what is so, how much is said."""
        return self.found / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.found / (2 * self.found + self.false + self.missed) if self.support + self.false else 0.0


@dataclass(frozen=True)
class Table:
    """The tallies of one field."""

    name: str
    rows: tuple[Tally, ...]
    least: int = 1  # labels with fewer cases do not count in the mean

    @property
    def macro(self) -> float:
        """The mean F1 of the labels."""
        counted = [row.f1 for row in self.rows if row.support >= self.least]
        return sum(counted) / len(counted) if counted else 0.0

    @property
    def micro(self) -> float:
        """F1 of all labels together."""
        total = Tally("", *(sum(getattr(row, name) for row in self.rows) for name in ("found", "false", "missed")))
        return total.f1

    def __getitem__(self, label: str) -> Tally:
        return next(row for row in self.rows if row.label == label)


def tally(name: str, labels: Iterable[str], pairs: Sequence[tuple[set[str], set[str]]], least: int = 1) -> Table:
    """`pairs`: the labels that are so and those that are said, of each text."""
    rows = []
    for label in labels:
        counts = Counter((label in so, label in said) for so, said in pairs)
        rows.append(Tally(label, counts[True, True], counts[False, True], counts[True, False]))
    return Table(name, tuple(rows), least)


@dataclass
class Found:
    """Everything that was measured."""

    tables: list[Table] = field(default_factory=list)
    goals: list["Goal"] = field(default_factory=list)
    calibration: dict[str, list[tuple[float, float, int]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Goal:
    """One line of what was to be reached."""

    what: str
    on: str
    reached: str
    wanted: str
    is_reached: bool


FIELDS = ("voice", "kind", "urgency", "stage")
_LOOK_ALIKES = ("per-", "idt-", "wiw-")  # stories full of words that look as if they named a person


def evaluate(reader: Reader, config: Config, data: Path | None, progress: Progress = lambda _: None) -> Found:
    """Measure everything that can be: without `data` what ships, with it the public collections too."""
    found = Found()
    progress("our own test stories")
    _own(reader, found)
    progress("the bundled week")
    _week(reader, config, found)
    if data is not None:
        progress("survey comments")
        _surveys(reader, data, found)
        progress("names and personal data")
        _personal(reader, data, found)
        progress("60,084 tweets")
        _false_alarms(reader, data, found)
    return found


# ---------------------------------------------------------------- our own stories


def _own(reader: Reader, found: Found) -> None:
    test = [post for post in posts() if post.part == "test"]
    docs = list(reader.docs([Text(post.shown, about_us=True) for post in test]))
    said = [fields(doc) for doc in docs]
    on = f"{len(test)} posts of {len({post.story for post in test})} stories held back"
    for name in FIELDS:
        pairs = [({str(getattr(post, name))}, {str(one[name])}) for post, one in zip(test, said, strict=True)]
        table = tally(name, sorted({label for so, _ in pairs for label in so}), pairs)
        found.tables.append(table)
        if name != "stage":
            found.goals.append(_f1(f"{name}, macro-F1", on, table.macro, 0.85))
    spanish = [(post, one) for post, one in zip(test, said, strict=True) if post.language == "es"]
    for name in FIELDS[:3]:
        pairs = [({str(getattr(post, name))}, {str(one[name])}) for post, one in spanish]
        found.tables.append(
            tally(f"{name} of Spanish posts", sorted({label for so, _ in pairs for label in so}), pairs)
        )
    topics = [
        (set(post.categories), {topic["id"] for topic in one["categories"]})
        for post, one in zip(test, said, strict=True)
    ]
    found.tables.append(tally("categories", TOPICS.labels, topics))
    complaint, danger = found.tables[1]["complaint"], found.tables[2]["danger"]
    found.goals.append(_f1("complaint, recall", on, complaint.recall, 0.95))
    found.goals.append(_f1("complaint, precision", on, complaint.precision, 0.90))
    found.goals.append(Goal("danger, missed", on, f"{danger.missed} of {danger.support}", "none", danger.missed == 0))
    found.calibration = dict(_calibration(test, docs))
    _redacted(test, docs, found)


def _week(reader: Reader, config: Config, found: Found) -> None:
    pairs = week_read(reader, config)
    on = f"{len(pairs)} posts of the bundled week"
    for name in FIELDS[:3]:
        sets = [({str(so[name])}, {str(said[name])}) for so, said in pairs]
        table = tally(name, sorted({label for so, _ in sets for label in so}), sets)
        found.goals.append(_f1(f"{name}, macro-F1", on, table.macro, 0.85))
        if name == "urgency":
            danger = table["danger"]
            found.goals.append(
                Goal("danger, missed", on, f"{danger.missed} of {danger.support}", "none", danger.missed == 0)
            )
            found.goals.append(Goal("danger, false alarms", on, f"{danger.false}", "few", danger.false <= 4))


def week_read(reader: Reader, config: Config) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each post of the bundled week: what it says by its label, and by the reader, who knows the thread it stands in."""
    labels = [json.loads(line) for line in week.EXPECTED.read_text(encoding="utf-8").splitlines()]
    about_us: set[tuple[str, str | None]] = set()
    read = []
    for post in week.posts(config.hospital.zone, datetime.now(UTC)):
        thread, own = (post.source, post.thread), config.hospital.is_own_account(post.source, post.author)
        said = fields(reader.doc(Text(post.text, post.about_us or thread in about_us, own)))
        if said["mentions_us"]:
            about_us.add(thread)
        read.append(said)
    return list(zip(labels, read, strict=True))


def _f1(what: str, on: str, value: float, wanted: float) -> Goal:
    return Goal(what, on, f"{value:.3f}", f"{wanted:.2f}", value >= wanted)


def _redacted(test: Sequence[Labelled], docs: Sequence[Doc], found: Found) -> None:
    rows, touched, clean = Counter[tuple[str, bool]](), 0, 0
    for post, doc in zip(test, docs, strict=True):
        gone: Sequence[Mark] = doc._.personal
        for mark in post.marks:
            rows[mark.kind, _covers(gone, mark)] += 1
        if post.id.startswith(_LOOK_ALIKES) and not post.marks:
            clean += 1
            touched += bool(gone)
    kinds = sorted({kind for kind, _ in rows})
    found.tables.append(
        Table("redaction", tuple(Tally(kind, rows[kind, True], 0, rows[kind, False]) for kind in kinds))
    )
    total = sum(rows.values())
    recall = sum(count for (_, so), count in rows.items() if so) / total
    found.goals.append(_f1("redaction, recall", f"{total} marks in the test stories", recall, 0.97))
    found.goals.append(
        Goal(
            "redaction, posts without marks touched",
            f"{clean} hard negatives",
            f"{touched}",
            "5 %",
            touched <= 0.05 * clean,
        )
    )


def _covers(gone: Sequence[Mark], mark: Mark) -> bool:
    """Whether no character of a mark is left."""
    left = set(range(mark.start, mark.end))
    for one in gone:
        left -= set(range(one.start, one.end))
    return not left


# ---------------------------------------------------------------- public collections


def _surveys(reader: Reader, data: Path, found: Found) -> None:
    rows = list(corpora.survey_topics(data, "dev"))
    said = reader.read([Text(row.text, about_us=True) for row in rows])
    known = {label for row in rows for label in row.answers["topics"]}
    pairs = [
        (
            {label for label, so in row.answers["topics"].items() if so},
            {topic["id"] for topic in one["categories"]} & known,
        )
        for row, one in zip(rows, said, strict=True)
    ]
    table = tally("categories of survey comments", sorted(known), pairs, least=15)
    found.tables.append(table)
    on = f"{len(rows)} dev rows of nhs_phase2"
    found.goals.append(_f1("categories, micro-F1", on, table.micro, 0.82))
    found.goals.append(_f1("categories, macro-F1", on, table.macro, 0.74))


def _personal(reader: Reader, data: Path, found: Found) -> None:
    for name in ("wnut17", "broad_twitter"):
        rows = list(corpora.names_in_tweets(data, "test", name))
        found.tables.append(Table(f"persons in {name}", (_names(reader, rows),)))
        found.goals.append(_f1("names, F1", f"{len(rows)} test rows of {name}", found.tables[-1].macro, 0.60))
    rows = list(corpora.personal(data, held_back=True))
    kinds = Counter[tuple[str, bool]]()
    for row, doc in zip(rows, reader.docs([Text(row.text, about_us=True) for row in rows]), strict=True):
        for mark in row.marks:
            kinds[mark.kind, _covers(doc._.personal, mark)] += 1
    labels = sorted({kind for kind, _ in kinds})
    table = Table("redaction of presidio", tuple(Tally(k, kinds[k, True], 0, kinds[k, False]) for k in labels))
    found.tables.append(table)
    total = sum(kinds.values())
    recall = sum(count for (_, so), count in kinds.items() if so) / total
    found.goals.append(
        _f1("redaction, recall", f"{total} marks of presidio_synth_v2, held-back patterns", recall, 0.97)
    )


def _names(reader: Reader, rows: Sequence[corpora.Example]) -> Tally:
    """Persons found whole, missed, and said where none is."""
    right = false = missed = 0
    for row, doc in zip(rows, reader.docs([Text(row.text, about_us=True) for row in rows]), strict=True):
        said = {(mark.start, mark.end) for mark in doc._.personal if mark.kind == "name"}
        so = {(mark.start, mark.end) for mark in row.marks}
        right, false, missed = right + len(said & so), false + len(said - so), missed + len(so - said)
    return Tally("name", right, false, missed)


def _false_alarms(reader: Reader, data: Path, found: Found) -> None:
    texts = [text for text in corpora.tweets(data) if not corpora.is_training_chatter(text)]
    for about_us, name in ((False, "read as they are"), (True, "read as if about us")):
        false = sum(one["urgency"] == "danger" for one in reader.read([Text(text, about_us) for text in texts]))
        found.goals.append(
            Goal(
                "danger, false alarms",
                f"{len(texts)} unrelated tweets {name}",
                f"{false}",
                "1 in 2,000",
                false <= len(texts) / 2000,
            )
        )


# ---------------------------------------------------------------- how sure it may be


def _calibration(test: Sequence[Labelled], docs: Sequence[Doc]) -> Iterator[tuple[str, list[tuple[float, float, int]]]]:
    """For each answer: how likely it was said to be, how often it was so, of how many; in fifths of likelihood.

    Of the posts that tell: whether someone in danger is also here and now is not labelled.
    """
    known = [corpora.example(post).answers for post in test]
    for head, label in ((SAYS, "complaint"), *((URGENT, label) for label in URGENT.labels)):
        pairs = [
            (doc._.scores.any(head)[label].likely, answers[head.name][label])
            for doc, answers in zip(docs, known, strict=True)
            if label in answers.get(head.name, {})
        ]
        yield label, list(_fifths(pairs))


def _fifths(pairs: Sequence[tuple[float, bool]]) -> Iterator[tuple[float, float, int]]:
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        inside = [(likely, so) for likely, so in pairs if low <= likely < low + 0.2 or (low == 0.8 and likely == 1)]
        if inside:
            count = len(inside)
            yield sum(likely for likely, _ in inside) / count, sum(so for _, so in inside) / count, count
