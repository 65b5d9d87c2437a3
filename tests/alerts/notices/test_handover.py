"""The note at a change of shifts: what is still to do, the worst first, what was done, what is known."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW
from fakes.slack import live_mentions
from fakes.strangers import HOSTILE, is_taken, whole

from alerts.message import Message
from alerts.spikes import Spike
from config.schema import Shift

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SEVEN = datetime(2026, 11, 16, 19, 0, tzinfo=ZoneInfo("America/Chicago")).astimezone(UTC)  # NOW is 09:00 of that day
DAY = Shift(name="Day", hours="07:00-19:00", people=("<@U0ANA1>",))  # type: ignore[arg-type]
NIGHT = Shift(name="Night", hours="19:00-07:00", people=("<@U0BEN1>", "<!subteam^S0NIGHT>"))  # type: ignore[arg-type]


def with_shifts(desk: Any, *shifts: Shift) -> None:
    care = desk.config.care.model_copy(update={"shifts": shifts})
    desk.config = desk.config.model_copy(update={"care": care})


def notes(paper: Any) -> list[Message]:
    found = [post for post in paper.posts if post.message.metadata["event_type"] == "call_light_handover"]
    assert {post.channel for post in found} <= {"care"}
    return [post.message for post in found]


@pytest.fixture
def shifts(desk: Any) -> Any:
    with_shifts(desk, DAY, NIGHT)
    return desk


def test_what_is_still_to_do_and_what_was_done(shifts: Any, paper: Any) -> None:
    parking = [{"id": "parking", "score": 1.0, "words": ["the said car park"]}]
    for urgency in ("routine", "danger", "serious", "routine", "routine", "routine"):
        said = {"categories": parking, "site": "Harbor Campus"} if urgency == "serious" else {}
        shifts.alert(f"said {urgency}", urgency=urgency, written_at=NOW, **said)
    shifts.act("claim", "U0ANA1", now=NOW + MINUTE, case_id=2)
    shifts.act("answered", now=NOW + MINUTE, case_id=4)
    shifts.act("close", now=NOW + 2 * MINUTE, case_id=4, outcome="fixed")
    shifts.act("not_for_us", now=NOW + MINUTE, case_id=5, reason="joke")
    shifts.act("snooze", "U0CLEO1", now=SEVEN - HOUR, case_id=6, span="4h", why="the <!channel> calls back")
    shifts.deliver(paper, SEVEN - MINUTE)
    assert notes(paper) == []
    shifts.deliver(paper, SEVEN)
    (note,) = notes(paper)
    assert note.title == "🤝 Hand-over · Day → Night"
    assert note.excerpt.splitlines() == [
        "Still to do: 4",
        "🚨 case 2 · DANGER · late by 9 h 55 min · <@U0ANA1>",
        "🟣 case 3 · Serious · Parking and getting here · Harbor Campus · late by 9 h 45 min · nobody has it",
        "🔵 case 1 · To answer · late by 9 h · nobody has it",
        "🔵 case 6 · To answer · snoozed: the &lt;!channel&gt; calls back · nobody has it",
        "In the shift: 6 cases came, 1 answered, 1 closed, 1 not for us, 1 danger",
    ]
    assert live_mentions(whole(note)) == ["<@U0BEN1>", "<!subteam^S0NIGHT>", "<@U0ANA1>"]
    assert "said danger" not in str(note), "no word of a post"
    is_taken(note)


def test_once_for_each_change(shifts: Any, paper: Any) -> None:
    for minutes in range(0, 60, 10):
        shifts.deliver(paper, SEVEN + minutes * MINUTE)
    shifts.deliver(paper, SEVEN + 12 * HOUR)
    assert [note.title for note in notes(paper)] == ["🤝 Hand-over · Day → Night", "🤝 Hand-over · Night → Day"]


def test_missed_by_more_than_an_hour_it_is_not_told(shifts: Any, paper: Any) -> None:
    shifts.deliver(paper, SEVEN + 61 * MINUTE)
    assert notes(paper) == []


def test_nothing_to_do_and_nobody_follows(desk: Any, paper: Any) -> None:
    with_shifts(desk, DAY)
    desk.deliver(paper, SEVEN + MINUTE)
    (note,) = notes(paper)
    assert note.title == "🤝 Hand-over · Day → nobody"
    assert "Nothing waits for anyone." in note.excerpt
    assert live_mentions(whole(note)) == []


def test_without_shifts_around_the_clock_there_is_no_note(desk: Any, paper: Any) -> None:
    for hours in range(24):
        desk.deliver(paper, NOW + hours * HOUR)
    assert notes(paper) == []


def test_what_is_known_goes_along(shifts: Any, paper: Any) -> None:
    for topic, known in (("digital", "The portal is down. " * 40), ("parking", None)):
        spike = Spike(topic=topic, began_at=NOW, seen_at=SEVEN, usual=0.1, posts=9, known=known, known_by=None)
        shifts.session.add(spike)
    shifts.session.commit()
    shifts.deliver(paper, SEVEN)
    (note,) = notes(paper)
    assert "🌊 Portal, app, website: The portal is down." in note.excerpt
    assert "🌊 Parking and getting here: many posts, cause not known yet" in note.excerpt
    is_taken(note)


def test_it_comes_before_what_can_wait(shifts: Any, paper: Any) -> None:
    shifts.alert(written_at=SEVEN, now=SEVEN)
    shifts.alert(urgency="danger", written_at=SEVEN, now=SEVEN)
    shifts.deliver(paper, SEVEN)
    kinds = [post.message.metadata["event_type"].removeprefix("call_light_") for post in paper.posts]
    assert kinds == ["card", "handover", "card"]


@pytest.mark.parametrize("words", [words for words in HOSTILE if words.strip()])
def test_twenty_lines_of_whatever_people_write(desk: Any, paper: Any, words: str) -> None:
    with_shifts(desk, DAY.model_copy(update={"name": words[:500].strip() or "Day"}), NIGHT)
    for number in range(30):
        desk.alert(f"post {number}", written_at=NOW)
    for case in desk.cases():
        case.owner, case.snoozed_at, case.snoozed_until, case.snooze_why = words, NOW, SEVEN + HOUR, words
    desk.session.commit()
    desk.deliver(paper, SEVEN)
    (note,) = notes(paper)
    is_taken(note)
    assert "… and 10 more: /calllight open" in note.excerpt
    assert [one for one in live_mentions(whole(note)) if "U0BEN1" not in one and "S0NIGHT" not in one] == []
