"""The page as Chromium shows it: on a phone, on a desk and on paper, in light and dark, and to who cannot see it."""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import chromium
import pytest
from chromium import Tab
from conftest import NOW

from alerts.charts import Bars, Columns, Heat, Series, Usual
from alerts.figures import Figures, Heard
from alerts.palette import COLOURS
from alerts.report import html, known_sections, report
from alerts.section import Section, Share, Table
from alerts.span import named

# Not in the tree for its size, and as it is under the MPL; npm brings it, and only these bytes are run.
AXE = "axe-core@4.14.1"
AXE_SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not chromium.found(), reason="no Chromium: apt-get install chromium"),
]
CHICAGO = ZoneInfo("America/Chicago")
SINCE = datetime(2026, 11, 9, tzinfo=CHICAGO)
HOSTILE = (
    "<script>document.title='mine'</script><img src=http://127.0.0.1:9/x onerror=alert(1)> </table> & \" ' {{ 7*7 }}"
)
UGLY = ["$x$ _ \\ & < > %", "😀 👨‍👩‍👧 Übermut", "غرفة الطوارئ", "x" * 200, "word " * 40, HOSTILE, "候诊时间", "Food"]
DAYS = ["Mon 9 Nov", "Tue 10 Nov", "Wed 11 Nov", "Thu 12 Nov", "Fri 13 Nov", "Sat 14 Nov", "Sun 15 Nov"]
HOURS = [f"{hour:02}" for hour in range(24)]


def heard(number: int, **said: Any) -> Heard:
    words = f"{HOSTILE} {'so kind ' * 20}"
    one = Heard(
        number, "x", "x", SINCE + timedelta(hours=number), voice="patient", kind="complaint",
        categories=("waiting",), mood=-0.5, urgency="routine", redacted_text=words, outcome="digest",
    )  # fmt: skip
    return replace(one, **said)


def week() -> Figures:
    """A week with everything in it, and much that is strange."""
    posts = [heard(number, source=("x", "reddit", "<b>place</b>")[number % 3]) for number in range(60)]
    posts += [heard(number, kind="praise", categories=(UGLY[number % 8],)) for number in range(60, 160)]
    weeks = [
        Figures(
            named(f"2026-W{45 - before}", CHICAGO), CHICAGO, NOW, "",
            [replace(post, heard_at=post.heard_at - timedelta(days=7 * (before + 1))) for post in posts[before::2]],
        )
        for before in range(8)
    ]  # fmt: skip
    return Figures(
        named("2026-W46", CHICAGO), CHICAGO, NOW, "Saint Brigid & <b>Sons</b>", posts, before=weeks[0], weeks=weeks,
        titles={"waiting": "Waiting"}, owners={"waiting": "Operations"},
        targets={name: timedelta(minutes=5) for name in ("danger", "here_now", "serious", "routine")},
    )  # fmt: skip


