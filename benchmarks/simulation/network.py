"""The network of the simulation: every connection of the process ends at a fake, in the same thread, and may go wrong.

Connections are opened by http.client and urllib3 alone (through urllib and requests), so these two are given a socket that
hands the whole request to a fake and reads the whole answer back. Nothing leaves the process, nothing waits, and the
order of everything is that of one thread. Faults and kills lie before and after the effect of a request.
"""

import http.client
import io
import json
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import urllib3.util.connection
from fakes.server import HTML_PAGE, Answer, FakeServer, RateLimited, Request

FIRST_PORT = 40_000  # nobody listens there, and nobody has to
FAULTS = ("refused", "dns", "reset", "drop", "500", "503", "429", "page", "half", "odd")


@dataclass
class Door:
    """A fake behind an address, and what is wrong with the way to it: the fault, and which share of requests it hits."""

    name: str
    fake: FakeServer
    address: tuple[str, int]
    fault: str | None = None
    share: float = 1.0

    @property
    def url(self) -> str:
        """Its address for a config file."""
        return f"http://{self.address[0]}:{self.address[1]}"


@dataclass
class Network:
    """What every request of the simulated process goes through."""

    chance: random.Random
    doors: dict[tuple[str, int], Door] = field(default_factory=dict)
    loses_reply: bool = False
    before: Callable[[Door, Request], None] = lambda door, request: None
    after: Callable[[Door, Request], None] = lambda door, request: None
    seen: Callable[[Door, str, str], None] = lambda door, asked, came: None

    def add(self, name: str, fake: FakeServer) -> Door:
        """Put a fake on the network."""
        address = ("127.0.0.1", FIRST_PORT + len(self.doors))
        door = Door(name, fake, address)
        fake.base_url = door.url
        self.doors[address] = door
        return door

    def drops_next_reply(self) -> None:
        """The next reply that is written on a site arrives there, and the answer is lost."""
        self.loses_reply = True

    def heal(self) -> None:
        """Everything can be reached again."""
        for door in self.doors.values():
            door.fault = None

    def connect(self, address: tuple[str, int]) -> "_Line":
        """A connection, or the error of one that cannot be made."""
        door = self.doors.get((address[0], int(address[1])))
        if door is None:
            raise AssertionError(f"the simulation reached for {address[0]}:{address[1]}")
        fault = door.fault if door.fault and self.chance.random() < door.share else None
        if fault in ("refused", "dns"):
            self.seen(door, "connects", fault)
        if fault == "refused":
            raise ConnectionRefusedError(111, "Connection refused")
        if fault == "dns":
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return _Line(self, door, fault)

    def exchange(self, door: Door, fault: str | None, raw: bytes) -> bytes:
        """Everything that comes back for a request; nothing when the connection is cut."""
        request = _request(raw, door.fake)
        asked = f"{request.method} {request.path}"
        self.before(door, request)
        if fault in ("reset", "500", "503", "429", "page", "odd"):
            self.seen(door, asked, fault)
            return b"" if fault == "reset" else _sent(_instead(door.fake, fault))
        if hasattr(door.fake, "_lists"):  # Mastodon's lists of one name
            door.fake._lists.values = parse_qs(urlsplit(raw.split(b" ", 2)[1].decode()).query)
        answer = door.fake.respond(request)
        if answer is not None:
            request.status = answer.status
        self.seen(door, asked, fault or str(answer.status if answer else "closed"))
        self.after(door, request)
        is_reply = request.method in ("POST", "PUT") and door.name not in ("slack", "pager")
        if self.loses_reply and is_reply and "token" not in request.path:
            fault, self.loses_reply = "drop", False
        if fault == "drop" or answer is None:
            return b""
        whole = _sent(answer)
        return whole[: len(whole) - max(1, len(whole) // 8)] if fault == "half" else whole

    @contextmanager
    def plugged_in(self) -> Iterator[None]:
        """Every connection of this process goes here, until the end of the block."""
        kept = socket.create_connection, urllib3.util.connection.create_connection

        def connect(address: tuple[str, int], *_: Any, **__: Any) -> Any:
            return self.connect(address)

        socket.create_connection = urllib3.util.connection.create_connection = connect  # type: ignore[assignment]
        try:
            yield
        finally:
            socket.create_connection, urllib3.util.connection.create_connection = kept


class _Line:
    """As much of a socket as http.client and urllib3 use: what is written goes out as one request, once it is read from."""

    def __init__(self, network: Network, door: Door, fault: str | None) -> None:
        self._network, self._door, self._fault, self._out = network, door, fault, bytearray()

    def sendall(self, data: Any) -> None:
        self._out += bytes(data)

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        raw, self._out = bytes(self._out), bytearray()
        return io.BufferedReader(io.BytesIO(self._network.exchange(self._door, self._fault, raw)))  # type: ignore[arg-type]

    def settimeout(self, seconds: float | None) -> None:
        """Nothing waits here."""

    setsockopt = shutdown = lambda self, *_: None

    def close(self) -> None:
        """Nothing to close."""


def _request(raw: bytes, fake: FakeServer) -> Request:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, _, lines = head.partition(b"\r\n")
    method, target, _ = first.decode("latin-1").split(" ", 2)
    message = http.client.parse_headers(io.BytesIO(lines + b"\r\n\r\n"))
    headers = {name.lower(): value for name, value in message.items()}
    url = urlsplit(target)
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    return Request(method, url.path, query, headers, _parsed(body, headers), body, fake.now())


def _parsed(body: bytes, headers: dict[str, str]) -> Any:
    if not body:
        return None
    text, kind = body.decode("utf-8", errors="replace"), headers.get("content-type", "")
    if "json" in kind:
        return json.loads(text)
    if "x-www-form-urlencoded" in kind:
        return dict(parse_qsl(text, keep_blank_values=True))
    return text


def _instead(fake: FakeServer, fault: str) -> Answer:
    """What comes in the place of the right answer."""
    if fault == "429":
        return fake.limited_answer(RateLimited(retry_after=30))
    if fault == "page":
        return Answer(200, HTML_PAGE, {"content-type": "text/html; charset=utf-8"})
    if fault == "odd":
        return Answer(200, {"ok": True, "data": [{"id": None}], "things": 3})
    return fake.status_answer(int(fault))


def _sent(answer: Answer) -> bytes:
    text = isinstance(answer.body, str)
    body = (answer.body if text else json.dumps(answer.body)).encode()
    kind = "text/plain" if text else "application/json; charset=utf-8"
    headers = {"content-type": kind, **answer.headers, "content-length": str(len(body)), "connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reason = http.client.responses.get(answer.status, "")
    return f"HTTP/1.1 {answer.status} {reason}\r\n{lines}\r\n".encode("latin-1") + body
