"""The Listening Center as people meet it: served on loopback over a test's database and clock, opened in Chromium."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from chromium import FLAGS, found
from desk import Clock, Desk
from fakes.slack import FakeSlack
from rich.console import Console as Terminal
from sqlalchemy import Engine
from sqlmodel import Session

from alerts import decide
from alerts.case import Case
from alerts.center.access import Access, cookie_name, key_in
from alerts.center.app import app
from alerts.center.room import Room
from alerts.console import Console
from alerts.deliver import deliver
from alerts.door import Door
from alerts.slack import Slack
from alerts.slack_app import SlackApp
from alerts.slack_link import SocketLine
from alerts.spikes import Spike
from config.schema import Center, Config
from listener import keep
from nlp import read

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

SECRET = "a secret of more than twenty characters"
SEATS: Mapping[str, Mapping[str, str]] = {
    "ana": {"role": "care", "name": "Ana Ruiz", "slack": "U0ANA1"},
    "ben": {"role": "care", "name": "Ben Ode"},
    "vera": {"role": "viewer", "name": "Vera Lind"},
    "root": {"role": "admin", "name": "Root"},
}
PATIENCE = 20_000  # milliseconds, for a busy machine
# What Chromium itself says of answers that a story is about; a policy that was violated reads otherwise.
_EXPECTED = re.compile(r"Failed to load resource: (the server responded with a status of 4|net::ERR_)|ERR_INCOMPLETE")


@dataclass
class Hall:
    """A center whose config, clock and database a test sets, and its team."""

    config: Config
    engine: Engine
    data: Path
    desk: Desk
    clock: Clock = field(default_factory=Clock)
    door: Door | None = None
    port: int = 0
    woken: int = 0

    def __post_init__(self) -> None:
        self.shipped = self.config
        care = self.config.care
        people = {"center": Center.model_validate({"people": SEATS})}
        self.config = self.config.model_copy(update={"care": care.model_copy(update=people)})
        self.door = self.door or Console(care.slack.channels, Terminal(quiet=True))
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        self.woken += 1

    @property
    def room(self) -> Room:
        """What the service would give to the pages."""
        return Room(
            config=lambda: self.config,
            engine=self.engine,
            door=lambda: self.door or pytest.fail("no door"),
            secrets={"CALL_LIGHT_WEB_TOKEN": SECRET},
            now=self.clock.now,
            data=self.data,
            wake=self.wake,
            flowed_at=self.clock.now,
        )

    def care(self, **update: Any) -> None:
        """What care.toml says from now on."""
        self.config = self.config.model_copy(update={"care": self.config.care.model_copy(update=update)})

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, who: str) -> str:
        """What somebody signs in with."""
        return self._access.token(who, self.config.care.center.people[who])

    def cookie(self, who: str) -> str:
        """What their browser has after they signed in."""
        visitor = self._access.of_token(self.config.care.center, self.token(who))
        assert visitor is not None
        return self._access.cookie(visitor, self.clock.now())

    @property
    def _access(self) -> Access:
        return Access(key_in(self.data), self.room.secrets)

    def alert(self, text: str = "waited for hours", **said: Any) -> int:
        """A post that becomes a case, told to the team; its number."""
        number = self.desk.alert(text, now=self.clock.now(), **said)
        with Session(self.engine) as session:
            deliver(session, self.config, self.door or pytest.fail("no door"), self.clock.now())
        return number

    def act(self, name: str, who: str = "ben", case_id: int = 1, **answers: Any) -> None:
        """Somebody does something elsewhere: in Slack, in the terminal."""
        self.desk.act(name, who, self.clock.now(), case_id, **answers)
        self.desk.session.rollback()

    def forget(self, *mention_ids: int) -> None:
        """Posts are gone at their place, and the flow comes round."""
        with Session(self.engine) as session:
            keep.forget(session, mention_ids, keep.DELETED, self.clock.now())
            session.commit()
            read.forget(session, self.clock.now())
            decide.forget(session, self.clock.now())

    def spike(self, topic: str) -> None:
        """Many speak of something now."""
        now = self.clock.now()
        with Session(self.engine) as session:
            session.add(Spike(topic=topic, began_at=now - timedelta(minutes=9), seen_at=now, usual=0.1))
            session.commit()

    def case(self, number: int = 1) -> Case:
        """As the database has it now."""
        return self.desk.case_now(number)

    def events(self, number: int = 1) -> list[str]:
        return self.desk.events_now(number)

    def start(self) -> None:
        """Served; on the same port as before, if it was."""
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = int(listening.getsockname()[1])
        config = uvicorn.Config(app(self.room), lifespan="off", log_config=None, log_level="critical", ws="none")
        config.timeout_graceful_shutdown = 1
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listening],), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Served no more: lines that are open are cut."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._server.force_exit = True
            self._thread.join(10)
            assert not self._thread.is_alive()
        self._server = self._thread = None


@contextlib.contextmanager
def in_slack(hall: Hall) -> Iterator[FakeSlack]:
    """Slack is the door, and one of the windows: people press there too."""
    with FakeSlack(now=hall.clock) as fake:
        for channel in hall.config.care.slack.channels.values():
            fake.add_channel(channel)
        door = hall.door = Slack(fake.token, fake.base_url, hall.config.care.slack.channels, hall.clock.now)
        bolt = SlackApp(lambda: hall.config, hall.engine, door, {}, hall.clock.now, hall.wake).bolt
        line = SocketLine(bolt, fake.app_token, door.client, ping=1, now=hall.clock.now)
        line.look()
        fake.line = fake.socket()
        fake.line.wait_for(links=1)
        yield fake
        fake.line.drop()
        line._handler.client.closed = True
        line._handler.client.enqueue_message("{}")
        line.close()


@dataclass
class Windows:
    """The browser windows of one test, and what they complained of."""

    browser: "Browser"
    hall: Hall
    complaints: list[str] = field(default_factory=list)
    contexts: "list[BrowserContext]" = field(default_factory=list)

    def open(self, who: str | None = "ana", path: str = "/inbox", **options: Any) -> "Page":
        """A window of somebody's own browser; of nobody who has signed in with None."""
        page = self.browser_of(who, **options).new_page()
        page.goto(f"{self.hall.address}{path}")
        return page

    def browser_of(self, who: str | None, **options: Any) -> "BrowserContext":
        """A browser with a memory of its own."""
        context = self.browser.new_context(**options)
        if who:
            center = self.hall.config.care.center
            cookie = {"name": cookie_name(center), "value": self.hall.cookie(who), "url": self.hall.address}
            context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Strict"}])  # type: ignore[typeddict-item]
        context.set_default_timeout(PATIENCE)
        context.on("page", self._listen)
        self.contexts.append(context)
        return context

    def _listen(self, page: "Page") -> None:
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", lambda said: self._said(said.type, said.text))
        page.on("request", lambda request: self._asked(request.url))
        page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not _EXPECTED.search(text):
            self.complaints.append(f"{kind}: {text}")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.complaints.append(f"asked for {url}")


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """A browser for the tests of a file. Not longer: while it runs, no other test of the process could use asyncio."""
    where = found()
    if where is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium, and these stories are played too")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        flags = [flag for flag in FLAGS if not flag.startswith(("--headless", "--remote"))]
        browser = playwright.chromium.launch(executable_path=where, args=[*flags, "--no-proxy-server"])
        yield browser
        browser.close()


@pytest.fixture
def hall(engine: Engine, session: Session, config: Config, tmp_path: Path) -> Iterator[Hall]:
    """A center that nobody serves yet."""
    hall = Hall(config, engine, tmp_path / "data", Desk(session, config))
    yield hall
    hall.stop()


@pytest.fixture
def windows(chromium: "Browser", hall: Hall) -> Iterator[Windows]:
    """It is served, and people open it. A test fails with anything that the browser complains of."""
    hall.start()
    windows = Windows(chromium, hall)
    yield windows
    for context in windows.contexts:
        context.close()
    hall.stop()
    assert windows.complaints == [], windows.complaints
