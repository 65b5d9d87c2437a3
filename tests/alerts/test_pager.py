"""Pages by apprise itself, to services that take them, refuse them, and never answer."""

import contextlib
import io
import logging
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import PROJECT
from fakes.pager import FakePager
from fakes.server import NotJson, RateLimited, Reset, Stall, Status

from alerts.message import note
from alerts.pager import UNKNOWN, Pager
from listener.errors import CallLightError, NeedsPerson, TryLater
from listener.logs import start_logging

PAGE = note("unattended, Harbor Campus Emergency, nobody has it.", "Call Light: DANGER, case 12", "key")
SECRETS = ("hunter2", "oncall:", "tk_secret")


@pytest.fixture
def service() -> Iterator[FakePager]:
    with FakePager() as fake:
        yield fake


def levels() -> dict[str, int]:
    """Of every logger there is."""
    return {name: logging.getLogger(name).level for name in list(logging.root.manager.loggerDict)}


@pytest.fixture
def quiet(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of an address may be written anywhere, however much is logged."""
    written = io.StringIO()
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    before = levels()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", written)
        start_logging(logging.DEBUG)
    changed = levels().items() - before.items()
    yield
    for name, _ in changed:  # or a test that looks at logs would fail after this one
        logging.getLogger(name).setLevel(before.get(name, logging.NOTSET))
    said = written.getvalue() + "".join(capfd.readouterr())
    assert not [secret for secret in (*SECRETS, "127.0.0.1") if secret in said]


def pages(service: FakePager, *addresses: str) -> str:
    """What is said when these addresses are paged."""
    try:
        sent = Pager("\n".join(addresses), within=5).post("pager", PAGE, "key")
        said = f"{sent.place}: {sent.trouble}"
    except CallLightError as error:
        said = f"{type(error).__name__}: {error}"
    assert not [secret for secret in SECRETS if secret in said]
    return said


@pytest.mark.usefixtures("quiet")
def test_every_address_is_paged(service: FakePager) -> None:
    assert pages(service, service.json(), service.ntfy(options="?priority=max")) == "2 of 2: None"
    said = "Call Light: DANGER, case 12 | unattended, Harbor Campus Emergency, nobody has it."
    assert service.pages() == [said, said]
    by_json, by_ntfy = sorted(service.requests, key=lambda request: request.path, reverse=True)
    assert by_json.body["type"] == "failure"  # what services with priorities take for urgent
    assert by_ntfy.headers["x-priority"] == "max"
    assert by_json.headers["user-agent"] == "Call Light"
    assert not [word for request in service.requests for word in ("github", "Apprise") if word in request.raw.decode()]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Status(401), "refuses it (401); check the token in it and to whom it goes"),
        (Status(404), "refuses it (404); check the token in it and to whom it goes"),
        (Status(302, None, {"location": "/elsewhere"}), "answers 302"),  # a redirect would carry our token away
        (Status(500), "answers 500"),
        (RateLimited(), "answers 429"),
        (Reset(), "did not take it; check the address and the network"),
        (Stall(20), "did not take it; check the address and the network"),
    ],
    ids=str,
)
def test_one_that_fails_does_not_stop_the_others(service: FakePager, fault: Any, said: str) -> None:
    service.fail_next(fault, times=None, on="broken")
    addresses = (service.json(), service.json("broken", "?rto=0.3"), service.ntfy())
    assert pages(service, *addresses) == f"2 of 3: the 2nd address of CALL_LIGHT_PAGER_URLS (JSON) {said}"
    assert len(service.pages()) == 2
    assert not service.seen("elsewhere")


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ((Status(401), Status(403)), "NeedsPerson: nobody could be paged: the 1st address"),
        ((Status(401), Status(503)), "TryLater: nobody could be paged: the 1st address"),
        ((Reset(), Reset()), "TryLater: nobody could be paged: the 1st address"),
    ],
    ids=str,
)
def test_nobody_could_be_paged(service: FakePager, faults: tuple[Any, Any], said: str) -> None:
    for path, fault in zip(("one", "two"), faults, strict=True):
        service.fail_next(fault, on=path)
    found = pages(service, service.json("one"), service.json("two"))
    assert found.startswith(said)
    assert "; the 2nd address" in found


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("address", ["hunter2", "pushover://oncall:hunter2@tk_secret", "json://", "foo://hunter2"])
def test_an_address_that_nobody_knows(service: FakePager, address: str) -> None:
    said = (
        "the 2nd address of CALL_LIGHT_PAGER_URLS (unknown) is none that apprise knows; "
        "docs/handoff.md says how they are written"
    )
    assert pages(service, service.json(), address) == f"1 of 2: {said}"
    assert pages(service, address, address).startswith("NeedsPerson: nobody could be paged: the 1st")
    assert Pager(f"{service.json()} {address}").services == ["JSON", "unknown"]


def test_no_address() -> None:
    with pytest.raises(NeedsPerson, match=r"^CALL_LIGHT_PAGER_URLS names no address, so nobody can be paged"):
        Pager(" \n").post("pager", PAGE, "key")


def test_a_failure_that_apprise_is_told_to_overlook(service: FakePager) -> None:
    service.fail_next(Status(500), times=None)
    assert pages(service, service.json(options="?optional=yes")).startswith("TryLater")


def test_an_answer_of_another_kind_is_an_answer(service: FakePager) -> None:
    service.fail_next(NotJson())
    assert pages(service, service.json()) == "1 of 1: None"


# ---------------------------------------------------------------- services that never answer


@contextlib.contextmanager
def drips() -> Iterator[tuple[str, list[socket.socket]]]:
    """An address that sends a byte now and then for ever, so that no time limit between two bytes ends it."""
    connections: list[socket.socket] = []
    over = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connections.append(connection)
                threading.Thread(target=drip, args=(connection,), daemon=True).start()

    def drip(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.sendall(b"HTTP/1.1 500 Oh\r\ncontent-length: 100000\r\n\r\n")
            while not over.wait(0.05):
                connection.sendall(b" ")

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"json://127.0.0.1:{listening.getsockname()[1]}/slow", connections
    finally:
        over.set()
        listening.close()


def test_what_never_answers_holds_up_nothing(service: FakePager) -> None:
    with drips() as (slow, connections):
        pager = Pager(f"{slow} {service.json()}", within=0.5)
        begun = time.monotonic()
        sent = pager.post("pager", PAGE, "key")
        slowly = "the 1st address of CALL_LIGHT_PAGER_URLS (JSON)"
        assert (sent.place, sent.trouble) == ("1 of 2", f"{slowly} gave no answer within 0.5 s")
        for _ in range(40):  # half a second each, if it waited again
            assert pager.post("pager", PAGE, "key").trouble == f"{slowly} has not answered an earlier page yet"
        assert time.monotonic() - begun < 15
        assert (len(service.pages()), len(connections)) == (41, 1)


def test_what_answers_late_is_paged_again(service: FakePager) -> None:
    with drips() as (slow, _):
        pager = Pager(slow, within=0.2)
        with pytest.raises(TryLater, match="gave no answer within"):
            pager.post("pager", PAGE, "key")
    (address,) = pager._addresses
    assert address._thread is not None
    address._thread.join(5)
    with pytest.raises(TryLater, match="did not take it"):
        pager.post("pager", PAGE, "key")


def test_what_never_answers_does_not_keep_the_program_from_ending() -> None:
    with drips() as (slow, connections):
        script = (
            "from alerts.pager import Pager; from alerts.message import note\n"
            f"pager = Pager({slow!r}, within=1)\n"
            "if pager.services: pager.post('pager', note('a', 'b', 'c'), 'key')"
        )
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False)
    assert "gave no answer within 1 s" in ended.stderr
    assert connections


def test_nothing_is_loaded_before_it_is_needed() -> None:
    script = "import sys, alerts.pager; print(alerts.pager.Pager('json://x').name, 'apprise' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["pager", "False"]


# ---------------------------------------------------------------- docs/handoff.md


def addresses_of_the_docs() -> list[str]:
    text = (PROJECT / "docs" / "handoff.md").read_text(encoding="utf-8")
    return re.findall(r"^\| [^|]+ \| `(\w+://[^`]+)` \|", text, flags=re.MULTILINE)


@pytest.mark.parametrize("address", addresses_of_the_docs())
def test_apprise_knows_every_address_of_the_docs(address: str) -> None:
    values = {"ACCOUNT_SID": f"AC{'0' * 32}", "AUTH_TOKEN": "0" * 32, "FROM_NUMBER": "15555550100"}
    for name, value in (values | {"TO_NUMBER": "15555550123"}).items():
        address = address.replace(name, value)
    (service,) = Pager(address).services
    assert service != UNKNOWN


def test_the_docs_have_addresses() -> None:
    assert len(addresses_of_the_docs()) == 9
