"""Saving the five files: whole, never over somebody else's work."""

import os
from pathlib import Path

import pytest
from conftest import PROJECT
from hypothesis import given
from hypothesis import strategies as st

from config.files import NotSaved, digest, write_files
from config.load import NAMES, read_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "config"
    made.mkdir()
    for name in NAMES:
        (made / name).write_bytes((PROJECT / "config" / name).read_bytes())
    return made


def texts(folder: Path) -> dict[str, str]:
    found, wrong = read_files(folder)
    assert not wrong
    return found


def test_only_what_differs_is_written(folder: Path) -> None:
    old = texts(folder)
    before = (folder / "care.toml").stat()
    written = write_files(folder, {**old, "keywords.toml": old["keywords.toml"] + "# a word\n"}, old)
    assert [path.name for path in written] == ["keywords.toml"]
    assert texts(folder)["keywords.toml"].endswith("# a word\n")
    assert (folder / "care.toml").stat().st_mtime_ns == before.st_mtime_ns
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)  # nothing is left lying about


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_stay(folder: Path, ending: str, mark: str) -> None:
    path = folder / "report.toml"
    path.write_bytes((mark + path.read_text().replace("\n", ending)).encode())
    old = texts(folder)
    write_files(folder, {"report.toml": old["report.toml"] + f"# Señor{ending}"}, old)
    assert path.read_bytes() == (old["report.toml"] + f"# Señor{ending}").encode()
    assert path.read_bytes().startswith(mark.encode())


def test_who_saved_meanwhile_loses_nothing(folder: Path) -> None:
    old = texts(folder)
    (folder / "keywords.toml").write_text(old["keywords.toml"] + "# by somebody else\n")
    with pytest.raises(NotSaved, match=r"keywords\.toml was changed by somebody else meanwhile; nothing was saved"):
        write_files(folder, {"keywords.toml": "mine", "care.toml": "mine"}, old)
    assert texts(folder) == {**old, "keywords.toml": old["keywords.toml"] + "# by somebody else\n"}


def test_what_somebody_saves_in_another_file_stays(folder: Path) -> None:
    old = texts(folder)
    (folder / "care.toml").write_text(old["care.toml"] + "# by somebody else\n")
    write_files(folder, {"keywords.toml": old["keywords.toml"] + "# mine\n"}, old)
    assert texts(folder)["care.toml"].endswith("# by somebody else\n")
    assert texts(folder)["keywords.toml"].endswith("# mine\n")


def test_all_or_none(folder: Path, tmp_path: Path) -> None:
    (folder / "keywords.toml").unlink()
    (folder / "keywords.toml").symlink_to(tmp_path / "away" / "keywords.toml")  # where nothing can be written
    old = read_files(folder)[0]
    with pytest.raises(NotSaved, match="nothing was saved"):
        write_files(folder, {"care.toml": old["care.toml"] + "# mine\n", "keywords.toml": "mine"}, old)
    assert read_files(folder)[0] == old
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)  # nothing is left lying about


def test_a_link_stays_a_link(folder: Path, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.toml"
    (folder / "keywords.toml").rename(real)
    (folder / "keywords.toml").symlink_to(real)
    old = texts(folder)
    write_files(folder, {"keywords.toml": old["keywords.toml"] + "# more\n"}, old)
    assert (folder / "keywords.toml").is_symlink()
    assert real.read_text().endswith("# more\n")


def test_its_rights_stay(folder: Path) -> None:
    (folder / "keywords.toml").chmod(0o640)
    old = texts(folder)
    write_files(folder, {"keywords.toml": old["keywords.toml"] + "#\n"}, old)
    assert (folder / "keywords.toml").stat().st_mode & 0o777 == 0o640


def test_a_folder_that_may_not_be_written(folder: Path) -> None:
    old = texts(folder)
    if os.geteuid() == 0:
        pytest.skip("root may write everything")
    folder.chmod(0o500)
    try:
        with pytest.raises(NotSaved, match=r"cannot be written \(Permission denied\); nothing was saved"):
            write_files(folder, {"keywords.toml": "x"}, old)
    finally:
        folder.chmod(0o700)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(NotSaved, match="cannot be written"):
        write_files(tmp_path / "none", {"keywords.toml": "x"}, {})


@given(st.dictionaries(st.sampled_from(NAMES), st.text()), st.dictionaries(st.sampled_from(NAMES), st.text()))
def test_a_digest_is_the_same_for_the_same_texts_alone(one: dict[str, str], other: dict[str, str]) -> None:
    assert (digest(one) == digest(other)) == (one == other)
    assert digest(dict(reversed(one.items()))) == digest(one)
