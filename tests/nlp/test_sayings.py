"""Texts that hold a phrase."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.components.sentences import sentences
from nlp.phrase_language import parse
from nlp.phrases import Phrases
from nlp.sayings import MOST, Sayings, sayings
from nlp.tokenizer import blank

LANGUAGE = blank()


@pytest.mark.parametrize(
    ("phrase", "texts"),
    [
        ("waiting room", ["waiting room"]),
        ("mom|dad fell", ["mom fell", "dad fell"]),
        ("wait*", ["wait", "waitxq"]),
        ('"ER" staff', ["ER staff"]),
        ("nobody ... came", ["nobody came", "nobody xq xq xq xq xq came"]),
        ("portal NEAR/2 down", ["portal down", "portal xq xq down", "down portal", "down xq xq portal"]),
        ("portal NOT school", ["portal"]),
        ('portal lang:es site:"Harbor Campus"', ["portal"]),
    ],
)
def test_what_is_said(phrase: str, texts: list[str]) -> None:
    assert sayings(parse(phrase)) == Sayings(tuple(texts), is_all=True)


def test_every_form_of_a_word_is_said() -> None:
    assert {"wait", "waits", "waited", "waiting"} <= set(sayings(parse("wait~")).texts)


def test_too_many_ways() -> None:
    many = sayings(parse(" ".join(["a|b|c|d|e|f|g|h|i|j"] * 3)))
    assert (len(many.texts), many.is_all) == (MOST, False)


WORDS = st.sampled_from(["dad", "fell", "wait*", "mom|dad", '"ER"', "portal", "wait~", "co-pay", "don't"])


@given(st.lists(WORDS, min_size=1, max_size=3), st.sampled_from([" ", " ... ", " NEAR/3 "]))
def test_each_of_them_holds_the_phrase(words: list[str], joint: str) -> None:
    phrase = joint.join(words)
    found = Phrases(LANGUAGE, {"it": [phrase]})
    for text in sayings(parse(phrase)).texts:
        assert found(sentences(LANGUAGE.make_doc(text))), text
