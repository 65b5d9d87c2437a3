"""Whoever runs the machine saves what is kept, loses it, and has it back; by the commands as they type them."""

import json
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest
from fakes.slack import FakeSlack
from fakes.x import FakeX
from stories.conftest import Place

PAIR = pyrage.x25519.Identity.generate()


def posts(place: Place) -> list[tuple[str, str | None]]:
    with closing(sqlite3.connect(place.data / "call-light.db")) as connection:
        return connection.execute("SELECT text, author FROM mention ORDER BY written_at").fetchall()


@pytest.mark.slow
def test_saved_forgotten_lost_and_back(connected: Place, x: FakeX, slack: FakeSlack, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    x.post("Waited six hours at St. Brigid's, nobody told us anything", "lee", at=now - timedelta(minutes=8))
    x.post("the food at St. Brigid's is cold again, my tray sat for an hour", "kim_9", at=now - timedelta(minutes=7))
    assert connected.call("tick").returncode == 0
    shelf, identity = tmp_path / "shelf", tmp_path / "identity"
    shelf.mkdir()
    identity.write_text(f"{PAIR}\n")
    connected.variables["CALL_LIGHT_BACKUP_KEY"] = str(PAIR.to_public())

    saved = connected.call("backup", str(shelf), "--keep", "3", "--json")
    assert saved.returncode == 0, saved.stderr
    told = json.loads(saved.stdout)
    assert (told["encrypted"], told["posts"], told["taken_away"]) == (True, 2, [])

    astray = connected.call("--data", str(tmp_path / "typo"), "forget", "--handle", "@Kim_9", "--dry-run")
    assert (astray.returncode, astray.stdout) == (1, "")
    assert "there is no database in" in astray.stderr
    assert not (tmp_path / "typo").exists()
    tried = connected.call("forget", "--handle", "@Kim_9", "--dry-run")
    assert tried.stdout == "1 post would be forgotten; nothing was changed\n"
    done = connected.call("forget", "--handle", "@Kim_9")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 post forgotten, "), done.stdout
    assert "tray" not in json.dumps([slack.messages(name) for name in ("social-care", "operations-social")])
    again = connected.call("forget", "--handle", "@Kim_9")
    assert (again.returncode, "nothing that is kept was theirs" in again.stderr) == (1, True)
    ours = connected.call("forget", "--handle", "StBrigidCares")
    assert (ours.returncode, "account of the hospital itself" in ours.stderr) == (1, True)

    refused = connected.call("restore", told["file"], "--identity", str(identity))
    assert (refused.returncode, "--force puts it aside" in refused.stderr) == (1, True)
    for path in connected.data.glob("call-light.db*"):  # the disk is gone
        path.unlink()
    back = connected.call("restore", told["file"], "--identity", str(identity))
    assert back.returncode == 0, back.stderr
    assert "1 of them were forgotten since, and are again" in back.stdout
    assert "It adds up." in back.stdout
    assert [author for _, author in posts(connected)] == ["lee", None]
    assert connected.call("ledger").returncode == 0


@pytest.mark.deep
def test_a_service_that_runs_is_not_replaced(connected: Place, tmp_path: Path) -> None:
    import subprocess
    import sys

    connected.call("tick")
    file = tmp_path / "saved.tar.gz"
    assert connected.call("backup", str(file)).returncode == 0
    command = [sys.executable, "-c", "from listener.cli import main; main()", "run"]
    running = subprocess.Popen(command, env=connected.environment(), cwd=tmp_path, stderr=subprocess.PIPE)
    assert running.stderr is not None
    try:
        assert b"Listening to" in running.stderr.readline()
        deadline = time.monotonic() + 60
        refused = connected.call("restore", str(file), "--force")
        assert time.monotonic() < deadline
        assert refused.returncode == 1
        assert "stop call-light run (and every other command) first" in refused.stderr
        assert connected.call("backup", str(tmp_path / "while.tar.gz")).returncode == 0, "a backup needs no stop"
    finally:
        running.terminate()
        running.communicate(timeout=60)
    assert connected.call("restore", str(file), "--force").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("backup", "."), "does not exist, so there is nothing to back up"),
        (("backup", "file.tar.gz", "--keep", "2"), "--keep needs a folder"),
        (("restore", "nothing.tar.gz"), "cannot read nothing.tar.gz"),
        (("forget",), "give either --handle or --url"),
    ],
)
def test_what_is_wrong_is_a_sentence(place: Place, arguments: tuple[str, ...], says: str) -> None:
    done = place.call(*arguments)
    assert done.returncode in (1, 2)
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_of_postgres_its_own_tools_are_named(place: Place, tmp_path: Path) -> None:
    place.variables["CALL_LIGHT_DATABASE_URL"] = "postgresql+psycopg://a:b@127.0.0.1/none"
    for command in (("backup", str(tmp_path)), ("restore", str(tmp_path / "file"))):
        done = place.call(*command)
        assert (done.returncode, "pg_dump" in done.stderr) == (1, True)
