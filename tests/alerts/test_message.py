"""Cards, digests, notes and summaries: what they say, and that Slack takes them whatever a stranger wrote."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW
from fakes.slack import POST_TEXT_MAX, UPDATE_TEXT_MAX, live_mentions
from fakes.slack_limits import problems
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.message import (
    DIGEST_LINES,
    EXCERPT,
    LINE,
    TABLE_WIDTH,
    CaseView,
    DigestItem,
    Message,
    card,
    digest,
    escape,
    face,
    note,
    shorten,
    summary,
    visible,
)
from alerts.report import Section

CHICAGO = ZoneInfo("America/Chicago")
MINUTE = timedelta(minutes=1)
VIEW = CaseView(
    case_id=12,
    delivery_key="key",
    state="open",
    urgency="routine",
    owner=None,
    posts=1,
    people=1,
    also=(),
    clock_from=NOW,
    due_at=NOW + timedelta(hours=1),
    answered_at=None,
    source="x",
    url="https://x.example/1?a=1&b=2",
    reach=None,
    rating=None,
    redacted_text="Waited six hours & nobody told us anything",
    language="en",
    readable=True,
    mood=-0.6,
    kind="complaint",
    categories=[{"id": "waiting", "score": 1.0, "words": ["six hours"]}],
    titles={"waiting": "Waiting"},
    site="Harbor Campus",
    departments=["Emergency"],
    reasons=["about us: St. Brigid's", "waiting: 'six hours'"],
    gone=None,
    contact=False,
    zone=CHICAGO,
)


def plain(text: str, emoji: bool = False) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": emoji}


# ---------------------------------------------------------------- what they say


def test_card() -> None:
    message = card(VIEW, "@here")
    assert message.text == "🔵 To answer · Emergency · Harbor Campus: case 12, open, nobody has it yet"
    assert message.metadata == {"event_type": "call_light_card", "event_payload": {"case_id": 12, "delivery": "key"}}
    link = {"type": "link", "url": "https://x.example/1?a=1&b=2", "text": "Open on X"}
    assert message.blocks == [
        {"type": "header", "text": plain("🔵 To answer · Emergency · Harbor Campus", True)},
        {"type": "context", "elements": [plain("In short, without personal details:")]},
        {"type": "section", "text": plain("Waited six hours & nobody told us anything")},
        {
            "type": "section",
            "fields": [
                plain("Case\n12", True),
                plain("State\nopen, nobody has it yet", True),
                {
                    "type": "mrkdwn",
                    "text": f"*Reply due*\n<!date^{int(VIEW.due_at.timestamp())}^{{date_short_pretty}} {{time}}|Mon 10:00>",
                },
                plain("Posted\nMon 09:00 on X", True),
                plain("About\nWaiting (six hours)", True),
                plain("Mood\n🔴 upset", True),
            ],
        },
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [link]}]},
        {"type": "context", "elements": [plain("Why: waiting: 'six hours'")]},
    ]


def test_danger_pages_until_someone_has_it() -> None:
    danger = replace(VIEW, urgency="danger")
    message = card(danger, "@here")
    assert message.text.startswith("<!here> 🚨 DANGER · Emergency")
    assert message.blocks[1]["text"]["text"] == "<!here> someone may come to harm now. Please look at once."
    for state in ("claimed", "answered", "closed", "dismissed"):
        assert live_mentions(_whole(card(replace(danger, state=state, owner="ana"), "@here"))) == []


@pytest.mark.parametrize(
    ("oncall", "live"),
    [
        ("@here", "<!here>"),
        ("@channel", "<!channel>"),
        ("<!subteam^S0123ABCD>", "<!subteam^S0123ABCD>"),
        ("<@U0123ABCD>", "<@U0123ABCD>"),
    ],
)
def test_who_is_paged(oncall: str, live: str) -> None:
    assert live_mentions(_whole(card(replace(VIEW, urgency="danger"), oncall))) == [live, live]
    for urgency in ("here_now", "serious", "routine", "low", "none"):
        assert live_mentions(_whole(card(replace(VIEW, urgency=urgency), oncall))) == []


@pytest.mark.parametrize(
    ("changes", "label", "value"),
    [
        ({"state": "claimed", "owner": "ana"}, "State", "claimed by ana"),
        ({"state": "answered", "answered_at": NOW + 7 * MINUTE}, "State", "answered in 7 min"),
        ({"state": "closed", "owner": "ana"}, "State", "closed by ana"),
        ({"state": "dismissed"}, "State", "dismissed"),
        ({"state": "answered", "answered_at": NOW}, "Reply due", None),
        ({"state": "claimed"}, "Reply due", "Mon 10:00"),
        ({"rating": 1.0}, "Mood", "🔴 upset, 1 of 5 stars"),
        ({"rating": 4.5, "mood": 0.9}, "Mood", "🟢 friendly, 4.5 of 5 stars"),
        ({"reach": 12345}, "Followers", "12,345"),
        ({"reach": 0}, "Followers", None),
        ({"posts": 3}, "Posts", "3 by the same person"),
        ({"posts": 3, "people": 2}, "Posts", "3 by 2 people"),
        ({"posts": 1}, "Posts", None),
        ({"contact": True, "url": None}, "Contact", "left one; call-light contact 12"),
        ({}, "Contact", None),
        ({"url": None}, "Link", None),
        ({"source": "google_reviews"}, "Posted", "Mon 09:00 on Google review"),
        ({"source": "somewhere"}, "Posted", "Mon 09:00 on somewhere"),
        ({"categories": []}, "About", None),
        ({"reasons": ["voice patient: 'my'"]}, "Why", None),
        ({"gone": "deleted by its author"}, "About", None),
        ({"gone": "deleted by its author"}, "Why", None),
        ({"gone": "not kept any longer"}, "Link", "https://x.example/1?a=1&b=2"),
    ],
)
def test_lines(changes: dict[str, Any], label: str, value: str | None) -> None:
    assert dict(card(replace(VIEW, **changes), "@here").lines).get(label) == value


def test_what_is_not_read_says_so() -> None:
    message = card(replace(VIEW, readable=False, language="th", redacted_text="รอนานมาก"), "@here")
    assert message.title == "🔵 Unread (th) · Emergency · Harbor Campus"
    assert message.excerpt.startswith("[language th: not read by the program")
    assert message.excerpt.endswith("รอนานมาก")


def test_nothing_of_a_deleted_post_is_left() -> None:
    message = card(replace(VIEW, gone="deleted by its author", url=None), "@here")
    assert message.excerpt == "(deleted by its author)"
    assert not {"six", "x.example"} & set(json.dumps(message.blocks).replace("/", " ").split())
    assert "six hours" not in json.dumps(message.blocks)


def test_a_digest_line_for_each() -> None:
    items = [DigestItem("x", NOW, "https://x.example/1", "so\nkind", 0.5), DigestItem("rss", NOW, None, "", 0.0)]
    message = digest(items, "Kind words", "key", CHICAGO)
    assert message.text == message.title == "Kind words · 2"
    assert message.lines == (("Mon 09:00 X", "so kind"), ("Mon 09:00 Feed", "(no words)"))
    bullets = message.blocks[1]["elements"][0]["elements"]
    assert bullets[0]["elements"] == [
        {"type": "text", "text": "🟢 Mon 09:00 X: so kind"},
        {"type": "text", "text": "  "},
        {"type": "link", "url": "https://x.example/1", "text": "open"},
    ]
    assert bullets[1]["elements"] == [{"type": "text", "text": "⚪ Mon 09:00 Feed: (no words)"}]
    assert message.metadata["event_payload"] == {"delivery": "key"}


def test_note() -> None:
    message = note("x could not be heard", "Not heard: x", "key")
    assert message.blocks == [
        {"type": "header", "text": plain("Not heard: x", True)},
        {"type": "section", "text": plain("x could not be heard")},
    ]
    assert (message.text, message.excerpt) == ("Not heard: x", "x could not be heard")


@pytest.mark.parametrize(("mood", "shown"), [(1, "🟢"), (0.2, "⚪"), (0, "⚪"), (-0.2, "⚪"), (-0.21, "🔴")])
def test_face(mood: float, shown: str) -> None:
    assert face(mood) == shown


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("", 10, ""),
        ("  short ", 10, "short"),
        ("ten chars!", 10, "ten chars!"),
        ("12345678 abc", 10, "12345678…"),
        ("a verylongwordhere", 10, "a verylon…"),
        ("one\n\n   two \n", 20, "one\ntwo"),
        ("a\r\nb", 10, "a\nb"),
        ("\x1b[31mred\x1b[0m", 20, "[31mred[0m"),
        ("safe\u202eevil", 20, "safeevil"),
        ("\u2067\u2069", 20, ""),
        ("العربية", 20, "العربية"),
    ],
)
def test_shorten(text: str, limit: int, expected: str) -> None:
    assert shorten(text, limit) == expected


def test_shorten_is_quick_with_blanks() -> None:
    """A hundred thousand blanks before a word once took minutes."""
    assert shorten("a" + " " * 200_000 + "b\n" * 50_000, 20).startswith("a")


def test_escape_in_this_order() -> None:
    assert escape("<!channel> & &lt;") == "&lt;!channel&gt; &amp; &amp;lt;"


# ---------------------------------------------------------------- whatever a stranger wrote

HOSTILE = [
    "",
    " ",
    "\u200b",
    "<!channel>",
    "<!here> <!everyone> <!subteam^S1> <@U1> <#C1> <https://evil.example|the portal>",
    "*bold* _it_ ~no~ `code` ```\nblock",
    "&lt;!channel&gt; &amp;",
    "a" * 100_000,
    "<!channel>" * 2_000,
    "é " * 5_000,
    "👩‍👩‍👧‍👦" * 500,
    "\u202e" * 1000 + "desrever",
    "مرحبا بالعالم " * 500,
    "\n" * 5_000,
    "\x00\x1b\x9b31m\x7f",
    ":fire: @here @channel",
]
URLS = [
    None,
    "https://x.example/<!channel>",
    "https://x.example/a|b>c<d",
    "https://x.example/" + "a" * 4000,
    "https://x.example/" + "|" * 1500,
    'https://x.example/\u202e\x1b[2J"&amp;',
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=300), st.text("<>!@&|*_`\n\u202ehere", max_size=200))
urls = st.one_of(st.sampled_from(URLS), st.text('ab|<>&"\x00\u2066', max_size=50).map("https://x.example/".__add__))


@st.composite
def views(draw: Any) -> CaseView:
    words = st.lists(texts, max_size=4)
    topics = st.lists(st.builds(lambda name, said: {"id": name, "score": 1.0, "words": said}, texts, words), max_size=6)
    return replace(
        VIEW,
        state=draw(st.sampled_from(["open", "claimed", "answered", "closed", "dismissed"])),
        urgency=draw(st.sampled_from(["danger", "here_now", "serious", "routine", "low", "none"])),
        owner=draw(st.none() | texts),
        posts=draw(st.integers(1, 10**9)),
        answered_at=draw(st.none() | st.just(NOW)),
        source=draw(st.sampled_from(["x", "reddit"]) | texts),
        url=draw(urls),
        reach=draw(st.none() | st.integers(0, 10**12)),
        rating=draw(st.none() | st.floats(0, 5)),
        redacted_text=draw(texts),
        language=draw(st.sampled_from(["en", "th", "und"])),
        readable=draw(st.booleans()),
        categories=draw(topics),
        departments=draw(st.lists(texts, max_size=3)),
        site=draw(st.none() | texts),
        reasons=draw(words),
        gone=draw(st.sampled_from([None, "deleted by its author"])),
        people=draw(st.integers(1, 10**6)),
        also=draw(st.lists(texts, max_size=2)),
    )


def _whole(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": message.blocks}


def _is_taken(message: Message) -> None:
    assert problems(message.blocks) == []
    assert 0 < len(message.text) <= min(UPDATE_TEXT_MAX, POST_TEXT_MAX)
    assert len(json.dumps(message.metadata)) < 500
    assert message.title
    assert visible(json.dumps(message.blocks, ensure_ascii=False)) == json.dumps(message.blocks, ensure_ascii=False)


@settings(max_examples=60, deadline=None)
@given(view=views())
def test_any_card_is_taken_and_harmless(view: CaseView) -> None:
    message = card(view, "@here")
    _is_taken(message)
    pages = view.urgency == "danger" and view.state == "open"
    assert live_mentions(_whole(message)) == ["<!here>"] * 2 * pages
    assert len(message.excerpt) <= EXCERPT + 100


@pytest.mark.parametrize(("text", "url"), [(text, URLS[number % len(URLS)]) for number, text in enumerate(HOSTILE)])
def test_the_worst_card(text: str, url: str | None) -> None:
    topics = [{"id": text, "score": 1.0, "words": [text] * 3}] * 15
    view = replace(VIEW, redacted_text=text, url=url, owner=text, site=text, departments=[text] * 3, source=text or "x")
    message = card(replace(view, categories=topics, reasons=[text] * 9, state="claimed"), "@here")
    _is_taken(message)
    assert live_mentions(_whole(message)) == []


@settings(max_examples=25, deadline=None)
@example(items=[DigestItem("x", NOW, URLS[3], HOSTILE[8], 0.0)] * DIGEST_LINES, title="Kind words")
@example(items=[DigestItem("x", NOW, URLS[4], HOSTILE[7], 0.0)] * DIGEST_LINES, title="Kind words")
@example(items=[], title="Kind words")
@given(
    items=st.lists(st.builds(DigestItem, texts, st.just(NOW), urls, texts, st.floats(-1, 1)), max_size=DIGEST_LINES),
    title=texts.filter(lambda text: bool(text.strip())),
)
def test_any_digest_is_taken_and_harmless(items: list[DigestItem], title: str) -> None:
    message = digest(items, title, "key", CHICAGO)
    _is_taken(message)
    assert live_mentions(_whole(message)) == []
    assert all(len(words) <= LINE for _, words in message.lines)


@pytest.mark.parametrize("text", [text for text in HOSTILE if visible(text).strip()])
def test_any_note_is_taken_and_harmless(text: str) -> None:
    message = note(text, text, "key")
    _is_taken(message)
    assert live_mentions(_whole(message)) == []


words_of_the_post = st.lists(st.text("qwzjkv", min_size=4, max_size=9), min_size=1, max_size=30)


@given(words=words_of_the_post)
def test_no_word_of_the_post_in_the_notification(words: list[str]) -> None:
    text = " ".join(words)
    said = [{"id": "waiting", "score": 1.0, "words": words}]
    message = card(replace(VIEW, redacted_text=text, categories=said, reasons=words, urgency="danger"), "@here")
    listed = digest([DigestItem("x", NOW, None, text, 0.0)], "Kind words", "key", CHICAGO)
    for word in words:
        assert word not in message.text + message.title + listed.text
        assert word not in json.dumps([message.metadata, listed.metadata])


# ---------------------------------------------------------------- the summary

SECTIONS = [
    Section("The week in three sentences", ("412 posts were heard.", "Most were about waiting.")),
    Section("What was heard", ("412 posts.",), ("Day", "X", "All"), [("Mon 09 Nov", 5, 12), ("All", 1234, 2345)]),
    Section("Kind words", ("1 post with praise.",), ("Day", "Place", "In short"), [("Mon", "X", "thank you " * 40)]),
]


def tables(message: Message) -> list[str]:
    return [
        block["elements"][0]["elements"][0]["text"]
        for block in message.blocks
        if block["type"] == "rich_text" and block["elements"][0]["type"] == "rich_text_preformatted"
    ]


def test_summary() -> None:
    message = summary(SECTIONS, "The week", "key")
    assert [block["type"] for block in message.blocks] == [
        "header", "header", "section", "header", "section", "rich_text", "header", "section", "rich_text",
    ]  # fmt: skip
    assert message.blocks[2]["text"] == plain("412 posts were heard.\nMost were about waiting.")
    assert tables(message)[0] == "Day             X    All\nMon 09 Nov      5     12\nAll         1,234  2,345"
    assert message.metadata == {"event_type": "call_light_report", "event_payload": {"delivery": "key"}}
    assert "1,234" in message.excerpt
    assert message.text == "The week"


def test_a_quote_is_no_longer_than_a_line() -> None:
    _, praise = tables(summary(SECTIONS, "The week", "key"))
    assert [len(line) <= TABLE_WIDTH for line in praise.split("\n")] == [True, True]
    assert praise.endswith("…")


cells = st.one_of(st.integers(), texts, st.floats(allow_nan=False))


@settings(max_examples=25, deadline=None)
@example(sections=[Section("t", ("s" * 5000,), ("a",) * 9, [("x" * 99,) * 9] * 200)] * 16)
@given(
    sections=st.lists(
        st.builds(
            Section,
            texts,
            st.lists(texts, max_size=3).map(tuple),
            st.lists(texts, max_size=5).map(tuple),
            st.lists(st.lists(cells, max_size=5).map(tuple), max_size=20),
        ),
        max_size=8,
    )
)
def test_any_summary_is_taken_and_harmless(sections: list[Section]) -> None:
    message = summary(sections, "The week", "key")
    _is_taken(message)
    assert live_mentions(_whole(message)) == []
    assert all(len(line) <= TABLE_WIDTH for table in tables(message) for line in table.split("\n"))


def test_rows_that_do_not_fit_are_counted() -> None:
    many = Section("Many", (), ("a", "b"), [(str(number), "x" * 60) for number in range(500)])
    (table,) = tables(summary([many], "The week", "key"))
    shown = table.count("\n")
    assert table.endswith(f"… {501 - shown} more")
