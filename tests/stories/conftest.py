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
from leaks import Leaks
from warm import PROGRAM, Warm

from listener.environment import secret_names

_AT_MOST = 300.0  # seconds for a command; the machine may be busy
_STOP = 5.0  # seconds, after which a supervisor kills a service that it told to end


def to_stop() -> float:
    """Seconds a service may take to end: more, in proportion, while more than two programs want each of the cores."""
    return _STOP * max(1.0, os.getloadavg()[0] / (2 * (os.cpu_count() or 1)))


@dataclass
class Place:
    """Folders and variables of one installation."""

    config: Path
    data: Path
    warm: Warm
    variables: dict[str, str] = field(default_factory=dict)
    leaks: Leaks = field(default_factory=Leaks)

    def edit(self, file: str, pattern: str, replacement: str) -> None:
        """Change a config file as an admin would; fails when there is nothing to change."""
        path = self.config / file
        text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert count, f"{pattern!r} is not in {file}"
        path.write_text(text, encoding="utf-8")

    def call(
        self, *arguments: str, stdin: str | bytes = b"", program: str = PROGRAM, is_cold: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run call-light (or `program`, Python text that runs it) and wait for it; `is_cold`, in a new interpreter."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        cwd, env = self.data.parent, self.environment()
        if is_cold:
            command = [sys.executable, "-c", program, *arguments]
            done = subprocess.run(
                command, check=False, input=given, capture_output=True, cwd=cwd, env=env, timeout=_AT_MOST
            )
        else:
            done = self.warm.run(arguments, program, given, cwd, env, _AT_MOST)
        self.said(done.stderr.decode())
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def said(self, text: str) -> None:
        """Look through what a process has written to standard error."""
        secrets = (value for name, value in self.variables.items() if name in secret_names())
        self.leaks.tokens.update(part for value in secrets for part in value.split() if len(part) > 7)
        self.leaks.said(text)

    def environment(self) -> dict[str, str]:
        """Nothing of the machine's own but what Python needs."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": str(PROJECT),
            "COLUMNS": "120",
            "TMPDIR": str(self.data.parent),  # drafts of `config edit` that are left for later
            "CALL_LIGHT_CONFIG": str(self.config),
            "CALL_LIGHT_DATA": str(self.data),
            **self.variables,
        }


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """From which every command here is forked."""
    warm = Warm()
    yield warm
    warm.close()


@pytest.fixture
def place(tmp_path: Path, leaks: Leaks, warm: Warm) -> Place:
    """An installation without any account."""
    config = tmp_path / "config"
    shutil.copytree(PROJECT / "config", config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    place = Place(config, tmp_path / "data", warm, leaks=leaks)
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
    # Each command looks through every word of every template that it sees for the first time, which takes a second.
    place.edit("care.toml", r"(?:^\[\[replies\.templates\]\]\n(?:(?!\[).*\n)*)+(?=^\[\[replies\.templates\]\])", "")
    place.variables |= {
        "X_BEARER_TOKEN": "test-bearer",
        "SLACK_BOT_TOKEN": "xoxb-test-token",
        "SLACK_APP_TOKEN": "xapp-test-token",
    }
    return place
