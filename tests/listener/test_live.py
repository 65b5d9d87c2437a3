"""Taking up what admins save: at the second look at which it is the same, and never what is wrong."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from conftest import NOW, PROJECT
from sqlalchemy import Engine
from sqlmodel import Session

from alerts.known import config_of
from config.load import NAMES, ConfigError, Problem
from config.schema import Config
from listener import versions
from listener.errors import NeedsPerson
from listener.live import Live


class Admin:
    """A folder of config files, and what a service makes of it."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder, self.engine, self.made = folder, engine, 0
        for name in NAMES:
            shutil.copy(PROJECT / "config" / name, folder)
        self.breaks_with: Exception | None = None
        self.live = self.started()

    def started(self) -> Live[Config]:
        return Live(self.folder, self.engine, self._make_ready, lambda: NOW)

    def _make_ready(self, texts: Mapping[str, str], unread: Sequence[Problem], is_known: bool) -> Config:
        self.made += 1
        if self.breaks_with and not is_known:
            raise self.breaks_with
        return config_of(texts, self.folder, unread)

    def saves(self, old: str, new: str, name: str = "hospital.toml") -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def looks(self, times: int = 2) -> list[str | None]:
        """The town that each look takes up."""
        found = [self.live.look() for _ in range(times)]
        return [config and config.hospital.town for config in found]

    def versions(self) -> list[bool]:
        """Of each version whether it was taken up."""
        with Session(self.engine) as session:
            return [version.trouble is None for version in reversed(versions.every(session))]

    def trouble(self) -> str:
        with Session(self.engine) as session:
            newest = versions.newest(session)
            return (newest and newest.trouble) or ""


@pytest.fixture
def admin(tmp_path: Path, engine: Engine) -> Admin:
    folder = tmp_path / "config"
    folder.mkdir()
    return Admin(folder, engine)


TOWN = 'town = "Port Alder"'


def test_what_is_saved_is_taken_up_at_the_second_look(admin: Admin) -> None:
    admin.live.begin()
    assert admin.looks() == [None, None]
    admin.saves(TOWN, 'town = "Newport"')
    assert admin.looks(4) == [None, "Newport", None, None]
    assert admin.versions() == [True, True]


def test_a_file_that_is_being_written_is_left_alone(admin: Admin) -> None:
    admin.live.begin()
    text = (admin.folder / "hospital.toml").read_text()
    for share in (0.2, 0.5, 0.9):
        (admin.folder / "hospital.toml").write_text(text[: int(len(text) * share)])
        assert admin.looks(1) == [None]
    (admin.folder / "hospital.toml").write_text(text)
    assert admin.looks(3) == [None, None, None]
    assert admin.versions() == [True]


def test_what_was_only_touched_changes_nothing(admin: Admin) -> None:
    admin.live.begin()
    (admin.folder / "care.toml").touch()
    made = admin.made
    assert admin.looks(3) == [None, None, None]
    assert admin.made == made
    assert admin.versions() == [True]


def test_broken_files_are_refused_once_and_mended_ones_taken_up(admin: Admin) -> None:
    admin.live.begin()
    admin.saves(TOWN, 'twon = "Newport"')
    assert admin.looks(4) == [None] * 4
    assert admin.versions() == [True, False]
    assert "hospital.toml" in admin.trouble()
    assert "did you mean 'town'?" in admin.trouble()
    admin.saves("twon", "town")
    assert admin.looks() == [None, "Newport"]
    assert admin.versions() == [True, False, True]


def test_the_good_files_put_back_are_taken_up_again(admin: Admin) -> None:
    admin.live.begin()
    admin.saves(TOWN, "town = ")
    admin.looks()
    admin.saves("town = ", TOWN)
    assert admin.looks() == [None, "Port Alder"]
    assert admin.versions() == [True, False, True]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_gone_for_a_while(admin: Admin, name: str) -> None:
    admin.live.begin()
    (admin.folder / name).rename(admin.folder / "aside")
    assert admin.looks(3) == [None] * 3
    assert f"{name}:1:1: file: found nothing" in admin.trouble()
    (admin.folder / "aside").rename(admin.folder / name)
    assert admin.looks() == [None, "Port Alder"]


def test_the_whole_folder_is_gone_for_a_while(admin: Admin) -> None:
    admin.live.begin()
    admin.folder.rename(admin.folder.with_name("away"))
    assert admin.looks(3) == [None] * 3
    assert "no such folder" in admin.trouble()


