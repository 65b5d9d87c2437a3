"""The part all fakes share: an HTTP server on loopback that records requests and plays scripted faults.

Checked against: requests 2.34 (through tweepy 4.17 and praw 8.0.3) and slack_sdk 3.47 (urllib).
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

POLL_INTERVAL = 0.005
_real = time.monotonic  # also where a test makes the time of the product run faster
HTML_PAGE = "<!DOCTYPE html><html><head><title>Please wait</title></head><body>Something went wrong.</body></html>"


def epoch(at: datetime) -> float:
    """A moment in seconds; one without a time zone is refused, since it would depend on the machine."""
    if at.tzinfo is None:
        raise ValueError(f"{at} needs a time zone")
    return at.timestamp()


# --- faults -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Status:
    """Answer with this status; without a body, the one the real service sends with it."""

    code: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RateLimited:
    """Answer 429. `reset` is an epoch (X sends it as x-rate-limit-reset, None: no such header); `retry_after` is
    the Retry-After header, verbatim."""

    reset: float | None = None
    retry_after: int | str | None = None


@dataclass(frozen=True)
class Stall:
    """Take the request, say nothing for so long, then close; ends at once when the fake closes."""

    seconds: float = 30.0


@dataclass(frozen=True)
class NotJson:
    """Answer 200 with a web page where JSON was due."""

    body: str = HTML_PAGE
    status: int = 200


@dataclass(frozen=True)
class Reset:
    """Close the connection without answering and without doing what was asked."""


@dataclass(frozen=True)
class DropAfter:
    """Do what was asked, then close the connection without answering."""


@dataclass(frozen=True)
class BrokenShape:
    """Answer 200 with this JSON instead of the right one."""

    body: Any


@dataclass(frozen=True)
class StallAfter:
    """Do what was asked, then say nothing for so long and close."""

    seconds: float = 30.0


@dataclass(frozen=True)
class Cut:
    """Do what was asked, promise a whole answer, send half of it and close."""


@dataclass(frozen=True)
class Drip:
    """Begin an answer, and send a byte of it every so often; ends when the fake closes."""

    every: float = 0.02
    seconds: float = 20.0


@dataclass(frozen=True)
class Endless:
    """Begin an answer that never ends; closes after so many bytes, and counts in the fake's `poured` how many were taken."""

    most: int = 120_000_000


Fault = Status | RateLimited | Stall | NotJson | Reset | DropAfter | BrokenShape | StallAfter | Cut | Drip | Endless


# --- requests and answers -----------------------------------------------------------------------------------------


@dataclass
class Request:
    """One request as it arrived. Header names are lower case; `status` is what was answered (None: nothing)."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    raw: bytes
    at: float
    status: int | None = None


On = str | Callable[[Request], bool] | None


@dataclass(frozen=True)
class Answer:
    """What goes back: `body` is sent as JSON unless it is a string, or pieces of bytes to be sent until they end."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Scripted:
    fault: Fault
    times: int | None
    on: On
    after: int


