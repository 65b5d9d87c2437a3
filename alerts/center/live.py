"""What is new, for every open page: server-sent events.

One look at the database, a few times a second, serves all pages: what is new is written once for each kind of page and
language, and every open page is sent the same bytes. A page says how far it has come, so that one that was cut off, by a
restart or a dead spot, gets what it missed; one that missed very much is told to load itself anew. What is sent may come
twice, so it says how things stand, not what to add.
"""

import asyncio
import contextlib
import json
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from sqlmodel import Session, col, func, select

from alerts.case import CaseEvent
from alerts.center.page import Words
from alerts.center.room import Room
from alerts.verdict import Verdict
from config.schema import Config
from listener.database import reading
from listener.logs import logger
from listener.mention import Mention

log = logger(__name__)

MOST = 500  # new cases or posts; a page that missed more is told to load itself anew
_LOOK = 0.2  # seconds between two looks
_STILL = 15.0  # seconds after which a page is told that it is connected, and what time it is
_OPEN = 300.0  # seconds until a page connects anew: then it is asked again who looks at it
_KEPT = 50  # looks that brought something, for pages that are slow or were away for a moment
_RETRY, _AT_ONCE = 2000, 100  # milliseconds until a browser connects again: when it was cut off, and when we ended it
_GONE_LATE = timedelta(minutes=10)  # a whole round of deletions has one time, and is written down in parts
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Position:
    """How far a page has come."""

    events: int = 0  # the newest CaseEvent
    readings: int = 0  # the newest Verdict: a reading is news once it is decided
    gone: int = 0  # when the last post went, in milliseconds
    lately: int = 0  # how many went shortly before it

    def __str__(self) -> str:
        return f"{self.events}.{self.readings}.{self.gone}.{self.lately}"

    @classmethod
    def read(cls, text: str) -> "Position | None":
        """From what a page says; None for anything else."""
        parts = text.split(".")
        if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 14 for part in parts):
            return None
        return cls(*map(int, parts))

    def is_before(self, other: "Position") -> bool:
        """Whether anything of it is from before the other."""
        return self.events < other.events or self.readings < other.readings or self.gone < other.gone


@dataclass(frozen=True)
class Told:
    """What news() is given: what happened after `since`, up to `until`."""

    session: Session
    config: Config
    now: datetime
    since: Position
    until: Position
    say: Words

    @cached_property
    def cases(self) -> set[int]:
        """Those to which something has happened; that somebody looked at one is nothing."""
        lately = (col(CaseEvent.id) > self.since.events, col(CaseEvent.id) <= self.until.events)
        return set(self.session.exec(select(CaseEvent.case_id).where(*lately, CaseEvent.kind != "viewed")))

    @cached_property
    def gone_since(self) -> datetime:
        """Posts that went later may still be shown by a page; a time after all of them when none went."""
        if (self.since.gone, self.since.lately) == (self.until.gone, self.until.lately):
            return _time(self.until.gone + 1)
        return _time(self.since.gone) - _GONE_LATE


Event = tuple[str, object]  # its name, and what is sent with it as JSON
News = Callable[[Told], Iterable[Event]]
RELOAD: Event = ("reload", None)
_Key = tuple[str, str]  # a page and a language


class _Look(NamedTuple):
    """A look that brought something: how far it came, and what it has for which pages."""

    position: Position
    written: Mapping[_Key, bytes]  # empty where nothing on the page changed; a page that is not there looks by itself


