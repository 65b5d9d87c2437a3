"""Why a reading says what it says."""

from nlp.explain import evidence
from nlp.pipeline import Reader, Text


def shown(reader: Reader, text: str) -> list[tuple[str, str, str, bool]]:
    doc = reader.doc(Text(text))
    return [(text[one.start : one.end], one.speaks_for, one.by, one.counts) for one in evidence(doc)]


def test_names_phrases_weights_and_what_was_left_out(reader: Reader) -> None:
    found = shown(reader, "Dr. Okafor at St. Brigid's ER left my dad on the floor, he can't breathe and nobody comes")
    assert ("St. Brigid's", "about us", "name", True) in found
    assert ("can't breathe", "danger", "phrase", True) in found
    assert any(by == "encoder" and what.startswith("danger (") for _, what, by, _ in found)
    assert any("Okafor" in words and what == "[name]" and by == "redaction" for words, what, by, _ in found)


def test_a_phrase_that_is_set_aside_is_shown_so(reader: Reader) -> None:
    found = shown(reader, "St. Brigid's: I want to die, this parking is a joke lol")
    assert [counts for _, what, by, counts in found if (what, by) == ("danger", "phrase")] == [False]


def test_a_sign_is_shown_with_how_it_is_meant(reader: Reader) -> None:
    found = shown(reader, "St. Brigid's: I am not calling a lawyer, but a reporter from Channel 5 called me")
    assert ("lawyer", "sign legal", "phrase", False) in found
    assert ("reporter from", "sign press", "phrase", True) in found


def test_a_post_about_nobody_of_ours_shows_no_judgement(reader: Reader) -> None:
    assert shown(reader, "what a lovely day in Denver") == []
