"""Every page of the Listening Center on a phone and on a wall, in light and dark, for everybody: axe-core, no scrolling sideways."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Hall, Windows
from conftest import deep_after
from playwright.sync_api import Page

from alerts.center.app import known_pages

pytestmark = pytest.mark.slow

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3
OTHERS = (
    *("/sign-in", "/cases/1", "/cases/2", "/cases/1/do/draft", "/cases/2/do/close", "/cases/2/do/assign"),
    *("/spikes/1", "/nothing/here"),
)
ADDRESSES = sorted({page.NAV[2] for page in known_pages().values() if hasattr(page, "NAV")} | {"/", *OTHERS})


@pytest.fixture
def page(hall: Hall, windows: Windows) -> Page:
    """A window onto a center in which things have happened."""
    hall.alert(f"my dad collapsed {LONG}", urgency="danger", danger_of="collapse", site="main")
    hall.alert("the portal is down https://example.org/" + "a" * 300, departments=["Emergency", "Cardiology"])
    hall.alert("waited for hours")
    hall.act("claim", "U0ANA1", case_id=2)
    hall.act("snooze", "U0ANA1", case_id=3, span="1h", why=LONG[:150])
    hall.spike("digital")
    return windows.open("root")


def widest(page: Page) -> int:
    """How many pixels one would have to scroll sideways."""
    overflow: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return overflow


@pytest.mark.parametrize("width", [360, 3840])
def test_nothing_scrolls_sideways(hall: Hall, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740 if width < 1000 else 2160})
    found = {}
    for address in ADDRESSES:
        page.goto(f"{hall.address}{address}")
        found[address] = widest(page)
    assert {address: pixels for address, pixels in found.items() if pixels > 0} == {}


@pytest.mark.parametrize(
    ("theme", "width"),
    deep_after(1, [("light", 360), ("light", 1280), ("dark", 360), ("dark", 1280)]),
)
def test_axe_has_nothing_serious_against_any_page(hall: Hall, page: Page, theme: str, width: int) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 800})
    found = []
    for address in ADDRESSES:
        page.goto(f"{hall.address}{address}")
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                nodes = [node["html"][:150] for node in violation["nodes"]]
                found.append((address, violation["id"], nodes[:3]))
    assert found == []


def test_nothing_moves_for_who_asked_for_less_motion(hall: Hall, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    for address in ADDRESSES:
        page.goto(f"{hall.address}{address}")
        moving = page.evaluate(
            "[...document.querySelectorAll('*')].filter((one) => { const how = getComputedStyle(one);"
            " return parseFloat(how.animationDuration) > 0.01 && how.animationName !== 'none'"
            " || parseFloat(how.transitionDuration) > 0.01; }).length"
        )
        assert moving == 0, address


@pytest.mark.parametrize("address", ["/inbox", "/cases/1", "/cases/1/do/draft"])
def test_what_is_pressed_is_large_enough_for_a_thumb(hall: Hall, page: Page, address: str) -> None:
    """WCAG 2.2 AA asks for 24 px; a phone at 3 a.m. for more."""
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{hall.address}{address}")
    small = page.evaluate(
        "[...document.querySelectorAll('main button, main .button, main select, main textarea, main input:not([type=hidden])')]"
        ".filter((one) => one.offsetParent).map((one) => one.closest('label') ?? one)"
        ".filter((one) => one.getBoundingClientRect().height < 40).map((one) => one.outerHTML.slice(0, 120))"
    )
    assert small == []
