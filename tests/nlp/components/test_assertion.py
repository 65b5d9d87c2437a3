"""How an urgent phrase is meant."""

import pytest

from nlp.components.keywords import spoken
from nlp.pipeline import Reader, Text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("my dad collapsed in the waiting room", "now"),
        ("he is not breathing", "now"),
        ("we've got a guy unconscious by the vending machines", "now"),
        ("last week he got unconscious at work", "past"),
        ("last year my dad collapsed in the waiting room and they saved him", "past"),
        ("this parking makes me want to die", "figure"),
        ("this parking is killing me, I want to die lol", "figure"),
        # Without a laugh or a cause it may be meant: a page too many harms less than one too few.
        ("I am in your parking garage and I am going to kill myself", "now"),
        ("got your bill and I want to end my life", "now"),
        ("my team is gone, my season is over, I want to die", "now"),
        # A trifle that only stands near is the place, not the joke.
        ("I can't breathe, I am in your parking garage", "now"),
        ("somebody is unconscious by the coffee stand", "now"),
        ("passed out in your parking garage, no one here", "now"),
        ("choking on food in my room", "now"),
        ("guy having a seizure in the gym", "now"),
        ("bleeding through my dressing after the section, the food tray lady came", "now"),
        ("nearly having a heart attack over the bill", "figure"),
        ("if he collapsed here who would even notice", "hypothetical"),
    ],
)
def test_danger(rules: Reader, text: str, meant: str) -> None:
    spans = spoken(rules.doc(Text(text, about_us=True)), "urgency:danger")
    assert {span._.meant for span in spans} == {meant}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("my lawyer will call you", "now"),
        ("I will never call a lawyer", "denied"),
        ("no need for a lawyer, just call me", "denied"),
        ("even if I had a lawyer you would not answer", "denied"),
        # What is announced under a condition is announced.
        ("if nobody calls me by Friday I will get a lawyer", "now"),
        ("if you don't fix it you'll hear from my lawyer", "now"),
        ("I am not going to call a lawyer", "denied"),
        ("no voy a llamar a un abogado", "denied"),
        ("si no me llaman voy a llamar a mi abogado", "now"),
    ],
)
def test_signs(rules: Reader, text: str, meant: str) -> None:
    doc = rules.doc(Text(text, about_us=True))
    assert {span._.meant for span in spoken(doc, "sign:")} == {meant}


def test_a_denial_within_the_phrase_denies_nothing(rules: Reader) -> None:
    spans = spoken(rules.doc(Text("nobody comes", about_us=True)), "urgency:danger")
    assert [span._.meant for span in spans] == ["now"]
