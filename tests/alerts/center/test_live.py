"""What open pages are sent: nothing is passed over, whatever comes between a page and the database."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import NOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from sqlmodel import col, select

from alerts.case import CaseEvent, note
from alerts.center import live as module
from alerts.center.app import LIMITS, app
from alerts.center.live import MOST, RELOAD, Event, Live, Position, Told
from alerts.center.pages import case as case_page
from alerts.center.pages import inbox as inbox_page
from alerts.center.room import Room
from config.schema import Config
from listener.database import reading
from listener.mention import Mention
from listener.serving import Where, serving

PATIENCE = 10.0  # seconds, after which a test fails


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.005)


@pytest.fixture
def room(config: Config, engine: Engine, paper: Any, tmp_path: Path) -> Room:
    return Room(lambda: config, engine, lambda: paper, {}, lambda: NOW, tmp_path, lambda: None, lambda: None)


def touch(desk: Any, case_id: int = 1) -> None:
    """Something happens to a case."""
    note(desk.session, desk.case(case_id), NOW, "ana", "changed", "touched")
    desk.session.commit()


def where(live: Live, engine: Engine) -> Position:
    with reading(engine) as session:
        return live.position(session)


# ---------------------------------------------------------------- reading what is sent


@dataclass
class Heard:
    """What a page was sent, as a browser takes it apart."""

    events: list[Event] = field(default_factory=list)
    at: Position | None = None
    comments: int = 0
    rest: str = ""

    def take(self, chunk: bytes) -> None:
        *blocks, self.rest = (self.rest + chunk.decode()).split("\n\n")
        for block in blocks:
            lines = dict(line.partition(": ")[::2] for line in block.splitlines())
            self.comments += block.startswith(":")
            if "id" in lines:
                self.at = Position.read(lines["id"])
            if "event" in lines:
                self.events.append((lines["event"], json.loads(lines["data"])))

    def of(self, name: str) -> list[Any]:
        return [said for event, said in self.events if event == name]

    @property
    def changed(self) -> set[int]:
        return {case for cases in self.of("changed") for case in cases}


class Open:
    """A page that is open on this loop, without a server between."""

    def __init__(self, live: Live, since: Position, topic: str = "case", language: str = "en") -> None:
        self.stream: AsyncIterator[bytes] = live.stream(topic, language, since)
        self.heard = Heard()

    async def next(self) -> None:
        async with asyncio.timeout(PATIENCE):
            self.heard.take(await anext(self.stream))

    async def until(self, is_so: Callable[[Heard], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not is_so(self.heard):
                await self.next()

    async def close(self) -> None:
        await self.stream.aclose()  # type: ignore[attr-defined]


def changed(*cases: int) -> Callable[[Heard], bool]:
    return lambda heard: heard.changed >= set(cases)


# ---------------------------------------------------------------- positions


@pytest.mark.parametrize(
    ("said", "is_one"),
    [
        ("0.0.0.0", True),
        ("12.34.1795359600000.7", True),
        ("", False),
        ("1.2.3", False),
        ("1.2.3.4.5", False),
        ("-1.2.3.4", False),
        ("1.2.x.4", False),
        ("1.2.٣.4", False),
        ("1.2.3.99999999999999", False),
        (" 1.2.3.4", False),
    ],
)
def test_a_page_says_how_far_it_has_come(said: str, is_one: bool) -> None:
    position = Position.read(said)
    assert (position is not None) is is_one
    assert position is None or str(position) == said


@given(st.text(max_size=60))
def test_any_text_is_a_position_or_none(said: str) -> None:
    position = Position.read(said)
    assert position is None or (str(position), Told.gone_since.func) is not None
    if position is not None:
        assert Position.read(str(position)) == position


def test_a_position_is_how_far_the_database_has_come(desk: Any, room: Room, engine: Engine) -> None:
    live = Live(room, {})
    assert where(live, engine) == Position()
    desk.alert()
    desk.hear(read=False)
    there = where(live, engine)
    assert (there.events, there.readings, there.gone) == (1, 1, 0)


# ---------------------------------------------------------------- what arrives


def test_what_happened_between_a_page_and_its_connection_arrives(desk: Any, room: Room, engine: Engine) -> None:
    live = Live(room, {"case": case_page.news})

    async def story() -> None:
        since = where(live, engine)
        desk.alert()
        page = Open(live, since)
        await page.until(changed(1))
        desk.alert()
        await page.until(changed(1, 2))
        assert page.heard.at == where(live, engine)

    asyncio.run(story())


def test_every_page_is_sent_the_same(desk: Any, room: Room, engine: Engine) -> None:
    """Five hundred of them; one that opens while another look is under way too."""
    live = Live(room, {"case": case_page.news})
    desk.alert()

    async def story() -> None:
        since = where(live, engine)
        pages = [Open(live, since) for _ in range(500)]
        await asyncio.gather(*(page.until(lambda heard: heard.at) for page in pages))
        assert live.pages == 500
        touch(desk)
        await asyncio.gather(*(page.until(changed(1)) for page in pages))
        for page in pages:
            await page.close()
        assert live.pages == 0

    asyncio.run(story())


def test_what_is_new_is_looked_up_once_for_all_pages_of_a_language(desk: Any, room: Room, engine: Engine) -> None:
    asked: list[str] = []

    def news(told: Told) -> Iterable[Event]:
        asked.append(told.say.language)
        return case_page.news(told)

    live = Live(room, {"case": news})
    desk.alert()

    async def story() -> None:
        since = where(live, engine)
        pages = [Open(live, since, language=language) for language in ("en", "es") for _ in range(10)]
        for case_id in (1, 2, 3):  # from the third on none looks by itself
            asked.clear()
            if case_id > 1:
                desk.alert()
            touch(desk, case_id)
            for page in pages:
                await page.until(changed(case_id))
        assert len(asked) <= 4, "two languages, and the case is opened and touched"
        assert set(asked) == {"en", "es"}

    asyncio.run(story())


def test_each_language_has_its_own_words(desk: Any, room: Room, engine: Engine) -> None:
    def news(told: Told) -> Iterable[Event]:
        yield "said", told.say.language

    live = Live(room, {"x": news})

    async def story() -> None:
        since = where(live, engine)
        english, spanish = (Open(live, since, "x", language) for language in ("en", "es"))
        desk.alert()
        await english.until(lambda heard: heard.of("said"))
        await spanish.until(lambda heard: heard.of("said"))
        assert (set(english.heard.of("said")), set(spanish.heard.of("said"))) == ({"en"}, {"es"})

    asyncio.run(story())


def test_who_looks_at_a_case_is_no_news(desk: Any, room: Room, engine: Engine) -> None:
    live = Live(room, {"case": case_page.news, "inbox": inbox_page.news})
    desk.alert()
    desk.alert()

    async def story() -> None:
        pages = [Open(live, where(live, engine), topic) for topic in ("case", "inbox")]
        note(desk.session, desk.case(1), NOW, "ana", "viewed", "looked at it")
        desk.session.commit()
        touch(desk, 2)
        await pages[0].until(changed(2))
        await pages[1].until(lambda heard: heard.of("line"))
        assert pages[0].heard.changed == {2}
        assert {line["case"] for line in pages[1].heard.of("line")} == {2}

    asyncio.run(story())


def test_a_page_on_which_nothing_changed_is_left_alone_and_comes_along(
    desk: Any, room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Live(room, {"case": case_page.news, "quiet": lambda told: ()})
    desk.alert()

    async def story() -> None:
        since = where(live, engine)
        busy, quiet = Open(live, since), Open(live, since, "quiet")
        await quiet.until(lambda heard: heard.at)
        for _ in range(3):
            busy.heard.events.clear()
            touch(desk)
            await busy.until(changed(1))
        waits = asyncio.ensure_future(quiet.next())
        for _ in range(3):
            busy.heard.events.clear()
            touch(desk)
            await busy.until(changed(1))
        assert not waits.done()
        waits.cancel()
        monkeypatch.setattr(module, "_STILL", 0.1)
        again = Open(live, since, "quiet")
        await again.until(lambda heard: heard.at == where(live, engine))

    asyncio.run(story())


def test_the_looks_end_with_the_last_page_and_begin_again(desk: Any, room: Room, engine: Engine) -> None:
    live = Live(room, {"case": case_page.news})
    desk.alert()

    async def story() -> None:
        for case_id in (1, 2):
            page = Open(live, where(live, engine))
            await page.until(lambda heard: heard.at)
            watching = live._watching
            await page.close()
            assert watching is not None
            async with asyncio.timeout(PATIENCE):
                await watching
            since = where(live, engine)
            desk.alert()
            touch(desk, case_id)
            later = Open(live, since)
            await later.until(changed(case_id, case_id + 1))
            await later.close()

    asyncio.run(story())


def test_a_page_that_reads_slowly_misses_nothing(
    desk: Any, room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Far more looks bring something than are kept."""
    monkeypatch.setattr(module, "_KEPT", 2)
    live = Live(room, {"case": case_page.news})
    desk.alert()

    async def story() -> None:
        since = where(live, engine)
        slow, quick = Open(live, since), Open(live, since)
        await slow.until(lambda heard: heard.at)
        for case_id in range(2, 9):
            desk.alert()
            await quick.until(changed(case_id))
        assert slow.heard.changed == set()
        await slow.until(changed(*range(2, 9)))
        assert len(live._looks) == 2

    asyncio.run(story())


