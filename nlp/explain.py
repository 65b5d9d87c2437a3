"""Why a reading says what it says: the words of a post, and which phrase, rule or weight spoke through them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from spacy.tokens import Doc

from nlp.components.assertion import MEANT, SHOWN
from nlp.components.keywords import spoken
from nlp.components.scores import words
from nlp.heads import SAYS, TOPICS, URGENT, VOICE, Head
from nlp.pipeline import fields
from nlp.tokenizer import text_of

_COLOURS = {"name": "blue", "phrase": "bold yellow", "encoder": "green", "redaction": "magenta"}


@dataclass(frozen=True)
class Evidence:
    """Words of a post, what they speak for, and by what authority."""

    start: int  # character
    end: int
    speaks_for: str
    by: Literal["name", "phrase", "encoder", "redaction"]
    note: str = ""  # how likely, or why it does not count
    counts: bool = True


def drawn(doc: Doc) -> RenderableType:
    """The post with its words marked, what was read, and what each word speaks for; what does not count comes last."""
    text, reading = text_of(doc), fields(doc)
    found = sorted(evidence(doc), key=lambda one: not one.counts)
    post, table = Text(text), Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for one in reversed(found):
        post.stylize(_style(one), one.start, one.end)
    for (_, speaks_for, by, note), group in groupby(found, lambda one: (one.counts, one.speaks_for, one.by, one.note)):
        ones = list(group)
        words = dict.fromkeys(text[one.start : one.end] for one in ones)
        table.add_row(Text(", ".join(words), _style(ones[0])), Text(speaks_for), by, note)
    topics = ", ".join(f"{topic['id']} {topic['score']:.2f}" for topic in reading["categories"]) or "-"
    summary = (
        f"  {reading['urgency']} · {reading['voice']} · {reading['kind'] or '-'} · {topics}"
        f" · stage {reading['stage'] or '-'} · mood {reading['mood']:+.2f} · {reading['language']}"
    )
    why = Text("  why: " + "; ".join(reading["reasons"]), "dim")
    return Group(post, Text(summary, "bold"), table, why, Text())


def _style(one: Evidence) -> str:
    return _COLOURS[one.by] if one.counts else "bright_black"  # "dim" would dim a colour over it too


def evidence(doc: Doc) -> Iterator[Evidence]:
    """Everything that was found, as it was weighed."""
    for span in doc.spans["mentions"]:
        yield Evidence(span.start_char, span.end_char, "about us", "name")
    if doc._.in_question:
        yield from _phrases(doc)
        if doc._.scores is not None:
            yield from _read(doc)
    for mark in doc._.personal:
        yield Evidence(mark.start, mark.end, f"[{mark.kind}]", "redaction")


def _phrases(doc: Doc) -> Iterator[Evidence]:
    for span in spoken(doc, ""):
        meant = SHOWN.get(span._.meant) if span.label_.startswith(MEANT) else None
        label = span.label_.removeprefix("urgency:").removeprefix("category:").replace(":", " ")
        set_aside = meant is not None and (meant != "past" or "danger" not in span.label_)
        note = f"set aside: {meant}" if set_aside else "past: serious, no danger now" if meant else ""
        yield Evidence(span.start_char, span.end_char, label, "phrase", note, not set_aside)


def _read(doc: Doc) -> Iterator[Evidence]:
    """Every answer of the encoder that counts or is likely, with the words that carry it."""
    voices = doc._.scores.one(VOICE)
    best = max(voices, key=voices.__getitem__)
    yield from _words(doc, VOICE, best, None, voices[best], f"voice {best}", counts=best == doc._.voice)
    counting = {doc._.kind, doc._.urgency, *(topic["id"] for topic in doc._.topics)}
    for head in (SAYS, URGENT, TOPICS):
        for label, answer in doc._.scores.any(head).items():
            if label in counting or answer.likely >= 0.5:
                shown = f"{label} ({doc._.danger_of})" if label == "danger" and doc._.danger_of else label
                yield from _words(doc, head, label, answer.sentence, answer.likely, shown, counts=label in counting)


def _words(
    doc: Doc, head: Head, label: str, sentence: int | None, likely: float, shown: str, *, counts: bool
) -> Iterator[Evidence]:
    for span in words(doc, head, label, sentence):
        yield Evidence(span.start_char, span.end_char, shown, "encoder", f"{likely:.2f}", counts)
