"""One sentence: whom it touches, what was, what will be, who, when and how much."""

import pytest

from alerts.privacy.sentence import Department, House, Sentence
from alerts.privacy.told import Told
from alerts.privacy.vocabulary import words_of

WARD = Department(("maternity", "ward"), frozenset({"maternity ward", "l d"}))
HOUSE = House(frozenset({"brigid"}), {"maternity": [WARD]})


def rules(text: str, post: str = "") -> set[str]:
    return {mark.rule for mark in Sentence(words_of(text), HOUSE, Told.of(post)).marks()}


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
        ("You can bring flowers", set()),
        ("If you are new in town, call us", set()),
        ("If you are still in pain, call us", {"confirms", "detail"}),
        ("Thank you for nudging us", {"confirms"}),
        ("Thanks for the nudge", set()),
        ("Thank you for the long drive", {"confirms"}),
        ("Our teen volunteer program is open", set()),
        ("Our teen is welcome", {"confirms"}),
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
        ("The garden was planted by scouts", set()),
        ("The county raised the rates", set()),
        ("The county inspected the bed", {"our_side"}),
        ("Everyone near the market complained", {"our_side"}),
        ("An itemized list is free", set()),
        ("It was itemized", {"our_side"}),
        ("The words made us smile", set()),
        # what will be
        ("We will share this", set()),
        ("We will pay", {"promises"}),
        ("We will not discuss this here", set()),
        ("The garage will be closed", set()),
        ("The van will be at the market", set()),
        ("The van will be in touch", {"promises"}),
        ("We will not argue", set()),
        ("We will not charge anyone", {"promises"}),
        # instructions
        ("Try ice and a pillow", {"advises"}),
        ("Give us a call", set()),
        ("Rest", {"advises"}),
        # facts for everyone, with a health word and a number
        ("Imaging, including MRI, is near the lobby", set()),
        ("Imaging, including MRI, is on the ground floor", set()),
        ("Imaging, including your MRI, is on the ground floor", {"confirms", "detail"}),
        ("The MRI at 3 pm on Tuesday was on time", {"our_side", "detail"}),
        ("Screening mammograms do not need a referral", set()),
        ("An MRI can be scary, even near the lobby", {"detail"}),
        ("Free blood pressure checks in the lobby, Saturday 10 to 2", set()),
        ("Refunds are made at the garage desk", set()),
        ("We refund everything", {"promises"}),
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
        ("Mammograms are easy here", "do you do mammograms?", set()),
        ("Mammograms are easy here", "my mammogram took hours", {"detail"}),
        ("A crosswalk by the market is planned", "need a crosswalk", set()),
        ("A crosswalk by the market is planned", "i fell on the crosswalk", {"detail"}),
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
