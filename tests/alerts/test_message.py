"""Digests, notes and summaries: what they say, and that Slack takes them whatever a stranger wrote."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW
from fakes.slack import live_mentions
from fakes.strangers import HOSTILE, URLS, is_taken, texts, urls, whole
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.message import (
    DIGEST_LINES,
    LINE,
    TABLE_WIDTH,
    Attachment,
    DigestItem,
    Message,
    Uploaded,
    attached,
    digest,
    escape,
    face,
    note,
    shorten,
    summary,
    visible,
    web_address,
)
from alerts.section import Section, Table

CHICAGO = ZoneInfo("America/Chicago")


def plain(text: str, emoji: bool = False) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": emoji}


# ---------------------------------------------------------------- what they say


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


@settings(max_examples=25)
@example(items=[DigestItem("x", NOW, URLS[3], HOSTILE[8], 0.0)] * DIGEST_LINES, title="Kind words")
@example(items=[DigestItem("x", NOW, URLS[4], HOSTILE[7], 0.0)] * DIGEST_LINES, title="Kind words")
@example(items=[], title="Kind words")
@given(
    items=st.lists(st.builds(DigestItem, texts, st.just(NOW), urls, texts, st.floats(-1, 1)), max_size=DIGEST_LINES),
    title=texts.filter(lambda text: bool(text.strip())),
)
def test_any_digest_is_taken_and_harmless(items: list[DigestItem], title: str) -> None:
    message = digest(items, title, "key", CHICAGO)
    is_taken(message)
    assert live_mentions(whole(message)) == []
    assert all(len(words) <= LINE for _, words in message.lines)


@pytest.mark.parametrize("text", [text for text in HOSTILE if visible(text).strip()])
def test_any_note_is_taken_and_harmless(text: str) -> None:
    message = note(text, text, "key")
    is_taken(message)
    assert live_mentions(whole(message)) == []


words_of_the_post = st.lists(st.text("qwzjkv", min_size=4, max_size=9), min_size=1, max_size=30)


@given(words=words_of_the_post)
def test_no_word_of_the_post_in_the_notification(words: list[str]) -> None:
    listed = digest([DigestItem("x", NOW, None, " ".join(words), 0.0)], "Kind words", "key", CHICAGO)
    for word in words:
        assert word not in listed.text
        assert word not in json.dumps(listed.metadata)


# ---------------------------------------------------------------- the summary

SECTIONS = [
    Section("The week in three sentences", ("412 posts were heard.", "Most were about waiting.")),
    Section(
        "What was heard",
        ("412 posts.",),
        (Table("t", ("Day", "X", "All"), [("Mon 09 Nov", 5, 12), ("All", 1234, 2345)]),),
    ),
    Section(
        "Kind words",
        ("1 post with praise.",),
        (Table("t", ("Day", "Place", "In short"), [("Mon", "X", "thank you " * 40)]),),
    ),
]


def tables(message: Message) -> list[str]:
    parts = [part for block in message.blocks if block["type"] == "rich_text" for part in block["elements"]]
    return [part["elements"][0]["text"] for part in parts if part["type"] == "rich_text_preformatted"]


def test_summary() -> None:
    message = summary(SECTIONS, "The week", "key")
    assert [block["type"] for block in message.blocks] == ["header", *["rich_text"] * 3]
    bold = {"style": {"bold": True}}
    assert [block["elements"][0]["elements"] for block in message.blocks[1:]] == [
        [{"type": "text", "text": "412 posts were heard.\nMost were about waiting."}],
        [{"type": "text", "text": "What was heard\n", **bold}, {"type": "text", "text": "412 posts."}],
        [{"type": "text", "text": "Kind words\n", **bold}, {"type": "text", "text": "1 post with praise."}],
    ]
    assert tables(message)[0] == "Day             X    All\nMon 09 Nov      5     12\nAll         1,234  2,345"
    assert message.metadata == {"event_type": "call_light_report", "event_payload": {"delivery": "key"}}
    assert "1,234" in message.excerpt
    assert message.text == "The week"


CHARTS = [
    Attachment("a.png", "Posts by day", lambda: b"a", "412 posts, the most on Monday."),
    Attachment("b.png", "", lambda: b"b", "Waiting is first."),
]
PAGE = Attachment("2026-W46.html", "The week", lambda: b"<p>")
UPLOADS = {
    name: Uploaded(f"F000000000{n}", f"https://s.example/{n}") for n, name in enumerate(("a.png", "b.png", PAGE.name))
}


def test_charts_and_page() -> None:
    message = summary(SECTIONS, "The week", "key", CHARTS, [PAGE], "call-light report --open")
    is_taken(message)
    assert "(chart: 412 posts, the most on Monday.)\n\n(chart: Waiting is first.)\n\nWhat was heard" in message.excerpt
    assert message.excerpt.endswith("call-light report --open")
    full = attached(message, UPLOADS)
    is_taken(full)
    assert [block["type"] for block in full.blocks] == ["header", "rich_text", "image", "image", *["rich_text"] * 3]
    assert full.blocks[2:4] == [
        {
            "type": "image",
            "slack_file": {"id": "F0000000000"},
            "alt_text": "412 posts, the most on Monday.",
            "title": plain("Posts by day"),
        },
        {"type": "image", "slack_file": {"id": "F0000000001"}, "alt_text": "Waiting is first."},
    ]
    assert full.blocks[-1]["elements"][0]["elements"] == [
        {"type": "text", "text": "The whole week, with every number: "},
        {"type": "link", "url": "https://s.example/2", "text": "open the page"},
    ]
    assert (full.text, full.file_ids) == ("The week · <https://s.example/2|the page>", ("F0000000002",))


def test_no_link_of_a_file_ends_early() -> None:
    message = summary(SECTIONS, "The week", "key", [], [PAGE], "call-light report --open")
    full = attached(message, {PAGE.name: Uploaded("F0000000002", "https://s.example/2|x> <!channel>")})
    is_taken(full)
    assert full.text == "The week · <https://s.example/2%7Cx%3E%20%3C!channel%3E|the page>"


def test_a_title_of_nothing_that_is_seen() -> None:
    chart = Attachment("a.png", "\u202e", lambda: b"", "\u202e")
    full = attached(summary(SECTIONS, "The week", "key", [chart]), UPLOADS)
    is_taken(full)
    assert full.blocks[2] == {"type": "image", "slack_file": {"id": "F0000000000"}, "alt_text": "a.png"}


@pytest.mark.parametrize(
    ("names", "images", "last"),
    [
        ((), 0, "call-light report --open"),
        (("a.png",), 1, "call-light report --open"),
        (("b.png",), 1, "call-light report --open"),
        (("2026-W46.html",), 0, "open the page"),
    ],
)
def test_what_no_door_took_is_left_out(names: tuple[str, ...], images: int, last: str) -> None:
    message = summary(SECTIONS, "The week", "key", CHARTS, [PAGE], "call-light report --open")
    shown = attached(message, {name: UPLOADS[name] for name in names})
    is_taken(shown)
    assert sum(block["type"] == "image" for block in shown.blocks) == images
    assert shown.blocks[-1]["elements"][0]["elements"][1]["text"] == last


def test_a_page_on_a_web_server() -> None:
    message = summary(SECTIONS, "The week", "key", where="nowhere", url="https://r.example/2026-W46.html")
    is_taken(message)
    assert message.blocks[-1]["elements"][0]["elements"][1]["url"] == "https://r.example/2026-W46.html"
    assert message.excerpt.endswith("https://r.example/2026-W46.html")


def test_one_screen() -> None:
    """Five rows of a table, however many there are."""
    many = Section("Many", (), (Table("t", ("a", "b"), [(str(number), "x") for number in range(500)]),))
    (table,) = tables(summary([many], "The week", "key"))
    assert table.split("\n") == ["a    b", *(f"{n}    x" for n in range(5)), "… 495 more"]


def test_a_wide_table_loses_its_last_columns_not_its_names() -> None:
    topic = "Building, cleanliness, noise, equipment"
    rows = [(topic, 25, 12.5, "8 to 17", "much more than usual", "Facilities and Environment")]
    wide = Section(
        "What it was about", ("a", "b", "c"), (Table("t", ("Topic", "Now", "Usual", "Range", "", "Owner"), rows),)
    )
    message = summary([wide, wide], "The week", "key")
    first, second = tables(message)
    assert first == second
    assert first.split("\n")[1] == f"{topic}   25   12.5  8 to 17"
    words = [block["elements"][0]["elements"][-1]["text"] for block in message.blocks[1:]]
    assert words == ["a\nb\nc", "a\nb"]


def test_a_quote_is_no_longer_than_a_line() -> None:
    _, praise = tables(summary(SECTIONS, "The week", "key"))
    assert [len(line) <= TABLE_WIDTH for line in praise.split("\n")] == [True, True]
    assert praise.endswith("…")


cells = st.one_of(st.integers(), texts, st.floats(allow_nan=False))


@settings(max_examples=25)
@example(sections=[Section("t", ("s" * 5000,), (Table("t", ("a",) * 9, [("x" * 99,) * 9] * 200),))] * 16)
@given(
    sections=st.lists(
        st.builds(
            Section,
            texts,
            st.lists(texts, max_size=3).map(tuple),
            st.lists(
                st.builds(
                    Table,
                    texts,
                    st.lists(texts, max_size=5).map(tuple),
                    st.lists(st.lists(cells, max_size=5).map(tuple), max_size=20),
                ),
                max_size=2,
            ).map(tuple),
        ),
        max_size=8,
    )
)
def test_any_summary_is_taken_and_harmless(sections: list[Section]) -> None:
    charts = [Attachment("a.png", section.title, lambda: b"", section.title) for section in sections[:4]]
    message = attached(summary(sections, "The week", "key", charts, [], "where"), UPLOADS)
    is_taken(message)
    assert live_mentions(whole(message)) == []
    assert all(len(line) <= TABLE_WIDTH for table in tables(message) for line in table.split("\n"))


def test_rows_that_do_not_fit_are_counted() -> None:
    many = Section("Many", (), (Table("t", ("a", "b"), [(str(number), "x" * 60) for number in range(500)]),))
    (table,) = tables(summary([many], "The week", "key"))
    shown = table.count("\n")
    assert table.endswith(f"… {501 - shown} more")


@pytest.mark.parametrize(
    ("url", "is_web"),
    [
        ("https://x.example/1", True),
        ("HTTP://X.example", True),
        ("javascript:alert(1)", False),
        (" java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("//x.example", False),
        ("/cases/1", False),
        ("https://", False),
        ("https://[", False),
        ("", False),
        (None, False),
    ],
)
def test_only_an_address_of_the_web_is_a_link(url: str | None, is_web: bool) -> None:
    assert web_address(url) == (url if is_web else None)
