"""Somebody stops the service at a bad moment: it ends by itself within five seconds, and nothing is lost or told twice.

Five seconds are what a supervisor gives before it kills; these tests measure, as nothing else would show it.
"""

import contextlib
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fakes.server import Stall
from fakes.slack import FakeSlack
from fakes.x import FakeX
from stories.conftest import Place, to_stop

pytestmark = pytest.mark.slow

_BACKLOG = 400  # posts
_PATIENCE = 90.0  # until it does what it is stopped in; the machine may be busy
COLLAPSED = "my dad collapsed in the waiting room at St. Brigid's and nobody comes"


@contextlib.contextmanager
def running(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    """`call-light run`; what it writes is looked through."""
    command = [sys.executable, "-c", "from listener.cli import main; main()", "run"]
    with open(place.data.parent / "logs", "wb") as logs:
        service = subprocess.Popen(command, env=place.environment(), cwd=place.data.parent, stderr=logs)
    try:
        yield service
    finally:
        service.kill()
        service.wait(10)
        place.said((place.data.parent / "logs").read_text())


def waits_until(happens: Callable[[], object], service: subprocess.Popen[bytes], place: Place) -> None:
    until = time.monotonic() + _PATIENCE
    while not happens():
        logs = (place.data.parent / "logs").read_text()
        assert service.poll() is None, logs
        assert time.monotonic() < until, logs
        time.sleep(0.02)


def ends(service: subprocess.Popen[bytes], how: signal.Signals, place: Place) -> None:
    """It is told to, and ends by itself, in time."""
    service.send_signal(how)
    try:
        status = service.wait(to_stop())
    except subprocess.TimeoutExpired:
        pytest.fail(f"it had to be killed: {(place.data.parent / 'logs').read_text()[-2000:]}")
    assert status == 0, (place.data.parent / "logs").read_text()[-2000:]


def counted(place: Place, question: str) -> int:
    """By the database as others see it now."""
    path = place.data / "call-light.db"
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as database:
        try:
            return int(database.execute(question).fetchone()[0])
        except sqlite3.OperationalError:  # it is being made
            return 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def quick(connected: Place, slack: FakeSlack) -> Place:
    """Without the trained model, which takes seconds to load."""
    slack.now, slack.enforce_rate = time.time, False
    connected.edit("keywords.toml", "^model = true$", "model = false")
    return connected


def is_whole(place: Place, slack: FakeSlack, posts: int, cards: int) -> None:
    """Started again, it carries on: each post is there once, each case has one card, and the ledger adds up."""
    slack.heal()
    for _ in range(10):
        with contextlib.closing(sqlite3.connect(place.data / "call-light.db")) as database:
            database.execute("update delivery set next_try_at = created_at where state != 'sent'")
            database.execute("update watch set paused_until = null")
            database.commit()
        place.call("tick")
        if not counted(place, "select count(*) from delivery where kind = 'card' and state != 'sent'"):
            break
    assert counted(place, "select count(*) from mention") == posts
    channels = ("social-care", "social-care-danger")
    told = [card["metadata"]["event_payload"]["case_id"] for name in channels for card in slack.messages(name)]
    assert Counter(told) == Counter(set(told))
    assert len(told) == cards
    assert json.loads(place.call("ledger", "--json").stdout)["adds_up"]


@pytest.mark.deep
def test_while_it_reads_a_backlog(connected: Place, x: FakeX, slack: FakeSlack) -> None:
    slack.now, slack.enforce_rate = time.time, False
    now = datetime.now(UTC)
    for number in range(_BACKLOG):
        text = (
            f"Waited {number} minutes at St. Brigid's and nobody told us anything about our appointment, ward {number}"
        )
        x.post(text, author=f"waits{number}", at=now - timedelta(hours=2, seconds=number))
    with running(connected) as service:
        waits_until(lambda: counted(connected, "select count(*) from mention") >= 100, service, connected)
        ends(service, signal.SIGTERM, connected)
    assert counted(connected, "select count(*) from reading") < _BACKLOG, "it was not stopped in the middle"
    connected.edit("keywords.toml", "^model = true$", "model = false")  # it reads what is left at once
    connected.call("tick")
    assert counted(connected, "select count(*) from mention") == _BACKLOG
    assert counted(connected, "select count(distinct mention_id) from reading") == _BACKLOG
    assert json.loads(connected.call("ledger", "--json").stdout)["stuck"] == {}


def test_while_slack_and_x_say_nothing(quick: Place, x: FakeX, slack: FakeSlack) -> None:
    x.post(COLLAPSED, author="kim", at=datetime.now(UTC) - timedelta(minutes=2))
    slack.fail_next(Stall(60), on="chat.postMessage", times=None)
    x.fail_next(Stall(60), on="search", after=1, times=None)
    with running(quick) as service:
        waits_until(lambda: slack.seen("chat.postMessage"), service, quick)
        ends(service, signal.SIGTERM, quick)
    x.heal()
    is_whole(quick, slack, posts=1, cards=1)


def test_while_pages_are_open_and_the_form_listens(quick: Place, x: FakeX, slack: FakeSlack) -> None:
    port = free_port()
    quick.edit("care.toml", r"^\[center\]\non = false$", "[center]\non = true")
    quick.edit("care.toml", r'^listen = "127.0.0.1:8765"', f'listen = "127.0.0.1:{port}"')
    quick.edit("listening.toml", r"(\[collectors\.listening_post\]\n)on = false", r"\1on = true")
    quick.edit("listening.toml", "^port = 8642$", f"port = {free_port()}")

    def is_open() -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return True
        return False

    with running(quick) as service, contextlib.ExitStack() as pages:
        waits_until(is_open, service, quick)
        for path in ("/live/inbox", "/live/waterfall", "/"):
            page = pages.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            page.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert page.recv(100).startswith(b"HTTP/1.1")
        ends(service, signal.SIGINT, quick)


def test_while_another_program_holds_the_database(quick: Place, x: FakeX, slack: FakeSlack) -> None:
    x.post(COLLAPSED, author="kim", at=datetime.now(UTC) - timedelta(minutes=2))
    with running(quick) as service:
        waits_until(lambda: slack.messages("social-care-danger"), service, quick)
        with contextlib.closing(sqlite3.connect(quick.data / "call-light.db", timeout=30)) as other:
            other.execute("begin immediate")
            ends(service, signal.SIGTERM, quick)
    is_whole(quick, slack, posts=1, cards=1)
