"""What people press in Slack, by Socket Mode and by signed HTTP: the payloads that Slack sends, and what comes of them."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.slack import FakeSlack
from fakes.slack_limits import problems
from fakes.slack_people import Person
from sqlalchemy import Engine
from sqlmodel import Session

from alerts.case import Case
from alerts.deliver import deliver
from alerts.slack import Slack
from alerts.slack_app import SlackApp
from alerts.slack_link import SocketLine, http_app
from config.schema import Config
from listener.errors import NeedsPerson
from listener.serving import Limits, Where, serving

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
CARE = "social-care"


@dataclass
class Room:
    """A care team in Slack, with the product behind it."""

    desk: Any
    config: Config
    engine: Engine
    workspace: FakeSlack
    door: Slack
    clock: Any
    woken: list[str]

    def case(self, number: int = 1) -> Case:
        """A case as the database has it now."""
        return self.desk.case_now(number)

    def events(self, number: int = 1) -> list[str]:
        return self.desk.events_now(number)

    def deliver(self) -> None:
        with Session(self.engine) as session:
            deliver(session, self.config, self.door, self.clock.now())

    def alert(self, *texts: str, **said: Any) -> str:
        """Posts that become cases with their cards; the ts of the last card."""
        for text in texts or ("waited for hours",):
            self.desk.alert(text, **said)
        self.deliver()
        return str(self.cards(said.get("urgency", "routine"))[-1]["ts"])

    def cards(self, urgency: str = "routine") -> list[dict[str, Any]]:
        return self.workspace.messages("social-care-danger" if urgency == "danger" else CARE)

    def card(self, ts: str, channel: str = CARE) -> dict[str, Any]:
        return next(message for message in self.workspace.messages(channel) if message["ts"] == ts)

    def person(self, id_: str = "U0ANA1", name: str = "ana") -> Person:
        return Person(self.workspace, id_, name)

    def settled(self, holds: Callable[[], bool]) -> None:
        """Presses go on after they are acknowledged: wait until it holds."""
        assert self.workspace.wait_until(holds, 5)


@contextlib.contextmanager
def connected(room: Room, how: str, config: Config) -> Iterator[SlackApp]:
    """The product's listeners, reached in one of the two ways."""
    secrets = {"SLACK_SIGNING_SECRET": SECRET} if how == "http" else {}
    mode = config.care.model_copy(update={"slack": config.care.slack.model_copy(update={"mode": how})})
    room.config = config.model_copy(update={"care": mode})
    app = SlackApp(lambda: room.config, room.engine, room.door, secrets, room.clock.now, lambda: room.woken.append("x"))
    if how == "socket":
        line = SocketLine(app.bolt, room.workspace.app_token, room.door.client, ping=1, now=room.clock.now)
        line.look()
        room.workspace.line = room.workspace.socket()
        room.workspace.line.wait_for(links=1)
        yield app
        room.workspace.line.drop()
        line._handler.client.closed = True
        line._handler.client.enqueue_message("{}")
        line.close()
        return
    limits = Limits(connections=100, silence=5, life=10, end=1)
    with _port() as port, serving(http_app(app.bolt, SECRET), Where("Slack", "127.0.0.1", port, "x"), limits):
        # A signature holds for five minutes of the real time, and the workspace lives in another.
        age = room.workspace.now() - time.time()
        room.workspace.line = room.workspace.http(f"http://127.0.0.1:{port}/slack/events", SECRET, age=age)
        yield app


@contextlib.contextmanager
def _port() -> Iterator[int]:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    yield port


@pytest.fixture
def empty_room(desk: Any, config: Config, engine: Engine, workspace: FakeSlack, door: Slack, clock: Any) -> Room:
    return Room(desk, config, engine, workspace, door, clock, [])


@pytest.fixture(params=["socket", "http"])
def room(empty_room: Room, request: Any) -> Iterator[Room]:
    with connected(empty_room, request.param, empty_room.config):
        yield empty_room


# ---------------------------------------------------------------- buttons


