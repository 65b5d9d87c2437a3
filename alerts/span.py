"""Span: the time a report is about, by its name. Pure.

"2026-W46" is a week, "2026-10" a month, "2026-Q3" a quarter, "2026-11-09-to-2026-11-15" some days.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from listener.errors import NeedsPerson

Kind = Literal["week", "month", "quarter", "days"]
_DAY = timedelta(days=1)
_WRITTEN: dict[Kind, str] = {
    "week": "a week as 2026-W46",
    "month": "a month as 2026-10",
    "quarter": "a quarter as 2026-Q3",
    "days": "days as 2026-11-09-to-2026-11-15",
}


@dataclass(frozen=True)
class Span:
    """Whole days of the hospital's zone. `since` <= moment < `until`."""

    name: str
    kind: Kind
    since: datetime
    until: datetime

    @property
    def first(self) -> date:
        """Its first day."""
        return self.since.date()

    @cached_property
    def days(self) -> list[date]:
        """Its days."""
        return [self.first + number * _DAY for number in range((self.until.date() - self.first).days)]

    @property
    def before(self) -> "Span":
        """The one of its kind that ends where this one begins."""
        zone = self.since.tzinfo
        assert isinstance(zone, ZoneInfo)
        if self.kind == "days":
            return days(self.first - len(self.days) * _DAY, self.first, zone)
        return holding(self.kind, self.first - _DAY, zone)

    @property
    def week_before(self) -> "Span":
        """The week that ends where this one begins: seven days, where that is no Monday."""
        zone = self.since.tzinfo
        assert isinstance(zone, ZoneInfo)
        return self.before if self.kind == "week" else days(self.first - 7 * _DAY, self.first, zone)

    @property
    def called(self) -> str:
        """ "week 46 of 2026", "October 2026", "quarter 3 of 2026"; days by the first and the last."""
        if self.kind == "month":
            return f"{self.first:%B %Y}"
        if self.kind == "days":
            return f"the days {self.in_words}"
        year, _, number = self.name.partition("-")
        return f"{self.kind} {int(number[1:])} of {year}"

    @property
    def in_words(self) -> str:
        """ "Mon 9 Nov to Sun 15 Nov 2026"."""
        first, last = self.first, self.days[-1]
        year = f" {first:%Y}" if first.year != last.year else ""
        return f"{first:%a} {first.day} {first:%b}{year} to {last:%a} {last.day} {last:%b %Y}"


def named(name: str, zone: ZoneInfo) -> Span:
    """The span of a name. Raises NeedsPerson."""
    text = name.strip().upper()
    try:
        if found := re.fullmatch(r"([12][0-9]{3})-W([0-9]{1,2})", text):
            return holding("week", date.fromisocalendar(int(found[1]), int(found[2]), 1), zone)
        if found := re.fullmatch(r"([12][0-9]{3})-Q([1-4])", text):
            return holding("quarter", date(int(found[1]), 3 * int(found[2]) - 2, 1), zone)
        if found := re.fullmatch(r"([12][0-9]{3})-([0-9]{1,2})", text):
            return holding("month", date(int(found[1]), int(found[2]), 1), zone)
        if found := re.fullmatch(r"([12][0-9]{3}-[0-9][0-9]-[0-9][0-9])-TO-([12][0-9]{3}-[0-9][0-9]-[0-9][0-9])", text):
            first, last = date.fromisoformat(found[1]), date.fromisoformat(found[2])
            if first <= last:
                return days(first, last + _DAY, zone)
    except (ValueError, OverflowError):
        pass
    raise NeedsPerson(f"no such span of time: {name!r}; write {', '.join(_WRITTEN.values())}")


def asked(kind: Kind, name: str, zone: ZoneInfo, now: datetime) -> Span:
    """The span of a kind by its name; "last" is the last one that is over. Raises NeedsPerson."""
    if name == "last" and kind != "days":
        return last(kind, zone, now)
    with suppress(NeedsPerson):
        if (found := named(name, zone)).kind == kind:
            return found
    raise NeedsPerson(f"no such {kind}: {name!r}; write {_WRITTEN[kind]}")


def last(kind: Kind, zone: ZoneInfo, now: datetime) -> Span:
    """The last one that is over."""
    return holding(kind, now.astimezone(zone).date(), zone).before


def holding(kind: Kind, day: date, zone: ZoneInfo) -> Span:
    """The week, month or quarter that a day belongs to."""
    if kind == "week":
        monday = day - timedelta(days=day.weekday())
        year, number, _ = monday.isocalendar()
        return Span(f"{year}-W{number:02}", kind, *_midnights(monday, monday + 7 * _DAY, zone))
    months = 3 if kind == "quarter" else 1
    first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    after = (first + timedelta(days=31 * months)).replace(day=1)
    name = f"{first.year}-Q{(first.month + 2) // 3}" if kind == "quarter" else f"{first:%Y-%m}"
    return Span(name, kind, *_midnights(first, after, zone))


def days(first: date, after: date, zone: ZoneInfo) -> Span:
    """From the midnight that begins one day to that which begins another."""
    return Span(f"{first}-to-{after - _DAY}", "days", *_midnights(first, after, zone))


def _midnights(first: date, after: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return datetime.combine(first, time(), zone), datetime.combine(after, time(), zone)
