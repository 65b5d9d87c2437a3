"""The first ten minutes: somebody who has just cloned it watches the week play in; then the service with its page."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect
from stories.conftest import Place
from stories.test_live import free_port

pytestmark = pytest.mark.slow

_PATIENCE = 120.0  # seconds; the machine may be busy
DANGER = "my dad collapsed in your waiting room at St. Brigid's and nobody comes"


class Said:
    """A command that goes on, and what it says."""

    def __init__(self, place: Place, *arguments: str) -> None:
        command = [sys.executable, "-c", "from listener.cli import main; main()", *arguments]
        self.process = subprocess.Popen(
            command, env=place.environment() | {"COLUMNS": "300"}, cwd=place.data.parent, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.lines: list[str] = []
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        self.lines += self.process.stdout  # as they come

    def waits_for(self, pattern: str) -> re.Match[str]:
        until = time.monotonic() + _PATIENCE
        while not (found := re.search(pattern, "".join(list(self.lines)))):
            assert time.monotonic() < until, "".join(self.lines)[-3000:]
            assert self.process.poll() is None, "".join(self.lines)[-3000:]
            time.sleep(0.05)
        return found

    def ends(self) -> int:
        """Asked to, as by Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


@contextmanager
def running(place: Place, *arguments: str) -> Iterator[Said]:
    said = Said(place, *arguments)
    try:
        yield said
    finally:
        said.process.kill()
        said.process.wait()
        said.listener.join()
        place.said("".join(said.lines))
        assert said.process.stdout is not None
        said.process.stdout.close()


def status(address: str) -> int | None:
    """Of an answer; None where nobody answers."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def becomes(address: str, wanted: int | None) -> None:
    until = time.monotonic() + _PATIENCE
    while (found := status(address)) != wanted:
        assert time.monotonic() < until, (address, found)
        time.sleep(0.1)


def test_a_newcomer_watches_the_week_and_tries_everything(place: Place, chromium: Browser) -> None:
    place.edit("care.toml", r'^listen = "127.0.0.1:8765"$', f'listen = "127.0.0.1:{free_port()}"')
    place.edit("listening.toml", "^port = 8642$", f"port = {free_port()}")

    def window(path: str) -> Page:
        page = chromium.new_page()
        page.goto(address + path)
        return page

    with running(place, "demo", "--serve", "--seconds", "0") as demo:
        address = demo.waits_for(r"The Listening Center: (http://127\.0\.0\.1:\d+)")[1]
        hall = window("/")
        posts = hall.locator("#falls > li")
        expect(posts.first).to_be_visible(timeout=60_000)  # they fall in while one looks
        demo.waits_for("stays open at")
        assert posts.count() > 20

        inbox = window("/inbox")
        inbox.locator("#free .line .claim").first.click()
        inbox.mouse.move(1, 1)  # nothing moves under a pointer
        expect(inbox.locator("#mine .line")).to_have_count(1)

        visitor = window("/listen/")
        visitor.get_by_label("What happened?").fill(DANGER)
        visitor.get_by_role("button", name="Send").click()
        expect(visitor.get_by_role("status")).to_be_visible()
        line = inbox.locator(".line.danger", has_text="collapsed in your waiting room")
        expect(line).to_be_visible(timeout=60_000)
        expect(hall.locator("#falls > li", has_text="collapsed in your waiting room")).to_be_visible()

        line.get_by_role("link").click()
        inbox.get_by_role("link", name="Draft a reply").click()
        inbox.locator("#field-reply").fill("Hi Cathy, sorry about your surgery wait")
        expect(inbox.locator("#check mark").first).to_be_visible(timeout=30_000)
        inbox.get_by_role("button", name="Check it").click()
        expect(inbox.get_by_role("alert").first).to_be_visible()
        assert demo.ends() == 0
    assert "Traceback" not in "".join(demo.lines)


@pytest.mark.deep
def test_where_the_port_is_taken_the_demo_takes_another(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        place.edit("care.toml", r'^listen = "127.0.0.1:8765"$', f'listen = "127.0.0.1:{port}"')
        with running(place, "demo", "--serve", "--seconds", "0") as demo:
            address = demo.waits_for(r"The Listening Center: (http://127\.0\.0\.1:\d+)")[1]
            assert address != f"http://127.0.0.1:{port}"
            becomes(f"{address}/healthz", 200)
            assert demo.ends() in (0, 130)
    assert "is used by another program" not in "".join(demo.lines), "nothing is wrong that a newcomer has to mend"


def open_at(place: Place, port: int) -> None:
    """The center is on, at this port, and something is listened to."""
    place.edit(
        "care.toml", r'^\[center\]\non = false\nlisten = ".*"$', f'[center]\non = true\nlisten = "127.0.0.1:{port}"'
    )
    place.edit("listening.toml", r"(\[collectors\.file\]\n)on = false", r"\1on = true")


@pytest.mark.deep
def test_the_service_opens_its_page_and_moves_it_where_care_toml_says(place: Place) -> None:
    first, second = free_port(), free_port()
    open_at(place, first)
    with running(place, "run") as service:
        service.waits_for(f"The Listening Center: http://127.0.0.1:{first}")
        becomes(f"http://127.0.0.1:{first}/readyz", 200)
        assert status(f"http://127.0.0.1:{first}/inbox") == 200
        place.edit("care.toml", f'^listen = "127.0.0.1:{first}"$', f'listen = "127.0.0.1:{second}"')
        becomes(f"http://127.0.0.1:{second}/readyz", 200)
        becomes(f"http://127.0.0.1:{first}/readyz", None)
        place.edit("care.toml", r"^\[center\]\non = true$", "[center]\non = false")
        becomes(f"http://127.0.0.1:{second}/readyz", None)
        assert service.ends() == 0


@pytest.mark.deep
def test_a_port_that_is_taken_stops_nothing_else(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        open_at(place, port)
        with running(place, "run") as service:
            service.waits_for(f"Listening Center: port {port} on 127.0.0.1 is used by another program")
            taken.close()
            becomes(f"http://127.0.0.1:{port}/readyz", 200)
            service.waits_for("The Listening Center is open again")
            assert service.ends() == 0
