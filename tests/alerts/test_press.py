"""A press: done once, by who may, and the case is shown anew whatever came of it."""

import logging
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from conftest import NOW
from sqlalchemy import Engine
from sqlmodel import Session

from alerts.act import Done
from alerts.form import Refused
from alerts.people import Person, named
from alerts.press import Press, allow, press
from config.schema import Config
from listener.errors import NeedsPerson, TryLater

CLAIM = Press("claim", 1, "U0ANA0001", "Ana", "k1", {})
NOT_FOR_US = Press("not_for_us", 1, "U0ANA0001", "Ana", "k1", {"reason": "joke"})


@dataclass
class Hand:
    """What presses, with what stands behind the button."""

    desk: Any
    engine: Engine
    config: Config
    paper: Any
    woken: list[str] = field(default_factory=list)

    def press(self, pressed: Press, now: datetime = NOW) -> Done | None:
        return press(self.engine, self.config, self.paper, pressed, now, {}, lambda: self.woken.append("woken"))

    def shown(self) -> list[str]:
        """What stands on the card of each edit."""
        return [message.text for _, message in self.paper.updates]

    def events(self) -> list[str]:
        found: list[str] = self.desk.events()[1:]
        self.desk.session.commit()
        return found


@pytest.fixture
def hand(desk: Any, engine: Engine, config: Config, paper: Any) -> Hand:
    """Over a case with its card."""
    desk.alert()
    desk.deliver(paper)
    desk.session.commit()
    return Hand(desk, engine, config, paper)


def test_it_is_done_shown_and_the_rest_is_told_at_once(hand: Hand) -> None:
    done = hand.press(CLAIM)
    assert done is not None
    assert (hand.desk.case().state, hand.desk.case().owner) == ("claimed", "U0ANA0001")
    assert len(hand.shown()) == 1
    assert hand.woken == ["woken"]
    assert named(hand.desk.session, "U0ANA0001") == "Ana"


def test_the_same_press_is_done_once(hand: Hand) -> None:
    assert hand.press(CLAIM) is not None
    assert hand.press(CLAIM) is None
    assert hand.press(replace(CLAIM, action="give_back")) is None, "whatever it says it is"
    assert hand.events() == ["claimed it"]
    assert hand.woken == ["woken"] * 3
    assert len(hand.shown()) == 1, "nothing else is to be shown"
    assert hand.press(replace(CLAIM, key="k2", action="give_back")) is not None


def test_the_same_press_twice_at_once_is_done_once(hand: Hand) -> None:
    start, done = threading.Barrier(2), []

    def one() -> None:
        start.wait(5)
        done.append(hand.press(CLAIM))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(found is None for found in done) == [False, True]
    assert hand.events() == ["claimed it"]


def test_who_was_too_late_is_told_and_the_card_says_who_has_it(hand: Hand) -> None:
    hand.desk.act("claim", who="U0BEN0001")
    with pytest.raises(NeedsPerson, match="claimed by <@U0BEN0001>"):
        hand.press(CLAIM)
    assert len(hand.shown()) == 1
    assert "U0BEN0001" in hand.shown()[0]
    assert hand.woken == ["woken"]
    assert hand.desk.session.get(Person, "U0ANA0001") is None


def test_answers_that_will_not_do_can_be_sent_again_by_the_same_press(hand: Hand) -> None:
    with pytest.raises(Refused):
        hand.press(replace(NOT_FOR_US, given={"reason": "because"}))
    assert hand.events() == []
    assert hand.press(NOT_FOR_US) is not None
    assert hand.desk.case().state == "dismissed"


def test_there_is_no_such_case(hand: Hand) -> None:
    with pytest.raises(NeedsPerson, match="no case 99"):
        hand.press(replace(CLAIM, case_id=99))
    assert hand.woken == ["woken"]


@pytest.mark.parametrize("trouble", [TryLater("Slack is away"), RuntimeError("my dad collapsed")])
def test_a_card_that_cannot_be_shown_anew_undoes_nothing(
    hand: Hand, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    hand.paper.on_update["care"] = [trouble]
    with caplog.at_level(logging.WARNING):
        assert hand.press(CLAIM) is not None
    assert hand.desk.case().state == "claimed"
    assert hand.woken == ["woken"]
    assert "case=1" in caplog.text or "delivery=1" in caplog.text
    assert "collapsed" not in caplog.text
    hand.desk.session.commit()
    hand.desk.deliver(hand.paper, NOW.replace(hour=20))
    assert len(hand.shown()) == 1, "the outbox makes up for it"


def test_no_press_waits_for_the_card_with_the_database_held(hand: Hand) -> None:
    """While Slack is slow, others must be able to write."""

    def write() -> None:
        with Session(hand.engine) as session:
            session.merge(Person(id="U0BEN0001", name="Ben"))
            session.commit()

    hand.paper.watch = write
    assert hand.press(CLAIM) is not None
    assert named(hand.desk.session, "U0BEN0001") == "Ben"


def test_who_pressed_does_not_wait_for_a_slack_that_hangs(hand: Hand) -> None:
    slack, woken = threading.Event(), threading.Event()
    hand.paper.watch = lambda: slack.wait(20)
    began = time.monotonic()
    assert press(hand.engine, hand.config, hand.paper, CLAIM, NOW, {}, woken.set, 0.05) is not None
    assert time.monotonic() - began < 10
    assert not woken.is_set()
    slack.set()
    assert woken.wait(20)
    assert len(hand.shown()) == 1


# ---------------------------------------------------------------- who may


@pytest.mark.parametrize(
    ("members", "who", "of_them", "may"),
    [
        (None, "U0ANA0001", (), True),  # care.toml does not say
        ((), "U0ANA0001", (), False),  # nobody
        (("U0ANA0001",), "U0ANA0001", (), True),
        (("U0ANA0001",), "U0BEN0001", (), False),
        (("S0NURSES1",), "U0BEN0001", ("S0NURSES1",), True),
        (("S0NURSES1",), "U0BEN0001", (), False),
        (("S0NURSES1", "U0ANA0001"), "U0ANA0001", (), True),
    ],
)
def test_who_may(
    config: Config, members: tuple[str, ...] | None, who: str, of_them: Collection[str], may: bool
) -> None:
    care = config.care.model_copy(update={"permissions": {} if members is None else {"claim": members}})
    asked: list[Collection[str]] = []

    def groups(named: Collection[str]) -> Collection[str]:
        asked.append(named)
        return of_them

    if may:
        allow(care, "claim", who, groups)
    else:
        with pytest.raises(NeedsPerson, match="'Claim' is for others"):
            allow(care, "claim", who, groups)
    is_needed = bool(members) and who not in (members or ()) and any(one.startswith("S") for one in members or ())
    assert asked == ([[one for one in members or () if one.startswith("S")]] if is_needed else [])
