"""The desk when things break: Slack is down, a channel is gone, a press comes at the worst moment; and what no log may hold."""

import contextlib
import logging
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import deep_after
from fakes.pager import FakePager
from fakes.server import BrokenShape, DropAfter, Fault, NotJson, RateLimited, Request, Reset, Stall, Status
from fakes.slack import CARE_CHANNELS, FakeSlack
from fakes.slack_lines import Delivery as Delivered
from fakes.slack_people import Person
from fakes.strangers import HOSTILE
from fakes.x import FakeX
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select
from stories.conftest import Place
from stories.test_listening import Clock
from stories.test_monday import COMPLAINTS

from alerts.act import act
from alerts.case import RANK, Case, CaseEvent
from alerts.deliver import write
from alerts.delivery import Delivery
from alerts.doctor import examine
from alerts.pager import Pager
from alerts.slack import Slack
from alerts.slack_app import SlackApp
from alerts.slack_link import SocketLine, watch_over
from config.schema import Config
from listener.environment import Environment
from listener.mention import Mention
from listener.post import Page, Post, Ref
from listener.service import InForce, Service
from nlp.pipeline import Reader

# The SDK forgets the socket of a line that was cut.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
CARE, DANGER, HEALTH = "social-care", "social-care-danger", "call-light-health"
COLLAPSED = "my dad collapsed in the waiting room at St. Brigid's and nobody comes"
KNIFE = "someone is waving a knife in the ER at St. Brigid's"
HERE = (
    "sitting in the lobby of St. Brigid's right now and nobody answers at the desk",
    "I am in the ER at St. Brigid's right now, four hours, nobody has looked at my daughter",
)
SERIOUS = "St. Brigid's gave my mother the wrong medication last week and nobody apologised"
WHERE = (
    "in the lobby",
    "on the third floor",
    "in the pharmacy",
    "in the parking garage",
    "at the front desk",
    "upstairs",
)
WHAT = (
    "waited two hours without a word",
    "filthy bathroom",
    "cold food and nobody cares",
    "the elevator is broken",
    "rude receptionist",
    "nobody picks up the phone",
    "the heating is off",
    "they lost my form",
    "no place to sit",
    "what are the visiting hours",
)
ROUTINE = [text for text in COMPLAINTS if "bill" not in text]


