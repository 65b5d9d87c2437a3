"""Copies belong together; two people who complain of the same thing do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.story import Stories, numbers, same_story, telling

LONG = (
    "My father has been sitting in the waiting room at St. Brigid's for seven hours with chest pain and a nurse told "
    "us to stop asking. Nobody has even taken his blood pressure since this morning."
)


@pytest.mark.parametrize(
    ("other", "by", "same"),
    [
        (LONG, "bob", True),
        ("RT @ann: " + LONG, "bob", True),
        (LONG.upper() + " https://t.co/abc #shame", "bob", True),
        ("Read this, it is unbelievable, this is our own town hospital: " + LONG, "bob", True),
        (LONG.replace("seven", "nine").replace("father", "mother").replace("nurse", "doctor"), "bob", False),
        (LONG[:140] + "…", "ann", True),  # cut where a place allows less
        (LONG.replace("@", "").replace("St. Brigid's", "@StBrigidCares"), "ann", True),
        ("I waited seven hours in the waiting room at St. Brigid's with chest pain", "bob", False),
        ("", "ann", False),
    ],
)
def test_a_long_text(other: str, by: str, same: bool) -> None:
    one, two = telling(1, LONG, ["ann"]), telling(2, other, [by])
    assert same_story(one, two) is same_story(two, one) is same
    assert (Stories([one]).first(two) == one) is same, "it is found by its sketch as well"


@pytest.mark.parametrize(
    ("one", "by", "other", "by_whom", "same"),
    [
        ("Worst ER ever, St. Brigid's", "ann", "Worst ER ever, St. Brigid's", "bob", False),
        ("Worst ER ever, St. Brigid's", "ann", "worst ER ever @StBrigidCares St Brigid's", "Ann", True),
        ("Worst ER ever, St. Brigid's", "ann", "Worst ER ever! St. Brigid's", "@Ann", True),
        ("Thanks", "ann", "Thanks", "ann", False),  # too little to say that it is one
        ("Thank you", None, "Thank you", None, False),
        ("", "ann", "", "ann", False),
        (
            "Waited 5 hours in the ER at St. Brigid's and nobody told us anything",
            "ann",
            "Waited 7 hours in the ER at St. Brigid's and nobody told us anything",
            "bob",
            False,
        ),
    ],
)
def test_a_short_text(one: str, by: str | None, other: str, by_whom: str | None, same: bool) -> None:
    first, second = telling(1, one, [by]), telling(2, other, [by_whom])
    assert same_story(first, second) is same
    assert (Stories([first]).first(second) == first) is same


def test_the_first_telling_of_several() -> None:
    stories = Stories([telling(5, LONG, ["ann"]), telling(3, LONG, ["bob"])])
    found = stories.first(telling(9, LONG, ["cy"]))
    assert found is not None
    assert found.key == 3


def test_within_one_page() -> None:
    stories = Stories([])
    one = telling(1, LONG, ["ann"])
    assert stories.first(one) is None
    assert stories.take(one) == list(one.sketch)
    found = stories.first(telling(2, LONG, ["bob"]))
    assert found is not None
    assert found.key == 1


def test_what_everybody_says_finds_nobody() -> None:
    """A thousand people who complain alike: each is looked at with a few others, not with all."""
    stories = Stories([])
    taken = 0
    for n in range(1000):
        one = telling(n, f"Four hours in the waiting room at St. Brigid's, number {n}", [f"author{n}"])
        assert stories.first(one) is None
        taken += len(stories.take(one))
    assert taken < 2000


@given(st.text(max_size=2000), st.text(max_size=2000))
def test_any_text(one: str, other: str) -> None:
    first, second = telling(1, one, ["ann"]), telling(2, other, ["bob", None])
    assert same_story(first, second) is same_story(second, first)
    assert all(0 <= number < 2**32 for number in numbers([first, second]))
    assert len(first.sketch) <= 6
