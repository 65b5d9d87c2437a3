"""An acute sign and nobody acting on it are danger together, and only together."""

import pytest

from nlp.components.keywords import DANGER, spoken
from nlp.pipeline import Reader, Text

SIGN = "Her lips are swelling since the new antibiotic."
UNANSWERED = "We pressed the call button, no nurse yet."
FAR = "The room is nice and the view is fine and we like it here. " * 8


@pytest.mark.parametrize(
    ("text", "danger"),
    [
        ("My husband is sweating and clammy. Told triage twice, they said have a seat.", True),
        ("My husband is sweating after the marathon.", False),
        ("Told triage that we were here.", False),
    ],
)
def test_together_only(rules: Reader, text: str, danger: bool) -> None:
    assert bool(spoken(rules.doc(Text(text, about_us=True)), DANGER)) == danger


def test_near_each_other(rules: Reader) -> None:
    sign, answer = "He is sweating.", "They said have a seat."
    assert spoken(rules.doc(Text(f"{sign} {answer}", about_us=True)), DANGER)
    assert not spoken(rules.doc(Text(f"{sign} {FAR} {answer}", about_us=True)), DANGER)
