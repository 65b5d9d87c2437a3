"""The levels under danger."""

import pytest

from nlp.pipeline import Reader, Text

SAID = {
    "here_now": (
        "still waiting in the ER, hour 5",
        "been on hold with scheduling for 50 minutes",
        "standing in line at registration and it has not moved",
        "stuck in the elevator at your place",
        "I'm in your waiting room and nobody can tell me anything",
        "seguimos esperando en la sala",
    ),
    "serious": (
        "They gave my mother the wrong medication last Tuesday",
        "My dad fell out of bed and broke his hip last month",
        "You mailed me somebody else's test results",
        "The clerk read my diagnosis out loud to the whole room",
        "I was treated like a drug seeker because I'm Black, the doctor was rude",
        "You will hear from my lawyer about this terrible care",
        "Channel 5 is coming to hear about this awful place",
        "I filed a complaint with the state health department",
        "My aunt was left in her own urine for hours last week",
        "The aide grabbed my sister's arm and slapped her",
        "They refused to get an interpreter for my deaf mother",
        "two years ago she had a seizure in your hallway and nobody came",
    ),
    "routine": ("The bill was wrong twice", "parking is awful and overpriced", "What are the visiting hours?"),
    "low": ("Thank you all, wonderful care", "My surgery is on Tuesday"),
}


@pytest.mark.parametrize(("level", "text"), [(level, text) for level, texts in SAID.items() for text in texts])
def test_level(rules: Reader, level: str, text: str) -> None:
    said = next(rules.read([Text(text, about_us=True)]))
    assert said["urgency"] == level, said["reasons"]


def test_past_waiting_is_not_here_and_now(rules: Reader) -> None:
    said = next(rules.read([Text("last spring we were still waiting at midnight, awful", about_us=True)]))
    assert said["urgency"] == "routine"


def test_the_reasons_show_the_words(rules: Reader) -> None:
    said = next(rules.read([Text("my dad collapsed in St. Brigid's lobby and nobody comes")]))
    assert any("collapsed" in reason for reason in said["reasons"])
    assert any("St. Brigid's" in reason for reason in said["reasons"])


def test_what_was_left_out_is_said(rules: Reader) -> None:
    said = next(
        rules.read(
            [
                Text(
                    "two years ago my dad had a stroke, the rehab at St. Brigid's if he falls unconscious is bad",
                    about_us=True,
                )
            ]
        )
    )
    assert any("left out" in reason for reason in said["reasons"])
