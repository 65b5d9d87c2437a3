"""A small web server: it answers, it says why it cannot listen, and nobody who stays silent keeps it from others."""

import contextlib
import errno
import http.client
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from listener.errors import NeedsPerson
from listener.serving import Limits, Where, serving

LIMITS = Limits(connections=3, silence=0.3, life=2.0, end=0.2)
PATIENCE = 10.0  # for a busy machine


async def hello(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An app that says hello; /forever never does."""
    if scope["path"] == "/forever":
        await receive()
        await receive()
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def served(port: int) -> Iterator[int]:
    with serving(hello, Where("The form", "127.0.0.1", port, "x"), LIMITS) as is_up:
        assert is_up()
        yield port


def ask(port: int, path: str = "/") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def is_cut(line: socket.socket) -> bool:
    """Whether the other end hangs up, sooner or later."""
    line.settimeout(PATIENCE)
    with contextlib.suppress(ConnectionResetError):
        while line.recv(1000):
            pass
    return True


def test_it_answers_one_request_each(served: int) -> None:
    assert [ask(served) for _ in range(5)] == [(200, b"hello")] * 5
    with socket.create_connection(("127.0.0.1", served), timeout=PATIENCE) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        said = b""
        while part := line.recv(1000):
            said += part
    assert b"connection: close" in said.lower()
    assert b"server:" not in said.lower(), "what it is made of is nobody's business"


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_who_says_nothing_is_cut_off(served: int, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served)) as line:
        line.sendall(said)
        assert is_cut(line)
    assert ask(served) == (200, b"hello")


def test_an_answer_that_never_comes_is_cut_off(served: int) -> None:
    with socket.create_connection(("127.0.0.1", served)) as line:
        line.sendall(b"GET /forever HTTP/1.1\r\nHost: x\r\n\r\n")
        assert is_cut(line)


def test_too_many_at_once_and_it_goes_on_when_they_are_gone(port: int) -> None:
    limits = Limits(connections=3, silence=60, life=60, end=0.2)
    with serving(hello, Where("The form", "127.0.0.1", port, "x"), limits):
        lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        with socket.create_connection(("127.0.0.1", port)) as one_too_many:
            assert is_cut(one_too_many)
        lines[0].settimeout(0.2)
        with pytest.raises(TimeoutError):  # those who were there first are not cut
            lines[0].recv(1)
        for line in lines:
            line.close()
        ready = threading.Event()
        for _ in range(100):
            try:
                assert ask(port) == (200, b"hello")
                break
            except (ConnectionError, http.client.HTTPException):
                ready.wait(0.05)
        else:
            pytest.fail("it takes no new connection")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (errno.EADDRINUSE, "is used by another program, or another copy of this one"),
        (errno.EACCES, "may not be opened by this user (ports below 1024 are the system's)"),
        (errno.EADDRNOTAVAIL, "cannot be opened: this machine does not have that address"),
        (errno.ENETDOWN, "cannot be opened (OSError)"),
    ],
)
def test_why_it_cannot_listen(monkeypatch: pytest.MonkeyPatch, error: int, why: str) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(socket, "create_server", refuse)
    with (
        pytest.raises(NeedsPerson) as caught,
        serving(hello, Where("Slack's buttons", "127.0.0.1", 443, "listen in [slack] of care.toml"), LIMITS),
    ):
        pytest.fail("it was served")
    assert str(caught.value) == f"Slack's buttons: port 443 on 127.0.0.1 {why}; change listen in [slack] of care.toml"


def test_a_busy_port(served: int) -> None:
    with (
        pytest.raises(NeedsPerson, match=f"The form: port {served} on 127.0.0.1 is used by another program"),
        serving(hello, Where("The form", "127.0.0.1", served, "x"), LIMITS),
    ):
        pytest.fail("it was served")
    assert ask(served) == (200, b"hello"), "the first goes on"


def test_an_address_of_another_machine(port: int) -> None:
    with (
        pytest.raises(NeedsPerson, match="this machine does not have that address"),
        serving(hello, Where("The form", "203.0.113.7", port, "x"), LIMITS),
    ):
        pytest.fail("it was served")


def test_at_its_end_the_port_is_free_and_what_comes_first_was_done(port: int) -> None:
    order: list[str] = []
    with serving(hello, Where("The form", "127.0.0.1", port, "x"), LIMITS, lambda: order.append("before")) as is_up:
        assert ask(port) == (200, b"hello")
    order.append("after")
    assert order == ["before", "after"]
    assert not is_up()
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_who_still_waits_does_not_keep_it_from_ending(port: int) -> None:
    limits = Limits(connections=3, silence=60, life=60, end=0.2)
    with serving(hello, Where("The form", "127.0.0.1", port, "x"), limits) as is_up:
        line = socket.create_connection(("127.0.0.1", port))
        line.sendall(b"GET /forever HTTP/1.1\r\nHost: x\r\n\r\n")
        assert ask(port) == (200, b"hello")
    with line:
        assert not is_up()
        assert is_cut(line)