def test_claim_and_the_card_says_who(room: Room) -> None:
    ts = room.alert()
    pressed = room.person().press(CARE, ts, "do:claim")
    assert pressed.acked
    assert pressed.after < 1
    room.settled(lambda: "<@U0ANA1>" in room.card(ts)["text"])
    case = room.case()
    assert (case.state, case.owner, case.claimed_at) == ("claimed", "U0ANA1", NOW)
    card = room.card(ts)
    assert problems(card["blocks"]) == []
    assert [one["action_id"] for one in card["blocks"][-1]["elements"]] == ["do:answered", "do:close", "menu"]
    assert len(room.workspace.messages(CARE)) == 1, "no noise"
    room.settled(lambda: bool(room.woken))  # what else follows from it is told at once


def test_two_people_press_at_once_and_one_owns_it(room: Room) -> None:
    ts = room.alert()
    people = [room.person("U0ANA1", "ana"), room.person("U0BEN1", "ben")]
    start = threading.Barrier(2)

    def press(person: Person) -> None:
        start.wait(5)
        person.press(CARE, ts, "do:claim")

    threads = [threading.Thread(target=press, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    room.settled(lambda: any(person.ephemerals() for person in people))
    owner = room.case().owner
    (other,) = [person for person in people if person.id != owner]
    assert f"claimed by <@{owner}>" in other.ephemerals()[0]["text"]
    assert room.events().count("claimed it") == 1


def test_the_same_press_twice_is_done_once(room: Room) -> None:
    ts = room.alert()
    ana = room.person()
    ana.press(CARE, ts, "do:claim")
    room.settled(lambda: room.case().state == "claimed")
    assert ana.again().acked
    room.settled(lambda: len(room.workspace.seen("chat.update")) >= 1)
    assert room.events().count("claimed it") == 1
    assert ana.ephemerals() == []


def test_a_card_that_was_deleted_meanwhile(room: Room) -> None:
    ts = room.alert()
    room.workspace.remove_message(CARE, ts)
    assert room.person().press(CARE, ts, "do:claim").acked
    room.settled(lambda: room.case().state == "claimed")


@pytest.mark.parametrize(
    "change",
    [
        {"team": {"id": "T0OTHER", "domain": "elsewhere"}},
        {"actions": [{"type": "button", "action_id": "do:dance", "value": "1", "block_id": "x"}]},
        {"actions": [{"type": "button", "action_id": "do:claim", "value": "99", "block_id": "x"}]},
        {"actions": [{"type": "button", "action_id": "do:claim", "value": "1; drop table", "block_id": "x"}]},
        {"actions": [{"type": "button", "action_id": "do:claim", "block_id": "x"}]},
        {"actions": [{"type": "overflow", "action_id": "menu", "selected_option": None, "block_id": "x"}]},
    ],
)
def test_foreign_payloads_change_nothing(room: Room, change: dict[str, Any]) -> None:
    ts = room.alert()
    room.door.about_bot()  # whose workspace it is
    room.person().press(CARE, ts, "do:claim", **change)
    room.person("U0BEN1", "ben").command("/calllight", "late", CARE)  # it still listens
    assert room.case().state == "open"


def test_who_may_not(empty_room: Room) -> None:
    room = empty_room
    care = room.config.care.model_copy(update={"permissions": {"claim": ("U0BEN1", "S0CARE")}})
    room.workspace.add_group("care", ["U0CLEO1"], id="S0CARE")
    ana, ben, cleo = (room.person(id_, id_) for id_ in ("U0ANA1", "U0BEN1", "U0CLEO1"))
    with connected(room, "socket", room.config.model_copy(update={"care": care})):
        first, second = room.alert(), room.alert()
        ana.press(CARE, first, "do:claim")
        room.settled(lambda: bool(ana.ephemerals()))
        assert "'Claim' is for others" in ana.ephemerals()[0]["text"]
        assert room.case(1).state == "open"
        ben.press(CARE, first, "do:claim")
        cleo.press(CARE, second, "do:claim")
        room.settled(lambda: [room.case(number).owner for number in (1, 2)] == ["U0BEN1", "U0CLEO1"])


# ---------------------------------------------------------------- modals


def test_not_for_us_asks_why(room: Room) -> None:
    ts = room.alert()
    ana = room.person()
    ana.press(CARE, ts, "do:not_for_us")
    assert ana.view()["title"]["text"] in ("One moment…", "Not for us")
    room.settled(lambda: ana.view()["callback_id"] == "do:not_for_us")
    assert room.case().state == "open", "nothing is done by one click"
    ana.submit(reason="joke")
    room.settled(lambda: room.case().state == "dismissed")
    assert room.events()[-1] == "not for us: joke"
    assert not ana.sees_view()
    room.settled(lambda: [one["text"] for one in ana.ephemerals()] == ["Case 1 is not for us."])


def test_danger_is_not_dismissed_by_one_click(room: Room) -> None:
    ts = room.alert(urgency="danger")
    card = room.card(ts, "social-care-danger")
    assert "do:not_for_us" not in str(card["blocks"][-1]["elements"][:2])
    ana = room.person()
    ana.choose("social-care-danger", ts, "menu", "not_for_us:1")
    room.settled(lambda: ana.view()["callback_id"] == "do:not_for_us")
    with pytest.raises(ValueError, match="sure"):  # Slack's client does not send it without the tick
        ana.submit(reason="joke")
    ana.submit(reason="joke", sure=["yes"])
    room.settled(lambda: room.case().state == "dismissed")


def test_close_with_what_became_of_it(room: Room) -> None:
    ts = room.alert()
    ana = room.person()
    ana.press(CARE, ts, "do:claim")
    room.settled(lambda: "do:close" in str(room.card(ts)["blocks"]))
    ana.press(CARE, ts, "do:close")
    room.settled(lambda: ana.view()["callback_id"] == "do:close")
    ana.submit(outcome="fixed")
    room.settled(lambda: "closed by <@U0ANA1>: Fixed" in room.card(ts)["text"])
    assert room.case().outcome == "fixed"


def test_a_modal_submitted_twice(room: Room) -> None:
    ts = room.alert()
    ana = room.person()
    ana.choose(CARE, ts, "menu", "more:1")
    room.settled(lambda: ana.view()["callback_id"] == "do:more")
    ana.submit(action="snooze")
    room.settled(lambda: ana.view()["callback_id"] == "do:snooze")
    ana.submit(span="1h", why="they call back")
    room.settled(lambda: room.case().snoozed_until == NOW + HOUR)
    ana.again()
    room.person("U0BEN1", "ben").command("/calllight", "on", CARE)
    assert room.events().count("snoozed: they call back") == 1


def test_behind_more_and_what_cannot_be_done(room: Room) -> None:
    ts = room.alert("waited", "waited elsewhere")
    ana = room.person()
    ana.choose(CARE, ts, "menu", "more:2")
    room.settled(lambda: ana.view()["callback_id"] == "do:more")
    ana.submit(action="merge")
    room.settled(lambda: ana.view()["callback_id"] == "do:merge")
    ana.submit(into="99")
    room.settled(lambda: bool(ana.ephemerals()))
    assert ana.ephemerals()[0]["text"] == "there is no case 99; see call-light cases"
    assert room.case(2).state == "open"


def test_somebody_else_was_first(room: Room) -> None:
    ts = room.alert()
    ana = room.person()
    ana.press(CARE, ts, "do:not_for_us")
    room.settled(lambda: ana.view()["callback_id"] == "do:not_for_us")
    room.desk.act("close", "ben", outcome="explained")
    submitted = ana.submit(reason="spam")
    assert "is closed" in str(submitted.answer)
    assert room.case().state == "closed"


def test_slack_did_not_open_the_modal_in_time(room: Room) -> None:
    from fakes.server import Status

    ts = room.alert()
    ana = room.person()
    room.workspace.fail_next(Status(200, {"ok": False, "error": "expired_trigger_id"}), on="views.open")
    ana.press(CARE, ts, "do:not_for_us")
    room.settled(lambda: bool(ana.ephemerals()))
    assert "press again" in ana.ephemerals()[0]["text"]


# ---------------------------------------------------------------- folded cases


def test_a_fold_gives_out_the_next_and_shows_all(room: Room) -> None:
    for number in range(15):
        room.desk.hear(f"post {number}", urgency="serious" if number == 14 else "routine")
    room.desk.decide()
    room.desk.session.rollback()
    for _ in range(6):
        room.deliver()
        room.clock.passes(timedelta(seconds=3))
    fold = next(one for one in room.cards() if one["metadata"]["event_type"] == "call_light_fold")
    assert fold["blocks"][0]["text"]["text"] == "📥 3 more cases wait here"
    ana = room.person()
    ana.press(CARE, fold["ts"], "fold:next")
    room.settled(lambda: bool(ana.ephemerals()))
    assert "is yours" in ana.ephemerals()[0]["text"]
    room.deliver()
    number = int(ana.ephemerals()[0]["text"].split()[1])
    assert room.case(number).owner == "U0ANA1"
    room.clock.passes(MINUTE)
    room.deliver()
    assert any(one["metadata"]["event_payload"].get("case_id") == number for one in room.cards()), "its card has come"
    ana.press(CARE, fold["ts"], "fold:show")
    room.settled(lambda: "3 folded cases" in ana.view()["title"]["text"])
    assert sum("accessory" in block for block in ana.view()["blocks"]) == 2, "two are still free"


# ---------------------------------------------------------------- /calllight


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("open", "/calllight open: *1* case"),
        ("late", "/calllight late: Nothing."),
        ("mine", "/calllight mine: *1* case"),
        ("search smoke", "/calllight search: *1* case"),
        ("search nothing-like-it", "/calllight search: Nothing."),
        ("on", "The team"),
        ("", "/calllight open"),
        ("dance", "/calllight open"),
    ],
)
def test_commands(room: Room, typed: str, said: str) -> None:
    room.alert("waited for hours", "the lift smells of smoke")
    ana = room.person()
    room.desk.act("claim", "U0ANA1", case_id=1)
    room.desk.session.rollback()
    answered = ana.command("/calllight", typed, CARE)
    assert answered.acked
    blocks = answered.answer["blocks"]
    assert problems(blocks) == []
    assert said in blocks[0]["text"]["text"]
    assert answered.answer["response_type"] == "ephemeral"


