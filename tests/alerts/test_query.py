"""What somebody meant by what they typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.query import understood


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("parking garage", "parking garage"),
        ("  Parking\tGARAGE ", "parking garage"),
        ('"Parking garage"', '"parking garage"'),
        ('"parking garage', '"parking garage"'),
        ('""', ""),
        ("“Parking garage” „old lot“ «ramp» -”valet parking”", '"parking garage" "old lot" "ramp" -"valet parking"'),
        ("garage -valet", "garage -valet"),
        ('-"valet parking" garage', 'garage -"valet parking"'),
        ("--garage", "-garage"),
        ("garage OR lot", "garage OR lot"),
        ("harbor garage OR lot OR ramp rude", "harbor garage OR lot OR ramp rude"),
        ("garage or lot", "garage or lot"),
        ("OR garage OR", "garage"),
        ("garage OR OR lot", "garage OR lot"),
        ("garage OR -lot", "garage -lot"),
        ("garage AND lot", "garage lot"),
        ("can't", '"can t"'),
        ("follow-up", '"follow up"'),
        ("St. Brigid's", 'st "brigid s"'),
        ('"habitación"', '"habitacion"'),
        ("NEAR(parking, 5)", '"near parking" 5'),
        ("park* ^nurse {words}:x", 'park nurse "words x"'),
        ('say"quoted words"', 'say "quoted words"'),
        ("👍 - \\ % _ *", ""),
        ("nul\0byte", '"nul byte"'),
        ("病院 بارد", "病院 بارد"),
    ],
)
def test_understood(typed: str, meant: str) -> None:
    assert str(understood(typed)) == meant


@pytest.mark.parametrize(
    ("typed", "wordless"), [("", False), ("  \n", False), ("👍", True), ('""', True), ("OR", True), ("-a", False)]
)
def test_something_was_typed_in_which_there_is_no_word(typed: str, wordless: bool) -> None:
    assert understood(typed).is_wordless is wordless


def test_quotes_mean_as_it_is_written() -> None:
    ((loose,), (exact,), (phrase,)) = understood('billing "billing" "billing office"').wanted
    assert "bills" in loose.forms
    assert exact.forms == {"billing"}
    assert (phrase.words, phrase.forms) == (("billing", "office"), frozenset())


def test_of_a_long_text_the_beginning_is_looked_for() -> None:
    assert str(understood("a1 " * 10_000)).split() == ["a1"] * 20
    assert str(understood("a" * 10_000)) == "a" * 1000
    assert str(understood("- " * 10_000 + "garage")) == ""


@given(st.text(max_size=200) | st.text('"-* OR()a', max_size=60))
def test_any_text_is_a_query_and_what_was_understood_is_understood_again(text: str) -> None:
    query = understood(text)
    again = understood(str(query))
    assert (again.wanted, again.unwanted) == (query.wanted, query.unwanted)
