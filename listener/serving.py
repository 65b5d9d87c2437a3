"""A small web server of ours: one request a connection, with limits for those who open one and stay silent."""

import asyncio
import contextlib
import errno
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from listener.errors import NeedsPerson

_KNOWN = {
    errno.EADDRINUSE: "is used by another program, or another copy of this one",
    errno.EACCES: "may not be opened by this user (ports below 1024 are the system's)",
    errno.EADDRNOTAVAIL: "cannot be opened: this machine does not have that address",
}


@dataclass(frozen=True)
class Limits:
    """How many connections at once, and seconds: until a request has to be there, until it is answered, until the end."""

    connections: int
    silence: float
    life: float
    end: float


@dataclass(frozen=True)
class Where:
    """Who listens where, and which keys of the config say so."""

    name: str
    host: str
    port: int
    keys: str


@contextlib.contextmanager
def serving(
    app: Any, where: Where, limits: Limits, before_end: Callable[[], None] = lambda: None
) -> Iterator[Callable[[], bool]]:
    """The app is served on a thread of its own; yields whether it still is. Raises NeedsPerson."""
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Line(H11Protocol):
        """One connection. uvicorn itself would wait for ever for a request that does not come, on any number of them."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                transport.abort()
            ends = ((limits.silence, self.end_unless_asked), (limits.life, transport.abort))
            self.timers = [self.loop.call_later(seconds, end) for seconds, end in ends]

        def end_unless_asked(self) -> None:
            if self.cycle is None:
                self.transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            for timer in self.timers:
                timer.cancel()
            super().connection_lost(exc)

    with contextlib.closing(_bound(where)) as listening:
        config = uvicorn.Config(
            app,
            http=Line,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,  # it would hold addresses
            proxy_headers=False,
            server_header=False,
            headers=[("Connection", "close")],  # one request each
        )
        config.timeout_graceful_shutdown = limits.end  # type: ignore[assignment]  # given to asyncio as it is
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), name=where.name, daemon=True)
        thread.start()
        try:
            yield thread.is_alive
        finally:
            before_end()
            server.should_exit = True
            thread.join()


def _bound(where: Where) -> socket.socket:
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    try:
        return socket.create_server((where.host, where.port), family=family)
    except OSError as error:
        why = _KNOWN.get(error.errno or 0, f"cannot be opened ({type(error).__name__})")
        raise NeedsPerson(f"{where.name}: port {where.port} on {where.host} {why}; change {where.keys}") from None
