"""The desk when things break: Slack is down, a channel is gone, a press comes at the worst moment; and what no log may hold."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.pager import FakePager
from fakes.server import DropAfter, Fault, NotJson, RateLimited, Reset, Stall, Status
from fakes.slack import CARE_CHANNELS, FakeSlack
from fakes.slack_people import Person
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select
from stories.test_listening import Clock
from stories.test_monday import COMPLAINTS

from alerts.act import act
from alerts.case import RANK, Case, CaseEvent
from alerts.deliver import write
from alerts.delivery import Delivery
from alerts.pager import Pager
from alerts.slack import Slack
from alerts.slack_app import SlackApp
from alerts.slack_link import SocketLine
from config.schema import Config
from listener.mention import Mention
from listener.post import Page, Post
from listener.service import Service
from nlp.pipeline import Reader

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
CARE, DANGER, HEALTH = "social-care", "social-care-danger", "call-light-health"
COLLAPSED = "my dad collapsed in the waiting room at St. Brigid's and nobody comes"
KNIFE = "someone is waving a knife in the ER at St. Brigid's"
HERE = (
    "sitting in the lobby of St. Brigid's right now and nobody answers at the desk",
    "I am in the ER at St. Brigid's right now, four hours, nobody has looked at my daughter",
)
SERIOUS = "St. Brigid's gave my mother the wrong medication last week and nobody apologised"
ROUTINE = [text for text in COMPLAINTS if "bill" not in text]


class Desk:
    """The whole product with its Slack and its pager, at a time that moves when told to."""

    def __init__(self, service: Service, slack: FakeSlack, pager: FakePager, clock: Clock) -> None:
        self.service, self.slack, self.pager, self.clock = service, slack, pager, clock
        self.ana, self.ben = Person(slack, "U0ANA1", "ana"), Person(slack, "U0BEN1", "ben")
        self.heard = 0

    def hears(self, *texts: str) -> None:
        """Each by somebody else, written a minute ago."""
        posts = []
        for text in texts:
            self.heard += 1
            ref, at = str(self.heard), self.clock.at - MINUTE
            posts.append(Post(source="x", ref=ref, text=text, author=f"author{ref}", written_at=at, url=None))
        list(self.service.bring_in("x", [Page(tuple(posts), {})]))

    def works(self) -> int:
        """One beat of the service; what waits for Slack after it."""
        self.service.flow()
        self.service.deliver("pager")
        return self.service.deliver("people").waiting

    def passes(self, span: timedelta, every: timedelta = 2 * MINUTE) -> None:
        """The service runs for a while."""
        until = self.clock.at + span
        while self.clock.at < until:
            self.clock.at += every
            self.works()

    def drains(self) -> None:
        """The service runs until nothing waits any more."""
        for _ in range(200):
            if not self.works():
                return
            self.clock.at = max(self.clock.at + SECOND, self._next_try())
        pytest.fail("it never drains")

    def _next_try(self) -> datetime:
        with self.session() as session:
            waiting = select(func.min(Delivery.next_try_at)).where(col(Delivery.state).in_(("pending", "sending")))
            return session.exec(waiting).one() or self.clock.at

    def session(self) -> Session:
        return Session(self.service.engine)

    def case(self, number: int = 1) -> Case:
        """A case as the database has it."""
        with self.session() as session:
            case = session.get_one(Case, number)
            session.expunge(case)
            return case

    def cases(self) -> dict[int, Case]:
        with self.session() as session:
            cases = session.exec(select(Case)).all()
            session.expunge_all()
            return {case.id or 0: case for case in cases}

    def did(self, number: int, kind: str) -> int:
        """How often something happened to a case."""
        with self.session() as session:
            return len(session.exec(select(CaseEvent).where(CaseEvent.case_id == number, CaseEvent.kind == kind)).all())

    def messages(self) -> list[dict[str, Any]]:
        """Everything in every channel, in the order in which it came."""
        said = [one | {"in": name} for name in CARE_CHANNELS for one in self.slack.messages(name)]
        return sorted(said, key=lambda one: float(one["ts"]))

    def cards(self, channel: str = "") -> list[dict[str, Any]]:
        of_kind = [one for one in self.messages() if one["metadata"]["event_type"] == "call_light_card"]
        return [one for one in of_kind if channel in ("", one["in"])]

    def is_true(self) -> bool:
        """Nothing was said twice, and each card says what the database does."""
        keys = Counter(one["metadata"]["event_payload"]["delivery"] for one in self.messages())
        if keys and max(keys.values()) > 1:
            return False
        there = {one["metadata"]["event_payload"]["delivery"]: one for one in self.messages()}
        with self.session() as session:
            rows = session.exec(select(Delivery).where(Delivery.kind == "card")).all()
            said = {row.key: write(session, self.service.config, row, self.clock.at)[0] for row in rows}
        return all(
            key in there and (there[key]["text"], bare(there[key]["blocks"])) == (message.text, bare(message.blocks))
            for key, message in said.items()
        )


def number_of(card: dict[str, Any]) -> int:
    return int(card["metadata"]["event_payload"]["case_id"])


def bare(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Blocks without the names that Slack gives them."""
    return [{name: value for name, value in block.items() if name != "block_id"} for block in blocks]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[FakeSlack]:
    with FakeSlack(now=clock, enforce_rate=True) as slack:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        yield slack


