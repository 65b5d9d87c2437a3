"""The card under which a burst folds: it counts what still waits, the most urgent first, and goes quiet at its end."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.slack import live_mentions
from fakes.strangers import HOSTILE, is_taken, whole

from alerts.notices.fold import folded, write

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
CARDS = 12


@pytest.fixture
def burst(desk: Any, paper: Any) -> Any:
    """Twelve cards, and three cases under a fold: 13 and 14 are routine, 15 is serious."""
    for number in range(CARDS):
        desk.hear(f"post {number}", urgency="here_now")
    for number, urgency in ((13, "routine"), (14, "routine"), (15, "serious")):
        desk.hear(f"post {number}", ref=f"p{number}", author=f"p{number}", urgency=urgency)
    desk.decide()
    desk.deliver(paper)
    return desk


def fold(desk: Any) -> Any:
    (row,) = [row for row in desk.rows() if row.kind == "fold"]
    return row


def shown(desk: Any, at: Any = NOW) -> Any:
    return write(desk.session, desk.config, fold(desk), at)[0]


def test_it_counts_and_shows_the_most_urgent_first(burst: Any) -> None:
    message = shown(burst)
    assert message.title == "📥 3 more cases wait here"
    assert [line.partition(" · ")[0] for line in message.excerpt.splitlines()] == ["🟣 15", "🔵 13", "🔵 14"]
    assert message.lines == (("🟣 Serious", "1"), ("🔵 To answer", "2"))
    assert "More than 12 a minute came; 3 were folded" in str(message.blocks)
    assert [one["action_id"] for one in message.blocks[-1]["elements"]] == ["fold:next", "fold:show"]
    is_taken(message)


@pytest.mark.parametrize(
    "action",
    [
        ("claim", {}),
        ("answered", {}),
        ("close", {"outcome": "fixed"}),
        ("not_for_us", {"reason": "joke"}),
        ("merge", {"into": "1"}),
        ("change", {"urgency": "danger", "topics": (), "why": "alone"}),
    ],
)
def test_what_was_dealt_with_or_is_danger_waits_there_no_more(burst: Any, paper: Any, action: Any) -> None:
    burst.act(action[0], case_id=15, **action[1])
    assert burst.deliver(paper, NOW + 10 * SECOND).updated >= 1
    message = next(message for _, message in paper.updates if "fold" in message.metadata["event_type"])
    assert message.title == "📥 2 more cases wait here"
    assert "post 15" not in message.excerpt
    burst.act("answered", case_id=13)
    assert shown(burst).title == "📥 1 more case waits here"
    burst.act("answered", case_id=14)
    message = shown(burst)
    assert (message.title, len(message.blocks)) == ("📥 All of these were taken up", 2)
    is_taken(message)


def test_one_that_its_author_reopened_has_a_card_of_its_own(burst: Any, paper: Any) -> None:
    burst.act("answered", case_id=13)
    again = NOW + HOUR
    burst.alert("still", ref="more", thread="p13", author="p13", written_at=again, now=again)
    burst.deliver(paper, again)
    assert (burst.case(13).state, burst.case(13).round) == ("open", 2)
    assert [case.id for case in folded(burst.session, fold(burst))] == [15, 14]


def test_one_that_a_person_reopened_is_there_again(burst: Any) -> None:
    burst.act("answered", case_id=13)
    burst.act("reopen", case_id=13)
    assert shown(burst).title == "📥 3 more cases wait here"


def test_more_that_come_are_counted_up_but_not_every_second(burst: Any, paper: Any) -> None:
    def more(number: int, seconds: int) -> int:
        burst.alert(f"more {number}", now=NOW + seconds * SECOND)
        burst.deliver(paper, NOW + seconds * SECOND)
        return len([message for _, message in paper.updates if "fold" in message.metadata["event_type"]])

    assert [more(1, 1), more(2, 2), more(3, 5), more(4, 7)] == [1, 1, 1, 2]
    assert paper.updates[-1][1].title == "📥 7 more cases wait here"


def test_of_many_the_first_eight(desk: Any, paper: Any) -> None:
    for number in range(40):
        desk.hear(f"post {number}")
    desk.decide()
    desk.deliver(paper)
    message = shown(desk)
    assert len(message.excerpt.splitlines()) == 9
    assert message.excerpt.endswith("… and 20 more")


@pytest.mark.parametrize("words", HOSTILE)
def test_whatever_strangers_write(desk: Any, paper: Any, words: str) -> None:
    for number in range(CARDS + 9):
        desk.hear(words, ref=f"h{number}", source="x" if number % 2 else words[:50] or "x", urgency="serious")
    desk.decide()
    desk.deliver(paper)
    message = shown(desk)
    is_taken(message)
    assert live_mentions(whole(message)) == []
