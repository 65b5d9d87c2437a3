"""What an action asks: answers that will do, and for each that will not a sentence at its field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.form import Choice, Field, Form, Refused, checked

OUTCOMES = (Choice("fixed", "Fixed"), Choice("explained", "Explained"))
FORM = Form(
    "Close",
    "Close",
    (
        Field("outcome", "What became of it?", "choice", OUTCOMES),
        Field("topics", "About", "choices", OUTCOMES, required=False),
        Field("why", "Why?", "text", longest=10),
        Field("into", "Number", "number", required=False),
        Field("sure", "Sure", "tick", required=False),
    ),
)
GOOD = {"outcome": "fixed", "why": "it is"}


def test_answers() -> None:
    assert checked(FORM, {**GOOD, "topics": ["fixed", "explained"], "into": "12", "sure": ["yes"]}) == {
        "outcome": "fixed",
        "topics": ("fixed", "explained"),
        "why": "it is",
        "into": "12",
        "sure": "yes",
    }
    assert checked(FORM, GOOD) == {"outcome": "fixed", "topics": (), "why": "it is", "into": "", "sure": ""}


@pytest.mark.parametrize(
    ("given_", "problem"),
    [
        ({"why": "x"}, {"outcome": "please answer this: fixed, explained"}),
        ({"outcome": "burnt", "why": "x"}, {"outcome": "none of the choices: fixed, explained"}),
        ({**GOOD, "topics": ["burnt"]}, {"topics": "none of the choices: fixed, explained"}),
        ({**GOOD, "why": "   "}, {"why": "please answer this"}),
        ({**GOOD, "why": "x" * 11}, {"why": "at most 10 characters, please"}),
        ({**GOOD, "into": "twelve"}, {"into": "a whole number, please"}),
        ({**GOOD, "into": "-1"}, {"into": "a whole number, please"}),
        ({**GOOD, "into": "٣"}, {"into": "a whole number, please"}),
        ({**GOOD, "reason": "x"}, {"reason": "not asked; asked is outcome, topics, why, into, sure"}),
    ],
)
def test_what_will_not_do(given_: dict[str, Any], problem: dict[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        checked(FORM, given_)
    assert caught.value.problems == problem
    assert str(caught.value) == "; ".join(f"{name}: {why}" for name, why in problem.items())


def test_every_mistake_at_once() -> None:
    with pytest.raises(Refused) as caught:
        checked(FORM, {"into": "x"})
    assert set(caught.value.problems) == {"outcome", "why", "into"}


@given(
    st.dictionaries(
        st.sampled_from(["outcome", "topics", "why", "into", "sure", "other"]),
        st.none() | st.text() | st.lists(st.text()) | st.integers(),
    )
)
def test_whatever_is_given_it_is_answers_or_refused(answers: dict[str, Any]) -> None:
    try:
        found = checked(FORM, answers)
    except Refused:
        return
    assert found["outcome"] in ("fixed", "explained")
    assert 0 < len(found["why"]) <= 10
