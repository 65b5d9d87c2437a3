"""Notes in the health channel: once when something begins, once when it is over, after every card."""

from datetime import timedelta
from typing import Any

from conftest import NOW
from fakes.slack import FakeSlack, live_mentions
from fakes.slack_limits import problems

from listener.errors import NoChannel
from listener.watch import Alarm, Gap

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_one_note_for_each_gap(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    for _ in range(2):
        desk.session.add(
            Gap(collector="x", since=NOW - 9 * HOUR, until=NOW - 2 * HOUR, why="<!channel> 7 days", found_at=NOW)
        )
    desk.session.commit()
    for _ in range(3):
        desk.deliver(door, clock.passes(MINUTE))
    messages = workspace.messages("call-light-health")
    assert len(messages) == 2
    assert messages[0]["text"] == "Not heard: x"
    assert "x could not be heard from Mon 16 Nov 00:00 to Mon 16 Nov 07:00: <!channel> 7 days" in str(
        messages[0]["blocks"]
    )
    assert live_mentions(messages[0]) == []


def test_notes_come_after_cards(desk: Any, paper: Any) -> None:
    desk.session.add(Gap(collector="x", since=NOW - HOUR, until=NOW, why="down", found_at=NOW))
    desk.hear(kind="praise")
    desk.decide()
    desk.alert(urgency="low")
    desk.deliver(paper, NOW + HOUR)
    assert paper.channels() == ["care", "health", "praise"]


def test_what_is_wrong_with_a_collector_is_told_once_and_its_end_once(desk: Any, paper: Any) -> None:
    alarm = Alarm(collector="x", kind="silent", why="x may be deaf", over="x hears again", raised_at=NOW)
    desk.session.add(alarm)
    desk.session.commit()
    for n in range(3):
        desk.deliver(paper, NOW + n * MINUTE)
    alarm.over_at = NOW + HOUR
    desk.session.commit()
    for n in range(3):
        desk.deliver(paper, NOW + HOUR + n * MINUTE)
    told = [(post.channel, post.message.title, post.message.excerpt) for post in paper.posts]
    assert told == [
        ("health", "Please look: x", "x may be deaf."),
        ("health", "Well again: x", "x hears again."),
    ]


def test_a_note_that_no_channel_is_left_for_waits(desk: Any, paper: Any) -> None:
    """The health channel is gone: people hear of it in one that is left."""
    desk.session.add(Gap(collector="x", since=NOW - HOUR, until=NOW, why="down", found_at=NOW))
    desk.session.commit()
    paper.closed["health"] = NoChannel("call-light-health is archived")
    desk.deliver(paper)
    desk.deliver(paper, NOW + MINUTE)
    assert {post.channel for post in paper.posts} == {"care"}
    assert "Not heard: x" in {post.message.title for post in paper.posts}
    assert [message for post in paper.posts for message in problems(post.message.blocks)] == []
