"""Today's numbers are those that a report of this day counts."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from sqlalchemy import Engine

from alerts.figures import figures
from alerts.message import face
from alerts.sections.reply_times import median, taken
from alerts.span import days
from alerts.spikes import Spike, SpikePost
from alerts.today import Ear, Latest, day, ears, today, waits
from config.schema import Config
from listener.watch import Alarm, Watch

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RED, WHITE, GREEN = face(-1), face(0), face(1)


def of(desk: Any, now: Any = NOW) -> Any:
    return today(desk.session, desk.config, now)


def answered(desk: Any, minutes: int, **said: Any) -> int:
    """A case that had its public reply so long after the post."""
    case_id: int = desk.alert(written_at=NOW - HOUR, **said)
    desk.act("answered", case_id=case_id, now=NOW - HOUR + minutes * MINUTE)
    return case_id


def test_the_same_as_the_report_of_this_day(desk: Any) -> None:
    for minutes, mood in ((4, -0.9), (12, 0.0), (40, 0.9)):
        answered(desk, minutes, mood=mood)
    desk.hear(voice="promo", kind=None, urgency="none", mood=0.9)
    desk.hear(written_at=NOW - timedelta(days=2))
    desk.decide()
    local = NOW.astimezone(desk.config.hospital.zone).date()
    told = figures(desk.session, desk.config, days(local, local + timedelta(days=1), desk.config.hospital.zone), NOW)
    found = of(desk).day
    assert (found.heard, found.cases, found.answered) == (len(told.heard), len(told.cases), 3) == (4, 3, 3)
    assert found.median == median(taken(told.cases)) == 12 * MINUTE
    assert found.faces == {RED: 1, WHITE: 1, GREEN: 1}  # an advert has no mood that counts


def test_a_day_begins_at_midnight_of_the_hospital(desk: Any) -> None:
    midnight = NOW.replace(hour=6, minute=0)  # in Chicago
    for at in (midnight - MINUTE, midnight, midnight + MINUTE):
        desk.hear(heard_at=at, written_at=at)
    assert of(desk).day.heard == 2


def test_nothing_yet(desk: Any) -> None:
    found = of(desk)
    assert (found.day.heard, found.day.median, found.oldest, found.spikes, found.is_mute) == (0, None, None, [], False)
    assert [(wait.urgency, wait.free, wait.taken) for wait in found.waits] == [
        (urgency, 0, 0) for urgency in ("danger", "here_now", "serious", "routine")
    ]
    assert day([], []).faces == {}


def test_remarks_that_became_cases_are_there_to_be_answered() -> None:
    rows = waits({"danger": 2, "low": 1, "routine": 3}, {"danger": 3, "low": 1, "routine": 3, "none": 4})
    assert [(row.free, row.taken) for row in rows] == [(2, 1), (0, 0), (0, 0), (4, 4)]


def test_the_oldest_is_by_its_author_and_nobody_has_it(desk: Any) -> None:
    had = desk.alert(written_at=NOW - 5 * HOUR)
    desk.act("claim", case_id=had)
    asleep = desk.alert(written_at=NOW - 4 * HOUR)
    desk.act("snooze", case_id=asleep, span="1h", why="waits for the lab")
    waits_longest = desk.alert(written_at=NOW - 3 * HOUR, urgency="serious")
    desk.alert(written_at=NOW - 2 * HOUR)
    found = of(desk).oldest
    assert (found.case_id, found.urgency, found.since) == (waits_longest, "serious", NOW - 3 * HOUR)


def test_spikes_that_are_on(desk: Any) -> None:
    spikes = [
        Spike(topic="parking", began_at=NOW - HOUR, seen_at=NOW, usual=1.0),
        Spike(topic="food", began_at=NOW - HOUR, seen_at=NOW, over_at=NOW, usual=1.0),
    ]
    desk.session.add_all(spikes)
    desk.session.flush()
    for spike in spikes:
        desk.session.add_all([SpikePost(spike_id=spike.id, mention_id=desk.hear()) for _ in range(3)])
    desk.session.commit()
    (found,) = of(desk).spikes
    assert (found.title, found.posts, found.since) == (
        desk.config.keywords.categories["parking"].title,
        3,
        NOW - HOUR,
    )


def heard(**said: Any) -> Watch:
    return Watch(**{"name": "x", "asked_at": NOW - MINUTE, "heard_at": NOW - HOUR, **said})


def alarm(kind: str) -> Alarm:
    return Alarm(collector="x", kind=kind, why="", raised_at=NOW)


@pytest.mark.parametrize(
    ("is_on", "watch", "alarms", "sound"),
    [
        (True, heard(), [], "heard"),
        (True, heard(heard_at=None), [], "nothing"),
        (True, heard(), [alarm("silent")], "quiet"),
        (True, heard(), [alarm("failing")], "failing"),
        (True, heard(), [alarm("budget of the day used up")], "budget"),
        (True, heard(), [alarm("budget of the day nearly used up")], "heard"),
        (True, heard(paused_until=NOW + MINUTE), [], "paused"),
        (True, heard(paused_until=NOW - MINUTE), [], "heard"),
        (True, heard(asked_at=NOW - timedelta(days=1)), [], "asleep"),
        (True, None, [], "asleep"),
        (False, heard(), [alarm("failing")], "off"),
    ],
)
def test_how_a_source_sounds(config: Config, is_on: bool, watch: Watch | None, alarms: list[Alarm], sound: str) -> None:
    settings = config.collectors["x"].model_copy(update={"on": is_on})
    other = Alarm(collector="reddit", kind="failing", why="", raised_at=NOW)
    (found,) = ears({"x": settings}, [watch] if watch else [], [*alarms, other], NOW)
    assert found == Ear("x", sound, watch.heard_at if watch else None)  # type: ignore[arg-type]  # a word of the table


def test_a_source_that_never_was_on_is_not_listed(config: Config) -> None:
    assert ears(config.collectors, [Watch(name="spikes")], [], NOW) == []


def test_what_does_not_work_on_the_way_to_the_team(desk: Any) -> None:
    desk.session.add(Alarm(collector="#care", kind="channel", why="", raised_at=NOW))
    desk.session.commit()
    assert of(desk).is_mute


def test_counted_once_a_second(desk: Any, engine: Engine) -> None:
    latest = Latest()

    def posts(seconds: float) -> int:
        return latest.of(engine, desk.config, NOW + timedelta(seconds=seconds)).day.heard

    assert posts(0) == 0
    desk.hear()
    assert [posts(0.9), posts(1.0)] == [0, 1]
    desk.hear()
    assert posts(-60) == 2  # a clock that was put back: these are not the numbers of then
