"""Canvas: what a chart is drawn with, as SVG text or, by matplotlib, as a PNG. Pixels, from the top left."""

import io
import logging
from dataclasses import dataclass, field
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Literal

from alerts.message import visible
from alerts.palette import FONTS, variables

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ft2font import FT2Font

Anchor = Literal["start", "middle", "end"]
_CAP = 0.36  # of a letter's size: from its base line to the middle of a digit
_JOINERS = "\u200d\ufe0e\ufe0f"  # between the parts of an emoji
_FAMILIES = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans Devanagari", "Noto Sans Thai")
_MARGIN = 15  # of a picture
_COLOURS = variables()
# It warns of every font that a machine has not, and of a home that cannot be written to; neither matters here.
logging.getLogger("matplotlib").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str  # a name of palette.variables()


@dataclass(frozen=True)
class Words:
    """One line of text, its middle at the height `y`; `turned`: it is read upwards, and ends at `y`."""

    x: float
    y: float
    text: str
    anchor: Anchor = "start"
    colour: str = "ink"
    size: float = 13
    turned: bool = False


@dataclass(frozen=True)
class Drawing:
    """Shapes, the later ones on top."""

    width: float
    height: float
    shapes: list[Box | Words] = field(default_factory=list)


def clean(text: str) -> str:
    """One line, without characters that are not shown but act, and without halves of characters."""
    return visible(" ".join(text.split())).encode("utf-8", "ignore").decode("utf-8")


def width_of(text: str, size: float = 13) -> float:
    """Pixels that a line takes at most: DejaVu Sans, which matplotlib brings, is wider than what pages are set in."""
    return size * sum(map(_advance, text))


@cache
def _advance(char: str) -> float:
    """Of one character, in sizes; of one that the font has not as wide as an emoji."""
    from matplotlib.ft2font import LoadFlags

    if ord(char) not in _charmap():
        return 0.0 if char in _JOINERS else 1.3
    return float(_font().load_char(ord(char), flags=LoadFlags.NO_HINTING).linearHoriAdvance) / 65536 / 100


@cache
def _font() -> "FT2Font":
    import matplotlib
    from matplotlib.ft2font import FT2Font

    font = FT2Font(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    font.set_size(100, 72)
    return font


@cache
def _charmap() -> frozenset[int]:
    """What matplotlib's own font can draw."""
    return frozenset(_font().get_charmap())


def as_svg(drawing: Drawing, alt: str) -> str:
    """An <svg> for a page with the rules of palette.fills(); without them it shows light colours."""
    size = f"{drawing.width:g} {drawing.height:g}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{drawing.width:g}" '
        f'height="{drawing.height:g}" role="img" aria-label="{escape(clean(alt))}" font-family="{FONTS}">'
    )
    return "\n".join([head, *map(_tag, drawing.shapes), "</svg>"])


def _tag(shape: Box | Words) -> str:
    # By a class: no page of the Listening Center may carry styles of its own.
    fill = f'class="fill-{shape.colour}" fill="{_COLOURS[shape.colour][0]}"'
    if isinstance(shape, Box):
        x, y, width, height = (
            f"{value:.2f}".rstrip("0").rstrip(".") for value in (shape.x, shape.y, shape.width, shape.height)
        )
        return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" {fill}/>'
    x, y = (f"{value:.1f}" for value in _base(shape))
    turn = f' transform="rotate(-90 {x} {y})"' if shape.turned else ""
    anchor = "end" if shape.turned else shape.anchor
    return f'<text x="{x}" y="{y}" font-size="{shape.size:g}" text-anchor="{anchor}"{turn} {fill}>{escape(shape.text)}</text>'


def _base(words: Words) -> tuple[float, float]:
    """Where its base line is."""
    down = _CAP * words.size
    return (words.x + down, words.y) if words.turned else (words.x, words.y + down)


def as_png(drawing: Drawing, width: int) -> bytes:
    """A picture so many pixels wide, on white. What no font of this machine can draw, as most emoji, is left out."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across, down = drawing.width + 2 * _MARGIN, drawing.height + 2 * _MARGIN
    figure = Figure(figsize=(across / 72, down / 72), dpi=72 * width / across, facecolor="white")
    FigureCanvasAgg(figure)  # else it would look for a window
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-_MARGIN, across - _MARGIN), ylim=(down - _MARGIN, -_MARGIN))
    axes.set_axis_off()
    for number, shape in enumerate(drawing.shapes):
        _draw(axes, shape, number)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def _draw(axes: "Axes", shape: Box | Words, order: int) -> None:
    from matplotlib.patches import Rectangle

    colour = "white" if shape.colour == "paper" else _COLOURS[shape.colour][0]
    if isinstance(shape, Box):
        corner = (shape.x, shape.y)
        axes.add_patch(Rectangle(corner, shape.width, shape.height, color=colour, linewidth=0, zorder=order))
        return
    families, known = _families()
    text = "".join(char for char in shape.text if ord(char) in known)
    side: Literal["left", "center", "right"] = "left" if shape.anchor == "start" else "center"
    if shape.turned or shape.anchor == "end":
        side = "right"
    axes.text(
        *_base(shape), text, color=colour, fontsize=shape.size, family=list(families), parse_math=False, ha=side,
        va="baseline", rotation=90 if shape.turned else 0, rotation_mode="anchor", zorder=order,
    )  # fmt: skip


@cache
def _families() -> tuple[tuple[str, ...], frozenset[int]]:
    """The fonts that text is drawn with, one after the other, and what they can draw."""
    from matplotlib.font_manager import fontManager, get_font

    there = [name for name in _FAMILIES if name in fontManager.get_font_names()]
    maps = [get_font(fontManager.findfont(name)).get_charmap() for name in there]
    return tuple(there), frozenset().union(*maps)