def every_shape() -> list[Section]:
    """Every kind of table and of chart, made by hand."""
    some = [Usual(2, 4, 6), None, Usual(0, 0, 0)]
    columns = Columns(
        HOSTILE, DAYS, [Series(name, [3, 0, 9, 1, 2, 30, 4]) for name in UGLY], "posts", [Usual(20, 60, 90)] * 7
    )
    whole = Columns(
        "Moods.", DAYS, [Series("Bad", [1] * 7, "bad"), Series("Good", [2] * 7, "good")], "posts", whole=True
    )
    quarter = Columns("Days.", DAYS * 13, [Series("Posts", list(range(91)))], "posts")
    bars = Bars("Topics.", UGLY, [1e12, 3, 0, 2.5, 1, 1, 1, 1], "complaints", [*some, *[None] * 5])
    heat = Heat("Hours.", HOURS, DAYS, [[hour * day for hour in range(24)] for day in range(7)], "posts")
    mixed = ("Row", 1204, 2.25, Share(1, 3), timedelta(hours=26), None, "word " * 9)
    return [
        Section("Charts", ("A sentence.",), (
            Table("a", ("Day", "Posts"), [*((day, 9) for day in DAYS), ("All", 63)], "Columns", columns),
            Table("b", ("Day", "Bad", "Good"), [("Mon", 1, 2)], "Whole", whole),
            Table("c", ("Day", "Posts"), [(day, 1) for day in DAYS * 13], "Quarter", quarter),
            Table("d", ("Topic", "Complaints"), [(name, 1) for name in UGLY], "Bars", bars),
            Table("e", ("Hour", *DAYS), [(hour, *range(7)) for hour in HOURS], "Heat", heat),
        )),
        Section("Tables", (HOSTILE, "غرفة الطوارئ"), (
            Table("f", ("", "Count", "Mean", "Share", "Time", "None", "Words"), [mixed, mixed], "Cells"),
            Table("g", tuple(f"Column number {n}" for n in range(16)), [tuple(range(16))] * 3, "Wide"),
            Table("h", ("Name", HOSTILE), [(name, name * 2) for name in UGLY]),
            Table("i", ("Name", "Number"), [], "Empty"),
        )),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    figures = week()
    path = tmp_path_factory.mktemp("page") / "week.html"
    sections = [*report(figures, sorted(known_sections(), key="headline".__ne__)), *every_shape()]
    path.write_text(html(sections, figures), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with chromium.running(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture(scope="module")
def axe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """axe-core's script, fetched once and kept with what pytest keeps."""
    cache = request.config.cache
    assert cache is not None
    kept = cache.mkdir("axe-core") / f"{AXE.replace('@', '-')}.tgz"
    data = kept.read_bytes() if kept.exists() else b""
    if _hash(data) != AXE_SHA512:  # not there, or another worker is still writing it
        data = _fetched(tmp_path_factory.mktemp("axe"))
        kept.write_bytes(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as files:
        script = files.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode("utf-8")


def _fetched(folder: Path) -> bytes:
    npm = shutil.which("npm") or pytest.skip("no npm, so no axe-core")
    command = [npm, "pack", AXE, "--silent", "--fetch-retries=0", f"--pack-destination={folder}"]
    if subprocess.run(command, capture_output=True, timeout=120, check=False).returncode:
        pytest.skip("npm did not give axe-core")
    data = next(folder.iterdir()).read_bytes()
    assert _hash(data) == AXE_SHA512
    return data


def _hash(data: bytes) -> str:
    return base64.b64encode(hashlib.sha512(data).digest()).decode()


# ---------------------------------------------------------------- on a screen


def test_it_needs_nothing_and_runs_nothing(tab: Tab, page: Path) -> None:
    tab.open(page)
    tab.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert tab.requests == [page.as_uri()]
    assert tab.complaints == []
    assert tab.value("document.scripts.length + document.images.length") == 0
    assert tab.value("document.title") == "Saint Brigid & <b>Sons</b>: what was said, Mon 9 Nov to Sun 15 Nov 2026"
    assert HOSTILE in tab.value("document.body.textContent")


OUTSIDE = """
[...document.querySelectorAll('body *')].filter(one => !one.closest('.table, caption') && one.getClientRects().length
  && (one.getBoundingClientRect().right > innerWidth + 1 || one.getBoundingClientRect().left < -1))
  .map(one => one.outerHTML.slice(0, 200))
"""


@pytest.mark.parametrize("width", [320, 360, 700, 768, 1280])
def test_it_fits_any_screen(tab: Tab, page: Path, width: int) -> None:
    """Only a table may be wider, and scrolls in its own box."""
    tab.open(page, width)
    tab.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert tab.value("[document.scrollingElement.scrollWidth, innerWidth]") == [width, width]
    assert tab.value(OUTSIDE) == []


LETTERS = """
Math.min(...[...document.querySelectorAll('svg')].filter(one => one.getClientRects().length).flatMap(svg =>
  [...svg.querySelectorAll('text')].map(text => text.getAttribute('font-size')
    * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)))
"""


@pytest.mark.parametrize("width", [360, 700, 1280])
def test_charts_can_be_read(tab: Tab, page: Path, width: int) -> None:
    tab.open(page, width)
    assert tab.value(LETTERS) >= 9.9
    shown = "[...document.querySelectorAll('svg')].filter(one => one.getClientRects().length).length"
    assert tab.value(f"2 * {shown} == document.querySelectorAll('svg').length") is True


@pytest.mark.parametrize(("theme", "number"), [("light", 0), ("dark", 1)])
def test_light_and_dark(tab: Tab, page: Path, theme: str, number: int) -> None:
    tab.open(page, theme=theme)
    assert tab.value("getComputedStyle(document.body).backgroundColor") == rgb(COLOURS["paper"][number])
    assert tab.value("getComputedStyle(document.querySelector('.desk .fill-only')).fill") == rgb(
        COLOURS["only"][number]
    )


def rgb(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_for_who_cannot_see_it_well(tab: Tab, page: Path, axe: str, theme: str, width: int) -> None:
    tab.open(page, width, theme)
    tab.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    tab.value(f"{axe};0")
    found = tab.value(
        "axe.run().then(found => JSON.stringify({passed: found.passes.map(one => one.id), wrong: found.violations}))"
    )
    result = json.loads(found)
    assert [(one["id"], one["nodes"][0]["html"]) for one in result["wrong"]] == []
    assert {"color-contrast", "svg-img-alt", "heading-order", "document-title"} <= set(result["passed"])


def test_contents_lead_to_each_part(tab: Tab, page: Path) -> None:
    tab.open(page)
    titles = tab.value("[...document.querySelectorAll('nav a')].map(one => one.textContent)")
    assert len(titles) == len(known_sections()) + 1  # without the first, with two made by hand
    found = "[...document.querySelectorAll('nav a')].map(one => document.querySelector(one.hash + ' h2').textContent)"
    assert tab.value(found) == titles


def test_long_tables_are_folded_where_a_chart_shows_them(tab: Tab, page: Path) -> None:
    tab.open(page)
    folded = tab.value("[...document.querySelectorAll('details')].map(one => one.querySelectorAll('tbody tr').length)")
    assert min(folded) > 6
    assert {8, 24, 91} <= set(folded)
    assert tab.value("document.querySelectorAll('details[open]').length") == 0
    assert tab.value(
        "[...document.querySelectorAll('details')].every(one => one.previousElementSibling.matches('figure'))"
    )


# ---------------------------------------------------------------- on paper

A4, LETTER = (8.27, 11.69), (8.5, 11.0)
INCH = 96
MARGINS = 30 / 25.4  # left and right, inches


def test_paper_is_light_and_shows_what_is_folded(tab: Tab, page: Path) -> None:
    tab.open(page, theme="dark", media="print")
    assert tab.value("getComputedStyle(document.body).backgroundColor") == rgb(COLOURS["paper"][0])
    assert tab.value("[...document.querySelectorAll('details td')].every(one => one.checkVisibility())") is True
    assert tab.value("[...document.querySelectorAll('.phone')].some(one => one.getClientRects().length)") is False


@pytest.mark.parametrize("paper", [A4, LETTER])
def test_nothing_is_cut_on_paper(tab: Tab, page: Path, paper: tuple[float, float]) -> None:
    width = int((paper[0] - MARGINS) * INCH)
    tab.open(page, width, media="print")
    assert tab.value("document.scrollingElement.scrollWidth") == width
    assert tab.value(OUTSIDE.replace("!one.closest('.table, caption')", "!one.closest('caption')")) == []


@pytest.mark.parametrize("paper", [A4, LETTER])
@pytest.mark.parametrize(
    ("sections", "least", "most"), [([Section("Short", ("One sentence.",))], 1, 1), (every_shape(), 8, 14)]
)
def test_pages(
    tab: Tab, tmp_path: Path, paper: tuple[float, float], sections: list[Section], least: int, most: int
) -> None:
    path = tmp_path / "page.html"
    path.write_text(html(sections, week()), encoding="utf-8")
    tab.open(path)
    assert least <= len(re.findall(rb"/Type\s*/Page\b", tab.pdf(*paper))) <= most
