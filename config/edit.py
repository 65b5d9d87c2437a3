"""Changes one value of a TOML text as an admin would do it with an editor: every other byte stays as it was. Pure.

tomlkit writes the value; where it goes is asked of the parser that also gives errors their line. tomlkit's own lists are
not used: their append() puts a value behind a comment, where it is part of the comment, and line ends become "\\n".
"""

import copy
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import tomlkit
from tree_sitter import Node

from config.places import Path_, nodes_of, value_of, values_of

_INDENT = b"    "
_BOM = "\ufeff"
_NOTHING = object()


class EditError(ValueError):
    """The text cannot be changed so; the sentence says what a person can do."""


def add_to_list(text: str, path: Path_, value: str, note: str = "") -> str:
    """The text with `value` at the end of a list, which is made where there is none; as it was where it is there already.

    `note` becomes a comment beside it where it gets a line of its own. Raises EditError.
    """
    toml = _Toml.of(text)
    old = toml.at(path)
    if old is _NOTHING:
        return toml.changed(path, [value], _made(toml, path, f"[{_written(value)}]"))
    if not isinstance(old, list):
        raise EditError(f"{_dotted(path)} is no list; make it one, or put {_written(value)} in by hand")
    if value in old:
        return text
    cuts = _appended(toml.data, toml.value_node(path), _written(value).encode(), note)
    return toml.changed(path, [*old, value], [_spliced(toml.data, cuts)])


def take_from_list(text: str, path: Path_, value: str) -> str:
    """The text without `value` in a list, with the comment beside it if it had a line of its own. Raises EditError."""
    while True:
        toml = _Toml.of(text)
        old = toml.at(path)
        if not isinstance(old, list) or value not in old:
            return text
        number = old.index(value)
        left = old[:number] + old[number + 1 :]
        cuts = _taken_out(toml.data, toml.value_node(path), number)
        text = toml.changed(path, left, [_spliced(toml.data, cuts)])


def set_value(text: str, path: Path_, value: Any) -> str:
    """The text with a key, or the item of a list by its number, set to `value`. Raises EditError."""
    toml = _Toml.of(text)
    old = toml.at(path)
    if old is _NOTHING:
        return toml.changed(path, value, _made(toml, path, _written(value)))
    if type(old) is type(value) and old == value:
        return text
    node = toml.value_node(path)
    new = _spliced(toml.data, [(node.start_byte, node.end_byte, _written(value).encode())])
    return toml.changed(path, value, [new])


# ---------------------------------------------------------------- a text, its values, and where they stand

_Cut = tuple[int, int, bytes]  # from, to, and what comes in its place


@dataclass(frozen=True)
class _Toml:
    text: str
    data: bytes  # without the byte order mark
    values: dict[str, Any]
    nodes: list[tuple[Path_, Node]]

    @classmethod
    def of(cls, text: str) -> "_Toml":
        """Raises EditError for a text that is not TOML."""
        bare = text.removeprefix(_BOM)
        try:
            return cls(text, bare.encode(), values_of(bare), list(nodes_of(bare)))
        except (ValueError, RecursionError) as error:
            raise EditError(f"the file is not TOML as it stands ({error}); run call-light config check") from None

    def at(self, path: Path_) -> Any:
        """The value at a path, or _NOTHING."""
        value: Any = self.values
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return _NOTHING
        return value

    def value_node(self, path: Path_) -> Node:
        """Where the value at a path is written. Raises EditError for a table with a header."""
        node = next((node for found, node in self.nodes if found == path), None)
        if node is None or _is_header(node):
            raise EditError(f"{_dotted(path)} is a table; change it by hand")
        return value_of(node.parent) if _is_key(node) and node.parent else node

    def changed(self, path: Path_, value: Any, ways: Iterable[bytes]) -> str:
        """The first of these texts that says exactly what this one does, with `value` at `path`. Raises EditError."""
        wanted = _with_value(self.values, path, value)
        for text in (way.decode() for way in ways if wanted is not None):
            try:
                if tomllib.loads(text) == wanted:
                    return (_BOM if self.text.startswith(_BOM) else "") + text
            except ValueError:
                continue
        raise EditError(f"{_dotted(path)} cannot be changed without a hand; write {_written(value)} there")


