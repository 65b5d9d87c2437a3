"""The two files of words are whole, and hold nothing that could never be found."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import alerts.privacy
from alerts.privacy.vocabulary import bare, decisive_words, known_words, languages, root, words_of

FOLDER = Path(alerts.privacy.__file__).parent


def written(code: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{code}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("code", ["en", "es"])
def test_words_stand_as_they_are_read(code: str) -> None:
    listed = {word for words in written(code)["words"].values() for word in words.split()}
    assert [word for word in sorted(listed) if not re.fullmatch(r"[a-z0-9']+", word)] == []


@pytest.mark.parametrize("code", ["en", "es"])
def test_phrases_stand_as_they_are_read(code: str) -> None:
    tables = [*written(code)["rules"].values(), written(code)["allowed"]]
    phrases = [phrase for table in tables for phrase in table["phrases"]]
    sign = r"\?|!|<[a-z_]+>|[a-z0-9']+\*?"
    slot = rf"\.\.\.|\$|[?!]?(?:{sign})(?:\|(?:{sign}))*"
    assert [phrase for phrase in phrases if not re.fullmatch(rf"(?:{slot})(?: (?:{slot}))*", phrase)] == []


def test_both_languages_know_the_same_rules_and_classes() -> None:
    english, spanish = languages()
    rules = set(english.rules)
    assert rules == {
        "confirms", "our_side", "asks", "promises", "admits", "argues", "advises", "detail", "name", "unread",
    }  # fmt: skip
    assert set(written("es")["rules"]) <= rules
    assert all(why and instead for why, instead in english.rules.values())
    assert set(spanish.classes) - set(english.classes) <= {"foreign", "not_future"}


def test_decisive_words_are_known_words() -> None:
    assert {"visit", "surgery", "your", "cirugia"} <= decisive_words() <= known_words()


@pytest.mark.parametrize(
    ("text", "english", "spanish"),
    [
        ("waited", True, False),
        ("need", False, False),
        ("wait", False, False),
        ("esperó", False, True),
        ("fue", False, True),
    ],
)
def test_the_past(text: str, english: bool, spanish: bool) -> None:
    (word,) = words_of(text)
    assert tuple(language.is_past(word) for language in languages()) == (english, spanish)


def test_the_future_by_its_ending() -> None:
    (word,) = words_of("devolveremos")
    assert [language.is_future(word) for language in languages()] == [False, True]


@pytest.mark.parametrize(("one", "other"), [("six", "6"), ("hallways", "hallway"), ("$40", "40"), ("seis", "6")])
def test_words_with_the_same_root(one: str, other: str) -> None:
    (first,), (second,) = words_of(one), words_of(other)
    assert root(first) == root(second)


def test_short_words_keep_their_endings() -> None:
    assert (bare("us"), bare("waits")) == ("us", "wait")
