"""An admin saves files while the service runs: it goes by them within ten seconds, and is never stopped by a mistake."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session
from stories.conftest import Place

from config.load import read_files
from listener import versions
from listener.database import open_database

_AT_MOST = 90.0  # seconds; ten are promised, and the machine may be busy


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """call-light run, and what it says."""

    def __init__(self, place: Place) -> None:
        command = [sys.executable, "-c", "from listener.cli import main; main()", "run"]
        self.process = subprocess.Popen(
            command, env=place.environment(), cwd=place.data.parent, stderr=subprocess.PIPE, text=True
        )
        self.said: list[str] = []
        self.place = place
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)

    def heard(self) -> str:
        return " ".join("".join(self.said).replace("│", " ").split())

    def waits_for(self, words: str) -> None:
        until = time.monotonic() + _AT_MOST
        while words not in self.heard():
            assert time.monotonic() < until, self.heard()
            time.sleep(0.05)

    def ends(self) -> None:
        """At once, whatever it does."""
        self.process.kill()
        self.process.wait()
        self.listener.join()
        self.place.said("".join(self.said))
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture
def running(place: Place) -> Iterator[Running]:
    place.edit("keywords.toml", "^model = true$", "model = false")
    place.edit("listening.toml", r"(\[collectors\.listening_post\]\n)on = false", r"\1on = true")
    place.edit("listening.toml", "^port = 8642$", f"port = {free_port()}")
    service = Running(place)
    try:
        yield service
    finally:
        service.ends()


def form(place: Place) -> str:
    port = (place.config / "listening.toml").read_text().partition("port = ")[2].partition("\n")[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return str(answer.read().decode())


def form_says(place: Place, words: str) -> bool:
    until = time.monotonic() + _AT_MOST
    while time.monotonic() < until:
        try:
            if words in form(place):
                return True
        except OSError:  # it opens anew
            pass
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_a_saved_file_is_gone_by_and_a_broken_one_is_not(place: Place, running: Running) -> None:
    assert form_says(place, "Patient Relations 555-0100")
    place.edit("listening.toml", "Patient Relations 555-0100", "The Patient Line 555-0199")
    running.waits_for(
        "version 2 is in force now. collectors.listening_post.contact: 'The Patient Line 555-0199', was 'Patient Relations 555-0100'"
    )
    assert form_says(place, "The Patient Line 555-0199")

    good = (place.config / "listening.toml").read_text()
    place.edit("listening.toml", "The Patient Line", "A third line")
    place.edit("hospital.toml", "^town", "twon")
    running.waits_for("did you mean 'town'?")
    running.waits_for("Version 2 of")
    assert "The Patient Line" in form(place)  # the other file is right, and is not taken up alone

    assert place.call("config", "back").returncode == 0
    running.waits_for("The config files are right again")
    assert (place.config / "listening.toml").read_text() == good
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=10) == 0

    history = json.loads(place.call("config", "history", "--json").stdout)
    assert [(one["version"], bool(one["refused"])) for one in history] == [
        (4, False),
        (3, True),
        (2, False),
        (1, False),
    ]
    assert "Traceback" not in running.heard()


@pytest.mark.deep
def test_a_place_that_is_switched_on_is_listened_to(place: Place, running: Running, tmp_path: Path) -> None:
    assert form_says(place, "Patient Relations")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    post = {
        "text": "waited five hours in the ER at St. Brigid's and nobody told us anything",
        "url": "https://x.example/1",
    }
    (inbox / "a.jsonl").write_text(json.dumps({"id": "1", "created_at": "2026-11-16T10:00:00Z", **post}) + "\n")
    place.edit("listening.toml", r"(\[collectors\.file\]\n)on = false", r"\1on = true")
    place.edit("listening.toml", '^path = "data/inbox"', f'path = "{inbox}"')
    running.waits_for("waited five hours in the ER")  # the card


@pytest.mark.slow
def test_a_service_that_starts_with_a_broken_file_listens_all_the_same(place: Place) -> None:
    place.edit("keywords.toml", "^model = true$", "model = false")
    assert place.call("tick").returncode == 0
    place.edit("hospital.toml", "^town", "twon")
    tick = place.call("tick")
    assert tick.returncode == 0
    assert "did you mean 'town'?" in tick.stderr
    assert "The files are not used; version 1 goes on" in tick.stderr
    assert "Config refused" in tick.stderr
    assert "Config refused" not in place.call("tick").stderr  # told once
    assert place.call("cases").returncode == 0
    place.edit("hospital.toml", "^twon", "town")
    assert "Config right again" in place.call("tick").stderr


@pytest.mark.slow
def test_what_was_in_force_stays_in_force_when_the_rules_for_templates_become_stricter(place: Place) -> None:
    """Before the new version is installed the old one took them up; its replies are checked when they are sent, too."""
    place.edit("keywords.toml", "^model = true$", "model = false")
    place.edit("care.toml", "Thank you for asking. If there", "We saw you in our ER. If there")
    with Session(open_database(place.data)) as session:
        versions.write_down(session, read_files(place.config)[0], "root", datetime.now(UTC))
    assert "replies.templates" in place.call("config", "check").stderr, "the rules that are now would not take it"
    tick = place.call("tick")
    assert (tick.returncode, "refused" in tick.stderr) == (0, False), tick.stderr
    place.edit("hospital.toml", "^town", "twon")
    tick = place.call("tick")
    assert (tick.returncode, "version 1 goes on" in tick.stderr) == (0, True), tick.stderr


@pytest.mark.slow
def test_only_what_the_service_would_take_is_put_back_and_nothing_is_lost_by_it(place: Place) -> None:
    place.edit("keywords.toml", "^model = true$", "model = false")
    assert place.call("tick").returncode == 0
    care, good = place.config / "care.toml", (place.config / "care.toml").read_text()
    care.unlink()
    assert "found nothing" in place.call("tick").stderr
    care.write_text("x = 1\n")
    assert "an unknown key" in place.call("tick").stderr
    for number, sentence in (
        ("2", "version 2 cannot be put back: care.toml could not be read when it was saved"),
        ("3", "Version 3 cannot be put back; nothing was saved."),
    ):
        refused = place.call("config", "back", number)
        assert refused.returncode == 1
        assert sentence in refused.stderr
    assert care.read_text() == "x = 1\n"
    care.write_bytes(good.encode("utf-16"))  # as an editor of Windows saves it
    back = place.call("config", "back")
    assert f"could not be read is kept as {care}.unreadable" in back.stdout
    assert Path(f"{care}.unreadable").read_bytes().decode("utf-16") == care.read_text() == good
