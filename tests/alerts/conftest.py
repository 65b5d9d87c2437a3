"""A desk: posts arrive on it that are already read, and time is what a test says it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.slack import FakeSlack
from sqlalchemy import Engine, event
from sqlmodel import Session, SQLModel, col, select

from alerts.act import Done, act
from alerts.case import Case, CaseEvent
from alerts.decide import decide
from alerts.deliver import Delivered, deliver
from alerts.delivery import Delivery
from alerts.door import Door, Sent
from alerts.message import Message
from alerts.slack import Slack
from alerts.verdict import Verdict
from config.schema import Config
from listener.database import open_database
from listener.errors import CallLightError
from listener.mention import Mention
from nlp.reading import Reading

READ_AS: dict[str, Any] = {
    "pipeline_version": "1",
    "mentions_us": ["St. Brigid's"],
    "departments": [],
    "voice": "patient",
    "kind": "complaint",
    "categories": [],
    "mood": -0.5,
    "urgency": "routine",
    "reasons": [],
    "language": "en",
    "readable": True,
}


class Desk:
    """What the stages before have left, and what the later ones make of it."""

    def __init__(self, session: Session, config: Config) -> None:
        self.session, self.config, self.heard = session, config, 0

    def hear(self, text: str = "waited for hours", *, read: bool = True, **said: Any) -> int:
        """A post, read unless told otherwise; fields of Mention and Reading by name. Its id."""
        self.heard += 1
        post = {name: said.pop(name) for name in list(said) if name in Mention.model_fields}
        at = post.pop("written_at", NOW - timedelta(minutes=1))
        defaults = {"collector": "x", "source": "x", "ref": f"r{self.heard}", "author": f"author{self.heard}"}
        defaults |= {"heard_at": at, "url": f"https://x.example/{self.heard}"}
        fields = {**defaults, **post}
        mention = Mention(**{"looked_at": fields["heard_at"], **fields}, text=text, written_at=at)
        self.session.add(mention)
        self.session.flush()
        assert mention.id is not None
        if read:
            self.read(mention.id, **said)
        self.session.commit()
        return mention.id

    def read(self, mention_id: int, **said: Any) -> None:
        """A reading of a post as it now is."""
        mention = self.session.get_one(Mention, mention_id)
        fields = {"redacted_text": mention.text, "revision": mention.revision, "read_at": mention.heard_at, **READ_AS}
        self.session.add(Reading(mention_id=mention_id, **{**fields, **said}))
        self.session.commit()

    def edit(self, mention_id: int, text: str, at: datetime, **said: Any) -> None:
        """The author changes a post, and it is read again."""
        mention = self.session.get_one(Mention, mention_id)
        mention.text, mention.edited_at, mention.revised_at = text, at, at
        mention.revision += 1
        self.session.add(mention)
        self.read(mention_id, **said)

    def decide(self, now: datetime = NOW, limit: int = 500) -> int:
        return decide(self.session, self.config, now, limit)

    def alert(self, text: str = "waited for hours", now: datetime = NOW, **said: Any) -> int:
        """A post that is decided on at once; the id of its case."""
        mention_id = self.hear(text, **said)
        self.decide(now)
        case_id = self.verdict(mention_id).case_id
        assert case_id is not None
        self.session.commit()  # a transaction that stays open keeps others from writing
        return case_id

    def act(self, name: str, who: str = "ana", now: datetime = NOW, case_id: int = 1, **answers: Any) -> Done:
        """Somebody does something with a case."""
        return act(self.session, self.config, name, case_id, who, now, answers)

    def deliver(self, door: Door, now: datetime = NOW, stop: Callable[[], bool] = lambda: False) -> Delivered:
        return deliver(self.session, self.config, door, now, stop)

    def verdict(self, mention_id: int) -> Verdict:
        """The verdict in force."""
        rows = select(Verdict).where(Verdict.mention_id == mention_id).order_by(col(Verdict.id).desc())
        return self.session.exec(rows).first() or pytest.fail("no verdict")

    def case(self, case_id: int = 1) -> Case:
        return self.session.get_one(Case, case_id, populate_existing=True)

    def cases(self) -> list[Case]:
        return list(self.session.exec(select(Case).order_by(col(Case.id))))

    def events(self, case_id: int = 1) -> list[str]:
        rows = select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(col(CaseEvent.id))
        return [event.what for event in self.session.exec(rows)]

    def rows(self) -> list[Delivery]:
        return list(self.session.exec(select(Delivery).order_by(col(Delivery.id))))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One database for all tests here: to make one, and to compile every statement anew, takes longer than a test."""
    engine = open_database(tmp_path_factory.mktemp("shared"))
    engine.dispose()
    # No test here cuts the power, so nothing need wait for the disk.
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
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
def desk_of_module(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Iterator[Desk]:
    """A desk that all tests of a file look at."""
    engine = open_database(tmp_path_factory.mktemp("module"))
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


class Clock:
    """A time that moves when told to; FakeSlack asks for it in seconds, the rest as a datetime."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at.timestamp()

    def now(self) -> datetime:
        return self.at

    def passes(self, span: timedelta) -> datetime:
        self.at += span
        return self.at


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
