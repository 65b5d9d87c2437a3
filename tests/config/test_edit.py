"""A line goes into a file or out of it, and nothing else of the file changes."""

import copy
import tomllib
from collections.abc import Sequence
from functools import reduce
from typing import Any

import pytest
from conftest import PROJECT
from hypothesis import given, settings
from hypothesis import strategies as st

from config.edit import EditError, add_to_list, set_value, take_from_list
from config.places import Path_

SHIPPED = {path.name: path.read_bytes().decode() for path in sorted((PROJECT / "config").glob("*.toml"))}

ODD = {
    "several in a line": 'phrases = [\n    # why\n    "a", "b",\n    "c", "d",  # these\n    # tail\n]\nz = 1\n',
    "no comma at the end": 'phrases = [\n\t"a",\n\t"b"  # no comma\n]\nz = 1\n',
    "on one line": 'phrases = ["a", "b"] # both\n[z]\n',
    "on one line, with a comma": 'phrases = [ "a", "b", ]\n',
    "bracket behind the value": 'phrases = ["a",\n  "b"]\nz = 1\n',
    "bracket behind a comma": 'phrases = ["a",\n  "b",]\nz = 1\n',
    "comma on its own line": 'phrases = [\n  "a"\n  , "b"\n]\n',
    "empty": "phrases = []\n",
    "empty, on lines": "phrases = [  # none yet\n]\n",
    "only a comment": "phrases = [\n  # none yet\n]\n",
    "no line end": 'phrases = ["a"]',
    "CRLF": '# x\r\nphrases = [\r\n    "a",\r\n    "b"\r\n]\r\n\r\nz = 1\r\n',
    "BOM": '\ufeffphrases = [\n    "a",\n]\n',
    "brackets and signs in quotes": 'phrases = [\n    \'a ] # "b"\', "]",  # ] , "x"\n]\n',
    "more than ASCII": '# señal 🚑\nphrases = ["ñandú", "🚑"]\nz = "é"\n',
    "dotted": "z.phrases = 1\nphrases = ['a']\ny.x.w = 2\n",
}
DEEP = {
    "inline table": ('t = {a = 1, phrases = ["a"]}\n', ("t", "phrases")),
    "inline table without it": ("t = {a = 1}\nz = 1\n", ("t", "phrases")),
    "empty inline table": ("t = {}\n", ("t", "phrases")),
    "inline table above": ("t = { u = { a = 1 } }  # so\n", ("t", "u", "v", "phrases")),
    "inline tables in a list": ('t = [{ phrases = ["a"] }, { b = 1 }]\n', ("t", 1, "phrases")),
    "dotted key": ('t.u.phrases = ["a"]\nt.u.b = 1\nz = 1\n', ("t", "u", "phrases")),
    "dotted neighbours": ("a = 1\nt.u.b = 1\nz = 1\n[y]\n", ("t", "u", "phrases")),
    "table without it": ("# top\n[t] # the t\n# its note\na = 1  # one\n\n# of u\n[u]\nb = 1\n", ("t", "phrases")),
    "table without anything": ("[t]\n[u]\nb = 1", ("t", "phrases")),
    "table at the end, no line end": ("[t]\na = 1", ("t", "phrases")),
    "no such table": ("[t]\na = 1\n", ("exclude", "phrases")),
    "no such table, CRLF": ("[t]\r\na = 1\r\n", ("exclude", "phrases")),
    "a table of its family": ('[t.u]\na = 1\n\n# of z\n[z]\nb = 1\n', ("t", "v", "phrases")),
    "quoted key": ('[t]\n"a b" = ["a"]\n', ("t", "a b")),
    "a quoted table to be made": ("[t]\n", ("t", "a b", "phrases")),
    "list of tables": ('[[t]]\nphrases = ["a"]\n[[t]]\nname = "x"\n[u]\n', ("t", 1, "phrases")),
    "second of a list of tables": ('[[t]]\nphrases = ["a"]\n[[t]]\nphrases = ["b"]\n', ("t", 1, "phrases")),
    "table in a list of tables": ('[[t]]\n[t.u]\na = 1\n[[t]]\n[t.u]\nphrases = ["b"]\n', ("t", 1, "u", "phrases")),
    "at the top, nothing there": ("", ("phrases",)),
    "at the top, tables alone": ("# x\n[t]\na = 1\n", ("phrases",)),
    "at the top, behind other keys": ("# x\nname = 1\n\n# of t\n[t]\na = 1\n", ("phrases",)),
    "dotted at the top beside other keys": ("t.u.phrases = ['a']\nname = 1\n", ("t", "v", "phrases")),
}  # fmt: skip
VALUE = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)


def lists_of(values: Any, path: Path_ = ()) -> list[Path_]:
    """Every list of text in a file."""
    inner = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    found = [one for key, value in inner for one in lists_of(value, (*path, key))]
    return [path, *found] if isinstance(values, list) and all(isinstance(value, str) for value in values) else found


def read(text: str) -> dict[str, Any]:
    return tomllib.loads(text.removeprefix("\ufeff"))


def at(values: Any, path: Path_) -> Any:
    return reduce(lambda inner, key: inner[key], path, values)


