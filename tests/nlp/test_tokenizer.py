"""How posts are cut into words."""

import pytest

from nlp.tokenizer import blank, fold, visible, words_of


@pytest.mark.parametrize(
    ("word", "folded"),
    [("Can’t", "cant"), ("MAMÁ", "mama"), ("soooo", "so"), ("er.", "er"), ("...", "..."), ("naïve", "naive"), ("", "")],
)
def test_fold(word: str, folded: str) -> None:
    assert fold(word) == folded


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("St. Brigid's ER", ["St.", "Brigid's", "ER"]),
        ("ST. BRIGID'S ER", ["ST.", "BRIGID'S", "ER"]),
        ("ok.Then", ["ok", ".", "Then"]),
        ("doctor/nurse", ["doctor", "/", "nurse"]),
        ("what?!no", ["what", "?!", "no"]),
        ("Dr. Lee", ["Dr.", "Lee"]),
    ],
)
def test_cuts(text: str, words: list[str]) -> None:
    assert [token.text for token in blank()(text)] == words


def test_visible_drops_what_shows_nothing() -> None:
    assert visible("gar\u200bage\u202e ok\u00a0now\r\n") == "garage ok now\n"


def test_visible_cuts_endless_rows_of_signs_and_nothing_else() -> None:
    assert all(" " in visible(endless) for endless in ("!" * 1000, "_" * 1000, "A$" * 2000))
    assert visible("a" * 1000) == "a" * 1000
    assert visible("https://x.example/" + "a-" * 300) == "https://x.example/" + "a-" * 300


def test_words_of() -> None:
    assert words_of("a b ", "c") == {"a", "b", "c"}


def test_an_ending_is_looked_for_at_the_end_alone() -> None:
    """From the beginning of a word of 100,000 signs it took hours: one look for each sign, over all that are left."""
    found = blank().tokenizer.suffix_search("a" + "." * 300)
    assert (found.end(), found.start() >= 200) == (301, True)
