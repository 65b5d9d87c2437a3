"""What waits for people, as lines of an inbox: danger first, then by the time that is left. A few queries, however many wait."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam
from sqlmodel import Session, case, col, func, select

from alerts.case import RANK, WAITING, Case
from alerts.clockface import due_now
from alerts.message import shorten
from alerts.people import Person
from alerts.topic import title_of, titles_of
from alerts.verdict import Verdict
from config.schema import Config
from listener.mention import Mention
from nlp.reading import Reading, reading_in_force

_EXCERPT = 240  # characters
_TOPICS = 3
_POSTS = 200  # of a case that are looked through for its line, as for its card


@dataclass(frozen=True)
class Line:
    """What the inbox shows of a case, without personal details."""

    case_id: int
    state: str
    urgency: str
    owner: str | None  # as it is written down
    owner_name: str | None
    clock_from: datetime
    due_at: datetime  # as things stand: a snoozed one moves
    snoozed_until: datetime | None
    source: str
    site: str | None
    departments: Sequence[str]
    topics: Sequence[str]  # by their titles
    mood: float
    language: str
    readable: bool
    excerpt: str
    gone: str | None
    posts: int
    version: int

    @property
    def order(self) -> tuple[bool, bool, datetime]:
        """Its place: what sleeps is last, danger first, then the one with the least time left."""
        return self.snoozed_until is not None, self.urgency != "danger", self.due_at


class Counts(NamedTuple):
    """How many wait: of each urgency those that nobody has, and all."""

    free: Mapping[str, int]
    all: Mapping[str, int]


def waiting(session: Session, config: Config, now: datetime, limit: int, who: str | None = None) -> list[Line]:
    """The first `limit` cases that nobody has; with `who`, those that this person has."""
    whose = Case.state == "open" if who is None else (Case.state == "claimed") & (Case.owner == who)
    return lines(session, config, session.exec(_ordered().where(whose).limit(limit)).all(), now)


def of_others(session: Session, config: Config, now: datetime, limit: int, who: str) -> list[Line]:
    """The first `limit` cases that others have."""
    theirs = session.exec(_ordered().where(Case.state == "claimed", Case.owner != who).limit(limit)).all()
    return lines(session, config, theirs, now)


def counts(session: Session) -> Counts:
    """How many wait."""
    rows = select(Case.urgency, Case.state, func.count()).where(col(Case.state).in_(WAITING))
    free: dict[str, int] = {}
    total: dict[str, int] = defaultdict(int)
    for urgency, state, count in session.exec(rows.group_by(col(Case.urgency), col(Case.state))):
        total[urgency] += count
        if state == "open":
            free[urgency] = count
    ranked = sorted(total, key=RANK.__getitem__)
    return Counts({urgency: free[urgency] for urgency in ranked if urgency in free}, {u: total[u] for u in ranked})


def lines(session: Session, config: Config, cases: Sequence[Case], now: datetime) -> list[Line]:
    """These cases, in the order of the inbox; two queries for all of them."""
    if not cases:
        return []
    said, names, titles = _foremost(session, cases), _names(session, cases, config), titles_of(config)
    found = [_line(one, said[one.id or 0], names, titles, now) for one in cases if one.id in said]
    return sorted(found, key=lambda line: line.order)


def _ordered() -> Any:
    order = (col(Case.snoozed_at).is_not(None), case((col(Case.urgency) == "danger", 0), else_=1), col(Case.due_at))
    return select(Case).order_by(*order, col(Case.id))


def _line(one: Case, said: Any, names: Mapping[str, str], titles: Mapping[str, str], now: datetime) -> Line:
    topics = one.topics if one.topics is not None else [topic["id"] for topic in said.categories]
    assert one.id is not None
    return Line(
        case_id=one.id,
        state=one.state,
        urgency=one.urgency,
        owner=one.owner,
        owner_name=names.get(one.owner, one.owner) if one.owner else None,
        clock_from=one.clock_from,
        due_at=due_now(one, now),
        snoozed_until=one.snoozed_until,
        source=one.source,
        site=said.site,
        departments=said.departments,
        topics=[title_of(topic, titles) for topic in topics[:_TOPICS]],
        mood=said.mood,
        language=said.language,
        readable=said.readable,
        excerpt="" if said.deleted_at else shorten(said.redacted_text, _EXCERPT),
        gone=said.deleted_why if said.deleted_at else None,
        posts=one.posts,
        version=one.version,
    )


def _foremost(session: Session, cases: Sequence[Case]) -> dict[int, Any]:
    """Of each case what its foremost post says: the most urgent one that is not gone, as on its card."""
    found = session.execute(_said(), {"ids": [one.id for one in cases], "most": _POSTS})
    return {row.case_id: row for row in found}


@cache
def _said() -> Any:
    """The question for it, with the cases as `ids`. To put it together takes longer than to answer it."""
    theirs, in_force = _posts(), reading_in_force()
    rank = case(RANK, value=col(Reading.urgency))
    order = (col(Mention.deleted_at).is_not(None), rank, col(Mention.written_at), col(Mention.id))
    place = func.row_number().over(partition_by=theirs.c.case_id, order_by=order).label("place")
    placed: Any = select(theirs.c.case_id, col(Reading.id).label("reading_id"), place)
    placed = placed.join(Mention, col(Mention.id) == theirs.c.mention_id)
    placed = placed.join(Reading, (col(Reading.mention_id) == Mention.id) & in_force).subquery()
    rows: Any = select(  # type: ignore[call-overload]  # sqlmodel knows four columns at most
        placed.c.case_id, Reading.site, Reading.departments, Reading.categories, Reading.mood, Reading.language,
        Reading.readable, Reading.redacted_text, Mention.deleted_at, Mention.deleted_why,
    )  # fmt: skip
    rows = rows.join(Reading, col(Reading.id) == placed.c.reading_id)
    return rows.join(Mention, col(Mention.id) == Reading.mention_id).where(placed.c.place == 1)


def _posts() -> Any:
    """The posts of the cases `ids`, as case_id and mention_id; of a case that hundreds joined, the first."""
    ids: Any = bindparam("ids", expanding=True)
    number = func.dense_rank().over(partition_by=col(Verdict.case_id), order_by=col(Verdict.mention_id))
    joined = select(Verdict.case_id, Verdict.mention_id, number.label("number")).where(col(Verdict.case_id).in_(ids))
    numbered = joined.subquery()
    first = select(numbered.c.case_id, numbered.c.mention_id).where(numbered.c.number <= bindparam("most"))
    own: Any = select(col(Case.id).label("case_id"), Case.mention_id).where(col(Case.id).in_(ids))
    return own.union(first).subquery()


def _names(session: Session, cases: Sequence[Case], config: Config) -> dict[str, str]:
    """What colleagues call who has one of them."""
    owners = {one.owner for one in cases if one.owner}
    if not owners:
        return {}
    known = {person.id: person.name for person in session.exec(select(Person).where(col(Person.id).in_(owners)))}
    seats = {seat.slack or name: seat.name or name for name, seat in config.care.center.people.items()}
    return {**known, **{who: name for who, name in seats.items() if who in owners}}
