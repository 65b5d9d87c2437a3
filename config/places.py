"""Where each key and list item of a TOML text stands. tomllib gives values; people need lines."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import tree_sitter
import tree_sitter_toml

Path_ = tuple[str | int, ...]
Place = tuple[int, int]

_LONGEST_KEY = 2_000  # bytes, dots and quotes included; to find the parts takes the square of it
_DEEPEST = 32  # tables within tables; no file of ours has more than five
# A key of a hundred parts and more: to read it, tomllib takes memory by the square of their number.
_ENDLESS = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){100}""", re.ASCII)


class EndlessKey(ValueError):
    """A key that has more parts than anybody writes."""


def values_of(text: str) -> dict[str, Any]:
    """What a TOML text says. Raises ValueError and RecursionError where it is none, or one that nobody writes."""
    if _ENDLESS.search(text):
        raise EndlessKey("a key has more than a hundred parts")
    return tomllib.loads(text)


@lru_cache(maxsize=5)  # one for each file: who has loaded it asks again where something stands
def places_of(text: str) -> dict[Path_, Place]:
    """Every table, key and list item with its line and column, counted from 1."""
    found: dict[Path_, Place] = {}
    for path, place in _defined(text):
        found.setdefault(path, place)
    for path, place in list(found.items()):  # tables that only a dotted key or a longer header names
        for length in range(1, min(len(path), _DEEPEST)):
            found.setdefault(path[:length], place)
    return found


def given_twice(text: str) -> tuple[Path_, Place, Place] | None:
    """The first key or table that is given a second time, with both places."""
    found: dict[Path_, Place] = {}
    for path, place in _defined(text):
        if path in found:
            return path, found[path], place
        found[path] = place
    return None


def nodes_of(text: str) -> Iterator[tuple[Path_, tree_sitter.Node]]:
    """Every table, key and list item in the order of the text, as the parser's node of its header, key or value.

    The parser counts bytes of UTF-8.
    """
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
    counts: dict[Path_, int] = {}
    for node in parser.parse(text.encode(errors="replace")).root_node.named_children:
        try:
            yield from _statement(node, counts)
        except (ValueError, IndexError, RecursionError):
            continue  # not TOML, and tomllib says so; what stands around it still has its place


def value_of(pair: tree_sitter.Node) -> tree_sitter.Node:
    """The value of a key; a comment behind it belongs to the pair too."""
    return [child for child in pair.named_children if child.type != "comment"][-1]


def _defined(text: str) -> Iterator[tuple[Path_, Place]]:
    lines = text.split("\n")
    for path, at in nodes_of(text):
        if at.start_point.row < len(lines):
            line = lines[at.start_point.row].encode(errors="replace")
            column = len(line[: at.start_point.column].decode(errors="replace"))
            yield path, (at.start_point.row + 1, column + 1)


def _statement(node: tree_sitter.Node, counts: dict[Path_, int]) -> Iterator[tuple[Path_, tree_sitter.Node]]:
    if node.type == "pair":
        yield from _pair(node, ())
    elif node.type in ("table", "table_array_element"):
        header = node.named_children[0]
        keys = _keys(header)
        prefix = _numbered(keys[:-1], counts) + keys[-1:]
        if node.type == "table_array_element":
            counts[prefix] = counts.get(prefix, -1) + 1
            prefix = (*prefix, counts[prefix])
        yield prefix, header
        for child in node.named_children[1:]:
            if child.type == "pair":
                yield from _pair(child, prefix)


def _numbered(keys: Path_, counts: Mapping[Path_, int]) -> Path_:
    """A path with the number of the current [[element]] put in after each list of tables."""
    path: Path_ = ()
    for key in keys:
        path = (*path, key)
        if path in counts:
            path = (*path, counts[path])
    return path


def _pair(node: tree_sitter.Node, prefix: Path_) -> Iterator[tuple[Path_, tree_sitter.Node]]:
    path = prefix + _keys(node.named_children[0])
    yield path, node.named_children[0]
    yield from _value(value_of(node), path)


def _value(node: tree_sitter.Node, path: Path_) -> Iterator[tuple[Path_, tree_sitter.Node]]:
    if node.type == "array":
        items = [child for child in node.named_children if child.type != "comment"]
        for number, item in enumerate(items):
            yield (*path, number), item
            yield from _value(item, (*path, number))
    elif node.type == "inline_table":
        for child in node.named_children:
            if child.type == "pair":
                yield from _pair(child, path)


def _keys(node: tree_sitter.Node) -> Path_:
    """The parts of a (dotted, quoted) key. tomllib itself unquotes each part. Raises ValueError for an endless one."""
    if len(node.text or b"") > _LONGEST_KEY:
        raise ValueError("nobody writes such a key")
    parsed: Any = tomllib.loads(f"{(node.text or b'').decode()} = 0")
    keys: list[str] = []
    while isinstance(parsed, dict):
        key, parsed = next(iter(parsed.items()))
        keys.append(key)
    return tuple(keys)
