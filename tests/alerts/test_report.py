"""The week as a page: opens whatever happened in it, and runs nothing of what a stranger wrote."""

from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW

from alerts.charts import Bars
from alerts.figures import figures
from alerts.report import (
    chosen,
    html,
    is_outdated,
    is_written,
    known_sections,
    report,
    write,
    write_again,
    written,
)
from alerts.section import Section, Table
from alerts.span import named
from config.schema import Report
from listener.deletions import came_round
from listener.errors import NeedsPerson
from listener.keep import DELETED, forget

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
CHICAGO = ZoneInfo("America/Chicago")
ALL = list(known_sections())


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
        outside = ((name, value) for name, value in attrs if name in ("src", "href") and not value.startswith("#part-"))
        assert not [*outside, *(name for name, _ in attrs if name.startswith("on"))], "it needs no network"

    def handle_data(self, data: str) -> None:
        self.words += data


def page(desk: Any, name: str = "2026-W46") -> Page:
    found = figures(desk.session, desk.config, named(name, CHICAGO), NOW)
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


def test_nothing_on_the_page_may_run_or_be_fetched(desk: Any) -> None:
    found = figures(desk.session, desk.config, named("2026-W46", CHICAGO), NOW)
    allowed = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{allowed}">' in html([], found).partition("<title>")[0]


def test_a_section_of_any_shape(desk: Any) -> None:
    found = figures(desk.session, desk.config, named("2026-W46", CHICAGO), NOW)
    for section in (
        Section("", ()),
        Section("t", ("s",), (Table("t", (), [(1,)]),)),
        Section("t", (), (Table("t", ("a",), [(), ("",), (None,)], "", Bars("", [], [], "")),)),
        Section(HOSTILE, (HOSTILE,), (Table("t", (HOSTILE,), [(HOSTILE,)], HOSTILE),)),
    ):
        assert "script" not in Page(html([section], found)).tags
    Page(html([], found))


def test_it_says_when_it_was_made_and_what_it_is_compared_with(desk: Any) -> None:
    desk.hear(heard_at=named("2025-W46", CHICAGO).since)
    found = figures(desk.session, desk.config, named("2026-W46", CHICAGO), NOW, named("2025-W46", CHICAGO))
    words = Page(html([], found)).words
    silent = figures(desk.session, desk.config, named("2026-W46", CHICAGO), NOW)
    assert "Compared with" not in Page(html([], silent)).words, "nothing was heard then, and nobody asked for it"
    assert "Compared with Mon 10 Nov to Sun 16 Nov 2025. Made on Mon 16 Nov 2026 at 09:00." in words


def test_the_first_column_names_its_row_and_the_sum_is_seen(desk: Any) -> None:
    found = figures(desk.session, desk.config, named("2026-W46", CHICAGO), NOW)
    table = Table("t", ("Day", "Posts"), [("Mon", 1), ("All", 1)], "Posts by day")
    text = html([Section("t", (), (table,))], found)
    assert text.count("<th scope=col") == text.count("<th scope=row") == 2
    assert text.count('<tr class="all">') == 1
    assert "<caption>Posts by day</caption>" in text


def test_it_says_who_never_whom(desk: Any) -> None:
    desk.hear("thank you", kind="praise", author="kim_of_port_alder", written_at=NOW - timedelta(days=3))
    assert "kim_of_port_alder" not in page(desk).words


# ---------------------------------------------------------------- sections by name


def test_sections_come_in_the_order_of_the_file(desk: Any) -> None:
    found = figures(desk.session, desk.config, named("2026-W46", CHICAGO), NOW)
    names = ["ledger", "headline"]
    assert [section.title for section in report(found, names)] == ["Every post reviewed", "The week in three sentences"]
    assert set(desk.config.report.sections) <= set(known_sections())


