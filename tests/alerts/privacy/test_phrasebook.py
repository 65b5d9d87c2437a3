"""What the signs of a phrase mean."""

import pytest

from alerts.privacy.phrasebook import Phrasebook
from alerts.privacy.words import words

NONE: frozenset[str] = frozenset()
CLASSES = {"relative": frozenset({"mother", "dad"})}


def finds(phrase: str, text: str) -> list[tuple[int, ...]]:
    return [places for _, places in Phrasebook({"x": [phrase]}, CLASSES).found(words(text, NONE, NONE))]


@pytest.mark.parametrize(
    ("phrase", "text", "places"),
    [
        ("next time", "see you next time", [(2, 3)]),
        ("next|last time", "the last time", [(1, 2)]),
        ("refund*", "we refunded it", [(1,)]),
        ("your <relative>", "is your dad in", [(1, 2)]),
        ("you ?have forgot", "you forgot", [(0, 1)]),
        ("you ?have forgot", "you have forgot", [(0, 1, 2)]),
        ("see !you|us", "see you", []),
        ("see !you|us", "see him", [(0, 1)]),
        ("let ... down", "we let our people down", [(1, 4)]),
        ("let ... down", "let a b c d e f down", []),
        ("let ... down", "we let it be. Down we go", []),
        ("sorry $", "we are sorry. Please call", [(2,)]),
        ("sorry $", "we are sorry", [(2,)]),
        ("sorry $", "sorry for it", []),
        ("a b", "b a", []),
    ],
)
def test_what_a_phrase_finds(phrase: str, text: str, places: list[tuple[int, ...]]) -> None:
    assert finds(phrase, text) == places


def test_labels_and_vocabulary() -> None:
    book = Phrasebook({"one": ["your visit"], "two": ["visit us"]}, {})
    assert [label for label, _ in book.found(words("your visit us", NONE, NONE))] == ["one", "two"]
    assert book.vocabulary == {"your", "visit", "us"}


def test_a_class_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="names no class"):
        Phrasebook({"x": ["<nobody>"]}, {})