class FakeServer:
    """A server on 127.0.0.1 for the length of a `with` block. Subclasses answer in `answer()`."""

    def __init__(self, now: Callable[[], float] = time.time, port: int = 0) -> None:
        self.now = now
        self.requests: list[Request] = []
        self.crashes: list[BaseException] = []
        self.base_url = ""
        self.poured = 0  # bytes of endless answers that somebody took
        self._port = port
        self._lock = threading.RLock()
        self._faults: list[_Scripted] = []
        self._closing = threading.Event()
        self._leaving = False
        self._http: _HTTPServer | None = None
        self._thread: threading.Thread | None = None

    # scripting

    def fail_next(self, fault: Fault, times: int | None = 1, on: On = None, after: int = 0) -> None:
        """Queue a fault for the next `times` matching requests (None: until `heal()`), once `after` of them passed.

        `on` is a piece of the path (for Slack: the method's name), or a predicate on the request."""
        with self._lock:
            self._faults.append(_Scripted(fault, times, on, after))

    def heal(self) -> None:
        """Forget every fault still queued."""
        with self._lock:
            self._faults.clear()

    def seen(self, on: On = None) -> list[Request]:
        """The recorded requests that match (`on` as in `fail_next`), in order of arrival."""
        with self._lock:
            return [request for request in self.requests if self._matches(on, request)]

    # life

    def __enter__(self) -> Self:
        self._listen(_Handler)
        return self

    def _listen(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._http = _HTTPServer(("127.0.0.1", self._port), self, handler)
        self.base_url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(POLL_INTERVAL,), daemon=True)
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if kind is None and self.crashes:
            raise AssertionError(f"{type(self).__name__} itself failed: {self.crashes[0]!r}") from self.crashes[0]

    def close(self) -> None:
        """Stop listening and drop every connection; a second call does nothing."""
        self._closing.set()
        if self._http is None or self._thread is None:
            return
        self._http.shutdown()
        self._http.drop_connections()
        self._http.server_close()
        self._thread.join(timeout=1)
        self._http = None

    def shut(self) -> None:
        """Let nobody in any more, and end each connection: the one that is being answered, after its answer."""
        assert self._http is not None
        self._leaving = True
        self._http.shutdown()
        self._http.server_close()
        self._http.drop_connections()

    def hang_up(self) -> None:
        """As shut(), but whoever finds the address is let in."""
        assert self._http is not None
        self._leaving = True
        self._http.drop_connections()

    def reopen(self) -> None:
        """After shut() or hang_up(): as before, at the same address."""
        assert self._http is not None
        self._leaving = False
        if self._http.fileno() < 0:
            self._port = int(self._http.server_address[1])
            self._listen(self._http.RequestHandlerClass)

    # for subclasses

    def answer(self, request: Request) -> Answer:
        """Do what the request asks and say what goes back."""
        raise NotImplementedError

    def status_answer(self, code: int) -> Answer:
        """The real service's usual answer with this status."""
        raise NotImplementedError

    def limited_answer(self, fault: RateLimited) -> Answer:
        """The real service's 429."""
        raise NotImplementedError

    def _matches(self, on: On, request: Request) -> bool:
        if on is None:
            return True
        return on in request.path if isinstance(on, str) else on(request)

    # one request

    def _due(self, request: Request) -> Fault | None:
        for scripted in list(self._faults):
            if not self._matches(scripted.on, request):
                continue
            if scripted.after > 0:
                scripted.after -= 1
                continue
            if scripted.times is not None:
                scripted.times -= 1
                if scripted.times <= 0:
                    self._faults.remove(scripted)
            return scripted.fault
        return None

    def respond(self, request: Request) -> Answer | None:
        """The answer to a request, or None when the connection is to be closed without one."""
        with self._lock:
            self.requests.append(request)
            fault = self._due(request)
            if fault is None or isinstance(fault, DropAfter | StallAfter | Cut):
                answer = self.answer(request)
                if fault is None or isinstance(fault, Cut):
                    return answer if fault is None else _halved(answer)
        match fault:
            case Status(code, None, headers):
                usual = self.status_answer(code)
                return Answer(code, usual.body, {**usual.headers, **headers})
            case Status(code, body, headers):
                return Answer(code, body, headers)
            case RateLimited():
                return self.limited_answer(fault)
            case NotJson(page, status):
                return Answer(status, page, {"content-type": "text/html; charset=utf-8"})
            case BrokenShape(body):
                return Answer(200, body)
            case Drip(every, seconds):
                return Answer(200, self._drops(every, seconds), {"content-type": "application/json"})
            case Endless(most):
                return Answer(200, self._flood(most), {"content-type": "application/json"})
            case Stall(seconds) | StallAfter(seconds):
                self._closing.wait(seconds)
        return None

    def _drops(self, every: float, seconds: float) -> Iterator[bytes]:
        ends = _real() + seconds
        while not self._closing.wait(every) and _real() < ends:
            yield b" "

    def _flood(self, most: int) -> Iterator[bytes]:
        piece = b" " * 65_536
        for _ in range(most // len(piece)):
            if self._closing.is_set():
                return
            yield piece
            self.poured += len(piece)


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], fake: FakeServer, handler: type[BaseHTTPRequestHandler]) -> None:
        self.fake = fake
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        self.answered = threading.local()  # the connection of a thread whose request is being answered
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # HTTPServer.server_bind asks a name server for the machine's name
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        with self._connections_lock:
            for connection in self._connections - {getattr(self.answered, "by", None)}:
                with contextlib.suppress(OSError):  # already gone
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.fake.crashes.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HTTPServer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        raw = self.rfile.read(int(headers.get("content-length") or 0))
        fake, self.server.answered.by = self.server.fake, self.connection
        request = Request(
            method=self.command,
            path=url.path,
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers=headers,
            body=_parsed(raw, headers.get("content-type", "")),
            raw=raw,
            at=fake.now(),
        )
        answer = fake.respond(request)
        self.server.answered.by = None
        self.close_connection = self.close_connection or fake._leaving
        if answer is None:
            self.close_connection = True
            return
        request.status = answer.status
        if isinstance(answer.body, Iterator):
            self._pours(answer.status, answer.headers, answer.body)
            return
        text = isinstance(answer.body, str)
        body = (answer.body if text else json.dumps(answer.body)).encode()
        sent = {"content-type": "text/plain" if text else "application/json; charset=utf-8", **answer.headers}
        self.send_response(answer.status)
        for name, value in sent.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        if self.close_connection:  # said, or the client may send its next request on a dying connection
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _pours(self, status: int, headers: Mapping[str, str], pieces: Iterator[bytes]) -> None:
        """An answer whose length nobody says: it ends with the connection."""
        self.close_connection = True
        self.send_response(status)
        for name, value in {**headers, "connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Tests stay quiet."""


def _halved(answer: Answer) -> Answer:
    """The first half of an answer, under the length of the whole."""
    body = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
    kind = "text/plain" if isinstance(answer.body, str) else "application/json; charset=utf-8"
    headers = {"content-type": kind, **answer.headers, "content-length": str(len(body) or 2)}
    return Answer(answer.status, iter([body[: len(body) // 2]]), headers)


def _parsed(raw: bytes, content_type: str) -> Any:
    """A JSON or form body as Python values; anything else as text; None for an empty body."""
    if not raw:
        return None
    text = raw.decode("utf-8", errors="replace")
    if "json" in content_type:
        try:
            return json.loads(text)
        except ValueError:
            return text
    if "x-www-form-urlencoded" in content_type:
        return dict(parse_qsl(text, keep_blank_values=True))
    return text
