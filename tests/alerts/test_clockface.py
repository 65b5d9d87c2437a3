"""When a reply is due: shifts, closed days, clock changes; and spans as people say them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.clockface import add_covered, due, in_words, target
from config.schema import Config, Coverage, Hospital, Targets

CHICAGO = ZoneInfo("America/Chicago")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OFFICE = dict.fromkeys(WEEKDAYS[:5], "08:00-20:00") | {"sat": "", "sun": ""}
NIGHTS = dict.fromkeys(WEEKDAYS, "22:00-06:00")
AROUND = dict.fromkeys(WEEKDAYS, "00:00-24:00")
NEVER = dict.fromkeys(WEEKDAYS, "")


def hours(days: dict[str, str]) -> Coverage:
    return Coverage.model_validate(days)


def chicago(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO)


COVERED = [
    # (hours, posted, minutes, due), in Chicago
    (OFFICE, "2026-11-16 09:00", 60, "2026-11-16 10:00"),
    (OFFICE, "2026-11-16 19:30", 60, "2026-11-17 08:30"),
    (OFFICE, "2026-11-16 19:00", 60, "2026-11-16 20:00"),
    (OFFICE, "2026-11-16 20:00", 60, "2026-11-17 09:00"),
    (OFFICE, "2026-11-16 03:00", 15, "2026-11-16 08:15"),
    (OFFICE, "2026-11-20 19:55", 15, "2026-11-23 08:10"),
    (OFFICE, "2026-11-21 12:00", 15, "2026-11-23 08:15"),
    (OFFICE, "2026-11-22 23:59", 60, "2026-11-23 09:00"),
    (OFFICE, "2026-11-16 08:00", 12 * 60 + 1, "2026-11-17 08:01"),
    (OFFICE, "2026-11-16 08:00", 60 * 60 + 1, "2026-11-23 08:01"),
    (NIGHTS, "2026-11-16 02:00", 60, "2026-11-16 03:00"),
    (NIGHTS, "2026-11-16 05:30", 60, "2026-11-16 22:30"),
    (NIGHTS, "2026-11-16 23:30", 60, "2026-11-17 00:30"),
    (NIGHTS, "2026-11-16 12:00", 8 * 60, "2026-11-17 06:00"),
    (NIGHTS | {"sun": ""}, "2026-11-16 02:00", 60, "2026-11-16 23:00"),
    (AROUND, "2026-11-16 23:30", 60, "2026-11-17 00:30"),
    (NEVER, "2026-11-16 23:30", 60, "2026-11-17 00:30"),
    # a lunch break, and the same hours the other way round
    (OFFICE | {"mon": "08:00-12:00, 13:00-17:00"}, "2026-11-16 11:50", 20, "2026-11-16 13:10"),
    (OFFICE | {"mon": "13:00-17:00, 08:00-12:00"}, "2026-11-16 11:50", 20, "2026-11-16 13:10"),
    # spans that overlap are not counted twice
    (OFFICE | {"mon": "08:00-12:00, 10:00-13:00"}, "2026-11-16 09:00", 241, "2026-11-17 08:01"),
    # one hour a week: a long target waits for many weeks
    (NEVER | {"mon": "08:00-09:00"}, "2026-11-16 08:00", 5 * 60, "2026-12-14 09:00"),
]


@pytest.mark.parametrize(("days", "posted", "minutes", "expected"), COVERED)
def test_covered_time(days: dict[str, str], posted: str, minutes: int, expected: str) -> None:
    found = add_covered(chicago(posted), timedelta(minutes=minutes), hours(days), CHICAGO)
    assert found == chicago(expected)
    assert found.tzinfo == CHICAGO
    assert add_covered(chicago(posted).astimezone(UTC), timedelta(minutes=minutes), hours(days), CHICAGO) == found


CHANGES = [
    # spring: 02:00 is 03:00 on 8 March 2026; a night shift has seven hours
    (AROUND, datetime(2026, 3, 8, 7, 30, tzinfo=UTC), 60, datetime(2026, 3, 8, 8, 30, tzinfo=UTC)),
    (NIGHTS, datetime(2026, 3, 8, 4, 0, tzinfo=UTC), 7 * 60, datetime(2026, 3, 8, 11, 0, tzinfo=UTC)),
    (NIGHTS, datetime(2026, 3, 8, 4, 0, tzinfo=UTC), 7 * 60 + 1, datetime(2026, 3, 9, 3, 1, tzinfo=UTC)),
    # autumn: 01:00-02:00 comes twice on 1 November 2026; a night shift has nine hours
    (AROUND, datetime(2026, 11, 1, 6, 30, tzinfo=UTC), 60, datetime(2026, 11, 1, 7, 30, tzinfo=UTC)),
    (NIGHTS, datetime(2026, 11, 1, 3, 0, tzinfo=UTC), 9 * 60, datetime(2026, 11, 1, 12, 0, tzinfo=UTC)),
    (NEVER, datetime(2026, 11, 1, 6, 30, tzinfo=UTC), 60, datetime(2026, 11, 1, 7, 30, tzinfo=UTC)),
]


@pytest.mark.parametrize("zone", [UTC, CHICAGO])
@pytest.mark.parametrize(("days", "posted", "minutes", "expected"), CHANGES)
def test_clock_changes(
    days: dict[str, str], posted: datetime, minutes: int, expected: datetime, zone: ZoneInfo
) -> None:
    found = add_covered(posted.astimezone(zone), timedelta(minutes=minutes), hours(days), CHICAGO)
    assert found.astimezone(UTC) == expected


@given(
    posted=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001
    minutes=st.integers(1, 60 * 24 * 20),
    days=st.sampled_from([OFFICE, NIGHTS, AROUND, NEVER]),
)
def test_never_early_and_never_unaware(posted: datetime, minutes: int, days: dict[str, str]) -> None:
    start, span = posted.replace(tzinfo=UTC), timedelta(minutes=minutes)
    found = add_covered(start, span, hours(days), CHICAGO)
    assert found >= start + span
    assert found.tzinfo is UTC
    if days in (AROUND, NEVER):
        assert found == start + span


@pytest.fixture
def night_closed(config: Config) -> Hospital:
    return config.hospital.model_copy(update={"coverage": hours(OFFICE)})


@pytest.mark.parametrize(
    ("urgency", "expected"),
    [
        ("danger", "2026-11-21 03:05"),
        ("here_now", "2026-11-23 08:15"),
        ("serious", "2026-11-23 08:15"),
        ("routine", "2026-11-23 09:00"),
        ("low", "2026-11-23 09:00"),
        ("none", "2026-11-23 09:00"),
    ],
)
def test_danger_does_not_wait_for_opening_hours(night_closed: Hospital, urgency: str, expected: str) -> None:
    assert due(urgency, chicago("2026-11-21 03:00"), night_closed, Targets()) == chicago(expected)


def test_danger_over_a_clock_change(config: Config) -> None:
    posted = datetime(2026, 11, 1, 6, 58, tzinfo=UTC).astimezone(CHICAGO)  # 01:58, for the first time
    assert due("danger", posted, config.hospital, Targets()).astimezone(UTC) == datetime(2026, 11, 1, 7, 3, tzinfo=UTC)


def test_targets_are_those_of_the_file() -> None:
    targets = Targets(danger="1m", here_now="2m", serious="3m", routine="4m")  # type: ignore[arg-type]
    found = [target(u, targets) for u in ("danger", "here_now", "serious", "routine", "low", "none")]
    assert [span.seconds // 60 for span in found] == [1, 2, 3, 4, 4, 4]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (7500, "2 h 5 min"),
        (86399, "23 h 59 min"), (86400, "1 d"), (273600, "3 d 4 h"), (-90, "1 min"),
    ],
)  # fmt: skip
def test_in_words(seconds: float, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words
