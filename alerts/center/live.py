"""What is new, for every open page: server-sent events.

One look at the database, a few times a second, serves all pages: what is new is written once for each kind of page and
language, and every open page is sent the same bytes. A page says how far it has come, so that one that was cut off, by a
restart or a dead spot, gets what it missed; one that missed very much is told to load itself anew.
"""

import asyncio
import json
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from sqlmodel import Session, func, select

from alerts.case import CaseEvent
from alerts.center.page import Words
from alerts.center.room import Room
from config.schema import Config
from listener.database import reading
from listener.mention import Mention
from nlp.reading import Reading

log = logging.getLogger(__name__)

MOST = 500  # new cases or posts; a page that missed more is told to load itself anew
_LOOK = 0.2  # seconds between two looks
_STILL = 15.0  # seconds after which a page is told that it is connected, and what time it is
_OPEN = 300.0  # seconds until a page connects anew: then it is asked again who looks at it
_KEPT = 300  # looks that brought something, for pages that come late
_RETRY = 2000  # milliseconds until a browser connects again
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Position:
    """How far a page has come."""

    events: int = 0  # the newest CaseEvent
    readings: int = 0  # the newest Reading
    gone: int = 0  # when the last post went, in milliseconds

    def __str__(self) -> str:
        return f"{self.events}.{self.readings}.{self.gone}"

    @classmethod
    def read(cls, text: str) -> "Position | None":
        """From what a page says; None for anything else."""
        parts = text.split(".")
        if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
            return None
        return cls(*map(int, parts))


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
    def gone_since(self) -> datetime:
        """When posts went that a page may still show."""
        return datetime.fromtimestamp(self.since.gone / 1000, UTC)


Event = tuple[str, object]  # its name, and what is sent with it as JSON
News = Callable[[Told], Iterable[Event]]
RELOAD: Event = ("reload", None)


class Live:
    """The open pages, and what they are sent."""

    def __init__(self, room: Room, news: Mapping[str, News]) -> None:
        self._room, self._news = room, news
        self._open: Counter[tuple[str, str]] = Counter()  # pages and languages that somebody looks at
        self._brought: deque[tuple[Position, Position, Mapping[tuple[str, str], bytes]]] = deque(maxlen=_KEPT)
        self._changed = asyncio.Condition()
        self._watching: asyncio.Task[None] | None = None
        self._position = Position()

    @property
    def pages(self) -> int:
        """How many are open."""
        return self._open.total()

    @property
    def topics(self) -> Iterable[str]:
        """The pages that have news."""
        return self._news

    def position(self, session: Session) -> Position:
        """How far a page has come that is written now, in this session's view of the database."""
        events = session.exec(select(func.max(CaseEvent.id))).one() or 0
        readings = session.exec(select(func.max(Reading.id))).one() or 0
        gone = session.exec(select(func.max(Mention.deleted_at))).one() or _NO_TIME
        return Position(events, readings, int(gone.timestamp() * 1000))

    async def stream(self, topic: str, language: str, since: Position) -> AsyncIterator[bytes]:
        """Everything that happens on a page after `since`, for as long as it stays open."""
        key, ends = (topic, language), time.monotonic() + _OPEN
        self._open[key] += 1
        try:
            if self._watching is None or self._watching.done():
                self._watching = asyncio.create_task(self._watch())
            yield f"retry: {_RETRY}\n\n".encode()
            at, first = await asyncio.to_thread(self._caught_up, topic, language, since)
            yield first
            while time.monotonic() < ends:
                more, at = await self._next(key, at)
                yield more
        finally:
            self._open[key] -= 1

    def _caught_up(self, topic: str, language: str, since: Position) -> tuple[Position, bytes]:
        with reading(self._room.engine) as session:
            until = self.position(session)
            return until, self._written(session, topic, language, since, until)

    async def _next(self, key: tuple[str, str], at: Position) -> tuple[bytes, Position]:
        """What comes after `at`; after a while of nothing, that we are still here."""
        async with self._changed:
            try:
                async with asyncio.timeout(_STILL):
                    await self._changed.wait_for(lambda: self._after(at))
            except TimeoutError:
                return self._still(at), at
        chunks = []
        for before, after, written in self._after(at):
            if key not in written or _is_behind(at, before):
                return await asyncio.to_thread(self._alone, key, at)
            chunks.append(written[key])
            at = after
        return b"".join(chunks), at

    def _alone(self, key: tuple[str, str], at: Position) -> tuple[bytes, Position]:
        """For a page that opened between two looks, or is too slow for what is kept."""
        position, written = self._caught_up(*key, at)
        return written, position

    def _after(self, at: Position) -> list[tuple[Position, Position, Mapping[tuple[str, str], bytes]]]:
        return [one for one in self._brought if one[1] != at and not _is_behind(one[1], at)]

    async def _watch(self) -> None:
        """Look again and again, as long as a page is open."""
        self._position = (await asyncio.to_thread(self._caught_up, "", "en", Position()))[0]
        self._brought.clear()
        while self._open.total():
            began = time.monotonic()
            try:
                found = await asyncio.to_thread(self._look)
            except Exception as error:  # the database is locked, or away: the next look may find it
                log.error("action=live error=%s", type(error).__name__)
                found = None
            if found is not None:
                self._brought.append(found)
                self._position = found[1]
                async with self._changed:
                    self._changed.notify_all()
            await asyncio.sleep(max(_LOOK, time.monotonic() - began))  # a slow database is not asked all the time

    def _look(self) -> tuple[Position, Position, Mapping[tuple[str, str], bytes]] | None:
        with reading(self._room.engine) as session:
            until, since = self.position(session), self._position
            if until == since:
                return None
            keys = [key for key, count in list(self._open.items()) if count]
            return since, until, {key: self._written(session, *key, since, until) for key in keys}

    def _written(self, session: Session, topic: str, language: str, since: Position, until: Position) -> bytes:
        """News as the bytes of server-sent events, the last of which says how far they come."""
        config, now = self._room.config(), self._room.now()
        if _is_behind(until, since) or max(until.events - since.events, until.readings - since.readings) > MOST:
            events: list[Event] = [RELOAD]
        else:
            told = Told(session, config, now, since, until, Words(language))
            events = list(self._news[topic](told)) if topic in self._news else []
        return b"".join(_event(name, said) for name, said in events) + _mark(until, now)

    def _still(self, at: Position) -> bytes:
        return _mark(at, self._room.now())


def _is_behind(one: Position, other: Position) -> bool:
    """Whether one is from before the other: then the database was put back to an earlier state, or it is long ago."""
    return one.events < other.events or one.readings < other.readings or one.gone < other.gone


def _event(name: str, said: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(said)}\n\n".encode()


def _mark(at: Position, now: datetime) -> bytes:
    return f"id: {at}\nevent: now\ndata: {json.dumps(now.isoformat())}\n\n".encode()