def test_a_command_that_cannot_be_done_says_why(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise NeedsPerson("search works only where the database is SQLite")

    monkeypatch.setattr("alerts.desk.search", refuse)
    answered = room.person().command("/calllight", "search smoke", CARE)
    assert answered.acked
    assert answered.answer["response_type"] == "ephemeral"
    assert answered.answer["blocks"][0]["text"]["text"] == "search works only where the database is SQLite"


# ---------------------------------------------------------------- signatures


def test_what_is_not_signed_by_slack_changes_nothing(empty_room: Room) -> None:
    room = empty_room
    with connected(room, "http", room.config):
        ts = room.alert()
        ana = room.person()
        line = room.workspace.line
        line.patience = 0.5
        good = line.secret
        line.secret = "another"
        assert ana.press(CARE, ts, "do:claim").status == 401
        in_time = line.age
        line.secret, line.age = good, in_time + 301
        assert ana.press(CARE, ts, "do:claim").status == 401
        line.age = in_time
        for header in ("", "v0=0", "v0=é"):
            assert line.again(x_slack_signature=header).status == 401
        for stamp in ("", "soon", "1e400"):
            assert line.again(x_slack_request_timestamp=stamp).status == 401
        assert room.case().state == "open"
        assert ana.press(CARE, ts, "do:claim").status == 200
        room.settled(lambda: room.case().state == "claimed")
        assert line.again().status == 200, "a replay within five minutes is answered"
        assert room.events().count("claimed it") == 1, "and not done again"


def test_room_is_real(empty_room: Room) -> None:
    """A room whose line is not connected acknowledges nothing: the tests above can fail."""
    ts = empty_room.alert()
    empty_room.workspace.line.patience = 0.2
    assert not replace(empty_room).person().press(CARE, ts, "do:claim").acked


@pytest.mark.parametrize("number", ["²", "9" * 40, "9" * 5000, "-1", ""])
def test_what_is_no_number_of_a_case_does_nothing(room: Room, number: str, caplog: pytest.LogCaptureFixture) -> None:
    """None of these is sent by Slack; whoever pressed would read that something nobody thought of went wrong."""
    ts = room.alert()
    ana = room.person()
    payload = ana.pressing(CARE, ts, "do:claim")
    payload["actions"][0]["value"] = number
    assert ana.send(payload).acked
    assert ana.press(CARE, ts, "do:claim").acked
    room.settled(lambda: room.case().state == "claimed")
    assert "action=press error" not in caplog.text
    assert ana.ephemerals() == []