@pytest.mark.parametrize("is_open", [True, False])
def test_a_page_that_missed_very_much_loads_itself_anew(desk: Any, room: Room, engine: Engine, is_open: bool) -> None:
    live = Live(room, {"case": case_page.news})
    desk.alert()

    async def story() -> None:
        page = Open(live, where(live, engine))
        if is_open:
            await page.until(lambda heard: heard.at)
        case = desk.case()
        for _ in range(MOST + 1):
            note(desk.session, case, NOW, "ana", "changed", "touched")
        desk.session.commit()
        await page.until(lambda heard: RELOAD in heard.events)
        assert not page.heard.changed

    asyncio.run(story())


def test_pages_load_anew_when_the_database_is_an_older_one(desk: Any, room: Room, engine: Engine) -> None:
    live = Live(room, {"case": case_page.news})
    desk.alert()
    desk.alert()

    async def story() -> None:
        since = where(live, engine)
        page = Open(live, since)
        await page.until(lambda heard: heard.at)
        desk.session.execute(delete(CaseEvent).where(col(CaseEvent.id) == since.events))
        desk.session.commit()
        await page.until(lambda heard: RELOAD in heard.events)
        assert page.heard.at == where(live, engine)
        later = Open(live, since)
        await later.until(lambda heard: RELOAD in heard.events)

    asyncio.run(story())


