"""Spans of time by name: weeks, months, quarters, days of the hospital."""

import contextlib
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.span import Kind, asked, days, holding, last, named
from listener.errors import NeedsPerson

CHICAGO = ZoneInfo("America/Chicago")
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "kind", "first", "hours"),
    [
        ("2026-W46", "week", "2026-11-09", 168),
        ("2026-w46", "week", "2026-11-09", 168),
        (" 2026-W46 ", "week", "2026-11-09", 168),
        ("2026-W1", "week", "2025-12-29", 168),
        ("2026-W01", "week", "2025-12-29", 168),
        ("2026-W53", "week", "2026-12-28", 168),
        ("2020-W53", "week", "2020-12-28", 168),
        ("2026-W10", "week", "2026-03-02", 167),  # spring forward on its Sunday
        ("2026-W44", "week", "2026-10-26", 169),  # fall back on its Sunday
        ("2026-02", "month", "2026-02-01", 28 * 24),
        ("2024-02", "month", "2024-02-01", 29 * 24),
        ("2026-3", "month", "2026-03-01", 31 * 24 - 1),
        ("2026-12", "month", "2026-12-01", 31 * 24),
        ("2026-Q1", "quarter", "2026-01-01", 90 * 24 - 1),
        ("2026-q4", "quarter", "2026-10-01", 92 * 24 + 1),
        ("2026-11-09-to-2026-11-15", "days", "2026-11-09", 168),
        ("2026-11-09-to-2026-11-09", "days", "2026-11-09", 24),
    ],
)
def test_spans(name: str, kind: str, first: str, hours: int) -> None:
    span = named(name, CHICAGO)
    assert (span.kind, span.first.isoformat(), span.since.hour, span.until.hour) == (kind, first, 0, 0)
    assert span.until.astimezone(UTC) - span.since.astimezone(UTC) == hours * HOUR
    assert named(span.name, CHICAGO) == span
    assert len(span.days) == round(hours / 24)
    assert span.before.until == span.since


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("2026-W46", "week 46 of 2026"),
        ("2026-W01", "week 1 of 2026"),  # which begins in 2025
        ("2026-10", "October 2026"),
        ("2026-Q3", "quarter 3 of 2026"),
        ("2026-11-09-to-2026-11-10", "the days Mon 9 Nov to Tue 10 Nov 2026"),
    ],
)
def test_what_people_call_it(name: str, called: str) -> None:
    assert named(name, CHICAGO).called == called


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [
        ("week", "last", "2026-W45"),
        ("month", "last", "2026-10"),
        ("quarter", "last", "2026-Q3"),
        ("month", "2026-2", "2026-02"),
        ("days", "2026-11-09-to-2026-11-09", "2026-11-09-to-2026-11-09"),
    ],
)
def test_what_is_asked_for(kind: Kind, name: str, found: str) -> None:
    assert asked(kind, name, CHICAGO, datetime(2026, 11, 15, 23, tzinfo=CHICAGO)).name == found


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("month", "2026-W46", "no such month: '2026-W46'; write a month as 2026-10"),
        ("week", "2026-10", "no such week: '2026-10'; write a week as 2026-W46"),
        ("week", "2026-W99", "no such week: '2026-W99'; write a week as 2026-W46"),
        ("quarter", "", "no such quarter: ''; write a quarter as 2026-Q3"),
        ("days", "last", "no such days: 'last'; write days as 2026-11-09-to-2026-11-15"),
    ],
)
def test_what_is_asked_for_and_is_not_there(kind: Kind, name: str, told: str) -> None:
    with pytest.raises(NeedsPerson) as caught:
        asked(kind, name, CHICAGO, datetime(2026, 11, 15, tzinfo=CHICAGO))
    assert str(caught.value) == told


@pytest.mark.parametrize(
    "name",
    ["", "46", "2026-46", "2026W46", "2025-W53", "2026-W00", "2026-W54", "2026-W-1", "2026-W46-1", "0000-W01",
     "9999-W52", "99999-W01", "2026-W4x", "last", "2026-W٤٦", "2026-00", "2026-13", "2026-Q0", "2026-Q5", "9999-12",
     "2026-11-15-to-2026-11-09", "2026-11-31-to-2026-12-01", "2026-11-09", "../2026-W46"],
)  # fmt: skip
def test_wrong_names(name: str) -> None:
    with pytest.raises(NeedsPerson, match="write a week as 2026-W46"):
        named(name, CHICAGO)


@given(st.text())
def test_any_name_is_a_span_or_a_sentence(name: str) -> None:
    with contextlib.suppress(NeedsPerson):
        assert named(name, CHICAGO).days


@pytest.mark.parametrize(
    ("kind", "now", "name"),
    [
        ("week", "2026-11-16T05:59:59+00:00", "2026-W45"),  # still Sunday in Chicago
        ("week", "2026-11-16T06:00:00+00:00", "2026-W46"),
        ("week", "2026-11-22T12:00:00+00:00", "2026-W46"),
        ("week", "2027-01-04T12:00:00+00:00", "2026-W53"),
        ("week", "2027-01-11T12:00:00+00:00", "2027-W01"),
        ("month", "2026-12-01T05:59:59+00:00", "2026-10"),
        ("month", "2026-12-01T06:00:00+00:00", "2026-11"),
        ("month", "2027-01-15T06:00:00+00:00", "2026-12"),
        ("quarter", "2026-11-22T12:00:00+00:00", "2026-Q3"),
        ("quarter", "2027-02-22T12:00:00+00:00", "2026-Q4"),
    ],
)
def test_the_last_that_is_over(kind: Kind, now: str, name: str) -> None:
    span = last(kind, CHICAGO, datetime.fromisoformat(now))
    assert span.name == name
    assert span.until <= datetime.fromisoformat(now)


@pytest.mark.parametrize(
    ("name", "before", "week_before"),
    [
        ("2026-W46", "2026-W45", "2026-W45"),
        ("2026-W01", "2025-W52", "2025-W52"),
        ("2026-11", "2026-10", "2026-10-25-to-2026-10-31"),
        ("2026-Q1", "2025-Q4", "2025-12-25-to-2025-12-31"),
        ("2026-11-09-to-2026-11-11", "2026-11-06-to-2026-11-08", "2026-11-02-to-2026-11-08"),
    ],
)
def test_what_was_before(name: str, before: str, week_before: str) -> None:
    span = named(name, CHICAGO)
    assert (span.before.name, span.week_before.name) == (before, week_before)
    assert span.week_before.until == span.since


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("2026-W46", "Mon 9 Nov to Sun 15 Nov 2026"),
        ("2026-W53", "Mon 28 Dec 2026 to Sun 3 Jan 2027"),
        ("2026-02", "Sun 1 Feb to Sat 28 Feb 2026"),
    ],
)
def test_in_words(name: str, words: str) -> None:
    assert named(name, CHICAGO).in_words == words


@given(st.dates(date(1971, 1, 1), date(2990, 1, 1)), st.sampled_from(["week", "month", "quarter"]))
def test_every_day_is_in_one_span_of_each_kind(day: date, kind: Kind) -> None:
    span = holding(kind, day, CHICAGO)
    assert day in span.days
    assert named(span.name, CHICAGO) == span
    assert days(span.first, span.until.date(), CHICAGO).days == span.days
