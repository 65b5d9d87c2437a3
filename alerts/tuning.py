"""What was changed in what posts are read with, and how many posts hold the changed words."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Protocol

from sqlmodel import Session, col, select

from alerts.span import Span
from listener import versions
from nlp.reading import ReadWith

_MOST = 20_000  # texts that are read again for the words; evenly taken from more, and the count is then an estimate
_OF_PATIENTS = ("categories", "urgency")  # these lists speak of nobody else's posts
_READER, _MODEL = "reader", ("reader", "model")


class Post(Protocol):
    """What is looked at of a mention: these fields of figures.Heard."""

    @property
    def heard_at(self) -> datetime:
        """When."""

    @property
    def deleted(self) -> bool:
        """Whether it is gone at its place."""

    @property
    def voice(self) -> str | None:
        """Whose it is."""

    @property
    def redacted_text(self) -> str:
        """Its words."""


@dataclass(frozen=True)
class Change:
    """Lines of one list that came or went at one time; ("reader",) is the program's own way to read, ("reader", "model")
    whether its model is used."""

    at: datetime
    where: tuple[str, ...]  # the keys of the list, as ("categories", "billing", "phrases")
    words: tuple[str, ...]
    is_added: bool
    # Posts of the span, heard from then on, that hold one of the words; None where there is nothing to look for.
    posts: int | None = None
    is_estimate: bool = False
    version: int | None = None  # of the config files, and who saved it; None where versions were not kept yet
    by: str = ""


def changes(session: Session, span: Span, heard: Sequence[Post]) -> list[Change]:
    """What was changed in a span, in the order of time, and how many of these posts hold the changed words."""
    inside = select(ReadWith.id, ReadWith.pipeline_version, ReadWith.since).where(
        ReadWith.since >= span.since, ReadWith.since < span.until
    )
    rows = list(session.exec(inside.order_by(col(ReadWith.id))))
    if not rows:
        return []
    before = select(ReadWith.id, ReadWith.pipeline_version, ReadWith.since).where(col(ReadWith.id) < rows[0][0])
    rows = [*session.exec(before.order_by(col(ReadWith.id).desc()).limit(1)), *rows]
    kept = select(ReadWith.pipeline_version, ReadWith.lines).where(
        col(ReadWith.pipeline_version).in_({version for _, version, _ in rows}), col(ReadWith.lines).is_not(None)
    )
    lines = {version: set(map(tuple, written or ())) for version, written in session.exec(kept)}
    found = [
        change
        for (_, old, _), (_, new, at) in pairwise(rows)
        for change in between(lines.get(old, set()), lines.get(new, set()), at)
    ]
    return _counted([_signed(session, change) for change in found], heard)


def _signed(session: Session, change: Change) -> Change:
    """With the version of the files that was in force when the first post was read so."""
    version = versions.at(session, change.at) if change.where[0] != _READER else None
    return replace(change, version=version.number, by=version.author) if version else change


def between(old: set[tuple[str, ...]], new: set[tuple[str, ...]], at: datetime) -> list[Change]:
    """What of `new` is not in `old` and the other way round, list by list. Pure."""
    lists: dict[tuple[bool, tuple[str, ...]], list[str]] = defaultdict(list)
    for is_added, differ in ((True, new - old), (False, old - new)):
        for line in sorted(differ):
            if line[0] != _READER:
                lists[is_added, line[:-1]].append(line[-1])
    found = [Change(at, where, tuple(words), is_added) for (is_added, where), words in sorted(lists.items())]
    had, has = ({line[-1] for line in lines if line[:-1] == _MODEL} - {""} for lines in (old, new))
    if bool(had) != bool(has):
        found.append(Change(at, _MODEL, (), bool(has)))
    elif {line for line in old ^ new if line[0] == _READER}:
        found.append(Change(at, (_READER,), (), True))
    return found


def _counted(found: Sequence[Change], heard: Sequence[Post]) -> list[Change]:
    from nlp.tuning import Seeker, phrases_of  # loads spaCy, and most weeks nothing is changed

    phrases = {str(at): sought for at, one in enumerate(found) if (sought := phrases_of(one.where, one.words))}
    if not phrases:
        return list(found)
    seeker, first = Seeker(phrases), min(found[int(label)].at for label in phrases)
    may = [one for one in heard if one.heard_at >= first and not one.deleted and seeker.may_hold(one.redacted_text)]
    each = -(-len(may) // _MOST) or 1
    counts: Counter[str] = Counter()
    for one in may[::each]:
        counts.update(label for label in seeker(one.redacted_text) if _counts(one, found[int(label)]))
    return [
        replace(one, posts=each * counts[str(at)], is_estimate=each > 1) if str(at) in phrases else one
        for at, one in enumerate(found)
    ]


def _counts(one: Post, change: Change) -> bool:
    return one.heard_at >= change.at and (one.voice == "patient" or change.where[0] not in _OF_PATIENTS)
