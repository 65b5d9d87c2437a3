"""The faults of the matrix: what the other side, the network or the machine between does wrong. One row each."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fakes.server import (
    Answer,
    BrokenShape,
    Cut,
    Drip,
    DropAfter,
    Endless,
    FakeServer,
    Fault,
    NotJson,
    RateLimited,
    Request,
    Reset,
    Stall,
    StallAfter,
    Status,
)

FASTER = 20  # so much faster the product's own patience runs out where a cell is about it
ODD = {  # every key that some place's answer has, each with something else than is due
    **{"ok": True, "data": "words", "meta": 7, "errors": 3, "kind": "Listing", "json": [], "posts": {}, "feed": 1},
    **{"records": "x", "cursor": 5, "statuses": 2, "reviews": {"a": 1}, "nextPageToken": 9, "access_token": 12},
    **{"accessJwt": 1, "refreshJwt": [], "did": 4, "handle": {}, "id": [], "messages": 8, "channels": "x", "ts": {}},
    **{"channel": [], "file_id": {}, "upload_url": 6, "files": "y", "url": 11, "users": 3, "view": "z", "uri": 0},
    **{"response_metadata": "w", "expires_in": "soon", "team_id": [1], "acct": 3, "profiles": 5, "error": 17},
}


@dataclass(frozen=True)
class Trouble:
    """One fault. `played` is what the fake plays on the call; where that is None, the line to it is at fault."""

    name: str
    what: str  # as the page explains it
    played: Fault | None = None
    waits: bool = False  # the product's patience is what ends it


TROUBLES = (
    Trouble("refused", "nothing listens at the address any more"),
    Trouble("DNS error", "the name is not found"),
    Trouble("TLS error", "the certificate is not one that can be trusted"),
    Trouble("reset before", "the connection is closed without an answer, and nothing was done", Reset()),
    Trouble("reset after", "what was asked is done, and the connection is closed without an answer", DropAfter()),
    Trouble("cut short", "what was asked is done, and half of the answer arrives", Cut()),
    Trouble("stall", "no answer comes, and nothing was done", Stall(), waits=True),
    Trouble("stall after", "what was asked is done, and no answer comes", StallAfter(), waits=True),
    Trouble("slow drip", "the answer comes a byte at a time and never ends", Drip(), waits=True),
    Trouble("endless body", "the answer never ends, as fast as the line allows", Endless()),
    Trouble("429", "asked to wait, without a word for how long", RateLimited()),
    Trouble("429 with a time", "asked to wait two minutes", RateLimited(retry_after=120)),
    Trouble("500", "the other side has broken down", Status(500)),
    Trouble("503 page", "a web page of a proxy, with status 503", NotJson(status=503)),
    Trouble("200 page", "a web page of a proxy, with status 200", NotJson()),
    Trouble("broken JSON", "JSON that ends in the middle", Status(200, '{"ok": true, "data": [{"id"', {"content-type": "application/json"})),
    Trouble("a list", "JSON of the wrong kind", BrokenShape(["odd", 1])),
    Trouble("missing keys", "an object with nothing in it", BrokenShape({})),
    Trouble("wrong types", "the right keys, each with something else than is due", BrokenShape(ODD)),
    Trouble("empty body", "status 200 and no word", Status(200, "")),
    Trouble("redirect", "sent on to an address of somebody else"),
)  # fmt: skip


class Stranger(FakeServer):
    """Somebody else's server, where a redirect leads. `heard` is what it was told that it must not know."""

    def answer(self, request: Request) -> Answer:
        """Whatever it is asked."""
        return Answer(200, {"ok": True})

    def told(self) -> list[str]:
        """The headers and bodies that carry a login or words."""
        return [request.path for request in self.requests if "authorization" in request.headers or request.raw]


class Line:
    """What lies between the product and a fake, and breaks before a certain request of a pass."""

    def __init__(self, server: FakeServer) -> None:
        self._server, self._seen, self._from = server, 0, -1
        self._how = ""
        self.is_down = False
        server.fail_next(Reset(), times=None, on=self._passes)

    def _passes(self, _request: Request) -> bool:
        """The fake asks this of every request; that it is the last before the fault is all that happens here."""
        self._seen += 1
        if self._seen == self._from:
            self._breaks()
        return False

    def breaks_at(self, number: int, how: str) -> None:
        """Before the request of that number, counted from now and from 0: "refused" or "DNS error"."""
        self._seen, self._from, self._how = 0, number, how
        if number == 0:
            self._breaks()

    def _breaks(self) -> None:
        self.is_down = True
        if self._how == "refused":
            self._server.shut()
        else:
            self._server.hang_up()

    def mended(self) -> None:
        """As it was."""
        self._from = -1
        if self.is_down:
            self._server.reopen()
        self.is_down = False

    @contextmanager
    def resolves(self) -> Iterator[None]:
        """The operating system's resolver, of which no library knows that it can be told to find no name."""
        real, port = socket.getaddrinfo, str(urlsplit(self._server.base_url).port)

        def asked(host: Any, wanted: Any, *more: Any, **options: Any) -> Any:
            if self.is_down and self._how == "DNS error" and str(wanted) == port:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return real(host, wanted, *more, **options)

        socket.getaddrinfo = asked  # type: ignore[assignment]
        try:
            yield
        finally:
            socket.getaddrinfo = real


@contextmanager
def impatient() -> Iterator[None]:
    """Every limit that the product sets on a wait runs out FASTER times as fast; where it sets none, none does.

    Socket timeouts, and the clock that whole answers are measured by.
    """
    settimeout, monotonic, began = socket.socket.settimeout, time.monotonic, time.monotonic()

    def shorter(self: socket.socket, seconds: float | None) -> None:
        settimeout(self, seconds / FASTER if seconds and seconds >= 1 else seconds)

    socket.socket.settimeout = shorter  # type: ignore[method-assign]
    time.monotonic = lambda: began + (monotonic() - began) * FASTER
    try:
        yield
    finally:
        socket.socket.settimeout = settimeout  # type: ignore[method-assign]
        time.monotonic = monotonic


@contextmanager
def self_signed(folder: Path) -> Iterator[str]:
    """A server with a certificate that nobody vouches for; its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(folder))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_greet, args=(listening, context), daemon=True).start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def _greet(listening: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            with suppress(OSError), context.wrap_socket(connection, server_side=True) as line:
                line.recv(1)


def _certificate(folder: Path) -> Path:
    path = folder / "self-signed.pem"
    if not path.exists():
        key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
        day = timedelta(days=1)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        made = made.serial_number(1).not_valid_before(datetime.now(UTC) - day).not_valid_after(datetime.now(UTC) + day)
        plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, *plain)
            + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
    return path
