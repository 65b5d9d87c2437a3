"""What stops the service is told without the database, once and each hour, and when it is over."""

from collections.abc import Iterator
from sqlite3 import OperationalError
from typing import Any

import pytest
from fakes.pager import FakePager
from fakes.server import Status
from fakes.slack import CARE_CHANNELS, FakeSlack
from sqlalchemy.exc import OperationalError as OfDatabase

from alerts.pager import Pager
from alerts.slack import Slack
from alerts.standstill import Standstill
from config.schema import Config

FULL = OfDatabase("INSERT INTO mention (text) VALUES (?)", ("my dad collapsed",), OperationalError("disk is full"))
MINUTE, HOUR = 60.0, 3600.0


class Team:
    """People in the health channel, and who is on call."""

    def __init__(self, slack: FakeSlack, pager: FakePager, config: Config) -> None:
        self.slack, self.pager, self.seconds = slack, pager, 1000.0
        self.standstill = Standstill(lambda: self.seconds)
        there = Slack(slack.token, slack.base_url, dict(config.care.slack.channels))
        self.doors: dict[str, Any] = {"people": there, "pager": Pager(pager.json(), within=2.0)}

    def after(
        self, seconds: float, *failing: str, error: Exception = FULL, every: float = 2.0, is_flowing: bool = True
    ) -> None:
        """So much later these jobs have failed again; it was looked twice a minute who has to be told."""
        ends = self.seconds + seconds
        while self.seconds < ends:
            self.seconds = min(self.seconds + 30, ends)
            if is_flowing:
                self.standstill.came_round()
            if every < MINUTE or self.seconds == ends:
                for job in failing:
                    self.standstill.failed(job, error, every)
            self.standstill.tell(self.doors)

    @property
    def read(self) -> list[str]:
        """What stands in the health channel."""
        return [message["text"] for message in self.slack.messages("call-light-health")]


@pytest.fixture
def team(config: Config) -> Iterator[Team]:
    with FakeSlack() as slack, FakePager() as pager:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        yield Team(slack, pager, config)


def test_a_full_disk_is_told_and_paged_once_then_hourly_then_that_it_is_over(team: Team) -> None:
    team.after(30, "x")
    team.after(2 * MINUTE, "x")
    assert (team.read, team.pager.pages()) == ([], []), "a short trouble mends itself"
    team.after(MINUTE, "x")
    (said,), (page,) = team.read, team.pager.pages()
    for words in (said, page):
        assert "Call Light stands still" in words
        assert "Hearing x has failed for 3 minutes: the database cannot grow, as the disk is full: make room" in words
        assert "look at the places by hand" in words
        assert "collapsed" not in words
    team.after(30 * MINUTE, "x")
    assert len(team.read) == len(team.pager.pages()) == 1
    team.after(HOUR, "x")
    assert len(team.read) == len(team.pager.pages()) == 2
    team.standstill.went("x")
    team.after(10 * MINUTE)
    assert [words for words in team.read if "works again" in words] == team.read[2:]
    assert len(team.read) == 3
    assert len(team.pager.pages()) == 2


@pytest.mark.parametrize(
    ("job", "error", "is_paged"),
    [
        ("flow", ValueError("my dad"), True),
        ("people", ValueError("my dad"), True),
        ("x", ValueError("my dad"), False),
        ("pages", ValueError("my dad"), False),
        ("pages", FULL, True),
    ],
)
def test_who_is_told_of_what(team: Team, job: str, error: Exception, is_paged: bool) -> None:
    team.after(4 * MINUTE, job, error=error)
    (said,) = team.read
    assert "my dad" not in said
    assert bool(team.pager.pages()) is is_paged


def test_a_flow_that_hangs_is_paged(team: Team) -> None:
    team.after(2 * MINUTE, is_flowing=False)
    assert team.read == []
    team.after(2 * MINUTE, is_flowing=False)
    assert "hangs" in team.read[0]
    assert len(team.pager.pages()) == 1


def test_what_works_in_between_is_no_standstill(team: Team) -> None:
    for _ in range(5):
        team.after(MINUTE, "flow")
        team.standstill.went("flow")
    assert team.read == []


def test_slack_that_is_down_too_is_tried_again_and_the_pager_does_not_wait(team: Team) -> None:
    team.slack.fail_next(Status(500), times=None)
    team.after(4 * MINUTE, "flow")
    assert (team.read, len(team.pager.pages())) == ([], 1)
    team.slack.heal()
    team.after(MINUTE, "flow")
    assert (len(team.read), len(team.pager.pages())) == (1, 1)


def test_one_failure_of_what_comes_seldom_wakes_nobody_and_two_do(team: Team) -> None:
    team.after(30, "forget", every=10 * MINUTE)
    team.after(9 * MINUTE)
    assert (team.read, team.pager.pages()) == ([], [])
    team.after(MINUTE, "forget", every=10 * MINUTE)
    assert "Forgetting what is gone has failed for 10 minutes" in team.read[0]
    assert len(team.pager.pages()) == 1


def test_what_runs_on_and_on_since_or_was_switched_off_is_over(team: Team) -> None:
    team.after(5 * MINUTE, "bluesky_live", every=15.0)
    assert len(team.read) == 1
    team.after(2 * HOUR)
    assert [words for words in team.read if "works again" in words] == team.read[1:]
    assert len(team.read) == 2


def test_what_comes_and_goes_is_told_as_one_trouble(team: Team) -> None:
    for _ in range(6):
        team.after(5 * MINUTE, "flow")
        team.standstill.went("flow")
        team.after(MINUTE)
    assert len(team.read) == len(team.pager.pages()) == 1


@pytest.mark.parametrize("failing", [(), ("x",)])
def test_a_machine_that_slept_hung_nowhere(team: Team, failing: tuple[str, ...]) -> None:
    team.after(30, *failing)
    team.seconds += 8 * HOUR
    team.standstill.tell(team.doors)
    team.after(MINUTE, *failing)
    assert (team.read, team.pager.pages()) == ([], [])


def test_that_it_is_over_is_told_when_slack_is_back(team: Team) -> None:
    team.after(4 * MINUTE, "flow")
    team.standstill.went("flow")
    team.slack.fail_next(Status(500), times=None)
    team.after(5 * MINUTE)
    team.slack.heal()
    team.after(MINUTE)
    assert [words for words in team.read if "works again" in words] == team.read[1:]
    assert len(team.read) == 2


def test_what_gets_grave_does_not_wait_for_the_hour(team: Team) -> None:
    team.after(4 * MINUTE, "x", error=ValueError())
    assert (len(team.read), team.pager.pages()) == (1, [])
    team.after(4 * MINUTE, "x", "flow", error=ValueError())
    assert (len(team.read), len(team.pager.pages())) == (2, 1)


def test_a_full_disk_that_stops_everything_is_said_once_and_nothing_hangs_by_it(team: Team) -> None:
    team.after(30, is_flowing=False)
    team.after(4 * MINUTE, "flow", "people", "x", is_flowing=False)
    (said,), (page,) = team.read, team.pager.pages()
    assert "hangs" not in said + page
    assert "Reading what was heard; Sending cards; Hearing x have failed for" in page
    assert page.count("the disk is full") == 1
