"""What is one word to who looks for it, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.wordforms import WORD, fold, forms


@pytest.mark.parametrize(
    "words",
    [
        "bill bills billed billing", "nurse nurses nursing nursed", "wait waits waited waiting", "garage garages",
        "stop stops stopped stopping", "care cares cared caring", "baby babies", "rate rates rated rating",
        "bus buses", "miss missed misses missing", "visit visits visited visiting", "stay stays stayed staying",
        "child children", "woman women", "pay paid", "fall fell", "doctor doctores", "habitacion habitaciones",
        "enfermero enfermera enfermeros enfermeras", "feed feeding feeds", "die died dying", "use used using",
        "building buildings", "time times",
        "admit admits admitted admitting", "transfer transfers transferred transferring", "refer refers referred referring",
        "cancel cancels canceled cancelled canceling cancelling", "occur occurred occurring", "equip equipped equipping",
        "call calls called calling", "bill billed", "fill filled", "open opened opening", "enter entered entering", "clinic clinics", "discharge discharged discharging",
    ],
)  # fmt: skip
def test_they_are_one(words: str) -> None:
    for word in words.split():
        assert set(words.split()) - forms(word) == set(), word


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("organ", "organization"), ("news", "new"), ("new", "news"), ("communication", "community"),
        ("hospital", "hospitality"), ("general", "generation"), ("car", "care"), ("caring", "car"), ("evening", "even"),
        ("even", "evening"), ("something", "some"), ("seed", "see"), ("need", "nee"), ("times", "tim"), ("rated", "rat"),
        ("missed", "mis"), ("police", "policy"), ("experience", "experiment"), ("build", "building"), ("er", "ers"),
        ("b12", "b12s"), ("bus", "bu"), ("pass", "pas"), ("this", "thi"), ("diabetes", "diabete"), ("caso", "casa"),
        ("the", "thing"), ("tel", "telling"), ("filled", "fil"), ("falling", "fal"), ("car", "caring"),
    ],
)  # fmt: skip
def test_they_are_two(word: str, other: str) -> None:
    assert other not in forms(word)


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Señal", "senal"), ("Sen\u0303al", "senal"), ("HABITACIÓN", "habitacion"), ("Straße", "straße"), ("مستشفى", "مستشفى"), ("", "")],
)  # fmt: skip
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_a_word_keeps_the_accents_that_stand_by_themselves() -> None:
    assert [found[0] for found in WORD.finditer("la sen\u0303al, no_one can't 👍")] == [
        *("la", "sen\u0303al", "no", "one", "can", "t")
    ]


@given(st.text(max_size=40))
def test_any_text_has_forms_and_is_one_of_them(text: str) -> None:
    for word in WORD.findall(fold(text)):
        assert word in forms(word)
        assert len(forms(word)) <= 40
