"""The wall: numbers of this moment, no words where they are not wanted, and no trust in what stands still."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import visit
from conftest import NOW
from sqlalchemy import Engine

from alerts.center.live import Position, Told
from alerts.center.page import Words
from alerts.center.pages.wall import news
from alerts.spikes import Spike, SpikePost
from config.schema import Config
from listener.watch import Alarm

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Wall:
    """The numbers as a screen gets them."""

    def __init__(self, engine: Engine, config: Config, data: Path) -> None:
        self.now, self.flowed_at = NOW, NOW
        self._room = visit.room(engine, config, data, now=lambda: self.now, flowed_at=lambda: self.flowed_at)
        self._client = visit.visit(self._room)

    def numbers(self, path: str = "/wall/numbers") -> str:
        """What it shows, without markup."""
        self.now += timedelta(seconds=1)  # they are counted once a second
        return " ".join(re.sub(r"<[^>]*>", " ", self.html(path)).split())

    def html(self, path: str = "/wall/numbers") -> str:
        answer = self._client.get(path)
        assert answer.status_code == 200
        return str(answer.text)


@pytest.fixture
def wall(engine: Engine, config: Config, tmp_path: Path) -> Wall:
    return Wall(engine, config, tmp_path)


def test_what_waits(desk: Any, wall: Wall) -> None:
    for urgency in ("danger", "danger", "here_now", "routine"):
        desk.alert(urgency=urgency)
    desk.act("claim", case_id=1)
    assert "1 DANGER nobody has · 1 in hand 1 Here now nobody has 0 Serious nothing waits 1 To answer" in wall.numbers()


def test_the_oldest_counts_up_from_when_its_author_wrote(desk: Any, wall: Wall) -> None:
    desk.alert(written_at=NOW - 3 * HOUR, urgency="serious")
    assert "Waits longest 3 h Serious case 1, nobody has it" in wall.numbers()
    assert f'<time datetime="{(NOW - 3 * HOUR).isoformat()}" data-since>' in wall.html()
    desk.act("claim", case_id=1)
    assert "Somebody has every case." in wall.numbers()


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (15, "15 min ✓ within the 15 min that we aim at"),
        (16, "16 min ▲ longer than the 15 min that we aim at"),
        (None, "No answer yet today; we aim at 15 min."),
    ],
)
def test_the_median_reply(desk: Any, wall: Wall, minutes: int | None, said: str) -> None:
    desk.alert(written_at=NOW - HOUR)
    if minutes is not None:
        desk.act("answered", now=NOW - HOUR + minutes * MINUTE)
    assert f"Median reply today {'– ' if minutes is None else ''}{said}" in wall.numbers()


def test_mood_in_shares(desk: Any, wall: Wall) -> None:
    for mood in (-1, -1, 0, 1):
        desk.hear(mood=mood)
    assert "Mood today 50% 25% 25% 4 posts of patients" in wall.numbers()
    assert all(f'aria-label="{words}"' in wall.html() for words in ("upset", "neutral", "friendly"))


def test_spikes(desk: Any, wall: Wall) -> None:
    assert "Nothing is said more than usual." in wall.numbers()
    desk.session.add(Spike(id=1, topic="parking", began_at=NOW - HOUR, seen_at=NOW, usual=1.0))
    desk.session.flush()
    desk.session.add_all([SpikePost(spike_id=1, mention_id=desk.hear()) for _ in range(2)])
    desk.session.commit()
    assert f"{desk.config.keywords.categories['parking'].title} 2 posts since 08:00" in wall.numbers()


def test_the_clock_is_the_hospitals(wall: Wall) -> None:
    assert "0 answered 09:00" in wall.numbers()


def test_no_words_of_posts_unless_allowed(desk: Any, wall: Wall, engine: Engine, tmp_path: Path) -> None:
    desk.alert("Ann waited for soup", redacted_text="[name] waited for soup")
    assert "waited for soup" not in wall.numbers() + wall.numbers("/wall")
    center = desk.config.care.center.model_copy(update={"wall_words": True})
    allowed = desk.config.model_copy(update={"care": desk.config.care.model_copy(update={"center": center})})
    shown = Wall(engine, allowed, tmp_path).numbers()
    assert "Just heard [name] waited for soup" in shown
    assert "Ann" not in shown


@pytest.mark.parametrize(("flowed_at", "is_still"), [(NOW, False), (None, False), (NOW - HOUR, True)])
def test_a_flow_that_stands_still_is_said(wall: Wall, flowed_at: datetime | None, is_still: bool) -> None:
    wall.flowed_at = flowed_at  # type: ignore[assignment]  # None before the first pass
    assert ("Nothing has been read since Mon 08:00." in wall.numbers()) is is_still


def test_trouble_on_the_way_to_the_team_is_said(desk: Any, wall: Wall) -> None:
    assert "Something on the way" not in wall.numbers()
    desk.session.add(Alarm(collector="#care", kind="channel", why="", raised_at=NOW))
    desk.session.commit()
    assert "Something on the way to the team does not work: see Health." in wall.numbers()


def test_no_navigation_but_a_way_back(wall: Wall) -> None:
    page = wall.html("/wall")
    assert 'href="/inbox"' not in page
    assert 'class="way" href="/"' in page
    assert 'data-refresh="/wall/numbers"' in page


def test_without_a_script_it_loads_itself_anew(wall: Wall) -> None:
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in wall.html("/wall")


def test_a_screen_is_told_that_something_changed(desk: Any, wall: Wall) -> None:
    told = Told(desk.session, desk.config, NOW, Position(), Position(1), Words("en"))
    assert list(news(told)) == [("stale", None)]
