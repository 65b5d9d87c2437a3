"""One request with limits, against a server that does what servers do."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from fakes.server import Answer, FakeServer, NotJson, RateLimited, Request, Reset, Stall, Status

from listener.errors import AskedToWait, NeedsPerson, TryLater
from listener.web import Answer as Given
from listener.web import get, remedy, retry_at, write

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


class Site(FakeServer):
    body = "hello"

    def answer(self, request: Request) -> Answer:
        return Answer(200, self.body)

    def status_answer(self, code: int) -> Answer:
        return Answer(code, {"error": code})

    def limited_answer(self, fault: RateLimited) -> Answer:
        return Answer(429, {}, {"retry-after": str(fault.retry_after)})


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


def test_what_comes_back(site: Site) -> None:
    answer = get("rss", f"{site.base_url}/feed", {"a": "b"}, {"if-none-match": "x"})
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"hello", "text/plain")
    assert site.requests[0].query == {"a": "b"}
    assert site.requests[0].headers["if-none-match"] == "x"


def test_too_large(site: Site) -> None:
    site.body = "x" * 2_000_000
    with pytest.raises(NeedsPerson, match=r"^rss: the answer is larger than 1 MB"):
        get("rss", site.base_url, largest=1_000_000)


@pytest.mark.parametrize(("fault", "said"), [(Stall(20), "Timeout"), (Reset(), "ConnectionError")], ids=str)
def test_no_answer(site: Site, fault: Any, said: str) -> None:
    site.fail_next(fault)
    begun = time.monotonic()
    with pytest.raises(TryLater, match=rf"^rss: no answer \(\w*{said}\); check the network"):
        get("rss", site.base_url, timeout=0.3)
    assert time.monotonic() - begun < 3


def test_json(site: Site) -> None:
    site.fail_next(Status(200, {"a": 1}))
    assert get("rss", site.base_url).json("rss") == {"a": 1}
    site.fail_next(NotJson())
    with pytest.raises(TryLater, match="is not JSON"):
        get("rss", site.base_url).json("rss")


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("120", NOW + timedelta(minutes=2)),
        ("0", NOW),
        ("Wed, 18 Nov 2026 09:05:00 GMT", NOW + timedelta(minutes=5)),
        ("Wed, 18 Nov 2026 09:05:00 -0000", NOW + timedelta(minutes=5)),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("99999999999", None),
        ("1.5", None),
    ],
)
def test_when_to_come_back(said: str, at: datetime | None) -> None:
    assert retry_at({"retry-after": said}, NOW) == at


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        (429, AskedToWait, "rss: asks to wait (429)"),
        (404, NeedsPerson, "rss: there is no such feed"),
        (403, TryLater, "rss: answers 403"),
        (503, TryLater, "rss: answers 503"),
    ],
)
def test_a_status_and_its_remedy(status: int, kind: type[Exception], sentence: str) -> None:
    found = remedy("rss", Given(status, {"retry-after": "60"}, b"", ""), NOW, {404: "there is no such feed"})
    assert (type(found), str(found)) == (kind, sentence)
    if isinstance(found, TryLater):
        assert found.at == NOW + timedelta(minutes=1)


def test_a_server_that_drips_is_given_up() -> None:
    """A byte now and then: each of them in time, the whole never."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            while not over.wait(0.02):
                connection.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    begun = time.monotonic()
    try:
        with pytest.raises(TryLater, match=r"^rss: the answer takes longer than 0.3 s"):
            get("rss", f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=0.3)
    finally:
        over.set()
        thread.join()
        listening.close()
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("sent", "timeout"),
    [
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n", *[b" "] * 40], 0.05),
        ([b"HTTP/1.1 200 OK\r\n\r\n", *[b" " * 65_536] * 100], 0),
    ],
    ids=["drips", "huge"],
)
def test_an_answer_without_an_end_is_left(sent: list[bytes], timeout: float) -> None:
    """The post was taken; whoever keeps talking after it is not listened to for ever."""
    stop = threading.Event()

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, closing(listening):
            connection.recv(65_536)
            for piece in sent:
                with suppress(OSError):
                    connection.sendall(piece)
                stop.wait(timeout)
            stop.wait(10)  # to close with something unread would break what is on its way

    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, args=(listening,))
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    with requests.Session() as session, pytest.raises(TryLater, match="too large, or takes too long"):
        write("probe", session, "POST", url, {}, 0.5 if timeout else 30, json={})
    stop.set()
    thread.join()