class Live:
    """The open pages, and what they are sent."""

    def __init__(self, room: Room, news: Mapping[str, News]) -> None:
        self._room, self._news = room, news
        self._open: Counter[_Key] = Counter()
        self._looks: deque[_Look] = deque(maxlen=_KEPT)
        self._number = 0  # of the newest look: how many brought something
        self._came = asyncio.Event()  # the next one; each has an event of its own
        self._looked_at = 0.0  # monotonic: the last look that worked
        self._trouble: Exception | None = None  # of the looks since
        self._watching: asyncio.Task[None] | None = None

    @property
    def pages(self) -> int:
        """How many are open."""
        return self._open.total()

    @property
    def topics(self) -> Iterable[str]:
        """The pages that have news."""
        return self._news

    def position(self, session: Session) -> Position:
        """How far a page has come that is written now, in this session's view of the database. To be asked for before
        anything else that the page shows: then it may be told something twice, and never too little."""
        # On PostgreSQL ids are given out before they can be seen: a writer that is slow to commit would be passed over.
        # There a look must end below the first id of any transaction under way.
        newest = (func.max(CaseEvent.id), func.max(Verdict.id), func.max(Mention.deleted_at))
        events, readings, gone = session.exec(select(*(select(one).scalar_subquery() for one in newest))).one()
        if gone is None:
            return Position(events or 0, readings or 0)
        late = select(func.count()).where(col(Mention.deleted_at) > gone - _GONE_LATE)
        return Position(events or 0, readings or 0, int(gone.timestamp() * 1000), session.exec(late).one())

    async def stream(self, topic: str, language: str, since: Position) -> AsyncIterator[bytes]:
        """Everything that happens on a page after `since`, for as long as it stays open."""
        key = (topic, language)
        self._open[key] += 1
        try:
            if self._watching is None or self._watching.done():
                self._looked_at = time.monotonic()  # as long as a look may take, there is none to wait for
                self._watching = asyncio.create_task(self._watch())
            yield f"retry: {_RETRY}\n\n".encode()
            async for written in self._of(key, since):
                yield written
            yield f"retry: {_AT_ONCE}\n\n".encode()
        except Exception as error:  # the page hears nothing more, says so, and connects again
            log.error("live", page=topic, error=error)
        finally:
            self._open[key] -= 1

    async def _of(self, key: _Key, at: Position) -> AsyncIterator[bytes]:
        """What a page is sent, look by look: one that reads slowly holds up nobody, and has no heap of its own."""
        ends = time.monotonic() + _OPEN
        still = 0.0  # it is told at once where it stands
        number = self._number_of(at)
        while time.monotonic() < ends:
            written = b""
            if number == self._number:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, still - time.monotonic())):
                        await self._came.wait()
            elif look := self._look_of(number, key):
                number, at, written = number + 1, look.position, look.written[key]
            else:
                number = self._number  # before it looks: what comes meanwhile comes again
                at, written = await asyncio.to_thread(self._caught_up, key, at)
            if written or time.monotonic() >= still:
                yield written + self._mark(at)
                still = time.monotonic() + _STILL

    def _number_of(self, position: Position) -> int:
        """The look that came exactly so far; -1 if none did that is kept."""
        steps = (back for back, look in enumerate(reversed(self._looks)) if look.position == position)
        back = next(steps, None)
        return -1 if back is None else self._number - back

    def _look_of(self, number: int, key: _Key) -> _Look | None:
        """The look after this one, if it is still kept and has something for such a page."""
        behind = self._number - number
        look = self._looks[-behind] if number >= 0 and behind <= len(self._looks) else None
        return look if look is not None and key in look.written else None

    def _caught_up(self, key: _Key, since: Position) -> tuple[Position, bytes]:
        with reading(self._room.engine) as session:
            until = self.position(session)
            return until, self._written(session, key, since, until)

    async def _watch(self) -> None:
        """Look again and again, as long as a page is open."""
        since: Position | None = None
        while self._open.total():
            began = time.monotonic()
            try:
                keys = [key for key, count in self._open.items() if count]
                look = await asyncio.to_thread(self._look, since, keys)
            except Exception as error:  # the database is locked, or away: the next look may find it
                if self._trouble is None:
                    log.error("live", error=error)
                self._trouble = error
            else:
                self._looked_at, self._trouble = time.monotonic(), None
                if look.position != since:
                    since = look.position
                    self._brought(look)
            await asyncio.sleep(max(_LOOK, time.monotonic() - began))  # a slow database is not asked all the time

    def _brought(self, look: _Look) -> None:
        self._looks.append(look)
        self._number += 1
        self._came.set()
        self._came = asyncio.Event()

    def _look(self, since: Position | None, keys: Sequence[_Key]) -> _Look:
        """What came after `since`. The first look has nothing to compare with: every page looks by itself then."""
        written: dict[_Key, bytes] = {}
        with reading(self._room.engine) as session:
            until = self.position(session)
            if since is None or since == until:
                return _Look(until, written)
            for key in keys:
                try:
                    written[key] = self._written(session, key, since, until)
                except Exception as error:  # of this page; it shall not hold up the others
                    log.error("live", page=key[0], error=error)
        return _Look(until, written)

    def _written(self, session: Session, key: _Key, since: Position, until: Position) -> bytes:
        """News as the bytes of server-sent events."""
        topic, language = key
        if until.is_before(since) or max(until.events - since.events, until.readings - since.readings) > MOST:
            return _event(*RELOAD)  # the database is an older one than before, or it was very much
        told = Told(session, self._room.config(), self._room.now(), since, until, Words(language))
        return b"".join(_event(name, said) for name, said in self._news[topic](told))

    def _mark(self, at: Position) -> bytes:
        """How far the page has come, and what time it is; a page that cannot be told what is new must not seem fresh."""
        if time.monotonic() - self._looked_at > _STILL:
            return b":\n\n"
        return f"id: {at}\n".encode() + _event("now", self._room.now().isoformat())


def _event(name: str, said: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(said)}\n\n".encode()


def _time(milliseconds: int) -> datetime:
    return _NO_TIME + timedelta(milliseconds=milliseconds)