def test_posts_that_went_in_one_round_are_all_told(
    desk: Any, room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round of deletions has one time; its parts are written one after the other, the last perhaps after another round."""

    def news(told: Told) -> Iterable[Event]:
        ids = list(told.session.exec(select(Mention.id).where(col(Mention.deleted_at) > told.gone_since)))
        if ids:
            yield "gone", ids

    monkeypatch.setattr(module, "_STILL", 0.2)
    live = Live(room, {"falls": news})
    posts = [desk.hear() for _ in range(4)]
    began = NOW - timedelta(minutes=3)

    def goes(post: int, at: Any) -> None:
        mention = desk.session.get_one(Mention, post)
        mention.deleted_at = at
        desk.session.add(mention)
        desk.session.commit()

    def told(*ids: int) -> Callable[[Heard], bool]:
        return lambda heard: {post for some in heard.of("gone") for post in some} >= set(ids)

    async def story() -> None:
        page = Open(live, where(live, engine), "falls")
        for number, at in enumerate((began, began, NOW, began)):
            goes(posts[number], at)
            await page.until(told(*posts[: number + 1]))
        page.heard.events.clear()
        desk.alert()
        await page.until(lambda heard: heard.at == where(live, engine))
        assert not page.heard.of("gone")

    asyncio.run(story())


# ---------------------------------------------------------------- what goes wrong


def test_a_page_that_cannot_be_told_holds_up_no_other(
    desk: Any, room: Room, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(told: Told) -> Iterable[Event]:
        raise ValueError("my dad collapsed")

    live = Live(room, {"case": case_page.news, "broken": broken})
    desk.alert()

    async def story() -> None:
        since = where(live, engine)
        well, ill = Open(live, since), Open(live, since, "broken")
        await well.until(lambda heard: heard.at)
        await ill.next()
        touch(desk)
        await well.until(changed(1))
        with contextlib.suppress(StopAsyncIteration):  # the browser connects again, and says meanwhile that it is old
            await ill.until(lambda heard: False)
        assert live.pages == 1

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())
    assert "page=broken error=ValueError" in caplog.text
    assert "collapsed" not in caplog.text


def test_while_the_database_is_away_no_page_seems_fresh(
    desk: Any, room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_STILL", 0.05)
    live = Live(room, {"case": case_page.news})
    for _ in range(3):
        desk.alert()

    async def story() -> None:
        page = Open(live, where(live, engine))
        for case_id in (1, 2):  # at the second it goes by what all are sent, and looks no more by itself
            touch(desk, case_id)
            await page.until(changed(case_id))
        look = live.position
        with monkeypatch.context() as away:
            away.setattr(live, "position", lambda session: session.get_one(Mention, 0))
            await page.until(lambda heard: heard.comments)
            page.heard.events.clear()
            for _ in range(3):
                await page.next()
            assert not page.heard.events
        assert live.position == look
        touch(desk, 3)
        await page.until(changed(3))

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


# ---------------------------------------------------------------- with a server and browsers between


class Served:
    """The Listening Center as browsers reach it; it can be started anew."""

    def __init__(self, room: Room) -> None:
        self.room, self.running = room, contextlib.ExitStack()
        self.start()

    def start(self) -> None:
        self.app: Any = app(self.room)
        where = Where("test center", "127.0.0.1", 0, "")
        self.port = self.running.enter_context(serving(self.app, where, replace(LIMITS, end=0.05))).port

    def restart(self) -> None:
        self.running.close()
        self.start()


class Browser:
    """A page in a browser: it connects with how far it has come, and goes on where it was cut off."""

    def __init__(self, served: Served, since: Position) -> None:
        self.served, self.since, self.heard = served, since, Heard()
        self.connection = contextlib.ExitStack()
        self.chunks: Iterator[bytes] | None = None

    def connect(self) -> None:
        self.cut()
        headers = {"Last-Event-ID": str(self.heard.at)} if self.heard.at else {}
        client = self.connection.enter_context(httpx.Client(timeout=PATIENCE, trust_env=False))
        address = f"http://127.0.0.1:{self.served.port}/live/case?from={self.since}"
        answer = self.connection.enter_context(client.stream("GET", address, headers=headers))
        assert answer.status_code == 200
        self.chunks = answer.iter_raw()

    def cut(self) -> None:
        self.connection.close()
        self.chunks, self.heard.rest = None, ""

    def until(self, is_so: Callable[[Heard], object]) -> None:
        if self.chunks is None:
            self.connect()
        ends = time.monotonic() + PATIENCE
        while not is_so(self.heard):
            assert time.monotonic() < ends, "it was not told"
            try:
                self.heard.take(next(self.chunks))  # type: ignore[arg-type]
            except (StopIteration, httpx.RemoteProtocolError, httpx.ReadError):
                self.connect()


@pytest.fixture
def served(room: Room) -> Iterator[Served]:
    served = Served(room)
    yield served
    served.running.close()


STEPS = st.lists(
    st.one_of(
        st.just(("write", 0)),
        st.tuples(st.sampled_from(["connect", "cut", "look"]), st.integers(0, 2)),
        st.just(("restart", 0)),
    ),
    max_size=14,
)


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_a_page_that_connects_again_has_missed_nothing(
    desk: Any, engine: Engine, served: Served, steps: list[tuple[str, int]]
) -> None:
    """Whatever is written, however often connections are cut and the server is started anew in between."""
    while len(desk.cases()) < 14:
        desk.alert()
    desk.session.commit()
    since = where(Live(served.room, {}), engine)
    pages = [Browser(served, since) for _ in range(3)]
    written: set[int] = set()
    for step, number in steps:
        page = pages[number]
        if step == "write":
            written.add(len(written) + 1)
            touch(desk, len(written))
        elif step == "restart":
            served.restart()
        elif step == "look":
            so_far = set(written)
            page.until(lambda heard, so_far=so_far: heard.changed >= so_far and heard.at)
        else:
            getattr(page, step)()
    for page in pages:
        page.until(lambda heard: heard.changed >= written and heard.at)
        page.cut()
        assert page.heard.changed == written


def test_a_browser_that_closes_is_forgotten(
    desk: Any, served: Served, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STILL", 0.02)
    live: Live = served.app._app.state.live
    stays, goes = (Browser(served, Position()) for _ in range(2))
    for page in (stays, goes):
        page.until(lambda heard: heard.at)
    assert live.pages == 2
    goes.cut()
    for _ in range(100):
        stays.heard.take(next(stays.chunks))  # type: ignore[arg-type]
        if live.pages == 1:
            break
    stays.cut()
    assert live.pages in (0, 1)


def test_when_we_end_a_connection_the_browser_is_soon_back(
    desk: Any, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_OPEN", 0.0)
    page = Browser(served, Position())
    page.connect()
    assert b"".join(page.chunks or ()).decode().split("\n\n")[:-1] == ["retry: 2000", "retry: 100"]
    page.cut()
