"""The weekly summary: on its day and hour, once, and again without what is gone by then."""

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
from nlp import read

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# NOW is Monday 16 November 2026, 09:00 in Chicago; the last week that is over is 2026-W46.
LAST_WEEK = NOW - timedelta(days=4)
EIGHT = datetime(2026, 11, 16, 14, 0, tzinfo=UTC)


def test_the_report_goes_out_once(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    desk.alert("waited for hours", written_at=LAST_WEEK, now=LAST_WEEK)
    for number in range(5):
        clock.at = EIGHT + timedelta(hours=number * 12)
        desk.deliver(door, clock.now())
    (message,) = workspace.messages("social-weekly")
    assert message["text"] == "Saint Brigid Medical Center: what was said, Mon 9 Nov to Sun 15 Nov 2026"
    assert message["metadata"]["event_type"] == "call_light_report"
    assert [row.about for row in desk.rows() if row.kind == "report"] == ["week:2026-W46"]
    assert live_mentions(message) == []


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
        ("sun", 23, "2026-11-23T06:00:00", False),  # another week is over
        ("mon", 8, "2026-11-22T20:00:00", True),  # six days late
        ("mon", 8, "2026-11-23T20:00:00", False),  # too late: only the last week is made up for
    ],
)
def test_when_the_report_goes_out(desk: Any, paper: Any, day: str, hour: int, now: str, goes_out: bool) -> None:
    desk.config = desk.config.model_copy(
        update={"report": desk.config.report.model_copy(update={"day": day, "hour": hour})}
    )
    desk.hear(kind="praise", written_at=LAST_WEEK)
    desk.deliver(paper, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert ("summary" in paper.channels()) is goes_out


def test_no_report_of_a_week_in_which_nothing_was_heard(desk: Any, paper: Any) -> None:
    desk.hear(written_at=NOW - timedelta(days=20))
    desk.hear(written_at=NOW - MINUTE)
    desk.deliver(paper)
    assert paper.posts == []


def test_after_a_long_pause_only_the_last_week(desk: Any, paper: Any) -> None:
    for weeks in range(1, 5):
        desk.hear(kind="praise", written_at=NOW - timedelta(days=7 * weeks))
    desk.deliver(paper)
    assert [row.about for row in desk.rows()] == ["week:2026-W46"]


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
    assert [row.about for row in desk.rows()] == ["week:2026-W45"]
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
    heard = NOW - timedelta(days=5)
    gone = desk.hear("kind words of kim", kind="praise", heard_at=heard)
    desk.hear("kind words of bob", kind="praise", heard_at=heard)
    desk.decide()
    of_week(desk.session, config, named("2026-W46", config.hospital.zone), NOW)
    desk.deliver(door, clock.passes(2 * HOUR))
    assert "kind words of kim" in str(workspace.messages("social-weekly"))
    forget(desk.session, [gone], DELETED, NOW)
    read.forget(desk.session, NOW)
    desk.deliver(door, clock.passes(SECOND))
    (message,) = workspace.messages("social-weekly")
    assert "kind words of kim" not in str(message)
    assert "kind words of bob" in str(message["blocks"])