def with_value(values: dict[str, Any], path: Path_, value: Any) -> dict[str, Any]:
    """What the file must say then, made without the code under test."""
    new: dict[str, Any] = copy.deepcopy(values)
    inner: Any = new
    for key in path[:-1]:
        inner = inner[key] if isinstance(key, int) else inner.setdefault(key, {})
    inner[path[-1]] = value
    return new


def common(one: Sequence[str], other: Sequence[str]) -> int:
    """How much both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def changed_lines(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines that went and those that came, between what is the same before and behind them."""
    before, after = old.split("\n"), new.split("\n")
    start = common(before, after)
    end = common(before[start:][::-1], after[start:][::-1])
    return before[start : len(before) - end], after[start : len(after) - end]


def is_part_of(line: str, longer: str) -> bool:
    """Whether `longer` is the line with something put in."""
    start = common(line, longer)
    return longer.endswith(line[start:])


VALUES = {file: read(text) for file, text in SHIPPED.items()}
SHIPPED_LISTS = [(file, path) for file, text in SHIPPED.items() for path in lists_of(VALUES[file])]


@settings(max_examples=60)
@given(st.sampled_from(SHIPPED_LISTS), VALUE, st.booleans(), st.booleans())
def test_of_the_shipped_files_one_line_changes(place: tuple[str, Path_], value: str, crlf: bool, bom: bool) -> None:
    file, path = place
    text = SHIPPED[file].replace("\n", "\r\n") if crlf else SHIPPED[file]
    text = f"\ufeff{text}" if bom else text
    old = at(read(text), path)
    new = add_to_list(text, path, value)
    if value in old:
        assert new == text
        return
    assert read(new) == with_value(read(text), path, [*old, value])
    gone, came = changed_lines(text, new)
    assert (len(gone), len(came)) in ((0, 1), (1, 1), (1, 2)), "all the others are byte for byte the same"
    assert all(is_part_of(line, "".join(came)) for line in gone)
    assert new.count("\r\n") == (new.count("\n") if crlf else new.count("\r\n"))
    assert take_from_list(new, path, value) == text


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@given(value=VALUE)
@settings(max_examples=25)
def test_of_odd_files_too(text: str, value: str) -> None:
    old = read(text)["phrases"]
    new = add_to_list(text, ("phrases",), value, "a note")
    if value in old:
        assert new == text
        return
    assert read(new) == {**read(text), "phrases": [*old, value]}
    assert [line for line in new.split("\n") if "\r" in line] == [] or "\r\n" in text
    assert new.startswith("\ufeff") == text.startswith("\ufeff")
    for comment in ("# why", "# tail", "# these", "# no comma", "# both", "# none yet", "# x", "# señal 🚑"):
        assert (comment in text) <= (comment in new)
    assert read(take_from_list(new, ("phrases",), value)) == read(text)


