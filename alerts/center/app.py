"""What is served where, and the door that every request passes.

A page is a file in alerts/center/pages/ with
    router          its addresses (a FastAPI router)
    ROLE            who may see it: "viewer", "care", "admin"; None: whoever asks
    NAV             (may be left out) its place in the navigation, its name there, its address
    news(told)      (may be left out) what a page that is open is sent when something has happened: see live.py
A template beside it, called as the file, says how it looks.
"""

import asyncio
import contextlib
import importlib
import pkgutil
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Protocol, cast
from urllib.parse import parse_qs, quote

from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response, StreamingResponse
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException as Missing
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import alerts.center.pages
from alerts.center import listen
from alerts.center.access import (
    Access,
    Asked,
    Role,
    Visitor,
    bearer_in,
    cookie_name,
    counted_as,
    is_asked_for,
    is_ours,
    is_own_page,
    keeps_alive,
    key_in,
)
from alerts.center.live import Live, Position
from alerts.center.page import Words, static_files, words_for, write
from alerts.center.room import Room
from alerts.center.sign_outs import is_signed_out
from config.schema import Center
from listener.errors import CallLightError
from listener.logs import logger
from listener.serving import Limits
from listener.strangers import Limit, is_form, is_same_account, read_limited

log = logger(__name__)

NAME = "Listening Center"
# A page that is open holds a connection as long as it is; a request has to be there, and what is sent to end, in time.
LIMITS = Limits(connections=1_000, silence=75.0, life=None, end=1.0, one_request=False)
_ANY_HOST = ("/healthz", "/readyz")  # who looks whether we live asks by any name, and learns nothing else
_SAFE = ("GET", "HEAD", "OPTIONS")
_LOOKED_AFTER = 10.0  # seconds until it is asked again whether a page that is open may go on
_LARGEST, _READ_AWAY, _TIMEOUT = 512 * 1024, 4 * 1024 * 1024, 15.0  # bytes, bytes, seconds of what is sent
_THREADS = 12  # that write pages at once: each takes a connection of the database, which the service needs too
_PAGES = 500  # that may be open at once
_PAGES_EACH = 100  # of these, for one person; what opens them from this machine is not told apart
_READ = (1_200, 24_000)  # pages a minute, by one visitor and by all: 500 open pages come back at once after a restart
_READ_BY_STRANGERS = (300, 6_000)  # the same from one address and from all, by who has not signed in
_SENT = (240, 4_800)  # what is sent a minute, by one visitor and by all: a draft is checked while it is typed
_SENT_BY_STRANGERS = (60, 600)  # the same from one address and from all, by who has not signed in
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_TLS = "max-age=31536000; includeSubDomains"  # browsers that came through TLS once come no other way


class Page(Protocol):
    """What a file in alerts/center/pages/ holds; NAV and news() are looked for."""

    router: APIRouter
    ROLE: Role | None


