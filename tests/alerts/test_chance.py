"""Whether a count is more than chance: against sums made by hand, and never on a strange count."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.chance import Chance, how_likely, judged, swaying

ALMOST_NONE = 1e-4  # sway with which it is the binomial test
WEEKS = [12, 9, 10, 11, 8, 10, 9, 11]


@pytest.mark.parametrize(
    ("now", "before", "likely"),
    [
        (5, [0], 2 * Fraction(1, 32)),
        (0, [5], 2 * Fraction(1, 32)),
        (3, [3], 1),
        # 9 or 10 of 10, where a half is expected: (10 + 1) / 1024.
        (9, [1], 2 * Fraction(11, 1024)),
        # 4 of 4, where one of three weeks is expected to have a third.
        (4, [0, 0], 2 * Fraction(1, 81)),
        (6, [1, 0], 2 * Fraction(comb(7, 6) * 2 + 1, 3**7)),
        (7, [], 1),
        (0, [0, 0, 0], 1),
    ],
)
def test_without_sway_it_is_the_binomial_test(now: int, before: list[int], likely: Fraction) -> None:
    assert how_likely(now, before, ALMOST_NONE) == pytest.approx(float(likely), rel=1e-4)


def test_with_sway_it_is_less_sure() -> None:
    """Sway 1, one week before: every split of four is as likely as any other, so 4 to 0 is one of five."""
    assert how_likely(4, [0], sway=1.0) == pytest.approx(2 / 5)
    assert how_likely(3, [1], sway=1.0) == pytest.approx(4 / 5)


def test_a_longer_span_has_its_longer_share() -> None:
    """Three weeks beside one: 6 of 8 are just what is expected."""
    assert how_likely(6, [2], ALMOST_NONE, weeks=3, weeks_each=1) == 1.0
    assert how_likely(4, [0], ALMOST_NONE, 3, 1) == pytest.approx(2 * (3 / 4) ** 4, rel=1e-4)


@given(st.integers(0, 3000), st.lists(st.integers(0, 3000), max_size=9), st.floats(0.05, 3), st.floats(0.1, 20))
def test_any_count_is_judged(now: int, before: list[int], sway: float, weeks: float) -> None:
    assert 0 <= how_likely(now, before, sway, weeks) <= 1
    (word,) = judged([(now, before)], sway, weeks)
    assert (word == "no weeks to compare") is (not before)


def test_hundreds_of_thousands_are_judged() -> None:
    assert how_likely(200_000, [100_000] * 8, 0.1) < 1e-6
    assert how_likely(100_500, [100_000] * 8, 0.1) > 0.9


@pytest.mark.parametrize(
    ("now", "before", "word"),
    [
        (30, WEEKS, "more than chance"),
        (0, WEEKS, "less than chance"),
        (13, WEEKS, "could be chance"),
        (10, WEEKS, "could be chance"),
        (4, [0] * 8, "too few to tell"),
        (8, [0] * 8, "more than chance"),
        (0, [4] * 8, "too few to tell"),
        (30, [], "no weeks to compare"),
        (0, [], "no weeks to compare"),
        # So many were there before, in a week in which something broke.
        (30, [30, 1, 1, 1, 1, 1, 1, 1], "could be chance"),
        (30, [1, 1, 1], "more than chance"),
    ],
)
def test_in_words(now: int, before: list[int], word: Chance) -> None:
    assert judged([(now, before)], sway=0.2) == [word]


def test_who_looks_at_many_needs_more() -> None:
    """Twice as likely as allowed among twenty, and clear enough alone; what is far clearer is seen among twenty too."""
    steady = [(10, WEEKS)] * 19
    assert judged([(24, WEEKS)], 0.2) == ["more than chance"]
    assert judged([(24, WEEKS), *steady], 0.2)[0] == "could be chance"
    assert judged([(50, WEEKS), *steady], 0.2)[0] == "more than chance"


@pytest.mark.parametrize(
    ("rows", "sway"),
    [
        ([], 0.3),
        ([[10, 10, 10]], 0.3),  # three weeks tell nothing
        ([[1, 2, 1, 0, 1, 2]], 0.3),  # nor do one or two posts
        ([[10] * 6], 0.1),  # no week is like the next
        # Mean 100, variance 2,000: 1,900 of it beyond chance.
        ([[50, 50, 100, 100, 150, 150]], 0.436),
        # One topic in which something broke does not count for the others.
        ([[10] * 6, [12] * 6, [5, 5, 5, 5, 5, 500]], 0.1),
    ],
)
def test_how_weeks_sway(rows: list[list[int]], sway: float) -> None:
    assert swaying(rows) == pytest.approx(sway, abs=0.001)
