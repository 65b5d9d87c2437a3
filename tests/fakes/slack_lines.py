"""How what people do in Slack reaches an app: by Socket Mode on loopback, or by signed requests to the app's address.

Checked against: slack_sdk 3.47 (socket_mode/builtin, signature) and slack_bolt 1.30, executed; docs.slack.dev on Socket
Mode, interactivity and verifying requests.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode, urlsplit

from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol

from .slack_views import APP

PATIENCE = 3.0  # seconds within which Slack wants an answer
LINKS_MAX = 10
RETRIES = 3


@dataclass(frozen=True)
class Delivery:
    """What became of a payload: `after` is in real seconds, `answer` what came with the acknowledgement (None: nothing),
    `status` that of HTTP, `trouble` what the person is shown because Slack cannot use the answer."""

    acked: bool
    after: float
    answer: Any = None
    status: int | None = None
    trouble: str = ""

    @property
    def errors(self) -> dict[str, str]:
        """What a modal shows beside its inputs, by block_id."""
        answer = self.answer if isinstance(self.answer, dict) else {}
        return dict(answer.get("errors") or {})


class Line(Protocol):
    """A way to an app. `kind` is interactive, slash_commands or events_api, `patience` how many seconds Slack waits."""

    patience: float

    def send(self, kind: str, payload: Any, **more: Any) -> Delivery:
        """Hand over one payload and wait for its acknowledgement, at most as long as Slack does."""
        ...


def send_event(line: Line, payload: dict[str, Any]) -> list[Delivery]:
    """An event, again up to three times as long as nobody acknowledges it; every delivery."""
    tried = [line.send("events_api", payload, retry_attempt=0, retry_reason="")]
    while not tried[-1].acked and len(tried) <= RETRIES:
        tried.append(line.send("events_api", payload, retry_attempt=len(tried), retry_reason="timeout"))
    return tried


# --- signed requests ----------------------------------------------------------------------------------------------


class HttpLine:
    """Requests to an app's address, signed with a secret, `age` seconds ago by the clock given."""

    def __init__(self, url: str, secret: str, now: Callable[[], float], age: float = 0.0) -> None:
        self.url, self.secret, self.now, self.age = url, secret, now, age
        self.patience = PATIENCE
        self._last: tuple[bytes, dict[str, str]] | None = None

    def send(self, kind: str, payload: Any, **more: Any) -> Delivery:
        """POST the payload as Slack does for its kind."""
        if kind == "events_api":
            return self.post(json.dumps(payload).encode(), "application/json", _retry_headers(**more))
        form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
        return self.post(urlencode(form).encode())

    def post(
        self,
        body: bytes,
        content_type: str = "application/x-www-form-urlencoded",
        more: dict[str, str] | None = None,
    ) -> Delivery:
        """POST any body with a signature for it."""
        stamp = str(int(self.now() - self.age))
        signed = hmac.new(self.secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": content_type,
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": f"v0={signed}",
            **(more or {}),
        }
        self._last = body, headers
        return self.again()

    def again(self, **change: str) -> Delivery:
        """The last request once more, to the byte; headers by name with _ for - are changed or, when empty, left out."""
        assert self._last is not None, "nothing was sent yet"
        body, headers = self._last
        headers = headers | {name.replace("_", "-"): value for name, value in change.items()}
        to = urlsplit(self.url)
        connection = http.client.HTTPConnection(to.hostname or "", to.port, timeout=self.patience)
        started = time.monotonic()
        try:
            path = to.path + (f"?{to.query}" if to.query else "")
            connection.request("POST", path or "/", body, {name: value for name, value in headers.items() if value})
            answer = connection.getresponse()
            said = answer.read().decode()
        except (OSError, http.client.HTTPException):
            return Delivery(False, time.monotonic() - started)
        finally:
            connection.close()
        return Delivery(answer.status == 200, time.monotonic() - started, _said(said), answer.status)


