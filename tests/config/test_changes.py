"""What differs between two versions of the files, as people are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.changes import Change, changes, in_words

OLD = """
# a comment
name = "St. Brigid's"
[exclude]
phrases = ["fish fry", "horoscope"]
[categories.food]
title = "Food"
phrases = ["soup", "tray"]
[[rules]]
name = "one"
do = "alert"
[[rules]]
name = "two"
do = "digest"
"""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"fish fry", ', "", ["exclude.phrases: 'fish fry' taken out"]),
        ('"horoscope"', '"horoscope", "bake sale"', ["exclude.phrases: 'bake sale' added"]),
        ('"soup", "tray"', '"tray", "soup"', ["only comments, blanks or the order differ"]),
        ("# a comment", "# another", ["only comments, blanks or the order differ"]),
        ('"soup"', '"a", "b", "c", "d"', ["categories.food.phrases: 'a', 'b', 'c' and 1 more added, 'soup' taken out"]),
        ('title = "Food"', 'title = "Meals"', ["categories.food.title: 'Meals', was 'Food'"]),
        ("[categories.food]", "[categories.meals]", ["categories.meals: new", "categories.food: gone"]),
        ('"two"\ndo = "digest"', '"two"\ndo = "dismiss"', ["rules[two].do: 'dismiss', was 'digest'"]),
        ("[exclude]", "[exclude", ["keywords.toml: not TOML"]),
        ('name = "St. Brigid\'s"\n', "", ['name: "St. Brigid\'s" taken out']),
        ('"soup"', f'"{"x" * 80}"', [f"categories.food.phrases: '{'x' * 59}…' added, 'soup' taken out"]),
        ('"soup", "tray"', '"soup"', ["categories.food.phrases: 'tray' taken out"]),
        ('"soup", "tray"', '"meat"', ["categories.food.phrases: 'meat' added, 'soup', 'tray' taken out"]),
        ('name = "St.', 'on = true\nname = "St.', ["on: 'true' added"]),
        ('"soup"', '"soup", "soup"', ["categories.food.phrases: 'soup' added"]),
    ],
)
def test_a_change_in_words(before: str, after: str, said: list[str]) -> None:
    assert before in OLD
    assert in_words({"keywords.toml": OLD}, {"keywords.toml": OLD.replace(before, after, 1)}) == said


def test_a_file_that_is_toml_again() -> None:
    assert in_words({"a.toml": "x = "}, {"a.toml": "x = 1"}) == ["a.toml: TOML again"]


def test_many_changes_are_cut() -> None:
    new = "\n".join(f"key{number} = {number}" for number in range(9))
    assert in_words({"a.toml": ""}, {"a.toml": new})[-1] == "and 4 more"
    assert len(changes({"a.toml": ""}, {"a.toml": new})) == 9


def test_nothing_differs() -> None:
    assert in_words({"a.toml": OLD}, {"a.toml": OLD}) == []
    windows = "\ufeff" + OLD.replace("\n", "\r\n")
    assert changes({"a.toml": OLD}, {"a.toml": windows}) == []


_WORDS = st.lists(st.sampled_from(["soup", "tray", "portal", "bill"]), max_size=6)


@given(_WORDS, _WORDS)
def test_what_was_added_and_taken_out_makes_one_of_the_other(one: list[str], other: list[str]) -> None:
    old, new = (f"[t]\nphrases = {words}\n".replace("'", '"') for words in (one, other))
    found = changes({"k": old}, {"k": new})
    added = [word for change in found for word in change.added]
    removed = [word for change in found for word in change.removed]
    assert sorted([*one, *added]) == sorted([*other, *removed])
    assert not set(added) & set(removed)
    assert all(change == Change("k", "t.phrases", change.added, change.removed, change.what, False) for change in found)
