"""Digests: what asks for nothing by itself, in one message an hour, each post in one of them."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.server import DropAfter
from fakes.slack import FakeSlack, live_mentions
from fakes.strangers import HOSTILE, URLS, is_taken, whole
from sqlmodel import select

from alerts.delivery import DigestLine
from alerts.message import DIGEST_LINES
from listener.deletions import came_round
from listener.keep import DELETED, forget
from listener.mention import Mention

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def remarks(desk: Any, count: int, **said: Any) -> list[int]:
    numbers = [desk.hear(f"kind words {n}", kind="praise", **said) for n in range(count)]
    desk.decide()
    return numbers


def test_a_digest_waits_for_its_hour(desk: Any, paper: Any) -> None:
    remarks(desk, 3)
    assert desk.deliver(paper, NOW + 59 * MINUTE).sent == 0
    assert desk.deliver(paper, NOW + 60 * MINUTE).sent == 1
    assert paper.posts[0].message.title == "Kind words · 3"
    assert desk.deliver(paper, NOW + 5 * HOUR).sent == 0


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (25, [25]), (26, [25, 1]), (60, [25, 25, 10])])
def test_a_digest_has_at_most_25_lines(desk: Any, paper: Any, count: int, sizes: list[int]) -> None:
    remarks(desk, count)
    desk.deliver(paper, NOW + HOUR)
    assert [len(post.message.lines) for post in paper.posts] == sizes
    assert DIGEST_LINES == 25
    assert len({line for post in paper.posts for line in post.message.lines}) == count


def test_digests_of_different_channels(desk: Any, paper: Any) -> None:
    remarks(desk, 2)
    desk.hear("the mayor visits", voice="news", kind=None)
    desk.hear("parked there", kind="comment")
    desk.decide()
    desk.deliver(paper, NOW + HOUR)
    assert {post.channel: post.message.title for post in paper.posts} == {
        "praise": "Kind words · 2",
        "ops": "In the news · 1",
        "care": "Remarks · 1",
    }


def test_each_mention_in_one_digest_only(desk: Any, paper: Any) -> None:
    numbers = remarks(desk, 3)
    desk.deliver(paper, NOW + HOUR)
    for number in numbers:
        desk.read(number, kind="praise", pipeline_version="2")
    desk.decide(NOW + HOUR)
    more = remarks(desk, 2)
    desk.decide(NOW + HOUR)
    for hours in range(2, 9):
        desk.deliver(paper, NOW + hours * HOUR)
    assert [len(post.message.lines) for post in paper.posts] == [3, 2]
    lines = desk.session.exec(select(DigestLine)).all()
    assert sorted(line.mention_id for line in lines) == numbers + more


def test_a_digest_that_was_cut_off_is_found(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    remarks(desk, 30)
    workspace.fail_next(DropAfter(), on="chat.postMessage")
    for _ in range(4):
        desk.deliver(door, clock.passes(HOUR))
    messages = workspace.messages("kind-words")
    assert [message["text"] for message in messages] == ["Kind words · 25", "Kind words · 5"]
    assert len(workspace.seen("chat.postMessage")) == 2


def test_what_was_deleted_is_in_no_digest(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    for number in remarks(desk, 2):
        desk.session.get(Mention, number).deleted_at = NOW
    desk.session.commit()
    desk.deliver(door, clock.passes(HOUR))
    (message,) = workspace.messages("kind-words")
    assert "kind words" not in str(message["blocks"])
    assert "deleted by their authors" in str(message["blocks"])


def test_an_edit_before_the_digest_makes_a_card_of_it(desk: Any, paper: Any) -> None:
    (number,) = remarks(desk, 1)
    desk.edit(number, "not so kind after all", NOW)
    desk.decide(NOW)
    desk.deliver(paper, NOW + HOUR)
    assert paper.channels() == ["care"]


@pytest.mark.parametrize("stopped", [SECOND, 720 * HOUR])
def test_deleted_there_is_deleted_in_the_digest(
    desk: Any, workspace: FakeSlack, door: Any, clock: Any, stopped: timedelta
) -> None:
    gone = desk.hear("kind words of kim", kind="praise", url="https://x.example/kim")
    desk.hear("kind words of bob", kind="praise")
    desk.decide()
    desk.deliver(door, clock.passes(2 * HOUR))
    came_round(desk.session, NOW)
    forget(desk.session, [gone], DELETED, NOW)
    desk.session.commit()
    assert desk.deliver(door, clock.passes(stopped)).updated == 1
    assert desk.deliver(door, clock.passes(SECOND)).updated == 0
    (message,) = workspace.messages("kind-words")
    assert "kim" not in str(message)
    assert "kind words of bob" in str(message["blocks"])


@pytest.mark.parametrize("recognition", [None, "praise"])
def test_praise_that_names_somebody_is_no_line_of_a_digest(desk: Any, paper: Any, recognition: str | None) -> None:
    """Told at once with the name, also when a digest goes out in the same pass."""
    care = desk.config.care.model_copy(update={"recognition": recognition})
    desk.config = desk.config.model_copy(update={"care": care})
    remarks(desk, 1)
    desk.deliver(paper)
    desk.hear("Nurse Joy was kind", kind="praise", staff=["Nurse Joy"])
    desk.decide(NOW + HOUR)
    desk.deliver(paper, NOW + HOUR)
    titles = [post.message.title for post in paper.posts]
    assert titles == (["Kind words · 2"] if recognition is None else ["Kind words · 1", "💚 Praise for Nurse Joy"])


def test_whatever_strangers_write(desk: Any, paper: Any) -> None:
    for number, words in enumerate(HOSTILE):
        desk.hear(words, kind="praise", url=URLS[number % len(URLS)])
    desk.decide()
    desk.deliver(paper, NOW + HOUR)
    (post,) = paper.posts
    is_taken(post.message)
    assert live_mentions(whole(post.message)) == []