class Desk:
    """The whole product with its Slack and its pager, at a time that moves when told to."""

    def __init__(self, service: Service, slack: FakeSlack, pager: FakePager, clock: Clock) -> None:
        self.service, self.slack, self.pager, self.clock = service, slack, pager, clock
        self.ana, self.ben = Person(slack, "U0ANA1", "ana"), Person(slack, "U0BEN1", "ben")
        self.heard = 0

    def goes_by(self, config: Config) -> None:
        """As after a change of the files."""
        service = self.service
        service.take_up(InForce(config, service.in_force.doors, service.reader))

    def hears(self, *texts: str) -> None:
        """Each by somebody else, written a minute ago."""
        posts = []
        for text in texts:
            self.heard += 1
            ref, at = str(self.heard), self.clock.at - MINUTE
            posts.append(Post(source="x", ref=ref, text=text, author=f"author{ref}", written_at=at, url=None))
        list(self.service.bring_in("x", [Page(tuple(posts), {})]))

    def loses(self, ref: str) -> None:
        """A post is gone at its place."""
        list(self.service.bring_in("x", [Page((), {}, deleted=(Ref("x", ref),))]))
        self.service.flow()

    def works(self) -> int:
        """One beat of the service; what waits for Slack after it."""
        self.service.flow()
        self.service.deliver("pager")
        return self.service.deliver("people").waiting

    def passes(self, span: timedelta, every: timedelta = 5 * MINUTE) -> None:
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
            self.clock.at = max(self.clock.at + 3 * SECOND, self._next_try())
        pytest.fail("it never drains")

    def _next_try(self) -> datetime:
        with self.session() as session:
            waiting = select(func.min(Delivery.next_try_at)).where(col(Delivery.state).in_(("pending", "sending")))
            return session.exec(waiting).one() or self.clock.at

    def first_waits(self) -> timedelta:
        """How long the most urgent message to the care team is left alone."""
        waiting = select(Delivery.next_try_at).where(Delivery.channel == "care", Delivery.state != "sent")
        with self.session() as session:
            return session.exec(waiting.order_by(col(Delivery.rank), col(Delivery.id))).first() - self.clock.at  # type: ignore[operator]

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

    def events(self) -> list[str]:
        with self.session() as session:
            return list(session.exec(select(CaseEvent.what).order_by(col(CaseEvent.id))))

    def messages(self) -> list[dict[str, Any]]:
        """Everything in every channel, in the order in which it came."""
        said = [one | {"in": name} for name in CARE_CHANNELS for one in self.slack.messages(name)]
        return sorted(said, key=lambda one: float(one["ts"]))

    def card(self, number: int) -> dict[str, Any]:
        """The card of a case."""
        return next(card for card in self.cards() if number_of(card) == number)

    def press(self, person: Person, number: int, action: str = "do:claim") -> Delivered:
        card = self.card(number)
        return person.press(card["in"], card["ts"], action)

    def choose(self, person: Person, number: int, action: str) -> dict[str, Any]:
        """Press what has a form, or choose it from the menu of a card; the form."""
        card = self.card(number)
        if f"'do:{action}'" in str(card["blocks"]):
            self.press(person, number, f"do:{action}")
        else:
            person.choose(card["in"], card["ts"], "menu", f"{action}:{number}")
        self.settled(lambda: person.sees_view() and person.view()["title"]["text"] != "One moment…")
        return person.view()

    def settled(self, holds: Callable[[], bool]) -> None:
        """Presses go on after they are acknowledged: wait until it holds."""
        assert self.slack.wait_until(holds, 10)

    def notes(self) -> list[tuple[str, str]]:
        """Channel and words of what people were told of the product itself."""
        return [
            (one["in"], str(one["blocks"]))
            for one in self.messages()
            if one["metadata"]["event_type"] == "call_light_note"
        ]

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


def type_name(fault: Fault) -> str:
    return type(fault).__name__


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
def desk(
    config: Config, reader: Reader, engine: Engine, slack: FakeSlack, clock: Clock, tmp_path: Path
) -> Iterator[Desk]:
    with FakePager(clock) as pager:
        door = Slack(slack.token, slack.base_url, config.care.slack.channels, clock.now)
        doors = {"pager": Pager(pager.json())}
        service = Service(config, engine, door, {}, clock.now, tmp_path, doors)
        service.in_force.reader = reader
        yield Desk(service, slack, pager, clock)


@contextlib.contextmanager
def pressed(desk: Desk) -> Iterator[None]:
    """Buttons are heard, by Socket Mode."""
    service = desk.service
    app = SlackApp(lambda: service.config, service.engine, service.door, {}, desk.clock.now)  # type: ignore[arg-type]
    line = SocketLine(app.bolt, desk.slack.app_token, service.door.client, ping=1, now=desk.clock.now)  # type: ignore[attr-defined]
    line.look()
    desk.slack.socket().wait_for(links=1)
    yield
    desk.slack.socket().drop()
    hung_up(line)


