"""Where sentences end."""

import pytest

from nlp.tokenizer import blank


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("He fell. Nobody came!", ["He fell.", "Nobody came!"]),
        ("one\ntwo", ["one\n", "two"]),
        ("Dr. Lee at St. Brigid's came", ["Dr. Lee at St. Brigid's came"]),
        ("“Sit down.” We sat", ["“Sit down.”", "We sat"]),
        ("", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    language = blank()
    language.add_pipe("sentences")
    assert [sentence.text.strip(" ") for sentence in language(text).sents] == sentences
