"""The week as a page: opens whatever happened in it, and runs nothing of what a stranger wrote."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW

from alerts.figures import figures
from alerts.report import Section, html, known_sections, report, span_in_words, week, week_name
from listener.errors import NeedsPerson

CHICAGO = ZoneInfo("America/Chicago")
ALL = ["headline", "volume", "categories", "reply_times", "praise", "listening", "ledger"]


class Page(HTMLParser):
    """The tags and the words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.rows = 0
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs), "it needs no network"

    def handle_data(self, data: str) -> None:
        self.words += data


def page(desk: Any, name: str = "2026-W46") -> Page:
    since, until = week(name, CHICAGO, NOW)
    found = figures(desk.session, desk.config, since, until, NOW)
    return Page(html(report(found, ALL), found))


# ---------------------------------------------------------------- the page


def test_an_empty_week_opens(desk: Any) -> None:
    shown = page(desk)
    assert "Mon 9 Nov to Sun 15 Nov 2026" in shown.words
    assert "0 posts were heard" in shown.words
    assert "It adds up." in shown.words
    assert shown.tags.count("section") == len(ALL)


def test_one_post(desk: Any) -> None:
    desk.hear("thank you", kind="praise", written_at=NOW - timedelta(days=3))
    shown = page(desk)
    assert "1 post was heard" in shown.words
    assert "1 post with praise." in shown.words
    assert "thank you" in shown.words


HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(1)> </table> {{ 7*7 }} {% raw %} & \" '"


def test_what_a_stranger_wrote_is_text(desk: Any) -> None:
    desk.hear(HOSTILE, kind="praise", written_at=NOW - timedelta(days=3), source="<b>place</b>")
    shown = page(desk)
    assert not {"script", "img", "b"} & set(shown.tags)
    assert "<script>alert(1)</script>" in shown.words
    assert "{{ 7*7 }}" in shown.words


def test_a_section_of_any_shape(desk: Any) -> None:
    found = figures(desk.session, desk.config, NOW - timedelta(days=7), NOW, NOW)
    for section in (
        Section("", ()),
        Section("t", ("s",), (), [(1,)]),
        Section(HOSTILE, (HOSTILE,), (HOSTILE,), [(HOSTILE,)]),
    ):
        assert "script" not in Page(html([section], found)).tags
    Page(html([], found))


def test_it_says_who_never_whom(desk: Any) -> None:
    desk.hear("thank you", kind="praise", author="kim_of_port_alder", written_at=NOW - timedelta(days=3))
    assert "kim_of_port_alder" not in page(desk).words


# ---------------------------------------------------------------- sections by name


def test_sections_come_in_the_order_of_the_file(desk: Any) -> None:
    found = figures(desk.session, desk.config, NOW - timedelta(days=7), NOW, NOW)
    names = ["ledger", "headline"]
    assert [section.title for section in report(found, names)] == ["Every post reviewed", "The week in three sentences"]
    assert set(desk.config.report.sections) <= set(known_sections())


@pytest.mark.parametrize("name", ["haedline", "", "Headline", "__init__", "../report"])
def test_a_wrong_name(desk: Any, name: str) -> None:
    found = figures(desk.session, desk.config, NOW - timedelta(days=7), NOW, NOW)
    with pytest.raises(NeedsPerson, match=r"no section .* there are categories, headline, ledger"):
        report(found, ["headline", name])


# ---------------------------------------------------------------- weeks


@pytest.mark.parametrize(
    ("name", "monday", "hours"),
    [
        ("2026-W46", "2026-11-09", 168),
        ("2026-w46", "2026-11-09", 168),
        (" 2026-W46 ", "2026-11-09", 168),
        ("2026-W1", "2025-12-29", 168),
        ("2026-W01", "2025-12-29", 168),
        ("2026-W53", "2026-12-28", 168),
        ("2020-W53", "2020-12-28", 168),
        ("2026-W10", "2026-03-02", 167),  # spring forward on its Sunday
        ("2026-W44", "2026-10-26", 169),  # fall back on its Sunday
    ],
)
def test_iso_weeks(name: str, monday: str, hours: int) -> None:
    since, until = week(name, CHICAGO, NOW)
    assert (since.date().isoformat(), since.hour, until.hour) == (monday, 0, 0)
    assert until.astimezone(UTC) - since.astimezone(UTC) == timedelta(hours=hours)
    assert week(week_name(since, CHICAGO), CHICAGO, NOW) == (since, until)


@pytest.mark.parametrize(
    "name",
    ["", "46", "2026-46", "2026W46", "2025-W53", "2026-W00", "2026-W54", "2026-W-1", "2026-W46-1", "0000-W01",
     "9999-W52", "99999-W01", "2026-W4x", "last", "2026-W٤٦"],
)  # fmt: skip
def test_wrong_weeks(name: str) -> None:
    with pytest.raises(NeedsPerson, match="write it as 2026-W46"):
        week(name, CHICAGO, NOW)


@pytest.mark.parametrize(
    ("now", "name"),
    [
        ("2026-11-16T05:59:59+00:00", "2026-W45"),  # still Sunday in Chicago
        ("2026-11-16T06:00:00+00:00", "2026-W46"),
        ("2026-11-22T12:00:00+00:00", "2026-W46"),
        ("2027-01-04T12:00:00+00:00", "2026-W53"),
        ("2027-01-11T12:00:00+00:00", "2027-W01"),
    ],
)
def test_the_last_week_that_is_over(now: str, name: str) -> None:
    since, until = week(None, CHICAGO, datetime.fromisoformat(now))
    assert week_name(since, CHICAGO) == name
    assert until <= datetime.fromisoformat(now)


def test_the_name_of_a_week_is_that_of_the_hospital() -> None:
    assert week_name(datetime(2026, 11, 16, 3, tzinfo=UTC), CHICAGO) == "2026-W46"
    assert week_name(datetime(2027, 1, 1, 12, tzinfo=UTC), CHICAGO) == "2026-W53"


def test_a_span_in_words(desk: Any) -> None:
    since, until = week("2026-W53", CHICAGO, NOW)
    assert span_in_words(figures(desk.session, desk.config, since, until, NOW)) == "Mon 28 Dec to Sun 3 Jan 2027"
