from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import visit
from conftest import NOW

from alerts import report
from alerts.center import reports as counting
from alerts.center.reports import Reports, asked, spans
from alerts.center.room import Room
from alerts.span import named
from config.schema import Config
from listener.errors import NeedsPerson
from listener.keep import DELETED, forget

LAST_WEEK, MINUTE = NOW - timedelta(days=4), timedelta(minutes=1)


class Clock:
    """A time that a test puts on."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def room(desk: Any, tmp_path: Path, clock: Clock) -> Iterator[Room]:
    yield visit.room(desk.session.get_bind(), desk.config, tmp_path, now=clock, config=lambda: desk.config)
    visit.ended("report")


@pytest.fixture
def week(desk: Any) -> Any:
    desk.kim = desk.hear("words of kim", kind="praise", heard_at=LAST_WEEK, written_at=LAST_WEEK)
    return named("2026-W46", desk.config.hospital.zone)


def counted(reports: Reports, week: Any) -> Any:
    reports.begin(week).wait(60)
    task = reports.task(week)
    assert task is None, task.problem


def text_of(found: Any) -> str:
    cells = (cell for section in found.sections for table in section.tables for row in table.rows for cell in row)
    return " ".join(map(str, (*cells, *(sentence for section in found.sections for sentence in section.sentences))))


def test_it_is_counted_once_and_kept(desk: Any, room: Room, week: Any, clock: Clock) -> None:
    reports = Reports(room)
    assert reports.counted(desk.session, week) is None
    counted(reports, week)
    found = reports.counted(desk.session, week)
    assert found is not None
    assert ("words of kim" in text_of(found), found.at, found.figures.heard) == (True, NOW, ())
    clock.now += timedelta(hours=23)
    assert reports.counted(desk.session, week) is found
    clock.now += timedelta(hours=2)
    assert reports.counted(desk.session, week) is None, "late answers count too"


def test_what_is_not_over_is_counted_again_soon(desk: Any, room: Room, week: Any, clock: Clock) -> None:
    this, reports = named("2026-W47", desk.config.hospital.zone), Reports(room)
    counted(reports, this)
    clock.now += 5 * MINUTE
    assert reports.counted(desk.session, this) is not None
    clock.now += MINUTE
    assert reports.counted(desk.session, this) is None


def test_words_that_are_gone_are_not_shown_again(desk: Any, room: Room, week: Any, clock: Clock) -> None:
    reports = Reports(room)
    counted(reports, week)
    forget(desk.session, [desk.kim], DELETED, NOW - MINUTE)  # it began before the report was counted
    desk.session.commit()
    assert reports.counted(desk.session, week) is None
    counted(reports, week)
    found = reports.counted(desk.session, week)
    assert found is not None
    assert "words of kim" not in text_of(found)


def test_other_files_other_numbers(desk: Any, room: Room, week: Any) -> None:
    reports = Reports(room)
    counted(reports, week)
    desk.config = desk.config.model_copy(
        update={"report": desk.config.report.model_copy(update={"sections": ("volume",)})}
    )
    assert reports.counted(desk.session, week) is None


def test_one_span_is_counted_once_at_a_time(desk: Any, room: Room, week: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = Reports(room)
    with counting._ALONE:  # somebody else's is being counted
        first = reports.begin(week)
        assert reports.begin(week) is first
        assert not first.is_over
    first.wait(60)
    assert reports.begin(week) is not first


def test_who_asks_for_many_waits(desk: Any, room: Room, week: Any) -> None:
    reports, some = Reports(room), [week]
    while len(some) < counting._UNDER_WAY:
        some.append(some[-1].before)
    with counting._ALONE:
        tasks = [reports.begin(span) for span in some]
        with pytest.raises(NeedsPerson, match="other reports are being counted"):
            reports.begin(some[-1].before)
        assert reports.begin(week) is tasks[0]
    for task in tasks:
        task.wait(60)
    assert not reports.begin(some[-1].before).problem


def test_only_some_are_kept(desk: Any, room: Room, week: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_KEPT", 1)
    reports, before = Reports(room), week.before
    counted(reports, week)
    counted(reports, before)
    assert reports.counted(desk.session, week) is None
    assert reports.counted(desk.session, before) is not None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("2026-W48", "still to come"),
        ("2026-01-01-to-2026-11-15", "longer than a quarter"),
        ("46", "no such span"),
        ("../../etc/passwd", "no such span"),
    ],
)
def test_what_cannot_be_asked(config: Config, name: str, why: str) -> None:
    with pytest.raises(NeedsPerson, match=why):
        asked(name, config, NOW)


def test_somethat_have_posts(desk: Any, tmp_path: Path) -> None:
    desk.hear(heard_at=NOW)
    desk.hear(heard_at=NOW - timedelta(days=21))
    days = named("2026-11-09-to-2026-11-15", desk.config.hospital.zone)
    report.write(tmp_path, desk.session, desk.config, days, NOW)
    for name in ("my-to-do.html", "2026-W46-against-2026-W45.html"):
        (tmp_path / name).write_text("x")
    found = spans(desk.session, desk.config, tmp_path, NOW)
    assert {kind: [span.name for span in some] for kind, some in found.items()} == {
        "week": ["2026-W47", "2026-W44"],
        "month": ["2026-11", "2026-10"],
        "quarter": ["2026-Q4"],
        "days": ["2026-11-09-to-2026-11-15"],
    }
