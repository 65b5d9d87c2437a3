"""Secrets come from the environment, .env or files; those of single hooks by the beginning of their names."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from listener.database import open_database
from listener.environment import Environment, environment, exposed, secret_names
from listener.errors import NeedsPerson


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own, with the usual mask of new files."""
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    mask = os.umask(0o022)
    yield tmp_path
    os.umask(mask)


def test_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALL_LIGHT_PAGER_URLS", "json://a\njson://b\n")
    monkeypatch.setenv("CALL_LIGHT_HOOK_SECRET", "")
    monkeypatch.setenv("CALL_LIGHT_HOOK_SECRET_CRM", " whsec_x ")
    monkeypatch.setenv("CALL_LIGHT_HOOKS", "no secret of ours")
    found = environment()
    assert found.secrets == {"CALL_LIGHT_PAGER_URLS": "json://a\njson://b", "CALL_LIGHT_HOOK_SECRET_CRM": "whsec_x"}
    assert "whsec_x" not in repr(found)


@pytest.mark.parametrize("name", [*secret_names(), "CALL_LIGHT_HOOK_SECRET_CRM"])
def test_a_file_for_each_secret(here: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As systemd, Docker and Kubernetes give them: not in the environment, which every program started from here has."""
    (here / "given").write_text("planted-secret\n")
    monkeypatch.setenv(f"{name}_FILE", "given")
    found = environment()
    assert found.secrets == {name: "planted-secret"}
    assert "planted-secret" not in repr(found)


def test_a_folder_of_them(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What systemd has read for a service, as root, from where the service itself may not read."""
    given = {"SLACK_BOT_TOKEN": "one", "CALL_LIGHT_HOOK_SECRET_CRM": "two", "PATH": "of another program"}
    (here / "given").mkdir()
    for name, secret in given.items():
        (here / "given" / name).write_text(secret)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "given")
    assert environment().secrets == {"SLACK_BOT_TOKEN": "one", "CALL_LIGHT_HOOK_SECRET_CRM": "two"}
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "nowhere")
    assert environment().secrets == {}


def test_the_database_s_address_has_a_password_too(here: Path) -> None:
    (here / "given").write_text("postgresql+psycopg://u:planted@h/n")
    (here / ".env").write_text("CALL_LIGHT_DATABASE_URL_FILE=given\n")
    found = environment()
    assert found.database_url == "postgresql+psycopg://u:planted@h/n"
    assert "planted" not in repr(found)


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read"), (b"", "is empty"), (b"\n", "is empty"), (b"\xff", "not text"), (b"x" * 70_000, "large")],
)
def test_a_file_that_holds_none(here: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, why: str) -> None:
    """Who wrote the secret itself there is not shown it again."""
    if content is not None:
        (here / "planted-secret").write_bytes(content)
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", "planted-secret")
    with pytest.raises(NeedsPerson, match=f"^SLACK_BOT_TOKEN_FILE: .*{why}") as told:
        environment()
    assert "planted" not in str(told.value)


def test_given_twice(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "old")
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", "given")
    with pytest.raises(NeedsPerson, match="SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set; keep one of them"):
        environment()


@pytest.mark.parametrize("file", [".env", "data/center.key", "data/call-light.db", "given"])
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o604])
def test_a_file_that_others_may_read_is_told(here: Path, file: str, mode: int) -> None:
    path = Path(file)
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    path.chmod(mode)
    found = Environment(here / "config", Path("data"), secret_files=(Path(".env"), Path("given")))
    told = f"{file} may be read by other accounts of this machine (mode {mode:o}); type: chmod 600 {file}"
    assert list(exposed(found)) == ([told] if mode & 0o077 else [])
    path.resolve().parent.chmod(0o700)
    assert list(exposed(found)) == [], "nobody gets there"


def test_what_a_container_engine_gives_is_seen_by_nobody_else(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = here / "slack"
    path.touch(0o644)
    found = replace(environment(), secret_files=(path,))
    assert len(list(exposed(found))) == 1
    monkeypatch.setattr("listener.environment._ENGINES_OWN", str(here))
    assert list(exposed(found)) == []


def test_what_is_kept_is_private_from_the_start(here: Path) -> None:
    engine = open_database(here / "data")
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        kept = {path.name: path.stat().st_mode & 0o777 for path in (here / "data").iterdir()}
    engine.dispose()
    assert (here / "data").stat().st_mode & 0o777 == 0o700
    assert kept == {"call-light.db": 0o600, "call-light.db-wal": 0o600, "call-light.db-shm": 0o600}
