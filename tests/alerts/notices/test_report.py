"""The weekly summary: on its day and hour, once, and again without what is gone by then."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.server import DropAfter
from fakes.slack import FakeSlack, live_mentions

from alerts.notices.report import of_week
from alerts.span import named
from listener.errors import NeedsPerson
from listener.keep import DELETED, forget
from listener.watch import Alarm, Gap, Watch
from nlp import read

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# NOW is Monday 16 November 2026, 09:00 in Chicago; the last week that is over is 2026-W46.
LAST_WEEK = NOW - timedelta(days=4)
EIGHT = datetime(2026, 11, 16, 14, 0, tzinfo=UTC)


def say(desk: Any, **values: Any) -> None:
    """Other words in report.toml; one chart, so that each file is known."""
    report = desk.config.report.model_copy(update={"charts": ("volume_by_day",), **values})
    desk.config = desk.config.model_copy(update={"report": report})


def words(message: dict[str, Any]) -> str:
    return json.dumps(message["blocks"], ensure_ascii=False)


def weeks(desk: Any) -> list[str]:
    return [row.about for row in desk.rows() if row.kind == "report"]


def test_the_report_goes_out_once(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    say(desk)
    desk.alert("waited for hours", written_at=LAST_WEEK, now=LAST_WEEK)
    for number in range(5):
        clock.at = EIGHT + timedelta(hours=number * 12)
        desk.deliver(door, clock.now())
    (message,) = workspace.messages("social-weekly")
    chart, page = workspace.files()
    title = "Saint Brigid Medical Center: what was said, Mon 9 Nov to Sun 15 Nov 2026"
    assert message["text"] == f"{title} · <{page.permalink}|the page>"
    assert message["metadata"]["event_type"] == "call_light_report"
    assert weeks(desk) == ["week:2026-W46"]
    assert live_mentions(message) == [f"<{page.permalink}|the page>"]
    assert next(row.trouble for row in desk.rows() if row.kind == "report") is None
    assert (chart.name, page.name) == ("volume_by_day.png", "2026-W46.html")
    assert chart.content is not None
    assert chart.content.startswith(b"\x89PNG")
    assert page.content is not None
    assert b"Mon 9 Nov to Sun 15 Nov 2026" in page.content


def test_what_the_message_shows(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    say(desk, slack=("headline", "categories", "ledger"))
    desk.alert("waited for hours", written_at=LAST_WEEK, now=LAST_WEEK)
    desk.deliver(door, clock.now())
    (message,) = workspace.messages("social-weekly")
    chart, page = workspace.files()
    assert [block["type"] for block in message["blocks"]] == ["header", "rich_text", "image", *["rich_text"] * 3]
    assert message["blocks"][2]["slack_file"] == {"id": chart.id}
    alt = "Posts by day and place: 1 in all, the most on Thu 12 Nov (1)."
    assert (message["blocks"][2]["alt_text"], chart.alt) == (alt, alt)
    assert "1 post was heard" in words(message)
    assert "It adds up." in words(message)
    assert "Where we listened" not in words(message)
    assert message["blocks"][-1]["elements"][0]["elements"][1]["url"] == page.permalink
    assert page.shared == {workspace.channel_named("social-weekly")["id"]}


def test_a_web_server_shows_the_page(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    say(desk, address="https://reports.example.org/week")
    desk.alert(written_at=LAST_WEEK, now=LAST_WEEK)
    desk.deliver(door, clock.now())
    (message,) = workspace.messages("social-weekly")
    assert "https://reports.example.org/week/2026-W46.html" in words(message)
    assert [file.name for file in workspace.files()] == ["volume_by_day.png"]
    assert live_mentions(message) == []


def test_a_chart_that_there_is_not(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    say(desk, charts=("volum_by_day", "volume_by_day"))
    desk.alert(written_at=LAST_WEEK, now=LAST_WEEK)
    (trouble,) = desk.deliver(door, clock.now()).trouble
    assert trouble.startswith("no table 'volum_by_day' for charts in report.toml; those with a chart are volume_by_day")
    assert [file.name for file in workspace.files()] == ["volume_by_day.png", "2026-W46.html"]


@pytest.mark.parametrize(
    ("day", "hour", "now", "goes_out"),
    [
        ("mon", 8, "2026-11-16T13:59:59", False),
        ("mon", 8, "2026-11-16T14:00:00", True),
        ("mon", 0, "2026-11-16T05:59:59", False),
        ("mon", 0, "2026-11-16T06:00:00", True),
        ("fri", 8, "2026-11-19T20:00:00", False),
        ("fri", 8, "2026-11-20T14:00:00", True),
        ("sun", 23, "2026-11-23T04:59:59", False),
        ("sun", 23, "2026-11-23T05:00:00", True),
        ("sun", 23, "2026-11-23T06:00:00", True),  # another week is over, and is not due
        ("mon", 8, "2026-11-18T16:00:00", True),  # the machine was off from Sunday night to Wednesday
        ("mon", 8, "2026-11-22T20:00:00", True),  # six days late
        ("mon", 8, "2026-12-13T20:00:00", True),  # the fourth week that was missed
        ("mon", 8, "2026-12-14T20:00:00", False),  # too late
    ],
)
def test_when_the_report_goes_out(desk: Any, paper: Any, day: str, hour: int, now: str, goes_out: bool) -> None:
    desk.config = desk.config.model_copy(
        update={"report": desk.config.report.model_copy(update={"day": day, "hour": hour})}
    )
    desk.hear(kind="praise", written_at=LAST_WEEK)
    desk.deliver(paper, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert ("week:2026-W46" in weeks(desk)) is goes_out


def test_weeks_that_were_missed_come_oldest_first(desk: Any, paper: Any) -> None:
    for number in range(1, 8):
        desk.hear(kind="comment", written_at=NOW - timedelta(days=7 * number))
    desk.deliver(paper)
    assert weeks(desk) == ["week:2026-W43", "week:2026-W44", "week:2026-W45", "week:2026-W46"]
    spans = ["19 Oct to", "26 Oct to", "2 Nov to", "9 Nov to"]
    assert [span in post.message.title for span, post in zip(spans, paper.posts, strict=True)] == [True] * 4


def test_no_week_before_listening_began(desk: Any, paper: Any) -> None:
    desk.session.add(Watch(name="x", started_at=datetime(2026, 11, 8, 12, 0, tzinfo=UTC)))
    desk.hear(kind="comment", written_at=LAST_WEEK)
    desk.deliver(paper)
    assert weeks(desk) == ["week:2026-W45", "week:2026-W46"]


def test_nothing_listens_yet(desk: Any, paper: Any) -> None:
    desk.deliver(paper)
    assert weeks(desk) == []
    assert of_week(desk.session, desk.config, named("2026-W46", desk.config.hospital.zone), NOW) is False


CLOCKS_CHANGE = [  # Chicago: an hour is left out on 8 March 2026, and comes twice on 1 November
    ("sun", 2, "2026-W09", "2026-03-08T07:59:59", "2026-03-08T08:00:00"),
    ("sun", 1, "2026-W43", "2026-11-01T05:59:59", "2026-11-01T06:00:00"),
    ("mon", 8, "2026-W10", "2026-03-09T12:59:59", "2026-03-09T13:00:00"),  # summer time
    ("mon", 8, "2026-W44", "2026-11-02T13:59:59", "2026-11-02T14:00:00"),  # winter time
]


@pytest.mark.parametrize(("day", "hour", "week", "early", "due"), CLOCKS_CHANGE)
def test_a_clock_that_is_set_loses_no_week(
    desk: Any, paper: Any, day: str, hour: int, week: str, early: str, due: str
) -> None:
    say(desk, day=day, hour=hour)
    heard = named(week, desk.config.hospital.zone).until - timedelta(minutes=1)
    desk.hear(kind="comment", written_at=heard)
    desk.deliver(paper, datetime.fromisoformat(early).replace(tzinfo=UTC))
    assert weeks(desk) == []
    for hours in range(4):
        desk.deliver(paper, datetime.fromisoformat(due).replace(tzinfo=UTC) + timedelta(hours=hours))
    assert weeks(desk) == [f"week:{week}"]


@pytest.mark.parametrize("zone", ["Pacific/Honolulu", "Asia/Tokyo"])
def test_another_time_zone_tells_a_week_once(desk: Any, paper: Any, zone: str) -> None:
    desk.hear(kind="comment", written_at=LAST_WEEK)
    desk.deliver(paper, EIGHT)
    hospital = desk.config.hospital.model_copy(update={"timezone": zone})
    desk.config = desk.config.model_copy(update={"hospital": hospital})
    assert str(desk.config.hospital.zone) == zone
    for hours in range(0, 8 * 24, 6):
        desk.deliver(paper, EIGHT + timedelta(hours=hours))
    assert weeks(desk) == ["week:2026-W46", "week:2026-W47"]


# ---------------------------------------------------------------- a quiet week


def quiet(desk: Any, paper: Any) -> str:
    """What is said of 2026-W46, in which nothing was heard; one collector is on."""
    collectors = {"x": desk.config.collectors["x"].model_copy(update={"on": True})}
    desk.config = desk.config.model_copy(update={"collectors": collectors})
    desk.deliver(paper)
    last = paper.posts[-1].message
    assert last.images == last.files == ()
    assert last.excerpt.startswith("Nothing was heard in this week.\n")
    return str(last.excerpt).partition("\n")[2]


BEGAN = datetime(2026, 11, 10, tzinfo=UTC)


def test_a_quiet_week_is_told(desk: Any, paper: Any) -> None:
    """That x was asked afterwards does not say that it was asked in that week: the machine may have been off."""
    desk.session.add(Watch(name="x", started_at=BEGAN, asked_at=NOW))
    assert quiet(desk, paper) == "Nothing is known to have gone wrong with x."


def test_a_quiet_week_because_nobody_listened(desk: Any, paper: Any) -> None:
    desk.session.add(Watch(name="x", started_at=BEGAN, asked_at=BEGAN))
    when = datetime(2026, 11, 11, tzinfo=UTC)
    gap = {"since": when, "until": when + HOUR, "found_at": NOW}
    desk.session.add(Gap(collector="x", why="the search went back no further", **gap))
    desk.session.add(Alarm(collector="x", kind="failing", why="x fails", raised_at=when))
    desk.session.add(
        Alarm(
            collector="x",
            kind="silent",
            why="long over",
            raised_at=BEGAN - 30 * 24 * HOUR,
            over_at=BEGAN - 20 * 24 * HOUR,
        )
    )
    assert quiet(desk, paper) == (
        "Listening did not work all the time: x: the search went back no further; x fails; "
        "x was not asked since Mon 09 Nov 18:00."
    )


def test_a_quiet_week_of_a_collector_that_was_never_asked(desk: Any, paper: Any) -> None:
    desk.session.add(Watch(name="rss", started_at=BEGAN, asked_at=NOW))
    assert quiet(desk, paper) == "Listening did not work all the time: x was not asked ever."


# ---------------------------------------------------------------- by hand, again, elsewhere


def test_another_channel_makes_no_second_report(desk: Any, paper: Any) -> None:
    desk.hear(kind="praise", written_at=LAST_WEEK)
    desk.deliver(paper)
    desk.config = desk.config.model_copy(update={"report": desk.config.report.model_copy(update={"channel": "ops"})})
    desk.deliver(paper, NOW + HOUR)
    assert paper.channels() == ["summary"]


def test_a_wrong_section_is_named_and_stops_nothing(desk: Any, paper: Any) -> None:
    report = desk.config.report.model_copy(update={"sections": ("headline", "haedline")})
    desk.config = desk.config.model_copy(update={"report": report})
    desk.alert(written_at=LAST_WEEK, now=LAST_WEEK)
    assert desk.deliver(paper).sent == 1
    row = next(row for row in desk.rows() if row.kind == "report")
    assert "no section 'haedline'" in (row.trouble or "")


def test_a_report_asked_for_by_hand(desk: Any, paper: Any) -> None:
    desk.hear(kind="praise", written_at=NOW - timedelta(days=11))
    week = named("2026-W45", desk.config.hospital.zone)
    assert of_week(desk.session, desk.config, week, NOW) is True
    assert of_week(desk.session, desk.config, week, NOW) is False
    desk.deliver(paper)
    assert weeks(desk) == ["week:2026-W45", "week:2026-W46"]
    with pytest.raises(NeedsPerson, match="2026-W47 is not over; its summary can be sent from Mon 23 Nov on"):
        of_week(desk.session, desk.config, named("2026-W47", desk.config.hospital.zone), NOW)


def test_a_dropped_report_is_found(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    desk.hear(kind="praise", written_at=LAST_WEEK)
    workspace.fail_next(DropAfter(), on="chat.postMessage")
    desk.deliver(door, clock.now())
    desk.deliver(door, clock.passes(MINUTE))
    assert len(workspace.messages("social-weekly")) == 1


def test_deleted_there_is_deleted_in_the_weekly_summary(
    desk: Any, workspace: FakeSlack, door: Any, clock: Any, config: Any
) -> None:
    say(desk, slack=("headline", "praise"))
    heard = NOW - timedelta(days=5)
    gone = desk.hear("kind words of kim", kind="praise", heard_at=heard)
    desk.hear("kind words of bob", kind="praise", heard_at=heard)
    desk.decide()
    of_week(desk.session, config, named("2026-W46", config.hospital.zone), NOW)
    desk.deliver(door, clock.passes(2 * HOUR))
    assert "kind words of kim" in words(workspace.messages("social-weekly")[0])
    _, before = workspace.files()
    assert before.content is not None
    assert b"kind words of kim" in before.content
    forget(desk.session, [gone], DELETED, NOW)
    read.forget(desk.session, NOW)
    desk.deliver(door, clock.passes(SECOND))
    (message,) = workspace.messages("social-weekly")
    _, page = workspace.files()
    assert "kind words of kim" not in words(message)
    assert "kind words of bob" in words(message)
    assert page.id != before.id
    assert page.content is not None
    assert b"kind words of kim" not in page.content
    assert b"kind words of bob" in page.content
    assert page.shared == {workspace.channel_named("social-weekly")["id"]}
    assert before.permalink not in str(message)
    requests = len(workspace.requests)
    desk.deliver(door, clock.passes(MINUTE))
    assert len(workspace.requests) == requests, "it is done"


def test_posts_that_go_one_after_the_other_are_one_edit_an_hour(
    desk: Any, workspace: FakeSlack, door: Any, clock: Any
) -> None:
    say(desk)
    posts = [desk.hear(kind="praise", heard_at=LAST_WEEK) for _ in range(3)]
    desk.deliver(door, clock.now())
    for number, post in enumerate(posts):
        forget(desk.session, [post], DELETED, clock.now())
        desk.deliver(door, clock.passes(20 * MINUTE))
        assert len(workspace.seen("chat.update")) == 1, number
    desk.deliver(door, clock.passes(20 * MINUTE))
    assert len(workspace.seen("chat.update")) == 2
    desk.deliver(door, clock.passes(2 * HOUR))
    assert len(workspace.seen("chat.update")) == 2
