"""How an urgent phrase is meant."""

import pytest

from nlp.components.keywords import spoken
from nlp.pipeline import Reader, Text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("my dad collapsed in the waiting room", "now"),
        ("he is not breathing", "now"),
        ("last year my dad collapsed in the waiting room and they saved him", "past"),
        ("this parking is killing me, I want to die", "figure"),
        ("if he collapsed here who would even notice", "hypothetical"),
    ],
)
def test_danger(reader: Reader, text: str, meant: str) -> None:
    spans = spoken(reader.doc(Text(text, about_us=True)), "urgency:danger")
    assert {span._.meant for span in spans} == {meant}


def test_a_denial_within_the_phrase_denies_nothing(reader: Reader) -> None:
    spans = spoken(reader.doc(Text("nobody comes", about_us=True)), "urgency:danger")
    assert [span._.meant for span in spans] == ["now"]