# ---------------------------------------------------------------- Slack is down


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Status(503), None], ids=["says 503", "no network"])
def test_slack_is_down_for_an_hour(desk: Desk, fault: Fault | None) -> None:
    """Danger reaches people by the pager meanwhile; afterwards the worst comes first, nothing twice and nothing in dozens."""
    service, there = desk.service, desk.service.in_force.doors["people"]
    desk.hears(COLLAPSED, *ROUTINE[:3])
    desk.drains()
    assert len(desk.cards()) == 4
    if fault is None:
        nowhere = Slack("xoxb-test-token", "http://127.0.0.1:9", service.config.care.slack.channels, desk.clock.now)
        service.in_force.doors["people"] = nowhere
    else:
        desk.slack.fail_next(fault, times=None)
    before = len(desk.messages())
    desk.hears(*ROUTINE[3:18], SERIOUS)
    desk.passes(30 * MINUTE)
    desk.hears(*ROUTINE[18:35], *HERE, KNIFE)
    desk.passes(30 * MINUTE)
    desk.passes(MINUTE, 4 * SECOND)  # each was tried in vain ...
    while desk.first_waits() < 50 * SECOND:  # ... and the most urgent just now
        desk.passes(4 * SECOND, 4 * SECOND)
    assert len(desk.messages()) == before
    cases = desk.cases()
    first, second = (number for number, case in cases.items() if case.urgency == "danger")
    pages = Counter(page.partition(" |")[0] for page in desk.pager.pages())
    assert pages.keys() == {f"Call Light: DANGER, case {number}" for number in (first, second)}
    assert min(pages.values()) >= 5, "again and again"

    service.in_force.doors["people"] = there
    desk.slack.heal()
    back = desk.clock.at
    desk.drains()
    told = desk.messages()[before:]
    cards = [card for card in told if card["metadata"]["event_type"] == "call_light_card"]
    late = next(float(card["ts"]) for card in cards if number_of(card) == second) - back.timestamp()
    assert late < 16, "danger does not wait for its turn"
    for channel in (CARE, "billing-social", "privacy-office-social"):
        ranks = [RANK[cases[number_of(card)].urgency] for card in cards if card["in"] == channel]
        assert ranks[1:] == sorted(ranks[1:]), f"{channel}: the worst first, once the one that was due has found Slack"
    assert (desk.clock.at - back) < 3 * MINUTE
    assert desk.is_true()
    reminders = Counter(one["in"] for one in told if one["metadata"]["event_type"] == "call_light_reminder")
    assert reminders[DANGER] <= 2, "what came up in the hour, and what came up since"
    assert reminders[CARE] <= 4, "one to the team and one to the people on call, and what came up since"

    with desk.session() as session:
        for case, mention in session.exec(select(Case, Mention).where(Case.mention_id == Mention.id)):
            assert case.clock_from == mention.written_at, "the clock did not wait for Slack"
        act(session, service.config, "answered", first, "ana", desk.clock.at)
    desk.drains()
    assert desk.case(first).answered_at == desk.clock.at
    assert "answered in 1 h" in str(next(card for card in desk.cards() if number_of(card) == first))


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    deep_after(1, [DropAfter(), Status(503), Stall(0.2), Reset(), NotJson(), RateLimited(retry_after=2)]),
    ids=type_name,
)
def test_slack_stumbles_in_a_burst_while_people_press(desk: Desk, fault: Fault) -> None:
    desk.hears(*ROUTINE[:6])
    desk.drains()
    with pressed(desk):
        for method in ("chat.postMessage", "chat.update"):
            desk.slack.fail_next(fault, times=1, on=method)
            desk.slack.fail_next(fault, times=1, on=method, after=1)
        desk.slack.fail_next(fault, on="conversations.history")
        desk.hears(*ROUTINE[6:9], HERE[0], COLLAPSED)
        for number in range(1, 7):
            assert desk.press(desk.ana if number % 2 else desk.ben, number).acked
            desk.clock.at += SECOND
            desk.works()
        desk.settled(lambda: all(desk.case(number).state == "claimed" for number in range(1, 7)))
        desk.drains()
        desk.passes(2 * MINUTE, MINUTE)
        desk.settled(desk.is_true)
    assert Counter(map(number_of, desk.cards())) == dict.fromkeys(desk.cases(), 1)
    assert [desk.did(number, "claimed") for number in range(1, 7)] == [1] * 6


@pytest.mark.slow
def test_fifty_presses_by_ten_people_within_a_second(desk: Desk) -> None:
    bursts = desk.service.config.care.bursts.model_copy(update={"cards": 100})
    care = desk.service.config.care.model_copy(update={"bursts": bursts})
    desk.goes_by(desk.service.config.model_copy(update={"care": care}))
    desk.hears(*(f"{what} at St. Brigid's {where}" for where in WHERE for what in WHAT))
    desk.drains()
    numbers = [number_of(card) for card in desk.cards()][:50]
    assert len(numbers) == 50
    people = [Person(desk.slack, f"U0AGENT{number}", f"agent{number}") for number in range(10)]

    def presses(person: Person, mine: list[int]) -> list[bool]:
        return [desk.press(person, number).acked for number in mine]

    with pressed(desk), ThreadPoolExecutor(len(people)) as pool:
        acked = pool.map(presses, people, (numbers[start::10] for start in range(10)))
        assert [list(one) for one in acked] == [[True] * 5] * 10
        desk.settled(lambda: all("claimed by" in desk.card(number)["text"] for number in numbers))
        desk.settled(desk.is_true)
    owners = Counter(case.owner for case in desk.cases().values() if case.owner)
    assert owners == {person.id: 5 for person in people}


