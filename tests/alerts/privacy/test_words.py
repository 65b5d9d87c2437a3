"""The words that a reader would see, however they are written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.privacy.vocabulary import decisive_words
from alerts.privacy.words import FOREIGN, dictionary, words

DECISIVE = frozenset({"your", "visit", "stay", "surgery", "appointment", "bill", "recovery"})
COMMON = frozenset({"sorry", "about", "thank", "you", "for", "we", "are", "is", "not", "to", "the"})


def read(text: str) -> str:
    return " ".join(word.text for word in words(text, DECISIVE, COMMON))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Your VISIT", "your visit"),
        ("your v1sit", "your visit"),
        ("your b1ll", "your bill"),
        ("y0ur st@y", "your stay"),
        ("y o u r  v i s i t", "your visit"),
        ("y.o.u.r v-i-s-i-t", "your visit"),
        ("your vi sit", "your visit"),
        ("your app oint ment", "your appointment"),
        ("yourvisit", "your visit"),
        ("your vist", "your visit"),
        ("your appointmnet", "your appointment"),
        ("your viisit", "your visit"),
        ("your re-covery", "your recovery"),
        ("ｙｏｕｒ ｖｉｓｉｔ", "your visit"),
        ("уоur vіsіt", "your visit"),
        ("your vis&#105;t", "your visit"),
        ("your&nbsp;visit", "your visit"),
        ("vi\u200bsit", "visit"),
        ("vi\u0301sit", "visit"),
        ("🇻🇮🇸🇮🇹", "visit"),
        ("𝓿𝓲𝓼𝓲𝓽", "visit"),
        ("your 🙏 visit", "your visit"),
        ("you're", "you are"),
        ("don’t", "do not"),
        ("ur bill", "your bill"),
        ("9 a.m. to 5", "<number> am to <number>"),
        ("call 555-0100", "call <phone>"),
        ("(312) 555-0100, or 911", "<phone> or <phone>"),
        ("a@b.example and b.example/c", "<email> and <link>"),
        ("@someone hi", "<handle> hi"),
        ("$1,200.50 and 24/7", "<number> and <number>"),
        ("and/or", "and or"),
        ("wait", "wait"),
        ("stat", "stat"),
        ("mailed", "mailed"),
        ("7hours", "<number> hours"),
        ("您好", FOREIGN),
    ],
)
def test_what_is_written_and_what_is_meant(written: str, meant: str) -> None:
    assert read(written) == meant


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("One. Two! Three?", [True, True, True]),
        ("Dr. Chen", [False, False]),
        ("9 a.m. to noon.", [False, False, False, True]),
        ("you.Your stay", [True, False, False]),
        ("until 5 p.m. Your stay", [False, False, True, False, False]),
        ("9 a.m. to 5", [False, False, False, False]),
        ("de 8 a.m. a 5", [False, False, False, False, False]),
        ("Garage B. A bus", [False, True, False, False]),
        ("v. i. s. i. t", [False]),
        ("St. Brigid", [False, False]),
    ],
)
def test_where_sentences_end(text: str, ends: list[bool]) -> None:
    assert [word.ends for word in words(text, DECISIVE, COMMON)] == ends


def test_a_comma_is_a_pause() -> None:
    assert [word.pauses for word in words("Thanks, Tom - we read it", DECISIVE, COMMON)][:3] == [True, True, False]


def test_each_word_knows_its_place() -> None:
    text = "So sorry about y o u r &nbsp;v1sit."
    found = {word.text: text[word.start : word.end] for word in words(text, DECISIVE, COMMON)}
    assert found["your"] == "y o u r"
    assert found["visit"] == "v1sit"


def test_spanish_keeps_its_accents_aside() -> None:
    (word,) = words("esperó", DECISIVE, COMMON)
    assert (word.text, word.said) == ("espero", "esperó")


def test_what_the_dictionary_holds_is_no_slip() -> None:
    assert {"cart", "waist", "star"} <= dictionary()
    assert read("waist") == "waist"
    assert not {"vist", "appointmnet"} & dictionary()


@pytest.mark.parametrize("text", ["mailed", "connects"])
def test_a_form_of_a_known_word_is_no_slip(text: str) -> None:
    (word,) = words(text, decisive_words(), COMMON)
    assert word.text == text


@given(st.text(max_size=200))
@settings(max_examples=200)
def test_any_text_has_words_in_order_within_it(text: str) -> None:
    found = words(text, decisive_words(), COMMON)
    assert all(0 <= word.start <= word.end <= len(text) for word in found)
    assert [word.start for word in found] == sorted(word.start for word in found)
