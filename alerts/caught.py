"""What a phrase catches among the kept posts: how many, and the newest of them. A look; it writes nothing.

Only redacted words are looked through, those of the reading in force, so nobody is found by name.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from spacy.tokens import Doc
from sqlmodel import Session, col, func, select

from alerts.message import visible as harmless
from config.schema import Config
from listener.mention import Mention
from nlp.components.keywords import sites_known
from nlp.phrases import Phrases, Sites
from nlp.pipeline import LONGEST
from nlp.reading import Reading, reading_in_force
from nlp.tokenizer import blank, visible
from nlp.tuning import Seeker

_EXCERPT = 280  # characters
_BEFORE = 80  # of them before the first word that was found
_AT_A_TIME = 2_000  # posts

Marks = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Caught:
    """A post that holds the phrase, and how it was read."""

    mention_id: int
    written_at: datetime
    source: str
    urgency: str
    voice: str
    topics: tuple[str, ...]
    excerpt: str  # redacted, in one line
    marks: Marks  # where in the excerpt the words stand: from, to


@dataclass(frozen=True)
class Catch:
    """What a phrase catches; nothing of the hospital's own posts."""

    since: datetime | None
    looked_through: int  # posts
    posts: int  # that hold it
    about_us: int
    of_patients: int  # and about us
    newest: tuple[Caught, ...]


def catch(
    session: Session,
    config: Config,
    phrase: str,
    since: datetime | None,
    most: int = 10,
    told: Callable[[int, int], None] = lambda done, all_: None,
) -> Catch:
    """What a phrase catches of the posts written since then, as the reader finds it; `told` is told how far it is."""
    found_in = _finder(config, phrase)
    may_hold = Seeker({"": [phrase]}).may_hold
    rows, looked, about_us, of_patients = [], 0, 0, 0
    all_ = session.exec(_posts(func.count(), since)).one()
    wanted: tuple[Any, ...] = (
        Mention.id,
        Mention.written_at,
        Mention.about_us,
        Mention.place,
        col(Reading.id).label("reading_id"),
    )
    read_as: tuple[Any, ...] = (
        Reading.redacted_text,
        Reading.voice,
        Reading.site,
        Reading.language,
        Reading.mentions_us,
    )
    posts = session.execute(_posts((*wanted, *read_as), since), execution_options={"yield_per": _AT_A_TIME})
    for post in posts:
        looked += 1
        if looked % _AT_A_TIME == 0:
            told(looked, all_)
        if not may_hold(post.redacted_text) or not found_in(post):
            continue
        is_ours = post.about_us or bool(post.mentions_us) or post.voice == "patient"
        about_us, of_patients = about_us + is_ours, of_patients + (is_ours and post.voice == "patient")
        rows.append(post)
    newest = sorted(rows, key=lambda post: (post.written_at, post.id), reverse=True)[:most]
    return Catch(since, looked, len(rows), about_us, of_patients, tuple(_caught(session, found_in, newest)))


def _posts(wanted: Any, since: datetime | None) -> Any:
    """Posts of others that are not gone, with the reading in force."""
    in_force = reading_in_force()
    columns = wanted if isinstance(wanted, tuple) else (wanted,)
    posts = select(*columns).select_from(Reading).join(Mention, col(Mention.id) == Reading.mention_id)
    posts = posts.where(in_force, col(Mention.deleted_at).is_(None), col(Mention.own).is_(False))
    return posts if since is None else posts.where(Mention.written_at >= since)


def _finder(config: Config, phrase: str) -> Callable[[Any], Marks]:
    """A function that says where in the words of a post the phrase stands, as the reader finds it there."""
    language = blank()
    language.add_pipe("sentences")
    known = sites_known(config.hospital)
    phrases = Phrases(language, {"it": [phrase]}, Sites(known["sites"], known["places"]))

    def found_in(post: Any) -> Marks:
        doc: Doc = language.make_doc(_words(post))
        doc._.site, doc._.place, doc._.language = post.site, post.place, post.language
        for _, component in language.pipeline:
            doc = component(doc)
        return tuple((span.start_char, span.end_char) for span in phrases(doc))

    return found_in


def _words(post: Any) -> str:
    return harmless(visible(post.redacted_text[:LONGEST]))


def _caught(session: Session, found_in: Callable[[Any], Marks], posts: Sequence[Any]) -> Iterator[Caught]:
    shown: Any = select(Reading.id, Mention.source, Reading.urgency, Reading.categories).where(
        Reading.mention_id == Mention.id, col(Reading.id).in_([post.reading_id for post in posts])
    )
    read = {id_: (source, urgency, categories) for id_, source, urgency, categories in session.execute(shown)}
    for post in posts:
        source, urgency, categories = read[post.reading_id]
        excerpt, marks = _excerpt(_words(post), found_in(post))
        topics = tuple(category["id"] for category in categories)
        yield Caught(post.id, post.written_at, source, urgency, post.voice, topics, excerpt, marks)


def _excerpt(text: str, marks: Marks) -> tuple[str, Marks]:
    """The part of a text around its first mark, in one line, and the marks in it."""
    line = re.sub(r"\s", " ", text)  # each blank one: the marks stay right
    start = max(marks[0][0] - _BEFORE, 0) if len(line) > _EXCERPT else 0
    start = min(line.find(" ", start) + 1, marks[0][0]) if start else 0
    end = max(start + _EXCERPT, marks[0][1])
    if end < len(line):
        end = max(line.rfind(" ", start, end), marks[0][1])
    head, tail = "… " if start else "", " …" if end < len(line) else ""
    shift = len(head) - start
    inside = tuple((a + shift, b + shift) for a, b in marks if a >= start and b <= end)
    return head + line[start:end] + tail, inside
