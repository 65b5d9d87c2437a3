"""From a chart to shapes: where each bar, number and name goes, so that nothing lies on anything else. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest

from alerts.canvas import Box, Drawing, Words, as_png, as_svg, clean, width_of
from alerts.charts import Bars, Chart, Columns, Heat, Series, Usual
from alerts.palette import HEAT, SERIES

WIDE, NARROW = 680, 328  # pixels: of a page on paper or a desk, and on a phone
_SLACK = 450  # what is drawn for this width can be read at 360 pixels
_SIZE, _SMALL = 13, 12  # of letters: names, and numbers within a bar
_ROW = 18  # a line of names
_PHONE = 400  # narrower than this
_MANY = 14  # names beside each other; of more, only some are written
_TALL = 190  # of upright bars
_CELL = 29  # the height of a cell: two lines of a name
_TURNED = 110  # the longest name that is written upwards
_USUAL = "usual: least, middle, most"


def svg(chart: Chart, width: int = WIDE) -> str:
    """The chart for a page: its text stays text, its colours are the page's variables (`palette.COLOURS`).

    Drawn for so many pixels, at which its letters have the size of the page's own; the same chart gives the same bytes.
    """
    return as_svg(drawn(chart, width), chart.alt)


def png(chart: Chart, width: int = 1200) -> bytes:
    """The chart as a picture so many pixels wide, in light colours on white: readable on a phone at a third of it."""
    return as_png(drawn(chart, _SLACK), width)


def drawn(chart: Chart, width: int) -> Drawing:
    """A chart of any kind, so many pixels wide and as high as it needs."""
    if isinstance(chart, Columns):
        return _columns(chart, width) if chart.labels and chart.series else _nothing(width)
    if isinstance(chart, Bars):
        return _bars(chart, width) if chart.labels else _nothing(width)
    return _heat(chart, width) if chart.across and chart.down else _nothing(width)


def _nothing(width: int) -> Drawing:
    return Drawing(width, 40, [Words(0, 20, "Nothing to show.", colour="soft")])


# ---------------------------------------------------------------- upright bars


@dataclass(frozen=True)
class _Plot:
    """Where upright bars stand: `left` of the first slot, `top` at the value `most`, `floor` at 0."""

    left: float
    top: float
    floor: float
    slot: float
    most: float

    def y(self, value: float) -> float:
        return self.floor - max(0.0, value) / self.most * (self.floor - self.top)


def _columns(chart: Columns, width: int) -> Drawing:
    series = _few(chart.series, len(chart.labels))
    sums = [sum(max(0.0, one.values[at]) for one in series) for at in range(len(chart.labels))]
    usual = [None if chart.whole else one for _, one in zip_longest(chart.labels, chart.usual[: len(chart.labels)])]
    ticks = [0.0, 50.0, 100.0] if chart.whole else _ticks(max([*sums, *(one.high for one in usual if one)], default=0))
    names = [_number(tick, "%" if chart.whole else chart.unit) for tick in ticks]
    colours = _colours(series)
    keys = [(colour, one.name) for colour, one in zip(colours, series, strict=True)] if len(series) > 1 else []
    caption = f"% of {chart.unit}; above, how many" if chart.whole else chart.unit
    legend, top = _legend([*keys, *([("usual", _USUAL)] if any(usual) else [])], caption, width)
    left = max(map(width_of, names)) + 8
    plot = _Plot(left, top + _ROW, top + _ROW + _TALL, (width - left) / len(chart.labels), ticks[-1])
    below, deep = _across(chart.labels, plot.slot, plot.left, plot.floor + 6, width)
    shapes: list[Box | Words] = [*legend]
    for tick, name in zip(ticks, names, strict=True):
        shapes += [Box(left, plot.y(tick), width - left, 1, "line"), Words(left - 6, plot.y(tick), name, "end", "soft")]
    shapes += [
        Box(left + at * plot.slot, plot.y(one.high), plot.slot, max(2, plot.y(one.low) - plot.y(one.high)), "usual")
        for at, one in enumerate(usual)
        if one
    ]
    for at, total in enumerate(sums):
        parts = [max(0.0, one.values[at]) for one in series]
        shapes += _stack(plot, at, _shares(parts) if chart.whole else parts, colours, usual[at], chart.whole)
        shapes += _middle(plot, at, usual[at], total)
    shapes += _totals(plot, sums, usual, chart)
    return Drawing(width, plot.floor + 6 + deep, shapes + below)


def _few(series: Sequence[Series], count: int) -> list[Series]:
    """No more than there are colours: the last together."""
    if len(series) <= len(SERIES):
        return list(series)
    kept, rest = series[: len(SERIES) - 1], series[len(SERIES) - 1 :]
    return [
        *kept,
        Series(f"{len(rest)} others", [sum(max(0.0, one.values[at]) for one in rest) for at in range(count)]),
    ]


def _colours(series: Sequence[Series]) -> list[str]:
    if len(series) == 1 and not series[0].tone:
        return ["only"]
    return [one.tone or SERIES[number] for number, one in enumerate(series)]


def _shares(parts: Sequence[float]) -> list[float]:
    return [100 * part / sum(parts) if sum(parts) else 0.0 for part in parts]


def _bar(plot: _Plot, at: int) -> tuple[float, float]:
    """Left and width of the bars in a slot."""
    width = min(plot.slot * 0.72, 56)
    return plot.left + at * plot.slot + (plot.slot - width) / 2, width


def _stack(
    plot: _Plot, at: int, parts: Sequence[float], colours: Sequence[str], usual: Usual | None, whole: bool
) -> Iterator[Box | Words]:
    """One bar, from the floor up, a hair of paper between its parts; numbers where they fit."""
    x, width = _bar(plot, at)
    for part, until, colour in zip(parts, accumulate(parts), colours, strict=True):
        y, height = plot.y(until), plot.y(until - part) - plot.y(until)
        if not part:
            continue
        gap = 1 if len(parts) > 1 and height > 3 else 0
        yield Box(x, y + gap, width, height - gap, colour)
        text, middle = _number(part, "%" if whole else ""), y + height / 2
        struck = usual is not None and abs(plot.y(usual.middle) - middle) < 9
        if len(parts) > 1 and height >= 16 and width_of(text, _SMALL) <= width - 2 and not struck:
            yield Words(x + width / 2, middle, text, "middle", f"on-{colour}", _SMALL)


def _middle(plot: _Plot, at: int, usual: Usual | None, total: float) -> Iterator[Box]:
    """What is usual, across the slot; within the bar with paper around it."""
    if usual:
        (x, width), y = _bar(plot, at), plot.y(usual.middle)
        if 0 < usual.middle < total:
            yield Box(x, y - 2.5, width, 5, "paper")
        yield Box(plot.left + at * plot.slot, y - 0.75, plot.slot, 1.5, "ink")


def _totals(plot: _Plot, sums: Sequence[float], usual: Sequence[Usual | None], chart: Columns) -> Iterator[Words]:
    """The sum above each bar, if there is room for all of them."""
    texts = [_number(value, "" if chart.whole else chart.unit) for value in sums]
    if max(map(width_of, texts)) > plot.slot - 2:
        return
    for at, (text, value, one) in enumerate(zip(texts, sums, usual, strict=True)):
        y = plot.top - 9 if chart.whole else plot.y(value) - 9
        if one and abs(plot.y(one.middle) - y) < 9:
            y = plot.y(one.middle) - 10
        yield Words(plot.left + (at + 0.5) * plot.slot, y, text, "middle")


def _across(
    labels: Sequence[str], slot: float, left: float, top: float, width: float
) -> tuple[list[Box | Words], float]:
    """Names under slots, in up to three lines, of many every second, third ..., else upwards; and how high they are."""
    step, room = 1, slot - 2
    if len(labels) > _MANY:
        while step < len(labels) and not _alike(labels[::step], step * slot - 6, 2):
            step += 1
        room = step * slot - 6
    size = next((size for size in (_SIZE, _SMALL) if _alike(labels[::step], room, size=size)), _SIZE)
    lines = _alike(labels[::step], room, size=size) or [[_fitting(label, room)] for label in labels[::step]]
    if step == 1 and not _alike(labels, room, size=size):
        upwards = [_fitting(label, _TURNED) for label in labels]
        turned = [Words(left + (at + 0.5) * slot, top, text, turned=True) for at, text in enumerate(upwards)]
        return list(turned), max(map(width_of, upwards)) + 6
    middles = [left + (number * step + 0.5) * slot for number in range(len(lines))]
    halves = [max(map(width_of, some)) / 2 for some in lines]
    if any(x < half or x + half > width for x, half in zip(middles, halves, strict=True)):  # then where the slot begins
        middles = [x - slot / 2 + half for x, half in zip(middles, halves, strict=True)]
    shapes: list[Box | Words] = []
    for x, half, some in zip(middles, halves, lines, strict=True):
        if x + half <= width:
            shapes += [Words(x, top + 8 + 15 * down, line, "middle", size=size) for down, line in enumerate(some)]
    return shapes, 8 + 15 * max(map(len, lines))


# ---------------------------------------------------------------- lying bars


def _bars(chart: Bars, width: int) -> Drawing:
    usual = [one for _, one in zip_longest(chart.labels, chart.usual[: len(chart.labels)])]
    texts = [_number(value, chart.unit) for value in chart.values]
    most = max([*chart.values, *(one.high for one in usual if one)], default=0)
    named = [_fitting(label, width) for label in chart.labels]
    above = max(map(width_of, named)) > 0.42 * width  # then names stand above their bars
    left = 0 if above else max(map(width_of, named)) + 10
    room = width - left - max(map(width_of, texts)) - 8
    shapes, y = _legend([("soft", _USUAL)] if any(usual) else [], chart.unit, width)
    for name, value, text, one in zip(named, chart.values, texts, usual, strict=True):
        if above:
            shapes.append(Words(0, y + 8, name))
            y += _ROW
        else:
            shapes.append(Words(left - 10, y + 8, name, "end"))
        long = _long(value, most, room)
        shapes += [Box(left, y, long, 16, "only"), Words(left + long + 6, y + 8, text)]
        if one:
            low, middle, high = (left + _long(number, most, room) for number in (one.low, one.middle, one.high))
            shapes += [Box(low, y + 20, high - low, 3, "soft"), Box(middle - 1, y + 17.5, 2, 8, "ink")]
        y += 36 if any(usual) else 26
    return Drawing(width, y, shapes)


def _long(value: float, most: float, room: float) -> float:
    return max(0.0, value) / most * room if most > 0 else 0.0


# ---------------------------------------------------------------- a field of numbers


def _heat(chart: Heat, width: int) -> Drawing:
    down, across, values = chart.down, chart.across, chart.values
    if width < _PHONE and len(across) > max(len(down), 7):  # a phone is higher than it is wide
        down, across = across, down
        values = [[row[at] for row in chart.values] for at in range(len(chart.across))]
    named = [_name(label, 0.32 * width) for label in down]
    left = max(width_of(line, _SMALL) for lines in named for line in lines) + 8
    slot = min((width - left) / len(across), 110)
    texts = [[_number(value, chart.unit) for value in row] for row in values]
    size = next((size for size in (_SMALL, 11, 10) if _widest(texts, size) <= slot - 3), None)
    most = max((value for row in values for value in row), default=0)
    shapes, y = _legend([], chart.unit, width)
    for name, row, written in zip(named, values, texts, strict=True):
        first = y + _CELL / 2 - 7 * (len(name) - 1)
        shapes += [Words(left - 8, first + 14 * at, line, "end", size=_SMALL) for at, line in enumerate(name)]
        for at, (value, text) in enumerate(zip(row, written, strict=True)):
            colour = HEAT[_step(value, most)]
            shapes.append(Box(left + at * slot + 0.5, y + 0.5, slot - 1, _CELL - 1, colour))
            if size:
                shapes.append(Words(left + (at + 0.5) * slot, y + _CELL / 2, text, "middle", f"on-{colour}", size))
        y += _CELL
    below, deep = _across(across, slot, left, y + 6, width)
    return Drawing(width, y + 6 + deep, shapes + below)


def _name(label: str, room: float) -> list[str]:
    """In one or two lines."""
    lines = _filled(clean(label[:300]).split(" "), room, _SMALL)
    return [_fitting(line, room, _SMALL) for line in [*lines[:1], " ".join(lines[1:])] if line] or [""]


def _step(value: float, most: float) -> int:
    """Of the colours: the first for none, the last for the most."""
    return math.ceil(value / most * (len(HEAT) - 1)) if most > 0 and value > 0 else 0


def _widest(texts: Sequence[Sequence[str]], size: float) -> float:
    return max((width_of(text, size) for row in texts for text in row), default=0)


# ---------------------------------------------------------------- words and numbers


def _legend(keys: Sequence[tuple[str, str]], unit: str, width: float) -> tuple[list[Box | Words], float]:
    """A colour and a name each, in as many lines as they need, the unit below; and where the chart begins."""
    shapes: list[Box | Words] = []
    x, y = 0.0, 8.0
    for colour, name in keys:
        text = _fitting(name, width - 20)
        if x and x + 20 + width_of(text) > width:
            x, y = 0.0, y + _ROW
        if name == _USUAL:
            shapes += _sign(x, y, colour)
        else:
            shapes.append(Box(x, y - 6, 12, 12, colour))
        shapes.append(Words(x + 18, y, text))
        x += 34 + width_of(text)
    if keys:
        y += _ROW + 4
    shapes.append(Words(0, y, _fitting(unit, width), colour="soft"))
    return shapes, y + 14


def _sign(x: float, y: float, colour: str) -> list[Box | Words]:
    """What stands for the usual: a band with a line, or a line with a tick."""
    if colour == "usual":
        return [Box(x, y - 6, 12, 12, colour), Box(x, y - 0.75, 12, 1.5, "ink")]
    return [Box(x, y - 1.5, 12, 3, colour), Box(x + 5, y - 4, 2, 8, "ink")]


def _fitting(text: str, room: float, size: float = _SIZE) -> str:
    """The text, cut so that it takes no more than so many pixels."""
    text = clean(text)
    if len(text) <= 300 and width_of(text, size) <= room:
        return text
    while text and width_of(f"{text[:300]}…", size) > room:
        text = text[: len(text) - max(1, len(text) // 20)]
    return f"{text.rstrip()}…"


def _alike(texts: Sequence[str], room: float, most: int = 3, size: float = _SIZE) -> list[list[str]]:
    """Each in so many lines at most, all of them broken in the same manner; none where that does not fit."""
    for broken in (lambda words: [" ".join(words)], _first_and_rest, list, lambda words: _filled(words, room, size)):
        found = [broken(clean(text[:300]).split(" ")) for text in texts]
        if all(len(lines) <= most and max(width_of(line, size) for line in lines) <= room for lines in found):
            return found
    return []


def _first_and_rest(words: list[str]) -> list[str]:
    return [words[0], " ".join(words[1:])] if len(words) > 1 else words


def _filled(words: list[str], room: float, size: float) -> list[str]:
    """As much on each line as it holds."""
    lines = [words[0]]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        lines[-1:] = [longer] if width_of(longer, size) <= room else [lines[-1], word]
    return lines


def _ticks(most: float) -> list[float]:
    """0 to at least `most` in two to five round steps."""
    if most <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(most))
    step = next(size * power for size in (0.2, 0.5, 1, 2, 5) if most <= 4 * size * power)
    step = max(1.0, step) if most >= 1 else step
    return [step * number for number in range(math.ceil(most / step) + 1)]


def _number(value: float, unit: str = "") -> str:
    """ "1,204", "2.5", "1.2M"; "33%" where that is the unit."""
    if abs(value) >= 100_000:
        short = next((f"{value / size:.3g}{name}" for size, name in _LARGE if abs(value) >= size), "")
    elif unit == "%" or value == round(value):
        short = f"{value:,.0f}"
    else:
        short = f"{value:,.1f}"
    return f"{short}%" if unit == "%" else short


_LARGE = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
