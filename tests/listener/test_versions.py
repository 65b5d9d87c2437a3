"""Versions of the config files: kept once each, with who saved them."""

import getpass
import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import NOW
from sqlmodel import Session

from listener import shell, versions
from listener.config_commands import versions as command

ONE, TWO, THREE = ({"keywords.toml": f"x = {number}\n", "care.toml": ""} for number in (1, 2, 3))
HOUR = timedelta(hours=1)


def test_before_the_first_start_there_is_none(session: Session) -> None:
    assert versions.in_force(session) is None
    assert versions.newest(session) is None
    assert versions.before(session, ONE) is None
    assert versions.every(session) == []


def test_what_was_refused_is_kept_and_is_never_in_force(session: Session) -> None:
    versions.write_down(session, ONE, "ana", NOW)
    refused = versions.write_down(session, TWO, "ben", NOW + HOUR, "a mistake")
    assert (refused.number, refused.author, refused.trouble, refused.texts) == (2, "ben", "a mistake", TWO)
    good = versions.in_force(session)
    assert good is not None
    assert (good.number, good.texts, good.at) == (1, ONE, NOW)
    assert [version.number for version in versions.every(session)] == [2, 1]


def test_the_same_texts_in_a_row_are_one_version(session: Session) -> None:
    for at in range(3):
        versions.write_down(session, ONE, "ana", NOW + at * HOUR)
    for at in range(3):
        versions.write_down(session, TWO, "ana", NOW + at * HOUR, "a mistake")
    versions.write_down(session, ONE, "ana", NOW + 9 * HOUR)  # right again
    assert [(version.number, version.trouble) for version in versions.every(session)] == [
        (3, None),
        (2, "a mistake"),
        (1, None),
    ]


@pytest.mark.parametrize(
    ("texts", "number"),
    [(THREE, 2), (TWO, 1), (ONE, 4)],  # changed since; just taken up; of long ago
)
def test_what_files_are_a_change_to(session: Session, texts: dict[str, str], number: int) -> None:
    kept = [ONE, TWO, THREE, TWO] if number == 4 else [ONE, TWO]
    for at, one in enumerate(kept):
        versions.write_down(session, one, "ana", NOW + at * HOUR)
    found = versions.before(session, texts)
    assert found is not None
    assert found.number == number


def test_what_was_in_force_when_a_version_was_saved(session: Session) -> None:
    for at, (texts, trouble) in enumerate([(ONE, None), (TWO, "wrong"), (THREE, None)]):
        versions.write_down(session, texts, "ana", NOW + at * HOUR, trouble)
    found = [versions.earlier(session, number) for number in (1, 2, 3)]
    assert [one and one.number for one in found] == [None, 1, 1]


def test_what_was_in_force_at_a_time(session: Session) -> None:
    for at, (texts, trouble) in enumerate([(ONE, None), (TWO, "wrong"), (THREE, None)]):
        versions.write_down(session, texts, "ana", NOW + at * HOUR, trouble)
    found = [versions.at(session, NOW + hours * HOUR) for hours in (-1, 0, 1.5, 2, 9)]
    assert [one and one.number for one in found] == [None, 1, 1, 3, 3]


def test_texts_that_are_replaced_are_put_aside_unless_a_version_has_them(session: Session) -> None:
    versions.write_down(session, ONE, "ana", NOW)
    assert versions.put_aside(session, ONE, "ben", NOW + HOUR) is None
    assert versions.put_aside(session, TWO, "ben", NOW + HOUR) == 2
    assert versions.put_aside(session, TWO, "ben", NOW + 2 * HOUR) is None
    good = versions.in_force(session)
    assert good is not None
    assert good.number == 1


