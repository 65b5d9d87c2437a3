"""PhraseCount: in how many posts of a day each phrase was, for what is usual. Counted once a day is over, some posts at a time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import delete
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, SQLModel, col, exists, select

from config.schema import Config, Hospital, Keywords
from listener.logs import logger
from listener.mention import Mention
from listener.watch import Watch
from nlp.listed import Kept, Listed, Taken
from nlp.reading import Reading

log = logger(__name__)

ABOUT_US = ""  # the list of the row that says how many posts were about us; its phrase is empty, too
EXCLUDE, NOT_US = "exclude", "not_us"
BACK = 35  # days that are counted when nothing is counted yet
_KEPT = timedelta(days=400)
_LATE = timedelta(hours=2)  # after midnight: until then posts of the day are still being heard
_DAY = timedelta(days=1)
_BATCH = 1_000  # posts that are looked through at once: meanwhile no reminder goes out
_PLACE = "phrase counts"  # the Watch that says how far was counted


class PhraseCount(SQLModel, table=True):
    """How many posts of a day held a phrase; none where none did. Of an exclusion: how many it took away."""

    list: str = Field(primary_key=True)  # "categories.food", "exclude", "not_us"; ABOUT_US for all posts about us
    phrase: str = Field(primary_key=True)
    day: date = Field(primary_key=True, index=True)  # in the hospital's zone
    posts: int


class _Post(NamedTuple):
    """A post, as far as it is counted."""

    id: int
    kept: Kept
    is_about_us: bool
    is_danger: bool


def count(session: Session, config: Config, now: datetime) -> bool:
    """Count some posts of the first day that is not counted; False when every day is. Commits.

    While phrases are looked for no transaction is open, and what was found is written only if nobody else did so meanwhile.
    """
    place, zone = session.get(Watch, _PLACE) or Watch(name=_PLACE), config.hospital.zone
    cursor, last = dict(place.cursor), (now.astimezone(zone) - _LATE).date() - _DAY
    day = last - (BACK - 1) * _DAY
    if "counted" in cursor:
        day = max(day, date.fromisoformat(cursor["counted"]) + _DAY)
    if day > last:
        session.rollback()
        return False
    day = _first_with_posts(session, day, last, zone)
    begun = cursor.get("after", 0) if cursor.get("day") == day.isoformat() else 0
    posts = _posts(session, day, zone, begun)
    session.rollback()
    found = counted(posts, config) if posts else Counter()
    place = session.get(Watch, _PLACE, with_for_update=True, populate_existing=True) or Watch(name=_PLACE)
    if dict(place.cursor) != cursor:
        session.rollback()
        return True
    _write(session, day, found)
    if len(posts) < _BATCH:
        place.cursor = {"counted": day.isoformat()}
        session.execute(delete(PhraseCount).where(col(PhraseCount.day) < day - _KEPT))
        log.info("count", day=day)
    else:
        place.cursor = {**cursor, "day": day.isoformat(), "after": posts[-1].id}
    session.add(place)
    session.commit()
    return True


def counted(posts: Sequence[_Post], config: Config) -> Counter[tuple[str, str]]:
    """In how many of these posts each phrase is, by list and phrase."""
    listed, taken = _finders(_Wanted(config.keywords, config.hospital))
    found: Counter[tuple[str, str]] = Counter()
    for post in posts:
        if post.is_about_us:
            found[ABOUT_US, ""] += 1
            held = {listed.entries[number] for number in listed.numbers(listed.doc(post.kept))}
            found.update({(one.table, one.phrase) for one in held if not (one.table == EXCLUDE and post.is_danger)})
        else:
            found.update((NOT_US, name) for name in taken(post.kept.text))
    return found


class _Wanted:
    """What the finders are made of. They are kept while that is the same: to make them takes longer than to count a day."""

    def __init__(self, keywords: Keywords, hospital: Hospital) -> None:
        self.keywords, self.hospital = keywords, hospital
        self._said = keywords.model_dump_json() + hospital.model_dump_json()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Wanted) and self._said == other._said

    def __hash__(self) -> int:
        return hash(self._said)


@lru_cache(maxsize=1)
def _finders(wanted: _Wanted) -> tuple[Listed, Taken]:
    return Listed(wanted.keywords, wanted.hospital), Taken(wanted.hospital)


def _first_with_posts(session: Session, day: date, last: date, zone: ZoneInfo) -> date:
    """The first day from `day` on in which anything was written; `last` where nothing was until then."""
    begin = datetime.combine(day, time(), zone)
    written = select(Mention.written_at).where(Mention.written_at >= begin).order_by(col(Mention.written_at)).limit(1)
    first = session.exec(written).first()
    return min(last, first.astimezone(zone).date()) if first else last


def _posts(session: Session, day: date, zone: ZoneInfo, after: int) -> list[_Post]:
    """Posts of a day from an id on, by their reading in force. Of the hospital's own, and of what is gone, no words."""
    since, until = (datetime.combine(one, time(), zone) for one in (day, day + _DAY))
    newer = aliased(Reading)
    columns: tuple[Any, ...] = (
        *(Mention.id, Mention.text, Mention.place, Mention.about_us, Mention.own, Mention.deleted_at),
        *(Reading.site, Reading.language, Reading.mentions_us, Reading.urgency),
    )
    rows = select(*columns).where(
        *(Mention.written_at >= since, Mention.written_at < until, col(Mention.id) > after),
        Reading.mention_id == Mention.id,
        ~exists().where(col(newer.mention_id) == Mention.id, col(newer.id) > col(Reading.id)),
    )
    return [
        _Post(
            row.id,
            Kept("" if row.own or row.deleted_at else row.text, row.site, row.language, row.place),
            bool(row.about_us or row.mentions_us) and not (row.own or row.deleted_at),
            row.urgency == "danger",
        )
        for row in session.execute(rows.order_by(col(Mention.id)).limit(_BATCH))
    ]


def _write(session: Session, day: date, found: Counter[tuple[str, str]]) -> None:
    for (table, phrase), posts in found.items():
        row = session.get(PhraseCount, (table, phrase, day)) or PhraseCount(list=table, phrase=phrase, day=day, posts=0)
        row.posts += posts
        session.add(row)


class History:
    """What was counted of the last days, day by day, the last day last. Days without a post about us are left out: then
    nobody may have listened."""

    def __init__(self, rows: Sequence[PhraseCount]) -> None:
        about_us = {row.day: row.posts for row in rows if row.list == ABOUT_US}
        self.days = sorted(about_us)
        self.posts = [about_us[day] for day in self.days]
        self._found: dict[tuple[str, str], dict[date, int]] = {}
        for row in rows:
            self._found.setdefault((row.list, row.phrase), {})[row.day] = row.posts

    def of(self, table: str, phrase: str) -> list[int]:
        """Posts that held a phrase."""
        found = self._found.get((table, phrase), {})
        return [found.get(day, 0) for day in self.days]

    def phrases(self, table: str) -> Iterator[str]:
        """Every phrase of a list that any post held, also of those that stand there no more."""
        return (phrase for known, phrase in self._found if known == table)


def history(session: Session, since: date) -> History:
    """What was counted from a day on."""
    return History(session.exec(select(PhraseCount).where(PhraseCount.day >= since)).all())
