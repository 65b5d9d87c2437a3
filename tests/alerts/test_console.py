"""The terminal shows what a stranger wrote, and does nothing of it."""

import io
from typing import Any

import pytest
from conftest import NOW
from rich.console import Console as Terminal

from alerts.console import Console, print_posts, print_table
from alerts.door import Sent
from alerts.message import Message, note, summary
from alerts.section import Section, Share, Table

HOSTILE = [
    "[bold]not bold[/bold]",
    "[/] [/bold] [red",
    "[link=https://evil.example]here[/link]",
    "\\[escaped]",
    "\x1b[2J\x1b]0;owned\x07\x9b31m",
    "\u202eesrever",
    "漢字👩‍👩‍👧‍👦" * 50,
    "x" * 20_000,
    "",
    "a\tb\r\nc\n\n\nd",
]


def door(width: int = 80) -> tuple[Console, Any]:
    out = io.StringIO()
    return Console({"care": "#social-care"}, Terminal(file=out, width=width, force_terminal=False)), out


def message(text: str, urgency: str = "routine") -> Message:
    lines = (("State", text or "open"), ("Link", text), (text, text))
    return Message("", [], {}, f"🔵 {text}"[:150], text, lines, urgency)


def test_a_card() -> None:
    console, out = door()
    sent = console.post("care", message("waited for hours"), "key")
    assert sent == Sent("care", "key")
    shown = out.getvalue()
    assert "waited for hours" in shown
    assert "to #social-care" in shown
    assert "State" in shown


def test_markup_is_shown_not_interpreted() -> None:
    for text in HOSTILE[:4]:
        console, out = door()
        console.post("care", message(text), "key")
        console.update(Sent("care", "key"), message(text))
        assert out.getvalue().count(text) >= 3, text


@pytest.mark.parametrize("width", [1, 20, 80])
@pytest.mark.parametrize("urgency", ["danger", "none", "unheard of"])
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_it_never_raises(text: str, urgency: str, width: int) -> None:
    if width == 1 and len(text) > 1000:
        text = text[:1000]
    console, out = door(width)
    console.post("care", message(text, urgency), "key")
    console.update(Sent("care", "key"), message(text, urgency))
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(out.getvalue())


def test_twenty_columns_lose_no_letter() -> None:
    console, out = door(20)
    console.post("care", message("abcdefghijklmnopqrstuvwxyz0123456789"), "key")
    kept = "".join(character for character in out.getvalue() if character.isalnum())
    assert "abcdefghijklmnopqrstuvwxyz0123456789" in kept


def test_a_channel_without_a_name_there() -> None:
    console, out = door()
    console.post("elsewhere", message("hello"), "key")
    assert "to elsewhere" in out.getvalue()


def test_an_update_is_one_line() -> None:
    console, out = door()
    console.update(Sent("care", "key"), message("claimed by ana"))
    assert out.getvalue().strip() == "↳ 🔵 claimed by ana: claimed by ana"


def test_nothing_printed_is_found() -> None:
    assert door()[0].find("care", "key", NOW, None) is None


def test_notes_and_summaries_are_shown() -> None:
    console, out = door()
    console.post("care", note("x could not be heard", "Not heard: x", "key"), "key")
    console.post(
        "care",
        summary([Section("Heard", ("2 posts.",), (Table("t", ("Day", "All"), [("Mon", 2)]),))], "The week", "k"),
        "k",
    )
    assert "x could not be heard" in out.getvalue()
    assert "Mon" in out.getvalue()


# ---------------------------------------------------------------- tables


def printed(table: Table, width: int = 60) -> list[str]:
    out = io.StringIO()
    print_table(Terminal(file=out, width=width, force_terminal=False), table)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_numbers_stand_to_the_right() -> None:
    rows = [("Waiting", 1204, Share(1, 3), "5"), ("[b]Food[/b]", 9, None, "12")]
    assert printed(Table("t", ("Topic", "Posts", "In time", "Case"), rows, "Topics")) == [
        "Topics",
        "Topic        Posts  In time  Case",
        "Waiting      1,204      33%  5",
        "[b]Food[/b]      9        –  12",
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_table_never_raises_and_does_nothing(text: str) -> None:
    lines = "".join(printed(Table("t", (text, "n"), [(text, 1)], text)))
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(lines)


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        (Table("t", ("A", "B"), []), ["A  B"]),
        (Table("t", ("", ""), [("a", 1)]), ["a  1"]),
        (Table("t", (), []), []),
    ],
)
def test_a_table_of_any_shape(table: Table, lines: list[str]) -> None:
    assert [line for line in printed(table) if line] == lines


def test_posts_stand_below_the_rest_of_their_row() -> None:
    out = io.StringIO()
    rows = [("Mon", "X", "", "[bold]words\x1b[2J[/bold]"), ("Tue", "", "case 4", "more")]
    print_posts(Terminal(file=out, width=80), Table("t", ("Heard", "Place", "Case", "Post"), rows, "Title"))
    assert out.getvalue().splitlines() == ["Title", "Mon · X", "  [bold]words[2J[/bold]", "Tue · case 4", "  more"]
