"""Colours: seen by all, in light and dark."""

from itertools import combinations

import pytest

from alerts.palette import COLOURS, HEAT, SERIES, URGENT, contrast, fills, on, variables

MARKS = ("only", "good", "bad", "plain", *SERIES)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#ffffff", "#ffffff", 1), ("#767676", "#ffffff", 4.54), ("#ff0000", "#ffffff", 4.0)],
)
def test_contrast_as_wcag_counts_it(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize("theme", [0, 1])
def test_every_mark_stands_out(theme: int) -> None:
    paper = COLOURS["paper"][theme]
    assert all(contrast(COLOURS[name][theme], paper) >= 3 for name in MARKS)
    assert all(contrast(COLOURS[name][theme], paper) >= 4.5 for name in ("ink", "soft", "accent", *URGENT))
    assert contrast(COLOURS["alarm"][theme], paper) >= 3
    assert contrast(COLOURS["ink"][theme], COLOURS["usual"][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1])
def test_words_on_a_mark_are_read(theme: int) -> None:
    assert all(
        contrast(on(name)[theme], COLOURS[name][theme]) >= 4.5 for name in (*MARKS, *HEAT, *URGENT, "accent", "alarm")
    )


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("names", [SERIES, HEAT, ("good", "bad", "plain")])
def test_they_differ_in_lightness(names: tuple[str, ...], theme: int) -> None:
    for one, other in combinations(names, 2):
        assert contrast(COLOURS[one][theme], COLOURS[other][theme]) >= 1.2, (one, other)


def test_each_is_a_variable() -> None:
    assert variables()["paper"] == ("#fdfdfb", "#12181e")
    assert variables()["on-heat-1"] == ("#05090c", "#ffffff")


def test_a_shape_of_every_colour_has_its_rule() -> None:
    rules = fills().splitlines()
    assert len(rules) == len(variables())
    assert ".fill-on-bad { fill: var(--on-bad); }" in rules
