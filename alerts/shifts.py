"""Who is there when, and when one shift hands over to the next. Pure: takes times, gives times."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from alerts.clockface import WEEKDAYS, moment
from config.schema import Config, Shift

_LATE = timedelta(hours=1)  # a change that was missed by more is not told any more


def shifts_of(config: Config) -> Sequence[Shift]:
    """The shifts of care.toml; without any, the hours in which the team is there at all."""
    coverage = config.hospital.coverage
    return config.care.shifts or [
        Shift(name="The team", hours=getattr(coverage, day), days=(day,)) for day in WEEKDAYS if getattr(coverage, day)
    ]


class Change(NamedTuple):
    """A moment at which one shift ends, and the next one, if one begins then."""

    at: datetime
    since: datetime
    ending: Shift
    next: Shift | None


def changes(shifts: Sequence[Shift], zone: ZoneInfo, now: datetime) -> list[Change]:
    """The ends of shifts within the last hour, the newest last. Pure."""
    spans = [(start, end, shift) for shift in shifts for start, end in _spans(shift, zone, now)]
    ended = sorted((span for span in spans if now - _LATE < span[1] <= now), key=lambda span: span[1])
    found = [
        Change(end, start, shift, next((later for begins, _, later in spans if begins == end), None))
        for start, end, shift in ended
    ]
    return [change for change in found if change.next is None or change.next.name != change.ending.name]


def on_shift(shifts: Sequence[Shift], zone: ZoneInfo, now: datetime) -> list[Shift]:
    """Who is there now. Pure."""
    return [shift for shift in shifts if any(start <= now < end for start, end in _spans(shift, zone, now))]


def _spans(shift: Shift, zone: ZoneInfo, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Its spans of the last days, in UTC."""
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=2), today - timedelta(days=1), today):
        if WEEKDAYS[day.weekday()] in shift.days:
            yield from ((moment(day, opens, zone), moment(day, closes, zone)) for opens, closes in shift.hours)