@pytest.mark.parametrize(
    ("name", "long_sections", "found"),
    [
        ("2026-W46", None, ["volume", "areas", "ledger"]),
        ("2026-11-01-to-2026-11-14", None, ["volume", "areas", "ledger"]),
        ("2026-11-01-to-2026-11-15", ["returned"], ["returned"]),
        ("2026-10", ["returned"], ["returned"]),
        ("2026-Q3", None, ["volume", "areas", "ledger", "fixing", "returned"]),
    ],
)
def test_a_longer_time_has_its_own_sections(name: str, long_sections: list[str] | None, found: list[str]) -> None:
    config = Report(sections=("volume", "areas", "ledger"), long_sections=long_sections)
    assert list(chosen(config, named(name, CHICAGO))) == found


@pytest.mark.parametrize("name", ["haedline", "", "Headline", "__init__", "../report"])
def test_a_wrong_name(desk: Any, name: str) -> None:
    found = figures(desk.session, desk.config, named("2026-W46", CHICAGO), NOW)
    with pytest.raises(NeedsPerson, match=r"no section .* there are areas, categories, .*headline"):
        report(found, ["headline", name])


# ---------------------------------------------------------------- again, without what is gone

WEEK46 = NOW - timedelta(days=4)  # heard then
PAGES = ["2026-W45.html", "2026-W46-against-2026-W45.html", "2026-W46.html", "2026-11.html", "notes.html"]


@pytest.fixture
def pages(desk: Any, tmp_path: Path) -> Path:
    """Pages of two weeks, of both compared, of their month, and a file of somebody's; kim spoke in 2026-W46."""
    desk.kim = desk.hear("words of kim", kind="praise", staff=["Ngozi"], heard_at=WEEK46, written_at=WEEK46)
    desk.bob = desk.hear("words of bob", kind="praise", heard_at=WEEK46 - timedelta(days=7))
    (tmp_path / "notes.html").write_text("words of ours")
    week, before, month = (named(name, CHICAGO) for name in ("2026-W46", "2026-W45", "2026-11"))
    for span, against in ((week, None), (before, None), (month, None), (week, before)):
        write(tmp_path, desk.session, desk.config, span, NOW, against)
    return tmp_path


def again(desk: Any, folder: Path, now: datetime) -> list[str]:
    """The pages that were written, by their contents' change of time."""
    before = {path.name: path.stat().st_mtime for path in folder.iterdir()}
    count = write_again(folder, desk.session, desk.config, now)
    written = [path.name for path in sorted(folder.iterdir()) if path.stat().st_mtime != before[path.name]]
    assert len(written) == count
    return written


@pytest.mark.parametrize("stopped", [HOUR, 720 * HOUR])
def test_only_the_pages_of_what_is_gone_are_written_again(desk: Any, pages: Path, stopped: timedelta) -> None:
    assert sorted(path.name for path in pages.iterdir()) == sorted(PAGES)
    assert again(desk, pages, NOW + HOUR) == []
    came_round(desk.session, NOW + HOUR)
    forget(desk.session, [desk.kim], DELETED, NOW + HOUR)
    desk.session.commit()
    on = NOW + HOUR + stopped
    assert again(desk, pages, on) == ["2026-11.html", "2026-W46-against-2026-W45.html", "2026-W46.html"]
    assert not any("words of kim" in path.read_text(encoding="utf-8") for path in pages.iterdir())
    assert "words of bob" in (pages / "2026-W45.html").read_text(encoding="utf-8")
    assert again(desk, pages, on + HOUR) == [], "it is done"


def test_a_page_whose_other_span_lost_a_post(desk: Any, pages: Path) -> None:
    forget(desk.session, [desk.bob], DELETED, NOW + HOUR)
    assert again(desk, pages, NOW + 2 * HOUR) == ["2026-11.html", "2026-W45.html", "2026-W46-against-2026-W45.html"]


