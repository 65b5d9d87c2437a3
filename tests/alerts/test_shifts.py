"""Shifts: who is there, and when one hands over to the next, also past midnight and over a change of clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.shifts import changes, on_shift, shifts_of
from config.schema import Config, Coverage, Shift

CHICAGO = ZoneInfo("America/Chicago")
DAY = Shift(name="Day", hours="07:00-19:00", people=("<@U0ANA1>",))
NIGHT = Shift(name="Night", hours="19:00-07:00", people=("<@U0BEN1>",))
MINUTE = timedelta(minutes=1)


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=CHICAGO).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "names"),
    [
        (at(16, 7), ["Day"]),
        (at(16, 18, 59), ["Day"]),
        (at(16, 19), ["Night"]),
        (at(17, 3), ["Night"]),
        (at(17, 6, 59), ["Night"]),
    ],
)
def test_who_is_there(now: datetime, names: list[str]) -> None:
    assert [shift.name for shift in on_shift((DAY, NIGHT), CHICAGO, now)] == names


def test_days() -> None:
    weekday = Shift(name="Week", hours="22:00-02:00", days=("mon",))
    there = [on_shift((weekday,), CHICAGO, at(day, hour)) != [] for day, hour in ((16, 23), (17, 1), (17, 3), (17, 23))]
    assert there == [True, True, False, False], "the night of Monday ends on Tuesday"


def test_a_change() -> None:
    (change,) = changes((DAY, NIGHT), CHICAGO, at(16, 19, 1))
    assert (change.at, change.since) == (at(16, 19), at(16, 7))
    assert (change.ending.name, change.next and change.next.name) == ("Day", "Night")
    assert changes((DAY, NIGHT), CHICAGO, at(16, 18, 59)) == []
    assert changes((DAY, NIGHT), CHICAGO, at(16, 20, 1)) == [], "too late to be told"


def test_nobody_follows() -> None:
    (change,) = changes((DAY,), CHICAGO, at(16, 19, 1))
    assert change.next is None


def test_a_shift_that_goes_on_hands_nothing_over() -> None:
    whole = [Shift(name="The team", hours="00:00-24:00", days=(day,)) for day in ("mon", "tue")]
    assert changes(whole, CHICAGO, at(17, 0, 1)) == []


def test_the_night_of_a_clock_change_ends_once() -> None:
    morning = datetime(2026, 11, 1, 7, 0, tzinfo=CHICAGO).astimezone(UTC)
    (change,) = changes((DAY, NIGHT), CHICAGO, morning + MINUTE)
    assert change.at - change.since == timedelta(hours=13)


def test_without_shifts_the_hours_of_the_team_count(config: Config) -> None:
    assert config.care.shifts == ()
    hours = Coverage(mon="08:00-17:00", tue="", wed="", thu="", fri="", sat="", sun="")
    hospital = config.hospital.model_copy(update={"coverage": hours})
    shifts = shifts_of(config.model_copy(update={"hospital": hospital}))
    assert [(shift.name, shift.days) for shift in shifts] == [("The team", ("mon",))]
    (change,) = changes(shifts, CHICAGO, at(16, 17, 5))
    assert change.next is None
    assert changes(shifts_of(config), CHICAGO, at(17, 0, 1)) == [], "what ships is there all day"
