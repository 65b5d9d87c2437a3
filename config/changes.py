"""What differs between two versions of the five files, value by value. Pure."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MOST, _LONGEST = 3, 60  # values of a list that a sentence names, and characters of one
_NAMES = ("name", "title")  # the key by which a table of a list is called


@dataclass(frozen=True)
class Change:
    """What was added to a key, and what was taken out; of a single value the new and the old one."""

    file: str
    key: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = [f"{_some(self.added)} added"] if self.added else []
        said += [f"{_some(self.removed)} taken out"] if self.removed else []
        return f"{self.key}: {', '.join(said)}"


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
    """Every key whose values differ, in the order of the files; a file that is not TOML counts as one value."""
    found = []
    for name in new:
        before, after = _values(old.get(name, "")), _values(new[name])
        for key in dict.fromkeys([*after, *before]):
            had, has = before.get(key, Counter()), after.get(key, Counter())
            if had != has:
                found.append(Change(name, key, tuple((has - had).elements()), tuple((had - has).elements())))
    return found


def in_words(old: Mapping[str, str], new: Mapping[str, str], most: int = 5) -> list[str]:
    """The same as sentences, the first `most` of them; and that only comments or the order differ."""
    found = [str(change) for change in changes(old, new)]
    if not found:
        same = all(old.get(name) == text for name, text in new.items())
        return [] if same else ["only comments, blanks or the order differ"]
    return [*found[:most], *([f"and {len(found) - most} more"] if len(found) > most else [])]


def _values(text: str) -> dict[str, Counter[str]]:
    """Each key with its values."""
    try:
        parsed = tomllib.loads(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    except (ValueError, RecursionError):
        return {"file": Counter([text])}
    values: dict[str, Counter[str]] = {}
    for key, value in _flat(parsed):
        values.setdefault(key, Counter())[value] += 1
    return values


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            called = (
                next((inner[name] for name in _NAMES if name in inner), number) if isinstance(inner, dict) else None
            )
            yield from _flat(inner, key if called is None else f"{key}[{called}]")
    else:
        yield key, str(value)


def _some(values: tuple[str, ...]) -> str:
    shown = ", ".join(
        repr(value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…") for value in values[:_MOST]
    )
    return f"{shown} and {len(values) - _MOST} more" if len(values) > _MOST else shown
