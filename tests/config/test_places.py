"""Line and column of every key, whatever way TOML allows to write it."""

import pytest

from config.places import given_twice, places_of


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        ("a = 1", ("a",), (1, 1)),
        ("\n\n  a = 1", ("a",), (3, 3)),
        ("[x.y]\nb = 1", ("x", "y", "b"), (2, 1)),
        ("[x.y]\nb = 1", ("x",), (1, 2)),
        ('["k k"]\nb = 1', ("k k", "b"), (2, 1)),
        ("a.b = 1", ("a", "b"), (1, 1)),
        ('l = [\n  "p",\n  "q", # note\n]', ("l", 1), (3, 3)),
        ("w = { q = 1, r = [2] }", ("w", "r", 0), (1, 19)),
        ("[[t]]\na = 1\n[[t]]\na = 2", ("t", 1, "a"), (4, 1)),
        ("[[t]]\n[t.u]\nv = 1\n[[t]]\n[t.u]\nv = 2", ("t", 1, "u", "v"), (6, 1)),
        ('"é" = 1\nb = "é é"', ("b",), (2, 1)),
        ('l = ["é", "q"]', ("l", 1), (1, 11)),
    ],
)
def test_where_it_stands(text: str, path: tuple[str | int, ...], place: tuple[int, int]) -> None:
    assert places_of(text)[path] == place


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a = 1\nb = 2", None),
        ("a = 1\nb = 2\na = 3", (("a",), (1, 1), (3, 1))),
        ("[t]\na = 1\n[t]", (("t",), (1, 2), (3, 2))),
        ("[[t]]\na = 1\n[[t]]\na = 1", None),
    ],
)
def test_given_twice(text: str, found: object) -> None:
    assert given_twice(text) == found


def test_items_before_a_comment_have_their_place() -> None:
    assert places_of('x = ["a", "b"]  # both\n')["x", 1] == (1, 11)


def test_an_endless_key_has_no_place_and_what_follows_has() -> None:
    """To find the parts of one with 20,000 dots took twenty seconds."""
    found = places_of("[" + "a." * 2_000 + "a]\n[b]\nc = 1\n")
    assert found == {("b",): (2, 2), ("b", "c"): (3, 1)}
