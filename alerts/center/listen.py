"""The listening post under a path of the Listening Center, which may be the only path that the world can reach.

While the form is open, its own app answers here as on its own port, with the limits of its own server; while it is closed,
people are told so, and whom to call.
"""

import asyncio
import contextlib
from collections.abc import Callable

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.schema import Config
from listener.collectors import listening_post
from listener.serving import served

_NONE = (
    "There is no form here. If someone is in danger, tell any staff member now.\n\n"
    "Aquí no hay ningún formulario. Si alguien está en peligro, avise ahora mismo a cualquier miembro del personal.\n"
)
_BUSY = (
    "Very many are writing at this moment. If it cannot wait, tell any staff member. Otherwise try again in a minute.\n\n"
    "En este momento escriben muchísimas personas. Si no puede esperar, avise a cualquier miembro del personal. "
    "Si puede, vuelva a intentarlo en un minuto.\n"
)


def routes(config: Callable[[], Config]) -> list[BaseRoute]:
    """What the center serves of it: /listen/ and what is below. Its links are relative, so /listen leads there."""
    return [Route("/listen", _to_the_form), Mount("/listen", app=ListeningPost(config))]


def _to_the_form(request: Request) -> Response:
    """No address with a host in it: a proxy may call us by another name than people do."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"listen/{query}", 307, listening_post.HEADERS)


class ListeningPost:
    """The form as an app within another: open or closed, never in the way of the other's pages."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._closed: tuple[Config, FastAPI] | None = None  # what was made of which config
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the form's own server would: one request a connection, not for ever, and not to too many at once."""
        limits = listening_post.limits()

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        app = self._app() if self._under_way < limits.connections else _said(503, _BUSY, {"Retry-After": "60"})
        self._under_way += 1
        try:
            # The form's app has answered what went wrong and logged its kind; the rest of it may hold what people wrote.
            with contextlib.suppress(Exception):
                async with asyncio.timeout(limits.life):
                    await app(scope, receive, send_last)
        finally:
            self._under_way -= 1

    def _app(self) -> ASGIApp:
        if app := served(listening_post.NAME):
            return app
        config = self._config()
        settings = config.collectors.get(listening_post.NAME)
        if not isinstance(settings, listening_post.Settings) or not settings.on:
            return _said(404, _NONE)
        if self._closed is None or self._closed[0] is not config:
            self._closed = config, listening_post.closed_app(settings, config.hospital)
        return self._closed[1]


def _said(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(text, status, {**listening_post.HEADERS, **(headers or {})})