@cache
def known_pages() -> dict[str, Page]:
    """Every page by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(alerts.center.pages.__path__))
    return {name: cast(Page, importlib.import_module(f"alerts.center.pages.{name}")) for name in names}


def app(room: Room) -> ASGIApp:
    """The Listening Center. Raises NeedsPerson where its key cannot be kept."""
    inner = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    key = key_in(room.data)
    inner.state.room = room
    inner.state.access = Access(key, room.secrets)
    inner.state.sentences = URLSafeTimedSerializer(key, salt="told")
    inner.state.live = Live(room, {name: page.news for name, page in known_pages().items() if hasattr(page, "news")})
    for page in known_pages().values():
        needed = [] if page.ROLE is None else [Depends(_needs(page.ROLE))]
        inner.include_router(page.router, dependencies=needed)
    inner.state.nav = _navigation()
    inner.add_api_route("/static/{name}", _static, methods=["GET", "HEAD"])
    inner.add_api_route("/live/{topic}", _live, methods=["GET"], response_model=None)
    inner.add_exception_handler(Missing, _missing)
    for odd in (RequestValidationError, OverflowError, DataError):  # the last two: a number too large for the database
        inner.add_exception_handler(odd, _no_such)
    inner.add_exception_handler(CallLightError, _refused)
    inner.add_exception_handler(Exception, _broken)
    inner.routes.extend(listen.routes(room.config))
    inner.state.door = Door(inner, room, inner.state.access)
    return cast(ASGIApp, inner.state.door)


class Door:
    """Every request passes here: for whom it is meant, where it comes from, how many, and who sends it."""

    def __init__(self, app: ASGIApp, room: Room, access: Access) -> None:
        self._app, self._room, self._access = app, room, access
        self._visitors, self._strangers = Limit(*_SENT), Limit(*_SENT_BY_STRANGERS)
        self._readers, self._looking = Limit(*_READ), Limit(*_READ_BY_STRANGERS)
        self.open: Counter[str] = Counter()  # pages that are told what is new, by who looks at them

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass."""
        to_thread.current_default_thread_limiter().total_tokens = _THREADS
        path = scope.get("path", "")
        is_tidy = not any(odd in path for odd in ("//", "/.", "\\"))  # a web server may read such a path otherwise
        is_listening_post = is_tidy and (path == "/listen" or path.startswith("/listen/"))  # it has rules of its own
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = {} if is_listening_post else dict(_HEADERS)
        if (self._room.config().care.center.address or "").startswith("https://"):
            wanted["Strict-Transport-Security"] = _TLS

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in wanted.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = None if is_listening_post else await self._refused(scope, is_tidy)
        await (refused or self._app)(scope, receive, with_headers)

    async def _refused(self, scope: Scope, is_tidy: bool) -> Response | None:
        """Why this may not pass, in the words of who sends it; else they are written beside it."""
        headers, center, say = Headers(scope=scope), self._room.config().care.center, words_for(Request(scope))
        if not is_tidy:
            return _said(404, say("There is no such page."))
        client, is_read = scope["client"][0] if scope.get("client") else "", scope["method"] in _SAFE
        if scope["path"] in _ANY_HOST or (is_read and scope["path"].startswith("/static/")):
            return None
        if not is_ours(center, headers.get("host", "")) and bearer_in(headers) is None:
            return _said(421, say("This is not the name of this server: see [center] address in care.toml."))
        if not (is_asked_for(headers) if is_read else is_own_page(center, headers)):
            log.warning("center", foreign=True)
            return _said(403, say("Another site made your browser send this, so nothing was done."))
        try:
            visitor = await self.visitor(scope)
        except SQLAlchemyError as error:
            log.error("center", error=error)
            return _said(503, say("The database cannot be read just now. Please try again."), {"Retry-After": "5"})
        scope.setdefault("state", {})["visitor"] = visitor
        return self._too_much(center, headers, visitor, client, is_read, say)

    async def visitor(self, scope: Scope) -> Visitor | None:
        """Who sends this, as the config and the database say now."""
        headers, center = Headers(scope=scope), self._room.config().care.center
        client = scope["client"][0] if scope.get("client") else ""
        cookie, is_old = _cookie(headers, cookie_name(center)), scope.get("http_version") == "1.0"
        is_ours = not keeps_alive(headers) and is_same_account(scope.get("client"), scope.get("server"))
        asked = Asked(client, headers, cookie, is_old, is_ours)
        visitor = self._access.visitor(center, asked, self._room.now())
        if visitor is None or not visitor.sign_in:
            return visitor
        return None if await asyncio.to_thread(is_signed_out, self._room.engine, visitor) else visitor

    def _too_much(
        self, center: Center, headers: Headers, visitor: Visitor | None, client: str, is_read: bool, say: Words
    ) -> Response | None:
        now, address, wait = time.monotonic(), counted_as(center, client, headers), 0.0
        if bearer_in(headers) is not None and (visitor is None or visitor.by == "bearer"):
            if not is_read:
                return _said(
                    403, say("A token in a header only reads. What changes a case is done by people on its page.")
                )
            wait = self._access.wait(visitor, address, now)
        if not wait:
            known, unknown = (self._readers, self._looking) if is_read else (self._visitors, self._strangers)
            wait = known.wait(visitor.who, now) if visitor else unknown.wait(address, now)
        if not wait:
            return None
        return _said(429, say("Too much at once: please wait a moment."), {"Retry-After": str(int(wait) + 1)})


def visitor_of(request: Request) -> Visitor:
    """Who looks. Raises HTTPException 401 where they have to sign in first."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    if visitor is None:
        raise HTTPException(401, "Please sign in first; a program shows a token: Authorization: Bearer TOKEN.")
    return visitor


def room_of(request: Request) -> Room:
    """What the pages need."""
    room: Room = request.app.state.room
    return room


async def form_of_stranger(request: Request) -> dict[str, list[str]]:
    """The fields of a form that was sent, whoever sent it."""
    body, trouble = await read_limited(request.stream(), _LARGEST, _READ_AWAY, _TIMEOUT)
    if trouble:
        raise HTTPException(413, "That was too much, or did not arrive whole. Please send it again.")
    fields: dict[str, list[str]] = {}
    if is_form(request.headers):
        with contextlib.suppress(ValueError):  # far more fields than any form of ours has
            fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=500)
    return fields


async def sent(request: Request) -> Mapping[str, list[str]]:
    """The fields of a form that was sent from a page of this visitor's."""
    access: Access = request.app.state.access
    visitor = visitor_of(request)  # first: a stranger's words are not even read
    fields = await form_of_stranger(request)
    if not access.is_csrf(visitor, fields.pop("csrf", [""])[0]):
        raise HTTPException(403, "This page is too old, or you signed in anew meanwhile. Please load it again.")
    return fields


OfVisitor = Annotated[Visitor, Depends(visitor_of)]
OfRoom = Annotated[Room, Depends(room_of)]
Sent = Annotated[Mapping[str, list[str]], Depends(sent)]


