"""The card of a spike: one, in its owner's channel, edited as it grows, without what is gone."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.slack_limits import problems
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import true

from alerts.message import Message
from alerts.notices import spike as notice
from alerts.spikes import Spike, SpikePost, know
from listener.deletions import came_round
from listener.keep import forget

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def begin(desk: Any, count: int = 14, topic: str = "digital", **said: Any) -> Spike:
    """A spike of so many posts, a minute apart, the newest now."""
    spike = Spike(topic=topic, began_at=NOW - (count - 1) * MINUTE, seen_at=NOW, usual=0.3)
    desk.session.add(spike)
    desk.session.flush()
    for number in range(count):
        told = {"text": f"the portal is down ({number})", "written_at": NOW - number * MINUTE, **said}
        desk.session.add(SpikePost(spike_id=spike.id, mention_id=desk.hear(**told)))
    desk.session.commit()
    return spike


def card(desk: Any, paper: Any, now: datetime = NOW) -> Message:
    """The card as people see it after a pass."""
    desk.deliver(paper, now)
    (post,) = paper.posts
    message: Message = paper.updates[-1][1] if paper.updates else post.message
    assert problems(message.blocks) == []
    return message


def buttons(message: Message) -> list[tuple[str, str]]:
    actions = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return [(element["action_id"], element["value"]) for elements in actions for element in elements]


def test_it_says_how_many_since_when_and_what_they_say(desk: Any, paper: Any) -> None:
    spike = begin(desk)
    message = card(desk, paper)
    lines = dict(message.lines)
    assert message.title == "🌊 Many posts about Portal, app, website: 14 in 20 min, usual 0.3"
    assert lines["Since"] == "Mon 08:47"
    assert lines["In all"] == "14 posts by 14 people"
    assert lines["Posts in 5 min"] == "▅██▂ at most 5"
    assert message.excerpt.splitlines() == [
        f"{8 + (n == 0):02}:{-n % 60:02} X: the portal is down ({n})" for n in range(5)
    ]
    assert buttons(message) == [("known", f"spike:{spike.id}")]
    assert "portal is down" not in message.text, "a notification shows no word of a post"


@pytest.mark.parametrize(
    ("topic", "channel"), [("digital", "ops"), ("billing", "billing"), ("of an older file", "ops")]
)
def test_it_goes_to_who_can_mend_it_once(desk: Any, paper: Any, topic: str, channel: str) -> None:
    begin(desk, topic=topic)
    for minute in range(3):
        desk.deliver(paper, NOW + minute * MINUTE)
    assert paper.channels() == [channel]
    assert paper.updates == []


def test_it_is_edited_as_it_grows_at_most_once_a_minute(desk: Any, paper: Any) -> None:
    spike = begin(desk)
    card(desk, paper)
    edits = []
    for second in (10, 20, 30, 69, 71, 80):
        spike.version += 1
        desk.session.add(spike)
        desk.session.commit()
        desk.deliver(paper, NOW + timedelta(seconds=second))
        edits.append(len(paper.updates))
    assert edits[-1] <= 2
    assert edits == sorted(edits)
    desk.deliver(paper, NOW + 5 * MINUTE)
    assert desk.rows()[0].shown_version == spike.version, "the last change is shown too"


def test_what_we_know_is_shown_at_once_with_who_said_it(desk: Any, paper: Any) -> None:
    spike = begin(desk)
    card(desk, paper)
    assert "To do" in dict(card(desk, paper).lines)
    assert spike.id is not None
    know(desk.session, spike.id, "The portal is down for *everyone* <!here>.", "U0ANA11", NOW)
    message = card(desk, paper)
    assert dict(message.lines)["We know"] == "The portal is down for *everyone* <!here>. (U0ANA11)"
    assert "To do" not in dict(message.lines)
    know(desk.session, spike.id, "It works again.", "ben", NOW)
    assert dict(card(desk, paper).lines)["We know"] == "It works again. (ben)"
    rich = [block for block in card(desk, paper).blocks if block["type"] == "rich_text"]
    assert rich[0]["elements"][0]["elements"][2] == {"type": "text", "text": "ben"}


def test_it_says_when_it_is_over(desk: Any, paper: Any) -> None:
    spike = begin(desk)
    card(desk, paper)
    spike.over_at, spike.version = NOW + 30 * MINUTE, 2
    desk.session.add(spike)
    desk.session.commit()
    message = card(desk, paper, NOW + 30 * MINUTE)
    assert message.title == "🌊 Over: many posts about Portal, app, website, 14 in all"
    assert dict(message.lines)["Since"] == "Mon 08:47 to Mon 09:30"
    assert buttons(message) == []


def test_what_is_gone_is_gone_from_the_card_also_after_its_end(desk: Any, paper: Any) -> None:
    spike = begin(desk, count=2)
    spike.over_at = NOW
    desk.session.commit()
    card(desk, paper)
    forget(desk.session, [1], "deleted", NOW + HOUR)
    desk.session.commit()
    message = card(desk, paper, NOW + HOUR)
    assert message.excerpt == "08:59 X: the portal is down (1)"
    assert "2 in all" in message.title, "it was said all the same"
    forget(desk.session, [2], "deleted", NOW + 2 * HOUR)
    desk.session.commit()
    assert card(desk, paper, NOW + 2 * HOUR).excerpt == ""
    edits = len(paper.updates)
    desk.deliver(paper, NOW + 3 * HOUR)
    assert len(paper.updates) == edits


def test_what_went_before_a_long_stop_is_taken_off_the_card(desk: Any, paper: Any) -> None:
    begin(desk, count=2).over_at = NOW
    desk.session.commit()
    card(desk, paper)
    came_round(desk.session, NOW)
    forget(desk.session, [1], "deleted", NOW)
    desk.session.commit()
    (row,) = notice.stale(desk.session, desk.config, true(), NOW + 720 * HOUR)
    assert row.kind == "spike"


def test_copies_of_a_story_are_one_sample(desk: Any, paper: Any) -> None:
    begin(desk, count=1)
    spike = begin(desk, count=6, topic="parking", story=1)
    assert spike.id == 2
    desk.deliver(paper)
    message = paper.posts[1].message
    assert len(message.excerpt.splitlines()) == 1
    assert dict(message.lines)["In all"] == "1 post by 6 people"


@pytest.mark.parametrize(
    ("minutes", "bars"),
    [
        ([], ("", 0)),
        ([0], ("█", 1)),
        ([0, 4, 5], ("█▅", 2)),
        ([0, 20], ("█▁▁▁█", 1)),
        ([0, *range(60, 240)], ("█" * 24, 5)),  # a long one: its last two hours
    ],
)
def test_bars(minutes: list[int], bars: tuple[str, int]) -> None:
    assert notice._bars([NOW + minute * MINUTE for minute in minutes]) == bars


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=400),
    known=st.text(min_size=1, max_size=160),
)
def test_whatever_strangers_write_slack_takes_it(desk: Any, text: str, known: str) -> None:
    spike = begin(desk, count=3, text=text, url="https://x.example/" + "a" * 400)
    spike.known, spike.known_by = known, "U0ANA11"
    desk.session.commit()
    notice.enqueue(desk.session, desk.config, NOW)
    desk.session.commit()
    message, _ = notice.write(desk.session, desk.config, desk.rows()[-1], NOW)
    assert problems(message.blocks) == []
