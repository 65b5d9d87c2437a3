"""A post as the waterfall shows it: what was read in it, which words told so, and what became of it. Redacted words alone."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlmodel import Session, col, select

from alerts.case import Case
from alerts.message import shorten
from alerts.topic import title_of, titles_of
from alerts.verdict import Verdict, rule_in
from config.schema import Config
from listener.mention import Mention
from nlp.reading import Reading

AMONG = 5_000  # the newest posts, among which those are looked for that are asked for
_AT_ONCE = 500  # readings that are looked through together
_LONGEST = 700  # characters of a post
_WORDS = 40  # that are looked for in it
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)+)'|\"((?:[^\"\\]|\\.)+)\"")


@dataclass(frozen=True)
class Wanted:
    """What the page is narrowed to; "" is no matter."""

    site: str = ""
    category: str = ""
    urgency: str = ""


@dataclass(frozen=True)
class Fallen:
    """A post, as the waterfall shows it."""

    mention_id: int
    written_at: datetime
    source: str
    is_own: bool  # of the hospital's own accounts
    urgency: str
    kind: str | None
    voice: str
    mood: float
    rating: float | None
    site: str | None
    departments: Sequence[str]
    categories: Sequence[str]
    topics: Sequence[str]  # the same by their titles
    readable: bool
    language: str
    pieces: Sequence[tuple[str, bool]]  # its words, each piece with whether it spoke
    outcome: str | None  # None: not decided yet
    rule: str | None  # of care.toml
    case_id: int | None
    case_state: str | None


# ---------------------------------------------------------------- from the database


def newest(session: Session, config: Config, limit: int, wanted: Wanted = Wanted()) -> list[Fallen]:
    """The newest posts that fit, among the last 5,000 that were heard."""
    if wanted == Wanted():
        return posts(session, config, newest_ids(session, 2 * limit))[:limit]  # some are gone, or not read yet
    ids = newest_ids(session, AMONG)
    fitting = (id_ for at in range(0, len(ids), _AT_ONCE) for id_ in _fit(session, ids[at : at + _AT_ONCE], wanted))
    return posts(session, config, list(islice(fitting, limit)))


def posts(session: Session, config: Config, mention_ids: Sequence[int]) -> list[Fallen]:
    """These posts with the reading and the verdict in force, the newest heard first; none that is gone or not read yet."""
    rows: Any = select(Mention).where(col(Mention.id).in_(mention_ids))
    readings = select(Reading).where(col(Reading.mention_id).in_(mention_ids)).order_by(col(Reading.id))
    verdicts = select(Verdict).where(col(Verdict.mention_id).in_(mention_ids)).order_by(col(Verdict.id))
    read = {one.mention_id: one for one in session.exec(readings)}  # of several the newest
    decided = {one.mention_id: one for one in session.exec(verdicts)}
    ids = {one.case_id for one in decided.values() if one.case_id is not None}
    states = dict(session.exec(select(Case.id, Case.state).where(col(Case.id).in_(ids))).all())
    titles = titles_of(config)
    return [
        _fallen(mention, read[mention.id], decided.get(mention.id), states, titles)
        for mention in session.exec(rows.order_by(col(Mention.heard_at).desc(), col(Mention.id).desc()))
        if mention.id in read and mention.deleted_at is None
    ]


def newest_ids(session: Session, limit: int) -> list[int]:
    """The last that were heard, as an index has them: nothing is sorted or looked at."""
    ids = select(Mention.id).order_by(col(Mention.heard_at).desc(), col(Mention.id).desc()).limit(limit)
    return [id_ or 0 for id_ in session.exec(ids)]


def _fit(session: Session, mention_ids: Sequence[int], wanted: Wanted) -> list[int]:
    """Those of them that are wanted, in their order."""
    columns = select(Reading.mention_id, Reading.site, Reading.urgency, Reading.categories)
    rows = session.exec(columns.where(col(Reading.mention_id).in_(mention_ids)).order_by(col(Reading.id)))
    read = {id_: (site, urgency, {topic["id"] for topic in topics}) for id_, site, urgency, topics in rows}

    def fits(id_: int) -> bool:
        site, urgency, topics = read.get(id_, (None, "", frozenset()))
        return (
            id_ in read
            and wanted.site in ("", site)
            and wanted.urgency in ("", urgency)
            and (not wanted.category or wanted.category in topics)
        )

    return [id_ for id_ in mention_ids if fits(id_)]


def _fallen(
    mention: Mention,
    read: Reading,
    verdict: Verdict | None,
    states: Mapping[int | None, str],
    titles: Mapping[str, str],
) -> Fallen:
    assert mention.id is not None
    categories = [category["id"] for category in read.categories]
    return Fallen(
        mention_id=mention.id,
        written_at=mention.written_at,
        source=mention.source,
        is_own=mention.own,
        urgency=read.urgency,
        kind=read.kind,
        voice=read.voice,
        mood=read.mood,
        rating=mention.rating,
        site=read.site,
        departments=read.departments,
        categories=categories,
        topics=[title_of(category, titles) for category in categories],
        readable=read.readable,
        language=read.language,
        pieces=marked(shorten(read.redacted_text, _LONGEST), () if mention.own else spoke(read)),
        outcome=verdict.outcome if verdict else None,
        rule=rule_in(verdict.reason) if verdict else None,
        case_id=verdict.case_id if verdict else None,
        case_state=states.get(verdict.case_id) if verdict else None,
    )


# ---------------------------------------------------------------- the words that spoke; pure


def spoke(read: Reading) -> list[str]:
    """The words for which a post was read as it was; our own names are no reason for anything but that it is about us."""
    words = [word for category in read.categories for word in category["words"]]
    for reason in read.reasons:
        if not reason.startswith("about us"):
            words += [(one or other).replace("\\'", "'") for one, other in _QUOTED.findall(reason)]
    return list(dict.fromkeys(word for word in words if word.strip()))


def marked(text: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    """A text in pieces, each with whether it is one of the words, wherever that stands in it."""
    longest = sorted(words[:_WORDS], key=len, reverse=True)
    if not text or not longest:
        return [(text, False)]
    found = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, longest))})(?!\w)", re.IGNORECASE).split(text)
    return [(piece, number % 2 == 1) for number, piece in enumerate(found) if piece]
