"""Drawing: whatever a chart holds, everything is inside and no words lie on others."""

import math
from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from alerts.canvas import Box, Drawing, Words, width_of
from alerts.charts import Bars, Chart, Columns, Heat, Series, Usual
from alerts.drawing import NARROW, WIDE, drawn

DAYS = ["Mon 9 Nov", "Tue 10 Nov", "Wed 11 Nov", "Thu 12 Nov", "Fri 13 Nov", "Sat 14 Nov", "Sun 15 Nov"]
UGLY = [
    "$x$ _ \\ & < > %",
    "😀 👨‍👩‍👧",
    "غرفة الطوارئ",
    "x" * 200,
    "word " * 40,
    "",
    "<b>",
    "候诊时间",
    "\u202ea\x00\x1b\ud800",
]


def words(chart: Chart, width: int = WIDE) -> list[Words]:
    return [shape for shape in drawn(chart, width).shapes if isinstance(shape, Words)]


def boxes(chart: Chart, colour: str, width: int = WIDE) -> list[Box]:
    return [shape for shape in drawn(chart, width).shapes if isinstance(shape, Box) and shape.colour == colour]


def texts(chart: Chart, width: int = WIDE) -> list[str]:
    return [word.text for word in words(chart, width)]


def ground(word: Words) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a text."""
    long = width_of(word.text, word.size)
    if word.turned:
        return word.x - 5, word.y, word.x + 5, word.y + long
    left = word.x - {"start": 0, "middle": long / 2, "end": long}[word.anchor]
    return left, word.y - 5, left + long, word.y + 5


def is_fair(drawing: Drawing) -> None:
    """All inside, nothing of no size, no text on a text."""
    for shape in drawing.shapes:
        left, top, right, bottom = (
            ground(shape)
            if isinstance(shape, Words)
            else (shape.x, shape.y, shape.x + shape.width, shape.y + shape.height)
        )
        assert all(map(math.isfinite, (left, top, right, bottom)))
        assert -1 <= left <= right <= drawing.width + 1, shape
        assert -1 <= top <= bottom <= drawing.height + 1, shape
    written = [ground(shape) for shape in drawing.shapes if isinstance(shape, Words) and shape.text]
    for one, other in combinations(written, 2):
        apart = one[2] <= other[0] + 1 or other[2] <= one[0] + 1 or one[3] <= other[1] + 1 or other[3] <= one[1] + 1
        assert apart, (one, other)


# ---------------------------------------------------------------- what is drawn


def test_columns_stand_on_each_other_and_add_up() -> None:
    chart = Columns("", DAYS[:2], [Series("Reddit", [10, 0]), Series("X", [30, 20])], "posts")
    assert texts(chart) == [
        *("Reddit", "X", "posts"), *("0", "10", "20", "30", "40"), *("10", "30", "20"), *("40", "20"), *DAYS[:2]
    ]  # fmt: skip
    (reddit,) = boxes(chart, "series-1")[1:]  # after the legend's
    monday, tuesday = boxes(chart, "series-2")[1:]
    assert round(monday.height / reddit.height, 1) == 3.0
    assert monday.y + monday.height == pytest.approx(reddit.y - 1, abs=1.1)
    assert tuesday.x > monday.x


def test_what_is_usual_is_a_band_with_a_line() -> None:
    chart = Columns("", DAYS[:2], [Series("Posts", [10, 40])], "posts", [Usual(10, 20, 30), None])
    _, band = boxes(chart, "usual")
    monday, tuesday = boxes(chart, "only")
    assert (round(band.y + band.height, 3), round(band.height / monday.height, 2)) == (round(monday.y, 3), 2.0)
    assert len(boxes(chart, "ink")) == 2  # in the legend, and on Monday
    assert tuesday.height == pytest.approx(4 * monday.height)
    assert "usual: least, middle, most" in texts(chart)


def test_shares_of_a_whole_say_how_many() -> None:
    chart = Columns("", DAYS[:2], [Series("Bad", [1, 0], "bad"), Series("Good", [3, 0], "good")], "posts", whole=True)
    assert texts(chart)[2:] == ["% of posts; above, how many", "0%", "50%", "100%", "25%", "75%", "4", "0", *DAYS[:2]]
    assert [len(boxes(chart, tone)) for tone in ("bad", "good")] == [2, 2]


def test_more_series_than_colours_are_counted_together() -> None:
    chart = Columns("", ["Mon"], [Series(f"S{number}", [number]) for number in range(9)], "posts")
    assert texts(chart)[:6] == ["S0", "S1", "S2", "S3", "S4", "4 others"]
    assert "26" in texts(chart)  # 5 + 6 + 7 + 8


def test_bars_are_as_long_as_they_count() -> None:
    chart = Bars("", ["Waiting", "Food"], [40, 10], "posts", [Usual(20, 30, 40), None])
    waiting, food = boxes(chart, "only")
    assert waiting.width == pytest.approx(4 * food.width)
    (_, band), (_, tick) = boxes(chart, "soft"), boxes(chart, "ink")
    assert (band.x, band.width) == (pytest.approx(waiting.x + waiting.width / 2), pytest.approx(waiting.width / 2))
    assert tick.x + 1 == pytest.approx(waiting.x + waiting.width * 3 / 4)
    assert texts(chart) == ["usual: least, middle, most", "posts", "Waiting", "40", "Food", "10"]


@pytest.mark.parametrize(("width", "above"), [(WIDE, False), (NARROW, True)])
def test_a_long_name_stands_above_its_bar(width: int, above: bool) -> None:
    name = "Staff attitude and communication"
    chart = Bars("", [name], [4], "posts")
    (bar,), written = boxes(chart, "only", width), next(one for one in words(chart, width) if one.text == name)
    assert (written.y < bar.y) is above


def test_heat_is_darker_where_there_is_more_and_turns_on_a_phone() -> None:
    hours = [f"{hour:02}" for hour in range(24)]
    chart = Heat("", hours, DAYS[:2], [list(range(24)), [0] * 24], "posts")
    assert len(boxes(chart, "heat-1")) == 25
    assert boxes(chart, "heat-6")[-1].x == max(box.x for box in boxes(chart, "heat-6"))
    assert drawn(chart, NARROW).height > drawn(chart, WIDE).height
    assert texts(chart, NARROW).count("23") == 2  # the hour, and its number


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [(0, "", "0"), (1204, "", "1,204"), (2.25, "", "2.2"), (99_999, "", "99,999"), (123_456, "", "123k"),
     (1_500_000, "", "1.5M"), (2e12, "", "2T"), (33.4, "%", "33%")],
)  # fmt: skip
def test_numbers(value: float, unit: str, written: str) -> None:
    assert written in texts(Bars("", ["a"], [value], unit))


@pytest.mark.parametrize(
    ("most", "ticks"),
    [(0, "0 1"), (1, "0 1"), (3, "0 1 2 3"), (7, "0 2 4 6 8"), (60, "0 20 40 60"), (61, "0 20 40 60 80"),
     (0.5, "0 0.2 0.4 0.6"), (1_234_567, "0 500k 1M 1.5M")],
)  # fmt: skip
def test_the_axis_has_round_numbers(most: float, ticks: str) -> None:
    chart = Columns("", ["x" * 9], [Series("", [most])], "")
    assert " ".join(one.text for one in words(chart) if one.colour == "soft").strip() == ticks


@pytest.mark.parametrize("chart", [Columns("", [], [], ""), Bars("", [], [], ""), Heat("", [], [], [], "")])
def test_of_nothing_it_says_so(chart: Chart) -> None:
    assert texts(chart) == ["Nothing to show."]


# ---------------------------------------------------------------- nothing on anything

QUARTER = [f"Wednesday {day}" for day in range(92)]
NUMBERS = some.one_of(some.integers(0, 30), some.floats(0, 1e15, allow_nan=False))
NAMES = some.one_of(some.sampled_from([*UGLY, *DAYS]), some.text(max_size=40))


@some.composite
def usual(draw: some.DrawFn, count: int) -> Sequence[Usual | None]:
    spreads = some.tuples(NUMBERS, NUMBERS, NUMBERS).map(lambda three: Usual(*sorted(three)))
    return draw(some.one_of(some.just(()), some.lists(some.none() | spreads, min_size=count, max_size=count)))


@some.composite
def charts(draw: some.DrawFn) -> Chart:
    labels = draw(some.lists(NAMES, max_size=12) | some.sampled_from([DAYS, UGLY * 7, QUARTER]))
    count = len(labels)
    values = some.lists(NUMBERS, min_size=count, max_size=count)
    kind, unit = draw(some.integers(0, 2)), draw(some.sampled_from(["posts", "%", "$x$"]))
    if kind == 0:
        tones = some.sampled_from(["", "good", "bad", "plain"])
        series = draw(some.lists(some.builds(Series, NAMES, values, tones), max_size=9))
        return Columns("", labels, series, unit, draw(usual(count)), draw(some.booleans()))
    if kind == 1:
        return Bars("", labels, draw(values), unit, draw(usual(count)))
    down = draw(some.lists(NAMES, max_size=8))
    return Heat("", labels, down, draw(some.lists(values, min_size=len(down), max_size=len(down))), unit)


@given(chart=charts(), width=some.sampled_from([NARROW, 450, WIDE]))
def test_any_chart_is_fair(chart: Chart, width: int) -> None:
    is_fair(drawn(chart, width))