@pytest.mark.parametrize(("text", "path"), DEEP.values(), ids=DEEP)
def test_wherever_a_list_stands_or_has_to_be_made(text: str, path: Path_) -> None:
    try:
        old = at(read(text), path)
    except KeyError:
        old = []
    new = add_to_list(text, path, 'the "ER"')
    assert read(new) == with_value(read(text), path, [*old, 'the "ER"'])
    assert "'the \"ER\"'" in new, "in single quotes, as people would write it"
    gone, came = changed_lines(text, new)
    assert len(gone) <= 1
    assert len(came) <= 4
    assert all(is_part_of(line, "".join(came)) for line in gone), "a line that changes only grows"
    assert add_to_list(new, path, 'the "ER"') == new


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ODD["several in a line"], 'phrases = [\n    # why\n    "a", "b",\n    "c", "d",  # these\n    # tail\n    "new",  # cases 1, 2\n]\nz = 1\n'),
        (ODD["no comma at the end"], 'phrases = [\n\t"a",\n\t"b",  # no comma\n\t"new"  # cases 1, 2\n]\nz = 1\n'),
        (ODD["on one line"], 'phrases = ["a", "b", "new"] # both\n[z]\n'),
        (ODD["on one line, with a comma"], 'phrases = [ "a", "b", "new", ]\n'),
        (ODD["bracket behind the value"], 'phrases = ["a",\n  "b",\n  "new"]\nz = 1\n'),
        (ODD["bracket behind a comma"], 'phrases = ["a",\n  "b",\n  "new",]\nz = 1\n'),
        (ODD["empty"], 'phrases = ["new"]\n'),
        (ODD["empty, on lines"], 'phrases = [  # none yet\n    "new",  # cases 1, 2\n]\n'),
        (ODD["only a comment"], 'phrases = [\n  # none yet\n  "new",  # cases 1, 2\n]\n'),
        (ODD["CRLF"], '# x\r\nphrases = [\r\n    "a",\r\n    "b",\r\n    "new"  # cases 1, 2\r\n]\r\n\r\nz = 1\r\n'),
    ],
)  # fmt: skip
def test_a_new_value_looks_as_the_others_do(text: str, expected: str) -> None:
    assert add_to_list(text, ("phrases",), "new", "cases 1,\n2") == expected


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("[t]\na = 1\n", ("exclude", "phrases"), '[t]\na = 1\n\n[exclude]\nphrases = ["new"]\n'),
        ("# x\nname = 1\n\n# of t\n[t]\na = 1\n", ("not_us",), '# x\nname = 1\nnot_us = ["new"]\n\n# of t\n[t]\na = 1\n'),
        ("[t.u]\na = 1\n\n# of z\n[z]\nb = 1\n", ("t", "v", "phrases"), '[t.u]\na = 1\n\n[t.v]\nphrases = ["new"]\n\n# of z\n[z]\nb = 1\n'),
        ("[t]\n# its note\na = 1  # one\n\n[u]\n", ("t", "phrases"), '[t]\n# its note\na = 1  # one\nphrases = ["new"]\n\n[u]\n'),
    ],
)  # fmt: skip
def test_a_list_that_is_not_there_is_made_at_its_place(text: str, path: Path_, expected: str) -> None:
    assert add_to_list(text, path, "new") == expected


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ('x = [\n  "a", "b",\n  "c",  # of c\n]\n', "c", 'x = [\n  "a", "b",\n]\n'),
        ('x = [\n  "a", "b",\n  "c",\n]\n', "b", 'x = [\n  "a",\n  "c",\n]\n'),
        ('x = [\n  "a", "b",\n  "c",\n]\n', "a", 'x = [\n  "b",\n  "c",\n]\n'),
        ('x = [\n  "a",  # of a\n  "b"\n]\n', "b", 'x = [\n  "a"  # of a\n]\n'),
        ('x = [\n  "a", "b"  # both\n]\n', "b", 'x = [\n  "a"  # both\n]\n'),
        ('x = ["a", "b"]\n', "a", 'x = ["b"]\n'),
        ('x = ["a", "b"]\n', "b", 'x = ["a"]\n'),
        ('x = ["a", "b", ]\n', "b", 'x = ["a", ]\n'),
        ('x = ["a"]\n', "a", "x = []\n"),
        ('x = ["a", "b", "a"]\n', "a", 'x = ["b"]\n'),
        ('x = [\r\n  "a",\r\n  "b",\r\n]\r\n', "a", 'x = [\r\n  "b",\r\n]\r\n'),
        ('x = [\n  "a"\n  , "b"\n]\n', "a", None),
        ('x = ["a"]\n', "A", 'x = ["a"]\n'),
        ("y = 1\n", "a", "y = 1\n"),
    ],
)  # fmt: skip
def test_a_value_is_taken_out(text: str, value: str, expected: str | None) -> None:
    new = take_from_list(text, ("x",), value)
    assert read(new).get("x", []) == [one for one in read(text).get("x", []) if one != value]
    assert expected is None or new == expected


@settings(max_examples=60)
@given(st.data())
def test_what_is_taken_out_of_the_shipped_files_is_all_that_goes(data: st.DataObject) -> None:
    file, path = data.draw(st.sampled_from([(file, path) for file, path in SHIPPED_LISTS if at(VALUES[file], path)]))
    text, old = SHIPPED[file], at(VALUES[file], path)
    value = data.draw(st.sampled_from(old))
    new = take_from_list(text, path, value)
    assert read(new) == with_value(VALUES[file], path, [one for one in old if one != value])
    assert new.count("#") <= text.count("#")
    gone, came = changed_lines(text, new)
    assert len(came) <= len(gone) <= old.count(value)


@pytest.mark.parametrize(
    ("text", "path", "value", "expected"),
    [
        ("a = 1  # one\nb = 2\n", ("a",), 3, "a = 3  # one\nb = 2\n"),
        ('[accounts]\nx = ""\n', ("accounts", "x"), "StBrigidCares", '[accounts]\nx = "StBrigidCares"\n'),
        ("[accounts]\n", ("accounts", "x"), "it's", '[accounts]\nx = "it\'s"\n'),
        ('x = ["a", "b", "c"]\n', ("x", 1), "B", 'x = ["a", "B", "c"]\n'),
        ("a = 1\n", ("b",), True, "a = 1\nb = true\n"),
        ("a = 1\n", ("a",), True, "a = true\n"),
        ("a = [1, 2]\n", ("a",), ["x", 'y "z"'], "a = [\"x\", 'y \"z\"']\n"),
        ("a = true\n", ("a",), True, "a = true\n"),
    ],
)  # fmt: skip
def test_a_value_is_set(text: str, path: Path_, value: Any, expected: str) -> None:
    assert set_value(text, path, value) == expected


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("a = [", ("a",), "not TOML"),
        ("a = 1\n", ("a",), "no list"),
        ("[a]\n", ("a",), "no list"),
        ("a = 1\n", ("a", "b"), "cannot be changed"),
        ('t = [{ a = 1 }]\n', ("t", 4, "phrases"), "cannot be changed"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(text: str, path: Path_, says: str) -> None:
    with pytest.raises(EditError, match=says):
        add_to_list(text, path, "x")


def test_a_table_is_no_value() -> None:
    with pytest.raises(EditError, match="by hand"):
        set_value("[a]\nb = 1\n", ("a",), 1)
