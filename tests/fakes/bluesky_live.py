"""Jetstream (version 2) on loopback: every commit of the fake Bluesky, over WebSocket, on the port of its other answers.

Checked against: lexicon and server of bluesky-social/jetstream (cursors, notices, refusals before the upgrade, frames);
driven by atproto 0.0.73's JetstreamClient in tests/listener/collectors/test_bluesky_live.py.
"""

from __future__ import annotations

import contextlib
import json
import select
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from .bluesky import HOSPITAL, BlueskyPlace, FakeBluesky, refused
from .place import Place
from .server import Answer, Fault, Request

METHOD = "network.bsky.jetstream.subscribeEvents"
KINDS = {"commit", "identity", "account", "sync"}
LOOKBACK = 36 * 3600  # seconds of events that can be replayed
SMALLEST_TIME = 10**15  # cursors below count events, those above microseconds
SWITCHING = 101


def rfc3339(at: float) -> str:
    """A moment as Jetstream writes it, to the microsecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class FakeJetstream(FakeBluesky):
    """Bluesky with a Jetstream beside it."""

    def __init__(self, now: Callable[[], float] = time.time, port: int = 0) -> None:
        super().__init__(now, port)
        self.events: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.cut_after: int | None = None  # events, after which the next connection breaks without a word
        self.silent = False
        self.connections = 0
        self._news = threading.Condition()
        self._goodbye = threading.Event()

    # what happens

    def changed(self, uri: str, operation: str) -> None:
        super().changed(uri, operation)
        post = self.posts[uri]
        more = {} if operation == "delete" else {"record": post.record, "cid": post.cid}
        created = datetime.fromisoformat(post.record["createdAt"]).timestamp()
        self.happens(uri, operation, min(created, self.now()) if operation == "create" else self.now(), **more)

    def happens(self, uri: str, operation: str, at: float | None = None, **more: Any) -> None:
        """An event, seen now unless said otherwise."""
        did, collection, key = uri.removeprefix("at://").split("/")
        at = self.now() if at is None else at
        said = {"did": did, "operation": operation, "collection": collection, "rkey": key, "rev": "3m2222222222z"}
        self.emit({"$type": f"{METHOD}#commit", **said, "time": rfc3339(at), "witnessedAt": rfc3339(at), **more}, at)

    def emit(self, payload: dict[str, Any], at: float) -> None:
        with self._news:
            self.events.append({"seq": len(self.events) + 1, **payload})
            self.times.append(at)
            self._news.notify_all()

    def say_goodbye(self) -> None:
        """The server ends, and says so on every connection."""
        self._goodbye.set()

    def close(self) -> None:
        self._closing.set()
        with self._news:
            self._news.notify_all()
        super().close()

    # one connection

    def respond(self, request: Request) -> Answer | None:
        answer = super().respond(request)
        if not request.path.endswith(f"/{METHOD}") or answer is None or answer.status not in (SWITCHING, 200):
            return answer
        with contextlib.suppress(OSError):  # the client went away
            self._serve(request, answer)
        return None

    def answer(self, request: Request) -> Answer:
        if not request.path.endswith(f"/{METHOD}"):
            return super().answer(request)
        query = request.query
        unknown = set(query.get("kinds", "commit").split("\n")) - KINDS
        cursor = query.get("cursor", "0")
        if unknown:
            return refused(
                400, "InvalidRequest", f"unknown kind {min(unknown)!r} (valid: commit, identity, account, sync)"
            )
        if not cursor.isdigit():
            return refused(400, "InvalidRequest", f"subscribe: invalid cursor: {cursor!r}")
        if 0 < int(cursor) < SMALLEST_TIME and int(cursor) <= self._floor():
            return refused(400, "CursorTooOld", f"cursor is below the retention floor {self._floor() + 1}")
        return Answer(SWITCHING, None)

    def _floor(self) -> int:
        """How many events are too old to be replayed."""
        return next((n for n, at in enumerate(self.times) if at >= self.now() - LOOKBACK), len(self.times))

    def _start(self, query: dict[str, str]) -> tuple[int, list[dict[str, Any]]]:
        """The index of the first event to send, and what is to be said before it."""
        tip, cursor = len(self.events), int(query.get("cursor") or -1)
        if cursor < 0:
            return tip, []
        if cursor < SMALLEST_TIME:
            return (cursor - 1, []) if cursor <= tip else (tip, [_info("FutureCursor")])
        since = cursor / 1e6
        if since > self.now():
            return tip, []
        floor = self._floor()
        first = next((n for n, at in enumerate(self.times) if at >= since - 1e-6), tip)
        return max(first, floor), [_info("OutdatedCursor")] if since < self.now() - LOOKBACK else []

    def _serve(self, request: Request, answer: Answer) -> None:
        connection = _Connection(self.here.handler, request)
        self.connections += 1
        if answer.status != SWITCHING:  # something else answers in Jetstream's place
            connection.send(answer.body if isinstance(answer.body, str) else json.dumps(answer.body))
            while connection.is_open() and not self._closing.wait(0.01):
                pass
            return
        with self._news:
            position, notices = self._start(request.query)
        for notice in notices:
            connection.send(_framed(notice))
        cut, self.cut_after = self.cut_after, None
        largest, sent = int(request.query.get("maxMessageSizeBytes", 0)), 0
        while not self._closing.is_set() and connection.is_open():
            if self._goodbye.is_set():
                connection.close()
                return
            with self._news:
                if position >= len(self.events) or self.silent:
                    self._news.wait(0.01)
                    continue
                frame = _framed(self.events[position])
            position += 1
            if largest and len(frame.encode()) > largest:
                continue
            if cut is not None and sent >= cut:
                return
            connection.send(frame)
            sent += 1


class _Connection:
    """One WebSocket on the connection of an HTTP request."""

    def __init__(self, handler: Any, request: Request) -> None:
        self._socket = handler.connection
        self._protocol = ServerProtocol(subprotocols=[Subprotocol("xrpc.v1.json")])
        head = handler.raw_requestline + "".join(f"{n}: {v}\r\n" for n, v in handler.headers.items()).encode() + b"\r\n"
        self._protocol.receive_data(head)
        (handshake,) = self._protocol.events_received()
        assert isinstance(handshake, Handshake)
        self._protocol.send_response(self._protocol.accept(handshake))
        self._flush()

    def send(self, text: str) -> None:
        self._protocol.send_text(text.encode())
        self._flush()

    def close(self) -> None:
        self._protocol.send_close(1001, "going away")
        self._flush()
        with contextlib.suppress(OSError):
            self._socket.settimeout(0.5)
            self._socket.recv(4096)

    def is_open(self) -> bool:
        """Whether the client is still there; what it sent is answered."""
        while select.select([self._socket], [], [], 0)[0]:
            data = self._socket.recv(4096)
            if not data:
                return False
            self._protocol.receive_data(data)
            self._flush()
            if any(
                isinstance(event, Frame) and event.opcode is Opcode.CLOSE for event in self._protocol.events_received()
            ):
                return False
        return True

    def _flush(self) -> None:
        self._socket.sendall(b"".join(self._protocol.data_to_send()))


def _info(name: str) -> dict[str, Any]:
    return {"$type": f"{METHOD}#info", "name": name, "message": "starting at another place"}


def _framed(payload: dict[str, Any]) -> str:
    return json.dumps({"$type": "message", "payload": payload})


class JetstreamPlace(BlueskyPlace):
    """Bluesky with its Jetstream, as the contract suite wants a site."""

    server: FakeJetstream
    clock: Any

    def lose(self) -> None:
        """Two days pass, and the server forgets what it cannot replay; somebody posts all the time."""
        self.clock.at += timedelta(days=2)
        self.server.post("Nice weather in Port Alder", at=self.clock.at - timedelta(hours=1))

    def fail(self, fault: Fault, times: int | None = 1, after: int = 0) -> None:
        """Half-way, on a stream, means in the middle of one connection."""
        if after:
            self.server.cut_after = after * 50
        super().fail(fault, times, after=1 if after else 0)


@contextlib.contextmanager
def place(clock: Any, folder: Path) -> Iterator[Place]:
    """Bluesky and its Jetstream, with the hospital on it."""
    with FakeJetstream(now=clock) as fake:
        fake.user(HOSPITAL)
        made = JetstreamPlace(fake, settings={"base_url": fake.base_url}, on=METHOD, patience=1.2)
        made.clock = clock
        yield made