# ---------------------------------------------------------------- channels are gone


def todo(place: Place, desk: Desk) -> str:
    """What `call-light doctor` says is wrong."""
    secrets = {"SLACK_BOT_TOKEN": desk.slack.token}
    findings = examine(Environment(place.config, place.data, secrets=secrets), desk.clock.at)
    return "\n".join(f"{finding.what}: {finding.todo}" for finding in findings if finding.ok is False)


@pytest.mark.slow
def test_two_channels_are_gone(desk: Desk, place: Place) -> None:
    place.edit("care.toml", r"^\[slack\]$", f'[slack]\nbase_url = "{desk.slack.base_url}"')
    desk.slack.change_channel(DANGER, member=False)
    desk.hears(COLLAPSED)
    desk.passes(MINUTE, 10 * SECOND)
    (page,) = desk.cards()
    assert (page["in"], page["text"].startswith("<!here> 🚨 DANGER")) == (CARE, True), "a page that nobody sees harms"
    ((where, why),) = desk.notes()
    assert (where, "messages cannot be delivered to danger" in why) == (HEALTH, True)
    assert "type /invite @Call Light" in why
    assert "Slack channel danger (#social-care-danger): the bot is not in it" in todo(place, desk)

    desk.slack.change_channel(CARE, archived=True)
    desk.hears(ROUTINE[0])
    desk.passes(MINUTE, 10 * SECOND)
    assert len(desk.cards()) == 1
    assert "messages cannot be delivered to care" in desk.notes()[1][1]
    assert "the channel #social-care is archived; name another in care.toml" in desk.notes()[1][1]
    assert "Slack channel care (#social-care): it is archived" in todo(place, desk)

    desk.slack.change_channel(CARE, archived=False)
    desk.slack.change_channel(DANGER, member=True)
    desk.passes(4 * MINUTE, 30 * SECOND)
    desk.drains()
    assert Counter((card["in"], number_of(card)) for card in desk.cards()) == {
        (CARE, 1): 1,
        (CARE, 2): 1,
        (DANGER, 1): 1,
    }
    over = [why for _, why in desk.notes()[2:]]
    assert sorted("danger can be reached again" in why for why in over) == [False, True]
    assert sum("care can be reached again" in why for why in over) == 1
    assert "channel" not in todo(place, desk)
    assert desk.is_true()


@pytest.mark.parametrize("gone", [(HEALTH,), (HEALTH, CARE), (HEALTH, CARE, DANGER)], ids=len)
def test_the_health_channel_is_gone_too(desk: Desk, gone: tuple[str, ...]) -> None:
    """People hear of it in any channel that is left."""
    for channel in (*gone, "privacy-office-social"):
        desk.slack.change_channel(channel, archived=True)
    desk.hears("St. Brigid's sent my test results to my neighbor")
    desk.passes(3 * MINUTE, 10 * SECOND)
    said = desk.notes()
    for name in ("privacy", "health", *(name for name in ("care", "danger") if f"social-{name}" in str(gone))):
        assert sum(f"messages cannot be delivered to {name}," in why for _, why in said) == 1, name
    assert len({where for where, _ in said}) == 1
    for channel in gone:
        desk.slack.change_channel(channel, archived=False)
    desk.slack.change_channel("privacy-office-social", archived=False)
    desk.passes(3 * MINUTE, 10 * SECOND)
    assert sum("can be reached again" in why for _, why in desk.notes()) >= 2
    assert desk.notes()[-1][0] == HEALTH
    assert [number_of(card) for card in desk.cards()] == [1]
    assert desk.is_true()


