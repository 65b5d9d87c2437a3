"""What a patient voice wants, and how it sounds."""

import pytest

from nlp.pipeline import Reader, Text

SAID = {
    "complaint": (
        "Six hours in the ER and nobody told us a thing",
        "The nurse was rude and the room was filthy",
        "Great, another three hour wait. Love that for us",
        "Kind nurse, but they lost my referral and nobody calls back",
        "why does nobody answer the phone?",
        "Nadie contesta y la enfermera fue grosera",
    ),
    "question": (
        "What time does the lab open on Saturday?",
        "do I need a referral for the eye clinic?",
        "is the portal down for anyone else",
        "¿A qué hora abre la farmacia?",
    ),
    "praise": (
        "Thank you to the whole team, wonderful care",
        "Nurse Ana was so kind to my mother",
        "In and out in forty minutes, great staff",
        "Thought I'd never say this but the ER was great",
        "Muchas gracias a la enfermera, muy amable",
    ),
    "comment": ("My surgery is on Tuesday", "I went for bloodwork this morning"),
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in SAID.items() for text in texts])
def test_kind(rules: Reader, kind: str, text: str) -> None:
    said = next(rules.read([Text(text, about_us=True)]))
    assert said["kind"] == kind, said["reasons"]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in SAID.items() for text in texts])
def test_kind_with_the_encoder(reader: Reader, kind: str, text: str) -> None:
    said = next(reader.read([Text(text, about_us=True)]))
    assert said["kind"] == kind, said["reasons"]


@pytest.mark.parametrize(
    ("text", "sign"), [("awful, rude, filthy 😡", -1), ("wonderful kind staff ❤️", 1), ("it is Tuesday", 0)]
)
def test_mood_is_a_face(rules: Reader, text: str, sign: int) -> None:
    mood = next(rules.read([Text(text, about_us=True)]))["mood"]
    assert (mood > 0) - (mood < 0) == sign