def _said(body: str) -> Any:
    """An answer's body as Slack takes it: JSON, or else the text of a message."""
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except ValueError:
        return {"text": body}


def _retry_headers(retry_attempt: int = 0, retry_reason: str = "") -> dict[str, str]:
    if not retry_attempt:
        return {}
    return {"x-slack-retry-num": str(retry_attempt), "x-slack-retry-reason": f"http_{retry_reason}"}


# --- Socket Mode --------------------------------------------------------------------------------------------------


@dataclass
class _Waiting:
    done: threading.Event = field(default_factory=threading.Event)
    acked: bool = False
    answer: Any = None


class SocketLine:
    """Slack's side of Socket Mode, on the port of the Web API.

    `opened` counts every connection there ever was, `links` are those open now, oldest first."""

    def __init__(self) -> None:
        self.patience = PATIENCE
        self.links: list[Link] = []
        self.opened = 0
        self.refuse = 0  # so many handshakes more are answered 404
        self.strays: list[Any] = []  # what apps sent that acknowledges nothing
        self._tickets: set[str] = set()
        self._issued = 0
        self._sent = 0
        self._waiting: dict[str, _Waiting] = {}
        self._changed = threading.Condition(threading.RLock())

    def ticket(self) -> str:
        """What opens one connection, once."""
        with self._changed:
            self._issued += 1
            made = f"ticket-{self._issued}"
            self._tickets.add(made)
            return made

    def wait_for(self, links: int | None = None, opened: int | None = None, within: float = 10.0) -> bool:
        """Wait until so many connections are open, or were ever opened; whether it came to that."""

        def there() -> bool:
            return (links is None or len(self.links) == links) and (opened is None or self.opened >= opened)

        with self._changed:
            return self._changed.wait_for(there, within)

    # what is sent

    def send(self, kind: str, payload: Any, **more: Any) -> Delivery:
        """One envelope to one of the connections, in turn; not acknowledged when there is none, or when it drops.

        An acknowledgement may come through another connection, as after a refresh."""
        started = time.monotonic()
        with self._changed:
            link = self._next_link()
            if link is None:
                return Delivery(False, 0.0)
            self._sent += 1
            envelope_id = f"00000000-0000-4000-8000-{self._sent:012d}"
            waiting = self._waiting[envelope_id] = _Waiting()
        envelope = {
            "envelope_id": envelope_id,
            "payload": payload,
            "type": kind,
            "accepts_response_payload": kind != "events_api",
            **more,
        }
        link.write(json.dumps(envelope))
        waiting.done.wait(self.patience)
        with self._changed:
            del self._waiting[envelope_id]
            answer = waiting.answer if kind != "events_api" else None
            return Delivery(waiting.acked, time.monotonic() - started, answer)

    def send_text(self, text: str) -> None:
        """Any message to one of the connections, in turn."""
        with self._changed:
            link = self._next_link()
        if link is not None:
            link.write(text)

    def _next_link(self) -> Link | None:
        link = next((one for one in self.links if not one.leaving), None)
        if link is not None:
            self.links.remove(link)
            self.links.append(link)
        return link

    def disconnect(self, reason: str = "refresh_requested", close: bool = True) -> None:
        """Tell every connection to go (warning, refresh_requested, link_disabled); it gets nothing more."""
        with self._changed:
            leaving = [link for link in self.links if not link.leaving]
            for link in leaving:
                link.leaving = True
        for link in leaving:
            link.write(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}))
            if close:
                link.close()

    def drop(self) -> None:
        """Every connection ends without a word."""
        with self._changed:
            gone = list(self.links)
            self.links.clear()
            for waiting in self._waiting.values():
                waiting.done.set()
        for link in gone:
            link.drop()

    def freeze(self) -> None:
        """Every connection stays open, and nothing comes through it any more, neither way."""
        with self._changed:
            for link in self.links:
                link.frozen = True

    # one connection

    def serve(self, handler: Any) -> None:
        """The connection of an HTTP request, as a WebSocket, until it ends."""
        link = Link(handler)
        given = parse_qs(urlsplit(handler.path).query).get("ticket", [""])[0]
        with self._changed:
            fine = given in self._tickets and not self.refuse
            self.refuse = max(0, self.refuse - 1)
            self._tickets.discard(given)
            if not fine:
                link.refuse()
                return
            if len(self.links) >= LINKS_MAX:
                link.accept({"type": "disconnect", "reason": "too_many_websockets", "debug_info": {}})
                link.close()
            else:
                self.links.append(link)
                self.opened += 1
                link.accept(_hello(len(self.links)))
                self._changed.notify_all()
        link.read(self._heard)
        with self._changed:
            self.links = [one for one in self.links if one is not link]
            self._changed.notify_all()

    def _heard(self, text: str) -> None:
        try:
            said = json.loads(text)
        except ValueError:
            said = text
        envelope_id = said.get("envelope_id", "") if isinstance(said, dict) else ""
        with self._changed:
            waiting = self._waiting.get(envelope_id)
            if waiting is None or waiting.acked:
                self.strays.append(said)
                return
            waiting.acked, waiting.answer = True, said.get("payload")
            waiting.done.set()


