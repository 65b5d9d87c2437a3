"""A desk and the doors to the team, for every test here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from desk import Clock, Desk
from fakes.slack import FakeSlack
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel

from alerts.door import Sent
from alerts.message import Message
from alerts.slack import Slack
from config.schema import Config
from listener.errors import CallLightError


@pytest.fixture(scope="session")
def shared(new_database: Callable[[Path], Engine], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One database for all tests here: to make one, and to compile every statement anew, takes longer than a test."""
    engine = new_database(tmp_path_factory.mktemp("shared"))
    yield engine
    engine.dispose()


@pytest.fixture
def engine(shared: Engine) -> Iterator[Engine]:
    """It, empty."""
    yield shared
    with shared.begin() as connection:
        for table in reversed(SQLModel.metadata.sorted_tables):
            connection.execute(table.delete())


@pytest.fixture
def desk(session: Session, config: Config) -> Desk:
    return Desk(session, config)


@pytest.fixture(scope="module")
def desk_of_module(
    new_database: Callable[[Path], Engine], tmp_path_factory: pytest.TempPathFactory, config: Config
) -> Iterator[Desk]:
    """A desk that all tests of a file look at."""
    engine = new_database(tmp_path_factory.mktemp("module"))
    with Session(engine) as session:
        yield Desk(session, config)
    engine.dispose()


@dataclass
class Post:
    """What a door was given."""

    channel: str
    message: Message
    key: str


@dataclass
class PaperDoor:
    """A door that keeps what it is given; `troubles` are raised once each, by channel, before or after it is kept."""

    name: str = "paper"
    posts: list[Post] = field(default_factory=list)
    updates: list[tuple[Sent, Message]] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    before: dict[str, list[CallLightError]] = field(default_factory=dict)
    after: dict[str, list[CallLightError]] = field(default_factory=dict)
    on_update: dict[str, list[CallLightError]] = field(default_factory=dict)
    closed: dict[str, CallLightError] = field(default_factory=dict)  # until it is taken out
    blind: int = 0  # so often it does not see yet what arrived
    watch: Callable[[], None] = lambda: None

    def post(self, channel: str, message: Message, key: str) -> Sent:
        self.watch()
        self._trouble(self.before, channel)
        self.posts.append(Post(channel, message, key))
        self._trouble(self.after, channel)
        return Sent(channel, key)

    def update(self, sent: Sent, message: Message) -> None:
        self.watch()
        self._trouble(self.on_update, sent.place)
        self.updates.append((sent, message))

    def find(self, channel: str, key: str, since: datetime, place: str | None) -> Sent | None:
        self.watch()
        if channel in self.closed:
            raise self.closed[channel]
        self.looked.append(key)
        self.blind -= 1
        if self.blind >= 0:
            return None
        return next((Sent(post.channel, key) for post in self.posts if post.key == key), None)

    def _trouble(self, troubles: dict[str, list[CallLightError]], channel: str) -> None:
        if channel in self.closed:
            raise self.closed[channel]
        if troubles.get(channel):
            raise troubles[channel].pop(0)

    def channels(self) -> list[str]:
        return [post.channel for post in self.posts]


@pytest.fixture
def paper() -> PaperDoor:
    return PaperDoor()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(config: Config, clock: Clock) -> Iterator[FakeSlack]:
    """Slack with every channel of care.toml."""
    with FakeSlack(now=clock) as fake:
        for channel in config.care.slack.channels.values():
            fake.add_channel(channel)
        yield fake


@pytest.fixture
def door(workspace: FakeSlack, config: Config, clock: Clock) -> Slack:
    return Slack(workspace.token, workspace.base_url, config.care.slack.channels, clock.now)