def care(visitor: OfVisitor) -> Visitor:
    """Somebody who may act on cases."""
    return _allowed(visitor, "care")


OfCare = Annotated[Visitor, Depends(care)]


def _needs(role: Role) -> Any:
    def needs(visitor: OfVisitor) -> None:
        _allowed(visitor, role)

    return needs


def _allowed(visitor: Visitor, role: Role) -> Visitor:
    if not visitor.may(role):
        raise HTTPException(403, f"This is for the role {role!r}; yours is {visitor.role!r}. Ask who runs Call Light.")
    return visitor


async def _live(request: Request, topic: str, visitor: OfVisitor) -> StreamingResponse:
    """What is new on a page; it begins where the page says that it has come to."""
    page, live = known_pages().get(topic), cast(Live, request.app.state.live)
    if page is None or topic not in live.topics:
        raise HTTPException(404)
    if page.ROLE is not None:
        _allowed(visitor, page.ROLE)
    has_many = visitor.by != "machine" and cast(Door, request.app.state.door).open[visitor.who] >= _PAGES_EACH
    if live.pages >= _PAGES or has_many:
        raise HTTPException(503, "Too many pages are open; this one looks anew when it is loaded again.")
    said = request.headers.get("last-event-id") or request.query_params.get("from", "")
    since = Position.read(said) or Position()
    return StreamingResponse(
        _while_allowed(request, page.ROLE, visitor, live.stream(topic, words_for(request).language, since)),
        headers={"X-Accel-Buffering": "no"},
        media_type="text/event-stream",
    )


async def _while_allowed(
    request: Request, role: Role | None, visitor: Visitor, news: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """What is new, as long as they may see it: they may sign out, or be taken out of care.toml, while a page is open."""
    door: Door = request.app.state.door
    asked_at = time.monotonic()
    door.open[visitor.who] += 1
    try:
        async with contextlib.aclosing(cast(AsyncGenerator[bytes], news)):
            async for piece in news:
                if time.monotonic() - asked_at >= _LOOKED_AFTER:
                    now, asked_at = await door.visitor(request.scope), time.monotonic()
                    if now is None or now.who != visitor.who or (role is not None and not now.may(role)):
                        return
                yield piece
    finally:
        door.open -= Counter([visitor.who])  # and who has none is forgotten


@dataclass(frozen=True)
class Link:
    """An entry of the navigation."""

    order: int
    label: str
    address: str
    role: Role


def _navigation() -> list[Link]:
    found = []
    for page in known_pages().values():
        if (entry := getattr(page, "NAV", None)) is not None:
            order, label, address = entry
            found.append(Link(order, label, address, page.ROLE or "viewer"))
    return sorted(found, key=lambda link: link.order)


# ---------------------------------------------------------------- what every request may end in


def _missing(request: Request, error: Exception) -> Response:
    """There is no such page, or it is not theirs."""
    assert isinstance(error, Missing)
    if error.status_code == 403:  # too low a role, or a form without its word
        visitor: Visitor | None = getattr(request.state, "visitor", None)
        log.warning("center", allowed=False, role=visitor.role if visitor is not None else "none")
    if error.status_code == 401:
        is_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        if is_page and request.headers.get("sec-fetch-site") == "cross-site":
            return write(request, "again")  # a link in Slack: our strict cookie comes along at the second try
        if is_page:
            return Response(status_code=303, headers={"Location": f"/sign-in?to={quote(_here(request))}"})
    return _sorry(request, error.status_code, "There is no such page." if error.detail == "Not Found" else error.detail)


def _no_such(request: Request, error: Exception) -> Response:
    """An address with something in it that we never write there."""
    return _missing(request, Missing(404))


def _refused(request: Request, error: Exception) -> Response:
    """What was asked cannot be done, and why."""
    return _sorry(request, 409, str(error))


def _broken(request: Request, error: Exception) -> Response:
    """Something that nobody thought of. The log gets its kind alone, as it may carry words of a post."""
    log.error("center", error=error)
    sentence = "That could not be done just now. Please try again; if it goes on, tell who runs Call Light."
    return _sorry(request, 500, sentence)


def _sorry(request: Request, status: int, sentence: str) -> Response:
    """The sentence as a page for a browser, and alone for the script of an open page, which shows it there."""
    if "text/html" not in request.headers.get("accept", ""):
        return _said(status, words_for(request)(sentence))
    return write(request, "sorry", status, sentence=sentence)


def _static(name: str) -> Response:
    """A file that never changes: its address does."""
    if name not in static_files():
        raise HTTPException(404)
    content, kind = static_files()[name]
    return Response(content, headers={"Cache-Control": "public, max-age=31536000, immutable"}, media_type=kind)


def _said(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(sentence + "\n", status, headers, "text/plain; charset=utf-8")


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _cookie(headers: Headers, wanted: str) -> str:
    """The value of our cookie."""
    for part in ";".join(headers.getlist("cookie")).split(";"):
        name, _, value = part.strip().partition("=")
        if name == wanted:
            return value.strip('"')
    return ""