def _hello(connections: int) -> dict[str, Any]:
    return {
        "type": "hello",
        "num_connections": connections,
        "connection_info": {"app_id": APP},
        "debug_info": {"host": "applink-1", "build_number": 1, "approximate_connection_time": 18060},
    }


class Link:
    """One WebSocket, on the connection of an HTTP request."""

    def __init__(self, handler: Any) -> None:
        self.leaving = False
        self.frozen = False
        self._socket: socket.socket = handler.connection
        self._protocol = ServerProtocol()
        self._writing = threading.Lock()
        self._text = b""
        head = handler.raw_requestline + "".join(f"{n}: {v}\r\n" for n, v in handler.headers.items()).encode() + b"\r\n"
        self._protocol.receive_data(head)
        (self._handshake,) = self._protocol.events_received()

    def refuse(self) -> None:
        self._protocol.send_response(self._protocol.reject(404, "Not found\n"))
        self._flush()

    def accept(self, first: dict[str, Any]) -> None:
        """Become a WebSocket and say the first message."""
        assert isinstance(self._handshake, Handshake)
        self._protocol.send_response(self._protocol.accept(self._handshake))
        with contextlib.suppress(OSError):  # gone already, as reading will find
            self._flush()
        self.write(json.dumps(first))

    def write(self, text: str) -> None:
        """Send a message; one that cannot be sent is lost."""
        if self.frozen:
            return
        with self._writing, contextlib.suppress(OSError, InvalidState):
            self._protocol.send_text(text.encode())
            self._flush()

    def close(self) -> None:
        """Say goodbye, and let the other side hang up."""
        with self._writing, contextlib.suppress(OSError, InvalidState):
            self._protocol.send_close(1001, "going away")
            self._flush()

    def drop(self) -> None:
        """End the connection without a CLOSE frame."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def read(self, heard: Callable[[str], None]) -> None:
        """Hand on what the client says until it is gone; its pings are answered."""
        while data := self._received():
            if self.frozen:
                continue
            with self._writing, contextlib.suppress(OSError):
                self._protocol.receive_data(data)
                self._flush()
            for event in self._protocol.events_received():
                if not isinstance(event, Frame) or event.opcode is Opcode.CLOSE:
                    return
                if event.opcode in (Opcode.TEXT, Opcode.CONT):
                    self._text += bytes(event.data)
                    if event.fin:
                        text, self._text = self._text.decode(), b""
                        heard(text)

    def _received(self) -> bytes:
        try:
            return self._socket.recv(65536)
        except OSError:  # reset by the other side
            return b""

    def _flush(self) -> None:
        self._socket.sendall(b"".join(self._protocol.data_to_send()))
