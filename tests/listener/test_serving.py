"""A small web server: it answers, it says why it cannot listen, and nobody who stays silent keeps it from others."""

import asyncio
import contextlib
import errno
import http.client
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from listener.errors import NeedsPerson
from listener.serving import Limits, Where, serving
from listener.serving import served as served_now

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


# a server whose connections stay


STAYS = Limits(connections=3, silence=0.3, life=None, end=0.2, one_request=False)
GET = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = 20_000_000  # bytes, more than the system keeps for the other side


async def pages(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Says hello; /stream goes on for ever, /quiet pauses in the middle, /large is large, /broken ends half-way."""
    path = scope["path"]
    if path not in ("/stream", "/quiet", "/large", "/broken"):
        return await hello(scope, receive, send)
    length = [(b"content-length", str(LARGE).encode())] if path in ("/large", "/broken") else []
    await send({"type": "http.response.start", "status": 200, "headers": length})
    if path == "/large":
        return await send({"type": "http.response.body", "body": b"w" * LARGE})
    await send({"type": "http.response.body", "body": b"w" * (LARGE // 2 if length else 1), "more_body": True})
    while path == "/stream":
        await asyncio.sleep(0.02)
        await send({"type": "http.response.body", "body": b"news", "more_body": True})
    if path == "/quiet":
        await asyncio.sleep(4 * STAYS.silence)
        await send({"type": "http.response.body", "body": b"late"})


@contextlib.contextmanager
def center(limits: Limits = STAYS) -> Iterator[int]:
    with serving(pages, Where("The center", "127.0.0.1", 0, "x"), limits) as there:
        assert there.is_alive()
        yield there.port


def line_to(port: int, said: bytes = b"", kept: int | None = None) -> socket.socket:
    """A connection for which the system keeps at most so many bytes, on which this is said."""
    line = socket.socket()
    if kept is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, kept)
    line.settimeout(PATIENCE)
    line.connect(("127.0.0.1", port))
    line.sendall(said)
    return line


def answers(line: socket.socket) -> bool:
    """Whether hello is said on it."""
    said = b""
    while not said.endswith(b"\r\n\r\nhello") and (part := line.recv(1000)):
        said += part
    return said.startswith(b"HTTP/1.1 200") and b"connection: close" not in said.lower()


def lasts(line: socket.socket, drop: bytes) -> float:
    """Seconds until the other end hangs up, while one byte after the other is sent."""
    began = time.monotonic()
    line.settimeout(0.03)
    while time.monotonic() - began < PATIENCE:
        try:
            line.sendall(drop)
            if not line.recv(1000):
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    return time.monotonic() - began


def is_answered(port: int) -> bool:
    """Whether it takes a new connection, now or soon."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with contextlib.suppress(ConnectionError, http.client.HTTPException):
            return ask(port) == (200, b"hello")
        threading.Event().wait(0.02)
    return False


def test_many_requests_on_one_connection() -> None:
    with center() as port, line_to(port) as line:
        for _ in range(5):
            line.sendall(GET % b"/")
            assert answers(line)


@pytest.mark.parametrize("before", [b"", GET % b"/"], ids=["at first", "between requests"])
def test_who_is_idle_is_hung_up_on(before: bytes) -> None:
    with center() as port, line_to(port, before) as line:
        assert not before or answers(line)
        began = time.monotonic()
        assert is_cut(line)
        assert STAYS.silence * 0.8 < time.monotonic() - began < PATIENCE / 2


@pytest.mark.parametrize(
    ("before", "begun", "drop"),
    [
        (b"", b"GET / HTTP/1.1\r\nX: ", b"x"),
        (GET % b"/", b"GET / HTTP/1.1\r\nX: ", b"x"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", b"", b"x"),
    ],
    ids=["a first header", "a later header", "a body that nobody wants"],
)
def test_who_drips_has_no_more_time(before: bytes, begun: bytes, drop: bytes) -> None:
    with center() as port, line_to(port, before) as line:
        assert not before or answers(line)
        line.sendall(begun)
        assert STAYS.silence * 0.8 < lasts(line, drop) < PATIENCE / 2
        assert ask(port) == (200, b"hello")


def test_the_time_begins_anew_with_each_answer() -> None:
    limits = replace(STAYS, silence=1.0)
    with center(limits) as port, line_to(port) as line:
        began = time.monotonic()
        while time.monotonic() - began < 1.5 * limits.silence:
            line.sendall(GET % b"/")
            assert answers(line)
            threading.Event().wait(limits.silence / 5)


def test_what_streams_is_never_cut() -> None:
    with center() as port, line_to(port, GET % b"/stream") as stream:
        with line_to(port, GET % b"/quiet") as line:
            said = b""
            while not said.endswith(b"late\r\n0\r\n\r\n"):
                part = line.recv(1000)
                assert part, "it was cut while it was quiet"
                said += part
        for _ in range(50):
            assert stream.recv(10), "it was cut while it was sent"


def test_a_large_page_may_be_taken_slowly() -> None:
    with center() as port, line_to(port, GET % b"/large", kept=100_000) as line:
        began, taken = time.monotonic(), 0
        while taken < LARGE:
            part = line.recv(1_000_000)
            assert part, f"cut after {taken} bytes"
            taken += len(part)
            if time.monotonic() - began < 4 * STAYS.silence:
                threading.Event().wait(0.02)
        assert time.monotonic() - began > 3 * STAYS.silence


@pytest.mark.parametrize("path", [b"/large", b"/broken"])
def test_who_takes_nothing_of_an_answer_does_not_keep_its_place(path: bytes) -> None:
    with center(replace(STAYS, connections=1)) as port, line_to(port, GET % path, kept=5_000):
        assert is_answered(port)


def test_too_many_pages_at_once() -> None:
    with center(replace(STAYS, silence=60)) as port:
        lines = [line_to(port, GET % b"/stream") for _ in range(3)]
        assert all(line.recv(1000) for line in lines)
        with line_to(port) as one_too_many:
            assert is_cut(one_too_many)
        assert all(line.recv(1000) for line in lines), "those who were there first stay"
        lines.pop().close()
        assert is_answered(port)
        for line in lines:
            line.close()


def test_at_its_end_open_streams_are_ended() -> None:
    with center() as port:
        lines = [line_to(port, GET % b"/stream"), line_to(port, GET % b"/quiet"), line_to(port)]
        assert all(line.recv(1000) for line in lines[:2])
        began = time.monotonic()
    assert time.monotonic() - began < PATIENCE / 2
    assert "The center" not in [thread.name for thread in threading.enumerate()]
    for line in lines:
        with line:
            assert is_cut(line)
    with socket.create_server(("127.0.0.1", port)):
        pass


# what is served now


def test_what_is_served_is_known_by_its_name() -> None:
    where = Where("A form", "127.0.0.1", 0, "x")
    at_its_end = []
    assert served_now("A form") is None
    with serving(hello, where, LIMITS, lambda: at_its_end.append(served_now("A form"))):
        assert served_now("A form") is hello
        assert served_now("Another") is None
    assert at_its_end == [None], "nothing comes any more when the end begins"


def test_the_name_of_one_that_is_open_is_not_taken_from_it() -> None:
    where = Where("A form", "127.0.0.1", 0, "x")
    with contextlib.ExitStack() as newer:
        with serving(hello, where, LIMITS):
            newer.enter_context(serving(pages, where, LIMITS))
        assert served_now("A form") is pages


def test_what_could_not_be_opened_is_not_served(served: int) -> None:
    with pytest.raises(NeedsPerson), serving(hello, Where("A form", "127.0.0.1", served, "x"), LIMITS):
        pytest.fail("it was served")
    assert served_now("A form") is None


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"200"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nContent-Length: 7\r\n\r\nabcdefg", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +6\r\n\r\nabcdef", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: a\nGET /e HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", b"400"),
        (b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    ],
)
def test_what_two_servers_could_read_in_two_ways_is_refused(served: int, request_: bytes, status: bytes) -> None:
    """Where both lengths are given, the standard says which counts; anything else could hide a second request."""
    with socket.create_connection(("127.0.0.1", served), PATIENCE) as line:
        line.sendall(request_)
        assert line.recv(1000).split(b" ")[1] == status
