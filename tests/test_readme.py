"""The README names what there is: every command, collector, action, section, category and config file."""

import re
import tomllib

import pytest
from conftest import PROJECT

from alerts.act import known_actions
from alerts.report import known_sections
from config.schema import Config
from listener.cli import app, hooks_app
from listener.cli_config import config_app
from listener.collect import known_collectors

README = (PROJECT / "README.md").read_text(encoding="utf-8")
DEPENDENCIES = (PROJECT / "docs" / "dependencies.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    plain = [
        (command.name or command.callback.__name__).rstrip("_")
        for command in app.registered_commands
        if command.callback
    ]
    groups = (("config", config_app), ("hooks", hooks_app))
    return plain + [f"{name} {command.name}" for name, group in groups for command in group.registered_commands]


@pytest.mark.parametrize("command", commands())
def test_names_every_command(command: str) -> None:
    assert f"call-light {command}" in README


@pytest.mark.parametrize("plug", [*known_collectors(), *known_actions(), *known_sections()])
def test_names_every_plug_in(plug: str) -> None:
    assert f"`{plug}`" in README


def test_names_every_category(config: Config) -> None:
    assert [name for name in config.keywords.categories if f"`{name}`" not in README] == []


@pytest.mark.parametrize("file", sorted(path.name for path in (PROJECT / "config").glob("*.toml")))
def test_names_every_config_file(file: str) -> None:
    assert file in README


def test_every_picture_and_link_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", README):
        assert (PROJECT / target).exists(), target


def test_every_dependency_is_justified() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    project = declared["project"]
    groups = (*project["optional-dependencies"].values(), *declared["dependency-groups"].values())
    for one in (*project["dependencies"], *(each for group in groups for each in group if isinstance(each, str))):
        name = re.split(r"[^A-Za-z0-9._-]", one)[0]
        assert name.lower() in DEPENDENCIES.lower(), name


def test_the_lock_file_pins_with_hashes_and_names_no_host() -> None:
    lock = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^[A-Za-z0-9._-]+==", lock, flags=re.MULTILINE)
    assert len(pinned) > 40
    assert lock.count("--hash=sha256:") >= len(pinned)
    assert not re.search(r"://|file:|--", lock.replace("--hash=sha256:", "")), "no option and no address"