# ---------------------------------------------------------------- presses that cannot be done


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Status(503), "Slack answers 503"),
        (Reset(), "Slack gave no answer"),
        (Status(200, {"ok": False, "error": "missing_scope", "needed": "usergroups:read"}), "usergroups:read"),
        (Status(200, {"ok": False, "error": "no_such_subteam"}), "no_such_subteam"),
    ],
)
def test_slack_does_not_say_who_is_in_the_group(desk: Desk, fault: Fault, says: str) -> None:
    care = desk.service.config.care.model_copy(update={"permissions": {"claim": ("S0CARE",), "close": ("S0CARE",)}})
    desk.goes_by(desk.service.config.model_copy(update={"care": care}))
    desk.slack.fail_next(fault, times=None, on="usergroups.users.list")
    desk.hears(ROUTINE[0])
    desk.drains()
    with pressed(desk):
        assert desk.press(desk.ana, 1).acked
        desk.settled(lambda: bool(desk.ana.ephemerals()))
        (refused,) = [one["text"] for one in desk.ana.ephemerals()]
        assert refused.startswith("It is not known whether you may do 'Claim'")
        assert says in refused
        form = desk.choose(desk.ana, 1, "close")
        assert "It is not known whether you may do 'Close'" in str(form["blocks"])
        assert desk.ana.command("/calllight", "open", CARE).acked, "it still listens"
    assert (desk.case().state, desk.did(1, "claimed")) == ("open", 0)
    assert desk.is_true()


def test_a_fold_gives_nothing_to_who_may_not(desk: Desk) -> None:
    permissions = {"claim": ("U0BEN1",)}
    bursts = desk.service.config.care.bursts.model_copy(update={"cards": 1})
    care = desk.service.config.care.model_copy(update={"permissions": permissions, "bursts": bursts})
    desk.goes_by(desk.service.config.model_copy(update={"care": care}))
    desk.hears(*ROUTINE[:4])
    desk.drains()
    fold = next(one for one in desk.messages() if one["metadata"]["event_type"] == "call_light_fold")
    with pressed(desk):
        desk.ana.press(CARE, fold["ts"], "fold:next")
        desk.settled(lambda: bool(desk.ana.ephemerals()))
        assert "'Claim' is for others" in desk.ana.ephemerals()[0]["text"]
        desk.ben.press(CARE, fold["ts"], "fold:next")
        desk.settled(lambda: bool(desk.ben.ephemerals()))
        assert "is yours" in desk.ben.ephemerals()[0]["text"]
    assert Counter(case.owner for case in desk.cases().values()) == {None: 3, "U0BEN1": 1}


@pytest.mark.parametrize(
    ("form", "given", "happens", "says"),
    [
        ("close", {"outcome": "fixed"}, "closed", "case 1 is closed already"),
        ("close", {"outcome": "fixed"}, "merged", "case 1 is closed already"),
        ("draft", {"reply": "Thank you for telling us. Please reach us at 555-0100."}, "closed", "case 1 is closed"),
        ("draft", {"reply": "Thank you for telling us. Please reach us at 555-0100."}, "merged", "case 1 is closed"),
        ("draft", {"reply": "Thank you for telling us. Please reach us at 555-0100."}, "forgotten", "gone"),
        ("not_for_us", {"reason": "joke"}, "merged", "case 1 is closed already"),
    ],
)
def test_a_modal_whose_case_is_over(desk: Desk, form: str, given: dict[str, Any], happens: str, says: str) -> None:
    desk.hears(*ROUTINE[:2])
    desk.drains()
    with pressed(desk):
        desk.choose(desk.ana, 1, form)
        if happens == "forgotten":
            desk.loses("1")
        else:
            with desk.session() as session:
                name, answers = ("close", {"outcome": "explained"}) if happens == "closed" else ("merge", {"into": "2"})
                act(session, desk.service.config, name, 1, "ben", desk.clock.at, answers)
        before = desk.cases(), desk.events()
        submitted = desk.ana.submit(given)
        assert submitted.acked
        assert submitted.trouble == ""
        desk.settled(lambda: says in str(desk.ana.view()))
        assert (desk.cases(), desk.events()) == before
        desk.drains()
        desk.passes(MINUTE, MINUTE)
        assert desk.is_true()


