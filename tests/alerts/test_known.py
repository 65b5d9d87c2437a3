"""What loads the config files knows every section, action, phrase and template."""

import shutil
from pathlib import Path

import pytest
from conftest import PROJECT

from alerts.known import load_config
from config.load import ConfigError


def test_what_ships_is_good() -> None:
    assert load_config(PROJECT / "config").hospital.name == "Saint Brigid Medical Center"


@pytest.mark.parametrize(
    ("file", "old", "new", "found"),
    [
        ("report.toml", '"praise"', '"prase"', "'prase'"),
        ("care.toml", "[permissions]\n", '[permissions]\napprov = ["U0ANA1"]\n', "'approv'"),
        ("keywords.toml", '"lawyer*"', '"lawyer("', "lawyer("),
        ("care.toml", "Thank you again for letting us know.", "We are sorry about your wait.", "your wait"),
    ],
)
def test_each_is_checked(tmp_path: Path, file: str, old: str, new: str, found: str) -> None:
    folder = tmp_path / "config"
    shutil.copytree(PROJECT / "config", folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(folder)
    assert all(problem.file.endswith(file) for problem in caught.value.problems)
    assert any(found in problem.found + problem.allowed for problem in caught.value.problems)
