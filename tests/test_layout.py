"""The shape of the tree is itself tested: where imports may point, what files may be called, who has a test."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PROJECT

ORDER = ("config", "listener", "nlp", "alerts")  # a package imports itself and what stands left of it
COMMANDS = {  # tested by the stories
    "listener/cli.py",
    "listener/cli_config.py",
    "listener/cli_privacy.py",
    "listener/lines.py",
    "listener/shell.py",
    *(f"listener/config_commands/{path.name}" for path in (PROJECT / "listener" / "config_commands").glob("*.py")),
}
SEES_ALL = {"listener/service.py", *COMMANDS}
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"}
# Tested as a table of their kind, or by the stories.
WITHOUT_OWN_TEST = {
    *COMMANDS,
    "listener/service.py",
    "listener/environment.py",
    "alerts/door.py",
    "alerts/finding.py",
    "alerts/center/room.py",
}
LONGEST_BODY = 60  # lines


def modules() -> list[Path]:
    found = [path for package in ORDER for path in (PROJECT / package).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", modules(), ids=name)
def test_imports_point_left(path: Path) -> None:
    own = path.relative_to(PROJECT).parts[0]
    allowed = ORDER if name(path) in SEES_ALL else ORDER[: ORDER.index(own) + 1]
    ours = {module.partition(".")[0] for module in imports(path)} & set(ORDER)
    assert ours <= set(allowed)


@pytest.mark.parametrize("path", modules(), ids=name)
def test_names_say_something(path: Path) -> None:
    assert path.stem not in SAYS_NOTHING


@pytest.mark.parametrize("path", [path for path in modules() if path.stem != "__init__"], ids=name)
def test_every_module_has_its_test(path: Path) -> None:
    place = PROJECT / "tests" / path.relative_to(PROJECT).parent
    own = place / f"test_{path.stem}.py"
    plugs = place / f"test_{path.parent.name}.py"  # one table for a folder of small plug-ins
    assert name(path) in WITHOUT_OWN_TEST or own.exists() or plugs.exists() or (place.parent / plugs.name).exists()


@pytest.mark.parametrize("path", modules(), ids=name)
def test_functions_stay_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.body[0].lineno < LONGEST_BODY, node.name  # type: ignore[operator]


def test_the_table_of_stages_is_whole() -> None:
    """Every stage of the flow is a file of its name."""
    stages = (
        "listener/collect",
        "listener/keep",
        "nlp/read",
        "alerts/decide",
        "alerts/deliver",
        "alerts/act",
        "alerts/report",
    )
    for number, stage in enumerate(stages, 1):
        assert f"STAGE {number}" in (PROJECT / f"{stage}.py").read_text(encoding="utf-8")
