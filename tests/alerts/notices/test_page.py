"""Pages: danger reaches the people on call, again and again until somebody has it, by services that are not Slack."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.pager import FakePager
from fakes.server import Status
from sqlmodel import col, select

from alerts.case import CaseEvent, move, raise_urgency, snooze
from alerts.deliver import Delivered, deliver
from alerts.delivery import Delivery
from alerts.pager import Pager
from listener.errors import NeedsPerson, TryLater
from listener.watch import Alarm

MINUTE = timedelta(minutes=1)
DANGER = {"urgency": "danger", "danger_of": "unattended", "site": "Harbor Campus", "departments": ["Emergency"]}


class OnCall:
    """The desk, and the services that page people."""

    def __init__(self, desk: Any, services: FakePager) -> None:
        self.desk, self.services = desk, services
        self.pager = Pager(f"{services.json('one')} {services.json('two')}")

    def pass_at(self, now: datetime = NOW) -> Delivered:
        return deliver(self.desk.session, self.desk.config, self.pager, now, through="pager")

    def pages(self) -> int:
        """How many went out by the first service."""
        return len(self.services.pages("one"))

    def danger(self, text: str = "my father lies on the floor", **said: Any) -> int:
        return self.desk.alert(text, **{**DANGER, **said})

    def move(self, case_id: int, state: Any, at: datetime = NOW) -> None:
        assert move(self.desk.session, case_id, state, "maria", state, at)
        self.desk.session.commit()

    def paged(self) -> list[str]:
        rows = select(CaseEvent).where(CaseEvent.kind == "paged").order_by(col(CaseEvent.id))
        return [f"{event.who} {event.what}" for event in self.desk.session.exec(rows)]

    def alarm(self) -> str | None:
        """What people read of the pager, if something is wrong with it."""
        alarms = select(Alarm.why).where(Alarm.kind == "pager", col(Alarm.over_at).is_(None))
        return self.desk.session.exec(alarms).first()


@pytest.fixture
def oncall(desk: Any) -> Iterator[OnCall]:
    with FakePager() as services:
        yield OnCall(desk, services)


def test_danger_pages_at_once(oncall: OnCall) -> None:
    oncall.danger("Zanzibarbecue fell on my father", author="handleofmine", written_at=NOW - 5 * MINUTE)
    assert oncall.pass_at().sent == 1
    said = "unattended, Harbor Campus Emergency, posted Mon 08:55, nobody has it. Slack #social-care-danger"
    assert oncall.services.pages() == [f"Call Light: DANGER, case 1 | {said}"] * 2
    written = "".join(request.raw.decode() for request in oncall.services.requests)
    assert not [word for word in ("Zanzibarbecue", "handleofmine", "x.example") if word in written]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"danger_of": None}, "Harbor Campus Emergency, posted Mon 08:59, nobody has it"),
        ({"danger_of": "self_harm", "departments": []}, "self harm, Harbor Campus, posted Mon 08:59, nobody has it"),
        ({"site": None, "departments": []}, "unattended, posted Mon 08:59, nobody has it"),
    ],
)
def test_what_a_page_says(oncall: OnCall, said: dict[str, Any], line: str) -> None:
    oncall.danger(**said)
    oncall.pass_at()
    assert oncall.services.pages("one") == [f"Call Light: DANGER, case 1 | {line}. Slack #social-care-danger"]


@pytest.mark.parametrize("urgency", ["here_now", "serious", "routine"])
def test_what_is_no_danger_pages_nobody(oncall: OnCall, urgency: str) -> None:
    oncall.danger(urgency=urgency)
    assert oncall.pass_at().sent == 0


def test_it_pages_again_until_somebody_has_it(oncall: OnCall) -> None:
    case_id = oncall.danger()
    counts = []
    for seconds in (0, 60, 119, 120, 130, 240, 300):
        oncall.pass_at(NOW + timedelta(seconds=seconds))
        counts.append(oncall.pages())
    assert counts == [1, 1, 1, 2, 2, 3, 3]
    oncall.move(case_id, "claimed")
    oncall.pass_at(NOW + 30 * MINUTE)
    assert oncall.pages() == 3


@pytest.mark.parametrize("state", ["claimed", "dismissed", "closed"])
def test_a_page_that_nobody_needs_is_not_sent(oncall: OnCall, state: str) -> None:
    oncall.services.fail_next(Status(500), times=2)
    case_id = oncall.danger()
    assert oncall.pass_at().waiting == 1
    oncall.move(case_id, state)
    assert (oncall.pass_at(NOW + MINUTE).sent, oncall.pages()) == (0, 0)
    assert oncall.desk.session.exec(select(Delivery).where(Delivery.kind == "page")).all() == []


def test_given_back_or_reopened_it_pages_again(oncall: OnCall) -> None:
    case_id = oncall.danger()
    oncall.pass_at()
    oncall.move(case_id, "claimed")
    oncall.move(case_id, "open")
    oncall.pass_at(NOW + 3 * MINUTE)
    assert oncall.pages() == 2


def test_a_case_that_becomes_danger_pages(oncall: OnCall) -> None:
    case = oncall.desk.case(oncall.danger(urgency="routine"))
    raise_urgency(oncall.desk.session, case, "danger", "danger", NOW, NOW, NOW)
    oncall.desk.session.commit()
    oncall.pass_at()
    assert oncall.pages() == 1


def test_snoozed_with_a_reason_it_is_quiet(oncall: OnCall) -> None:
    case = oncall.desk.case(oncall.danger())
    snooze(oncall.desk.session, case, NOW + 10 * MINUTE, "security is there", "maria", NOW)
    oncall.desk.session.commit()
    oncall.pass_at(NOW + MINUTE)
    assert oncall.pages() == 0
    oncall.pass_at(NOW + 10 * MINUTE)
    assert oncall.pages() == 1


# ---------------------------------------------------------------- when something does not work


def test_without_slack_people_are_paged(oncall: OnCall, paper: Any) -> None:
    oncall.danger()
    paper.closed = {"danger": TryLater("no connection to Slack")}
    oncall.desk.deliver(paper)
    assert oncall.pass_at().sent == 1


def test_after_an_outage_one_page_goes_out(oncall: OnCall) -> None:
    oncall.services.fail_next(Status(503), times=None)
    oncall.danger()
    for minute in range(60):
        assert oncall.pass_at(NOW + minute * MINUTE).waiting == 1
    oncall.services.heal()
    oncall.pass_at(NOW + 60 * MINUTE)
    oncall.pass_at(NOW + 61 * MINUTE)
    assert oncall.pages() == 1


def test_nobody_could_be_paged_is_tried_again_soon(oncall: OnCall) -> None:
    oncall.services.fail_next(Status(401), times=None)
    oncall.danger()
    for _ in range(6):
        oncall.pass_at()
        row = oncall.desk.rows()[-1]
        row.next_try_at -= timedelta(seconds=15)  # what a token needs a person for: danger does not wait for it
        assert row.next_try_at <= NOW
    oncall.services.heal()
    oncall.pass_at()
    assert oncall.pages() == 1


def test_it_is_written_down_how_many_took_it(oncall: OnCall) -> None:
    oncall.danger()
    oncall.services.fail_next(Status(401), on="two")
    for minute in (0, 1, 2, 3):
        oncall.pass_at(NOW + minute * MINUTE)
    taken = "call-light paged the people on call by {} of 2 services"
    assert oncall.paged() == [taken.format(1), taken.format(2)]


def test_an_address_that_fails_is_told(oncall: OnCall) -> None:
    oncall.danger()
    oncall.services.fail_next(Status(401), on="two")
    delivered = oncall.pass_at()
    refused = (
        "the 2nd address of CALL_LIGHT_PAGER_URLS (JSON) refuses it (401); check the token in it and to whom it goes"
    )
    assert (delivered.sent, delivered.trouble) == (1, (refused,))
    oncall.pass_at(NOW + MINUTE)
    assert oncall.alarm() == refused
    oncall.pass_at(NOW + 2 * MINUTE)
    oncall.pass_at(NOW + 3 * MINUTE)
    assert oncall.alarm() is None


def test_pages_and_cards_are_separate(oncall: OnCall, paper: Any) -> None:
    """A page that arrived is no sign that the card did: danger that cannot reach its channel still goes to the care team."""
    oncall.danger()
    oncall.pass_at()
    paper.closed = {"danger": NeedsPerson("the channel is archived")}
    oncall.desk.deliver(paper)
    oncall.pass_at(NOW + 2 * MINUTE)
    oncall.desk.deliver(paper, NOW + 2 * MINUTE)
    assert "care" in paper.channels()
