"""One sentence: whom it touches, what was, what will be, who, when and how much."""

import pytest

from alerts.sentence import Department, House, Sentence, Told
from alerts.vocabulary import words_of

WARD = Department(("maternity", "ward"), frozenset({"maternity ward", "l d"}))
HOUSE = House(frozenset({"brigid"}), {"maternity": [WARD]})


def rules(text: str, post: str = "") -> set[str]:
    told = Told.of(words_of(post)) if post else Told()
    return {mark.rule for mark in Sentence(words_of(text), HOUSE, told).marks()}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # whom it touches
        ("Your kind words mean a lot", set()),
        ("Your room is ready", {"confirms"}),
        ("You can call us", set()),
        ("You had a good day", {"confirms"}),
        ("We hear you", set()),
        ("We rescued you", {"confirms", "our_side"}),
        ("He or she may call", set()),
        ("He may call", {"confirms"}),
        ("Every mother may call", set()),
        ("The mother may call", {"confirms"}),
        ("Every patient matters", set()),
        ("The patient matters", {"confirms"}),
        ("Ask any nurse", set()),
        ("The receptionist knows", {"our_side"}),
        # what happens to people: anyone's or somebody's
        ("A bill can be confusing", set()),
        ("The bill is confusing", {"confirms"}),
        ("Please visit our website", set()),
        ("A hernia", {"detail"}),
        # what was
        ("We shared this with our team", set()),
        ("We rescued everyone", {"our_side"}),
        ("The elevator was closed", set()),
        ("The clinic was chaotic", set()),
        ("It was chaotic", {"our_side"}),
        ("If anyone was hurt, please call", set()),
        # what will be
        ("We will share this", set()),
        ("We will pay", {"promises"}),
        ("We will not discuss this here", set()),
        ("The garage will be closed", set()),
        # instructions
        ("Give us a call", set()),
        ("Rest", {"advises"}),
        # who, when, how much
        ("Thanks, Nandini", {"name"}),
        ("Dear Smithson", {"name"}),
        ("The garage costs four dollars an hour", set()),
        ("It costs $400", set()),
        ("$400", {"detail"}),
    ],
)
def test_a_sentence(text: str, found: set[str]) -> None:
    assert rules(text) == found


@pytest.mark.parametrize(
    ("text", "post", "found"),
    [
        ("The maternity ward entrance is on Oak Street", "where is L&D?", set()),
        ("We love our maternity ward", "L D was great", {"detail"}),
        ("We read about the pancakes", "cold pancakes again", {"detail"}),
        ("We read about the pancakes", "no breakfast", set()),
    ],
)
def test_what_the_post_told(text: str, post: str, found: set[str]) -> None:
    assert rules(text, post) == found


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("Thank you for your message", True),
        ("Gracias por su mensaje", True),
        ("Merci beaucoup pour tout cela", False),
        ("Vielen Dank dafür liebe Leute", False),
        ("Hooray", True),
    ],
)
def test_only_what_can_be_checked_is_checked(text: str, readable: bool) -> None:
    assert ("unread" not in rules(text)) == readable
