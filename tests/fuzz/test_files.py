"""Files that people save, export and import: taken, or refused in a sentence; what is right in them is kept."""

import csv
import io
import json
import random
import shutil
import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import tomlkit
from conftest import PROJECT
from fuzz.odd import NASTY, chances, changed, deep, examples, garbled, is_sentence, texts, watched
from hypothesis import given
from hypothesis import strategies as st

from config.edit import EditError, add_to_list, set_value, take_from_list
from config.load import ConfigError, load
from listener.collect import settings_of_all
from listener.collectors.file import Lines, read
from listener.errors import NeedsPerson
from listener.post import Post, SkipPost

FILES = ("care.toml", "hospital.toml", "keywords.toml", "listening.toml", "report.toml")
ZONE = ZoneInfo("America/Chicago")
GOOD = {
    "text": "Four hours at St. Brigid's",
    "written_at": "2026-11-09T14:05:00",
    "author": "ann",
    "url": "https://x.example/1",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(PROJECT / "config" / name, tmp_path / name)
    return tmp_path


def is_judged(folder: Path) -> None:
    """It loads, or each thing that is wrong is said with its place."""
    with watched():
        try:
            load(folder, settings_of_all())
        except ConfigError as error:
            told = error.problems
        else:
            return
    assert told


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_any_bytes_of_a_config_file(folder: Path, file: str) -> None:
    saved = (PROJECT / "config" / file).read_bytes()

    @examples(8)
    @given(chances)
    def judged(chance: random.Random) -> None:
        (folder / file).write_bytes(garbled(saved, chance))
        is_judged(folder)

    judged()


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_any_values_of_a_config_file(folder: Path, file: str) -> None:
    """The tables that ship, with values of another kind, size or name."""
    values = tomllib.loads((PROJECT / "config" / file).read_text(encoding="utf-8"))

    @examples(8)
    @given(chances)
    def judged(chance: random.Random) -> None:
        other = changed(values, chance)
        try:
            text = tomlkit.dumps(other)
            tomllib.loads(text)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return  # not everything can be written as TOML
        (folder / file).write_bytes(text.encode("utf-8", "replace"))
        is_judged(folder)

    judged()


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 50_000, "a = " + "[" * 50_000, "a = " + "{a=" * 5_000, ".".join("a" * 5_000) + " = 1", "[" + "a." * 20_000 + "a]"),
        *("x = 1\n" * 20_000, '"' * 100_000, "a = '''" + "x" * 1_000_000, "#" * 1_000_000, "\x00" * 100_000, "a = " + "9" * 10_000),
        *("[[a]]\n" * 10_000, "a = " + "-" * 100_000, "\n" * 200_000, "a = [" + "1," * 50_000 + "]"),
    ],
    ids=lambda text: f"{len(text):,} x {text[:6]!r}",
)  # fmt: skip
def test_deep_and_huge_config_files(folder: Path, text: str) -> None:
    (folder / "report.toml").write_text(text, encoding="utf-8")
    is_judged(folder)


def held(values: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        values = values[key]
    return values


@pytest.mark.parametrize("file", FILES)
def test_an_edit_changes_what_it_says_or_is_refused(file: str) -> None:
    saved = (PROJECT / "config" / file).read_text(encoding="utf-8")
    values = tomllib.loads(saved)
    keys = [(table, key) for table, inner in values.items() if isinstance(inner, dict) for key in inner]
    paths = st.sampled_from([*keys, *((table,) for table in values), ("a", "b", "c"), ("",)])

    @examples(25)
    @given(paths, texts, st.sampled_from((add_to_list, take_from_list, set_value)))
    def edited(path: tuple[str, ...], value: str, how: Any) -> None:
        with watched():
            try:
                after = how(saved, path, value)
            except EditError as error:
                is_sentence(error)
                return
        values = tomllib.loads(after)  # what is written can be read
        if how is set_value:
            assert held(values, path) == value
        elif how is add_to_list:
            assert value in held(values, path)
        else:
            assert after == saved or value not in held(values, path)

    edited()


# ---------------------------------------------------------------- imported files


def rows() -> list[dict[str, str]]:
    return [GOOD | {"text": f"{GOOD['text']}, number {n}"} for n in range(5)]


def as_csv(listed: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(GOOD), extrasaction="ignore")
    writer.writeheader()
    for row in listed:
        writer.writerow({key: row.get(key, "") for key in GOOD})
    return out.getvalue().encode("utf-8", "surrogatepass")


def as_lines(listed: list[Any]) -> bytes:
    return "\n".join(json.dumps(row) for row in listed).encode()


def taken(path: Path) -> list[Post | SkipPost] | None:
    """What a file comes to; None where it is refused."""
    with watched():
        try:
            found = [item for _, batch in read(Lines.of(path), ZONE, None) for item in batch]
        except NeedsPerson as error:
            is_sentence(error)
            return None
    assert all(isinstance(item, Post | SkipPost) for item in found)
    return found


@pytest.mark.parametrize(("name", "made"), [("export.csv", as_csv), ("export.jsonl", as_lines)])
def test_any_bytes_of_an_export(tmp_path: Path, name: str, made: Any) -> None:
    @examples(60)
    @given(chances, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "utf-7"]))
    def imported(chance: random.Random, encoding: str) -> None:
        body = made(rows()).decode().encode(encoding)
        (tmp_path / name).write_bytes(garbled(body, chance) if chance.random() < 0.8 else body)
        first = taken(tmp_path / name)
        again = taken(tmp_path / name)
        assert [getattr(one, "ref", "") for one in first or ()] == [getattr(one, "ref", "") for one in again or ()]

    imported()


@examples(80)
@given(chances)
def test_one_odd_line_leaves_the_others(tmp_path_factory: pytest.TempPathFactory, chance: random.Random) -> None:
    path = tmp_path_factory.getbasetemp() / "odd.jsonl"
    listed: list[Any] = [*rows()]
    listed[2] = changed(listed[2], chance)
    path.write_bytes(as_lines(listed))
    found = taken(path) or []
    kept = {one.text[-8:] for one in found if isinstance(one, Post)}
    assert {f"number {n}" for n in (0, 1, 3, 4)} <= kept


@pytest.mark.parametrize(
    "huge",
    [*NASTY[-4:], "a" * 3_000_000, " " * 300_000, "1" * 300_000, "x" + " " * 100_000 + "x", deep(5000)],
    ids=range(9),
)
@pytest.mark.parametrize("field", sorted(GOOD))
def test_one_huge_field_leaves_the_others(tmp_path: Path, field: str, huge: Any) -> None:
    path = tmp_path / "huge.jsonl"
    try:
        path.write_bytes(as_lines([rows()[0], rows()[1] | {field: huge}, rows()[2]]))
    except RecursionError:
        path.write_bytes(as_lines([rows()[0]]) + b'\n{"text": ' + b"[" * 200_000 + b"\n" + as_lines([rows()[2]]))
    found = taken(path) or []
    assert [one.text[-1] for one in (found[0], found[-1]) if isinstance(one, Post)] == ["0", "2"]
