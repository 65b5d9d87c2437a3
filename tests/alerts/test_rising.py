"""Words and phrases that rose: which, in how many texts, and what never does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rising import different, risen

BEFORE = [f"the food was cold on day {number} and the nurse kind" for number in range(60)]
OWN = ("St. Brigid's Hospital", "St. Brigid's", "Port Alder", "StBrigidCares")


def rise(now: list[str], before: list[str] = BEFORE, own: tuple[str, ...] = ()) -> list[tuple[str, int, int]]:
    texts = (different(list(enumerate(some)), own) for some in (now, before))
    return [(one.phrase, one.now, one.before) for one in risen(*texts, own)]


def weeks(*said: str, times: int = 8) -> list[str]:
    """Some texts that say it, among some that say what is always said."""
    return [f"{text} {chr(97 + number)}x" for text in said for number in range(times)] + BEFORE[:10]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("my portal is down", "portal"),
        ("the patient portal: nothing", "patient portal"),
        ("they didn’t call the call button people", "call button people"),
        ("en la sala de espera, nada", "sala de espera"),
        ("חניה סגורה", "חניה סגורה"),
        ("停车场关闭", "停车场关闭"),
        ("अस्पताल", "अस्पताल"),
        ("CAFÉ closed", "café closed"),
        ("x-ray machine", "x-ray machine"),
        ("in the doctor’s lounge", "doctor's lounge"),
        ("😡😡 elevator 😡", "elevator"),
    ],
)
def test_what_is_new_rises(text: str, phrase: str) -> None:
    assert phrase in [found for found, _, _ in rise(weeks(text + "."))]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the and of with",
        "el la de los muy",
        "don't can’t won't isn't",
        "[name] [phone] [e-mail] [link]",
        "😡😡😡",
        "1234 56",
        "at St. Brigid’s hospital in Port Alder",
        "@StBrigidCares",
        "brigid's",
        "st brigids",
        "the food was cold",
    ],
)
def test_what_never_rises(text: str) -> None:
    assert rise(weeks(text + "."), own=OWN) == []


@pytest.mark.parametrize(("posts", "rose"), [(1, False), (2, False), (3, False), (4, False), (6, True), (20, True)])
def test_how_many_are_needed(posts: int, rose: bool) -> None:
    assert bool(rise(weeks("elevator.", times=posts))) is rose


def test_what_was_always_said_does_not_rise() -> None:
    assert rise(BEFORE[:20]) == []
    assert rise(["waiting."] * 20, ["waiting."] * 100) == []


def test_what_is_up_rises_with_its_counts() -> None:
    before = [*BEFORE, "elevator stuck", "elevator again"]
    assert rise(weeks("elevator."), before) == [("elevator", 8, 2)]


def test_with_too_little_before_nothing_rises() -> None:
    assert rise(weeks("elevator."), BEFORE[:29]) == []
    assert rise([], BEFORE) == []


def test_a_phrase_swallows_its_parts() -> None:
    assert rise(weeks("the parking barrier broke.")) == [("parking barrier broke", 8, 0)]


def test_a_part_that_is_said_far_more_often_stays() -> None:
    found = rise(weeks("elevator.", times=20) + ["elevator doors."] * 12)
    assert found == [("elevator", 32, 0)]


def test_phrases_of_the_same_texts_are_told_once() -> None:
    assert len(rise(weeks("the garage elevator broke again, garage elevator lights dark."))) == 1


def test_a_text_counts_once_for_a_phrase() -> None:
    assert rise(weeks("elevator. elevator. elevator.")) == [("elevator", 8, 0)]


def test_a_sentence_ends_a_phrase() -> None:
    assert rise(weeks("all about parking. Barrier")) != []
    assert "parking barrier" not in [phrase for phrase, _, _ in rise(weeks("all about parking. Barrier"))]


def test_copies_count_once_and_short_texts_each() -> None:
    story = "So the elevator at the main entrance stopped again and my mother sat in it for an hour"
    copies = [story, f"RT {story}", story.upper(), f"{story} (via a friend)"]
    assert len(different(enumerate(copies), ())) == 1
    assert len(different(enumerate(["elevator stuck"] * 4), ())) == 4


def test_the_ids_are_of_the_texts_that_have_it() -> None:
    texts = [(100 + number, text) for number, text in enumerate(weeks("elevator."))]
    (found,) = risen(different(texts, ()), different(enumerate(BEFORE), ()))
    assert sorted(found.ids) == list(range(100, 108))


@given(st.lists(st.text(max_size=40), max_size=20), st.lists(st.text(max_size=8), max_size=3))
def test_whatever_people_write(texts: list[str], names: list[str]) -> None:
    found: list[Any] = rise(texts * 3, BEFORE, tuple(names))
    assert all(phrase.strip() and count >= 3 for phrase, count, _ in found)