def test_another_mistake_in_the_same_texts_is_a_version_of_its_own(session: Session) -> None:
    """A file that cannot be read has no text, whatever is wrong with it; and what was put aside may be tried after all."""
    versions.write_down(session, ONE, "ana", NOW)
    versions.write_down(session, TWO, "ana", NOW, "care.toml: found nothing")
    versions.write_down(session, TWO, "ana", NOW, "care.toml: found UTF-16")
    versions.put_aside(session, THREE, "ana", NOW)
    versions.write_down(session, THREE, "ana", NOW, "a mistake")
    assert [version.trouble for version in versions.every(session)] == [
        *("a mistake", versions.PUT_ASIDE),
        *("care.toml: found UTF-16", "care.toml: found nothing", None),
    ]


@pytest.mark.parametrize("trouble", [None, "care.toml: found nothing"])
def test_what_was_saved_on_a_page_is_in_force_when_it_is_taken_up(session: Session, trouble: str | None) -> None:
    versions.write_down(session, ONE, "ana", NOW)
    versions.saved(session, TWO, "ben", NOW + HOUR)
    good = versions.in_force(session)
    assert good is not None
    assert good.number == 1
    versions.write_down(session, TWO, "the owner of the file", NOW + HOUR, trouble)
    assert [(version.author, version.trouble) for version in versions.every(session)] == [
        ("ben", trouble),
        ("ana", None),
    ]


# ---------------------------------------------------------------- who saved


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in ONE.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Ana Lopez", "-c", "user.email=ana@example.org")
    subprocess.run(("git", "-C", str(folder), *who, *arguments), check=True, capture_output=True)


def test_without_git_it_is_the_owner_of_the_file(folder: Path) -> None:
    assert versions.author(folder, ["keywords.toml"]) == getpass.getuser()


def test_a_commit_has_an_author(folder: Path) -> None:
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "all")
    assert versions.author(folder, ["keywords.toml"]) == "Ana Lopez"
    (folder / "keywords.toml").write_text("x = 2\n")  # saved, and not committed
    assert versions.author(folder, ["keywords.toml"]) == getpass.getuser()
    assert versions.author(folder, ["care.toml"]) == "Ana Lopez"


def test_files_that_git_does_not_know(folder: Path) -> None:
    git(folder, "init", "-q")
    assert versions.author(folder, ["keywords.toml"]) == getpass.getuser()


def test_git_is_told_no_secret(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, program = tmp_path / "told", tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nenv > {told}\n")
    program.chmod(0o755)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "planted-secret")
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    versions.author(folder, ["keywords.toml"])
    assert "planted-secret" not in told.read_text()


def test_what_the_folder_s_own_settings_would_start_is_not_started(folder: Path, tmp_path: Path) -> None:
    program, started = tmp_path / "monitor", tmp_path / "started"
    program.write_text(f"#!/bin/sh\ntouch {started}\n")
    program.chmod(0o755)
    git(folder, "init", "-q")
    git(folder, "config", "core.fsmonitor", str(program))
    versions.author(folder, ["keywords.toml"])
    assert not started.exists()


def test_a_git_that_does_not_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "git"
    program.write_text("#!/bin/sh\nexit 128\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    assert versions.author(folder, ["keywords.toml"]) == getpass.getuser()


def test_files_that_are_gone(folder: Path) -> None:
    assert versions.author(folder / "none", ["keywords.toml"]) == "somebody"
    assert versions.author(folder, []) == "somebody"


def test_nothing_of_a_version_acts_in_the_terminal(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Git takes any name, and a file that was refused may hold anything."""
    acts = "\x1b]0;owned\x07\u202e"
    found = versions.write_down(session, {"care.toml": f"# {acts}words"}, f"eve{acts}", NOW, f"line {acts}1")
    number = found.number or 0
    session.rollback()
    monkeypatch.setitem(shell.given, "data", tmp_path / "data")
    command.show(number, whole=False, as_json=False)
    said = capsys.readouterr().out
    assert "saved by eve]0;owned" in said
    assert "]0;ownedwords" in said
    with pytest.raises(SystemExit):
        shell.fail(f"{acts}no")
    assert not set(acts) & set("\x1b\x07\u202e") & set(said + capsys.readouterr().err)
