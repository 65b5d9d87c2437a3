"""The data map names every table and column; and no table, card, export, hook or metric says anything about an author."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from conftest import PROJECT
from sqlalchemy import Engine, inspect
from sqlmodel import SQLModel
from tables import every_table

MAP = (PROJECT / "docs" / "privacy.md").read_text(encoding="utf-8")
# What is kept of an author, as the place shows it. Whoever adds to it asks the privacy officer first.
OF_THE_AUTHOR = {"mention.author", "mention.author_name", "mention.reach", "case.author"}
OF_STAFF = {"configversion.author"}  # who saved the files
A_PERSON = re.compile(
    r"author|handle|user|profile|gender|(^|_)age$|patient|diagnos|condition|health|ethnic|religio|politic|born"
)


def mapped() -> dict[str, set[str]]:
    """The tables and columns that the page names."""
    section = MAP.partition("## The database")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", section, flags=re.MULTILINE)
    return {table: set(re.findall(r"`(\w+)`", columns)) for table, columns in rows}


def tables() -> Mapping[str, Any]:
    every_table()
    return SQLModel.metadata.tables


def test_the_map_names_every_table_and_column() -> None:
    there = {name: {column.name for column in table.columns} for name, table in tables().items()}
    assert mapped() == there


def test_it_names_what_only_the_database_has(engine: Engine) -> None:
    """Tables without a model: Alembic's, and the index of words."""
    every_table()
    for name in inspect(engine).get_table_names():
        ours = name in SQLModel.metadata.tables or re.fullmatch(r"search_(data|idx|docsize|config|content)", name)
        assert ours or f"`{name}`" in MAP, name


@pytest.mark.parametrize(
    "file", ["center.key", ".env", "call-light.db-wal", "before-restore-", "call-light-forgotten-"]
)
def test_it_names_every_file_of_the_data_folder(file: str) -> None:
    assert file in MAP


def test_the_times_are_those_that_ship(config: Any) -> None:
    for name, ear in config.collectors.items():
        section = MAP.partition("## How long")[2].partition("\n## ")[0]
        row = next(line for line in section.splitlines() if f"`{name}`" in line.partition(" | ")[0])
        hours = int(ear.keep_for.total_seconds() // 3600)
        assert f"{hours} hours" in row or f"{hours // 24} days" in row, name


def test_nothing_about_an_author_is_kept_but_what_the_place_shows() -> None:
    named = {f"{name}.{column.name}" for name, table in tables().items() for column in table.columns}
    found = {name for name in named if A_PERSON.search(name.partition(".")[2])}
    assert found | {"mention.reach"} == OF_THE_AUTHOR | OF_STAFF


def test_no_table_has_a_row_for_an_author() -> None:
    """What is said of a post hangs on its number: nothing can be looked up by who wrote it."""
    for name, table in tables().items():
        keys = {column.name for column in table.primary_key.columns}
        keys |= {column.name for one in table.indexes for column in one.columns}
        assert not keys & {"author", "author_name", "handle"}, name