def test_a_folder_behind_a_link_that_is_moved(admin: Admin, tmp_path: Path) -> None:
    """As Kubernetes changes the files of a ConfigMap."""
    new = tmp_path / "new"
    shutil.copytree(admin.folder, new)
    link = tmp_path / "link"
    link.symlink_to(admin.folder)
    admin.folder, admin.live = link, Live(link, admin.engine, admin._make_ready, lambda: NOW)
    admin.live.begin()
    (new / "hospital.toml").write_text((new / "hospital.toml").read_text().replace(TOWN, 'town = "Newport"'))
    link.unlink()
    link.symlink_to(new)
    assert admin.looks() == [None, "Newport"]


def test_a_start_with_broken_files_goes_on_by_the_last_good_ones(admin: Admin) -> None:
    admin.saves(TOWN, 'town = "Newport"')
    admin.live.begin()
    admin.saves('town = "Newport"', "town = ")
    for _ in range(2):
        admin.live = admin.started()
        assert admin.live.begin().hospital.town == "Newport"
    assert admin.versions() == [True, False]
    assert admin.looks() == [None, None]
    admin.saves("town = ", 'town = "Elsewhere"')
    assert admin.looks() == [None, "Elsewhere"]


def test_a_start_without_the_folder_goes_on_too(admin: Admin) -> None:
    admin.live.begin()
    admin.folder.rename(admin.folder.with_name("away"))
    assert admin.started().begin().hospital.town == "Port Alder"


def test_the_first_start_with_broken_files_says_all_mistakes(admin: Admin) -> None:
    admin.saves(TOWN, 'twon = "x"')
    with pytest.raises(ConfigError) as caught:
        admin.live.begin()
    assert {problem.key for problem in caught.value.problems} == {"town", "twon"}


@pytest.mark.parametrize("error", [NeedsPerson("no such model"), KeyError("words of a post")])
def test_whatever_else_goes_wrong_the_old_files_go_on(admin: Admin, error: Exception) -> None:
    admin.live.begin()
    admin.breaks_with = error
    admin.saves(TOWN, 'town = "Newport"')
    assert admin.looks(3) == [None] * 3
    assert admin.trouble() == (
        "no such model" if isinstance(error, NeedsPerson) else "they could not be checked (KeyError); please report it"
    )


def test_half_a_file_is_refused_even_where_it_is_right(admin: Admin) -> None:
    admin.live.begin()
    path = admin.folder / "keywords.toml"
    whole = path.read_text()
    half = whole[: whole.index("[exclude]")]
    path.write_text(half)
    assert admin.looks(3) == [None] * 3
    line = half.count("\n") + 1
    assert f"keywords.toml:{line}:1: file: found the beginning of what it was" in admin.trouble()
    path.write_text(half + "# that is all\n")
    assert admin.looks() == [None, "Port Alder"]


def test_blanks_at_the_end_are_no_half_file(admin: Admin) -> None:
    admin.live.begin()
    path = admin.folder / "keywords.toml"
    path.write_text(path.read_text().rstrip())
    assert admin.looks() == [None, "Port Alder"]


@pytest.mark.parametrize("name", ["hospital.toml", "care.toml"])
def test_what_was_added_at_the_end_can_be_taken_out_again(admin: Admin, name: str) -> None:
    """`config back` writes the text of before, which is then the beginning of what is in force."""
    admin.live.begin()
    path = admin.folder / name
    before = path.read_text()
    path.write_text(before + "\n# a remark\n")
    assert admin.looks() == [None, "Port Alder"]
    path.write_text(before)
    assert admin.looks() == [None, "Port Alder"]
    assert admin.versions() == [True, True, True]


def test_what_another_copy_of_the_service_took_up_first_is_taken_up_here_too(admin: Admin) -> None:
    """A second copy that waits, or one `call-light tick`, goes by the same folder and writes into the same database."""
    admin.live.begin()
    admin.saves(TOWN, 'town = "Newport"')
    admin.started().begin()
    assert admin.looks(4) == [None, "Newport", None, None]
    assert admin.versions() == [True, True]


def test_a_file_that_may_be_read_again_is_taken_up(admin: Admin) -> None:
    """Its rights are no part of what it says, or of when it was saved."""
    admin.live.begin()
    admin.breaks_with = NeedsPerson("a file that this program may read")
    admin.saves(TOWN, 'town = "Newport"')
    assert admin.looks(4) == [None] * 4
    admin.breaks_with = None
    (admin.folder / "hospital.toml").chmod(0o640)
    assert admin.looks() == [None, "Newport"]


def test_a_change_that_cannot_be_written_down_is_tried_again(
    admin: Admin, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.live.begin()
    admin.saves(TOWN, 'town = "Newport"')
    admin.looks(1)
    with monkeypatch.context() as broken:
        broken.setattr(versions, "newest", raises)
        with pytest.raises(OSError, match="locked"):
            admin.live.look()
    assert admin.looks() == ["Newport", None]


def raises(_session: Session) -> None:
    raise OSError("the database is locked")