def _with_value(values: Any, path: Path_, value: Any) -> Any:
    """What the file must say then; None where a path leads into what is no table."""
    whole = inner = copy.deepcopy(values)
    try:
        for key in path[:-1]:
            inner = inner[key] if isinstance(key, int) else inner.setdefault(key, {})
        inner[path[-1]] = value
    except (AttributeError, LookupError, TypeError):
        return None
    return whole


def _is_key(node: Node) -> bool:
    return node.parent is not None and node.parent.type == "pair" and node.parent.named_children[0] == node


def _is_header(node: Node) -> bool:
    return node.parent is not None and node.parent.type in ("table", "table_array_element")


def _written(value: Any) -> str:
    """A value as TOML; in 'single' quotes what holds double ones, so that it reads as people wrote it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, str) and '"' in value and re.fullmatch(r"[^'\x00-\x1f\x7f]*", value):
        return tomlkit.string(value, literal=True).as_string()
    return str(tomlkit.item(value).as_string())


def _dotted(path: Path_) -> str:
    return ".".join(map(str, path))


def _spliced(data: bytes, cuts: Iterable[_Cut]) -> bytes:
    for start, end, new in sorted(cuts, reverse=True):
        data = data[:start] + new + data[end:]
    return data


def _line_start(data: bytes, at: int) -> int:
    return data.rfind(b"\n", 0, at) + 1


def _line_end(data: bytes, at: int) -> int:
    """Where the next line begins."""
    found = data.find(b"\n", at)
    return len(data) if found < 0 else found + 1


def _eol(data: bytes) -> bytes:
    return b"\r\n" if b"\r\n" in data else b"\n"


# ---------------------------------------------------------------- lists


def _items(array: Node) -> list[Node]:
    return [child for child in array.named_children if child.type != "comment"]


def _comma_after(array: Node, item: Node) -> Node | None:
    following = (child for child in array.children if child.start_byte >= item.end_byte)
    found = next((child for child in following if child.type != "comment"), None)
    return found if found is not None and found.type == "," else None


def _appended(data: bytes, array: Node, written: bytes, note: str) -> list[_Cut]:
    """A further value: in a list of several lines on a line of its own, with a comma behind it where the last one had one."""
    items, close = _items(array), array.children[-1]
    last = items[-1] if items else None
    comma = _comma_after(array, last) if last else None
    start = _line_start(data, close.start_byte)
    if start > array.start_byte and not data[start : close.start_byte].strip():
        said = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", note).split())
        beside = f"  # {said}".encode() if said else b""
        ends = b"," if comma or not last else b""
        end = b"\r\n" if data[:start].endswith(b"\r\n") else b"\n"
        cuts = [(start, start, _indent(data, array) + written + ends + beside + end)]
        return cuts if comma or not last else [*cuts, (last.end_byte, last.end_byte, b",")]
    if last is None:
        return [(array.start_byte + 1, array.start_byte + 1, written)]
    at = comma.end_byte if comma else last.end_byte
    is_long = array.start_point.row != close.start_point.row
    before = _eol(data) + _indent(data, array) if is_long else b" "
    return [(at, at, (b"" if comma else b",") + before + written + (b"," if comma else b""))]


def _indent(data: bytes, array: Node) -> bytes:
    """What stands before the last value that begins a line."""
    for child in [*reversed(_items(array)), *array.named_children]:  # then before a comment
        before = data[_line_start(data, child.start_byte) : child.start_byte]
        if not before.strip():
            return before
    line = data[_line_start(data, array.start_byte) : array.start_byte]
    return line[: len(line) - len(line.lstrip())] + _INDENT


def _taken_out(data: bytes, array: Node, number: int) -> list[_Cut]:
    """A value and the comma behind it; the one before it where it was last and had none; its line where it was alone there."""
    items = _items(array)
    item, comma = items[number], _comma_after(array, items[number])
    cuts: list[_Cut] = []
    if comma is None and number and (before := _comma_after(array, items[number - 1])):
        cuts.append((before.start_byte, before.end_byte, b""))
    start, end = item.start_byte, item.end_byte
    if comma is not None and comma.start_point.row == item.end_point.row:
        end = comma.end_byte
    elif comma is not None:
        cuts.append((comma.start_byte, comma.end_byte, b""))
    line, next_line = _line_start(data, start), _line_end(data, end)
    behind = data[end:next_line].strip()
    if not data[line:start].strip() and (not behind or behind.startswith(b"#")):
        return [*cuts, (line, next_line, b"")]
    if data[line:start].strip() and (not behind or behind.startswith((b"#", b"]"))):
        start -= len(data[line:start]) - len(data[line:start].rstrip())
    else:
        end += len(data[end:next_line]) - len(data[end:next_line].lstrip(b" \t"))
    return [*cuts, (start, end, b"")]


# ---------------------------------------------------------------- what is not there yet


def _made(toml: _Toml, path: Path_, written: str) -> Iterator[bytes]:
    """Ways to write a new key, the likeliest first; which of them says what is meant, `changed` finds out."""
    yield from _in_braces(toml, path, written)
    yield from _in_table(toml, path, written)
    if not any(isinstance(key, int) for key in path):
        yield from _in_new_table(toml, path, written)


def _line(path: Path_, written: str) -> bytes:
    return f"{tomlkit.key([str(key) for key in path]).as_string()} = {written}".encode()


def _in_braces(toml: _Toml, path: Path_, written: str) -> Iterator[bytes]:
    """Into the innermost {inline table} around it."""
    for length in range(len(path) - 1, 0, -1):
        for found, node in toml.nodes:
            if found != path[:length] or _is_header(node):
                continue
            table = value_of(node.parent) if _is_key(node) and node.parent else node
            if table.type == "inline_table":
                pairs, new = table.named_children, _line(path[length:], written)
                at = pairs[-1].end_byte if pairs else table.start_byte + 1
                yield _spliced(toml.data, [(at, at, b", " + new if pairs else b" " + new + b" ")])


def _in_table(toml: _Toml, path: Path_, written: str) -> Iterator[bytes]:
    """Behind the last key of the [table] that it belongs to, or behind its dotted neighbours."""
    section: Path_ = ()
    ends: dict[Path_, int] = {}  # of each table with a line for it, behind which byte
    for found, node in toml.nodes:
        if _is_header(node):
            section = found
            if section == path[:-1]:
                ends[section] = node.end_byte
        elif _is_key(node) and node.parent and section == path[: len(section)] and found[: len(path) - 1] == path[:-1]:
            ends[section] = max(node.parent.end_byte, ends.get(section, 0))
    for section, end in sorted(ends.items(), key=lambda item: -len(item[0])):
        yield _new_line(toml.data, end, _line(path[len(section) :], written))
    if len(path) == 1 and not ends:
        yield _line(path, written) + _eol(toml.data) + toml.data


def _in_new_table(toml: _Toml, path: Path_, written: str) -> Iterator[bytes]:
    """Under a new [header], behind the tables that are most like it, or at the end."""
    if len(path) < 2:
        return
    header = f"[{tomlkit.key([str(key) for key in path[:-1]]).as_string()}]".encode()
    both = header + _eol(toml.data) + _line(path[-1:], written)
    for length in range(len(path) - 2, 0, -1):
        ends = [
            (node.parent or node).end_byte if _is_key(node) else node.end_byte
            for found, node in toml.nodes
            if found[:length] == path[:length]
        ]
        if ends:
            yield _new_line(toml.data, max(ends), _eol(toml.data) + both)
    yield _new_line(toml.data, len(toml.data), _eol(toml.data) + both)


def _new_line(data: bytes, behind: int, line: bytes) -> bytes:
    """The line after the one that holds the byte before `behind`."""
    at = _line_end(data, behind)
    starts = b"" if at == 0 or data[:at].endswith(b"\n") else _eol(data)
    return data[:at] + starts + line + _eol(data) + data[at:]