def test_what_nobody_thought_of_is_told_and_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.hears(ROUTINE[0])
    desk.drains()
    with pressed(desk):
        card = desk.card(1)
        with desk.service.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE caseevent RENAME TO elsewhere")
        assert desk.ana.press(CARE, card["ts"], "do:claim").acked
        desk.settled(lambda: bool(desk.ana.ephemerals()))
        with desk.service.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO caseevent")
    assert "could not be done just now" in desk.ana.ephemerals()[0]["text"]
    assert "press error=OperationalError" in caplog.text
    assert desk.case().state == "open"


# ---------------------------------------------------------------- two programs, and none


def test_two_lines_on_one_database_and_one_token(desk: Desk) -> None:
    """The alarm stands as long as two are there: the one that was first does not know, and must not end it."""
    engine, door, sockets = desk.service.engine, desk.service.door, desk.slack.socket()

    def line() -> SocketLine:
        app = SlackApp(lambda: desk.service.config, engine, door, {}, desk.clock.now)  # type: ignore[arg-type]
        return SocketLine(app.bolt, desk.slack.app_token, door.client, ping=1, now=desk.clock.now)  # type: ignore[attr-defined]

    def look(*lines: SocketLine, hello: int) -> list[str]:
        desk.clock.at += 3 * SECOND
        ends = time.monotonic() + 10
        for one in lines:
            watch_over(engine, door, one, desk.clock.at)
        while lines[-1].connections != hello and time.monotonic() < ends:
            one.look()
        watch_over(engine, door, lines[-1], desk.clock.at)
        desk.works()
        return [why for _, why in desk.notes()]

    first, second = line(), line()
    look(first, hello=1)
    for _ in range(5):
        said = look(first, second, hello=2)
    assert ["2 programs use this app's token" in why for why in said] == [True], "once, however often they look"
    hung_up(first)
    hung_up(second)
    assert sockets.wait_for(links=0)
    alone = line()
    assert "is the only one with this app's token" in look(alone, hello=1)[-1]
    sockets.disconnect(
        "refresh_requested", close=False
    )  # as Slack does every few hours; the old line counts until it is closed
    assert sockets.wait_for(opened=4)
    assert len(look(alone, hello=1)) == 2, "its own old line is no other program"
    sockets.drop()
    hung_up(alone)


def hung_up(line: SocketLine) -> None:
    """At once: the library's own way takes seconds."""
    client = line._handler.client
    with contextlib.suppress(OSError, AttributeError):  # cut already, or by the other side
        client.current_session.sock.shutdown(socket.SHUT_RDWR)
    client.closed = True
    client.enqueue_message("{}")
    line.close()


# Kills itself where the environment says: around the commit of the first press that it is given.
KILLED = """
import os, signal
from sqlalchemy import event
from sqlalchemy.engine import Engine

at, pressed = os.environ["KILL"], []

def _kill():
    os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(Engine, "before_cursor_execute")
def _press(connection, cursor, statement, *_):
    if "INSERT INTO press" in statement:
        pressed.append(connection)

@event.listens_for(Engine, "commit")
def _before(connection):
    if at == "before" and connection in pressed:
        _kill()

@event.listens_for(Engine, "begin")
def _after(connection):
    if at == "after" and pressed and not pressed[0].in_transaction():
        _kill()

from listener.cli import main
main()
"""


