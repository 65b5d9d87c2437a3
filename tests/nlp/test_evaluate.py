"""The figures themselves: right counts, and floors that hold what was reached."""

import os
from pathlib import Path

import pytest

from config.schema import Config
from nlp.evaluate import Found, Tally, _covers, evaluate, tally
from nlp.labelled import Mark
from nlp.pipeline import Reader

PROJECT = Path(__file__).parents[2]
DATA = Path(os.environ.get("CALL_LIGHT_SHARED", PROJECT.parent / "shared")) / "data"


def test_tallies() -> None:
    table = tally("x", ["a", "b"], [({"a"}, {"a"}), ({"a"}, {"b"}), ({"b"}, {"b"}), (set(), {"a"})])
    assert table["a"] == Tally("a", 1, 1, 1)
    assert table["a"].precision == table["a"].recall == table["a"].f1 == 0.5
    assert table["b"].f1 == pytest.approx(2 / 3)
    assert table.macro == pytest.approx((0.5 + 2 / 3) / 2)
    assert table.micro == pytest.approx(4 / 7)


def test_a_label_with_too_few_cases_does_not_count() -> None:
    table = tally("x", ["a", "b"], [({"a"}, {"a"})] * 3 + [({"b"}, set())], least=2)
    assert table.macro == 1


@pytest.mark.parametrize(
    ("gone", "covered"),
    [([(0, 9)], True), ([(2, 5), (5, 8)], True), ([(2, 7)], False), ([(3, 9)], False), ([], False)],
)
def test_half_a_mark_is_not_redacted(gone: list[tuple[int, int]], covered: bool) -> None:
    assert _covers([Mark(start, end, "name") for start, end in gone], Mark(2, 8, "name")) is covered


@pytest.fixture(scope="module")
def found(reader: Reader, config: Config) -> Found:
    return evaluate(reader, config, None)


def goal(found: Found, what: str) -> float:
    return next(float(one.reached.split(" ")[0]) for one in found.goals if one.what == what)


FLOORS = {
    "voice, macro-F1": 0.835,
    "kind, macro-F1": 0.79,
    "urgency, macro-F1": 0.78,
    "complaint, recall": 0.885,
    "redaction, recall": 0.925,
}


@pytest.mark.deep
def test_danger_that_is_missed_does_not_grow(found: Found) -> None:
    missed = next(one.reached for one in found.goals if one.what == "danger, missed")
    assert missed.endswith(" of 1146")
    assert int(missed.split(" ")[0]) <= 110


@pytest.mark.deep
@pytest.mark.parametrize("what", FLOORS)
def test_what_was_reached_is_held(found: Found, what: str) -> None:
    assert goal(found, what) >= FLOORS[what]


@pytest.mark.deep
@pytest.mark.parametrize("answer", ["complaint", "danger", "here_now", "serious"])
def test_what_is_said_to_be_likely_is_mostly_so(found: Found, answer: str) -> None:
    bins = found.calibration[answer]
    (least, seldom, _), (most, often, _) = bins[0], bins[-1]
    assert least < 0.05
    assert seldom < 0.1
    assert most > 0.95
    assert often > 0.85
    assert [so for _, so, _ in bins] == pytest.approx([likely for likely, _, _ in bins], abs=0.2)
