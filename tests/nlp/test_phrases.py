"""The phrase language of keywords.toml."""

import pytest

from nlp.phrases import PhraseError, Phrases, check
from nlp.tokenizer import blank


def found(phrase: str, text: str) -> list[str]:
    language = blank()
    language.add_pipe("sentences")
    return [span.text for span in Phrases(language, {"label": [phrase]})(language(text))]


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("waiting room", "In the WAITING ROOM now", ["WAITING ROOM"]),
        ("waiting room", "waiting for a room", []),
        ("front desk", "the front-desk clerk", ["front-desk"]),
        ("can't breathe", "she Can’t breathe", ["Can’t breathe"]),
        ("can't breathe", "she cant breathe", ["cant breathe"]),
        ("mama", "mi mamá", ["mamá"]),
        ("so late", "soooo late", ["soooo late"]),
        ("mom|dad fell", "my dad fell", ["dad fell"]),
        ("mom|dad fell", "my aunt fell", []),
        ("wait*", "we waited", ["waited"]),
        ("wait*", "the weight", []),
        ("nobody ... came", "nobody at all ever came", ["nobody at all ever came"]),
        ("nobody ... came", "nobody one two three four five six came", []),
        ("nobody ... came", "nobody cared. She came", []),
        ("nobody ... came ... us", "nobody at all came to help us", ["nobody at all came to help us"]),
        ("nobody ... came ... us", "nobody at all came. To us", []),
        ("wait* ... wait*", "wait waited, waiting", ["wait waited"]),
        ("told * nothing", "", None),
    ],
)
def test_finds(phrase: str, text: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(PhraseError):
            check(phrase)
    else:
        assert found(phrase, text) == expected


@pytest.mark.parametrize("phrase", ["", "a| b", "... came", "nobody ...", "wa*", "w*it", "wait**", "a ... ... b"])
def test_refuses(phrase: str) -> None:
    with pytest.raises(PhraseError):
        check(phrase)


@pytest.mark.parametrize(
    "phrase",
    ["(a+)+$", "(wait)+ room", r"\bpain\b", "[Hh]elp", "nurse.*rude", "x{2,}", "a+b+c+", "^help", "wait.+room"],
)
def test_regular_expressions_are_refused(phrase: str) -> None:
    with pytest.raises(PhraseError, match="looks like a regular expression"):
        check(phrase)


@pytest.mark.parametrize("phrase", ["c diff", "$15 parking", "24/7", "a1c", "covid-19", "10/10", "not my job!", "why?"])
def test_signs_that_people_type_are_no_regular_expressions(phrase: str) -> None:
    check(phrase)


def test_many_gaps_over_one_word_end() -> None:
    """Tried in every way this would run for hours."""
    language = blank()
    language.add_pipe("sentences")
    phrases = Phrases(language, {"label": [" ... ".join(["wait*"] * 8)]})
    assert phrases(language("wait " * 2000))
