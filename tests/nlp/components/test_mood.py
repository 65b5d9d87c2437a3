"""The face of a post: red below zero, green above. It says nothing of urgency."""

import pytest

from nlp.pipeline import Reader, Text


@pytest.mark.parametrize(
    "text",
    [
        "The staff were rude and the room was filthy",
        "Great, another 6 hour wait. Love it.",
        "not helpful at all",
        "They ignored us for hours",
    ],
)
def test_red(rules: Reader, text: str) -> None:
    assert rules.doc(Text(text, about_us=True))._.mood < 0


@pytest.mark.parametrize(
    "text",
    [
        "Thank you to the kind nurses",
        "They fought so hard to kill that infection, my son is alive, thank you",
        "The nurse who sat with my dying grandfather was an angel",
        "Excelente atención, muchas gracias",
    ],
)
def test_green(rules: Reader, text: str) -> None:
    assert rules.doc(Text(text, about_us=True))._.mood > 0


def test_white_and_bounds(rules: Reader) -> None:
    assert rules.doc(Text("The clinic opens at nine", about_us=True))._.mood == 0
    assert -1 <= rules.doc(Text("awful " * 500, about_us=True))._.mood <= 1
