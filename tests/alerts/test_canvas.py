"""Canvas: shapes as SVG and as a picture."""

import struct
import xml.etree.ElementTree as ET
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from alerts.canvas import Box, Drawing, Words, as_png, as_svg, clean, width_of

SVG = "{http://www.w3.org/2000/svg}"


def pixels(png: bytes) -> tuple[int, int, set[bytes]]:
    """Width, height and the colours that a picture shows."""
    width, height = struct.unpack(">II", png[16:24])
    assert png[24:26] == b"\x08\x06"  # eight bits of red, green, blue and opacity
    data, at = b"", 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        data += png[at + 8 : at + 8 + size] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += size + 12
    return width, height, _unfiltered(zlib.decompress(data), width, height)


def _unfiltered(data: bytes, width: int, height: int) -> set[bytes]:
    colours, above, long = set(), bytearray(4 * width), 4 * width + 1
    for start in range(0, height * long, long):
        kind, line = data[start], bytearray(data[start + 1 : start + long])
        for at in range(len(line)):
            left, up, corner = (line[at - 4] if at >= 4 else 0), above[at], (above[at - 4] if at >= 4 else 0)
            nearest = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
            line[at] = (line[at] + (0, left, up, (left + up) // 2, nearest)[kind]) & 255
        colours |= {bytes(line[at : at + 4]) for at in range(0, len(line), 4)}
        above = line
    return colours


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [("a\n b\t c", "a b c"), ("\u202eevil\x00\x1b", "evil"), ("half \ud83d", "half "), ("👨‍👩‍👧", "👨‍👩‍👧"), ("", "")],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(("text", "wide"), [("", 0), ("0", 8.3), ("Waiting", 49.6), ("字", 16.9), ("\ufe0f", 0)])
def test_width_of_a_text(text: str, wide: float) -> None:
    assert width_of(text) == pytest.approx(wide, abs=0.1)
    assert width_of(text, 26) == pytest.approx(2 * width_of(text))


def test_svg_says_what_it_shows_and_keeps_its_text() -> None:
    drawing = Drawing(100, 50, [Box(1, 2.5, 30, 4.125, "bad"), Words(9, 20, '<b>$x$ & "y"</b>', turned=True)])
    text = as_svg(drawing, 'Posts "by" <day>')
    root = ET.fromstring(text)
    assert (root.get("role"), root.get("aria-label"), root.get("viewBox")) == ("img", 'Posts "by" <day>', "0 0 100 50")
    box, words = root
    assert (box.get("x"), box.get("y"), box.get("width"), box.get("height")) == ("1", "2.5", "30", "4.12")
    assert (box.get("class"), box.get("fill"), box.get("style")) == ("fill-bad", "#832a04", None)
    assert (words.tag, words.text) == (f"{SVG}text", '<b>$x$ & "y"</b>')
    assert not {" id=", "script", "url(", "date"} & set(text.split())


def test_the_same_twice() -> None:
    drawing = Drawing(60, 30, [Box(0, 0, 9, 9, "only"), Words(9, 9, "Mon 9 Nov")])
    assert as_svg(drawing, "a") == as_svg(drawing, "a")
    assert as_png(drawing, 120) == as_png(drawing, 120)


def test_png_is_opaque_and_as_wide_as_asked() -> None:
    width, height, colours = pixels(as_png(Drawing(70, 20, [Box(0, 0, 35, 20, "bad"), Box(5, 5, 9, 9, "paper")]), 200))
    assert (width, height) == (200, 100)  # with 15 around
    assert {colour[3] for colour in colours} == {255}
    assert {b"\xff\xff\xff\xff", b"\x83\x2a\x04\xff"} <= colours


@pytest.mark.parametrize(
    "text", ["$x$", "\\", "_^", "%", "$\\frac{", "&lt;", "😀👨‍👩‍👧", "غرفة الطوارئ", "候诊", "\ud800", "\x00"]
)
def test_any_words_are_drawn(text: str) -> None:
    pixels(as_png(Drawing(60, 20, [Words(0, 10, text), Words(0, 10, text, turned=True)]), 90))


@given(text=some.text(max_size=20))
def test_any_words_are_text_in_svg(text: str) -> None:
    (words,) = ET.fromstring(as_svg(Drawing(60, 20, [Words(0, 10, clean(text))]), text))
    assert (words.text or "") == clean(text)
