"""What differs between two versions of the five files, value by value. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config.places import values_of

_MOST, _LONGEST = 3, 60  # values of a list that a sentence names, and characters of one
_NAMES = ("name", "title")  # the key by which a table of a list is called

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """What was added to a key, and what was taken out; of a single value the new and the old one."""

    file: str
    key: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    what: str = ""  # in place of values: what became of a whole table, or file
    is_single: bool = False  # one value, no list

    def __str__(self) -> str:
        said = [f"{_some(self.added)} added"] if self.added else []
        said += [f"{_some(self.removed)} taken out"] if self.removed else []
        if self.is_single and len(said) == 2:
            said = [f"{_some(self.added)}, was {_some(self.removed)}"]
        return f"{self.key}: {self.what or ', '.join(said)}"


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
    """Every key whose values differ, in the order of the files. A table that came or went as a whole is one change."""
    return [change for name in new for change in _of_file(name, old.get(name, ""), new[name])]


def in_words(old: Mapping[str, str], new: Mapping[str, str], most: int = 5) -> list[str]:
    """The same as sentences, the first `most` of them; or that only comments or the order differ. Nothing for the same texts."""
    found = [str(change) for change in changes(old, new)]
    if not found:
        same = all(old.get(name) == text for name, text in new.items())
        return [] if same else ["only comments, blanks or the order differ"]
    return [*found[:most], *([f"and {len(found) - most} more"] if len(found) > most else [])]


def _of_file(name: str, old: str, new: str) -> Iterator[Change]:
    read = [_parsed(text) for text in (old, new)]
    if None in read:
        if old != new:
            yield Change(name, name, what="not TOML" if read[1] is None else "TOML again")
        return
    before, after = map(_values, read)
    lists = {keys for parsed in read for keys, _, is_list in _flat(parsed) if is_list}
    had_tables, has_tables = (set(_tables(parsed)) for parsed in read)
    tables = {"gone": had_tables - has_tables, "new": has_tables - had_tables}
    told: set[tuple[str, Keys]] = set()
    for keys in dict.fromkeys([*after, *before]):
        had, has = before.get(keys, Counter()), after.get(keys, Counter())
        if had == has:
            continue
        what = "gone" if not has else "new"
        table = None if had and has else _outermost(keys, tables[what])
        if table is None:
            is_single = keys not in lists
            added, removed = tuple((has - had).elements()), tuple((had - has).elements())
            yield Change(name, ".".join(keys), added, removed, is_single=is_single)
        elif (what, table) not in told:
            told.add((what, table))
            yield Change(name, ".".join(table), what=what)


def _parsed(text: str) -> Any:
    """What it says; None for what is not TOML."""
    try:
        return values_of(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    except (ValueError, RecursionError):
        return None


def _values(parsed: Any) -> dict[Keys, Counter[str]]:
    """Each key with its values."""
    values: dict[Keys, Counter[str]] = {}
    for keys, value, _ in _flat(parsed):
        values.setdefault(keys, Counter())[value] += 1
    return values


def _flat(value: Any, keys: Keys = (), is_list: bool = False) -> Iterator[tuple[Keys, str, bool]]:
    """Each value with its keys, and whether it is one of a list."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, (*keys, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _flat(inner, _called(keys, number, inner), True)
    else:
        yield keys, str(value).lower() if isinstance(value, bool) else str(value), is_list


def _tables(value: Any, keys: Keys = ()) -> Iterator[Keys]:
    if isinstance(value, dict):
        if keys:
            yield keys
        for name, inner in value.items():
            yield from _tables(inner, (*keys, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _tables(inner, _called(keys, number, inner))


def _called(keys: Keys, number: int, inner: Any) -> Keys:
    """The keys of an entry of a list: a table has its name in them, or its number."""
    if not isinstance(inner, dict):
        return keys
    name = next((inner[name] for name in _NAMES if name in inner), number)
    return (*keys[:-1], f"{keys[-1]}[{name}]")


def _outermost(keys: Keys, tables: Collection[Keys]) -> Keys | None:
    return next((keys[:length] for length in range(1, len(keys)) if keys[:length] in tables), None)


def _some(values: tuple[str, ...]) -> str:
    shown = ", ".join(
        repr(value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…") for value in values[:_MOST]
    )
    return f"{shown} and {len(values) - _MOST} more" if len(values) > _MOST else shown