@contextlib.contextmanager
def running(place: Place, slack: FakeSlack, links: int = 1, kill: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """`call-light run`, once its line to Slack is up."""
    command = [sys.executable, "-c", KILLED, "run"]
    with open(place.data.parent / "logs", "ab") as logs:
        environment = place.environment() | {"KILL": kill}
        service = subprocess.Popen(command, env=environment, cwd=place.data.parent, stderr=logs)
    try:
        assert slack.socket().wait_for(links=links, within=60), (place.data.parent / "logs").read_text()
        yield service
    finally:
        service.kill()
        service.wait(10)
        place.said((place.data.parent / "logs").read_text())


@pytest.fixture
def live(slack: FakeSlack, place: Place, x: FakeX) -> Place:
    """An installation that listens to X, told in real time and without the trained model, which takes seconds to load."""
    slack.now, slack.enforce_rate = time.time, False
    place.edit(
        "listening.toml",
        r"\[collectors\.x\]\non = false",
        f'[collectors.x]\non = true\nbase_url = "{x.base_url}"\nqueries = ["brigid"]',
    )
    place.edit("care.toml", r"^\[slack\]$", f'[slack]\nbase_url = "{slack.base_url}"')
    place.edit("keywords.toml", r"^model = true", "model = false")
    secrets = {"SLACK_BOT_TOKEN": slack.token, "SLACK_APP_TOKEN": slack.app_token, "X_BEARER_TOKEN": "test-bearer"}
    place.variables |= secrets
    return place


@pytest.mark.deep
def test_killed_at_the_moment_of_a_press_and_two_at_once(live: Place, slack: FakeSlack, x: FakeX) -> None:
    """Killed around the press, restarted, pressed again: each case is claimed once. Then two programs share the presses."""
    now = datetime.now(UTC)
    for number, text in enumerate(ROUTINE[:3]):
        x.post(text, author=f"author{number}", at=now - (number + 1) * MINUTE)
    ana, ben = Person(slack, "U0ANA1", "ana"), Person(slack, "U0BEN1", "ben")
    slack.line.patience = 10

    def cards() -> dict[int, dict[str, Any]]:
        return {number_of(card): card for card in slack.messages(CARE) if "case_id" in str(card["metadata"])}

    def owners() -> dict[int, str]:
        with contextlib.closing(sqlite3.connect(live.data / "call-light.db")) as database:
            return dict(database.execute("select id, owner from \"case\" where state = 'claimed'").fetchall())

    with running(live, slack, kill="before") as service:
        assert slack.wait_until(lambda: len(cards()) == 3, 60)
        first = ana.pressing(CARE, cards()[1]["ts"], "do:claim")
        ana.send(first)
        assert service.wait(20) == -signal.SIGKILL
    assert owners() == {}
    with running(live, slack, kill="after") as service:
        ana.send(first)
        assert service.wait(20) == -signal.SIGKILL
    assert owners() == {1: "U0ANA1"}
    with running(live, slack) as service:

        def killed(request: Request) -> bool:
            """When the card is about to be edited."""
            is_it = request.path.endswith("chat.update") and request.body["ts"] == cards()[2]["ts"]
            if is_it:
                service.kill()
            return is_it

        slack.fail_next(DropAfter(), on=killed)
        second = ben.pressing(CARE, cards()[2]["ts"], "do:claim")
        ben.send(second)
        assert service.wait(20) == -signal.SIGKILL
    assert owners() == {1: "U0ANA1", 2: "U0BEN1"}
    assert slack.socket().wait_for(links=0)

    with running(live, slack), running(live, slack, links=2), ThreadPoolExecutor(2) as pool:
        assert ana.send(first).acked, "they are said again"
        assert ben.send(second).acked
        told = "2 programs use this app's token at once"
        assert slack.wait_until(lambda: told in str(slack.messages(HEALTH)), 30)
        both = pool.map(lambda person: person.press(CARE, cards()[3]["ts"], "do:claim").acked, (ana, ben))
        assert list(both) == [True, True], "each by another line"
        assert slack.wait_until(lambda: ana.ephemerals() or ben.ephemerals(), 30)
        assert slack.wait_until(
            lambda: all(f"claimed by <@{who}>" in cards()[of]["text"] for of, who in owners().items()), 30
        )
    assert str(slack.messages(HEALTH)).count(told) <= 2, "in a block and as text"
    with contextlib.closing(sqlite3.connect(live.data / "call-light.db")) as database:
        claims = database.execute("select case_id from caseevent where kind = 'claimed'").fetchall()
    assert Counter(number for (number,) in claims) == {1: 1, 2: 1, 3: 1}
    assert len(owners()) == 3
    assert len(slack.messages(CARE)) == len(cards())


# ---------------------------------------------------------------- what no log may hold

MARK = "Zqxj"  # in every word that is not ours
LAWFUL = "We listen, day and night."


@pytest.mark.slow
def test_no_log_holds_a_word_a_name_or_a_token(
    config: Config, reader: Reader, engine: Engine, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for name in ("alerts", "listener", "nlp"):
        caplog.set_level(logging.DEBUG, name)
    with (
        FakeSlack(f"xoxb-{MARK}", clock, app_token=f"xapp-{MARK}") as slack,
        FakePager(clock) as pager,
    ):
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        door = Slack(slack.token, slack.base_url, config.care.slack.channels, clock.now)
        service = Service(config, engine, door, {}, clock.now, tmp_path, {"pager": Pager(pager.json(f"oncall{MARK}"))})
        service.in_force.reader = reader
        desk = Desk(service, slack, pager, clock)
        desk.ana = Person(slack, "U0ANA1", f"ana{MARK}")
        desk.hears(*(f"{text} {MARK} {hostile[:300]}" for text, hostile in zip(ROUTINE, HOSTILE, strict=False)))
        desk.hears(f"{COLLAPSED} {MARK}")
        echo = NotJson(f"<html>{MARK}: you sent {MARK}</html>")
        for fault in (
            Status(503),
            echo,
            Status(400, MARK),
            BrokenShape([MARK]),
            Status(200, {"ok": False, "error": MARK}),
        ):
            slack.fail_next(fault, on="chat.postMessage", after=1)
            slack.fail_next(fault, on="chat.update", after=2)
        pager.fail_next(Status(500, {"error": MARK}))
        desk.drains()
        with pressed(desk):
            _everything_is_pressed(desk)
        desk.passes(75 * MINUTE, 25 * MINUTE)
    assert "act" in caplog.text
    assert "send" in caplog.text
    assert "press error=" in caplog.text
    shown = [record for record in caplog.records if MARK in record.getMessage() + str(record.exc_text)]
    assert [(record.name, record.getMessage()) for record in shown] == []
    assert "ticket-" not in caplog.text, "who has it can open the line"
    assert "hunter2" not in caplog.text
    assert LAWFUL not in caplog.text


def _everything_is_pressed(desk: Desk) -> None:
    """Buttons, forms, commands, and what is no press at all, each with words in it."""
    ana, sockets = desk.ana, desk.slack.socket()
    desk.choose(ana, 1, "draft")
    assert "reply" in ana.submit(reply=f"Dear Ann {MARK}, we are sorry about your surgery.").errors
    ana.submit(reply=f"Thank you for telling us. {LAWFUL} Please reach us at 555-0100.")
    desk.settled(lambda: desk.did(1, "draft") == 1)
    ana.close_view()
    desk.choose(ana, 3, "more")
    ana.submit(action="snooze")
    desk.settled(lambda: ana.view()["callback_id"] == "do:snooze")
    ana.submit(span="1h", why=f"they call back {MARK}")
    desk.settled(lambda: desk.did(3, "snoozed") == 1)
    desk.press(ana, 4)
    desk.settled(lambda: desk.case(4).state == "claimed")
    for words in ("open", f"search {MARK}", f"{MARK} {MARK}"):
        ana.command("/calllight", words, CARE)
    sockets.patience = 0.3
    odd: list[dict[str, Any]] = [
        {"actions": [{"type": "button", "action_id": "do:claim", "value": "9" * 40 + MARK, "block_id": MARK}]},
        {"actions": [{"type": "button", "action_id": "do:claim", "value": "9" * 40, "block_id": MARK}]},
        {"actions": [{"type": "button", "action_id": MARK, "value": MARK, "block_id": MARK}]},
        {"actions": [], "message": MARK},
        {"team": {"id": MARK}},
        {"user": MARK},
        {"type": MARK},
    ]
    for change in odd:
        ana.choose(CARE, desk.card(4)["ts"], "menu", "draft:4", **change)
    sockets.send("view_submission", {"view": {"callback_id": f"do:{MARK}"}, "user": {"id": MARK}})
    for garbage in (
        MARK,
        f'{{"type": "{MARK}"}}',
        f'{{"envelope_id": "{MARK}", "type": "interactive", "payload": "{MARK}"}}',
    ):
        sockets.send_text(garbage)
    desk.slack.fail_next(Status(503, MARK), times=None, on="chat.update")
    desk.press(ana, 5)
    desk.settled(lambda: desk.case(5).state == "claimed")
    desk.slack.heal()
    sockets.patience = 3.0
    desk.press(ana, 7)
    desk.settled(lambda: desk.case(7).state == "claimed")
