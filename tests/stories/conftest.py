"""A hospital to tell stories about: the shipped configuration in a folder of its own, with X and Slack on loopback."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from browser import chromium, hall, windows  # noqa: F401  # fixtures
from conftest import PROJECT
from fakes.slack import CARE_CHANNELS, FakeSlack
from fakes.x import FakeX


@dataclass
class Place:
    """Folders and variables of one installation."""

    config: Path
    data: Path
    variables: dict[str, str] = field(default_factory=dict)

    def edit(self, file: str, pattern: str, replacement: str) -> None:
        """Change a config file as an admin would; fails when there is nothing to change."""
        path = self.config / file
        text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert count, f"{pattern!r} is not in {file}"
        path.write_text(text, encoding="utf-8")

    def call(
        self, *arguments: str, stdin: str | bytes | None = None, program: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run call-light (or `program`, Python text that runs it) and wait for it."""
        command = [sys.executable, "-c", program or "from listener.cli import main; main()", *arguments]
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            command,
            check=False,
            input=given or b"",
            capture_output=True,
            cwd=self.data.parent,
            env=self.environment(),
            timeout=120,
        )
        return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    def environment(self) -> dict[str, str]:
        """Nothing of the machine's own but what Python needs."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": str(PROJECT),
            "COLUMNS": "120",
            "CALL_LIGHT_CONFIG": str(self.config),
            "CALL_LIGHT_DATA": str(self.data),
            **self.variables,
        }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An installation without any account."""
    config = tmp_path / "config"
    shutil.copytree(PROJECT / "config", config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    place = Place(config, tmp_path / "data")
    place.edit("care.toml", r"^\[center\]\non = true$", "[center]\non = false")  # its port is one for all tests
    return place


@pytest.fixture
def x() -> Iterator[FakeX]:
    """X, where no post hides for its first 30 seconds."""
    with FakeX(lag=0, own_handle="StBrigidCares") as x:
        yield x


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    """Slack with the channels of care.toml."""
    with FakeSlack() as slack:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        yield slack


@pytest.fixture
def connected(place: Place, x: FakeX, slack: FakeSlack) -> Place:
    """An installation that listens to X and tells Slack."""
    place.edit(
        "listening.toml",
        r"\[collectors\.x\]\non = false",
        f'[collectors.x]\non = true\nbase_url = "{x.base_url}"\nqueries = ["brigid"]',
    )
    place.edit("care.toml", r"^\[slack\]$", f'[slack]\nbase_url = "{slack.base_url}"')
    place.variables |= {
        "X_BEARER_TOKEN": "test-bearer",
        "SLACK_BOT_TOKEN": "xoxb-test-token",
        "SLACK_APP_TOKEN": "xapp-test-token",
    }
    return place