@pytest.fixture
def desk(config: Config, reader: Reader, engine: Engine, slack: FakeSlack, clock: Clock, tmp_path: Path) -> Iterator[Desk]:
    with FakePager(clock) as pager:
        door = Slack(slack.token, slack.base_url, config.care.slack.channels, clock.now)
        doors = {"pager": Pager(pager.json())}
        service = Service(config, engine, door, {}, clock.now, tmp_path, doors)
        service.reader = reader
        yield Desk(service, slack, pager, clock)


@contextlib.contextmanager
def pressed(desk: Desk) -> Iterator[None]:
    """Buttons are heard, by Socket Mode."""
    service = desk.service
    app = SlackApp(service.config, service.engine, service.door, {}, desk.clock.now)  # type: ignore[arg-type]
    line = SocketLine(app.bolt, desk.slack.app_token, service.door.client, ping=1, now=desk.clock.now)  # type: ignore[attr-defined]
    line.look()
    desk.slack.socket().wait_for(links=1)
    yield
    desk.slack.socket().drop()
    line._handler.client.closed = True
    line._handler.client.enqueue_message("{}")
    line.close()


# ---------------------------------------------------------------- Slack is down


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Status(503), None], ids=["says 503", "no network"])
def test_slack_is_down_for_an_hour(desk: Desk, fault: Fault | None) -> None:
    """Danger reaches people by the pager meanwhile; afterwards the worst comes first, nothing twice and nothing in dozens."""
    service, there = desk.service, desk.service.doors["people"]
    desk.hears(COLLAPSED, *ROUTINE[:3])
    desk.drains()
    assert len(desk.cards()) == 4
    if fault is None:
        nowhere = Slack("xoxb-test-token", "http://127.0.0.1:9", service.config.care.slack.channels, desk.clock.now)
        service.doors["people"] = nowhere
    else:
        desk.slack.fail_next(fault, times=None)
    before = len(desk.messages())
    desk.hears(*ROUTINE[3:18], SERIOUS)
    desk.passes(30 * MINUTE)
    desk.hears(*ROUTINE[18:35], *HERE, KNIFE)
    desk.passes(30 * MINUTE)
    assert len(desk.messages()) == before
    cases = desk.cases()
    first, second = (number for number, case in cases.items() if case.urgency == "danger")
    pages = Counter(page.partition(" |")[0] for page in desk.pager.pages())
    assert pages.keys() == {f"Call Light: DANGER, case {number}" for number in (first, second)}
    assert min(pages.values()) >= 10, "again and again"

    service.doors["people"] = there
    desk.slack.heal()
    back = desk.clock.at
    desk.drains()
    told = desk.messages()[before:]
    cards = [card for card in told if card["metadata"]["event_type"] == "call_light_card"]
    late = next(float(card["ts"]) for card in cards if number_of(card) == second) - back.timestamp()
    assert late <= 15, "danger does not wait for its turn"
    for channel in (CARE, "billing-social", "privacy-office-social"):
        ranks = [RANK[cases[number_of(card)].urgency] for card in cards if card["in"] == channel]
        assert ranks == sorted(ranks), f"{channel}: the worst first"
    assert (desk.clock.at - back) < 3 * MINUTE
    assert desk.is_true()
    reminders = Counter(one["in"] for one in told if one["metadata"]["event_type"] == "call_light_reminder")
    assert reminders[DANGER] <= 2, "what came up in the hour, and what came up since"
    assert reminders[CARE] <= 6, "ten cases a message"

    with desk.session() as session:
        for case, mention in session.exec(select(Case, Mention).where(Case.mention_id == Mention.id)):
            assert case.clock_from == mention.written_at, "the clock did not wait for Slack"
        act(session, service.config, "answered", first, "ana", desk.clock.at)
    desk.drains()
    assert desk.case(first).answered_at == desk.clock.at
    assert "answered in 1 h" in str(next(card for card in desk.cards() if number_of(card) == first))