@pytest.mark.parametrize("zone", ["America/Chicago", "Asia/Kolkata"])  # a week may begin within an hour of UTC
def test_what_was_heard_as_the_week_began_is_gone(desk: Any, tmp_path: Path, zone: str) -> None:
    hospital = desk.config.hospital.model_copy(update={"timezone": zone})
    desk.config = desk.config.model_copy(update={"hospital": hospital})
    week = named("2026-W46", hospital.zone)
    first = desk.hear("words of kim", kind="praise", heard_at=week.since)
    write(tmp_path, desk.session, desk.config, week, NOW)
    forget(desk.session, [first], DELETED, NOW + HOUR)
    assert again(desk, tmp_path, NOW + 2 * HOUR) == ["2026-W46.html"]


def test_gone_while_a_page_was_written(desk: Any, pages: Path) -> None:
    """The deletion began first, and was written down after the page had read the words."""
    forget(desk.session, [desk.kim], DELETED, NOW - 30 * SECOND)
    assert "2026-W46.html" in again(desk, pages, NOW + 10 * 60 * SECOND)
    assert again(desk, pages, NOW + HOUR) == [], "once"


def test_a_page_that_is_written_before_its_readings_are_forgotten(desk: Any, pages: Path) -> None:
    """Between the two nobody reads the words either."""
    forget(desk.session, [desk.kim], DELETED, NOW + HOUR)
    path, numbers, _ = write(pages, desk.session, desk.config, named("2026-W46", CHICAGO), NOW + 2 * HOUR)
    assert "words of kim" not in path.read_text(encoding="utf-8")
    assert [(heard.redacted_text, heard.staff, heard.kind) for heard in numbers.heard] == [("", (), "praise")]


def test_what_a_page_says_for_another_page(desk: Any, tmp_path: Path) -> None:
    desk.hear("words of kim", kind="praise", heard_at=WEEK46)
    week = named("2026-W46", CHICAGO)
    assert written(tmp_path, week) is None
    path, *_ = write(tmp_path, desk.session, desk.config, week, NOW)
    found = written(tmp_path, week)
    assert found is not None
    assert (found[1], found[0].count("<section"), "<style" in found[0]) == (
        NOW,
        path.read_text().count("<section"),
        False,
    )
    path.write_text(path.read_text().replace('<section id="', '<section style="color:red" id="'))
    assert written(tmp_path, week) is None, "an earlier version wrote it"
    path.write_bytes(b"\xff\xfe")
    assert written(tmp_path, week) is None


@pytest.mark.parametrize(
    ("counted", "gone", "is_old"),
    [
        (NOW, NOW + HOUR, True),
        (NOW, NOW - HOUR, False),
        (NOW, NOW - 30 * SECOND, True),
        (NOW - 8 * 24 * HOUR, None, True),
    ],
)
def test_what_is_outdated(desk: Any, counted: datetime, gone: datetime | None, is_old: bool) -> None:
    kim, week = desk.hear("words of kim", heard_at=WEEK46), named("2026-W46", CHICAGO)
    came_round(desk.session, NOW + HOUR)
    if gone:
        forget(desk.session, [kim], DELETED, gone)
    assert is_outdated(desk.session, week, counted, NOW + 2 * HOUR) is is_old
    assert not is_outdated(desk.session, week.before, NOW, NOW + 2 * HOUR)


def test_a_page_of_half_a_week_is_not_the_page_of_the_week(desk: Any, tmp_path: Path) -> None:
    week = named("2026-W46", CHICAGO)
    desk.hear(kind="praise", heard_at=WEEK46)
    assert not is_written(tmp_path, week)
    write(tmp_path, desk.session, desk.config, week, week.until - SECOND)
    assert not is_written(tmp_path, week)
    write(tmp_path, desk.session, desk.config, week, week.until + SECOND)
    assert is_written(tmp_path, week)
    assert [path.name for path in tmp_path.iterdir()] == ["2026-W46.html"], "whole or not at all, and nothing beside it"
