"""A small web server of ours, on a thread of its own, with limits for those who open a connection and stay silent."""

import asyncio
import contextlib
import errno
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from listener.errors import NeedsPerson

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from uvicorn.protocols.http.h11_impl import H11Protocol

_VANISHED = 60.0  # seconds in which nothing of what was sent arrives
_KNOWN = {
    errno.EADDRINUSE: "is used by another program, or another copy of this one",
    errno.EACCES: "may not be opened by this user (ports below 1024 are the system's)",
    errno.EADDRNOTAVAIL: "cannot be opened: this machine does not have that address",
}
_served: "dict[str, ASGIApp]" = {}  # by the name of where they are served; put in and taken out whole, by any thread


@dataclass(frozen=True)
class Limits:
    """How many connections at once, and seconds: until a request has to be there, until its connection ends, until the end.

    The silence is counted from the start of a connection and from each answer on. An answer under way is never cut by it.
    """

    connections: int
    silence: float
    life: float | None  # None: as long as both want
    end: float
    one_request: bool = True  # a connection; False: as many as the other side likes


@dataclass(frozen=True)
class Where:
    """Who listens where, and which keys of the config say so. Port 0: one that is free."""

    name: str
    host: str
    port: int
    keys: str


@dataclass(frozen=True)
class Open:
    """A server that was started. Called, it says whether it still is there."""

    port: int
    is_alive: Callable[[], bool]

    def __call__(self) -> bool:
        """Whether it still serves."""
        return self.is_alive()


def served(name: str) -> "ASGIApp | None":
    """The app that is served under this name now, by this process; None while it is not."""
    return _served.get(name)


@contextlib.contextmanager
def serving(app: Any, where: Where, limits: Limits, before_end: Callable[[], None] = lambda: None) -> Iterator[Open]:
    """The app is served on a thread of its own. Raises NeedsPerson."""
    import uvicorn

    with contextlib.closing(_bound(where)) as listening:
        config = uvicorn.Config(
            app,
            http=_line(limits),
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,  # it would hold addresses
            proxy_headers=False,
            server_header=False,
            headers=[("Connection", "close")] if limits.one_request else [],
        )
        # Given to asyncio as they are.
        config.timeout_graceful_shutdown = limits.end  # type: ignore[assignment]
        config.timeout_keep_alive = limits.silence  # type: ignore[assignment]
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), name=where.name, daemon=True)
        port = int(listening.getsockname()[1])
        thread.start()
        _served[where.name] = app
        try:
            yield Open(port, thread.is_alive)
        finally:
            if _served.get(where.name) is app:  # and not that of another who took the name meanwhile
                del _served[where.name]
            before_end()
            server.should_exit = True
            thread.join()


def _line(limits: Limits) -> "type[H11Protocol]":
    """One connection. uvicorn itself would wait for ever for a request that does not come, on any number of them."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Line(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if hasattr(socket, "TCP_USER_TIMEOUT"):  # a phone that went out of reach does not say so
                line = transport.get_extra_info("socket")
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(_VANISHED * 1000))
            if len(self.connections) > limits.connections:
                transport.abort()
            self.ends = [] if limits.life is None else [self.loop.call_later(limits.life, transport.abort)]
            self.wait()

        def wait(self) -> None:
            """For the other side; it has `silence` seconds, whatever else it sends."""
            self.untaken = self.transport.get_write_buffer_size()
            self.look_at = self.loop.call_later(limits.silence, self.look)

        def look(self) -> None:
            """End it if the other side has to do something and did not. A large page may go out slowly."""
            if self.cycle is None:
                self.transport.abort()
            elif not limits.one_request:  # else its life ends it
                is_answered = self.cycle.response_complete or self.transport.is_closing()
                is_taken = 0 < self.transport.get_write_buffer_size() < self.untaken
                if is_answered and not is_taken:
                    self.transport.abort()
                else:
                    self.wait()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self.look_at.cancel()
            self.wait()

        def connection_lost(self, exc: Exception | None) -> None:
            for timer in (self.look_at, *self.ends):
                timer.cancel()
            super().connection_lost(exc)

    return Line


def _bound(where: Where) -> socket.socket:
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    try:
        return socket.create_server((where.host, where.port), family=family)
    except OSError as error:
        why = _KNOWN.get(error.errno or 0, f"cannot be opened ({type(error).__name__})")
        raise NeedsPerson(f"{where.name}: port {where.port} on {where.host} {why}; change {where.keys}") from None
